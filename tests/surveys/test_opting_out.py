"""Who opts out while a question is open is asked no more by text, and is called instead, however they opted out."""

import pytest
from sqlalchemy import text

from app import clock
from app.db import transaction
from app.evaluation import receiving
from app.evaluation.invitations import QUIET
from app.evaluation.terms import ReplyEffect
from tests.conftest import Staff
from tests.surveys.conftest import Asked, Village, new_phone
from tests.surveys.test_corrections import kept
from tests.surveys.test_numbers import official, reported_by_phone
from tests.surveys.test_surveys import answers, call_about, reply
from tests.surveys.test_turns import DAY, survey, swept, texts

_OUT_UNNOTICED = text("""
INSERT INTO surveys.opt_out (phone_key, out_at) SELECT phone_key, now() FROM citizen WHERE id = :citizen_id
""")


async def opts_out(asked: Asked, how: str) -> None:
    if how == "text":
        assert asked.phone is not None
        assert await reply(asked.phone, "TD") is ReplyEffect.OPTED_OUT
        return
    async with transaction() as tx:
        now = await tx.now()
        await receiving.choose_texts(tx, by=asked.citizen, wanted=False, now=now)


@pytest.mark.parametrize("how", ["text", "page"])
async def test_who_opts_out_is_called_about_what_was_still_to_be_answered(
    village: Village, staff: Staff, how: str
) -> None:
    asked = await village.asked(new_phone())
    await opts_out(asked, how)
    call = await call_about(asked, staff)
    assert call is not None
    assert call.cause == "opted_out"
    await opts_out(asked, how)
    with clock.moved(4 * DAY):
        assert await swept(asked)
    assert await texts(asked) == ["survey"]


async def test_who_answered_before_opting_out_is_not_called(village: Village, staff: Staff) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    await reply(phone, "1")
    await reply(phone, "TD")
    assert await call_about(asked, staff) is None


async def test_who_opts_out_with_answer_is_called_about_other_question_alone(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    other = await village.asked(phone)
    answered = await village.asked_beside(phone)
    number = (await survey(answered)).short_number
    assert await reply(phone, f"{number}号 1，谢谢 TD") is ReplyEffect.ANSWERED
    assert await answers(answered) == [("satisfied", "text")]
    assert await call_about(answered, staff) is None
    call = await call_about(other, staff)
    assert call is not None
    assert (call.cause, await answers(other)) == ("opted_out", [])


async def test_what_is_not_asked_yet_is_asked_by_a_call_when_its_turn_comes(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    await village.asked(phone)
    waiting = await village.asked(phone)
    await reply(phone, "TD")
    assert await call_about(waiting, staff) is None
    with clock.moved(9 * DAY):
        assert await swept(waiting)
    call = await call_about(waiting, staff)
    assert call is not None
    assert (call.cause, await texts(waiting)) == ("opted_out", [])


async def test_who_thinks_better_of_it_answers_next_question_and_not_one_called_about(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    called = await village.asked(phone)
    await reply(phone, "TD")
    assert await reply(phone, "HF") is ReplyEffect.OPTED_IN
    assert await call_about(called, staff) is not None, "what is owed stays owed"
    with clock.moved(DAY):
        texted = await village.asked(phone)
        assert await texts(texted) == ["survey"]
        assert await reply(phone, "3") is ReplyEffect.ANSWERED
    assert (await answers(called), await answers(texted)) == ([], [("dissatisfied", "text")])


async def test_who_opts_out_and_answers_all_the_same_is_not_called(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    await reply(phone, "TD")
    assert await reply(phone, "2") is ReplyEffect.ANSWERED
    assert await answers(asked) == [("basically_satisfied", "text")]
    assert await call_about(asked, staff) is None


async def test_opting_out_that_led_to_no_call_is_noticed_when_a_reminder_is_due(
    village: Village, staff: Staff
) -> None:
    asked = await village.asked(new_phone())
    async with transaction() as tx:
        await tx.act_as("qungong_surveys")
        await tx.execute(_OUT_UNNOTICED, citizen_id=asked.citizen.citizen_id)
    with clock.moved(3 * DAY + QUIET):
        assert await swept(asked)
    call = await call_about(asked, staff)
    assert call is not None
    assert (call.cause, await texts(asked)) == ("opted_out", ["survey"])


async def test_number_of_staff_is_called_for_what_it_is_when_it_opts_out(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    with clock.moved(-DAY):
        await official(phone, staff, account="guangshun")
    await reply(phone, "TD")
    call = await call_about(asked, staff)
    assert call is not None
    assert call.cause == "unit_number"


async def test_number_listed_as_the_handlers_is_called_when_it_opts_out(
    village: Village, staff: Staff
) -> None:
    """It may have been listed to silence a resident."""
    phone = new_phone()
    asked = await reported_by_phone(phone, staff, village)
    with clock.moved(-DAY):
        await official(phone, staff, account="gongnong")
    await reply(phone, "TD")
    call = await call_about(asked, staff)
    assert call is not None
    assert call.cause == "own_case"
    assert await kept(asked) == []
