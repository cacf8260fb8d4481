"""Asking, answering and calling back, against a real database."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from app import clock
from app.db import transaction
from app.directory.terms import Role
from app.errors import ActionNotAllowed, InvalidInput, NotFound, NotPermitted
from app.evaluation import invitations, privacy_role, receiving, return_calls
from app.evaluation.return_calls import CallToMake, Finding
from app.evaluation.terms import CallResult, ReplyEffect, Value
from app.texts.inbound import InboundText
from tests.conftest import Staff
from tests.surveys.conftest import Asked, Village, new_phone

_VISIBLE = text("""
SELECT to_jsonb(g) AS case_row, g.xmin::text, (SELECT jsonb_agg(e ORDER BY seq) FROM record_entry e WHERE e.matter_id = g.id) AS events,
  (SELECT jsonb_agg(o ORDER BY id) FROM outbox_message o WHERE o.matter_id = g.id) AS messages
FROM grievance g WHERE g.id = :matter_id
""")
_ANSWERS = text("""
SELECT a.value, a.channel FROM surveys.answer a JOIN surveys.survey s ON s.id = a.survey_id WHERE s.matter_id = :matter_id AND a.discounted IS NULL
""")
_SURVEYS = text("SELECT * FROM surveys.survey WHERE matter_id = :matter_id")
_TEXTS = text(
    "SELECT count(*) FROM outbox_message WHERE matter_id = :matter_id AND kind = 'survey'"
)


async def reply(phone: str, words: str, *, delivery: str | None = None) -> ReplyEffect | None:
    async with transaction() as tx:
        given = InboundText(delivery or f"SM{uuid4().hex}", phone, words)
        [effect] = await receiving.receive(tx, [given])
        return effect


async def answers(asked: Asked) -> list[tuple[str, str]]:
    async with transaction() as tx:
        await privacy_role.enter(tx)
        return [
            (row.value, row.channel) for row in await tx.all(_ANSWERS, matter_id=asked.matter_id)
        ]


async def visible(asked: Asked) -> Any:
    async with transaction() as tx:
        return tuple((await tx.all(_VISIBLE, matter_id=asked.matter_id))[0])


async def call_about(asked: Asked, staff: Staff) -> CallToMake | None:
    center = await staff("zhihui")
    async with transaction() as tx:
        listed = await return_calls.open_calls(tx, by=center, after=None, most=1000)
    return next((call for call in listed if call.ref == asked.ref), None)


async def called(call: CallToMake, finding: Finding, staff: Staff) -> CallToMake:
    """The command center's dispatcher has called, and this came of it."""
    center = await staff("zhihui")
    async with transaction() as tx:
        return await return_calls.record_finding(
            tx, call.id, finding, by=center, now=await tx.now()
        )


async def test_person_helped_is_asked_once_even_when_two_workers_are_at_it(
    village: Village,
) -> None:
    owed = await village.answered(new_phone())

    async def ask() -> bool:
        async with transaction() as tx:
            return await invitations.ask(tx, owed.owed[0])

    done = await asyncio.gather(*(ask() for _ in range(6)))
    assert sorted(done) == [False] * 5 + [True]
    async with transaction() as tx:
        await privacy_role.enter(tx)
        assert len(await tx.all(_SURVEYS, matter_id=owed.matter_id)) == 1
        assert await tx.scalar(_TEXTS, matter_id=owed.matter_id) == 1


async def test_who_cannot_be_texted_is_called(village: Village, staff: Staff) -> None:
    asked = await village.asked(None)
    call = await call_about(asked, staff)
    assert call is not None
    assert call.cause == "no_number"
    async with transaction() as tx:
        assert await tx.scalar(_TEXTS, matter_id=asked.matter_id) == 0


async def test_reply_changes_nothing_that_a_handler_could_see(village: Village) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    before = await visible(asked)
    assert await reply(phone, "不满意，水还是没有") is ReplyEffect.ANSWERED
    assert await visible(asked) == before
    assert await answers(asked) == [("dissatisfied", "text")]


async def test_same_delivery_many_times_at_once_has_one_effect(village: Village) -> None:
    phone = new_phone()
    asked, other = await village.asked(phone), await village.asked_beside(phone)
    effects = await asyncio.gather(*(reply(phone, "1号3", delivery=f"SM{phone}") for _ in range(8)))
    assert sorted(effects, key=str) == [None] * 7 + [ReplyEffect.ANSWERED]
    assert await answers(asked) == [("dissatisfied", "text")]
    assert await answers(other) == []


async def test_replies_handed_in_together_each_answer_their_own_survey(village: Village) -> None:
    phones = [new_phone() for _ in range(4)]
    asked = [await village.asked(phone) for phone in phones[:3]]
    words = ["1", "不满意，水还是没有", "谢谢", "2"]
    together = [
        InboundText(f"SM{phone}", phone, said) for phone, said in zip(phones, words, strict=True)
    ]
    async with transaction() as tx:
        effects = await receiving.receive(tx, together)
    assert effects == [
        ReplyEffect.ANSWERED,
        ReplyEffect.ANSWERED,
        ReplyEffect.THANKS,
        ReplyEffect.NOT_ASKED,
    ]
    assert [await answers(one) for one in asked] == [
        [("satisfied", "text")],
        [("dissatisfied", "text")],
        [],
    ]
    async with transaction() as tx:
        assert await receiving.receive(tx, [*reversed(together)]) == [None] * 4


async def test_different_replies_at_once_each_answer_one_survey(village: Village) -> None:
    phone = new_phone()
    asked = [await village.asked_beside(phone) for _ in range(3)]
    words = ("1号1", "2号2", "3号3")
    effects = await asyncio.gather(*(reply(phone, said) for said in words))
    assert effects == [ReplyEffect.ANSWERED] * 3
    assert [len(await answers(one)) for one in asked] == [1, 1, 1]


async def test_short_number_answers_the_survey_it_names(village: Village) -> None:
    phone = new_phone()
    first, second = await village.asked(phone), await village.asked_beside(phone)
    assert await reply(phone, "9号满意") is ReplyEffect.NOT_ASKED
    await reply(phone, "2号满意")
    assert (await answers(first), await answers(second)) == ([], [("satisfied", "text")])


async def test_first_clear_answer_counts(village: Village) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    assert await reply(phone, "谢谢") is ReplyEffect.THANKS
    assert await reply(phone, "怎么样说呢") is ReplyEffect.UNCLEAR
    assert await reply(phone, "基本满意") is ReplyEffect.ANSWERED
    with clock.moved(timedelta(hours=25)):
        assert await reply(phone, "不满意") is ReplyEffect.NOT_ASKED
    assert await answers(asked) == [("basically_satisfied", "text")]


async def test_stranger_and_a_late_reply_answer_nothing(village: Village) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    assert await reply(new_phone(), "1") is ReplyEffect.NOT_ASKED
    with clock.moved(timedelta(days=8)):
        assert await reply(phone, "1") is ReplyEffect.NOT_ASKED
    assert await answers(asked) == []


async def test_answer_on_the_page_counts_like_one_by_text(village: Village, staff: Staff) -> None:
    asked = await village.asked(new_phone())
    before = await visible(asked)
    for hours, expected in ((0, None), (25, ActionNotAllowed)):
        with clock.moved(timedelta(hours=hours)):
            async with transaction() as tx:
                doing = receiving.evaluate(
                    tx,
                    asked.ref,
                    by=asked.citizen,
                    value=Value.DISSATISFIED,
                    remark="没修好",
                    now=await tx.now(),
                )
                if expected:
                    with pytest.raises(expected):
                        await doing
                else:
                    await doing
    assert await visible(asked) == before
    call = await call_about(asked, staff)
    assert call is not None
    assert (call.cause, call.remark, call.phone) == ("dissatisfied", "没修好", asked.phone)


async def test_only_the_person_helped_evaluates(village: Village, staff: Staff) -> None:
    asked, other = await village.asked(new_phone()), await village.asked(new_phone())
    for by, refusal in ((await staff("gongnong"), NotPermitted), (other.citizen, NotFound)):
        async with transaction() as tx:
            with pytest.raises(refusal):
                await receiving.evaluate(
                    tx, asked.ref, by=by, value=Value.SATISFIED, remark="", now=await tx.now()
                )
    assert await answers(asked) == []


async def test_only_dissatisfied_are_on_list_and_only_for_command_center(
    village: Village, staff: Staff
) -> None:
    phones = [new_phone(), new_phone()]
    unhappy, happy = [await village.asked(phone) for phone in phones]
    await reply(phones[0], "不满意")
    await reply(phones[1], "满意")
    assert await call_about(unhappy, staff) is not None
    assert await call_about(happy, staff) is None
    for account in ("gongnong", "guangshun", "ronglong"):
        async with transaction() as tx:
            with pytest.raises(NotPermitted):
                await return_calls.open_calls(tx, by=await staff(account), after=None, most=10)


async def test_rework_needs_a_call_that_found_it_valid_with_the_citizens_consent(
    village: Village, staff: Staff
) -> None:
    phone, center = new_phone(), await staff("zhihui")
    asked = await village.asked(phone)
    await reply(phone, "不满意")
    call = await call_about(asked, staff)
    assert call is not None

    async def rework() -> int:
        async with transaction() as tx:
            return (
                await return_calls.rework(
                    tx, asked.ref, by=center, reason="回访属实", now=await tx.now()
                )
            ).case.round

    async def record(finding: Finding) -> CallToMake:
        return await called(call, finding, staff)

    with pytest.raises(ActionNotAllowed):
        await rework()
    assert (await record(Finding(CallResult.NOT_REACHED))).state == "open"
    with pytest.raises(InvalidInput):
        await record(Finding(CallResult.UNREASONABLE, consent=True))
    with pytest.raises(InvalidInput):
        await record(Finding(CallResult.EVALUATED, evaluation=Value.SATISFIED))
    with pytest.raises(ActionNotAllowed):
        await rework()
    done = await record(Finding(CallResult.VALID, consent=True, note="水压仍不足"))
    assert (done.state, done.tries, done.note) == ("done", 2, "水压仍不足")
    with pytest.raises(ActionNotAllowed):
        await record(Finding(CallResult.UNREASONABLE))
    assert await rework() == 2
    with pytest.raises(ActionNotAllowed):
        await rework()


async def test_without_consent_there_is_no_rework(village: Village, staff: Staff) -> None:
    phone, center = new_phone(), await staff("zhihui")
    asked = await village.asked(phone)
    await reply(phone, "3")
    call = await call_about(asked, staff)
    assert call is not None
    await called(call, Finding(CallResult.VALID, consent=False), staff)
    async with transaction() as tx:
        with pytest.raises(ActionNotAllowed):
            await return_calls.rework(tx, asked.ref, by=center, reason="属实", now=await tx.now())


async def test_person_without_a_number_evaluates_in_the_call(
    village: Village, staff: Staff
) -> None:
    asked, center = await village.asked(None), await staff("zhihui")
    assert center.role is Role.DISPATCHER
    call = await call_about(asked, staff)
    assert call is not None
    async with transaction() as tx:
        await return_calls.record_finding(
            tx,
            call.id,
            Finding(CallResult.EVALUATED, evaluation=Value.BASICALLY_SATISFIED),
            by=center,
            now=await tx.now(),
        )
    assert await answers(asked) == [("basically_satisfied", "return_call")]
    assert await call_about(asked, staff) is None
