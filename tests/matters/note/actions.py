"""The two actions on a note, and its whole lifecycle: it is written, and then answered by the unit that holds it."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from app.auth.actor import StaffActor
from app.calendars.reading import calendar_of
from app.db import Transaction
from app.errors import ActionNotAllowed, NotFound
from app.identifiers import uuid7
from app.limits.reading import rules_of
from app.limits.terms import Kind, Stage
from app.matters import deadlines, papers, record
from app.matters.clocks import Clock
from app.matters.matter import Matter, MatterParty
from app.matters.papers import PaperKind
from app.matters.parts import Assignment, AssignmentRole, AssignmentState
from app.matters.record import MatterAction
from app.matters.telling import owe_survey, tell
from app.matters.visibility import VISIBLE_TO_STAFF, viewer
from app.texts.outbox import MessageKind
from tests.matters.note.models import Note, Phase

LIFECYCLE: Final = {(Phase.OPEN, MatterAction.ANSWER): Phase.ANSWERED}
_CALENDAR: Final = text("SELECT version FROM calendar WHERE county_id = :county_id")
_LOCK: Final = text(f"""
SELECT n.*, m.kind, m.head_seq, m.head_hash FROM matter m JOIN note n ON n.id = m.id JOIN matter_facts c ON c.id = m.id
WHERE m.ref = :ref AND {VISIBLE_TO_STAFF} FOR UPDATE OF m, n
""")  # noqa: S608 - a constant of ours
_PART: Final = text("SELECT * FROM assignment WHERE matter_id = :id")
_CLOCK: Final = text("SELECT * FROM clock WHERE matter_id = :id AND ended_at IS NULL")


async def write(
    tx: Transaction, ref: str, *, by: StaffActor, citizen_id: UUID, title: str, now: datetime
) -> Note:
    """Write a note; the unit's limit for handling begins, and the note has a paper."""
    assert by.county_id is not None
    note = Note(
        id=uuid7(now),
        ref=ref,
        county_id=by.county_id,
        title=title,
        holder_unit_id=by.unit_id,
        entered_by_staff_id=by.staff_id,
        citizen_id=citizen_id,
        textable=True,
        received_at=now,
    )
    matter = Matter(id=note.id, kind="note", ref=ref, county_id=note.county_id, sealed=False)
    rules = await rules_of(tx, note.county_id)
    rule = rules.of(Stage.HANDLE, tier=by.unit_kind, kind=Kind.HELP, categories=(), urgent=False)
    calendar = await calendar_of(
        tx, note.county_id, await tx.scalar(_CALENDAR, county_id=note.county_id)
    )
    part_id = uuid7(now)
    clock = Clock.start(
        rule,
        Stage.HANDLE,
        calendar,
        matter_id=note.id,
        county_id=note.county_id,
        round_=note.round,
        unit_id=by.unit_id,
        now=now,
        part_id=part_id,
    )
    assert clock.due_at is not None
    part = Assignment(
        id=part_id,
        matter_id=note.id,
        round=note.round,
        role=AssignmentRole.LEAD,
        unit_id=by.unit_id,
        state=AssignmentState.SIGNED,
        due_at=clock.due_at,
        sign_due_at=now,
        assigned_at=now,
        signed_at=now,
    )
    clock.staff_id = by.staff_id
    paper = await papers.on_record(tx, matter, PaperKind.DISPATCH, now)
    after = {
        "case": {
            name: record.json_value(getattr(note, name))
            for name in Note.model_fields
            if name != "title"
        },
        "assignments": record.row_changes([part], {}, Assignment),
        "clocks": record.row_changes([clock], {}, Clock),
    }
    record.append(
        tx,
        matter,
        MatterAction.REGISTER,
        by=by,
        now=now,
        public=True,
        after=after,
        data={"to": by.unit_id, **paper},
        texts={"title": title},
    )
    tx.add(matter)
    tx.add(note)
    tx.add(MatterParty(unit_id=by.unit_id, matter_id=note.id, since=now))
    record.write_changes(tx, [part], {})
    record.write_changes(tx, [clock], {})
    return note


async def answer(tx: Transaction, ref: str, *, by: StaffActor, answer: str, now: datetime) -> Note:
    """Answer the resident, who is told by text and asked how it was."""
    row = await tx.one_or_none(_LOCK, ref=ref, **viewer(by))
    if row is None:
        raise NotFound
    note, matter = Note.read(row), Matter.read(row)
    following = LIFECYCLE.get((note.phase, MatterAction.ANSWER))
    if following is None or by.unit_id != note.holder_unit_id:
        raise ActionNotAllowed("这件便笺已经答复，或不在本单位。")
    clock = Clock.read((await tx.all(_CLOCK, id=note.id))[0])
    part = Assignment.read((await tx.all(_PART, id=note.id))[0])
    before: dict[str, dict[Any, Any]] = {
        "case": note.changing(),
        "assignments": {part.id: part.changing()},
        "clocks": {clock.id: clock.changing()},
    }
    note.phase, note.answered_at = following, now
    part.state, part.done_at = AssignmentState.ANSWERED, now
    clock.ended_at = now
    deadlines.set_next(clock)
    after = {
        "case": record.column_changes(note, before["case"], Note.CHANGING),
        "assignments": record.row_changes([part], before["assignments"], Assignment),
        "clocks": record.row_changes([clock], before["clocks"], Clock),
    }
    record.append(
        tx,
        matter,
        MatterAction.ANSWER,
        by=by,
        now=now,
        public=True,
        after=after,
        data={},
        texts={"answer": answer},
    )
    tx.change(matter)
    tx.change(note)
    record.write_changes(tx, [part], before["assignments"])
    record.write_changes(tx, [clock], before["clocks"])
    tell(
        tx,
        note,
        MessageKind.ANSWERED,
        now=now,
        unit=by.unit_name,
        outcome="已解决",
        answer=answer,
    )
    owe_survey(tx, matter_id=note.id, round_=note.round, citizen_id=note.citizen_id, now=now)
    return note
