"""What was queued to ask is not sent once there is nothing to ask, and what a person sees to asks nobody too late."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app import clock
from app.db import observers, reading, transaction
from app.errors import ActionNotAllowed
from app.evaluation import receiving
from app.evaluation.return_calls import Finding, record_finding
from app.evaluation.terms import CallResult, ReplyEffect, Value
from app.matters import failed_texts
from app.texts import queue
from app.texts.inbound import InboundText
from tests.conftest import Staff
from tests.surveys.conftest import Asked, Village, new_phone, sent
from tests.surveys.test_corrections import on_the_page
from tests.surveys.test_numbers import official
from tests.surveys.test_opting_out import opts_out
from tests.surveys.test_sealed_calls import Who, who
from tests.surveys.test_surveys import answers, call_about, reply
from tests.surveys.test_turns import DAY, survey, swept
from tests.surveys.test_unread_replies import unclear

__all__ = ["who"]

_STATES = text("""
SELECT id, kind, state, why, expires_at FROM outbox_message
WHERE matter_id = :matter_id AND kind IN ('survey', 'survey_reminder') ORDER BY created_at, id
""")
_STUCK = text("""
UPDATE outbox_message SET state = 'needs_human', why = 'refused', settled_at = now() WHERE matter_id = :matter_id AND kind = :kind
""")
_QUEUED = text("""
UPDATE outbox_message SET state = 'queued', settled_at = NULL WHERE matter_id = :matter_id AND kind = 'survey'
""")
_LEASE = timedelta(seconds=30)


async def states(asked: Asked) -> list[tuple[str, str]]:
    async with reading() as tx:
        return [(row.kind, row.state) for row in await tx.all(_STATES, matter_id=asked.matter_id)]


async def would_be_sent(asked: Asked) -> list[str]:
    """Which of what asks about the case a worker would send now."""
    async with transaction() as tx:
        taken = [one.id for one in await queue.claim(tx, 10_000, lease=_LEASE)]
        rows = await tx.all(_STATES, matter_id=asked.matter_id)
        await tx.roll_back()
    return [row.kind for row in rows if row.id in taken]


async def stuck(asked: Asked, kind: str = "survey") -> Any:
    """The text needs a person."""
    async with transaction() as tx:
        await tx.execute(_STUCK, matter_id=asked.matter_id, kind=kind)
        rows = await tx.all(_STATES, matter_id=asked.matter_id)
    return next(row.id for row in rows if row.kind == kind)


@pytest.mark.parametrize("how", ["1", "不满意，水还是没有", "page", "TD", "out on the page"])
async def test_question_that_is_answered_or_not_wanted_is_not_sent(
    village: Village, how: str
) -> None:
    phone = new_phone()
    asked = await village.asked_soon(phone)
    assert await would_be_sent(asked) == ["survey"]
    if how == "page":
        await on_the_page(asked, Value.SATISFIED)
    elif how == "out on the page":
        await opts_out(asked, "page")
    else:
        await reply(phone, how)
    assert await would_be_sent(asked) == []
    assert await states(asked) == [("survey", "done")]


@pytest.mark.parametrize("how", ["1", "page", "TD"])
async def test_neither_is_a_reminder(village: Village, how: str) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    with clock.moved(3 * DAY + timedelta(minutes=1)):
        assert await swept(asked)
        assert await would_be_sent(asked) == ["survey_reminder"]
        if how == "page":
            await on_the_page(asked, Value.SATISFIED)
        else:
            await reply(phone, how)
        assert await would_be_sent(asked) == []
    assert await states(asked) == [("survey", "accepted"), ("survey_reminder", "done")]


async def test_neither_is_what_was_answered_in_a_call_or_read_by_a_person(
    village: Village, staff: Staff, who: Who
) -> None:
    phones, center = [new_phone(), new_phone()], await staff("zhihui")
    called, read = [await village.asked_soon(phone) for phone in phones]
    await opts_out(called, "text")
    async with transaction() as tx:
        await tx.execute(_QUEUED, matter_id=called.matter_id)
    call = await call_about(called, staff)
    assert call is not None
    async with transaction() as tx:
        finding = Finding(CallResult.EVALUATED, evaluation=Value.SATISFIED)
        await record_finding(tx, call.id, finding, by=center, now=await tx.now())
    address = await unclear(phones[1], "还可以")
    assert await would_be_sent(read) == ["survey"], "nobody knows yet what that was"
    await (await who("zhihui")).does(f"{address}/reading", reading="satisfied")
    assert (await would_be_sent(called), await would_be_sent(read)) == ([], [])


@pytest.mark.parametrize("words", ["谢谢", "怎么样说呢"])
async def test_whoever_has_not_answered_is_still_asked(village: Village, words: str) -> None:
    phone = new_phone()
    asked = await village.asked_soon(phone)
    await reply(phone, words)
    assert await would_be_sent(asked) == ["survey"]


async def test_one_answer_does_not_withdraw_another_question(village: Village) -> None:
    phone = new_phone()
    first, second = await village.asked(phone), await village.asked_beside(phone)
    async with transaction() as tx:
        for asked in (first, second):
            await tx.execute(_QUEUED, matter_id=asked.matter_id)
    await reply(phone, "1号满意")
    assert (await would_be_sent(first), await would_be_sent(second)) == ([], ["survey"])


async def test_what_a_worker_has_taken_up_is_its_own(village: Village) -> None:
    phone = new_phone()
    asked = await village.asked_soon(phone)
    async with transaction() as tx:
        while await queue.claim(tx, 500, lease=_LEASE):
            pass
        answering = asyncio.create_task(reply(phone, "1"))
        assert await asyncio.wait_for(answering, 5) is ReplyEffect.ANSWERED
    assert await states(asked) == [("survey", "sending")]
    other = await village.asked(new_phone())
    assert other.phone is not None
    await reply(other.phone, "1")
    assert await states(other) == [("survey", "accepted")]


async def test_withdrawing_costs_a_webhook_no_statement_more(village: Village) -> None:
    for words in ("1", "TD"):
        phone = new_phone()
        asked = await village.asked_soon(phone)
        told: list[str] = []
        observers.append(told.append)
        try:
            async with transaction() as tx:
                await receiving.receive(tx, [InboundText(f"SM{phone}", phone, words)])
        finally:
            observers.remove(told.append)
        # Three for the reply, one for the head of the log, one for the call that is owed.
        assert len([one for one in told if one not in ("BEGIN", "COMMIT")]) <= 5, told
        assert await states(asked) == [("survey", "done")]


async def test_who_was_settled_without_sending_was_not_asked_and_is_called(
    village: Village, staff: Staff
) -> None:
    asked, center = await village.asked(new_phone()), await staff("zhihui")
    message = await stuck(asked)
    async with transaction() as tx:
        now = await tx.now()
        await failed_texts.settle(tx, message, by=center, reason="号码是空号", now=now)
    with clock.moved(3 * DAY + timedelta(minutes=1)):
        assert await swept(asked)
    call = await call_about(asked, staff)
    assert call is not None
    assert (call.cause, await states(asked)) == ("undelivered", [("survey", "done")])


@pytest.mark.parametrize("kind", ["survey", "survey_reminder"])
async def test_question_sent_again_by_a_person_ends_with_its_window(
    village: Village, staff: Staff, kind: str
) -> None:
    asked, center = await village.asked(new_phone()), await staff("zhihui")
    with clock.moved(3 * DAY + timedelta(minutes=1)):
        assert await swept(asked)
    message = await stuck(asked, kind)
    ends_at = (await survey(asked)).window_ends_at
    with clock.moved(5 * DAY):
        async with transaction() as tx:
            now = await tx.now()
            again = await failed_texts.resend(tx, message, by=center, reason="再试", now=now)
        assert again.state == "queued"
    async with reading() as tx:
        found = {row.id: row for row in await tx.all(_STATES, matter_id=asked.matter_id)}
    assert found[message].expires_at == ends_at


@pytest.mark.parametrize("kind", ["survey", "survey_reminder"])
async def test_after_its_window_a_question_is_not_sent_again(
    village: Village, staff: Staff, kind: str
) -> None:
    asked, center = await village.asked(new_phone()), await staff("zhihui")
    with clock.moved(3 * DAY + timedelta(minutes=1)):
        assert await swept(asked)
    message = await stuck(asked, kind)
    async with transaction() as tx:
        left = (await survey(asked)).window_ends_at - await tx.now()
    for late, may in ((-timedelta(minutes=1), True), (timedelta(minutes=1), False)):
        with clock.moved(left + late):
            async with transaction() as tx:
                listed = await failed_texts.to_see_to(tx, by=center, after=None, most=10_000)
            assert [one.may_resend for one in listed if one.id == message] == [may]
    with clock.moved(left + timedelta(minutes=1)):
        async with transaction() as tx:
            now = await tx.now()
            with pytest.raises(ActionNotAllowed, match="评价的时间已过"):
                await failed_texts.resend(tx, message, by=center, reason="再试", now=now)
        async with transaction() as tx:
            now = await tx.now()
            done = await failed_texts.settle(tx, message, by=center, reason="已过期", now=now)
    assert done.state == "done"


async def test_what_does_not_count_leaves_the_question(village: Village, staff: Staff) -> None:
    phone = new_phone()
    asked = await village.asked_soon(phone)
    # Entered before the round was answered, but not called yet: as where the question was queued meanwhile.
    with clock.moved(-DAY):
        await official(phone, staff, account="guangshun")
    assert await reply(phone, "1") is ReplyEffect.DISCOUNTED
    assert await answers(asked) == []
    await sent(asked)
    assert await states(asked) == [("survey", "accepted")]
