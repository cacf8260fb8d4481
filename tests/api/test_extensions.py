"""延期: asked once and before it is due, decided by somebody else, told to the reporter with its reason."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from fastapi import FastAPI
from msgspec.structs import replace
from sqlalchemy import text

from app import clock
from app.calendars.working_time import Limit, WorkingCalendar
from app.cases.actions import extending, judging
from app.cases.dossier import Dossier
from app.clock import process_now
from app.db import Transaction
from app.errors import ActionNotAllowed
from tests import people
from tests.api.about_time import (
    as_the_reporter_reads,
    calendar,
    clock_of,
    led_by_the_township,
    led_by_the_village,
    papers_of,
    refused,
    texts,
    verifies,
)
from tests.api.actions import BODIES
from tests.api.conftest import Who
from tests.conftest import Staff

ASKED = BODIES["extend"] or {}
END = timedelta(seconds=1)
# As with a new round: the case may be extended again, and so may the clocks that count anew.
_MAY_ASK_AGAIN = text("""
WITH again AS (UPDATE grievance SET extended = false WHERE ref = :ref RETURNING id)
UPDATE clock SET extension = NULL FROM again WHERE matter_id = again.id AND stage <> 'statutory'
""")


async def test_granted_extension_moves_stage_and_whole_case_to_second(
    who: Who,
) -> None:
    lead, center = await who("ronglong"), await who("zhihui")
    ref = await led_by_the_township(who)
    before = await clock_of(lead, ref, "handle")
    whole = await clock_of(lead, ref, "whole")
    asked = await lead.does(f"/cases/{ref}/extend", days=5, reason="主管更换须停水施工")
    assert "extend" not in asked["actions"]
    decision = await clock_of(center, ref, "extension_decision")
    days = await calendar(ref)
    assert decision["unit"] == "荣昌区群工系统指挥中心"
    assert decision["due_at"] == days.due(decision["started_at"], Limit.parse("1wd")).at
    # Asking alone stops and moves nothing.
    assert await clock_of(lead, ref, "handle") == before

    done = await center.does(
        f"/cases/{ref}/decide-extension", granted=True, days=3, reason="避开高考"
    )
    after = await clock_of(lead, ref, "handle")
    due = days.after(before["due_at"], Limit.parse("3wd")).at
    assert due is not None
    assert (after["due_at"], after["extension"], after["limit"]) == (
        due,
        "3 个工作日",
        "7 个工作日",
    )
    assert after["yellow_at"] == due + END
    red = days.after(due, Limit.parse("5wd")).at
    assert red is not None
    assert after["red_at"] == red + END
    assert datetime.fromisoformat(done["stage_due_at"]) == due
    assert datetime.fromisoformat(done["parts"][0]["due_at"]) == due
    later = await clock_of(lead, ref, "whole")
    assert later["due_at"] == days.after(whole["due_at"], Limit.parse("3wd")).at
    assert (await clock_of(center, ref, "extension_decision"))["ended_at"] is not None
    assert await verifies(ref)


async def test_reporter_is_told_of_what_was_granted_and_why_with_numbered_paper(
    who: Who,
) -> None:
    lead, center = await who("ronglong"), await who("zhihui")
    ref = await led_by_the_township(who)
    await lead.does(f"/cases/{ref}/extend", **ASKED)
    await center.does(f"/cases/{ref}/decide-extension", granted=True, reason="同意，下不为例")
    detail = await lead.sees(f"/cases/{ref}")
    (paper,) = await papers_of(lead, ref, "extension")
    (told,) = await texts(ref, "extended")
    due = datetime.fromisoformat(detail["stage_due_at"])
    assert told["until"] == f"{due.year}年{due.month}月{due.day}日"
    assert (told["reason"], told["paper"]) == (ASKED["reason"], paper["number"])
    entry = (await as_the_reporter_reads(ref))[-1]
    assert entry["label"] == "荣昌区群工系统指挥中心已同意延长办理期限"
    assert entry["texts"] == {"reason": ASKED["reason"]}
    page = await lead.get(f"/cases/{ref}/papers/{paper['id']}")
    assert told["until"] in page.text
    assert str(ASKED["reason"]) in page.text
    assert "下不为例" not in page.text
    assert detail["timeline"][-1]["texts"]["decision"] == "同意，下不为例"
    assert paper["number"] in page.text


async def test_what_is_refused_moves_nothing_and_is_told_to_the_unit_alone(who: Who) -> None:
    lead, center = await who("ronglong"), await who("zhihui")
    ref = await led_by_the_township(who)
    await lead.does(f"/cases/{ref}/extend", **ASKED)
    before = await clock_of(lead, ref, "handle")
    await center.does(f"/cases/{ref}/decide-extension", granted=False, reason="理由不充分")
    assert await clock_of(lead, ref, "handle") == before
    detail = await lead.sees(f"/cases/{ref}")
    assert detail["timeline"][-1]["texts"] == {"reason": "理由不充分"}
    assert (detail["extended"], detail["extension_asked_at"]) == (True, None)
    assert await papers_of(lead, ref, "extension") == []
    assert await texts(ref, "extended") == []
    assert "decide_extension" not in {one["action"] for one in await as_the_reporter_reads(ref)}
    assert "只能申请一次" in await refused(lead, ref, "extend")


async def test_case_of_village_is_decided_by_its_township_which_sees_it_from_then_on(
    who: Who,
) -> None:
    cadre, clerk, head = await who("gongnong"), await who("guangshun"), await who("guangshun_head")
    ref = await led_by_the_village(who)
    assert (await clerk.get(f"/cases/{ref}")).status_code == 404
    await cadre.does(f"/cases/{ref}/extend", **ASKED)
    assert (await clerk.sees(f"/cases/{ref}"))["actions"] == ["decide_extension"]
    assert (await clock_of(clerk, ref, "extension_decision"))["unit"] == "广顺街道"
    assert "只有负责审批的上级单位" in await refused(await who("zhihui"), ref, "decide-extension")
    assert "只有负责审批的上级单位" in await refused(cadre, ref, "decide-extension")
    await head.does(f"/cases/{ref}/decide-extension", granted=True, reason="同意")


@pytest.mark.parametrize("account", ["shuiwu", "zhihui", "ducha", "lingdao", "gongnong"])
async def test_nobody_but_the_lead_asks_for_more_time(who: Who, account: str) -> None:
    ref = await led_by_the_township(who)
    assert "只有主办单位" in await refused(await who(account), ref, "extend")


async def test_who_has_not_signed_cannot_ask_for_more_time(who: Who) -> None:
    ref = await led_by_the_township(who, signed=False)
    assert "请先签收" in await refused(await who("ronglong"), ref, "extend")


async def test_more_time_is_asked_for_before_it_is_due_and_not_granted_after(
    who: Who, api: FastAPI
) -> None:
    early, late = await led_by_the_township(who), await led_by_the_township(who)
    lead = await who("ronglong")
    await lead.does(f"/cases/{early}/extend", **ASKED)
    due = (await clock_of(lead, late, "handle"))["due_at"]
    # To the very second: 23:59:59 stands for the end of the day.
    last = due - process_now()
    with clock.moved(last - timedelta(seconds=30)):
        async with people.signed_in(api, "ronglong") as then:
            assert "extend" in (await then.sees(f"/cases/{late}"))["actions"]
    with clock.moved(last + END):
        async with (
            people.signed_in(api, "ronglong") as then,
            people.signed_in(api, "zhihui") as center,
        ):
            assert "须在到期前申请" in await refused(then, late, "extend")
            moments = await then.sees(f"/cases/{early}")
            assert "只能不同意" in await refused(center, early, "decide-extension")
            await center.does(
                f"/cases/{early}/decide-extension", granted=False, reason="未及时审批"
            )
            after = await then.sees(f"/cases/{early}")
    assert (after["due_at"], after["stage_due_at"]) == (moments["due_at"], moments["stage_due_at"])


async def test_no_more_is_granted_than_was_asked_for(who: Who) -> None:
    lead, center = await who("ronglong"), await who("zhihui")
    ref = await led_by_the_township(who)
    await lead.does(f"/cases/{ref}/extend", **ASKED)
    path = f"/cases/{ref}/decide-extension"
    for wrong in ({"granted": True, "days": 6}, {"granted": False, "days": 1}):
        answer = await center.post(path, {**wrong, "reason": "理由"})
        assert (answer.status_code, answer.json()["mistakes"][0]["where"]) == (422, "body.days")


@pytest.mark.parametrize("days", [0, 31, -1, 1.5, "5", True, None])
async def test_so_many_days_cannot_be_asked_for(who: Who, days: object) -> None:
    ref = await led_by_the_village(who)
    answer = await (await who("gongnong")).post(
        f"/cases/{ref}/extend", {"days": days, "reason": "理由"}
    )
    assert answer.status_code == 422


async def test_who_asked_in_one_unit_does_not_decide_in_the_other(tx: Transaction, staff: Staff, who: Who) -> None:  # fmt: skip
    ref = await (await who("gongnong")).registers()
    cadre, clerk = await staff("gongnong"), await staff("guangshun")
    now = await tx.now()
    await judging.handle(tx, ref, by=cadre, now=now)
    await tx.flush()
    await extending.extend(tx, ref, by=cadre, days=5, reason="理由", now=now)
    await tx.flush()
    both = replace(clerk, staff_id=cadre.staff_id)
    with pytest.raises(ActionNotAllowed, match="不能审批本人提出的延期申请"):
        await extending.decide_extension(
            tx, ref, by=both, granted=True, days=None, reason="同意", now=now
        )
    await extending.decide_extension(
        tx, ref, by=clerk, granted=True, days=None, reason="同意", now=now
    )


async def test_sealed_case_has_nobody_who_could_decide_and_nobody_learns_of_it(who: Who) -> None:
    inspector = await who("jiwei")
    ref = await (await who("gongnong")).registers(kind="accusation", title="检举")
    state = await inspector.does(f"/cases/{ref}/handle")
    assert not {"extend", "wait", "supervise", "list"} & set(state["actions"])


async def test_command_center_that_leads_itself_cannot_grant_itself_time(who: Who) -> None:
    cadre, clerk, center = await who("gongnong"), await who("guangshun"), await who("zhihui")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/escalate", finding="社区无法解决")
    await clerk.does(f"/cases/{ref}/escalate", finding="街道无法解决")
    await center.does(f"/cases/{ref}/dispatch", lead={"unit_code": "500153ZH"}, assistants=[])
    await center.does(f"/cases/{ref}/sign")
    assert "没有可以审批的上级单位" in await refused(center, ref, "extend")


@pytest.mark.parametrize(
    ("days", "moved"),
    [
        (20, lambda lawful, wanted, utmost: wanted),
        (60, lambda lawful, wanted, utmost: utmost),
        (1, lambda lawful, wanted, utmost: lawful),
    ],
    ids=["as far as need be", "by at most 30 days", "not where there is no need"],
)
async def test_laws_limit_moves_only_where_it_must(
    tx: Transaction,
    staff: Staff,
    who: Who,
    days: int,
    moved: Callable[[datetime, datetime, datetime], datetime],
) -> None:
    """The whole case has 30 working days of its own: with 20 more they reach beyond 60 days, with 60 more beyond 90."""
    ref = await (await who("gongnong")).registers()
    await judging.handle(tx, ref, by=await staff("gongnong"), now=await tx.now())
    await tx.flush()
    dossier = await extended(tx, ref, staff, days)
    lawful = law(dossier.case.received_at)
    utmost = lawful + timedelta(days=30)
    assert dossier.case.stage_due_at is not None
    wanted = max(dossier.case.due_at, dossier.case.stage_due_at)
    assert dossier.case.statutory_due_at == moved(lawful, wanted, utmost)
    assert lawful <= dossier.case.statutory_due_at <= utmost


async def test_laws_limit_moves_once_in_the_life_of_a_case(
    tx: Transaction, staff: Staff, who: Who
) -> None:
    ref = await (await who("gongnong")).registers()
    await judging.handle(tx, ref, by=await staff("gongnong"), now=await tx.now())
    await tx.flush()
    first = (await extended(tx, ref, staff, 20)).case
    await tx.execute(_MAY_ASK_AGAIN, ref=ref)
    second = (await extended(tx, ref, staff, 30)).case
    assert second.due_at > first.due_at
    assert second.statutory_due_at == first.statutory_due_at > law(first.received_at)


def law(received: datetime) -> datetime:
    """The end of the 60th day after receipt."""
    due = WorkingCalendar(0).due(received, Limit.parse("60d")).at
    assert due is not None
    return due


async def extended(tx: Transaction, ref: str, staff: Staff, days: int) -> Dossier:
    """The village asks, the township grants it; neither is committed."""
    now = await tx.now()
    await extending.extend(tx, ref, by=await staff("gongnong"), days=days, reason="理由", now=now)
    await tx.flush()
    dossier = await extending.decide_extension(
        tx, ref, by=await staff("guangshun"), granted=True, days=None, reason="同意", now=now
    )
    await tx.flush()
    return dossier
