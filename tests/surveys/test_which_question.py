"""Which of a person's questions a text answers: the one that was put by text, and none where it would be a guess."""

import pytest
from sqlalchemy import text

from app import clock
from app.auth.actor import CitizenActor
from app.db import reading, transaction
from app.evaluation.invitations import QUIET
from app.evaluation.terms import ReplyEffect, Value
from app.texts.outbox import open_params
from sms.texts import render
from tests.conftest import Staff
from tests.surveys.conftest import Asked, Village, new_phone, sent
from tests.surveys.test_corrections import kept, on_the_page
from tests.surveys.test_numbers import registered, reported_by_phone
from tests.surveys.test_sealed_calls import Who, who
from tests.surveys.test_surveys import answers, call_about, reply
from tests.surveys.test_turns import DAY, survey, swept, texts
from tests.surveys.test_unread_replies import unclear

__all__ = ["who"]

_BECAME = text(
    "UPDATE outbox_message SET state = :state, why = :why, settled_at = now() WHERE matter_id = :matter_id AND kind = 'survey'"
)
_STATE = text("SELECT state FROM outbox_message WHERE matter_id = :matter_id AND kind = 'survey'")
_WORDS = text("""
SELECT id, kind, params_sealed FROM outbox_message WHERE matter_id = :matter_id AND kind IN ('survey', 'survey_reminder') ORDER BY id
""")


async def became(asked: Asked, state: str, why: str | None = None) -> None:
    async with transaction() as tx:
        await tx.execute(_BECAME, matter_id=asked.matter_id, state=state, why=why)


async def words(asked: Asked) -> list[str]:
    """The texts as they are read."""
    async with reading() as tx:
        return [
            render(row.kind, open_params(row.id, row.params_sealed)).body
            for row in await tx.all(_WORDS, matter_id=asked.matter_id)
        ]


async def called_and_then_texted(village: Village, phone: str) -> tuple[Asked, Asked]:
    """Somebody is called about one case since the text did not arrive, and asked about another by text. On the fifth day."""
    called = await village.asked(phone)
    await became(called, "undelivered")
    with clock.moved(4 * DAY):
        assert await swept(called)
        return called, await village.asked(phone)


@pytest.mark.parametrize("became_known", ["undelivered", "delivered"])
async def test_who_is_called_about_one_case_answers_by_text_what_they_were_texted(
    village: Village, staff: Staff, became_known: str
) -> None:
    phone = new_phone()
    called, texted = await called_and_then_texted(village, phone)
    await became(called, became_known)
    with clock.moved(4 * DAY):
        assert await reply(phone, "不满意，路又坏了") is ReplyEffect.ANSWERED
    assert (await answers(called), await answers(texted)) == ([], [("dissatisfied", "text")])
    assert await call_about(called, staff) is not None


async def test_who_opted_out_and_back_in_answers_by_text_what_they_were_texted(
    village: Village,
) -> None:
    phone = new_phone()
    await village.asked(phone)
    await reply(phone, "1")
    await reply(phone, "TD")
    with clock.moved(2 * DAY):
        called = await village.asked(phone)
        await reply(phone, "HF")
        texted = await village.asked(phone)
        assert (await texts(called), await texts(texted)) == ([], ["survey"])
        assert await reply(phone, "3") is ReplyEffect.ANSWERED
    assert (await answers(called), await answers(texted)) == ([], [("dissatisfied", "text")])


async def test_what_owner_of_shared_number_answers_is_not_lost_to_another_persons_case(
    village: Village, staff: Staff, who: Who
) -> None:
    phone = new_phone()
    for name in ("甲", "王大爷", "张婶"):
        await registered(phone, name, who)
    typed = await village.asked(phone)
    me = CitizenActor(typed.citizen.citizen_id, (await staff("gongnong")).unit_id)
    own = await reported_by_phone(phone, staff, village, citizen=me)
    assert (await texts(typed), await texts(own)) == ([], ["survey"])
    assert await reply(phone, "3，还是不亮") is ReplyEffect.ANSWERED
    assert (await kept(typed), await kept(own)) == ([], [("dissatisfied", "text", None)])


async def test_text_that_was_not_sent_yet_is_not_what_a_reply_answers(village: Village) -> None:
    phone = new_phone()
    answered = await village.asked(phone)
    await reply(phone, "1")
    with clock.moved(QUIET * 2):
        waiting = await village.asked_soon(phone)
        assert await texts(waiting) == ["survey"]
        assert await reply(phone, "3") is ReplyEffect.CORRECTED
        await sent(waiting)
        assert await reply(phone, "2") is ReplyEffect.ANSWERED
    assert await answers(answered) == [("dissatisfied", "text")]
    assert await answers(waiting) == [("basically_satisfied", "text")]


async def test_late_words_about_what_is_over_do_not_answer_what_was_not_put_to_them_yet(
    village: Village,
) -> None:
    phone = new_phone()
    over = await village.asked(phone)
    with clock.moved(9 * DAY):
        next_ = await village.asked_soon(phone)
        await unclear(phone, "3")
        assert (await answers(over), await answers(next_)) == ([], [])
        async with reading() as tx:
            assert await tx.scalar(_STATE, matter_id=next_.matter_id) == "queued", (
                "it is still asked"
            )
        await sent(next_)
        assert await reply(phone, "2") is ReplyEffect.ANSWERED
    assert await answers(next_) == [("basically_satisfied", "text")]


async def test_what_was_answered_may_be_put_right_by_its_number_though_next_is_asked(
    village: Village,
) -> None:
    phone = new_phone()
    first = await village.asked(phone)
    await reply(phone, "1")
    with clock.moved(QUIET * 2):
        second = await village.asked(phone)
        assert "2号" not in (await words(second))[0], "what is open needs no number"
        assert await reply(phone, "1号不满意，水又停了") is ReplyEffect.CORRECTED
        assert await reply(phone, "满意") is ReplyEffect.ANSWERED
    assert await answers(first) == [("dissatisfied", "text")]
    assert await answers(second) == [("satisfied", "text")]
    with clock.moved(2 * DAY):
        assert (await survey(await village.asked(phone))).short_number == 1


@pytest.mark.parametrize(
    ("state", "why"),
    [("sending", None), ("unknown", None), ("delivered", None), ("needs_human", "never_known")],
)
async def test_what_may_have_arrived_was_put_by_text(
    village: Village, state: str, why: str | None
) -> None:
    phone = new_phone()
    await village.asked(phone)
    await reply(phone, "1")
    with clock.moved(QUIET * 2):
        texted = await village.asked_soon(phone)
        await became(texted, state, why)
        assert await reply(phone, "3") is ReplyEffect.ANSWERED
    assert await answers(texted) == [("dissatisfied", "text")]


async def test_who_is_only_called_may_still_answer_by_text(village: Village, staff: Staff) -> None:
    phone = new_phone()
    called = await village.asked(phone)
    await became(called, "undelivered")
    with clock.moved(4 * DAY):
        assert await swept(called)
        assert await reply(phone, "2") is ReplyEffect.ANSWERED
    assert await answers(called) == [("basically_satisfied", "text")]
    assert await call_about(called, staff) is None


async def test_what_could_not_be_read_leaves_question_one_that_was_put_by_text(
    who: Who, village: Village
) -> None:
    phone, center = new_phone(), await who("zhihui")
    before = await village.asked(phone)
    await reply(phone, "1")
    with clock.moved(QUIET * 2):
        asked = await village.asked(phone)
        await center.does(f"{await unclear(phone, '说不好')}/reading", reading="call_back")
        assert await reply(phone, "3") is ReplyEffect.ANSWERED
    assert (await answers(before), await answers(asked)) == (
        [("satisfied", "text")],
        [("dissatisfied", "text")],
    )


async def test_of_several_questions_none_is_guessed(who: Who, village: Village) -> None:
    phone, center = new_phone(), await who("zhihui")
    first, second = await village.asked(phone), await village.asked_beside(phone)
    address = await unclear(phone, "满意")
    assert (await answers(first), await answers(second)) == ([], [])
    detail = await center.sees(address)
    assert detail["about"] is None
    assert {one["ref"] for one in detail["may_answer"]} == {first.ref, second.ref}
    await center.does(f"{address}/reading", reading="satisfied", ref=second.ref)
    assert (await answers(first), await answers(second)) == ([], [("satisfied", "text")])
    assert await reply(phone, "满意") is ReplyEffect.ANSWERED, "one is left"


async def test_of_several_that_are_called_about_none_is_guessed(village: Village) -> None:
    phone = new_phone()
    await village.asked(phone)
    await reply(phone, "1")
    await reply(phone, "TD")
    with clock.moved(2 * DAY):
        called = [await village.asked(phone) for _ in range(2)]
        assert await reply(phone, "3") is ReplyEffect.UNCLEAR
        assert await reply(phone, "2号3") is ReplyEffect.ANSWERED
    assert [await answers(one) for one in called] == [[], [("dissatisfied", "text")]]


async def test_what_does_not_count_anyway_needs_nobody_to_read_it(
    village: Village, who: Who
) -> None:
    phone = new_phone()
    for name in ("甲", "王大爷", "张婶"):
        await registered(phone, name, who)
    typed = [await village.asked(phone) for _ in range(2)]
    assert await reply(phone, "1") is ReplyEffect.DISCOUNTED
    assert [await kept(one) for one in typed] == [[("satisfied", "text", "shared_number")], []]


async def test_number_is_told_where_another_question_has_one_too(village: Village) -> None:
    phone = new_phone()
    called, texted = await called_and_then_texted(village, phone)
    assert [(await survey(one)).short_number for one in (called, texted)] == [1, 2]
    assert "号（回复" not in (await words(called))[0]
    assert "“2号（回复请先写2号）：路灯不亮”" in (await words(texted))[0]
    with clock.moved(4 * DAY):
        assert await reply(phone, "1号满意") is ReplyEffect.ANSWERED
        assert await reply(phone, "2号3") is ReplyEffect.ANSWERED
    assert (await answers(called), await answers(texted)) == (
        [("satisfied", "text")],
        [("dissatisfied", "text")],
    )


async def test_reminder_says_the_number_again(village: Village) -> None:
    phone = new_phone()
    _, texted = await called_and_then_texted(village, phone)
    with clock.moved(7 * DAY + QUIET):
        assert await swept(texted)
    assert "“2号（回复请先写2号）：路灯不亮”" in (await words(texted))[1]


async def test_first_number_is_told_too_where_another_has_the_second(village: Village) -> None:
    phone = new_phone()
    first, second = await called_and_then_texted(village, phone)
    with clock.moved(4 * DAY):
        await reply(phone, "1号满意")
        await became(second, "failed")
    with clock.moved(8 * DAY):
        assert await swept(second)
        third = await village.asked(phone)
    assert await answers(first) == [("satisfied", "text")]
    assert "“1号（回复请先写1号）：路灯不亮”" in (await words(third))[0]


async def test_who_has_one_question_is_told_no_number(village: Village) -> None:
    phone = new_phone()
    first = await village.asked(phone)
    await reply(phone, "1")
    with clock.moved(QUIET * 2):
        second = await village.asked(phone)
    for asked in (first, second):
        assert "您反映的“路灯不亮”（编号" in (await words(asked))[0]


async def test_what_is_answered_on_page_before_its_turn_has_number_of_its_own(
    village: Village,
) -> None:
    phone = new_phone()
    first, second = await village.asked(phone), await village.asked(phone)
    await on_the_page(second, Value.SATISFIED)
    assert [(await survey(one)).short_number for one in (first, second)] == [1, 2]
    assert await reply(phone, "2号3") is ReplyEffect.CORRECTED
    assert (await answers(first), await answers(second)) == ([], [("dissatisfied", "text")])
