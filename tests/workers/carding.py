"""Cases of a village of the sample county at dates of 2025, whose calendar stands, and the sweep that cards them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text

from app import clock
from app.auth.actor import StaffActor
from app.calendars import editing
from app.calendars.working_time import Day
from app.cases.actions import filing
from app.cases.actions.filing import Intake
from app.cases.lifecycle import Action
from app.cases.models import Channel
from app.cases.number_given import PersonHelped
from app.clock import SHANGHAI
from app.db import OWNER, transaction
from app.kinds import verification
from app.limits.terms import Kind
from workers.deadlines import CardSweep

_CARDS = text("""
SELECT c.*, g.ref, u.code FROM card c JOIN grievance g ON g.id = c.matter_id JOIN unit u ON u.id = c.unit_id
WHERE g.ref = :ref ORDER BY c.effective_at, c.unit_id
""")


_ENTRIES = text("""
SELECT e.action, e.public, e.staff_id, CAST(e.body AS json) -> 'data' AS data
FROM record_entry e JOIN grievance g ON g.id = e.matter_id WHERE g.ref = :ref AND e.action = ANY(:actions) ORDER BY e.seq
""")


LOOK_AGAIN = text("""
UPDATE clock w SET steps = 1, next_at = yellow_at FROM grievance g WHERE g.id = w.matter_id AND g.ref = :ref AND w.stage = 'judge'
""")
UNCONSTRAINED = text("ALTER TABLE card DROP CONSTRAINT one_card_a_level")
LOCK = text("SELECT 1 FROM matter WHERE ref = :ref FOR UPDATE")
# A head that does not fit its chain: no entry can be added to this case.
BREAK = text("UPDATE matter SET head_seq = head_seq - 1 WHERE ref = :ref")


VILLAGE, TOWNSHIP, WATER = "500153003007", "500153003", "500153D11"


def day(month: int, day_: int, hour: int = 10, *, minute: int = 0, year: int = 2025) -> datetime:
    return datetime(year, month, day_, hour, minute, tzinfo=SHANGHAI)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    with clock.moved(moment - datetime.now(UTC)):
        yield


async def registered(cadre: StaffActor, received: datetime, number: int = 1) -> str:
    intake = Intake(
        "路灯不亮", "村口路灯不亮三天了。", Kind.HELP, Channel.CADRE,
        person=PersonHelped("李大姐", f"+86139{number:08d}"),
    )  # fmt: skip
    async with transaction() as tx:
        return (await filing.register(tx, intake, by=cadre, now=received)).case.ref


async def sweep(moment: datetime, work: CardSweep | None = None) -> None:
    """Until nothing more is due."""
    with at(moment):
        work = work or CardSweep()
        while (await work.step())[1]:
            pass


async def cards(ref: str) -> list[Any]:
    async with transaction() as tx:
        return await tx.all(_CARDS, ref=ref)


async def entries(ref: str, *actions: Action) -> list[Any]:
    async with transaction() as tx:
        return await tx.all(_ENTRIES, ref=ref, actions=list(actions))


async def run(statement: Any, **values: Any) -> None:
    """By hand, as nothing of ours could."""
    async with transaction() as tx:
        await tx.act_as(OWNER)
        await tx.execute(statement, **values)


async def a_day_off(by: StaffActor, off: date) -> None:
    assert by.county_id is not None
    days = {off: Day(working=False, name="停水停电")}
    async with transaction() as tx:
        await editing.change_days(tx, by.county_id, days, reason="-", staff_id=None, now=day(9, 23))


async def assert_records_hold() -> None:
    async with transaction() as tx:
        assert [fault async for _, found in verification.verify(tx) for fault in found] == []


# A village judges within 2 working days: registered on Monday, due on Wednesday at the end of the day.
MONDAY, LATE = day(9, 22), day(9, 25, 0)
