"""Citizens on their phones: telling, following in their own words, pressing, and never seeing what is not theirs."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from app import clock
from app.auth.actor import StaffActor
from app.cases.actions import dispatching, handling, judging
from app.cases.actions.dispatching import Part
from app.cases.models import Outcome
from app.db import observers, reading, transaction
from app.evaluation import invitations
from app.kinds import verification
from mobile_api.wording import title_of
from tests.api.about_time import texts
from tests.conftest import Staff
from tests.mobile.conftest import NOWHERE, WATER, NewPhone, Phone, a_picture
from tests.villages import merged_villages

_OWED = text("""
SELECT o.id FROM outbox_message o JOIN grievance g ON g.id = o.matter_id WHERE g.ref = :ref AND o.kind = 'survey_owed'
""")
_DISPATCHED = text("""
SELECT p.id FROM paper p JOIN grievance c ON c.id = p.matter_id WHERE c.ref = :ref AND p.kind = 'dispatch'
""")


async def test_report_is_taken_in_by_posters_village_and_titled_by_its_first_sentence(
    citizen: Phone,
) -> None:
    receipt = await citizen.reports()
    assert receipt["holder"] == "工农茶叶产业社区居民委员会"
    assert receipt["title"] == "我们小区13栋到17栋已经三天没有自来水，老人小孩都要到外面提水"
    listed = (await citizen.get("/reports")).json()["items"][0]
    assert (listed["ref"], listed["phase"]) == (receipt["ref"], "pending")
    told = (await citizen.get(f"/reports/{receipt['ref']}")).json()
    assert told["body"] == WATER
    assert [step["label"] for step in told["timeline"]] == [
        "已登记，由工农茶叶产业社区居民委员会受理"
    ]
    assert told["actions"] == ["add", "press", "withdraw"]


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("停水。", "停水"),
        ("！！！", "群众反映事项"),
        ("\u200b \n 路灯 坏了\n三天", "路灯 坏了"),
        ("水" * 41, "水" * 39 + "…"),
        ("水" * 40, "水" * 40),
    ],
)
def test_title_is_the_first_sentence_that_says_something(body: str, title: str) -> None:
    assert title_of(body) == title


async def solved_by_another_township(ref: str, staff: Staff) -> list[StaffActor]:
    """The county's own story, with a secret in every text that is not for the reporter; returns those who acted."""
    accounts = ("gongnong", "guangshun", "zhihui", "ronglong", "shuiwu")
    village, township, center, lead, assistant = acting = [await staff(one) for one in accounts]
    async with transaction() as tx:
        now = await tx.now()
        await judging.escalate(tx, ref, by=village, finding="秘密研判甲", now=now)
    async with transaction() as tx:
        await judging.escalate(tx, ref, by=township, finding="秘密研判乙", now=now)
    async with transaction() as tx:
        await dispatching.dispatch(
            tx,
            ref,
            by=center,
            lead=Part("500153100", "秘密任务甲"),
            assistants=[Part("500153D11", "秘密任务乙")],
            note="秘密要求",
            now=now,
        )
    for who in (lead, assistant):
        async with transaction() as tx:
            await handling.sign(tx, ref, by=who, now=now)
    for report, tell in (("已找到漏点", True), ("秘密进展", False)):
        async with transaction() as tx:
            await handling.progress(tx, ref, by=lead, report=report, tell_reporter=tell, now=now)
    async with transaction() as tx:
        await handling.assist_answer(tx, ref, by=assistant, answer="秘密答复", now=now)
    async with transaction() as tx:
        await handling.answer(
            tx, ref, by=lead, outcome=Outcome.SOLVED, answer="已恢复供水", basis="", now=now
        )
    return acting


async def test_progress_is_told_in_citizens_words_without_findings_tasks_or_names_of_staff(
    citizen: Phone, staff: Staff
) -> None:
    ref = (await citizen.reports())["ref"]
    acting = await solved_by_another_township(ref, staff)
    answer = await citizen.get(f"/reports/{ref}")
    assert "秘密" not in answer.text
    assert not [one.name for one in acting if one.name in answer.text]
    told = answer.json()
    assert told["outcome"] == "已解决"
    assert [step["label"] for step in told["timeline"]] == [
        "已登记，由工农茶叶产业社区居民委员会受理",
        "工农茶叶产业社区居民委员会已核实并上报广顺街道",
        "广顺街道已核实并上报荣昌区群工系统指挥中心",
        "荣昌区群工系统指挥中心已交荣隆镇主办",
        "荣隆镇已签收",
        "县水务局已签收",
        "荣隆镇通报办理进展",
        "荣隆镇已办结并答复",
    ]
    assert told["timeline"][-1]["texts"] == {"answer": "已恢复供水"}
    evaluation = (await citizen.get(f"/reports/{ref}/evaluation")).json()
    assert evaluation == {"until": None, "value": None, "open": False, "changeable_until": None}
    early = await citizen.post(f"/reports/{ref}/evaluate", value="satisfied")
    assert early.status_code == 409


async def test_page_takes_an_evaluation_and_lets_it_be_changed_for_a_day(
    new_citizen: NewPhone, cadre: Phone
) -> None:
    citizen = await new_citizen()
    ref = (await citizen.reports())["ref"]
    await cadre.post(f"/cadre/cases/{ref}/handle")
    await cadre.post(f"/cadre/cases/{ref}/answer", outcome="solved", answer="已恢复供水")
    async with transaction() as tx:
        owed = await tx.scalar(_OWED, ref=ref)
    async with transaction() as tx:
        assert await invitations.ask(tx, owed)

    async def seen() -> dict[str, Any]:
        return dict((await citizen.get(f"/reports/{ref}/evaluation")).json())

    before = await seen()
    assert (before["value"], before["open"], before["changeable_until"]) == (None, True, None)
    first = await citizen.post(f"/reports/{ref}/evaluate", value="satisfied")
    assert "看不到是谁" in first.json()["told"]
    changed = await citizen.post(f"/reports/{ref}/evaluate", value="dissatisfied", remark="又停了")
    assert changed.status_code == 200
    after = await seen()
    assert (after["value"], after["open"]) == ("dissatisfied", True)
    assert after["changeable_until"] is not None
    with clock.moved(timedelta(hours=25)):
        late = await citizen.post(f"/reports/{ref}/evaluate", value="satisfied")
        assert late.status_code == 409
        assert (await seen())["open"] is False


async def test_citizen_chooses_whether_to_be_asked_by_text(new_citizen: NewPhone) -> None:
    citizen = await new_citizen()
    assert (await citizen.get("/survey-texts")).json() == {"wanted": True}
    for wanted in (False, False, True, True, False):
        chosen = await citizen.post("/survey-texts", wanted=wanted)
        assert (chosen.status_code, chosen.json()) == (200, {"wanted": wanted})
        assert (await citizen.get("/survey-texts")).json() == {"wanted": wanted}


async def test_progress_tells_what_comes_next_and_by_when(citizen: Phone, cadre: Phone) -> None:
    ref = (await citizen.reports())["ref"]

    async def coming() -> dict[str, Any] | None:
        coming: dict[str, Any] | None = (await citizen.get(f"/reports/{ref}")).json()["next"]
        return coming

    village = "工农茶叶产业社区居民委员会"
    case = (await cadre.get(f"/cadre/cases/{ref}")).json()
    assert await coming() == {
        "what": f"{village}核实研判：能办的就办，办不了的上报",
        "by": case["stage_due_at"],
        "answer_by": case["due_at"],
    }
    await cadre.post(f"/cadre/cases/{ref}/request-supplement", missing="请补充门牌号")
    waiting = {"what": "请您补充材料，补齐后接着办", "by": None, "answer_by": None}
    assert await coming() == waiting
    await citizen.post(f"/reports/{ref}/supply", supplement="13栋2单元")
    await cadre.post(f"/cadre/cases/{ref}/handle")
    handling = await coming()
    assert handling is not None
    assert handling["what"] == f"{village}办理并答复您"
    await cadre.post(f"/cadre/cases/{ref}/answer", outcome="solved", answer="已恢复供水")
    assert await coming() is None


async def test_reporter_reads_the_words_of_a_press_and_not_those_of_a_dispatch(
    citizen: Phone, staff: Staff
) -> None:
    ref = (await citizen.reports())["ref"]
    pressed = await citizen.post(f"/reports/{ref}/press", note="老人等水用")
    assert pressed.status_code == 200
    await solved_by_another_township(ref, staff)
    told = (await citizen.get(f"/reports/{ref}")).json()["timeline"]
    assert [one["texts"] for one in told if one["action"] == "press"] == [{"note": "老人等水用"}]
    assert [one["texts"] for one in told if one["action"] == "dispatch"] == [{}]


async def test_reporter_presses_once_in_a_day(citizen: Phone) -> None:
    ref = (await citizen.reports())["ref"]
    assert (await citizen.post(f"/reports/{ref}/press")).status_code == 422  # a body is wanted
    pressed = await citizen.post(f"/reports/{ref}/press", note="还没有来水")
    assert pressed.status_code == 200
    assert pressed.json()["actions"] == ["add", "withdraw"]
    again = await citizen.post(f"/reports/{ref}/press", note="还没有来水")
    assert again.status_code == 409
    assert again.json()["allowed"] == ["add", "withdraw"]
    with clock.moved(timedelta(hours=25)):
        assert (await citizen.post(f"/reports/{ref}/press", note="快点")).status_code == 200


async def test_supplement_is_asked_for_and_given_and_a_report_taken_back(
    citizen: Phone, cadre: Phone
) -> None:
    ref = (await citizen.reports())["ref"]
    assert (await citizen.post(f"/reports/{ref}/supply", supplement="没人问")).status_code == 409
    asked = await cadre.post(f"/cadre/cases/{ref}/request-supplement", missing="是哪几栋")
    assert asked.status_code == 200
    told = (await citizen.get(f"/reports/{ref}")).json()
    assert told["waiting"] == "supplement"
    assert told["timeline"][-1]["texts"] == {"missing": "是哪几栋"}
    supplied = await citizen.post(f"/reports/{ref}/supply", supplement="13至17栋")
    assert (supplied.status_code, supplied.json()["waiting"]) == (200, None)
    taken_back = await citizen.post(f"/reports/{ref}/withdraw", reason="来水了")
    assert taken_back.json()["phase"] == "withdrawn"
    # Who did it need not be told.
    assert await texts(ref, "withdrawn") == []


async def test_another_citizens_report_is_answered_like_one_that_is_not_there(
    citizen: Phone, new_citizen: NewPhone
) -> None:
    photo = await citizen.sends(a_picture())
    ref = (await citizen.reports(photos=[photo]))["ref"]
    other = await new_citizen()
    for path in ("", "/evaluation", f"/photos/{photo}"):
        not_theirs = await other.get(f"/reports/{ref}{path}")
        not_there = await other.get(f"/reports/{NOWHERE}{path}")
        assert not_theirs.status_code == 404
        assert not_theirs.content == not_there.content
    for action, body in (
        ("supply", {"supplement": "x"}),
        ("add", {"addition": "x"}),
        ("object-refusal", {"reason": "x"}),
        ("withdraw", {"reason": "x"}),
        ("press", {"note": "x"}),
        ("evaluate", {"value": "satisfied"}),
    ):
        not_theirs = await other.post(f"/reports/{ref}/{action}", **body)
        not_there = await other.post(f"/reports/{NOWHERE}/{action}", **body)
        assert (not_theirs.status_code, not_theirs.content) == (404, not_there.content), action
    assert ref not in (await other.get("/reports")).text


async def test_without_a_key_nothing_is_registered(citizen: Phone) -> None:
    before = (await citizen.get("/reports")).json()["items"]
    refused = await citizen.post(
        "/reports", key=None, unit_code="500153003007", body="水", kind="help"
    )
    assert refused.status_code == 400
    assert refused.json()["type"] == "/problems/idempotency-key-required"
    assert (await citizen.get("/reports")).json()["items"] == before


async def test_same_key_registers_once_also_when_sent_at_the_same_time(
    new_citizen: NewPhone,
) -> None:
    citizen = await new_citizen()
    photo = await citizen.sends(a_picture())
    report = {"unit_code": "500153003007", "body": "路灯坏了", "kind": "help", "photos": [photo]}
    answers = await asyncio.gather(
        *(citizen.post("/reports", key="draft-1", **report) for _ in range(5))
    )
    assert [one.status_code for one in answers] == [201] * 5
    assert len({one.content for one in answers}) == 1
    assert len((await citizen.get("/reports")).json()["items"]) == 1
    different = await citizen.post("/reports", key="draft-1", **{**report, "body": "路也坏了"})
    assert different.status_code == 422
    assert different.json()["type"] == "/problems/idempotency-key-reused"


async def test_accusation_goes_past_village_and_names_whom_it_accuses_only_then(
    citizen: Phone, cadre: Phone
) -> None:
    receipt = await citizen.reports(kind="accusation", accused_code="500153003007")
    assert receipt["holder"] == "荣昌区纪委监委"
    assert (await cadre.get(f"/cadre/cases/{receipt['ref']}")).status_code == 404
    refused = await citizen.post(
        "/reports", unit_code="500153003007", body="水", kind="help", accused_code="500153003"
    )
    assert refused.status_code == 422


async def test_statements_are_few_whatever_is_asked(citizen: Phone) -> None:
    statements: list[str] = []
    observers.append(statements.append)
    try:
        receipt = await citizen.reports()
        created = len(statements)
        await citizen.get(f"/reports/{receipt['ref']}")
        looked = len(statements) - created
        await citizen.get("/reports")
        listed = len(statements) - created - looked
        await citizen.post("/track", key=None, ref=receipt["ref"], code=receipt["tracking_code"])
        tracked = len(statements) - created - looked - listed
    finally:
        observers.remove(statements.append)
    # As promised: create 4 (with photos one more), list 3, detail 4, tracking 2.
    assert (created, looked, listed, tracked) == (3, 4, 2, 1)


async def test_records_of_what_phones_did_verify() -> None:
    async with reading() as tx:
        assert await tx.scalar(text("SELECT count(*) FROM grievance")) > 0
        assert [fault async for _, found in verification.verify(tx) for fault in found] == []


@pytest.mark.parametrize("times", [1, 2])
async def test_code_of_a_merged_village_reaches_the_one_that_carries_on(
    citizen: Phone, times: int
) -> None:
    codes = await merged_villages(times)
    assert (await citizen.reports(unit_code=codes[0]))["holder"] == codes[-1]


async def test_village_that_nothing_carries_on_takes_nothing_in(citizen: Phone) -> None:
    codes = await merged_villages(1, carried_on=False)
    for code in codes:
        refused = await citizen.post("/reports", unit_code=code, body=WATER, kind="help")
        assert refused.status_code == 422
        assert refused.json()["mistakes"][0]["where"] == "body.unit_code"


async def test_reporter_prints_what_is_addressed_to_them_and_nothing_else(
    citizen: Phone, staff: Staff, new_citizen: NewPhone
) -> None:
    ref = (await citizen.reports())["ref"]
    await solved_by_another_township(ref, staff)
    papers = (await citizen.get(f"/reports/{ref}")).json()["papers"]
    assert [paper["label"] for paper in papers] == ["受理回执", "处理意见书"]
    assert papers[0]["number"] == ref
    for paper in papers:
        page = await citizen.get(f"/reports/{ref}/papers/{paper['id']}")
        assert page.status_code == 200
        assert f"荣昌区{paper['label']}" in page.text
        assert "秘密" not in page.text
    async with reading() as tx:
        given = await tx.scalar(_DISPATCHED, ref=ref)
    other = await new_citizen()
    for somebody, paper in ((citizen, given), (citizen, uuid4()), (other, papers[0]["id"])):
        hidden = await somebody.get(f"/reports/{ref}/papers/{paper}")
        assert hidden.status_code == 404
