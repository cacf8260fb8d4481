"""The grievance as a kind of matter: its answers to the jobs that work on matters of every kind."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from app.auth.actor import SYSTEM
from app.calendars.working_time import WorkingCalendar
from app.cases import access, history
from app.cases.actions import waiting
from app.cases.lifecycle import Action
from app.cases.models import ERASED, Case
from app.cases.surroundings import CaseRow, case_columns
from app.db import Transaction
from app.db.query import Query
from app.db.row_base import seal_holds
from app.matters.clocks import Clock
from app.matters.kinds import MatterKind
from app.matters.recorded import Fault, FindFaults, Recorded

# The caller has locked the matters, so no other transaction changes these rows.
_CASES: Final = Query(
    CaseRow,
    f"""
SELECT {case_columns("m", "g")} FROM matter m JOIN grievance g ON g.id = m.id
WHERE m.id = ANY(CAST(:ids AS uuid[])) ORDER BY m.id
""",  # noqa: S608 - columns of our own tables
)


async def _retime(
    tx: Transaction, matter_ids: Sequence[UUID], calendar: WorkingCalendar, now: datetime
) -> tuple[int, list[Clock]]:
    done, untouched = 0, list[Clock]()
    rows = await _CASES.all(tx, ids=list(matter_ids))
    for dossier in await access.dossiers(tx, rows, calendar):
        dossier.retime()
        done += len(dossier.clocks)
        if history.moved(dossier):
            history.record(
                tx,
                dossier,
                Action.RESCHEDULE,
                by=SYSTEM,
                now=now,
                public=False,
                calendar=calendar.version,
            )
        else:
            untouched += dossier.clocks
    return done, untouched


async def _end_wait(tx: Transaction, ref: str, clock_id: UUID) -> bool:
    dossier = await access.lock_case(tx, ref, by=SYSTEM)
    return waiting.end(tx, dossier, clock_id, now=await tx.now())


async def _own_rows(_tx: Transaction, _ids: list[UUID]) -> FindFaults:
    return _own_row


def _own_row(recorded: Recorded) -> Iterator[Fault]:
    """The case's row repeats the title for lists, and keeps the key of its tracking code."""
    case, written = recorded.row, recorded.texts.get((1, "title"))
    if (1, "title") in recorded.erased:
        if case.title != ERASED:
            yield recorded.fault(GRIEVANCE.name, 1, "标题已经删除，又被写上别的内容")
    elif written is not None and written.text is not None and written.text != case.title:
        yield recorded.fault(GRIEVANCE.name, 1, "标题与记录不符")
    if not seal_holds(Case, case):
        yield recorded.fault(GRIEVANCE.name, 1, "查询码与登记时不符")


GRIEVANCE: Final = MatterKind(
    table=Case,
    chinese="群众反映的事项",
    unrecorded=frozenset({"title", "tracking_key", "seal"}),
    checks=(_own_rows,),
    retime=_retime,
    end_wait=_end_wait,
)
