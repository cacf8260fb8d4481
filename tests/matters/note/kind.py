"""The note as a kind of matter: what it is asked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from app.auth.actor import SYSTEM
from app.calendars.working_time import WorkingCalendar
from app.db import Transaction
from app.matters import deadlines, record
from app.matters.clocks import Clock
from app.matters.kinds import MatterKind
from app.matters.matter import Matter
from app.matters.record import MatterAction
from tests.matters.note.models import Note

_MATTERS: Final = text("SELECT * FROM matter WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id")
_CLOCKS: Final = text("SELECT * FROM clock WHERE matter_id = :id AND ended_at IS NULL ORDER BY id")


async def _retime(
    tx: Transaction, matter_ids: Sequence[UUID], calendar: WorkingCalendar, now: datetime
) -> tuple[int, list[Clock]]:
    done, untouched = 0, list[Clock]()
    for matter in map(Matter.read, await tx.all(_MATTERS, ids=list(matter_ids))):
        clocks = [Clock.read(row) for row in await tx.all(_CLOCKS, id=matter.id)]
        before = {clock.id: clock.changing() for clock in clocks}
        for clock in clocks:
            deadlines.retime(clock, calendar)
        done += len(clocks)
        moved = record.row_changes(clocks, before, Clock)
        if not moved:
            untouched += clocks
            continue
        after = {"case": {}, "assignments": {}, "clocks": moved}
        record.append(
            tx,
            matter,
            MatterAction.RESCHEDULE,
            by=SYSTEM,
            now=now,
            public=False,
            after=after,
            data={"calendar": calendar.version},
        )
        record.write_changes(tx, clocks, before)
        tx.change(matter)
    return done, untouched


async def _end_wait(_tx: Transaction, _ref: str, _clock_id: UUID) -> bool:
    """A note waits for nothing."""
    return False


NOTE: Final = MatterKind(
    table=Note,
    chinese="限时便笺",
    unrecorded=frozenset({"title"}),
    checks=(),
    retime=_retime,
    end_wait=_end_wait,
)
