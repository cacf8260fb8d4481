"""Whose number it is: what a unit's, a shared one's or a handler's own phone says does not count, and such people are called."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app import clock, keys
from app.auth.actor import CitizenActor
from app.cases.actions import filing, handling, judging
from app.cases.actions.filing import Intake
from app.cases.models import Channel, Outcome
from app.cases.number_given import PersonHelped
from app.db import reading, transaction
from app.directory import official_numbers
from app.directory.models import Citizen
from app.doctor.examining import examine
from app.errors import ActionNotAllowed, InvalidInput
from app.evaluation import receiving
from app.evaluation.number_owners import Owner
from app.evaluation.return_calls import Finding
from app.evaluation.terms import CallResult, Discount, ReplyEffect, Value
from app.identifiers import uuid7
from app.limits.terms import Kind
from tests.conftest import Staff
from tests.surveys.conftest import Asked, Village, new_phone, sent
from tests.surveys.test_corrections import kept, on_the_page
from tests.surveys.test_sealed_calls import Who, calls, who
from tests.surveys.test_surveys import answers, call_about, called, reply
from tests.surveys.test_turns import survey, texts

__all__ = ["who"]

VILLAGE = "500153003007"
_VALID = Finding(CallResult.VALID, consent=True, evaluation=Value.DISSATISFIED)
_NAMES = text(
    "SELECT count(*) FROM person_as_given WHERE matter_id = :matter_id AND phone_key IS NULL"
)


async def official(
    phone: str, staff: Staff, *, unit: str | None = None, account: str | None = None
) -> UUID:
    by = await staff("admin")
    async with transaction() as tx:
        entered = await official_numbers.enter(
            tx,
            phone,
            unit_code=unit,
            account=account,
            county_id=by.county_id,
            staff_id=by.staff_id,
            now=await tx.now(),
        )
    return entered.id


async def taken_out(number: UUID, staff: Staff) -> None:
    by = await staff("admin")
    async with transaction() as tx:
        await official_numbers.remove(
            tx, number, county_id=by.county_id, staff_id=by.staff_id, now=await tx.now()
        )


async def reported_by_phone(
    phone: str, staff: Staff, village: Village, *, citizen: CitizenActor | None = None
) -> Asked:
    """Somebody who signed in with the number and told it themselves; the village answers. `citizen`: known already."""
    cadre = await staff("gongnong")
    async with transaction() as tx:
        now = await tx.now()
        person_id = uuid7(now)
        person = Citizen(
            id=person_id,
            phone_sealed=keys.encrypt(phone, keys.at("citizen.phone_sealed", person_id)),
            phone_key=keys.lookup("phone", phone),
            village_id=cadre.unit_id,
            created_at=now,
        )
        if citizen is None:
            tx.add(person)
    citizen = citizen or CitizenActor(person.id, cadre.unit_id)
    intake = Intake("路灯不亮", "三天了", Kind.HELP, Channel.POSTER, asked_code=VILLAGE)
    async with transaction() as tx:
        case = (await filing.register(tx, intake, by=citizen, now=await tx.now())).case
    async with transaction() as tx:
        await judging.handle(tx, case.ref, by=cadre, now=await tx.now())
    async with transaction() as tx:
        await handling.answer(
            tx,
            case.ref,
            by=cadre,
            outcome=Outcome.SOLVED,
            answer="好",
            basis="",
            now=await tx.now(),
        )
    owed = text("SELECT id FROM outbox_message WHERE matter_id = :id AND kind = 'survey_owed'")
    async with reading() as tx:
        ids = [row.id for row in await tx.all(owed, id=case.id)]
    return await sent(await village.ask(Asked(case.ref, case.id, phone, citizen, ids)))


async def registered(phone: str, name: str, who: Who, **different: Any) -> dict[str, Any]:
    cadre = await who("gongnong")
    body = {"title": "路灯不亮", "body": "三天了", "kind": "help", **different}
    found: dict[str, Any] = await cadre.does(
        "/cases", **body, person={"name": name, "phone": phone.removeprefix("+86")}
    )
    return found


async def test_who_was_registered_under_units_number_is_called_and_no_text_counts(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    await official(phone, staff, unit=VILLAGE)
    asked = await village.asked(phone)
    call = await call_about(asked, staff)
    assert call is not None
    assert (call.cause, await texts(asked)) == ("unit_number", [])
    assert await reply(phone, "满意") is ReplyEffect.DISCOUNTED
    assert await on_the_page(asked, Value.SATISFIED) is ReplyEffect.DISCOUNTED
    assert await answers(asked) == []
    assert await kept(asked) == [
        ("satisfied", "text", "unit_number"),
        ("satisfied", "page", "unit_number"),
    ]
    await called(call, _VALID, staff)
    assert await answers(asked) == [("dissatisfied", "return_call")]


async def test_page_of_units_number_shows_nothing_of_what_people_said_when_they_were_called(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    await official(phone, staff, unit=VILLAGE)
    asked = await village.asked(phone)
    call = await call_about(asked, staff)
    assert call is not None

    async def shown() -> tuple[Any, ...]:
        async with transaction() as tx:
            now = await tx.now()
            own = await receiving.own_survey(tx, asked.ref, by=asked.citizen, now=now)
            assert own is not None
            return own.own_answer(), own.heard_on_page(now)

    before = await shown()
    await called(call, _VALID, staff)
    assert await shown() == before == (None, True)
    assert await on_the_page(asked, Value.SATISFIED) is ReplyEffect.DISCOUNTED
    assert await reply(phone, "满意") is not ReplyEffect.CORRECTED
    assert await answers(asked) == [("dissatisfied", "return_call")]
    with clock.moved(timedelta(days=8)):
        assert await shown() == (None, False), "the window alone tells"
        with pytest.raises(ActionNotAllowed):
            await on_the_page(asked, Value.SATISFIED)


async def test_number_entered_after_the_answer_changes_nothing_of_that_round(
    village: Village, staff: Staff
) -> None:
    """An administrator could silence whom the handler fears, once the question is out."""
    phone = new_phone()
    asked = await village.asked(phone)
    await official(phone, staff, account="gongnong")
    assert await reply(phone, "不满意") is ReplyEffect.ANSWERED
    assert await answers(asked) == [("dissatisfied", "text")]
    later = await village.asked(phone)
    call = await call_about(later, staff)
    assert call is not None
    assert (call.cause, await texts(later)) == ("unit_number", [])


async def test_number_removed_after_the_answer_stays_official_for_that_round(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    number = await official(phone, staff, unit=VILLAGE)
    asked = await village.asked(phone)
    await taken_out(number, staff)
    assert await reply(phone, "满意") is ReplyEffect.DISCOUNTED
    assert await answers(asked) == []


async def test_fifty_villagers_under_one_number_are_each_called_by_their_own_name(
    who: Who, village: Village, staff: Staff
) -> None:
    phone = new_phone()
    told = [await registered(phone, name, who) for name in ("李大姐", "王 大爷", "王大爷", "张婶")]
    assert [one["evaluation_by"] for one in told] == ["text", "text", "text", "return_call"]
    assert "多人" in told[3]["notice"]
    assert told[0]["notice"] is None
    asked = await village.asked(phone)
    call = await call_about(asked, staff)
    assert call is not None
    assert (call.cause, call.name) == ("shared_number", "李大姐")
    assert await reply(phone, "满意") is ReplyEffect.DISCOUNTED
    assert await kept(asked) == [("satisfied", "text", "shared_number")]


async def test_villagers_under_one_number_whose_cases_are_joined_are_each_asked(
    who: Who, village: Village
) -> None:
    phone, cadre, center = new_phone(), await who("gongnong"), await who("zhihui")
    names = ("李大姐", "王大爷", "张婶", "王 大爷")
    first, *others = [(await registered(phone, name, who))["ref"] for name in names]
    for ref in others:
        await center.does(f"/cases/{ref}/merge", primary_ref=first, reason="同一处停水")
    await cadre.does(f"/cases/{first}/handle")
    await cadre.does(f"/cases/{first}/answer", outcome="solved", answer="已修好")
    for ref in (first, *others):
        await village.ask_about(ref)
    listed = await calls(center)
    called = [
        (await center.sees(f"/return-calls/{listed[ref]}"))["name"]
        for ref in (first, *others)
        if ref in listed
    ]
    assert called == ["李大姐", "王大爷", "张婶"], "the fourth told it twice"
    async with transaction() as tx:
        found = await examine(tx, quick=True, most=10_000)
    [asked] = [one for one in found if one.invariant.name == "one_survey_a_round"]
    assert not [one for one in asked.offenders if one["ref"] in (first, *others)]


async def test_cadre_is_told_that_a_number_is_a_units(who: Who, staff: Staff) -> None:
    phone = new_phone()
    await official(phone, staff, account="gongnong")
    told = await registered(phone, "李大姐", who)
    assert told["evaluation_by"] == "return_call"
    assert "单位或工作人员" in told["notice"]
    cadre = await who("gongnong")
    nobody = await cadre.does("/cases", title="路灯不亮", body="三天了", kind="help")
    assert (nobody["evaluation_by"], nobody["notice"]) == ("nobody", None)
    without = await cadre.does(
        "/cases", title="路灯不亮", body="三天了", kind="help", person={"name": "李大姐"}
    )
    assert without["evaluation_by"] == "return_call"


async def test_accusation_adds_nothing_to_what_others_are_told_of_a_number(
    who: Who, staff: Staff
) -> None:
    phone, cadre = new_phone(), await staff("gongnong")
    for name in ("甲", "乙"):
        intake = Intake(
            "举报", "索要好处", Kind.ACCUSATION, Channel.CADRE, person=PersonHelped(name, phone)
        )
        async with transaction() as tx:
            case = (await filing.register(tx, intake, by=cadre, now=await tx.now())).case
        async with reading() as tx:
            assert await tx.scalar(_NAMES, matter_id=case.id) == 1
    assert (await registered(phone, "李大姐", who))["evaluation_by"] == "text"


async def test_staff_of_a_unit_that_handled_it_do_not_rate_themselves(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    await official(phone, staff, account="gongnong")
    asked = await reported_by_phone(phone, staff, village)
    assert await texts(asked) == []
    assert await on_the_page(asked, Value.SATISFIED) is ReplyEffect.DISCOUNTED
    assert await reply(phone, "满意") is ReplyEffect.DISCOUNTED
    assert {one[2] for one in await kept(asked)} == {"own_case"}
    assert (await survey(asked)).asked_at is not None
    call = await call_about(asked, staff)
    assert call is not None, "a caller finds out who it is"
    assert call.cause == "own_case"
    await called(call, Finding(CallResult.HANDLER), staff)
    assert await answers(asked) == []


async def test_resident_listed_as_the_handler_is_called_and_heard(
    village: Village, staff: Staff
) -> None:
    phone = new_phone()
    number = await official(phone, staff, account="gongnong")
    asked = await reported_by_phone(phone, staff, village)
    await taken_out(number, staff)
    assert await reply(phone, "不满意") is ReplyEffect.DISCOUNTED
    call = await call_about(asked, staff)
    assert call is not None
    await called(call, _VALID, staff)
    assert await answers(asked) == [("dissatisfied", "return_call")]


async def test_caller_names_the_handler_only_where_the_number_is_listed_so(
    village: Village, staff: Staff
) -> None:
    call = await call_about(await village.asked(None), staff)
    assert call is not None
    with pytest.raises(InvalidInput):
        await called(call, Finding(CallResult.HANDLER), staff)


async def test_staff_are_citizens_where_others_handled_it(village: Village, staff: Staff) -> None:
    phone = new_phone()
    await official(phone, staff, account="shuiwu")
    asked = await reported_by_phone(phone, staff, village)
    assert await texts(asked) == ["survey"]
    assert await reply(phone, "3") is ReplyEffect.ANSWERED
    assert await answers(asked) == [("dissatisfied", "text")]


@pytest.mark.parametrize(
    ("owner", "discount", "called"),
    [
        (Owner(True, False, False, False, False), None, None),
        (Owner(True, True, False, False, False), Discount.UNIT_NUMBER, "unit_number"),
        (Owner(False, True, False, False, False), Discount.UNIT_NUMBER, "unit_number"),
        (Owner(True, False, True, False, False), Discount.UNIT_NUMBER, "unit_number"),
        (Owner(False, False, True, False, False), None, None),
        (Owner(False, False, True, True, False), Discount.OWN_CASE, "own_case"),
        (Owner(True, False, True, True, True), Discount.OWN_CASE, "unit_number"),
        (Owner(True, False, False, False, True), Discount.SHARED_NUMBER, "shared_number"),
        (Owner(False, False, False, False, True), None, None),
    ],
)
def test_what_counts_follows_from_whose_number_it_is(
    owner: Owner, discount: Discount | None, called: str | None
) -> None:
    assert (owner.discount, owner.call) == (discount, called)


@pytest.mark.parametrize(
    "spellings",
    [
        ("买买提·吐尔逊", "买买提•吐尔逊", "买买提．吐尔逊", "買買提‧吐爾遜"),
        ("张三", "張三", "张三（男）", "张 三"),
        ("Wang Wei", "WANG WEI", "ｗａｎｇ　ｗｅｉ", "Wang·Wei"),
    ],
)
async def test_one_person_under_several_spellings_is_texted(
    who: Who, spellings: tuple[str, ...]
) -> None:
    phone = new_phone()
    told = [await registered(phone, name, who) for name in spellings]
    assert {one["evaluation_by"] for one in told} == {"text"}
    stored = [(await (await who("gongnong")).sees(f"/cases/{one['ref']}"))["reporter"]["name"] for one in told]  # fmt: skip
    assert stored == list(spellings), "stored is what was written"


async def test_one_person_under_two_spellings_is_asked_once_about_joined_cases(
    who: Who, village: Village
) -> None:
    phone, cadre, center = new_phone(), await who("gongnong"), await who("zhihui")
    names = ("张三", "王大爷", "張三（男）")
    first, *others = [(await registered(phone, name, who))["ref"] for name in names]
    for ref in others:
        await center.does(f"/cases/{ref}/merge", primary_ref=first, reason="同一处停水")
    await cadre.does(f"/cases/{first}/handle")
    await cadre.does(f"/cases/{first}/answer", outcome="solved", answer="已修好")
    async with reading() as tx:
        owed = {row.ref for row in await tx.all(_OWED_TO, refs=[first, *others])}
    assert owed == {first, others[0]}


_OWED_TO = text("""
SELECT g.ref FROM outbox_message m JOIN grievance g ON g.id = m.matter_id
WHERE g.ref = ANY(:refs) AND m.kind = 'survey_owed'
""")
