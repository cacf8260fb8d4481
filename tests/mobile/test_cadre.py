"""Village cadres on the village phone."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.api.app import create_app
from app.clock import SHANGHAI, process_now
from app.db import reading
from app.directory.terms import Role, UnitKind
from qungong.dev.sample import PASSWORD
from tests import people
from tests.mobile.conftest import VILLAGE, NewPhone, Phone, a_picture
from tests.units import Held, employed, staffed

ON_BEHALF: dict[str, Any] = {
    "person": {"name": "王大爷", "phone": "13983001234"},
    "body": "13至17栋停水三天。老人提水困难。",
    "kind": "help",
    "place": "13至17栋",
}


async def listed(cadre: Phone, view: str) -> set[str]:
    """The references in a view, through all its pages."""
    found: set[str] = set()
    asked = {"view": view}
    while True:
        page = (await cadre.get("/cadre/cases", **asked)).json()
        found |= {item["ref"] for item in page["items"]}
        if page["next"] is None:
            return found
        asked["cursor"] = page["next"]


async def test_cadre_registers_for_somebody_handles_it_and_answers(cadre: Phone) -> None:
    photo = await cadre.sends(a_picture())
    draft = {**ON_BEHALF, "photos": [photo], "occurred_at": "2026-01-02T03:04:05+08:00"}
    first = await cadre.post("/cadre/cases", key="draft-7", **draft)
    again = await cadre.post("/cadre/cases", key="draft-7", **draft)
    assert (first.status_code, first.content) == (201, again.content)
    ref = first.json()["ref"]
    assert ref in await listed(cadre, "to_judge")
    case = (await cadre.get(f"/cadre/cases/{ref}")).json()
    assert case["title"] == "13至17栋停水三天"
    assert case["reporter"] == {"name": "王大爷", "phone": "+8613983001234"}
    assert case["photos"] == [photo]
    assert case["timeline"][0]["data"]["photos"] == [photo]
    seen = await cadre.get(f"/cadre/cases/{ref}/photos/{photo}")
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")
    async with reading() as tx:
        at = await tx.scalar(text("SELECT occurred_at FROM grievance WHERE ref = :ref"), ref=ref)
    assert at.isoformat() == "2026-01-01T19:04:05+00:00"

    assert (await cadre.post(f"/cadre/cases/{ref}/handle")).json()["phase"] == "handling"
    told = await cadre.post(f"/cadre/cases/{ref}/progress", report="在修", tell_reporter=True)
    assert told.status_code == 200
    answered = await cadre.post(
        f"/cadre/cases/{ref}/answer", outcome="solved", answer="修好了，有水了"
    )
    assert answered.json()["phase"] == "answered"
    assert ref in await listed(cadre, "finished")


async def test_clock_that_runs_ahead_does_not_keep_a_draft_from_arriving(cadre: Phone) -> None:
    answer = await cadre.post("/cadre/cases", **ON_BEHALF, occurred_at="2099-01-01T00:00:00+08:00")
    assert answer.status_code == 201
    async with reading() as tx:
        early = await tx.scalar(
            text("SELECT occurred_at <= received_at FROM grievance WHERE ref = :ref"),
            ref=answer.json()["ref"],
        )
    assert early is True


async def test_cadre_escalates_with_a_finding_and_still_sees_the_case(cadre: Phone) -> None:
    ref = (await cadre.post("/cadre/cases", **ON_BEHALF)).json()["ref"]
    assert (await cadre.post(f"/cadre/cases/{ref}/escalate")).status_code == 422
    up = await cadre.post(f"/cadre/cases/{ref}/escalate", finding="没有维修能力")
    assert (up.status_code, up.json()["holder"]) == (200, "广顺街道")
    assert (await cadre.post(f"/cadre/cases/{ref}/handle")).status_code == 409
    assert (await cadre.get(f"/cadre/cases/{ref}")).json()["holder"] == "广顺街道"


@pytest.mark.parametrize("path", ["", "/500153-200101-00000000/handle"])
async def test_every_change_needs_a_key(cadre: Phone, path: str) -> None:
    refused = await cadre.post(f"/cadre/cases{path}", key=None, **ON_BEHALF)
    assert (refused.status_code, refused.json()["type"]) == (
        400,
        "/problems/idempotency-key-required",
    )


async def test_village_that_assists_signs_and_answers_on_the_phone(
    cadre: Phone, new_phone: NewPhone
) -> None:
    ref = (await cadre.post("/cadre/cases", **ON_BEHALF)).json()["ref"]
    await cadre.post(f"/cadre/cases/{ref}/escalate", finding="没有维修能力")
    async with people.signed_in(create_app(), "guangshun") as clerk:
        await clerk.does(f"/cases/{ref}/escalate", finding="街道无法解决")
    async with people.signed_in(create_app(), "zhihui") as center:
        parts = {
            "lead": {"unit_code": "500153100", "task": "恢复供水", "days": 7},
            "assistants": [{"unit_code": VILLAGE, "task": "逐户检查"}],
        }
        await center.does(f"/cases/{ref}/dispatch", **parts, note="一周内办结")
    assert ref in await listed(cadre, "assisting")
    early = await cadre.post(f"/cadre/cases/{ref}/assist-answer", answer="已检查")
    assert (early.status_code, early.json()["type"]) == (409, "/problems/action-not-allowed")
    assert (await cadre.post(f"/cadre/cases/{ref}/sign")).status_code == 200
    assert (await cadre.post(f"/cadre/cases/{ref}/assist-answer")).status_code == 422

    done = await cadre.post(f"/cadre/cases/{ref}/assist-answer", answer="已逐户检查，管网完好")
    assert done.status_code == 200
    own = [part for part in done.json()["parts"] if part["role"] == "assist"]
    assert [part["state"] for part in own] == ["answered"]
    entry = (await cadre.get(f"/cadre/cases/{ref}")).json()["timeline"][-1]
    assert (entry["action"], entry["texts"]) == (
        "assist_answer",
        {"answer": "已逐户检查，管网完好"},
    )
    assert (await cadre.post(f"/cadre/cases/{ref}/assist-answer", answer="再答")).status_code == 409
    stranger = await new_phone()
    refused = await stranger.post(f"/cadre/cases/{ref}/assist-answer", answer="冒答")
    assert refused.status_code == 401


async def test_cadre_puts_right_what_a_case_is_about(cadre: Phone, new_phone: NewPhone) -> None:
    receipt = (await cadre.post("/cadre/cases", **ON_BEHALF)).json()
    path = f"/cadre/cases/{receipt['ref']}"
    wrong = await cadre.post(f"{path}/recategorise", kind="accusation", reason="选错了")
    assert (wrong.status_code, wrong.json()["mistakes"][0]["where"]) == (422, "body.kind")
    done = await cadre.post(f"{path}/recategorise", kind="complaint", urgent=True, reason="选错了")
    assert (done.status_code, done.json()["version"]) == (200, 2)
    case = (await cadre.get(path)).json()
    assert (case["kind"], case["urgent"], case["timeline"][1]["texts"]) == (
        "complaint",
        True,
        {"reason": "选错了"},
    )
    # Whoever follows it with the code reads what it is now, and not why.
    told = await (await new_phone()).post(
        "/track", key=None, ref=receipt["ref"], code=receipt["tracking_code"]
    )
    assert told.json()["timeline"][1]["label"].endswith(
        "调整了事件类别：性质由“求助”改为“投诉”，改为紧急"
    )
    assert "选错了" not in told.text
    await cadre.post(f"{path}/escalate", finding="解决不了")
    late = await cadre.post(f"{path}/recategorise", urgent=False, reason="又改")
    assert (late.status_code, "当前承办单位" in late.json()["detail"]) == (409, True)


async def test_every_moment_is_told_in_the_countys_own_time(cadre: Phone) -> None:
    told = {**ON_BEHALF, "occurred_at": "2026-01-02T03:04:05Z"}
    ref = (await cadre.post("/cadre/cases", **told)).json()["ref"]
    case = (await cadre.get(f"/cadre/cases/{ref}")).json()
    assert case["occurred_at"] == "2026-01-02T11:04:05+08:00"
    moments = [case["received_at"], case["due_at"], case["stage_due_at"], case["timeline"][0]["at"]]
    assert all(moment.endswith("+08:00") for moment in moments), moments


async def test_village_that_leads_asks_for_time_waits_resumes_and_replies_on_phone(
    cadre: Phone,
) -> None:
    ref = (await cadre.post("/cadre/cases", **ON_BEHALF)).json()["ref"]
    path = f"/cadre/cases/{ref}"
    assert (await cadre.post(f"{path}/handle")).status_code == 200
    asked = await cadre.post(f"{path}/extend", days=5, reason="要等镇上的施工队")
    assert (asked.status_code, "extend" in asked.json()["actions"]) == (200, False)
    assert (await cadre.post(f"{path}/extend", days=5, reason="再要")).status_code == 409
    async with people.signed_in(create_app(), "guangshun") as clerk:
        await clerk.does(f"/cases/{ref}/decide-extension", granted=True, reason="施工队下周到")
    today = process_now().astimezone(SHANGHAI).date()
    wait = {"why": "outside_authority", "reason": "要等铁路部门批准", "until": str(today)}
    assert (await cadre.post(f"{path}/wait", **wait)).status_code == 200
    async with people.signed_in(create_app(), "guangshun") as clerk:
        await clerk.does(f"/cases/{ref}/decide-wait", granted=True, reason="同意")
    case = (await cadre.get(path)).json()
    assert (case["waiting"], case["extended"]) == ("outside_authority", True)
    assert [clock["paused"] for clock in case["clocks"] if clock["stage"] == "handle"] == [True]
    assert (await cadre.post(f"{path}/resume", note="已批准")).json()["waiting"] is None
    refused = await cadre.post(f"{path}/reply-supervision", reply="已送水")
    assert refused.status_code == 409
    async with people.signed_in(create_app(), "lingdao") as leader:
        await leader.does(f"/cases/{ref}/supervise", demand="三日内恢复供水", days=3)
    replied = await cadre.post(f"{path}/reply-supervision", reply="已逐户送水")
    assert (replied.status_code, "reply_supervision" in replied.json()["actions"]) == (200, False)


LONG = "说明" * 2500


async def test_cadre_supplies_objects_and_withdraws_for_a_resident(cadre: Phone) -> None:
    async with people.signed_in(create_app(), "guangshun") as clerk:
        ref = (await cadre.post("/cadre/cases", **ON_BEHALF)).json()["ref"]
        await cadre.post(f"/cadre/cases/{ref}/escalate", finding=LONG)
        asked = await clerk.does(f"/cases/{ref}/request-supplement", missing="房屋编号")
        assert asked["waiting"] == "supplement"
        assert "supply" in (await cadre.get(f"/cadre/cases/{ref}")).json()["actions"]
        supplied = await cadre.post(f"/cadre/cases/{ref}/supply", supplement=LONG)
        assert (supplied.status_code, supplied.json()["waiting"]) == (200, None)
        await clerk.does(f"/cases/{ref}/decline", reason="在诉讼中", basis="条例")
        assert "object_refusal" in (await cadre.get(f"/cadre/cases/{ref}")).json()["actions"]
        objected = await cadre.post(f"/cadre/cases/{ref}/object-refusal", reason=LONG)
        assert (objected.status_code, objected.json()["phase"]) == (200, "pending")
        assert "withdraw" in objected.json()["actions"]
        withdrawn = await cadre.post(f"/cadre/cases/{ref}/withdraw", reason=LONG)
        assert (withdrawn.status_code, withdrawn.json()["phase"]) == (200, "withdrawn")


async def test_village_hands_back_on_the_phone_what_it_was_dispatched(cadre: Phone) -> None:
    ref = (await cadre.post("/cadre/cases", **ON_BEHALF)).json()["ref"]
    await cadre.post(f"/cadre/cases/{ref}/escalate", finding="没有维修能力")
    async with people.signed_in(create_app(), "guangshun") as clerk:
        await clerk.does(f"/cases/{ref}/escalate", finding="街道无法解决")
    async with people.signed_in(create_app(), "zhihui") as center:
        await center.does(f"/cases/{ref}/dispatch", lead={"unit_code": VILLAGE})
        assert "hand_back" in (await cadre.get(f"/cadre/cases/{ref}")).json()["actions"]
        asked = await cadre.post(f"/cadre/cases/{ref}/hand-back", reason=LONG)
        assert asked.status_code == 200
        assert asked.json()["parts"][0]["hand_back_asked"] is True
        settled = await center.does(
            f"/cases/{ref}/settle", unit_code=VILLAGE, agreed=True, reason="权属在镇上"
        )
    assert (settled["phase"], settled["returns"]) == ("pending", 1)


async def test_text_one_letter_longer_is_refused_on_phone_and_desk(cadre: Phone) -> None:
    ref = (await cadre.post("/cadre/cases", **ON_BEHALF)).json()["ref"]
    on_phone = await cadre.post(f"/cadre/cases/{ref}/escalate", finding=LONG + "。")
    async with people.signed_in(create_app(), "gongnong") as desk:
        at_desk = await desk.post(f"/cases/{ref}/escalate", {"finding": LONG + "。"})
    assert (on_phone.status_code, at_desk.status_code) == (422, 422)


async def test_head_of_a_village_answers_on_the_phone_where_only_the_head_may(
    new_phone: NewPhone,
) -> None:
    code = await staffed(UnitKind.VILLAGE, Role.VILLAGE_CADRE, "500153003")
    head_account = await employed(Held(code, Role.UNIT_HEAD))
    async with people.signed_in(create_app(), "admin") as admin:
        await admin.does(f"/units/{code}/head-approval", required=True, reason="村委会决定")
    cadre, head = await new_phone(), await new_phone()
    await cadre.post("/cadre/sign-in", key=None, account=code, password=PASSWORD)
    await head.post("/cadre/sign-in", key=None, account=head_account, password=PASSWORD)
    ref = (await cadre.post("/cadre/cases", **ON_BEHALF)).json()["ref"]
    handled = (await cadre.post(f"/cadre/cases/{ref}/handle")).json()
    assert "answer" not in handled["actions"]
    refused = await cadre.post(f"/cadre/cases/{ref}/answer", outcome="solved", answer="修好了")
    assert (refused.status_code, "单位负责人" in refused.json()["detail"]) == (409, True)
    answered = await head.post(f"/cadre/cases/{ref}/answer", outcome="solved", answer="修好了")
    assert (answered.status_code, answered.json()["phase"]) == (200, "answered")


async def test_phone_refuses_a_step_decided_on_an_older_version(cadre: Phone) -> None:
    path = f"/cadre/cases/{(await cadre.post('/cadre/cases', **ON_BEHALF)).json()['ref']}"

    async def escalated(seen: str) -> httpx.Response:
        headers = {"Idempotency-Key": "of-seen", "If-Match": seen}
        body = {"finding": "没有维修能力"}
        return await cadre.client.post(f"/m/v1{path}/escalate", json=body, headers=headers)

    seen = (await cadre.get(path)).headers["ETag"]
    now = (await cadre.post(f"{path}/handle")).headers["ETag"]
    stale = await escalated(seen)
    assert (stale.status_code, stale.json()["type"]) == (412, "/problems/changed-meanwhile")
    assert (await cadre.get(path)).headers["ETag"] == now != seen
    taken = await escalated(now)
    assert (taken.status_code, taken.json()["holder"]) == (200, "广顺街道")


async def test_cadre_prints_the_papers_of_a_case_and_of_no_other(
    cadre: Phone, citizen: Phone
) -> None:
    path = f"/cadre/cases/{(await cadre.post('/cadre/cases', **ON_BEHALF)).json()['ref']}"
    await cadre.post(f"{path}/request-supplement", missing="请补充房屋编号")
    paper = (await cadre.get(path)).json()["papers"][-1]
    page = await cadre.get(f"{path}/papers/{paper['id']}")
    assert page.status_code == 200
    assert paper["number"] in page.text
    assert "请补充房屋编号" in page.text
    other = f"/cadre/cases/{(await cadre.post('/cadre/cases', **ON_BEHALF)).json()['ref']}"
    assert (await cadre.get(f"{other}/papers/{paper['id']}")).status_code == 404
    assert (await citizen.get(f"{path}/papers/{paper['id']}")).status_code == 401


async def test_phone_takes_texts_as_long_as_a_desk_does(cadre: Phone) -> None:
    """A title of 100 letters, a finding of 5,000; and not one more."""
    longer = ON_BEHALF | {"title": "水" * 101}
    assert (await cadre.post("/cadre/cases", **longer)).status_code == 422
    taken = await cadre.post("/cadre/cases", **(ON_BEHALF | {"title": "水" * 100}))
    assert (taken.status_code, taken.json()["title"]) == (201, "水" * 100)
    path = f"/cadre/cases/{taken.json()['ref']}/escalate"
    assert (await cadre.post(path, finding="难" * 5001)).status_code == 422
    assert (await cadre.post(path, finding="难" * 5000)).status_code == 200
