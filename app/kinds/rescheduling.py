"""After a calendar has changed: what still runs is computed anew, with an entry for every matter whose moments move.

A batch is one transaction. Cards that were issued stay as they are; app/cards lists them for review.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from app.calendars.reading import calendar_of
from app.calendars.working_time import WorkingCalendar
from app.db import Transaction
from app.db.query import Query
from app.kinds import KINDS
from app.matters.clocks import MAY_STILL_MOVE, Clock

BATCH: Final = 250
# A limit `w` that still follows an older calendar than its county's, `c`.
BEHIND: Final = f"{MAY_STILL_MOVE} AND w.county_id = c.county_id AND w.calendar_version < c.version"


class _CountyBehind(Struct, frozen=True):
    county_id: int
    version: int


_COUNTIES: Final = Query(
    _CountyBehind,
    f"""
SELECT c.county_id, c.version FROM calendar c WHERE EXISTS (SELECT FROM clock w WHERE {BEHIND}) ORDER BY c.county_id
""",  # noqa: S608 - a constant of this module
)
_HOW_MANY: Final = text(
    f"SELECT count(*) FROM calendar c JOIN clock w ON {BEHIND}"  # noqa: S608 - a constant of this module
)


class _MatterBehind(Struct, frozen=True):
    id: UUID
    kind: str


# A locked matter is left for the next run. Each worker looks through 8 times as many clocks, so that several can work side by side.
_TAKE: Final = Query(
    _MatterBehind,
    f"""
SELECT m.id, m.kind FROM matter m WHERE m.id IN (
  SELECT w.matter_id FROM calendar c JOIN clock w ON {BEHIND}
  WHERE c.county_id = :county_id AND NOT (w.matter_id = ANY(CAST(:aside AS uuid[])))
  ORDER BY w.calendar_version, w.id LIMIT 8 * CAST(:most AS int)
) ORDER BY m.id LIMIT :most FOR UPDATE SKIP LOCKED
""",  # noqa: S608 - a constant of this module
)
# Computed by the newest calendar, with nothing to tell.
_UNTOUCHED: Final = text("""
UPDATE clock w SET calendar_version = :version, certain_steps = done.certain, next_at = done.next
FROM unnest(CAST(:ids AS uuid[]), CAST(:certain AS int[]), CAST(:next AS timestamptz[])) AS done(id, certain, next)
WHERE w.id = done.id
""")


async def remaining(tx: Transaction) -> int:
    """How many limits are still computed by a calendar that is no longer the newest."""
    counted: int = await tx.scalar(_HOW_MANY)
    return counted


async def reschedule(
    tx: Transaction,
    *,
    now: datetime,
    most: int = BATCH,
    aside: Iterable[UUID] = (),
    taken: list[UUID] | None = None,
) -> int:
    """Compute the limits of up to `most` matters of one county anew; returns how many limits. 0: all are, or others are at them.

    `taken` is told which matters it was, also where one of them then fails; `aside` leaves matters out.
    """
    for county in await _COUNTIES.all(tx):
        matters = await _TAKE.all(tx, county_id=county.county_id, most=most, aside=list(aside))
        if taken is not None:
            taken += [matter.id for matter in matters]
        if matters:
            calendar = await calendar_of(tx, county.county_id, county.version)
            return await _compute(tx, matters, calendar, now)
    return 0


async def _compute(
    tx: Transaction, matters: list[_MatterBehind], calendar: WorkingCalendar, now: datetime
) -> int:
    done, untouched = 0, list[Clock]()
    for name in sorted({matter.kind for matter in matters}):
        ids = [matter.id for matter in matters if matter.kind == name]
        number, unmoved = await KINDS[name].retime(tx, ids, calendar, now)
        done, untouched = done + number, [*untouched, *unmoved]
    await tx.execute(
        _UNTOUCHED,
        version=calendar.version,
        ids=[clock.id for clock in untouched],
        certain=[clock.certain_steps for clock in untouched],
        next=[clock.next_at for clock in untouched],
    )
    return done
