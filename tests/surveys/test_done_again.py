"""A round that is done again: who may answer it, that each round is asked about, and when a call is given up."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from app import clock
from app.db import transaction
from app.directory.terms import Role
from app.evaluation.return_calls import CallToMake, Finding
from app.evaluation.terms import CallResult, Value
from tests.conftest import Staff
from tests.people import Person
from tests.surveys.conftest import Asked, Village, new_phone
from tests.surveys.test_sealed_calls import Who, calls, who
from tests.surveys.test_surveys import answers, call_about, called, reply
from tests.surveys.test_turns import survey, texts
from tests.units import Held, employed

__all__ = ["who"]

VILLAGE = "500153003007"
DAY = timedelta(days=1)
ANSWER = {"outcome": "solved", "answer": "已换灯泡"}


async def done_again(village: Village, who: Who, **named: Any) -> tuple[Asked, Person]:
    phone, center = new_phone(), await who("zhihui")
    asked = await village.asked(phone)
    await reply(phone, "不满意，灯还是不亮")
    call = f"/return-calls/{(await calls(center))[asked.ref]}"
    await center.does(f"{call}/finding", result="valid", consent=True)
    await center.does(f"/cases/{asked.ref}/rework", reason="回访属实", **named)
    return asked, await who("gongnong")


async def test_rework_goes_to_another_lead_and_other_assistants(village: Village, who: Who) -> None:
    asked, cadre = await done_again(
        village,
        who,
        lead={"unit_code": "500153D11", "task": "更换主管", "days": 7},
        assistants=[{"unit_code": VILLAGE, "task": "配合停水"}],
        note="一周内办结",
    )
    case, lead = f"/cases/{asked.ref}", await who("shuiwu")
    seen = await lead.sees(case)
    assert (seen["holder"], seen["round"], seen["phase"]) == ("县水务局", 2, "handling")
    assert {(part["unit"], part["role"]) for part in seen["parts"]} == {
        ("县水务局", "lead"),
        ("工农茶叶产业社区居民委员会", "assist"),
    }
    assert seen["timeline"][-1]["to"] == "县水务局"
    handling = [one for one in seen["clocks"] if one["stage"] == "handle"]
    assert [(one["unit"], one["round"]) for one in handling] == [
        ("工农茶叶产业社区居民委员会", 1),
        ("县水务局", 2),
    ]
    assert handling[1]["limit"] == "7 个工作日"
    paper = (await lead.get(f"{case}/papers/{seen['papers'][-1]['id']}")).text
    assert "<p>县水务局：</p>" in paper
    assert "配合停水" in paper
    await cadre.does(f"{case}/sign")
    await cadre.does(f"{case}/assist-answer", answer="已配合")
    await lead.does(f"{case}/sign")
    assert (await lead.does(f"{case}/answer", **ANSWER))["round"] == 2


async def test_rework_refuses_a_unit_that_would_lead_and_assist(village: Village, who: Who) -> None:
    phone, center = new_phone(), await who("zhihui")
    asked = await village.asked(phone)
    await reply(phone, "不满意")
    call = f"/return-calls/{(await calls(center))[asked.ref]}"
    await center.does(f"{call}/finding", result="valid", consent=True)
    refused = await center.post(
        f"/cases/{asked.ref}/rework",
        {"reason": "回访属实", "assistants": [{"unit_code": VILLAGE}]},
    )
    assert refused.status_code == 422
    assert (await center.sees(f"/cases/{asked.ref}"))["round"] == 1


async def test_one_who_answered_does_not_answer_the_round_that_is_done_again(
    village: Village, who: Who
) -> None:
    asked, cadre = await done_again(village, who)
    case = f"/cases/{asked.ref}"
    seen = await cadre.does(f"{case}/sign")
    assert "answer" not in seen["actions"]
    refused = await cadre.post(f"{case}/answer", ANSWER)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/action-not-allowed")
    assert "先报县指挥中心同意" in refused.json()["detail"]


async def test_where_a_unit_has_nobody_else_the_command_center_approves(
    village: Village, who: Who
) -> None:
    asked, cadre = await done_again(village, who)
    case = f"/cases/{asked.ref}"
    await cadre.does(f"{case}/sign")
    assert (await cadre.post(f"{case}/approve-answer", {"reason": "自己看过"})).status_code == 409
    center = await who("zhihui")
    approved = await center.does(f"{case}/approve-answer", reason="社区只有一名干部，已看照片")
    assert "approve_answer" not in approved["actions"]
    answered = await cadre.does(f"{case}/answer", **ANSWER)
    assert (answered["phase"], answered["round"]) == ("answered", 2)


async def test_who_answered_any_round_before_does_not_answer_the_third(
    village: Village, who: Who, staff: Staff
) -> None:
    asked, cadre = await done_again(village, who)
    colleague = await who(await employed(Held(VILLAGE, Role.VILLAGE_CADRE)))
    case, center = f"/cases/{asked.ref}", await who("zhihui")
    await colleague.does(f"{case}/sign")
    await colleague.does(f"{case}/answer", **ANSWER)
    again = await village.asked_again(asked)
    with clock.moved(timedelta(hours=1)):
        await village.turn(again)
        assert again.phone is not None
        await reply(again.phone, "不满意，又不亮了")
        call = await call_about(again, staff)
        assert call is not None
        await center.does(f"/return-calls/{call.id}/finding", result="valid", consent=True)
        await center.does(f"{case}/rework", reason="回访属实")
        await cadre.does(f"{case}/sign")
        for one in (cadre, colleague):
            assert "answer" not in (await one.sees(case))["actions"], one.account
            assert (await one.post(f"{case}/answer", ANSWER)).status_code == 409
        third = await who(await employed(Held(VILLAGE, Role.VILLAGE_CADRE)))
        assert (await third.does(f"{case}/answer", **ANSWER))["round"] == 3


async def test_who_answered_at_command_center_does_not_approve_for_themselves(
    village: Village, who: Who
) -> None:
    phone, center, supervisor = new_phone(), await who("zhihui"), await who("ducha")
    person = {"name": "李大姐", "phone": phone.removeprefix("+86")}
    ref = await center.registers(person=person)
    case = f"/cases/{ref}"
    await center.does(f"{case}/handle")
    await center.does(f"{case}/answer", **ANSWER)
    await village.ask_about(ref)
    await reply(phone, "不满意")
    call = f"/return-calls/{(await calls(supervisor))[ref]}"
    await supervisor.does(f"{call}/finding", result="valid", consent=True)
    await supervisor.does(f"{case}/rework", reason="回访属实")
    seen = await center.does(f"{case}/sign")
    assert {"answer", "approve_answer"}.isdisjoint(seen["actions"])
    assert (await center.post(f"{case}/approve-answer", {"reason": "看过"})).status_code == 409
    await supervisor.does(f"{case}/approve-answer", reason="现场看过")
    assert (await center.does(f"{case}/answer", **ANSWER))["round"] == 2


async def test_each_round_is_asked_about_and_keeps_what_was_said(
    village: Village, who: Who
) -> None:
    asked, cadre = await done_again(village, who)
    assert asked.phone is not None
    case = f"/cases/{asked.ref}"
    await cadre.does(f"{case}/sign")
    await (await who("zhihui")).does(f"{case}/approve-answer", reason="已看照片")
    await cadre.does(f"{case}/answer", **ANSWER)
    again = await village.asked_again(asked)
    with clock.moved(timedelta(hours=1)):
        await village.turn(again)
        assert (await survey(asked)).round == 2
        await reply(asked.phone, "满意")
    assert sorted(await answers(asked)) == [("dissatisfied", "text"), ("satisfied", "text")]
    assert await texts(asked) == ["survey", "survey"]


async def test_first_round_needs_no_approval(village: Village, who: Who) -> None:
    cadre, center = await who("gongnong"), await who("zhihui")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/handle")
    assert (await center.post(f"/cases/{ref}/approve-answer", {"reason": "好"})).status_code == 409
    assert (await cadre.does(f"/cases/{ref}/answer", **ANSWER))["phase"] == "answered"


async def test_who_is_not_reached_on_three_days_is_given_up_and_heard_if_they_call(
    village: Village, staff: Staff
) -> None:
    asked = await village.asked(None)
    call = await call_about(asked, staff)
    assert call is not None

    async def record(finding: Finding) -> CallToMake:
        return await called(call, finding, staff)

    vain = Finding(CallResult.NOT_REACHED, note="无人接听")
    found = call
    for hours, state in ((0, "open"), (0, "open"), (24, "open"), (24, "open"), (48, "done")):
        with clock.moved(timedelta(hours=hours)):
            found = await record(vain)
        assert (found.state, found.result) == (state, "not_reached"), hours
    assert found.tries == 5
    assert await call_about(asked, staff) is None
    with clock.moved(3 * DAY):
        heard = await record(Finding(CallResult.EVALUATED, evaluation=Value.SATISFIED))
    assert (heard.state, heard.result) == ("done", "evaluated")
    assert await answers(asked) == [("satisfied", "return_call")]


async def test_nothing_that_unit_reads_changes_by_what_is_asked_answered_or_called(
    village: Village, who: Who
) -> None:
    phone = new_phone()
    first, second = await village.asked(phone), await village.asked(phone)
    handlers = [await who(account) for account in ("gongnong", "guangshun")]

    async def read() -> list[tuple[int, bytes, str | None]]:
        paths = [f"/cases/{one.ref}" for one in (first, second)]
        paths += [f"/cases?view={view}&size=100" for view in ("answered", "handling")]
        told = [await handler.client.get(path) for handler in handlers for path in paths]
        return [(one.status_code, one.content, one.headers.get("etag")) for one in told]

    before = await read()
    center = await who("zhihui")
    await reply(phone, "满意")
    assert await read() == before
    await reply(phone, "不满意，灯还是不亮")
    await reply(phone, "TD")
    assert await read() == before
    call = f"/return-calls/{(await calls(center))[first.ref]}"
    await center.does(f"{call}/finding", result="valid", consent=True)
    with clock.moved(timedelta(hours=1)):
        await village.turn(second)
    assert await read() == before


_TOLD = text("""
SELECT g.ref, m.round FROM outbox_message m JOIN grievance g ON g.id = m.matter_id WHERE m.kind = 'reworked' AND g.ref = ANY(:refs)
""")


async def test_for_who_joined_case_that_joined_another_it_is_done_again_there_and_each_is_told(
    village: Village, who: Who
) -> None:
    cadre, center = await who("gongnong"), await who("zhihui")
    phones = [new_phone() for _ in range(3)]
    last, between, primary = [
        await cadre.registers(person={"name": "王大爷", "phone": phone}) for phone in phones
    ]
    await center.does(f"/cases/{last}/merge", primary_ref=between, reason="同一件事")
    await center.does(f"/cases/{between}/merge", primary_ref=primary, reason="同一件事")
    await cadre.does(f"/cases/{primary}/handle")
    await cadre.does(f"/cases/{primary}/answer", **ANSWER)
    await village.ask_about(last)
    await reply(phones[0], "不满意，灯还是不亮")
    call = f"/return-calls/{(await calls(center))[last]}"
    told = await center.does(f"{call}/finding", result="valid", consent=True)
    assert (told["ref"], told["handled_ref"]) == (last, primary)
    assert told["unit"].startswith("工农茶叶产业社区")
    again = await center.does(f"/cases/{primary}/rework", reason="回访属实")
    assert (again["phase"], again["round"]) == ("handling", 2)
    async with transaction() as tx:
        refs = {tuple(row) for row in await tx.all(_TOLD, refs=[last, between, primary])}
    assert refs == {(last, 2), (between, 2), (primary, 2)}
