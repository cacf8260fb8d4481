"""The command center decides anew who leads and who assists, in a round and after a return call, and its head decides too."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.cards import sweep
from app.clock import moved, process_now
from app.db import reading, transaction
from tests.api.conftest import Who
from tests.people import Person, signed_in

RONGLONG, SHUIWU, GUANGSHUN, ANFU = "500153100", "500153D11", "500153003", "500153005"
_LEADS = text("""
SELECT u.code, a.state, a.round FROM assignment a JOIN grievance g ON g.id = a.matter_id JOIN unit u ON u.id = a.unit_id
WHERE g.ref = :ref AND a.role = 'lead' ORDER BY a.id
""")
_COMES_UP = text("""
SELECT w.id FROM clock w JOIN grievance g ON g.id = w.matter_id WHERE g.ref = :ref AND w.next_at IS NOT NULL ORDER BY w.next_at
""")
_TEXTS = text("""
SELECT m.kind FROM outbox_message m JOIN grievance g ON g.id = m.matter_id WHERE g.ref = :ref ORDER BY m.created_at, m.id
""")


async def at_the_center(who: Who) -> str:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/escalate", finding="社区没有供水管网的维修能力和权限")
    await (await who("guangshun")).does(
        f"/cases/{ref}/escalate", finding="供水主管在荣隆镇，街道无法协调"
    )
    return ref


async def dispatched(who: Who, *assistants: str) -> str:
    ref = await at_the_center(who)
    parts = [{"unit_code": code, "task": "检修"} for code in assistants]
    center = await who("zhihui")
    await center.does(
        f"/cases/{ref}/dispatch", lead={"unit_code": RONGLONG}, assistants=parts, note=""
    )
    return ref


async def changed(center: Person, ref: str, to: str = SHUIWU, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = await center.does(
        f"/cases/{ref}/change-lead", lead={"unit_code": to, **more}, reason="管网权属已移交水务局"
    )
    return found


def clocks(case: dict[str, Any], stage: str) -> list[dict[str, Any]]:
    return [one for one in case["clocks"] if one["stage"] == stage]


async def leads(ref: str) -> list[tuple[str, str, int]]:
    async with reading() as tx:
        return [tuple(row) for row in await tx.all(_LEADS, ref=ref)]


async def test_changed_lead_gets_its_own_stage_and_nothing_else_moves(who: Who) -> None:
    center = await who("zhihui")
    ref = await dispatched(who, GUANGSHUN)
    before = await center.sees(f"/cases/{ref}")
    state = await changed(center, ref, days=4, task="更换主管")
    after = await center.sees(f"/cases/{ref}")
    assert (state["holder"], state["phase"], state["round"]) == ("县水务局", "handling", 1)
    assert (state["returns"], state["due_at"]) == (0, before["due_at"])
    assert after["statutory_due_at"] == before["statutory_due_at"]
    former, own = clocks(after, "handle")
    assert (former["unit"], own["unit"], own["ended_at"]) == ("荣隆镇", "县水务局", None)
    assert former["due_at"] == clocks(before, "handle")[0]["due_at"]
    assert (former["ended_at"], own["limit"]) == (own["started_at"], "4 个工作日")
    assert await leads(ref) == [(RONGLONG, "released", 1), (SHUIWU, "offered", 1)]
    parts = {part["unit"]: part["state"] for part in state["parts"] if part["role"] == "assist"}
    assert parts == {"广顺街道": "offered"}


async def test_change_of_lead_is_told_to_both_units_and_the_reporter(who: Who) -> None:
    ref = await dispatched(who)
    await changed(await who("zhihui"), ref)
    for account in ("ronglong", "shuiwu"):
        entry = (await (await who(account)).sees(f"/cases/{ref}"))["timeline"][-1]
        assert (entry["action"], entry["to"]) == ("change_lead", "县水务局")
        assert entry["texts"]["reason"] == "管网权属已移交水务局"
    assert ref in await (await who("shuiwu")).lists("to_sign")
    assert ref not in await (await who("ronglong")).lists("handling")
    async with reading() as tx:
        assert (await tx.all(_TEXTS, ref=ref))[-1].kind == "moved"
    paper = (await (await who("shuiwu")).sees(f"/cases/{ref}"))["papers"][-1]
    assert paper["label"] == "交办单"
    drawn = (await (await who("shuiwu")).get(f"/cases/{ref}/papers/{paper['id']}")).text
    assert "<p>县水务局：</p>" in drawn
    assert "交由你单位主办" in drawn


async def test_former_lead_keeps_its_card_and_acts_no_more(api: FastAPI, who: Who) -> None:
    former = await who("ronglong")
    ref = await dispatched(who)
    await former.does(f"/cases/{ref}/sign")
    due = clocks(await former.sees(f"/cases/{ref}"), "handle")[0]["yellow_at"]
    late = datetime.fromisoformat(due) - process_now() + timedelta(minutes=5)
    with moved(late):
        async with signed_in(api, "zhihui") as center:
            await changed(center, ref)
        async with transaction() as tx:
            due_clocks = await tx.all(_COMES_UP, ref=ref)
            claimed = [one for row in due_clocks for one in await sweep.claim_one(tx, row.id)]
            await sweep.issue(tx, claimed)
    async with reading() as tx:
        cards = await tx.all(
            text("""SELECT u.code, k.stage FROM card k JOIN unit u ON u.id = k.unit_id
                JOIN grievance g ON g.id = k.matter_id WHERE g.ref = :ref AND k.stage = 'handle'"""),
            ref=ref,
        )
    assert [tuple(card) for card in cards] == [(RONGLONG, "handle")]
    refused = await former.post(f"/cases/{ref}/progress", {"report": "在办"})
    assert refused.status_code == 409


async def test_extension_asked_by_the_former_lead_lapses(who: Who) -> None:
    center = await who("zhihui")
    ref = await dispatched(who)
    former = await who("ronglong")
    await former.does(f"/cases/{ref}/sign")
    await former.does(f"/cases/{ref}/extend", days=5, reason="等材料")
    await former.does(
        f"/cases/{ref}/wait",
        why="suspended",
        reason="列入改造",
        until=str((process_now() + timedelta(days=9)).date()),
    )
    await changed(center, ref)
    case = await center.sees(f"/cases/{ref}")
    assert (case["extension_asked_at"], case["wait_asked_at"], case["extended"]) == (
        None,
        None,
        False,
    )
    assert ref not in await center.lists("to_decide")
    await (await who("shuiwu")).does(f"/cases/{ref}/sign")
    assert "extend" in (await (await who("shuiwu")).sees(f"/cases/{ref}"))["actions"]


async def test_hand_back_is_decided_before_the_lead_changes(who: Who) -> None:
    center = await who("zhihui")
    ref = await dispatched(who, SHUIWU)
    await (await who("ronglong")).does(f"/cases/{ref}/hand-back", reason="不在本镇")
    body = {"lead": {"unit_code": SHUIWU}, "reason": "改派"}
    refused = await center.post(f"/cases/{ref}/change-lead", body)
    assert refused.status_code == 409
    assert "退回申请尚待裁定" in refused.json()["detail"]
    await center.does(f"/cases/{ref}/settle", unit_code=RONGLONG, agreed=False, reason="在镇上")
    await (await who("shuiwu")).does(f"/cases/{ref}/hand-back", reason="不归我局")
    refused = await center.post(f"/cases/{ref}/change-lead", body)
    assert refused.status_code == 409
    await center.does(f"/cases/{ref}/settle", unit_code=SHUIWU, agreed=False, reason="在局里")
    assert (await changed(center, ref))["returns"] == 0


async def test_assistant_that_becomes_lead_has_one_part(who: Who) -> None:
    center = await who("zhihui")
    ref = await dispatched(who, SHUIWU, GUANGSHUN)
    state = await changed(center, ref)
    opened = {
        (part["unit"], part["role"])
        for part in state["parts"]
        if part["state"] in ("offered", "signed")
    }
    assert opened == {("县水务局", "lead"), ("广顺街道", "assist")}
    case = await center.sees(f"/cases/{ref}")
    assert [one["ended_at"] is None for one in clocks(case, "assist")].count(True) == 1


async def test_same_unit_is_refused_as_new_lead(who: Who) -> None:
    ref = await dispatched(who)
    body = {"lead": {"unit_code": RONGLONG}, "reason": "再给时间"}
    refused = await (await who("zhihui")).post(f"/cases/{ref}/change-lead", body)
    assert refused.status_code == 422
    assert await leads(ref) == [(RONGLONG, "offered", 1)]


async def test_lead_of_a_township_that_handles_by_itself_is_not_changed(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/handle")
    center = await who("zhihui")
    bodies: dict[str, dict[str, Any]] = {
        "change-lead": {"lead": {"unit_code": SHUIWU}, "reason": "改派"},
        "add-assistants": {"assistants": [{"unit_code": SHUIWU}]},
    }
    for action, body in bodies.items():
        refused = await center.post(f"/cases/{ref}/{action}", body)
        assert refused.status_code == 409, action


async def test_center_that_handles_a_case_adds_and_releases_assistants(who: Who) -> None:
    center = await who("zhihui")
    ref = await at_the_center(who)
    await center.does(f"/cases/{ref}/handle")
    state = await center.does(
        f"/cases/{ref}/add-assistants",
        assistants=[
            {"unit_code": SHUIWU, "task": "检修管网", "days": 2},
            {"unit_code": RONGLONG, "task": "组织送水"},
        ],
        note="三日内",
    )
    assert {part["unit"]: part["role"] for part in state["parts"]} == {
        "荣昌区群工系统指挥中心": "lead",
        "县水务局": "assist",
        "荣隆镇": "assist",
    }
    assert "answer" not in state["actions"]
    helper = await who("shuiwu")
    assert ref in await helper.lists("to_sign")
    paper = (await helper.sees(f"/cases/{ref}"))["papers"][-1]
    drawn = (await helper.get(f"/cases/{ref}/papers/{paper['id']}")).text
    assert "交由你单位协办" in drawn
    assert "检修管网" in drawn
    again = await center.post(
        f"/cases/{ref}/add-assistants", {"assistants": [{"unit_code": SHUIWU}]}
    )
    assert again.status_code == 422
    await helper.does(f"/cases/{ref}/sign")
    await helper.does(f"/cases/{ref}/assist-answer", answer="已修复")
    state = await center.does(f"/cases/{ref}/excuse", unit_code=RONGLONG, reason="不需要了")
    assert "answer" in state["actions"]


async def test_center_hands_its_own_case_to_another_lead_and_keeps_assistants(who: Who) -> None:
    center = await who("zhihui")
    ref = await at_the_center(who)
    await center.does(f"/cases/{ref}/handle")
    await center.does(f"/cases/{ref}/add-assistants", assistants=[{"unit_code": GUANGSHUN}])
    state = await changed(center, ref)
    assert state["holder"] == "县水务局"
    assert {part["unit"] for part in state["parts"] if part["state"] == "offered"} == {
        "县水务局",
        "广顺街道",
    }


@pytest.mark.parametrize("account", ["zhihui", "zhihui_head"])
async def test_head_of_the_center_does_what_a_dispatcher_does(who: Who, account: str) -> None:
    center = await who(account)
    ref = await at_the_center(who)
    assert ref in await center.lists("to_judge")
    offered = (await center.sees(f"/cases/{ref}"))["actions"]
    assert offered == (await (await who("zhihui")).sees(f"/cases/{ref}"))["actions"]
    await center.does(f"/cases/{ref}/dispatch", lead={"unit_code": RONGLONG})
    await center.does(f"/cases/{ref}/press", note="请尽快")
    await center.does(f"/cases/{ref}/add-assistants", assistants=[{"unit_code": GUANGSHUN}])
    await (await who("guangshun")).does(f"/cases/{ref}/hand-back", reason="不在本街道")
    await center.does(f"/cases/{ref}/settle", unit_code=GUANGSHUN, agreed=True, reason="属实")
    assert (await changed(center, ref))["holder"] == "县水务局"


async def test_head_of_the_center_sees_cases_it_has_no_part_in(who: Who) -> None:
    ref = await (await who("gongnong")).registers()
    center = await who("zhihui_head")
    assert (await center.sees(f"/cases/{ref}"))["reporter"] is not None
    assert (await center.get("/signals")).status_code == 200
    assert (await center.get("/return-calls")).status_code == 200


@pytest.mark.parametrize("account", ["gongnong", "guangshun", "ronglong_head", "ducha", "lingdao"])
async def test_nobody_but_the_center_changes_the_lead(who: Who, account: str) -> None:
    ref = await dispatched(who)
    somebody = await who(account)
    body = {"lead": {"unit_code": ANFU}, "reason": "改派"}
    refused = await somebody.post(f"/cases/{ref}/change-lead", body)
    assert refused.status_code in (404, 409)
    assert await leads(ref) == [(RONGLONG, "offered", 1)]
