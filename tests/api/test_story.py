"""The county's own story over HTTP, and every other action once, each by somebody who may."""

from typing import Any

import pytest
from fastapi import FastAPI

from app.cases.lifecycle import Action
from tests.api.about_time import texts, verifies
from tests.api.conftest import Who
from tests.people import WATER, Person

DISPATCH = {
    "lead": {"unit_code": "500153100", "task": "恢复供水", "days": 7},
    "assistants": [{"unit_code": "500153D11", "task": "检修管网"}],
    "note": "一周内办结",
}


async def takes(person: Person, ref: str, action: str, **body: Any) -> Any:
    """Take an action; what the answer says may be done next must be what the case itself says."""
    answer = await person.does(f"/cases/{ref}/{action}", **body)
    shown = await person.get(f"/cases/{ref}")
    if shown.is_success:
        assert answer["actions"] == shown.json()["actions"], f"after {action} by {person.account}"
        assert answer["version"] == shown.json()["version"]
        assert answer["parts"] == shown.json()["parts"]
    return answer


async def at_the_center(who: Who) -> str:
    cadre, clerk = await who("gongnong"), await who("guangshun")
    ref = await cadre.registers()
    await takes(cadre, ref, "escalate", finding="社区没有供水管网的维修能力")
    await takes(clerk, ref, "escalate", finding="水源在荣隆镇，街道无法协调")
    return ref


async def dispatched(who: Who) -> str:
    ref = await at_the_center(who)
    await takes(await who("zhihui"), ref, "dispatch", **DISPATCH)
    return ref


async def test_water_of_five_blocks_runs_again_and_everybody_can_read_how(who: Who) -> None:
    cadre, clerk, center = await who("gongnong"), await who("guangshun"), await who("zhihui")
    lead, assistant = await who("ronglong"), await who("shuiwu")
    ref = await cadre.registers()
    assert ref in await cadre.lists("to_judge")
    await takes(cadre, ref, "escalate", finding="社区没有供水管网的维修能力")
    await takes(clerk, ref, "escalate", finding="水源在荣隆镇，街道无法协调")
    state = await takes(center, ref, "dispatch", **DISPATCH)
    assert (state["phase"], state["holder"]) == ("handling", "荣隆镇")
    assert [(part["unit"], part["role"]) for part in state["parts"]] == [
        ("荣隆镇", "lead"),
        ("县水务局", "assist"),
    ]
    assert ref in await lead.lists("to_sign")
    for who_signs in (lead, assistant):
        await takes(who_signs, ref, "sign")
    assert ref in await assistant.lists("assisting")
    await takes(lead, ref, "progress", report="已找到漏点", tell_reporter=True)
    early = await lead.post(f"/cases/{ref}/answer", {"outcome": "solved", "answer": "已恢复"})
    assert (early.status_code, early.json()["type"]) == (409, "/problems/assistants-open")
    await takes(assistant, ref, "assist-answer", answer="管网已修复")
    state = await takes(lead, ref, "answer", outcome="solved", answer="13至17栋已恢复供水")
    assert (state["phase"], state["phase_label"]) == ("answered", "已办结")

    for reader in (cadre, clerk, center, lead, assistant):
        detail = await reader.sees(f"/cases/{ref}")
        assert [entry["action"] for entry in detail["timeline"]] == [
            "register", "escalate", "escalate", "dispatch", "sign", "sign", "progress", "assist_answer", "answer",
        ]  # fmt: skip
        assert detail["body"] == WATER["body"]
        assert detail["first_unit"] == "工农茶叶产业社区居民委员会"
        assert ref in await reader.lists("finished")
    assert (await takes(center, ref, "close"))["phase"] == "closed"


async def test_what_is_missing_is_asked_for_once_and_supplied(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    asked = await takes(cadre, ref, "request-supplement", missing="房屋编号")
    assert asked["waiting"] == "supplement"
    again = await cadre.post(f"/cases/{ref}/request-supplement", {"missing": "还有"})
    assert again.status_code == 409
    assert (await takes(cadre, ref, "supply", supplement="13栋"))["waiting"] is None


async def test_declined_case_goes_to_the_next_tier_when_the_reporter_objects(who: Who) -> None:
    cadre, clerk = await who("gongnong"), await who("guangshun")
    ref = await cadre.registers()
    await takes(cadre, ref, "escalate", finding="社区无法解决")
    declined = await takes(clerk, ref, "decline", reason="已进入诉讼", basis="《信访工作条例》")
    assert declined["phase"] == "declined"
    objected = await takes(cadre, ref, "object-refusal", reason="没有诉讼")
    assert (objected["phase"], objected["holder"]) == ("pending", "荣昌区群工系统指挥中心")


async def test_unit_above_sends_a_case_down_to_where_it_can_be_solved(who: Who) -> None:
    center = await who("zhihui")
    ref = await at_the_center(who)
    sent = await takes(center, ref, "send-down", to_code="500153003", reason="属街道职责")
    assert (sent["holder"], sent["returns"]) == ("广顺街道", 1)
    nowhere = await center.post(
        f"/cases/{await at_the_center(who)}/send-down", {"to_code": "500153D11", "reason": "无"}
    )
    assert nowhere.status_code == 422


async def test_village_solves_what_it_can(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    assert (await takes(cadre, ref, "handle"))["phase"] == "handling"
    solved = await takes(cadre, ref, "answer", outcome="explained", answer="按政策", basis="条例")
    assert solved["outcome"] == "explained"


@pytest.mark.parametrize("agreed", [True, False])
async def test_center_decides_whether_the_lead_was_rightly_named(who: Who, agreed: bool) -> None:
    center, lead = await who("zhihui"), await who("ronglong")
    ref = await dispatched(who)
    asked = await takes(lead, ref, "hand-back", reason="该路段不在本镇")
    assert asked["parts"][0]["hand_back_asked"]
    settled = await takes(
        center, ref, "settle", unit_code="500153100", agreed=agreed, reason="核查权属"
    )
    assert settled["phase"] == ("pending" if agreed else "handling")
    assert settled["returns"] == int(agreed)


async def test_excused_assistant_no_longer_holds_up_the_answer(who: Who) -> None:
    center, lead = await who("zhihui"), await who("ronglong")
    ref = await dispatched(who)
    await takes(lead, ref, "sign")
    await takes(center, ref, "excuse", unit_code="500153D11", reason="已自行修复")
    await takes(lead, ref, "answer", outcome="solved", answer="已恢复供水")


async def test_leader_presses_and_instructs_but_does_nothing_else(who: Who) -> None:
    leader = await who("lingdao")
    ref = await dispatched(who)
    assert (await takes(leader, ref, "press", note="请尽快"))["presses"] == 1
    instructed = await takes(leader, ref, "instruct", instruction="今日先送水")
    assert instructed["actions"] == ["press", "instruct", "supervise", "list"]
    assert (await leader.post(f"/cases/{ref}/sign")).status_code == 409


async def test_two_reports_of_one_thing_become_one_case(who: Who) -> None:
    center = await who("zhihui")
    first, second = await at_the_center(who), await at_the_center(who)
    merged = await takes(center, second, "merge", primary_ref=first, reason="同一小区")
    assert merged["phase"] == "merged"
    itself = await center.post(f"/cases/{first}/merge", {"primary_ref": first, "reason": "误"})
    assert itself.status_code == 422


async def test_whoever_entered_case_may_withdraw_it_for_reporter_who_is_told(
    who: Who,
) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    assert (await takes(cadre, ref, "withdraw", reason="已自行解决"))["phase"] == "withdrawn"
    [told] = await texts(ref, "withdrawn")
    assert (told["unit"], told["reason"]) == ("工农茶叶产业社区居民委员会", "已自行解决")


@pytest.mark.parametrize("account", ["lingdao", "shuiwu", "ducha", "admin"])
async def test_only_units_one_can_walk_up_to_take_a_grievance_in(who: Who, account: str) -> None:
    refused = await (await who(account)).post("/cases", WATER)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-permitted")


async def test_reporters_number_is_only_for_those_who_work_on_the_case(who: Who) -> None:
    ref = await dispatched(who)
    for account in ("gongnong", "zhihui", "ronglong", "shuiwu"):
        detail = await (await who(account)).sees(f"/cases/{ref}")
        assert detail["reporter"] == {"name": "王大爷", "phone": "+8613983001234"}, account
    # 广顺街道 judged it and passed it on: it follows, but need not call. Leaders and inspectors look.
    for account in ("guangshun", "lingdao", "ducha"):
        shown = await (await who(account)).get(f"/cases/{ref}")
        assert shown.json()["reporter"] is None, account
        assert "13983001234" not in shown.text
    # Of the unit that holds the case, but not to work on it.
    shown = await (await who("ducha")).sees(f"/cases/{await at_the_center(who)}")
    assert (shown["holder"], shown["reporter"]) == ("荣昌区群工系统指挥中心", None)


async def test_action_upon_a_version_no_longer_current_changes_nothing(who: Who) -> None:
    center, leader = await who("zhihui"), await who("lingdao")
    ref = await dispatched(who)
    seen = await center.get(f"/cases/{ref}")
    version = seen.json()["version"]
    assert seen.headers["etag"] == f'"{version}"'
    await takes(leader, ref, "press", note="请尽快")
    stale = await center.post(f"/cases/{ref}/press", {"note": "催"}, version=version)
    assert (stale.status_code, stale.json()["type"]) == (412, "/problems/changed-meanwhile")
    after = await center.sees(f"/cases/{ref}")
    assert (after["version"], after["presses"]) == (version + 1, 1)
    fresh = await center.post(f"/cases/{ref}/press", {"note": "催"}, version=after["version"])
    assert fresh.headers["etag"] == f'"{version + 2}"'


async def test_every_action_of_the_lifecycle_has_its_address(api: FastAPI) -> None:
    paths = api.openapi()["paths"]
    of_the_system = {Action.REMIND, Action.RESCHEDULE, Action.REASSIGN, Action.ERASE}
    # Cards have addresses of their own: who appeals need not see the case any more.
    of_cards = {Action.CARD, Action.APPEAL, Action.DECIDE_APPEAL}
    for action in set(Action) - {Action.REGISTER, Action.REWORK} - of_the_system - of_cards:
        assert "post" in paths[f"/cases/{{ref}}/{action.replace('_', '-')}"], action


async def test_pages_of_a_list_follow_each_other_without_gap_or_repeat(who: Who) -> None:
    cadre = await who("gongnong")
    made = {await cadre.registers() for _ in range(5)}
    found: list[str] = []
    page = await cadre.sees("/cases", view="to_judge", size=2)
    while True:
        found += [one["ref"] for one in page["items"]]
        if page["next"] is None:
            break
        page = await cadre.sees("/cases", view="to_judge", size=2, cursor=page["next"])
    assert len(found) == len(set(found))
    assert made <= set(found)


async def test_command_center_passes_on_what_it_had_taken_on_itself(who: Who) -> None:
    center, helper = await who("zhihui"), await who("shuiwu")
    ref = await at_the_center(who)
    whole = (await center.sees(f"/cases/{ref}"))["due_at"]
    await takes(center, ref, "dispatch", lead={"unit_code": "500153ZH"}, assistants=[{"unit_code": "500153D11"}])  # fmt: skip
    # The assistant becomes the lead, in the same round.
    moved = await takes(center, ref, "dispatch", lead={"unit_code": "500153D11"}, assistants=[])
    assert (moved["phase"], moved["holder"], moved["due_at"]) == ("handling", "县水务局", whole)
    told = [(part["unit"], part["role"], part["state"]) for part in moved["parts"]]
    assert ("县水务局", "lead", "offered") in told
    assert ("县水务局", "assist", "released") in told
    assert await helper.lists("to_sign") >= {ref}
    assert await verifies(ref)


@pytest.mark.parametrize("taken_on", ["handle", "dispatch"])
async def test_command_center_does_not_give_itself_what_it_leads_already(
    who: Who, taken_on: str
) -> None:
    """Its time would begin anew, as often as it likes."""
    center, ref = await who("zhihui"), await at_the_center(who)
    itself = {"lead": {"unit_code": "500153ZH"}, "assistants": []}
    await takes(center, ref, taken_on, **(itself if taken_on == "dispatch" else {}))
    before = (await center.sees(f"/cases/{ref}"))["clocks"]
    refused = await center.post(f"/cases/{ref}/dispatch", itself)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/action-not-allowed")
    assert "已经由本单位主办" in refused.json()["detail"]
    assert "dispatch" in refused.json()["allowed"], "to any other unit"
    assert (await center.sees(f"/cases/{ref}"))["clocks"] == before
