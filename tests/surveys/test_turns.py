"""One question at a time, one reminder, and who is called instead: what a person's phone gets, and when."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app import clock
from app.db import Transaction, observers, reading, transaction
from app.evaluation import invitations, privacy_role, receiving
from app.evaluation.invitations import QUIET
from app.evaluation.terms import ReplyEffect, Value
from app.settings import settings
from app.texts.inbound import InboundText
from app.texts.outbox import open_params
from sms.texts import render
from tests.conftest import Staff
from tests.surveys.conftest import Asked, Village, new_phone, sent
from tests.surveys.test_surveys import answers, call_about, reply

_SURVEY = text(
    "SELECT * FROM surveys.survey WHERE matter_id = :matter_id ORDER BY round DESC LIMIT 1"
)
_TEXTS = text("""
SELECT id, kind, params_sealed, expires_at FROM outbox_message
WHERE matter_id = :matter_id AND kind IN ('survey', 'survey_reminder') ORDER BY created_at, id
""")
_CLOSE_AT = text("SELECT close_at FROM grievance WHERE id = :matter_id")
_UNDELIVERED = text("""
UPDATE outbox_message SET state = 'undelivered', settled_at = now() WHERE matter_id = :matter_id AND kind = 'survey'
""")
DAY = timedelta(days=1)


async def survey(asked: Asked) -> Any:
    async with reading() as tx:
        await privacy_role.enter(tx)
        return (await tx.all(_SURVEY, matter_id=asked.matter_id))[0]


async def texts(asked: Asked) -> list[str]:
    async with reading() as tx:
        return [row.kind for row in await tx.all(_TEXTS, matter_id=asked.matter_id)]


async def swept(asked: Asked) -> bool:
    """Whether the sweep found something to do about it, as the deadlines worker does."""
    found = await survey(asked)
    async with transaction() as tx:
        due = await invitations.due(tx, after=(found.created_at - 365 * DAY, found.id), most=10_000)
    if found.id not in {id_ for _, id_ in due}:
        return False
    async with transaction() as tx:
        done = await invitations.see_to(tx, found.id)
    await sent(asked)
    return done


async def test_second_question_waits_until_the_first_is_answered(village: Village) -> None:
    phone = new_phone()
    first, second = await village.asked(phone), await village.asked(phone)
    assert (await texts(first), await texts(second)) == (["survey"], [])
    assert (await survey(second)).window_ends_at is None
    assert not await swept(second)

    assert await reply(phone, "满意") is ReplyEffect.ANSWERED
    assert await texts(second) == [], "a repeated answer must not be taken for the next question's"
    assert await reply(phone, "满意") is ReplyEffect.REPEATED
    with clock.moved(QUIET + timedelta(minutes=1)):
        assert await swept(second)
        found = await survey(second)
        assert found.window_ends_at - found.asked_at >= 7 * DAY, "its window is its own"
        assert await texts(second) == ["survey"]
        assert await reply(phone, "3") is ReplyEffect.ANSWERED
    assert await answers(first) == [("satisfied", "text")]
    assert await answers(second) == [("dissatisfied", "text")]


async def test_second_question_comes_when_the_first_was_never_answered(
    village: Village,
) -> None:
    phone = new_phone()
    first, second = await village.asked(phone), await village.asked(phone)
    ends_at = (await survey(first)).window_ends_at
    async with transaction() as tx:
        left = ends_at - await tx.now()
    with clock.moved(left - timedelta(minutes=1)):
        assert not await swept(second)
    with clock.moved(left + QUIET + timedelta(minutes=1)):
        assert await swept(second)
        assert await texts(second) == ["survey"]
        assert not await swept(second), "once"


async def test_of_those_that_wait_the_oldest_comes_first(village: Village) -> None:
    phone = new_phone()
    first, second, third = [await village.asked(phone) for _ in range(3)]
    await reply(phone, "1")
    with clock.moved(QUIET + timedelta(minutes=1)):
        await swept(third)
        assert await texts(third) == []
        await swept(second)
        assert (await texts(second), await texts(third)) == (["survey"], [])
        await swept(third)
        assert await texts(third) == [], "the second is open now"
    assert await answers(first) == [("satisfied", "text")]


async def test_where_two_are_due_at_once_the_older_goes_first(village: Village) -> None:
    phone = new_phone()
    first, second, third = [await village.asked(phone) for _ in range(3)]
    ends_at = (await survey(first)).window_ends_at
    async with transaction() as tx:
        left = ends_at - await tx.now()
    with clock.moved(left + QUIET * 2):
        assert await swept(third)
        assert await texts(third) == []
        assert await swept(second)
        assert (await texts(second), await texts(third)) == (["survey"], [])


async def test_question_owed_right_after_an_answer_waits_too(village: Village) -> None:
    phone = new_phone()
    await village.asked(phone)
    await reply(phone, "1")
    owed = await village.asked(phone)
    assert await texts(owed) == []
    assert await reply(phone, "1") is ReplyEffect.REPEATED
    with clock.moved(QUIET * 2 + timedelta(minutes=1)):
        await swept(owed)
        assert await texts(owed) == ["survey"]


async def test_page_need_not_wait_and_what_was_answered_there_is_never_texted(
    village: Village,
) -> None:
    phone = new_phone()
    await village.asked(phone)
    second = await village.asked(phone)
    async with transaction() as tx:
        await receiving.evaluate(
            tx, second.ref, by=second.citizen, value=Value.SATISFIED, remark="", now=await tx.now()
        )
    assert await answers(second) == [("satisfied", "page")]
    with clock.moved(20 * DAY):
        await swept(second)
    assert await texts(second) == []


async def test_when_a_case_is_archived_does_not_tell_when_its_person_was_asked(
    village: Village,
) -> None:
    phone = new_phone()
    await village.asked(phone)
    second = await village.asked(phone)
    async with reading() as tx:
        before = await tx.scalar(_CLOSE_AT, matter_id=second.matter_id)
    await reply(phone, "1")
    with clock.moved(QUIET + timedelta(minutes=1)):
        await swept(second)
    async with reading() as tx:
        assert await tx.scalar(_CLOSE_AT, matter_id=second.matter_id) == before


async def test_who_does_not_answer_is_reminded_once_on_the_third_day(village: Village) -> None:
    asked = await village.asked(new_phone())
    with clock.moved(3 * DAY - timedelta(minutes=1)):
        assert not await swept(asked)
    with clock.moved(3 * DAY + timedelta(minutes=1)):
        assert await swept(asked)
        assert not await swept(asked)
    with clock.moved(5 * DAY):
        assert not await swept(asked)
    assert await texts(asked) == ["survey", "survey_reminder"]
    async with reading() as tx:
        sent = (await tx.all(_TEXTS, matter_id=asked.matter_id))[-1]
    assert sent.expires_at <= (await survey(asked)).window_ends_at
    assert asked.ref in render(sent.kind, open_params(sent.id, sent.params_sealed)).body


async def test_no_reminder_goes_to_who_answered_or_opted_out_or_after_the_window(
    village: Village,
) -> None:
    phones = [new_phone() for _ in range(3)]
    answered, out, late = [await village.asked(phone) for phone in phones]
    await reply(phones[0], "2")
    assert await reply(phones[1], "退订") is ReplyEffect.OPTED_OUT
    with clock.moved(4 * DAY):
        for asked in (answered, out):
            assert await swept(asked)
    with clock.moved(9 * DAY):
        assert await swept(late)
    for asked in (answered, out, late):
        assert await texts(asked) == ["survey"]
        assert (await survey(asked)).next_at is None


@pytest.fixture
def no_reminders(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SURVEY_REMIND_AFTER_DAYS", "0")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.usefixtures("no_reminders")
async def test_county_may_do_without_reminders(village: Village) -> None:
    asked = await village.asked(new_phone())
    with clock.moved(4 * DAY):
        assert await swept(asked)
    assert await texts(asked) == ["survey"]


async def test_who_opted_out_is_called_and_asked_by_text_again_once_back(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    await village.asked(phone)
    await reply(phone, "1")
    assert await reply(phone, "t d") is ReplyEffect.OPTED_OUT
    with clock.moved(DAY):
        called = await village.asked(phone)
        call = await call_about(called, staff)
        assert call is not None
        assert (call.cause, await texts(called)) == ("opted_out", [])
        assert await reply(phone, "HF") is ReplyEffect.OPTED_IN
        assert await texts(await village.asked(phone)) == ["survey"]


async def test_answer_that_ends_with_td_counts_and_opts_out(village: Village, staff: Staff) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    assert await reply(phone, "1，谢谢 TD") is ReplyEffect.ANSWERED
    assert await answers(asked) == [("satisfied", "text")]
    with clock.moved(DAY):
        call = await call_about(await village.asked(phone), staff)
    assert call is not None
    assert call.cause == "opted_out"


async def test_restored_may_be_news_of_the_water_where_nobody_had_opted_out(
    village: Village,
) -> None:
    phone = new_phone()
    await village.asked(phone)
    assert await reply(phone, "恢复") is ReplyEffect.UNCLEAR


async def test_whose_text_did_not_arrive_is_called(village: Village, staff: Staff) -> None:
    asked = await village.asked(new_phone())
    async with transaction() as tx:
        await tx.execute(_UNDELIVERED, matter_id=asked.matter_id)
    with clock.moved(4 * DAY):
        assert await swept(asked)
    call = await call_about(asked, staff)
    assert call is not None
    assert (call.cause, await texts(asked)) == ("undelivered", ["survey"])


async def test_taking_a_text_costs_few_statements(village: Village) -> None:
    phone = new_phone()
    await village.asked(phone)
    await village.asked(phone)
    for words in ("不满意，水还是没有", "满意", "谢谢", "1 TD"):
        sent: list[str] = []
        observers.append(sent.append)
        try:
            await reply(phone, words)
        finally:
            observers.remove(sent.append)
        # Three for the text, one for the head of the log, one for the call that is owed.
        assert 0 < len(sent) <= 5, (words, sent)


async def test_answer_and_the_next_turn_cannot_pass_each_other(
    village: Village, tx: Transaction
) -> None:
    """While an answer is being taken, the turn of the next question is not decided."""
    phone = new_phone()
    first, second = await village.asked(phone), await village.asked(phone)
    ends_at = (await survey(first)).window_ends_at
    left = ends_at - await tx.now()
    with clock.moved(left + QUIET * 2):
        await receiving.receive(tx, [InboundText(f"SM{phone}", phone, "1")], now=ends_at)
        async with transaction() as other:
            await other.execute(text("SET LOCAL lock_timeout = '100ms'"))
            with pytest.raises(Exception, match="lock timeout"):
                await invitations.see_to(other, (await survey(second)).id)
            await other.roll_back()
