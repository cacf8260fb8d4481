"""What the system could not read is read by people: who may, what it counts for, and that it is on record."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.db import OWNER, transaction
from app.evaluation import manual_review, privacy_role
from app.evaluation.terms import HandReading, ReplyEffect
from tests.auth.conftest import a_unit
from tests.conftest import Staff
from tests.people import Person
from tests.surveys.conftest import Village, new_phone
from tests.surveys.test_sealed_calls import CALLERS, Who, calls, who
from tests.surveys.test_surveys import answers, reply, visible

__all__ = ["who"]

HANDLERS = ("gongnong", "guangshun", "ronglong", "shuiwu", "shuiwu_head", "lingdao", "admin")
_KEPT = text("""
SELECT r.reading, r.survey_id, s.account, r.handled_at IS NOT NULL AS handled
FROM surveys.reply r LEFT JOIN staff s ON s.id = r.handled_by_staff_id WHERE r.provider_message_id = :id
""")
_COUNTY = text("SELECT county_id FROM grievance WHERE id = :id")
_TAMPER = {
    # Another row's ciphertext: it opens at its own place only.
    "number": text("UPDATE surveys.reply r SET phone_sealed = o.phone_sealed FROM surveys.reply o WHERE r.provider_message_id = :id AND o.provider_message_id <> :id"),
    "words": text("UPDATE surveys.reply r SET text_sealed = o.text_sealed FROM surveys.reply o WHERE r.provider_message_id = :id AND o.provider_message_id <> :id"),
}  # fmt: skip
_NO_PARTY = text("DELETE FROM matter_party WHERE matter_id = :id RETURNING unit_id, since")
_PARTY = text("INSERT INTO matter_party (unit_id, matter_id, since) VALUES (:unit_id, :id, :since)")
_MOVE = text("UPDATE grievance SET county_id = :county_id WHERE id = :id")


async def unclear(phone: str, words: str) -> str:
    delivery = f"SM{uuid4().hex}"
    effect = await reply(phone, words, delivery=delivery)
    assert effect in (ReplyEffect.UNCLEAR, ReplyEffect.NOT_ASKED)
    return f"/unread-replies/{delivery}"


async def listed(person: Person) -> list[dict[str, Any]]:
    """Somebody's list through all pages."""
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        page = await person.sees("/unread-replies", size=2, **after)
        found += page["items"]
        if page["next"] is None:
            return found
        assert len(page["items"]) == 2, "a page is as long as asked: nothing is left out of it"
        after = {"cursor": page["next"]}


async def on_list(person: Person, address: str) -> bool:
    return any(address.endswith(item["id"]) for item in await listed(person))


@pytest.mark.parametrize("reading", ["satisfied", "basically_satisfied", "dissatisfied"])
async def test_what_staff_read_is_the_citizens_answer(
    who: Who, village: Village, reading: str
) -> None:
    phone, center = new_phone(), await who("zhihui")
    asked = await village.asked(phone)
    before = await visible(asked)
    address = await unclear(phone, "水有了，就是不大")
    item = next(one for one in await listed(center) if address.endswith(one["id"]))
    assert (item["words"], item["about"]["ref"]) == ("水有了，就是不大", asked.ref)
    assert phone not in str(item)
    detail = await center.sees(address)
    assert (detail["phone"], [one["ref"] for one in detail["may_answer"]]) == (phone, [asked.ref])

    settled = await center.does(f"{address}/reading", reading=reading)
    assert settled["answered"]["ref"] == asked.ref
    assert await answers(asked) == [(reading, "text")]
    assert await visible(asked) == before
    assert not await on_list(center, address)
    async with transaction() as tx:
        await privacy_role.enter(tx)
        kept = await tx.one_or_none(_KEPT, id=item["id"])
    assert kept is not None
    assert (kept.reading, kept.account, kept.handled) == (reading, "zhihui", True)
    owed = asked.ref in await calls(center)
    assert owed == (reading == "dissatisfied")
    if owed:
        call = await center.sees(f"/return-calls/{(await calls(center))[asked.ref]}")
        assert call["remark"] == "水有了，就是不大"
    again = await center.post(f"{address}/reading", {"reading": "satisfied"})
    assert (again.status_code, again.json()["type"]) == (409, "/problems/action-not-allowed")


@pytest.mark.parametrize("what", list(_TAMPER))
async def test_tampered_reply_is_refused_in_words_when_a_person_settles_it(
    who: Who, village: Village, what: str
) -> None:
    phone, center = new_phone(), await who("zhihui")
    asked = await village.asked(phone)
    await unclear(new_phone(), "水有了，就是不大")
    address = await unclear(phone, "水有了，就是不大")
    async with transaction() as tx:
        await tx.act_as(OWNER)
        await tx.execute(_TAMPER[what], id=address.removeprefix("/unread-replies/"))
    assert (await center.sees(address))["phone" if what == "number" else "words"] == "（无法读取）"
    refused = await center.post(f"{address}/reading", {"reading": "satisfied"})
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "/problems/stored-data-unreadable",
    )
    assert "无法读取" in refused.json()["detail"]
    assert await answers(asked) == []
    assert await on_list(center, address)


async def test_what_is_no_answer_leaves_the_question_open(who: Who, village: Village) -> None:
    phone, center = new_phone(), await who("zhihui")
    asked = await village.asked(phone)
    address = await unclear(phone, "你们什么时候来修？")
    settled = await center.does(f"{address}/reading", reading="not_an_answer")
    assert (settled["reading_label"], settled["answered"]) == ("不是评价", None)
    assert await answers(asked) == []
    assert not await on_list(center, address)
    await reply(phone, "满意")
    assert await answers(asked) == [("satisfied", "text")]


async def test_first_clear_answer_counts_and_not_a_later_reading(
    who: Who, village: Village
) -> None:
    phone, center = new_phone(), await who("zhihui")
    first, second = await village.asked(phone), await village.asked_beside(phone)
    address = await unclear(phone, "说不好")
    await reply(phone, "1号满意")
    settled = await center.does(f"{address}/reading", reading="dissatisfied")
    assert settled["answered"] is None
    assert (await answers(first), await answers(second)) == ([("satisfied", "text")], [])


async def test_case_is_named_where_the_system_did_not_know_which(
    who: Who, village: Village
) -> None:
    phone, center = new_phone(), await who("zhihui")
    first, second = await village.asked(phone), await village.asked_beside(phone)
    stranger = await village.asked(new_phone())
    address = await unclear(phone, "9号满意")
    detail = await center.sees(address)
    assert detail["about"] is None
    assert {one["ref"] for one in detail["may_answer"]} == {first.ref, second.ref}
    refused = await center.post(f"{address}/reading", {"reading": "satisfied", "ref": stranger.ref})
    assert (refused.status_code, refused.json()["mistakes"][0]["where"]) == (422, "body.ref")
    odd = await center.post(f"{address}/reading", {"reading": "not_an_answer", "ref": second.ref})
    assert odd.status_code == 422
    await center.does(f"{address}/reading", reading="satisfied", ref=second.ref)
    assert (await answers(first), await answers(second)) == ([], [("satisfied", "text")])


async def test_two_who_read_at_once_settle_it_once(who: Who, village: Village) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    address = await unclear(phone, "还行吧")
    readers = [await who("zhihui"), await who("ducha")]
    done = await asyncio.gather(
        *(one.post(f"{address}/reading", {"reading": "satisfied"}) for one in readers)
    )
    assert sorted(one.status_code for one in done) == [200, 409]
    assert await answers(asked) == [("satisfied", "text")]


async def test_text_that_comes_while_one_is_read_waits_and_puts_the_answer_right(
    village: Village, staff: Staff
) -> None:
    phone, center = new_phone(), await staff("zhihui")
    asked = await village.asked(phone)
    delivery = (await unclear(phone, "还行吧")).rpartition("/")[2]
    async with transaction() as tx:
        reading, now = HandReading.BASICALLY_SATISFIED, await tx.now()
        await manual_review.settle(tx, delivery, reading, ref=None, by=center, now=now)
        coming = asyncio.create_task(reply(phone, "不满意"))
        await asyncio.wait([coming], timeout=0.3)
        assert not coming.done()
    assert await coming is ReplyEffect.CORRECTED
    assert await answers(asked) == [("dissatisfied", "text")]


async def test_what_another_county_was_told_is_not_named(who: Who, village: Village) -> None:
    phone, center = new_phone(), await who("zhihui")
    here, there = await village.asked(phone), await village.asked_beside(phone)
    address = await unclear(phone, "9号满意")
    other = await a_unit("邻县", "county")
    async with transaction() as tx:
        county_id = await tx.scalar(_COUNTY, id=there.matter_id)
        await tx.act_as(OWNER)
        await tx.execute(_MOVE, id=there.matter_id, county_id=other)
    try:
        detail = await center.sees(address)
        assert [one["ref"] for one in detail["may_answer"]] == [here.ref]
    finally:
        async with transaction() as tx:
            await tx.act_as(OWNER)
            await tx.execute(_MOVE, id=there.matter_id, county_id=county_id)


async def test_reply_about_a_case_of_another_county_is_not_found(
    who: Who, village: Village
) -> None:
    """The person has a case here as well, so the center here has to do with them."""
    phone, center = new_phone(), await who("zhihui")
    await village.answered(phone)
    there = await village.asked(phone)
    address = await unclear(phone, "水有了，就是不大")
    other = await a_unit("邻县", "county")
    async with transaction() as tx:
        county_id = await tx.scalar(_COUNTY, id=there.matter_id)
        await tx.act_as(OWNER)
        await tx.execute(_MOVE, id=there.matter_id, county_id=other)
        parties = await tx.all(_NO_PARTY, id=there.matter_id)
    try:
        assert not await on_list(center, address)
        absent = await center.get(f"/unread-replies/SM{uuid4().hex}")
        for refused in (
            await center.get(address),
            await center.post(f"{address}/reading", {"reading": "not_an_answer"}),
            await center.post(f"{address}/reading", {"reading": "opted_out"}),
        ):
            assert (refused.status_code, refused.content) == (404, absent.content)
        assert await answers(there) == []
    finally:
        async with transaction() as tx:
            await tx.act_as(OWNER)
            await tx.execute(_MOVE, id=there.matter_id, county_id=county_id)
            for one in parties:
                await tx.execute(_PARTY, id=there.matter_id, unit_id=one.unit_id, since=one.since)
    assert await on_list(center, address)


async def test_oldest_comes_first_and_a_strangers_text_is_read_too(
    who: Who, village: Village
) -> None:
    phone, center = new_phone(), await who("zhihui")
    await village.asked(phone)
    addresses = [
        await unclear(phone, "一般吧"),
        await unclear(new_phone(), "1"),
        await unclear(phone, "还行"),
    ]
    ids = [item["id"] for item in await listed(center)]
    places = [ids.index(address.rpartition("/")[2]) for address in addresses]
    assert places == sorted(places)
    settled = await center.does(f"{addresses[1]}/reading", reading="satisfied")
    assert settled["answered"] is None
    for wrong in ("nonsense", "1", "99999999999999999999999~x", "1~\u0000", "1~水"):
        refused = await center.get("/unread-replies", cursor=wrong)
        assert refused.status_code in (200, 422)
        assert wrong == "1" or refused.status_code == 422, wrong


@pytest.mark.parametrize("account", HANDLERS)
async def test_who_handles_cases_learns_of_no_reply(
    who: Who, village: Village, account: str
) -> None:
    phone, handler = new_phone(), await who(account)
    await village.asked(phone)
    address = await unclear(phone, "水还是没有")
    nothing = f"/unread-replies/SM{uuid4().hex}"
    body = {"reading": "satisfied"}
    told = [
        [await handler.get(one), await handler.post(f"{one}/reading", body)]
        for one in (address, nothing)
    ]
    assert {one.status_code for pair in told for one in pair} == {403}
    assert [one.content for one in told[0]] == [one.content for one in told[1]]
    assert (await handler.get("/unread-replies")).status_code == 403


@pytest.mark.parametrize(
    ("solver", "inspector", "accused"),
    [("jiwei", "jiandu", None), ("ducha", "duchashi", "500153JW")],
)
async def test_words_of_who_accused_somebody_are_for_the_inspectors_alone(
    who: Who, village: Village, solver: str, inspector: str, accused: str | None
) -> None:
    phone = new_phone()
    plain = await village.asked(phone)
    before = await unclear(phone, "路灯的事一般")
    asked = await village.asked_about_an_accusation(phone, solver=solver, accused=accused)
    # It is taken for the older question, and may yet be about the accusation.
    address = await unclear(phone, "你们查了没有")
    for account in CALLERS:
        other = await who(account)
        assert not await on_list(other, address), account
        absent = await other.get(f"/unread-replies/SM{uuid4().hex}")
        for refused in (
            await other.get(address),
            await other.post(f"{address}/reading", {"reading": "satisfied"}),
            await other.post(f"{address}/reading", {"reading": "opted_out"}),
        ):
            assert (refused.status_code, refused.content) == (404, absent.content)
    center = await who("zhihui")
    assert await on_list(center, before), "what came before the accusation tells nothing of it"
    assert [one["ref"] for one in (await center.sees(before))["may_answer"]] == [plain.ref]

    assert not await on_list(await who("jiwei"), before), "and is the center's"

    by = await who(inspector)
    assert await on_list(by, address)
    may_answer = {one["ref"] for one in (await by.sees(address))["may_answer"]}
    assert may_answer == {plain.ref, asked.ref}
    settled = await by.does(f"{address}/reading", reading="dissatisfied", ref=asked.ref)
    assert settled["answered"]["ref"] == asked.ref
    assert asked.ref in await calls(by)
    assert await answers(plain) == []
