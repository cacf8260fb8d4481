"""工作提醒: texts that ask a unit's staff to sign in and look, once a day and kind. Sends nothing itself.

The text says nothing else (docs/adr/0023, docs/adr/0034). Actions, the sweep and supervisors decide which units get one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlmodel import Field

from app import clock as moved_clock
from app import keys
from app.clock import SHANGHAI
from app.db import Transaction
from app.db.query import Query, columns
from app.db.row_base import MOMENT, Stored, one_of
from app.directory import official_numbers
from app.directory.terms import ACTING_ROLES, Role
from app.settings import NoticeKind, settings
from app.texts.outbox import MessageKind, announce_to_numbers

NOBODY: Final = 0


class NoticeOwed(Stored, table=True):
    """That a unit is to be texted on a day about a kind of work: one row, however much work came. Holds no matter.

    `staff_id`: who took the work on, if somebody did, else NOBODY. `settled_at`: when the texts were owed.
    """

    __tablename__ = "notice_owed"
    __table_args__ = (
        one_of("kind", NoticeKind),
        Index("notice_due", "due_at", "unit_id", postgresql_where=text("settled_at IS NULL")),
    )
    KEY: ClassVar[tuple[str, ...]] = ("unit_id", "kind", "day", "staff_id")
    ADD_ONCE: ClassVar[bool] = True

    unit_id: int = Field(primary_key=True, foreign_key="unit.id")
    kind: NoticeKind = Field(primary_key=True, sa_type=Text)
    day: date = Field(primary_key=True)
    staff_id: int = Field(primary_key=True)
    due_at: datetime = Field(sa_type=MOMENT)
    settled_at: datetime | None = Field(default=None, sa_type=MOMENT)


@dataclass(frozen=True, slots=True)
class _Number:
    """A number of a unit's or of staff."""

    id: UUID
    phone_key: bytes
    phone_sealed: bytes


@dataclass(frozen=True, slots=True)
class _Told:
    """By which text, and who of a unit besides the person concerned."""

    message: MessageKind
    roles: tuple[str, ...]


_STAFF: Final = tuple(sorted(ACTING_ROLES))
_TOLD: Final = {
    NoticeKind.TIME: _Told(MessageKind.STAFF_NOTICE, (Role.UNIT_HEAD, Role.VILLAGE_CADRE)),
    NoticeKind.WORK: _Told(MessageKind.STAFF_WORK, _STAFF),
    NoticeKind.PRESSED: _Told(MessageKind.STAFF_PRESSED, _STAFF),
    NoticeKind.DECISION: _Told(MessageKind.STAFF_DECISION, _STAFF),
    NoticeKind.CALLS: _Told(MessageKind.STAFF_CALLS, ()),
    NoticeKind.RELIEVED: _Told(MessageKind.STAFF_RELIEVED, _STAFF),
}
# The person's own numbers; the unit's; those of its people in these roles, as of today.
_NUMBERS: Final = Query(
    _Number,
    """
SELECT n.id, n.phone_key, n.phone_sealed FROM official_number n
WHERE n.removed_at IS NULL AND n.unit_id = ANY(CAST(:units AS int[]))
UNION
SELECT n.id, n.phone_key, n.phone_sealed FROM official_number n
WHERE n.removed_at IS NULL AND n.staff_id IN (
  SELECT id FROM unnest(CAST(:people AS int[])) AS p(id)
  UNION SELECT o.staff_id FROM post o WHERE o.unit_id = ANY(CAST(:units AS int[])) AND o.role = ANY(CAST(:roles AS text[]))
    AND o.valid_from <= CAST(:today AS date) AND (o.valid_to IS NULL OR o.valid_to >= CAST(:today AS date)))
""",
)
_CLAIM: Final = Query(
    NoticeOwed,
    f"""
SELECT {columns("n", NoticeOwed)} FROM notice_owed n WHERE settled_at IS NULL AND due_at <= now() + CAST(:shift AS interval)
ORDER BY due_at, unit_id LIMIT :most FOR UPDATE SKIP LOCKED
""",  # noqa: S608 - columns of our own table
)
_SETTLE: Final = text("""
UPDATE notice_owed SET settled_at = :now WHERE unit_id = :unit_id AND kind = :kind AND day = :day AND staff_id = :staff_id
""")
_FORGET: Final = text("DELETE FROM notice_owed WHERE settled_at < :before")
_KEPT: Final = timedelta(days=30)


def owe(tx: Transaction, owed: Iterable[tuple[int, NoticeKind, int]], *, now: datetime) -> None:
    """Owes these units a text by day: unit id, kind, and the id of the staff member who took the work on, or NOBODY."""
    due_at = when(now)
    # Always in the same order, so that two transactions that owe the same rows cannot deadlock.
    for unit_id, kind, staff_id in sorted(owed):
        day = due_at.astimezone(SHANGHAI).date()
        tx.add(NoticeOwed(unit_id=unit_id, kind=kind, day=day, staff_id=staff_id, due_at=due_at))


async def text_owed(tx: Transaction, *, most: int) -> int:
    """Owe the texts of the notices that are due; returns how many notices were settled. Who is texted is known only now."""
    now = await tx.now()
    rows = await _CLAIM.all(tx, shift=moved_clock.shift(), most=most)
    for row in rows:
        people = [] if row.staff_id == NOBODY else [row.staff_id]
        await owe_texts(tx, row.kind, units=[row.unit_id], people=people, now=now)
        await tx.execute(
            _SETTLE, unit_id=row.unit_id, kind=row.kind, day=row.day, staff_id=row.staff_id, now=now
        )
    return len(rows)


async def owe_texts(
    tx: Transaction,
    kind: NoticeKind = NoticeKind.TIME,
    *,
    units: Iterable[int],
    people: Iterable[int],
    now: datetime,
) -> int:
    """Owe a text to these units and people, unless they are owed one of that kind for that day; returns how many are owed one now."""
    asked, persons = sorted(set(units)), sorted(set(people))
    if not (asked or persons) or kind not in settings().notices:
        return 0
    told = _TOLD[kind]
    rows = await _NUMBERS.all(tx, units=asked, people=persons, roles=list(told.roles))
    due_at = when(now)
    # The oldest kind has the key that it had when there was no other.
    once = f"{due_at.astimezone(SHANGHAI).date()}" + ("" if kind is NoticeKind.TIME else f"/{kind}")
    numbers = {
        f"staff/{row.phone_key.hex()}/{once}": phone
        for row in rows
        if (phone := _number(row)) is not None
    }
    if not numbers:
        return 0
    return await announce_to_numbers(tx, told.message, numbers.items(), now=now, due_at=due_at)


def _number(row: _Number) -> str | None:
    """A number that cannot be read gets no text: it must not stop the cards."""
    try:
        return keys.decrypt(row.phone_sealed, official_numbers.phone_place(row.id))
    except keys.Unreadable:
        return None


async def forget_settled(tx: Transaction) -> int:
    """Drop notices settled long ago; returns how many."""
    return await tx.execute(_FORGET, before=await tx.now() - _KEPT)


def when(now: datetime) -> datetime:
    """Now, if that is by day; else the next morning. Cards come at midnight: people are texted when they are at work."""
    begins, ends = settings().staff_notices_from, settings().staff_notices_until
    local = now.astimezone(SHANGHAI)
    if begins <= local.time() < ends:
        return now
    day = local.date() + timedelta(days=local.time() >= ends)
    return datetime.combine(day, begins, SHANGHAI)
