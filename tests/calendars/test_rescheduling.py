"""A changed calendar moves what still runs, with an entry each; what it does not touch stays, and nothing is lost."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest_asyncio
from sqlalchemy import text

from app.auth.actor import StaffActor
from app.calendars import editing
from app.calendars.working_time import Day
from app.cases.actions import filing
from app.cases.actions.filing import Intake
from app.cases.models import Channel
from app.cases.number_given import PersonHelped
from app.clock import SHANGHAI
from app.db import OWNER, Transaction
from app.kinds import rescheduling
from app.kinds.verification import verify
from app.limits.terms import Kind
from tests.conftest import Staff

# A Monday of a week without holidays.
MONDAY = datetime(2026, 6, 8, 10, tzinfo=SHANGHAI)
_CASE = text("SELECT * FROM grievance WHERE ref = :ref")
_CLOCKS = text("SELECT * FROM clock WHERE matter_id = :id ORDER BY stage")
_ENTRIES = text("SELECT action, public, body FROM record_entry WHERE matter_id = :id ORDER BY seq")
_UNPUBLISH = text("DELETE FROM calendar_year WHERE county_id = :county_id AND year = 2026")
_FREE = text("SET LOCAL session_replication_role = replica")
_BOUND = text("SET LOCAL session_replication_role = origin")


@pytest_asyncio.fixture
async def cadre(staff: Staff) -> StaffActor:
    return await staff("gongnong")


def county_of(by: StaffActor) -> int:
    assert by.county_id is not None
    return by.county_id


async def registered(tx: Transaction, by: StaffActor, now: datetime = MONDAY) -> str:
    told = Intake(
        title="路灯不亮",
        body="村口的路灯坏了。",
        kind=Kind.HELP,
        channel=Channel.CADRE,
        person=PersonHelped("王大爷", None),
    )
    found = await filing.register(tx, told, by=by, now=now)
    await tx.flush()
    return found.case.ref


async def off(tx: Transaction, by: StaffActor, day: date) -> None:
    await editing.change_days(
        tx,
        county_of(by),
        {day: Day(working=False, name="县里放假")},
        reason="-",
        staff_id=None,
        now=MONDAY,
    )
    await tx.flush()


async def all_rescheduled(tx: Transaction) -> int:
    done = 0
    while step := await rescheduling.reschedule(tx, now=MONDAY + timedelta(hours=1), most=7):
        await tx.flush()
        done += step
    return done


async def seen(tx: Transaction, ref: str) -> tuple[Any, list[Any], list[Any]]:
    case = await tx.one_or_none(_CASE, ref=ref)
    assert case is not None
    return case, await tx.all(_CLOCKS, id=case.id), await tx.all(_ENTRIES, id=case.id)


def end_of(day: int) -> datetime:
    return datetime(2026, 6, day, 23, 59, 59, tzinfo=SHANGHAI)


async def test_day_off_moves_the_village_s_time_to_judge_and_the_record_says_so(
    tx: Transaction, cadre: StaffActor
) -> None:
    ref = await registered(tx, cadre)
    before, _, _ = await seen(tx, ref)
    assert before.stage_due_at == end_of(10)
    await off(tx, cadre, date(2026, 6, 9))
    assert await all_rescheduled(tx) >= 2
    after, clocks, entries = await seen(tx, ref)
    assert after.stage_due_at == end_of(11)
    assert after.due_at > before.due_at
    assert after.statutory_due_at == before.statutory_due_at
    assert [(one.action, one.public) for one in entries] == [
        ("register", True),
        ("reschedule", False),
    ]
    assert len({one.calendar_version for one in clocks}) == 1
    faults = [fault async for _, found in verify(tx) for fault in found if fault.ref == ref]
    assert faults == []
    assert await rescheduling.remaining(tx) == 0


async def test_day_that_does_not_concern_a_case_leaves_its_record_alone(
    tx: Transaction, cadre: StaffActor
) -> None:
    ref = await registered(tx, cadre)
    before, _, _ = await seen(tx, ref)
    await off(tx, cadre, date(2026, 12, 9))
    await all_rescheduled(tx)
    after, clocks, entries = await seen(tx, ref)
    assert (after.stage_due_at, after.due_at) == (before.stage_due_at, before.due_at)
    assert len(entries) == 1
    assert len({one.calendar_version for one in clocks}) == 1
    assert await rescheduling.remaining(tx) == 0


async def test_what_rests_on_an_unpublished_year_waits_for_it_and_then_runs(
    tx: Transaction, cadre: StaffActor
) -> None:
    await tx.act_as(OWNER)
    await tx.execute(_FREE)
    await tx.execute(_UNPUBLISH, county_id=cadre.county_id)
    await tx.execute(_BOUND)
    await off(tx, cadre, date(2026, 12, 9))
    ref = await registered(tx, cadre)
    _, provisional, _ = await seen(tx, ref)
    judge = next(one for one in provisional if one.stage == "judge")
    assert (judge.provisional, judge.next_at, judge.due_at) == (True, None, end_of(10))
    listed = {
        date(2026, month, day): Day(working=False, name="放假")
        for month, day in (
            (1, 1),
            (2, 17),
            (2, 18),
            (2, 19),
            (4, 6),
            (5, 1),
            (10, 1),
            (10, 2),
            (10, 3),
            (6, 10),
            (6, 19),
            (9, 25),
        )
    }
    await editing.publish_years(
        tx, county_of(cadre), {2026: listed}, source="国务院", staff_id=None, now=MONDAY
    )
    await tx.flush()
    await all_rescheduled(tx)
    _, known, entries = await seen(tx, ref)
    judge = next(one for one in known if one.stage == "judge")
    assert (judge.provisional, judge.due_at) == (False, end_of(11))
    assert judge.next_at == judge.remind_at
    assert [one.action for one in entries] == ["register", "reschedule"]
