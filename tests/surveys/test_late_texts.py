"""Texts that a provider hands in late, and says when they were sent: each counts as of then, and none undoes a newer one."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from app import clock
from app.db import transaction
from app.evaluation import receiving
from app.evaluation.invitations import QUIET
from app.evaluation.terms import ReplyEffect, Value
from app.texts.inbound import InboundText
from tests.conftest import Staff
from tests.surveys.conftest import Village, new_phone
from tests.surveys.test_corrections import kept, on_the_page
from tests.surveys.test_sealed_calls import Who, who
from tests.surveys.test_surveys import answers, call_about, reply
from tests.surveys.test_turns import DAY, survey, texts

__all__ = ["who"]

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


async def now() -> datetime:
    async with transaction() as tx:
        return await tx.now()


async def handed_in(phone: str, words: str, *, sent_at: datetime) -> ReplyEffect | None:
    async with transaction() as tx:
        given = InboundText(f"aliyun-{uuid4().hex}", phone, words, sent_at)
        [effect] = await receiving.receive(tx, [given])
        return effect


async def test_what_was_said_before_is_kept_beside_what_counts_and_calls_all_same(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    with clock.moved(HOUR):
        at = await now()
    with clock.moved(HOUR + MINUTE):
        assert await reply(phone, "1") is ReplyEffect.ANSWERED
    with clock.moved(2 * HOUR):
        assert await handed_in(phone, "3", sent_at=at) is ReplyEffect.DISCOUNTED
        assert await handed_in(phone, "1", sent_at=at) is ReplyEffect.REPEATED
    assert await kept(asked) == [
        ("dissatisfied", "text", "corrected"),
        ("satisfied", "text", None),
    ]
    call = await call_about(asked, staff)
    assert call is not None, "who was dissatisfied is called, also when it is put right"
    assert (call.cause, call.value, call.first_value) == (
        "dissatisfied",
        "satisfied",
        "dissatisfied",
    )


async def test_neither_does_it_undo_what_was_put_right_or_answered_on_the_page(
    village: Village,
) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    await reply(phone, "1")
    with clock.moved(HOUR):
        at = await now()
    with clock.moved(2 * HOUR):
        assert await on_the_page(asked, Value.DISSATISFIED) is ReplyEffect.CORRECTED
    with clock.moved(3 * HOUR):
        assert await handed_in(phone, "2", sent_at=at) is ReplyEffect.DISCOUNTED
    assert await answers(asked) == [("dissatisfied", "page")]


async def test_it_is_about_what_was_asked_then_though_that_is_called_about_since(
    village: Village,
) -> None:
    phone = new_phone()
    before = await village.asked(phone)
    await reply(phone, "1")
    with clock.moved(QUIET * 2):
        asked = await village.asked(phone)
        at = await now()
        assert await reply(phone, "不满意，没修") is ReplyEffect.ANSWERED
        assert await handed_in(phone, "2", sent_at=at) is ReplyEffect.DISCOUNTED
    assert await answers(before) == [("satisfied", "text")]
    assert await answers(asked) == [("dissatisfied", "text")]


async def test_who_opted_out_before_an_answer_that_came_first_is_not_called(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    with clock.moved(HOUR):
        at = await now()
    with clock.moved(2 * HOUR):
        await reply(phone, "1")
        assert await handed_in(phone, "TD", sent_at=at) is ReplyEffect.OPTED_OUT
    assert await call_about(asked, staff) is None


async def test_what_was_said_later_puts_right_as_ever(village: Village) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    await reply(phone, "1")
    with clock.moved(HOUR):
        at = await now()
    with clock.moved(2 * HOUR):
        assert await handed_in(phone, "3", sent_at=at) is ReplyEffect.CORRECTED
    assert await answers(asked) == [("dissatisfied", "text")]


async def test_what_was_said_in_window_counts_though_it_is_handed_in_after_it(
    village: Village,
) -> None:
    phones = [new_phone(), new_phone()]
    asked = [await village.asked(phone) for phone in phones]
    left = (await survey(asked[0])).window_ends_at - await now()
    said = []
    for late in (-MINUTE, MINUTE):
        with clock.moved(left + late):
            said.append(await now())
    with clock.moved(left + HOUR):
        assert await handed_in(phones[0], "3", sent_at=said[0]) is ReplyEffect.ANSWERED
        assert await handed_in(phones[1], "3", sent_at=said[1]) is ReplyEffect.NOT_ASKED
    assert [await answers(one) for one in asked] == [[("dissatisfied", "text")], []]


async def test_day_to_put_right_is_a_day_between_what_was_said(village: Village) -> None:
    phones = [new_phone(), new_phone()]
    asked = [await village.asked(phone) for phone in phones]
    for phone in phones:
        await reply(phone, "1")
    with clock.moved(23 * HOUR):
        in_time = await now()
    with clock.moved(25 * HOUR):
        too_late = await now()
    with clock.moved(26 * HOUR):
        assert await handed_in(phones[0], "3", sent_at=in_time) is ReplyEffect.CORRECTED
        assert await handed_in(phones[1], "3", sent_at=too_late) is ReplyEffect.NOT_ASKED
    assert [(await answers(one))[0][0] for one in asked] == ["dissatisfied", "satisfied"]


async def test_question_is_not_answered_by_what_was_said_before_it_was_asked(
    village: Village,
) -> None:
    phone = new_phone()
    before = await village.asked(phone)
    await reply(phone, "1")
    with clock.moved(QUIET):
        at = await now()
    with clock.moved(QUIET * 2):
        asked = await village.asked(phone)
        assert await texts(asked) == ["survey"]
        assert await handed_in(phone, "3", sent_at=at) is ReplyEffect.CORRECTED
    assert (await answers(before), await answers(asked)) == ([("dissatisfied", "text")], [])


@pytest.mark.parametrize("off", [timedelta(days=400), timedelta(days=4), -HOUR, -4000 * DAY])
async def test_moment_that_cannot_be_is_not_believed(village: Village, off: timedelta) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    with clock.moved(5 * DAY):
        sent_at = await now() - off
        assert await handed_in(phone, "3", sent_at=sent_at) is ReplyEffect.ANSWERED
        assert await reply(phone, "1") is ReplyEffect.CORRECTED
    assert await answers(asked) == [("satisfied", "text")]


async def test_who_opted_out_and_back_in_stays_in_whenever_it_is_handed_in(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    first = await village.asked(phone)
    await reply(phone, "1")
    with clock.moved(HOUR):
        at = await now()
        await reply(phone, "TD")
    with clock.moved(2 * HOUR):
        assert await reply(phone, "HF") is ReplyEffect.OPTED_IN
        assert await handed_in(phone, "退订", sent_at=at + MINUTE) is ReplyEffect.OPTED_IN
        assert await texts(await village.asked(phone)) == ["survey"]
    with clock.moved(3 * HOUR):
        assert await reply(phone, "TD") is ReplyEffect.OPTED_OUT
        assert await handed_in(phone, "恢复", sent_at=at) is ReplyEffect.OPTED_OUT
    with clock.moved(2 * DAY):
        assert await texts(await village.asked(phone)) == []
    assert await call_about(first, staff) is None


async def test_list_of_what_is_to_be_read_says_when_it_was_sent(village: Village, who: Who) -> None:
    phone, center = new_phone(), await who("zhihui")
    await village.asked(phone)
    with clock.moved(HOUR):
        at = await now()
    with clock.moved(2 * HOUR):
        async with transaction() as tx:
            given = InboundText(f"aliyun-{phone}", phone, "说不好", at)
            await receiving.receive(tx, [given])
        detail = await center.sees(f"/unread-replies/aliyun-{phone}")
    assert datetime.fromisoformat(detail["received_at"]) == at
