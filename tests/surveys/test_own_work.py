"""Nobody judges how their own work was evaluated: not who had a part in it, nor the command center's dispatchers what it handled."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from app import clock
from app.db import OWNER, database, snapshot, transaction
from app.directory.terms import Role
from app.doctor import examining
from tests.people import Person
from tests.surveys.conftest import Village, new_phone
from tests.surveys.test_sealed_calls import Who, calls, who
from tests.surveys.test_surveys import reply
from tests.surveys.test_unread_replies import on_list, unclear
from tests.units import Held, appointed, employed, yesterday

__all__ = ["who"]

ANSWER = {"outcome": "solved", "answer": "已换灯泡"}
_HAS_LEFT = text("""
UPDATE post SET valid_to = :day WHERE role = 'unit_handler' AND staff_id = (SELECT id FROM staff WHERE account = :account)
""")
_NEEDS_A_PERSON = text("""
UPDATE outbox_message SET kind = :kind, state = 'needs_human', why = 'number_unusable', error = '30005', settled_at = now(),
  attempts = 1, provider_id = NULL
WHERE matter_id = (SELECT id FROM grievance WHERE ref = :ref) AND kind IN ('survey', 'survey_reminder') RETURNING id
""")
LEAD, ASSISTANT, CENTER = "500153100", "500153D11", "500153ZH"
VALID = {"result": "valid", "consent": True}
UNREASONABLE = {"result": "unreasonable", "note": "坚持法外诉求"}


async def judged_themselves() -> list[Any]:
    """Whom the doctor finds."""
    async with snapshot(database()) as tx:
        found = await examining.examine(tx, quick=True, late=timedelta(days=400))
    return next(
        one.offenders for one in found if one.invariant.name == "nobody_judges_their_own_work"
    )


async def told_to_the_center(who: Who, phone: str, **different: Any) -> str:
    person = {"name": "李大姐", "phone": phone.removeprefix("+86")}
    ref: str = await (await who("zhihui")).registers(person=person, **different)
    return ref


async def handled_by_the_center(who: Who, village: Village, phone: str) -> str:
    ref, center = await told_to_the_center(who, phone), await who("zhihui")
    await center.does(f"/cases/{ref}/handle")
    await center.does(f"/cases/{ref}/answer", **ANSWER)
    await village.ask_about(ref)
    return ref


async def sits_as_supervisor(person: Person) -> None:
    """In the other of their posts, from now on."""
    posts = (await person.sees("/sessions/me"))["posts"]
    [other] = [one["id"] for one in posts if one["role"] == Role.SUPERVISOR]
    await person.does("/sessions/current/post", post_id=other)


async def is_not_there_for(
    person: Person, path: str, absent: str, *posts: tuple[str, dict[str, Any]]
) -> None:
    """What stands under `path` is for them as what never was."""
    known, unknown = await person.get(path), await person.get(absent)
    assert (known.status_code, known.content) == (404, unknown.content)
    for action, body in posts:
        known, unknown = [await person.post(f"{one}/{action}", body) for one in (path, absent)]
        assert (known.status_code, known.content) == (404, unknown.content), action


async def test_what_center_handled_itself_its_dispatchers_neither_call_about_nor_exclude(
    who: Who, village: Village
) -> None:
    phone = new_phone()
    ref = await handled_by_the_center(who, village, phone)
    center, supervisor = await who("zhihui"), await who("ducha")
    again, why = f"/cases/{ref}/rework", {"reason": "想知道"}
    before = await center.post(again, why)
    await reply(phone, "不满意，敷衍")
    call = f"/return-calls/{(await calls(supervisor))[ref]}"
    colleague = await who(await employed(Held(CENTER, Role.DISPATCHER)))
    for one in (center, colleague):
        assert ref not in await calls(one)
        absent = f"/return-calls/{uuid4()}"
        await is_not_there_for(one, call, absent, ("finding", VALID), ("exclude", why))
    assert (await supervisor.sees(call))["remark"] == "敷衍"
    await supervisor.does(f"{call}/finding", **UNREASONABLE)
    after = await center.post(again, why)
    assert (before.status_code, before.content) == (403, after.content)
    await is_not_there_for(center, call, f"/return-calls/{uuid4()}", ("exclude", why))
    await supervisor.does(f"{call}/exclude", reason="诉求不合理")
    assert await judged_themselves() == []


async def test_words_that_may_be_about_what_center_handled_are_not_its_dispatchers_to_read(
    who: Who, village: Village
) -> None:
    phone, stranger = new_phone(), new_phone()
    await handled_by_the_center(who, village, phone)
    await village.asked(stranger)
    center, supervisor = await who("zhihui"), await who("ducha")
    mine, other = await unclear(phone, "水压不大"), await unclear(stranger, "水压不大")
    assert await on_list(center, other)
    assert not await on_list(center, mine)
    absent = f"/unread-replies/SM{uuid4().hex}"
    await is_not_there_for(center, mine, absent, ("reading", {"reading": "satisfied"}))
    assert await on_list(supervisor, mine)
    await supervisor.does(f"{mine}/reading", reading="dissatisfied")
    assert await judged_themselves() == []


@pytest.mark.parametrize("kind", ["survey", "survey_reminder"])
async def test_survey_text_is_hidden_from_the_dispatcher_of_the_handling_center(
    who: Who, village: Village, kind: str
) -> None:
    """Resent and then done, the text would say by its state that the person has answered."""
    ref = await handled_by_the_center(who, village, new_phone())
    center, supervisor = await who("zhihui"), await who("ducha")
    async with transaction() as tx:
        await tx.act_as(OWNER)
        text_id = await tx.scalar(_NEEDS_A_PERSON, ref=ref, kind=kind)
    path, absent, why = f"/texts/{text_id}", f"/texts/{uuid4()}", {"reason": "再发一次"}
    assert str(text_id) in await texts(supervisor)
    await supervisor.does(f"{path}/resend", **why)
    async with transaction() as tx:
        await tx.act_as(OWNER)
        await tx.execute(_NEEDS_A_PERSON, ref=ref, kind=kind)
    assert str(text_id) not in await texts(center)
    await is_not_there_for(center, path, absent, ("resend", why), ("settle", why))
    await supervisor.does(f"{path}/settle", **why)
    await is_not_there_for(center, path, absent, ("resend", why), ("settle", why))


async def test_survey_text_of_another_handler_stays_with_the_dispatcher(
    who: Who, village: Village
) -> None:
    asked, center = await village.asked(new_phone()), await who("zhihui")
    async with transaction() as tx:
        await tx.act_as(OWNER)
        text_id = await tx.scalar(_NEEDS_A_PERSON, ref=asked.ref, kind="survey")
    assert str(text_id) in await texts(center)
    await center.does(f"/texts/{text_id}/settle", reason="已打电话")


async def texts(person: Person) -> set[str]:
    """The ids on somebody's list of texts that need a person."""
    found: set[str] = set()
    after: dict[str, str] = {}
    while True:
        page = await person.sees("/texts", size=100, **after)
        found |= {one["id"] for one in page["items"]}
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


async def test_who_has_no_number_is_not_answered_for_by_dispatcher_who_answered_them(
    who: Who, village: Village
) -> None:
    center, supervisor = await who("zhihui"), await who("ducha")
    ref = await center.registers(person={"name": "李大姐"})
    await center.does(f"/cases/{ref}/handle")
    await center.does(f"/cases/{ref}/answer", **ANSWER)
    await village.ask_about(ref)
    call = f"/return-calls/{(await calls(supervisor))[ref]}"
    rated = {"result": "evaluated", "evaluation": "satisfied"}
    await is_not_there_for(center, call, f"/return-calls/{uuid4()}", ("finding", rated))
    await supervisor.does(f"{call}/finding", **rated)


async def test_case_that_was_joined_was_handled_where_the_other_was(
    who: Who, village: Village
) -> None:
    phone = new_phone()
    center, supervisor = await who("zhihui"), await who("ducha")
    cadre = await who("gongnong")
    joined = await cadre.registers(person={"name": "李大姐", "phone": phone.removeprefix("+86")})
    primary = await told_to_the_center(who, new_phone())
    await center.does(f"/cases/{joined}/merge", primary_ref=primary, reason="同一件事")
    await center.does(f"/cases/{primary}/handle")
    await center.does(f"/cases/{primary}/answer", **ANSWER)
    await village.ask_about(joined)
    await reply(phone, "3")
    assert joined not in await calls(center)
    assert joined in await calls(supervisor)


async def test_where_the_center_assisted_its_dispatchers_are_kept_from_it_too(
    who: Who, village: Village
) -> None:
    phone, center, township = new_phone(), await who("zhihui"), await who("ronglong")
    ref = await told_to_the_center(who, phone)
    lead = {"unit_code": LEAD, "task": "换灯泡", "days": 7}
    assistants = [{"unit_code": CENTER, "task": "协调电力公司"}]
    await center.does(f"/cases/{ref}/dispatch", lead=lead, assistants=assistants, note="")
    head = await who("zhihui_head")
    await head.does(f"/cases/{ref}/sign")
    await head.does(f"/cases/{ref}/assist-answer", answer="已协调")
    await township.does(f"/cases/{ref}/sign")
    await township.does(f"/cases/{ref}/answer", **ANSWER)
    await village.ask_about(ref)
    await reply(phone, "3")
    assert ref not in await calls(center)
    assert ref in await calls(await who("ducha"))


async def test_what_others_handle_stays_the_dispatchers_who_gave_it_to_them(
    who: Who, village: Village
) -> None:
    phone = new_phone()
    ref, center = await told_to_the_center(who, phone), await who("zhihui")
    lead = {"unit_code": LEAD, "task": "换灯泡", "days": 7}
    await center.does(f"/cases/{ref}/dispatch", lead=lead, assistants=[], note="")
    township = await who("ronglong")
    await township.does(f"/cases/{ref}/sign")
    await township.does(f"/cases/{ref}/answer", **ANSWER)
    await village.ask_about(ref)
    await reply(phone, "3")
    call = f"/return-calls/{(await calls(center))[ref]}"
    await center.does(f"{call}/finding", **VALID)
    await center.does(f"/cases/{ref}/rework", reason="回访属实")
    # Who had a part in the new round is kept from that one, and from that one alone.
    supervisor = await who("ducha")
    await township.does(f"/cases/{ref}/sign")
    await supervisor.does(f"/cases/{ref}/approve-answer", reason="只有一人，已看照片")
    await township.does(f"/cases/{ref}/answer", **ANSWER)
    await village.ask_about(ref)
    with clock.moved(timedelta(hours=1)):
        await village.turn_about(ref)
        await reply(phone, "3")
    assert (await supervisor.get(call)).status_code == 200
    assert ref not in await calls(supervisor)
    look = {"ref": ref, "reason": "核对"}
    assert (await supervisor.post("/answers/looks", {**look, "round": 2})).status_code == 404
    assert (await supervisor.post("/answers/looks", {**look, "round": 1})).status_code == 200
    for account in ("zhihui", "duchashi"):
        assert ref in await calls(await who(account)), account


async def answered_together(center: Person, ref: str, leading: Person, assisting: Person) -> None:
    """By the lead and an assistant that the center names."""
    lead = {"unit_code": LEAD, "task": "换灯泡", "days": 7}
    assistants = [{"unit_code": ASSISTANT, "task": "查电路"}]
    await center.does(f"/cases/{ref}/dispatch", lead=lead, assistants=assistants, note="")
    await assisting.does(f"/cases/{ref}/sign")
    await assisting.does(f"/cases/{ref}/assist-answer", answer="电路正常")
    await leading.does(f"/cases/{ref}/sign")
    await leading.does(f"/cases/{ref}/answer", **ANSWER)


@pytest.mark.parametrize("part", [LEAD, ASSISTANT])
async def test_who_has_another_post_where_it_was_handled_is_kept_from_it(
    who: Who, village: Village, part: str
) -> None:
    phone, center = new_phone(), await who("zhihui")
    both = await who(await employed(Held(CENTER, Role.DISPATCHER), Held(part, Role.UNIT_HANDLER)))
    ref = await told_to_the_center(who, phone)
    await answered_together(center, ref, await who("ronglong"), await who("shuiwu"))
    await village.ask_about(ref)
    await reply(phone, "3")
    call = f"/return-calls/{(await calls(center))[ref]}"
    assert ref not in await calls(both)
    why = {"reason": "诉求不合理"}
    await is_not_there_for(
        both, call, f"/return-calls/{uuid4()}", ("finding", VALID), ("exclude", why)
    )


@pytest.mark.parametrize("part", ["lead", "assist"])
async def test_who_had_a_part_is_kept_from_it_in_whatever_post_they_sit(
    who: Who, village: Village, part: str
) -> None:
    phone, center = new_phone(), await who("zhihui")
    ref = await told_to_the_center(who, phone)
    account = await employed(Held(LEAD if part == "lead" else ASSISTANT, Role.UNIT_HANDLER))
    await appointed(account, Held(CENTER, Role.SUPERVISOR))
    somebody, township, bureau = await who(account), await who("ronglong"), await who("shuiwu")
    leading, assisting = (somebody, bureau) if part == "lead" else (township, somebody)
    await answered_together(center, ref, leading, assisting)
    await village.ask_about(ref)
    await reply(phone, "3")
    call = f"/return-calls/{(await calls(center))[ref]}"
    await sits_as_supervisor(somebody)
    another = await village.asked(None)
    listed = await calls(somebody)
    assert (another.ref in listed, ref in listed) == (True, False)
    why = {"reason": "诉求不合理"}
    await is_not_there_for(
        somebody, call, f"/return-calls/{uuid4()}", ("finding", VALID), ("exclude", why)
    )
    looked = await somebody.post("/answers/looks", {"ref": ref, "reason": "想知道"})
    assert looked.status_code == 404
    await center.does(f"{call}/finding", **UNREASONABLE)
    month = (await center.does(f"{call}/exclude", **why))["month"]
    listed_at = f"/reports/months/{month}/exclusions"
    assert (await somebody.get(listed_at)).status_code == 403, "nor of any, while they work there"
    async with transaction() as tx:
        await tx.execute(_HAS_LEFT, account=account, day=await yesterday(tx))
    for person, told in ((await who("ducha"), True), (somebody, False)):
        excluded = (await person.sees(listed_at, size=100))["items"]
        assert (ref in {one["ref"] for one in excluded}) is told


async def test_inspector_who_answered_an_accusation_leaves_the_call_to_the_other(
    who: Who, village: Village
) -> None:
    phone = new_phone()
    asked = await village.asked_about_an_accusation(phone, solver="jiwei")
    await reply(phone, "不满意")
    answerer, other = await who("jiwei"), await who("jiandu")
    call = f"/return-calls/{(await calls(other))[asked.ref]}"
    assert asked.ref not in await calls(answerer)
    await is_not_there_for(answerer, call, f"/return-calls/{uuid4()}", ("finding", VALID))
    again = f"/cases/{asked.ref}/rework"
    before = await answerer.post(again, {"reason": "想知道"})
    await other.does(f"{call}/finding", **VALID)
    after = await answerer.post(again, {"reason": "想知道"})
    assert (before.status_code, before.content) == (403, after.content)
    assert (await other.does(again, reason="回访属实"))["round"] == 2
