"""挂起: for listed reasons and no longer than agreed; the stage's clock stands still, the whole case's does not."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from app import clock
from app.auth.actor import SYSTEM
from app.calendars.working_time import Limit
from app.cases.actions import waiting
from app.clock import SHANGHAI, process_now
from app.db import transaction
from tests import people
from tests.api.about_time import (
    as_the_reporter_reads,
    calendar,
    clock_of,
    led_by_the_township,
    led_by_the_village,
    refused,
    texts,
    verifies,
)
from tests.api.actions import BODIES
from tests.api.conftest import Who
from tests.people import Person

END = timedelta(seconds=1)


def in_days(number: int) -> date:
    return (process_now().astimezone(SHANGHAI) + timedelta(days=number)).date()


async def asks(person: Person, ref: str, **different: Any) -> Any:
    return await person.does(f"/cases/{ref}/wait", **{**(BODIES["wait"] or {}), **different})


async def waits(who: Who, until: date) -> str:
    """A case of 荣隆镇 that stands still."""
    lead, center = await who("ronglong"), await who("zhihui")
    ref = await led_by_the_township(who)
    await asks(lead, ref, until=str(until))
    await center.does(f"/cases/{ref}/decide-wait", granted=True, reason="同意，下不为例")
    return ref


async def test_clock_stands_still_from_the_approval_to_the_resumption(
    who: Who, api: FastAPI
) -> None:
    lead = await who("ronglong")
    ref = await led_by_the_township(who)
    before, whole = await clock_of(lead, ref, "handle"), await clock_of(lead, ref, "whole")
    asked = await asks(lead, ref, until=str(in_days(14)))
    assert asked["waiting"] is None
    assert await clock_of(lead, ref, "handle") == before, "asking stops no clock"
    agreed = await (await who("zhihui")).does(
        f"/cases/{ref}/decide-wait", granted=True, reason="同意，下不为例"
    )
    assert agreed["waiting"] == "suspended"
    still = await clock_of(lead, ref, "handle")
    assert (still["due_at"], still["red_at"], still["paused"]) == (None, None, True)
    assert await clock_of(lead, ref, "whole") == whole, "the whole case's clock goes on"

    week = timedelta(days=7)
    with clock.moved(week):
        async with people.signed_in(api, "ronglong") as then:
            state = await then.does(f"/cases/{ref}/resume", note="改造已完成")
            detail = await then.sees(f"/cases/{ref}")
            after = await clock_of(then, ref, "handle")
    granted, resumed = [
        datetime.fromisoformat(entry["at"])
        for entry in detail["timeline"]
        if entry["action"] in ("decide_wait", "resume")
    ]
    assert state["waiting"] is None
    days = await calendar(ref)
    due = days.due(before["started_at"], Limit.parse(_short(before)), [(granted, resumed)]).at
    assert due is not None
    assert after["due_at"] == due > before["due_at"]
    assert after["yellow_at"] == due + END
    assert (after["paused"], detail["waiting_since"]) == (False, None)
    assert detail["paused_hours"] == round((resumed - granted) / timedelta(hours=1), 2)
    assert 168 <= detail["paused_hours"] < 168.1
    assert await verifies(ref)


def _short(shown: dict[str, Any]) -> str:
    amount, _, unit = shown["limit"].partition(" 个")
    assert unit == "工作日"
    return f"{amount}wd"


async def test_wait_ends_with_the_agreed_day_itself(who: Who) -> None:
    until = in_days(20)
    ref = await waits(who, until)
    running = await clock_of(await who("ronglong"), ref, "waiting")
    assert running["due_at"].astimezone(SHANGHAI).isoformat() == f"{until}T23:59:59+08:00"
    assert running["yellow_at"] == running["due_at"] + END
    assert (running["provisional"], running["red_at"]) == (False, None)


async def test_system_ends_the_wait(who: Who) -> None:
    ref = await waits(who, in_days(0))
    async with transaction() as tx:
        await waiting.resume(tx, ref, by=SYSTEM, reason="", now=await tx.now())
    detail = await (await who("ronglong")).sees(f"/cases/{ref}")
    assert (detail["waiting"], detail["timeline"][-1]["unit"]) == (None, None)
    assert (await clock_of(await who("ronglong"), ref, "waiting"))["ended_at"] is not None
    assert (await as_the_reporter_reads(ref))[-1]["label"] == "已恢复办理"


async def test_reporter_is_told_why_and_until_when(who: Who) -> None:
    until = in_days(10)
    ref = await waits(who, until)
    (told,) = await texts(ref, "waiting")
    assert (told["why"], told["reason"]) == ("列为长期项目", (BODIES["wait"] or {})["reason"])
    assert told["until"] == f"{until.year}年{until.month}月{until.day}日"
    entry = (await as_the_reporter_reads(ref))[-1]
    assert entry["label"] == "荣昌区群工系统指挥中心已同意暂缓办理"
    assert entry["texts"] == {"reason": (BODIES["wait"] or {})["reason"]}


async def test_wait_that_is_refused_stops_nothing_and_is_told_to_nobody_else(who: Who) -> None:
    lead, center = await who("ronglong"), await who("zhihui")
    ref = await led_by_the_township(who)
    await asks(lead, ref)
    before = await clock_of(lead, ref, "handle")
    state = await center.does(f"/cases/{ref}/decide-wait", granted=False, reason="不属长期项目")
    assert state["waiting"] is None
    assert await clock_of(lead, ref, "handle") == before
    assert await texts(ref, "waiting") == []
    assert "decide_wait" not in {one["action"] for one in await as_the_reporter_reads(ref)}
    assert "没有待审批的挂起申请" in await refused(center, ref, "decide-wait")


async def test_pending_case_waits_by_the_decision_of_the_tier_above(who: Who) -> None:
    cadre, clerk = await who("gongnong"), await who("guangshun")
    ref = await cadre.registers()
    await asks(cadre, ref)
    assert (await clerk.sees(f"/cases/{ref}"))["actions"] == ["decide_wait"]
    for account in ("gongnong", "zhihui", "ducha"):
        assert "只有负责审批的上级单位" in await refused(await who(account), ref, "decide-wait")
    await clerk.does(f"/cases/{ref}/decide-wait", granted=True, reason="同意")
    assert (await clock_of(cadre, ref, "judge"))["paused"]
    assert "正在等待补正，或已挂起" in await refused(cadre, ref, "handle")
    # Whoever agreed may end it too.
    assert (await clerk.does(f"/cases/{ref}/resume", note="不再等待"))["waiting"] is None


@pytest.mark.parametrize("account", ["shuiwu", "zhihui", "ducha", "lingdao", "gongnong"])
async def test_only_who_holds_the_case_asks_to_wait(who: Who, account: str) -> None:
    ref = await led_by_the_township(who)
    assert "只有当前承办单位" in await refused(await who(account), ref, "wait")


@pytest.mark.parametrize("account", ["shuiwu", "lingdao", "gongnong", "ducha"])
async def test_others_do_not_end_the_wait(who: Who, account: str) -> None:
    ref = await waits(who, in_days(5))
    assert "只有" in await refused(await who(account), ref, "resume")


async def test_one_waits_once_at_a_time_and_not_without_having_asked(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await led_by_the_village(who)
    assert "事件没有挂起" in await refused(cadre, ref, "resume")
    await asks(cadre, ref)
    assert "已有待审批的挂起申请" in await refused(cadre, ref, "wait")
    await (await who("guangshun")).does(f"/cases/{ref}/decide-wait", granted=True, reason="同意")
    assert "已挂起" in await refused(cadre, ref, "wait")
    assert "已挂起" in await refused(cadre, ref, "extend")


async def test_more_time_is_decided_before_waiting_is(who: Who) -> None:
    cadre, clerk = await who("gongnong"), await who("guangshun")
    ref = await led_by_the_village(who)
    await cadre.does(f"/cases/{ref}/extend", **(BODIES["extend"] or {}))
    await asks(cadre, ref)
    assert "延期申请尚待审批" in await refused(clerk, ref, "decide-wait")
    await clerk.does(f"/cases/{ref}/decide-extension", granted=False, reason="改为挂起")
    await clerk.does(f"/cases/{ref}/decide-wait", granted=True, reason="同意")


async def test_reporters_supplement_is_not_for_the_holder_to_end(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/request-supplement", missing="房屋编号")
    assert "事件没有挂起" in await refused(cadre, ref, "resume")


@pytest.mark.parametrize(("why", "most"), [("outside_authority", "30wd"), ("suspended", "60wd")])
async def test_review_date_lies_within_the_longest_wait(who: Who, why: str, most: str) -> None:
    cadre = await who("gongnong")
    ref = await led_by_the_village(who)
    last = (await calendar(ref)).due(process_now(), Limit.parse(most)).at
    assert last is not None
    for wrong in (in_days(-1), last.date() + timedelta(days=1)):
        answer = await cadre.post(
            f"/cases/{ref}/wait", {"why": why, "reason": "理由", "until": str(wrong)}
        )
        assert (answer.status_code, answer.json()["mistakes"][0]["where"]) == (422, "body.until")
    await asks(cadre, ref, why=why, until=str(last.date()))


@pytest.mark.parametrize("why", ["supplement", "holiday", "", None])
async def test_only_for_a_listed_reason(who: Who, why: object) -> None:
    ref = await led_by_the_village(who)
    body = {**(BODIES["wait"] or {}), "why": why}
    assert (await (await who("gongnong")).post(f"/cases/{ref}/wait", body)).status_code == 422


async def test_review_date_that_has_passed_can_no_longer_be_agreed_to(
    who: Who, api: FastAPI
) -> None:
    ref = await led_by_the_village(who)
    await asks(await who("gongnong"), ref, until=str(in_days(1)))
    with clock.moved(timedelta(days=2)):
        async with people.signed_in(api, "guangshun") as clerk:
            assert "复核日期已过" in await refused(clerk, ref, "decide-wait")
            await clerk.does(f"/cases/{ref}/decide-wait", granted=False, reason="已过期")


async def test_waiting_after_it_was_due_heals_nothing(who: Who, api: FastAPI) -> None:
    ref = await led_by_the_village(who)
    before = await clock_of(await who("gongnong"), ref, "handle")
    with clock.moved(before["due_at"] - process_now() + timedelta(minutes=1)):
        async with (
            people.signed_in(api, "gongnong") as cadre,
            people.signed_in(api, "guangshun") as clerk,
        ):
            await asks(cadre, ref, until=str(before["due_at"].date() + timedelta(days=5)))
            await clerk.does(f"/cases/{ref}/decide-wait", granted=True, reason="同意")
            after = await clock_of(cadre, ref, "handle")
    assert (after["due_at"], after["yellow_at"]) == (before["due_at"], before["yellow_at"])


async def test_what_was_answered_while_it_stood_still_waits_no_longer(
    who: Who, api: FastAPI
) -> None:
    cadre = await who("gongnong")
    ref = await led_by_the_village(who)
    await asks(cadre, ref)
    await (await who("guangshun")).does(f"/cases/{ref}/decide-wait", granted=True, reason="同意")
    await cadre.does(f"/cases/{ref}/answer", outcome="solved", answer="已恢复供水")
    with clock.moved(timedelta(days=3)):
        async with people.signed_in(api, "gongnong") as then:
            detail = await then.sees(f"/cases/{ref}")
    assert (detail["waiting"], detail["paused_hours"] < 0.1) == (None, True)
    assert {one["stage"] for one in detail["clocks"] if one["paused"]} == set()


async def test_what_stands_still_is_not_overdue_and_late_is_as_of_moment_it_is_looked_at(
    who: Who, api: FastAPI
) -> None:
    """Beyond the time promised last, until the answer comes and it goes on."""
    cadre = await who("gongnong")
    still, late = await cadre.registers(), await cadre.registers()
    await cadre.does(f"/cases/{still}/request-supplement", missing="房屋编号")

    async def overdue(person: Person) -> list[bool]:
        found = await person.items("to_judge")
        return [found[ref]["overdue"] for ref in (still, late)]

    assert await overdue(cadre) == [False, False]
    with clock.moved(timedelta(days=14)):
        async with people.signed_in(api, "gongnong") as then:
            assert await overdue(then) == [False, True]
