"""After a calendar has changed: what still runs is computed anew, with an entry for every case whose moments move.

A batch is one transaction. Cards that were issued stay as they are; app/supervision lists them for review.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import text

from app.auth.actor import SYSTEM
from app.calendars.reading import calendar_of
from app.cases import history
from app.cases.clocks import Clock
from app.cases.deadlines import Timing
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action
from app.cases.models import Assignment, Case
from app.cases.routing import Place
from app.db import Transaction
from app.directory.terms import UnitKind
from app.limits.rules import NOTHING_SET

Row = TypeVar("Row", Clock, Assignment)
BATCH: Final = 250
# A limit `w` that still follows an older calendar than its county's, `c`.
BEHIND: Final = "(w.ended_at IS NULL OR w.provisional) AND w.county_id = c.county_id AND w.calendar_version < c.version"
_COUNTIES: Final = text(f"""
SELECT c.county_id, c.version FROM calendar c WHERE EXISTS (SELECT FROM clock w WHERE {BEHIND}) ORDER BY c.county_id
""")  # noqa: S608 - a constant of this module
_HOW_MANY: Final = text(
    f"SELECT count(*) FROM calendar c JOIN clock w ON {BEHIND}"  # noqa: S608 - a constant of this module
)
# A case that somebody is working on is left for the next look. Enough is looked through for several to work side by side.
_TAKE: Final = text(f"""
SELECT g.* FROM grievance g WHERE g.id IN (
  SELECT w.case_id FROM calendar c JOIN clock w ON {BEHIND}
  WHERE c.county_id = :county_id AND NOT (w.case_id = ANY(CAST(:aside AS uuid[])))
  ORDER BY w.calendar_version, w.id LIMIT 8 * CAST(:most AS int)
) ORDER BY g.id LIMIT :most FOR UPDATE SKIP LOCKED
""")  # noqa: S608 - a constant of this module
_CLOCKS: Final = text(
    "SELECT * FROM clock WHERE case_id = ANY(:ids) AND (ended_at IS NULL OR provisional)"
)
# Computed by the newest calendar, with the same result.
_UNTOUCHED: Final = text("UPDATE clock SET calendar_version = :version WHERE id = ANY(:ids)")
_PARTS: Final = text("""
SELECT a.* FROM assignment a JOIN grievance g ON g.id = a.case_id AND g.round = a.round WHERE a.case_id = ANY(:ids)
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
    """Compute the limits of up to `most` cases of one county anew; returns how many. 0: all are, or others are at them.

    `taken` is told which cases it was, also where one of them then fails; `aside` leaves cases out.
    """
    for county in await tx.all(_COUNTIES):
        cases = await tx.all(_TAKE, county_id=county.county_id, most=most, aside=list(aside))
        if taken is not None:
            taken += [case.id for case in cases]
        if cases:
            return await _compute(tx, county.county_id, county.version, cases, now)
    return 0


async def _compute(
    tx: Transaction, county_id: int, version: int, cases: list[Any], now: datetime
) -> int:
    calendar = await calendar_of(tx, county_id, version)
    timing = Timing(calendar, NOTHING_SET)
    ids = [case.id for case in cases]
    clocks = _by_case(Clock.read(row) for row in await tx.all(_CLOCKS, ids=ids))
    parts = _by_case(Assignment.read(row) for row in await tx.all(_PARTS, ids=ids))
    done, untouched = 0, list[UUID]()
    for row in cases:
        running = clocks.get(row.id, [])
        dossier = _dossier(Case.read(row), parts.get(row.id, []), running, timing)
        dossier.retime()
        done += len(running)
        if history.moved(dossier):
            history.record(
                tx, dossier, Action.RESCHEDULE, by=SYSTEM, now=now, public=False, calendar=version
            )
        else:
            untouched += [clock.id for clock in running]
    await tx.execute(_UNTOUCHED, ids=untouched, version=version)
    return done


def _dossier(case: Case, parts: list[Assignment], clocks: list[Clock], timing: Timing) -> Dossier:
    # Nothing is decided here: who holds the case and who is above it is not asked.
    holder = Place(case.holder_unit_id, "", UnitKind.TOWNSHIP)
    dossier = Dossier(case, holder, None, parts, clocks, timing, {}, frozenset())
    dossier.remember()
    return dossier


def _by_case(rows: Iterable[Row]) -> dict[UUID, list[Row]]:
    found: dict[UUID, list[Row]] = {}
    for row in rows:
        found.setdefault(row.case_id, []).append(row)
    return found
