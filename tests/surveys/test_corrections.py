"""For a day people may put right what they said: the last counts, the first is kept, and a call owed stays owed."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app import clock
from app.db import reading, transaction
from app.evaluation import manual_review, privacy_role, receiving, return_calls
from app.evaluation.return_calls import Finding
from app.evaluation.terms import CallResult, HandReading, ReplyEffect, Value
from tests.conftest import Staff
from tests.surveys.conftest import Asked, Village, new_phone
from tests.surveys.test_sealed_calls import Who, who
from tests.surveys.test_surveys import answers, call_about, called, reply, visible
from tests.surveys.test_unread_replies import unclear

__all__ = ["who"]

_ALL = text("""
SELECT a.value, a.channel, a.discounted, a.answered_at FROM surveys.answer a JOIN surveys.survey s ON s.id = a.survey_id
WHERE s.matter_id = :matter_id ORDER BY a.answered_at
""")


async def kept(asked: Asked) -> list[tuple[Any, ...]]:
    async with reading() as tx:
        await privacy_role.enter(tx)
        return [tuple(row)[:3] for row in await tx.all(_ALL, matter_id=asked.matter_id)]


async def on_the_page(asked: Asked, value: Value, remark: str = "") -> ReplyEffect:
    async with transaction() as tx:
        return await receiving.evaluate(
            tx, asked.ref, by=asked.citizen, value=value, remark=remark, now=await tx.now()
        )


async def test_last_of_a_day_counts_and_what_was_said_first_is_kept(village: Village) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    before = await visible(asked)
    await reply(phone, "满意")
    with clock.moved(timedelta(hours=5)):
        assert await reply(phone, "2") is ReplyEffect.CORRECTED
    with clock.moved(timedelta(hours=23)):
        assert await on_the_page(asked, Value.DISSATISFIED) is ReplyEffect.CORRECTED
    with clock.moved(timedelta(hours=25)):
        assert await reply(phone, "满意") is ReplyEffect.NOT_ASKED, "a day from the first"
    assert await kept(asked) == [
        ("satisfied", "text", "corrected"),
        ("basically_satisfied", "text", "corrected"),
        ("dissatisfied", "page", None),
    ]
    assert await answers(asked) == [("dissatisfied", "page")]
    assert await visible(asked) == before


async def test_same_again_changes_nothing_and_a_remark_with_it_is_kept(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    await reply(phone, "不满意")
    assert await reply(phone, "3") is ReplyEffect.REPEATED
    assert await reply(phone, "不满意，水还是没有") is ReplyEffect.CORRECTED
    call = await call_about(asked, staff)
    assert call is not None
    assert call.remark == "水还是没有"


async def test_who_became_dissatisfied_is_called(village: Village, staff: Staff) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    await reply(phone, "1")
    assert await call_about(asked, staff) is None
    await reply(phone, "不满意")
    call = await call_about(asked, staff)
    assert call is not None
    assert (call.cause, call.value, call.first_value) == (
        "dissatisfied",
        "dissatisfied",
        "satisfied",
    )


async def test_who_was_talked_round_is_called_all_same_and_may_have_it_done_again(
    village: Village, staff: Staff
) -> None:
    phone, center = new_phone(), await staff("zhihui")
    asked = await village.asked(phone)
    await reply(phone, "不满意，水还是没有")
    await reply(phone, "满意")
    assert await answers(asked) == [("satisfied", "text")]
    call = await call_about(asked, staff)
    assert call is not None
    assert (call.cause, call.value, call.first_value) == (
        "dissatisfied",
        "satisfied",
        "dissatisfied",
    )

    found = Finding(CallResult.VALID, consent=True, note="干部上门要求改评")
    done = await called(call, found, staff)
    assert done.state == "done"
    async with transaction() as tx:
        again = await return_calls.rework(
            tx, asked.ref, by=center, reason="属实", now=await tx.now()
        )
    assert again.case.round == 2


@pytest.mark.parametrize("window_is_over", [False, True])
async def test_what_call_took_down_may_be_put_right_within_day_and_is_looked_into(
    village: Village, staff: Staff, window_is_over: bool
) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    await reply(phone, "退订")
    call = await call_about(asked, staff)
    assert call is not None
    with clock.moved(timedelta(days=10 if window_is_over else 1)):
        await called(call, Finding(CallResult.EVALUATED, evaluation=Value.SATISFIED), staff)
        assert await reply(phone, "不满意，没人打过电话") is ReplyEffect.CORRECTED
        again = await call_about(asked, staff)
        assert again is not None
        assert (again.cause, again.value, again.first_value) == (
            "dissatisfied",
            "dissatisfied",
            "satisfied",
        )
        done = await called(again, Finding(CallResult.VALID, consent=True), staff)
        assert (done.state, done.tries) == ("done", 2)
    with clock.moved(timedelta(days=12)):
        assert await reply(phone, "满意") is ReplyEffect.NOT_ASKED, "a day from the first"
    assert await kept(asked) == [
        ("satisfied", "return_call", "corrected"),
        ("dissatisfied", "text", None),
    ]


async def test_words_read_by_people_put_right_what_call_took_down_after_window(
    who: Who, village: Village, staff: Staff
) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    await reply(phone, "退订")
    call = await call_about(asked, staff)
    assert call is not None
    with clock.moved(timedelta(days=10)):
        await called(call, Finding(CallResult.EVALUATED, evaluation=Value.SATISFIED), staff)
        # By whom the clock's move does not sign out.
        by, reply_id = await staff("zhihui"), f"SM{phone}"
        await reply(phone, "刚才那个电话不是我接的", delivery=reply_id)
        async with transaction() as tx:
            read = HandReading.DISSATISFIED
            settled = await manual_review.settle(
                tx, reply_id, read, ref=asked.ref, by=by, now=await tx.now()
            )
    assert settled.answered is not None
    assert await answers(asked) == [("dissatisfied", "text")]


async def test_what_a_call_found_valid_stays_so_whatever_the_person_says_then(
    village: Village, staff: Staff
) -> None:
    phone, center = new_phone(), await staff("zhihui")
    asked = await village.asked(phone)
    await reply(phone, "退订")
    call = await call_about(asked, staff)
    assert call is not None
    finding = Finding(CallResult.VALID, consent=True, evaluation=Value.DISSATISFIED)
    await called(call, finding, staff)
    assert await reply(phone, "满意") is ReplyEffect.CORRECTED
    assert await reply(phone, "不满意") is ReplyEffect.CORRECTED
    assert await call_about(asked, staff) is None, "they were called about it"
    async with transaction() as tx:
        found = await return_calls.get_call(tx, call.id, by=center)
    assert (found.state, found.result, found.consent) == ("done", "valid", True)


async def test_who_was_given_up_and_is_dissatisfied_is_called_again(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    await reply(phone, "退订")
    call = await call_about(asked, staff)
    assert call is not None
    nobody = Finding(CallResult.NOT_REACHED)
    for days in (1, 2, 3):
        with clock.moved(timedelta(days=days)):
            call = await called(call, nobody, staff)
    assert call.state == "done"
    with clock.moved(timedelta(days=4)):
        assert await on_the_page(asked, Value.DISSATISFIED) is ReplyEffect.ANSWERED
        again = await call_about(asked, staff)
        assert again is not None
        assert again.cause == "dissatisfied"
        assert (await called(again, nobody, staff)).state == "open", "three days anew"


async def test_words_that_people_read_put_right_only_what_was_said_before_them(
    who: Who, village: Village
) -> None:
    phone, center = new_phone(), await who("zhihui")
    asked = await village.asked(phone)
    await reply(phone, "满意")
    address = await unclear(phone, "刚才按错了")
    settled = await center.does(f"{address}/reading", reading="dissatisfied")
    assert settled["answered"]["ref"] == asked.ref
    assert await answers(asked) == [("dissatisfied", "text")]


async def test_words_that_nobody_can_make_out_lead_to_a_call(who: Who, village: Village) -> None:
    phone, center = new_phone(), await who("zhihui")
    asked = await village.asked(phone)
    address = await unclear(phone, "嗯嗯那个事情嘛")
    settled = await center.does(f"{address}/reading", reading="call_back")
    assert (settled["reading_label"], settled["answered"]) == ("读不明白，回访", None)
    found = await center.sees("/return-calls", size=100)
    while asked.ref not in {one["ref"] for one in found["items"]}:
        found = await center.sees("/return-calls", size=100, after=found["next"])
    call = next(one for one in found["items"] if one["ref"] == asked.ref)
    assert (call["cause"], call["cause_label"]) == ("unread", "回复读不明白")
    await reply(phone, "满意")
    done = await center.sees(f"/return-calls/{call['id']}")
    assert (done["state"], done["result"]) == ("done", "evaluated"), "they have said it themselves"
