"""Words that people read as opting out: what follows is what would have, had the system understood them."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from app import clock
from app.db import transaction
from app.evaluation import manual_review, privacy_role, receiving
from app.evaluation.terms import HandReading, ReplyEffect
from tests.conftest import Staff
from tests.surveys.conftest import Asked, Village, new_phone
from tests.surveys.test_sealed_calls import Who, calls, who
from tests.surveys.test_surveys import answers, call_about, reply, visible
from tests.surveys.test_turns import DAY, survey, swept, texts
from tests.surveys.test_unread_replies import on_list, unclear
from tests.surveys.test_withdrawn_texts import states, would_be_sent

__all__ = ["who"]

_ON_RECORD = text("""
SELECT r.received_at, r.reading, s.account, o.out_at, o.back_at
FROM surveys.reply r JOIN staff s ON s.id = r.handled_by_staff_id JOIN citizen p ON p.id = r.citizen_id
JOIN surveys.opt_out o ON o.phone_key = p.phone_key WHERE r.provider_message_id = :id
""")
_WORDS = "短信多得很，莫发了"


async def on_record(address: str) -> Any:
    async with transaction() as tx:
        await privacy_role.enter(tx)
        return await tx.one_or_none(_ON_RECORD, id=address.rpartition("/")[2])


async def wants_texts(asked: Asked) -> bool:
    async with transaction() as tx:
        return await receiving.wants_texts(tx, by=asked.citizen)


async def read(address: str, staff: Staff) -> None:
    """The same without a session, for when the clock has moved on."""
    by = await staff("zhihui")
    async with transaction() as tx:
        id_, at = address.rpartition("/")[2], await tx.now()
        await manual_review.settle(tx, id_, HandReading.OPTED_OUT, ref=None, by=by, now=at)


async def now() -> datetime:
    async with transaction() as tx:
        return await tx.now()


async def test_who_is_read_as_opting_out_is_called_and_texted_no_more(
    who: Who, village: Village
) -> None:
    phone, center = new_phone(), await who("zhihui")
    asked = await village.asked_soon(phone)
    assert await would_be_sent(asked) == ["survey"]
    address = await unclear(phone, _WORDS)
    assert await wants_texts(asked)
    settled = await center.does(f"{address}/reading", reading="opted_out")
    assert (settled["reading"], settled["reading_label"]) == ("opted_out", "退订")
    assert settled["answered"] is None
    kept = await on_record(address)
    assert (kept.reading, kept.account) == ("opted_out", "zhihui")
    assert (kept.out_at, kept.back_at) == (kept.received_at, None), "as of when it was sent"
    call = await center.sees(f"/return-calls/{(await calls(center))[asked.ref]}")
    assert call["cause"] == "opted_out"
    assert await states(asked) == [("survey", "done")]
    assert (await answers(asked), await wants_texts(asked)) == ([], False)
    assert not await on_list(center, address)
    with clock.moved(4 * DAY):
        await swept(asked)
    assert await states(asked) == [("survey", "done")], "nobody is reminded either"


async def test_reminder_that_is_queued_is_not_sent(village: Village, staff: Staff) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    with clock.moved(3 * DAY):
        assert await swept(asked)
        assert await texts(asked) == ["survey", "survey_reminder"]
        address = await unclear(phone, _WORDS)
        assert await would_be_sent(asked) == ["survey_reminder"]
        await read(address, staff)
        assert await would_be_sent(asked) == []


async def test_of_questions_only_what_is_still_to_be_answered_is_called_about(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    answered = await village.asked(phone)
    address = await unclear(phone, _WORDS)
    assert await reply(phone, "1") is ReplyEffect.ANSWERED
    with clock.moved(DAY):
        asked_since = await village.asked_soon(phone)
        assert await would_be_sent(asked_since) == ["survey"]
        await read(address, staff)
        assert await would_be_sent(asked_since) == []
        call = await call_about(asked_since, staff)
    assert call is not None
    assert call.cause == "opted_out"
    assert await call_about(answered, staff) is None


async def test_words_read_after_the_window_still_owe_the_call(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    address = await unclear(phone, _WORDS)
    before = await visible(asked)
    with clock.moved(9 * DAY):
        assert (await survey(asked)).window_ends_at < await now()
        await read(address, staff)
        call = await call_about(asked, staff)
    assert call is not None
    assert call.cause == "opted_out"
    assert await visible(asked) == before, "nothing of it reaches the case"


@pytest.mark.parametrize(("since", "wants"), [(("TD", "HF"), True), (("TD",), False)])
async def test_what_they_chose_since_stays_so(
    village: Village, staff: Staff, since: tuple[str, ...], wants: bool
) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    address = await unclear(phone, _WORDS)
    for words in since:
        await reply(phone, words)
    with clock.moved(DAY):
        later = await village.asked_soon(phone)
        await read(address, staff)
        assert await would_be_sent(later) == (["survey"] if wants else [])
    kept = await on_record(address)
    assert kept.out_at > kept.received_at
    assert await wants_texts(asked) == wants


async def test_stranger_who_opts_out_is_never_texted(
    who: Who, village: Village, staff: Staff
) -> None:
    phone, center = new_phone(), await who("zhihui")
    address = await unclear(phone, _WORDS)
    await center.does(f"{address}/reading", reading="opted_out")
    asked = await village.asked(phone)
    call = await call_about(asked, staff)
    assert call is not None
    assert (call.cause, await texts(asked)) == ("opted_out", [])


async def test_opting_out_is_about_no_case(who: Who, village: Village) -> None:
    phone, center = new_phone(), await who("zhihui")
    asked = await village.asked(phone)
    address = await unclear(phone, _WORDS)
    refused = await center.post(f"{address}/reading", {"reading": "opted_out", "ref": asked.ref})
    assert (refused.status_code, refused.json()["mistakes"][0]["where"]) == (422, "body.ref")
    assert await wants_texts(asked)
