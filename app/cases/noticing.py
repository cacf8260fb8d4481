"""工作提醒: what staff are told of work that comes to their unit: in its lists at once, and by a text to sign in and look.

The text says nothing else (docs/adr/0023, docs/adr/0034), and nobody is texted about a sealed case. Sends nothing itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Final

from sqlalchemy import Index, Text, text
from sqlmodel import Field

from app import clock as moved_clock
from app import keys
from app.auth.actor import SYSTEM, Actor, CitizenActor, StaffActor
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action, Phase
from app.clock import SHANGHAI
from app.db import Transaction
from app.db.row_base import MOMENT, Stored, one_of
from app.directory import official_numbers
from app.directory.terms import ACTING_ROLES, Role
from app.limits.terms import OF_REVIEWS, OF_THE_LAW, Stage
from app.matters.clocks import Clock
from app.settings import NoticeKind, settings
from app.texts.outbox import MessageKind, announce_to_numbers

__all__ = ["NoticeKind", "NoticeOwed", "owe_notices", "pass_on", "text_owed", "when"]

NOBODY: Final = 0


class NoticeOwed(Stored, table=True):
    """That a unit is to be texted on a day about a kind of work: one row, however much work came. Holds no case.

    `staff_id`: who took the case on, if somebody did, else NOBODY. `settled_at`: when the texts were owed.
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
_NUMBERS: Final = text("""
SELECT n.id, n.phone_key, n.phone_sealed FROM official_number n
WHERE n.removed_at IS NULL AND n.unit_id = ANY(CAST(:units AS int[]))
UNION
SELECT n.id, n.phone_key, n.phone_sealed FROM official_number n
WHERE n.removed_at IS NULL AND n.staff_id IN (
  SELECT id FROM unnest(CAST(:people AS int[])) AS p(id)
  UNION SELECT o.staff_id FROM post o WHERE o.unit_id = ANY(CAST(:units AS int[])) AND o.role = ANY(CAST(:roles AS text[]))
    AND o.valid_from <= CURRENT_DATE AND (o.valid_to IS NULL OR o.valid_to >= CURRENT_DATE))
""")
_CLAIM: Final = text("""
SELECT * FROM notice_owed WHERE settled_at IS NULL AND due_at <= now() + CAST(:shift AS interval)
ORDER BY due_at, unit_id LIMIT :most FOR UPDATE SKIP LOCKED
""")
_SETTLE: Final = text("""
UPDATE notice_owed SET settled_at = :now WHERE unit_id = :unit_id AND kind = :kind AND day = :day AND staff_id = :staff_id
""")
_FORGET: Final = text("DELETE FROM notice_owed WHERE settled_at < :before")
_KEPT: Final = timedelta(days=30)

# Limits that tell of work at a unit: to judge, to sign, whatever comes to be. The others run for nobody, go on where the unit
# is at it already, or come with a notice of their own.
_NO_WORK: Final = frozenset({
    Stage.SUPPLEMENT, Stage.WAITING, Stage.WHOLE, Stage.HANDLE, Stage.ASSIST, Stage.SUPERVISED_REPLY,
}) | (OF_THE_LAW - OF_REVIEWS)  # fmt: skip
_DECISIONS: Final = OF_REVIEWS | {
    Stage.HAND_BACK_DECISION,
    Stage.EXTENSION_DECISION,
    Stage.WAIT_DECISION,
}
# A unit that has none of these running any more has nothing left to do about a case.
_WORK: Final = frozenset({Stage.JUDGE, Stage.SIGN, Stage.HANDLE, Stage.ASSIST})
_REMINDERS: Final = {Action.PRESS: "pressed", Action.INSTRUCT: "instructed"}
_OPEN: Final = frozenset({Phase.PENDING, Phase.HANDLING, Phase.ANSWERED})


def pass_on(tx: Transaction, dossier: Dossier, action: Action, *, by: Actor, now: datetime) -> None:
    """Tell the units that an action concerns. history.record() calls it, so no action needs to.

    A unit is told of each limit that somebody else began for it or passed to it, and that somebody else ended all its work on
    the case; the holder when pressed or instructed.
    The case itself tells its holder in lists (`news`), until the holder acts on it.
    """
    _write_news(dossier, action, by=by, now=now)
    if dossier.case.sealed:
        return
    owed = {
        (one.unit_id, NoticeKind.DECISION if one.stage in _DECISIONS else NoticeKind.WORK, NOBODY)
        for one in _given(dossier, by)
    }
    owed |= {(unit_id, NoticeKind.RELIEVED, NOBODY) for unit_id in _relieved(dossier, by)}
    holder = dossier.case.holder_unit_id
    if action in _REMINDERS and _unit(by) != holder:
        handling = dossier.running(Stage.HANDLE)
        person = None if handling is None else handling.staff_id
        owed.add((holder, NoticeKind.PRESSED, person or NOBODY))
    due_at = when(now)
    # In one order, so that two who owe the same at once wait for each other in no circle.
    for unit_id, kind, staff_id in sorted(owed):
        day = due_at.astimezone(SHANGHAI).date()
        tx.add(NoticeOwed(unit_id=unit_id, kind=kind, day=day, staff_id=staff_id, due_at=due_at))


def _given(dossier: Dossier, by: Actor) -> list[Clock]:
    """The limits of work that are new, or another unit's than before, and not of the actor's own unit."""
    own, before = _unit(by), dossier.clocks_before
    return [
        one
        for one in dossier.clocks
        if one.ended_at is None
        and one.stage not in _NO_WORK
        and one.unit_id != own
        and (one.id not in before or before[one.id]["unit_id"] != one.unit_id)
    ]


def _relieved(dossier: Dossier, by: Actor) -> set[int]:
    """The units whose work on the case somebody else ended. None where the system does it: their work goes to a successor."""
    if by is SYSTEM:
        return set()
    before = dossier.clocks_before
    work = [one for one in dossier.clocks if one.stage in _WORK]
    ended = {
        one.unit_id
        for one in work
        if one.ended_at is not None and one.id in before and before[one.id]["ended_at"] is None
    }
    return ended - {one.unit_id for one in work if one.ended_at is None} - {_unit(by)}


def _write_news(dossier: Dossier, action: Action, *, by: Actor, now: datetime) -> None:
    case = dossier.case
    if case.phase not in _OPEN:
        case.news = None
    elif any(
        one.unit_id == case.holder_unit_id and one.stage not in _DECISIONS
        for one in _given(dossier, by)
    ):
        case.news = [_news("given", by, now)]
    elif action in _REMINDERS:
        what = _REMINDERS[action]
        case.news = [one for one in case.news or () if one["what"] != what] + [_news(what, by, now)]
    elif case.news is not None and _unit(by) == case.holder_unit_id:
        case.news = None


def _news(what: str, by: Actor, now: datetime) -> dict[str, str]:
    who = by.role.value if isinstance(by, StaffActor) else "reporter" if isinstance(by, CitizenActor) else "system"  # fmt: skip
    return {"what": what, "by": who, "at": now.isoformat()}


def _unit(by: Actor) -> int | None:
    return by.unit_id if isinstance(by, StaffActor) else None


async def text_owed(tx: Transaction, *, most: int) -> int:
    """Owe the texts of the notices that are due; returns how many notices were settled. Who is texted is known only now."""
    now = await tx.now()
    rows = await tx.all(_CLAIM, shift=moved_clock.shift(), most=most)
    for row in rows:
        people = [] if row.staff_id == NOBODY else [row.staff_id]
        await owe_notices(tx, NoticeKind(row.kind), units=[row.unit_id], people=people, now=now)
        await tx.execute(
            _SETTLE, unit_id=row.unit_id, kind=row.kind, day=row.day, staff_id=row.staff_id, now=now
        )
    return len(rows)


async def owe_notices(
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
    rows = await tx.all(_NUMBERS, units=asked, people=persons, roles=list(told.roles))
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


def _number(row: Any) -> str | None:
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
