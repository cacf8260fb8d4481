"""The real adapter asks the simulated 阿里云 what became of a text: by our own id, over days and pages."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.texts.outbox import MessageState
from sms.gateway import (
    Accepted,
    ErrorClass,
    NotSent,
    OutgoingText,
    SentText,
    Status,
    Unknown,
)
from tests.sms.aliyun import PUSHES, Aliyun, answering, message


async def test_unknown_attempt_is_found_by_our_own_id_among_others_that_read_same(
    aliyun: Aliyun,
) -> None:
    before = datetime.now(UTC)
    aliyun.behave(error_accepted=1)
    sent, never = message(), message()
    async with aliyun.gateway() as gateway:
        await gateway.send(message())
        await gateway.send(sent)
        assert await gateway.find(sent, attempted_at=before) == Accepted(None)
        assert await gateway.find(never, attempted_at=before) == NotSent("not_found")
        elsewhere = message(phone="+8613800000002")
        assert await gateway.find(elsewhere, attempted_at=before) == NotSent("not_found")


async def test_what_was_sent_in_an_earlier_turn_is_not_taken_for_this_ones(aliyun: Aliyun) -> None:
    before, first = datetime.now(UTC), message()
    again = replace(first, turn=2)
    async with aliyun.gateway() as gateway:
        await gateway.send(first)
        assert await gateway.find(again, attempted_at=before) == NotSent("not_found")
        await gateway.send(again)
        assert await gateway.find(again, attempted_at=before) == Accepted(None)


async def test_every_day_since_the_attempt_is_looked_through(aliyun: Aliyun) -> None:
    sent = message()
    async with aliyun.gateway() as gateway:
        await gateway.send(sent)
        past = datetime.now(UTC) - timedelta(days=3)
        assert await gateway.find(sent, attempted_at=past) == Accepted(None)
        ahead = datetime.now(UTC) + timedelta(days=2)
        assert await gateway.find(sent, attempted_at=ahead) == NotSent("not_found")


async def test_finding_reads_past_the_first_page(aliyun: Aliyun) -> None:
    first = message()
    async with aliyun.gateway() as gateway:
        await gateway.send(first)
        await asyncio.gather(*(gateway.send(message()) for _ in range(60)))
        assert await gateway.find(first, attempted_at=datetime.now(UTC)) == Accepted(None)


async def test_query_that_is_refused_leaves_it_unknown(aliyun: Aliyun) -> None:
    async with aliyun.gateway(aliyun_access_key_secret="wrong") as gateway:
        found = await gateway.find(message(), attempted_at=datetime.now(UTC))
    assert found == Unknown("SignatureDoesNotMatch")


def _sent(text: OutgoingText, *, ago: timedelta = timedelta(), turn: int = 1) -> SentText:
    moment = datetime.now(UTC) - ago
    return SentText(text.id, turn, text.phone, None, moment, moment + timedelta(days=7))


@pytest.mark.parametrize(
    ("fate", "status"),
    [
        ({}, Status(MessageState.DELIVERED)),
        ({"silent": 1}, Status(MessageState.ACCEPTED)),
        (
            {"undelivered": 1, "failure_code": "USER_REJECT"},
            Status(MessageState.UNDELIVERED, "USER_REJECT", ErrorClass.OPTED_OUT),
        ),
    ],
)
async def test_what_became_of_a_text_is_told_to_who_asks_where_no_receipt_comes(
    aliyun: Aliyun, fate: dict[str, Any], status: Status
) -> None:
    aliyun.behave(lost=True, report_delay_seconds=0, report_before_answer=True, **fate)
    text = message()
    async with aliyun.gateway() as gateway:
        await gateway.send(message())
        await gateway.send(text)
        assert await gateway.status_of(_sent(text)) == status
        assert await gateway.status_of(_sent(text, ago=timedelta(days=3))) == status
        assert await gateway.status_of(_sent(text, turn=2)) == NotSent("not_found")
        assert await gateway.status_of(_sent(message())) == NotSent("not_found")
    assert aliyun.listener.items(f"{PUSHES}/reports") == []
    assert aliyun.attempts(text) == (1, 1), "asking sends nothing"


async def test_only_days_on_which_text_may_have_gone_out_are_looked_through(
    aliyun: Aliyun,
) -> None:
    text = message()
    async with aliyun.gateway() as gateway:
        await gateway.send(text)
        over = replace(_sent(text), not_before=_days_ago(9), not_after=_days_ago(2))
        assert await gateway.status_of(over) == NotSent("not_found")


def _days_ago(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


async def test_question_that_is_refused_or_answered_oddly_tells_nothing(aliyun: Aliyun) -> None:
    async with aliyun.gateway(aliyun_access_key_secret="wrong") as gateway:
        assert await gateway.status_of(_sent(message())) == Unknown("SignatureDoesNotMatch")


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (b'"SendStatus":9', Unknown("unreadable_answer")),
        (b'"SendStatus":"3"', Status(MessageState.DELIVERED)),
        # A code as no receipt would hold it says nothing about why.
        (b'"SendStatus":2,"ErrCode":"\\u0000"', Status(MessageState.UNDELIVERED)),
    ],
)
async def test_only_what_reads_as_theirs_is_believed(told: bytes, status: object) -> None:
    text = message()
    listed = b'{"OutId":"%s",%s}' % (str(text.id).encode(), told)
    page = b'200 OK|{"Code":"OK","SmsSendDetailDTOs":{"SmsSendDetailDTO":[%s]}}' % listed
    async with answering(page) as gateway:
        assert await gateway.status_of(_sent(text)) == status
