"""After a calendar has changed: what still runs is computed anew, with an entry for every case whose moments move.

A batch is one transaction. Cards that were issued stay as they are; app/supervision lists them for review.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from app.auth.actor import SYSTEM
from app.calendars.reading import calendar_of
from app.cases import access, history
from app.cases.clocks import UNSETTLED, Clock
from app.cases.lifecycle import Action
from app.cases.models import Case
from app.db import Transaction

BATCH: Final = 250
# A limit `w` that still follows an older calendar than its county's, `c`.
BEHIND: Final = f"{UNSETTLED} AND w.county_id = c.county_id AND w.calendar_version < c.version"
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
    done, untouched = 0, list[Clock]()
    for dossier in await access.dossiers(tx, [Case.read(row) for row in cases], calendar):
        dossier.retime()
        done += len(dossier.clocks)
        if history.moved(dossier):
            history.record(
                tx, dossier, Action.RESCHEDULE, by=SYSTEM, now=now, public=False, calendar=version
            )
        else:
            untouched += dossier.clocks
    await tx.execute(
        _UNTOUCHED,
        version=version,
        ids=[clock.id for clock in untouched],
        certain=[clock.certain_steps for clock in untouched],
        next=[clock.next_at for clock in untouched],
    )
    return done
