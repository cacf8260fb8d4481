"""What comes of a limit that has passed: a reminder, a yellow card, a red one. Computes no limit and waits for nothing.

A batch is one transaction: entries on the records, cards, texts to whoever is meant, and where the sweep stands with each
clock. Its cost grows with what is due, not with what is open: only the index on `next_at` is read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from app import clock as moved_clock
from app.auth.actor import SYSTEM
from app.cards.models import Card, CardCause, CardLevel
from app.clock import SHANGHAI
from app.db import Transaction
from app.db.query import Query
from app.directory.terms import ACTING_ROLES, Role
from app.identifiers import uuid7
from app.kinds import KINDS, rescheduling
from app.limits.terms import WITHOUT_CARDS
from app.matters import deadlines, notices, record
from app.matters.clocks import Clock
from app.matters.deadlines import Step
from app.matters.record import MatterAction

_COLUMNS: Final = ", ".join(f'w."{name}"' for name in Clock.model_fields)
# The sweep locks clocks before their matters; all other code locks the matter first. Both locks have SKIP LOCKED: the sweep never
# waits, so no deadlock can occur. It leaves a locked matter for its next run.
# It waits 10 s, so that requests already in flight can end a stage before a card is issued (lock timeout 2 s, statement timeout 5 s).
_GRACE: Final = "10 seconds"
# No card is issued by a calendar that has been changed since: such a limit is first computed anew.
_DUE: Final = f"""
SELECT {_COLUMNS} FROM clock w
WHERE w.next_at <= now() - interval '{_GRACE}' + CAST(:shift AS interval)
  AND NOT EXISTS (SELECT FROM calendar c WHERE {rescheduling.BEHIND})
  AND """  # noqa: S608 - columns of our own table
_CLAIM: Final = Query(
    Clock,
    f"""{_DUE} NOT (w.id = ANY(CAST(:aside AS uuid[])))
ORDER BY w.next_at, w.id LIMIT :most FOR NO KEY UPDATE SKIP LOCKED""",
)
# Read in the order of its index, whatever the planner thinks of how many are due: else all that is due is read and sorted
# for every batch. Only for the claim: what is asked after it has no such index.
_SORTING: Final = text("SELECT set_config('enable_sort', :sorting, true)")
_CLAIM_ONE: Final = Query(Clock, f"{_DUE} w.id = :id FOR NO KEY UPDATE SKIP LOCKED")


@dataclass(slots=True)
class _Head:
    id: UUID
    sealed: bool
    head_seq: int
    head_hash: bytes


_LOCK_MATTERS: Final = Query(
    _Head,
    """
SELECT id, sealed, head_seq, head_hash FROM matter WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id
FOR NO KEY UPDATE SKIP LOCKED
""",
)


class _WaitingMatter(Struct, frozen=True):
    ref: str
    kind: str


_WAITING: Final = Query(
    _WaitingMatter,
    """
SELECT m.ref, m.kind FROM clock w JOIN matter m ON m.id = w.matter_id
WHERE w.id = :id AND w.next_at <= now() + CAST(:shift AS interval) FOR NO KEY UPDATE OF m SKIP LOCKED
""",
)


class _HolderRow(Struct, frozen=True):
    n: int
    unit_name: str
    staff_id: int | None
    name: str | None
    title: str | None
    role: Role | None


# On that day: who took the stage on, if they had a post in the unit; else its head; else whoever acts for it, or, in a
# unit where only supervisors do, one of them.
_HELD: Final = Query(
    _HolderRow,
    """
SELECT asked.n, u.name AS unit_name, p.staff_id, s.name, p.title, p.role
FROM unnest(CAST(:units AS int[]), CAST(:people AS int[]), CAST(:days AS date[])) WITH ORDINALITY AS asked(unit_id, staff_id, day, n)
JOIN unit u ON u.id = asked.unit_id
LEFT JOIN LATERAL (
  SELECT o.staff_id, o.title, o.role FROM post o
  WHERE o.unit_id = asked.unit_id AND o.valid_from <= asked.day AND (o.valid_to IS NULL OR o.valid_to >= asked.day)
    AND (o.staff_id = asked.staff_id OR o.role = ANY(CAST(:acting AS text[])))
  ORDER BY (o.staff_id IS NOT DISTINCT FROM asked.staff_id) DESC, (o.role = 'unit_head') DESC, o.role = 'supervisor', o.id
  LIMIT 1
) p ON true
LEFT JOIN staff s ON s.id = p.staff_id
""",
)
_MOVE_ON: Final = text("""
UPDATE clock w SET steps = done.steps, next_at = done.next_at
FROM unnest(CAST(:ids AS uuid[]), CAST(:steps AS int[]), CAST(:next AS timestamptz[])) AS done(id, steps, next_at)
WHERE w.id = done.id
""")
_WRITE_HEADS: Final = text("""
UPDATE matter m SET head_seq = head.seq, head_hash = head.hash
FROM unnest(CAST(:ids AS uuid[]), CAST(:seqs AS int[]), CAST(:hashes AS bytea[])) AS head(id, seq, hash)
WHERE m.id = head.id
""")

_ACTING: Final = sorted({*ACTING_ROLES, Role.SUPERVISOR})
_LEVELS: Final = {Step.YELLOW: CardLevel.YELLOW, Step.RED: CardLevel.RED}


@dataclass(frozen=True, slots=True)
class Swept:
    """Result of a batch. resume() handles `waits_over`; the next run handles the `busy` matters, which were locked."""

    cards: int = 0
    reminders: int = 0
    busy: int = 0
    waits_over: list[UUID] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who held a stage, as unit and person were called then; nobody where the unit had nobody."""

    unit_name: str
    staff_id: int | None
    person_name: str | None
    post_title: str | None


@dataclass(frozen=True, slots=True)
class _Due:
    """A step to be done: at this moment it takes effect."""

    clock: Clock
    step: Step
    moment: datetime

    @property
    def carded(self) -> bool:
        return self.step in _LEVELS and self.clock.stage not in WITHOUT_CARDS

    @property
    def held(self) -> tuple[int, int | None, date]:
        """Who is to be found: by the day that ended when the limit did, not by the one that begins then.

        Who took the stage on after that did not let it pass.
        """
        day = (self.moment - timedelta(seconds=1)).astimezone(SHANGHAI).date()
        clock = self.clock
        in_time = clock.taken_at is None or clock.taken_at < self.moment
        return clock.unit_id, clock.staff_id if in_time else None, day


async def claim(tx: Transaction, most: int, *, aside: Iterable[UUID] = ()) -> list[Clock]:
    """Clocks whose next moment has come, the oldest first, that nobody else is at; locked until the transaction ends."""
    await tx.execute(_SORTING, sorting="off")
    rows = await _CLAIM.all(tx, shift=moved_clock.shift(), aside=list(aside), most=most)
    await tx.execute(_SORTING, sorting="on")
    return rows


async def claim_one(tx: Transaction, clock_id: UUID) -> list[Clock]:
    """The clock, if its moment has come and nobody else is at it."""
    return await _CLAIM_ONE.all(tx, shift=moved_clock.shift(), id=clock_id)


async def issue(tx: Transaction, clocks: Sequence[Clock]) -> Swept:
    """Do all that has come due on clocks that were claimed, but for what somebody works on, and for waits that are over."""
    if not clocks:
        return Swept()
    now = await tx.now()
    waits, others = _without_waits(clocks, now)
    heads = await _lock_matters(tx, {one.matter_id for one in others})
    ours = [one for one in others if one.matter_id in heads]
    due = _in_order(_Due(one, *step) for one in ours for step in deadlines.due_steps(one, now))
    cards = await _cards(tx, [one for one in due if one.carded], now)
    reminders = _write_entries(tx, heads, due, cards, now)
    await _move_on(tx, ours, due)
    await _write_heads(tx, heads.values())
    await _owe_notices(tx, heads, due, cards, now)
    return Swept(len(cards), reminders, len(others) - len(ours), waits)


def _without_waits(clocks: Sequence[Clock], now: datetime) -> tuple[list[UUID], list[Clock]]:
    """The ids of waits that are over, which resume() ends one by one, and all other clocks."""
    waits = sorted(one.id for one in clocks if deadlines.is_wait_over(one, now))
    return waits, [one for one in clocks if one.id not in waits]


async def resume(tx: Transaction, clock_id: UUID) -> bool:
    """Ends a wait whose time is over: the stage goes on. False: the wait has ended, or its matter is locked."""
    row = await _WAITING.one_or_none(tx, id=clock_id, shift=moved_clock.shift())
    return row is not None and await KINDS[row.kind].end_wait(tx, row.ref, clock_id)


async def holders(
    tx: Transaction, held: Sequence[tuple[int, int | None, date]]
) -> dict[tuple[int, int | None, date], Holder]:
    """Who held a unit's stage on a day; the person who took it on, where one did, is asked for with it."""
    asked = list(dict.fromkeys(held))
    rows = await _HELD.all(
        tx,
        units=[one[0] for one in asked],
        people=[one[1] for one in asked],
        days=[one[2] for one in asked],
        acting=_ACTING,
    )
    return {
        asked[row.n - 1]: Holder(
            row.unit_name,
            row.staff_id,
            row.name,
            None if row.staff_id is None else row.title or (row.role and row.role.chinese),
        )
        for row in rows
    }


def _in_order(due: Iterable[_Due]) -> list[_Due]:
    return sorted(due, key=lambda one: (one.moment, one.clock.id, one.step))


def _is_told(due: _Due) -> bool:
    """A wait that ended before the sweep came needs no word: it is on record that it ended."""
    return due.clock.stage not in deadlines.WAITS or due.clock.ended_at is None


async def _lock_matters(tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, _Head]:
    return {head.id: head for head in await _LOCK_MATTERS.all(tx, ids=list(ids))}


async def _cards(
    tx: Transaction, due: Sequence[_Due], now: datetime
) -> dict[tuple[UUID, Step], Card]:
    found = await holders(tx, [one.held for one in due]) if due else {}
    cards = {(one.clock.id, one.step): _card(one, found[one.held], now) for one in due}
    for card in cards.values():
        tx.add(card)
    return cards


def _card(due: _Due, holder: Holder, now: datetime) -> Card:
    clock = due.clock
    return Card(
        id=uuid7(now),
        matter_id=clock.matter_id,
        clock_id=clock.id,
        county_id=clock.county_id,
        level=_LEVELS[due.step],
        cause=CardCause.OVERDUE,
        stage=clock.stage,
        unit_id=clock.unit_id,
        unit_name=holder.unit_name,
        staff_id=holder.staff_id,
        person_name=holder.person_name,
        post_title=holder.post_title,
        due_at=clock.due_at,
        effective_at=due.moment,
        issued_at=now,
    )


def _write_entries(
    tx: Transaction,
    heads: Mapping[UUID, _Head],
    due: Iterable[_Due],
    cards: Mapping[tuple[UUID, Step], Card],
    now: datetime,
) -> int:
    """Returns how many of the entries are reminders."""
    reminders = 0
    for one in due:
        card = cards.get((one.clock.id, one.step))
        reminders += card is None and _is_told(one)
        _write_entry(tx, heads[one.clock.matter_id], one, card, now)
    return reminders


def _write_entry(tx: Transaction, head: _Head, due: _Due, card: Card | None, now: datetime) -> None:
    clock = due.clock
    if card is None and not _is_told(due):
        return
    data = {"clock": clock.id, "stage": clock.stage, "to": clock.unit_id, "due": clock.due_at}
    if card is None:
        data |= {"over": due.step is Step.YELLOW}
    else:
        data |= {
            "card": card.id,
            "level": card.level,
            "cause": card.cause,
            "person": card.staff_id,
            "effective": card.effective_at,
        }
    record.append(
        tx,
        head,
        MatterAction.REMIND if card is None else MatterAction.CARD,
        by=SYSTEM,
        now=now,
        public=False,
        data=data,
        after={"case": {}, "assignments": {}, "clocks": {}},
    )


async def _owe_notices(
    tx: Transaction,
    heads: Mapping[UUID, _Head],
    due: Iterable[_Due],
    cards: Mapping[tuple[UUID, Step], Card],
    now: datetime,
) -> None:
    units, people = set[int](), set[int | None]()
    for one in due:
        if one.clock.stage not in WITHOUT_CARDS and not heads[one.clock.matter_id].sealed:
            card = cards.get((one.clock.id, one.step))
            units.add(one.clock.unit_id)
            people.add(one.clock.staff_id if card is None else card.staff_id)
    await notices.owe_texts(
        tx, units=units, people=(one for one in people if one is not None), now=now
    )


async def _move_on(tx: Transaction, clocks: Sequence[Clock], due: Iterable[_Due]) -> None:
    last = {one.clock.id: one.step for one in due}
    for clock in clocks:
        if clock.id in last:
            clock.steps = last[clock.id] + 1
        deadlines.set_next(clock)
    await tx.execute(
        _MOVE_ON,
        ids=[one.id for one in clocks],
        steps=[one.steps for one in clocks],
        next=[one.next_at for one in clocks],
    )


async def _write_heads(tx: Transaction, heads: Iterable[_Head]) -> None:
    moved = list(heads)
    await tx.execute(
        _WRITE_HEADS,
        ids=[one.id for one in moved],
        seqs=[one.head_seq for one in moved],
        hashes=[one.head_hash for one in moved],
    )
