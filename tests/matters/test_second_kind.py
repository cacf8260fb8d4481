"""A second kind of matter (tests/matters/note) gets cards, papers, texts, evaluations and counts from what all kinds share."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import text

from app.calendars import editing
from app.calendars.working_time import Day
from app.cards import card_lists
from app.cards.card_lists import Filter, SeenCard, Whose
from app.db import Transaction
from app.doctor.invariant import Reach
from app.doctor.invariants import INVARIANTS
from app.doctor.verification import BESIDE_CASES
from app.errors import ActionNotAllowed, NotFound
from app.evaluation import privacy_role
from app.kinds import KINDS, rescheduling, verification
from app.matters import papers
from app.matters.matter import Matter
from app.matters.papers import PaperKind
from app.reports.formulas import Measure
from tests.conftest import Staff
from tests.matters.note import actions, migration
from tests.matters.note.kind import NOTE
from tests.matters.note.models import Note
from tests.reports.conftest import CLOSING_DAY, JUNE, Books, june

WATER = "500153D11"
_ENTRIES = text("SELECT action FROM record_entry WHERE matter_id = :id ORDER BY seq")
_TEXTS = text("""
SELECT kind FROM outbox_message WHERE matter_id = :id AND kind <> 'survey_owed'""")
_MATTER = text("SELECT * FROM matter WHERE id = :id")
_PAPER = text("SELECT id FROM paper WHERE matter_id = :id")
_DUE_AT = text("SELECT due_at FROM clock WHERE matter_id = :id")


class Notes(Books):
    """Notes that the water authority writes, and the county's books with them."""

    async def write(self, number: int, at: datetime) -> Note:
        case = await self.told(at - timedelta(minutes=5))
        note = await actions.write(
            self.tx,
            f"BJ-2025-{number}",
            by=await self.who("shuiwu"),
            citizen_id=case.citizen_id,
            title="水表漏水",
            now=at,
        )
        await self.tx.flush()
        return note

    async def answer(self, note: Note, at: datetime, *, by: str = "shuiwu") -> None:
        await actions.answer(self.tx, note.ref, by=await self.who(by), answer="已换水表", now=at)
        await self.tx.flush()

    async def entries(self, note: Note) -> list[str]:
        return [row.action for row in await self.tx.all(_ENTRIES, id=note.id)]

    async def cards(self, account: str) -> list[SeenCard]:
        """The unit's cards for notes, as that person sees them; other tests leave cards for cases."""
        by = await self.who(account)
        page = await card_lists.page(self.tx, Whose.UNIT, Filter(), by=by, cursor=None)
        return [one for one in page.cards if one.ref.startswith("BJ-")]

    async def faults(self, *notes: Note, at: datetime) -> list[Any]:
        """What `qungong verify` and `qungong doctor` find wrong with these at that moment."""
        ids: list[UUID] = [note.id for note in notes]
        batches = verification.verify(self.tx, also=BESIDE_CASES, ids=ids)
        found: list[Any] = [fault async for _, faults in batches for fault in faults]
        await privacy_role.enter(self.tx)
        for one in INVARIANTS:
            if one.reach is Reach.CASES and one.sql is not None:
                binds = {"now": at, "since": at, "swept": at - timedelta(minutes=1)}
                found += await self.tx.all(one.sql, ids=ids, most=9, **binds)
        return found


@pytest_asyncio.fixture
async def notes(
    tx: Transaction, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Notes]:
    """A county with the second kind: its migration is undone with the transaction."""
    await migration.upgrade(tx)
    monkeypatch.setitem(KINDS, NOTE.name, NOTE)
    yield Notes(tx, staff)


async def test_note_that_is_late_gets_its_card(notes: Notes) -> None:
    note = await notes.write(1, june(3))
    await notes.swept(june(17, 12))
    assert await notes.swept(june(20)) > 0
    assert await notes.entries(note) == ["register", "remind", "card"]
    cards = await notes.cards("shuiwu")
    assert [(one.ref, one.title, one.card.unit_name) for one in cards] == [
        (note.ref, "水表漏水", "县水务局")
    ]
    assert await notes.faults(note, at=june(20)) == []


async def test_card_of_a_note_shows_to_nobody_else(notes: Notes) -> None:
    note = await notes.write(1, june(3))
    await notes.swept(june(30))
    assert {one.ref for one in await notes.cards("shuiwu")} == {note.ref}  # a yellow and a red one
    assert await notes.cards("ronglong") == []


async def test_note_has_a_paper_with_a_number(notes: Notes) -> None:
    note = await notes.write(1, june(3))
    matter = Matter.read((await notes.tx.all(_MATTER, id=note.id))[0])
    paper_id = await notes.tx.scalar(_PAPER, id=note.id)
    paper = await papers.in_full(notes.tx, matter, paper_id)
    assert (paper.kind, paper.ref, paper.title) == (PaperKind.DISPATCH, note.ref, "水表漏水")
    with pytest.raises(NotFound):
        await papers.in_full(notes.tx, matter, paper_id, reporter=True)


async def test_answered_note_is_told_asked_about_and_counted(notes: Notes) -> None:
    note, late = await notes.write(1, june(3)), await notes.write(2, june(3))
    await notes.answer(note, june(5))
    await notes.asked(note, june(5), "满意")
    await notes.locked()
    sent = {row.kind for row in await notes.tx.all(_TEXTS, id=note.id)}
    assert sent == {"answered", "survey"}
    assert await notes.entries(note) == ["register", "answer"]
    counted = await notes.counts(WATER)
    assert counted == {
        Measure.TAKEN_IN: 2,
        Measure.GIVEN: 2,
        Measure.ANSWERED: 1,
        Measure.PENDING: 1,
        Measure.HANDLING_DUE: 2,
        Measure.HANDLING_IN_TIME: 1,
        Measure.PASSED: 1,
        Measure.ROUNDS: 1,
        Measure.YELLOW: 1,
        Measure.YELLOW_NET: 1,
        Measure.RED: 1,
        Measure.RED_NET: 1,
        Measure.ASKED: 1,
        Measure.EVALUATED: 1,
        Measure.SATISFIED: 1,
    }
    assert await notes.faults(note, late, at=JUNE.cutoff(CLOSING_DAY)) == []


async def test_note_is_answered_once_and_by_its_holder_alone(notes: Notes) -> None:
    note = await notes.write(1, june(3))
    with pytest.raises(NotFound):
        await notes.answer(note, june(4), by="ronglong")
    with pytest.raises(ActionNotAllowed):
        await notes.answer(note, june(4), by="zhihui")
    await notes.answer(note, june(5))
    with pytest.raises(ActionNotAllowed):
        await notes.answer(note, june(6))


async def test_limit_of_a_note_follows_the_calendar(notes: Notes) -> None:
    note = await notes.write(1, june(3))
    before = await notes.tx.scalar(_DUE_AT, id=note.id)
    days = {june(4).date(): Day(working=False, name="停水停电")}
    await editing.change_days(
        notes.tx, await notes.county_id(), days, reason="-", staff_id=None, now=june(3, 12)
    )
    await notes.tx.flush()
    while await rescheduling.reschedule(notes.tx, now=june(3, 13)):
        await notes.tx.flush()
    assert await notes.entries(note) == ["register", "reschedule"]
    assert await notes.tx.scalar(_DUE_AT, id=note.id) > before
    assert await notes.faults(note, at=june(3, 14)) == []


@pytest.mark.parametrize(
    ("harm", "table"),
    [
        ("UPDATE note SET answered_at = now() WHERE id = :id", "note"),
        ("UPDATE matter SET sealed = true WHERE id = :id", "matter"),
        ("UPDATE matter SET kind = 'letter' WHERE id = :id", "letter"),
        ("UPDATE clock SET due_at = due_at + interval '1 day' WHERE matter_id = :id", "clock"),
        ("DELETE FROM note WHERE id = :id", "note"),
        ("UPDATE record_entry SET body = replace(body, 'note', 'nota') || ' ' WHERE matter_id = :id", "record_entry"),
    ],
)  # fmt: skip
async def test_changed_note_does_not_verify(notes: Notes, harm: str, table: str) -> None:
    note = await notes.write(1, june(3))
    await notes.tx.act_as("none")
    await notes.tx.execute(text("SET LOCAL session_replication_role = replica"))
    await notes.tx.execute(text(harm), id=note.id)
    tables = {getattr(one, "table", None) for one in await notes.faults(note, at=june(4))}
    assert table in tables
