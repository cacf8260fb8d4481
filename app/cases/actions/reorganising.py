"""承接: what a unit has open when it ends goes to whoever carries on, piece by piece. Ends no unit and starts no clock.

The database is the work list: what still names an ended unit is left to do, and after any interruption it goes on with
that. A piece is one transaction (docs/adr/0020).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from app.auth.actor import SYSTEM
from app.calendars.working_time import WorkingCalendar
from app.cases import access, history
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action
from app.cases.models import Case
from app.cases.routing import Place
from app.cases.surroundings import CaseRow, case_columns, place_columns
from app.clock import SHANGHAI
from app.db import Transaction
from app.db.query import Query
from app.directory.queries import taken_over_by
from app.limits.terms import Stage
from app.matters.clocks import Clock
from app.matters.deadlines import WHOLE_CASE_STAGES
from app.matters.parts import OPEN_ASSIGNMENT, Assignment, AssignmentRole, AssignmentState
from app.matters.sealed_matters import has_viewer

BATCH: Final = 100
_PARTIES_AT_ONCE: Final = 5000
# Who had begun something before the unit ended may still be about to commit it.
_LOOKED_AT_AGAIN: Final = timedelta(hours=1)
_DECISIONS: Final = frozenset({Stage.EXTENSION_DECISION, Stage.WAIT_DECISION})


@dataclass(frozen=True, slots=True)
class _Ended:
    """A unit that has ended with work left, the unit that carries on for it, and the desks of its county."""

    gone_id: int
    heir: Place
    above: Place | None
    commission: Place | None
    center: Place | None


@dataclass(frozen=True, slots=True)
class _Taken:
    """A case that an ended unit had to do with. `sealed_to`: of a sealed one, the unit that takes it."""

    found: CaseRow
    sealed_to: int | None


# The tier above an heir is its parent in the tree or, where that has a command center, its desk.
_ENDED: Final = Query(
    _Ended,
    f"""
SELECT gone.id AS gone_id, {place_columns("heir", "heir")},
  coalesce(desk.id, parent.id) AS above_unit_id, coalesce(desk.name, parent.name) AS above_name,
  coalesce(desk.kind, parent.kind) AS above_kind,
  {place_columns("commission", "commission")}, {place_columns("center", "center")}
FROM unit gone
JOIN unit heir ON heir.id = {taken_over_by("id = gone.id", today="CAST(:today AS date)")}
LEFT JOIN unit own ON own.id = CASE WHEN heir.kind IN ('department', 'command_center', 'discipline') THEN heir.parent_id ELSE heir.id END
LEFT JOIN unit parent ON parent.id = own.parent_id
LEFT JOIN unit desk ON desk.parent_id = parent.id AND desk.kind = 'command_center' AND desk.valid_to IS NULL
LEFT JOIN unit center ON center.county_id = gone.county_id AND center.kind = 'command_center' AND center.valid_to IS NULL
LEFT JOIN unit commission ON commission.county_id = gone.county_id AND commission.kind = 'discipline' AND commission.valid_to IS NULL
WHERE gone.valid_to < :today AND (gone.handed_over_at IS NULL OR gone.handed_over_at > :again) AND heir.id <> gone.id
ORDER BY gone.id
""",  # noqa: S608 - conditions of our own
)
# Of a sealed case nobody but its holder's supervisors can see that it is there: those go over also when they have ended.
_OPEN: Final = """(
  SELECT id FROM grievance WHERE holder_unit_id = :gone AND phase IN ('pending', 'handling')
  UNION SELECT id FROM grievance WHERE holder_unit_id = :gone AND sealed
  UNION SELECT id FROM grievance WHERE accused_unit_id = :gone AND phase IN ('pending', 'handling')
  UNION SELECT matter_id FROM assignment WHERE unit_id = :gone AND state IN ('offered', 'signed')
  UNION SELECT matter_id FROM assignment
    WHERE given_by_unit_id = :gone AND given_by_unit_id IS NOT NULL AND state IN ('offered', 'signed')
  UNION SELECT matter_id FROM clock WHERE unit_id = :gone AND ended_at IS NULL
    AND stage IN ('hand_back_decision', 'extension_decision', 'wait_decision', 'supervised_reply', 'review', 'reexamination')
)"""
_ACCUSED: Final = taken_over_by("id = g.accused_unit_id", today="CAST(:today AS date)")
# Of a sealed case: the first of the places with somebody who may see it, also when the accused is another unit by then.
_SEALED_TO: Final = f"""(
  SELECT p.id FROM unnest(CAST(:places AS int[])) WITH ORDINALITY AS p(id, place)
  WHERE {has_viewer("p.id", "g.accused_unit_id")} AND {has_viewer("p.id", _ACCUSED)} ORDER BY p.place LIMIT 1)"""  # noqa: S608 - conditions of our own
# What its limits have earned already, the unit itself gets: the sweep comes first. A sealed case that nobody could see
# afterwards stays where it is; `qungong doctor` names it.
_TAKE: Final = Query(
    _Taken,
    f"""
SELECT {case_columns("m", "g", "found")}, CASE WHEN g.sealed AND g.holder_unit_id = :gone THEN {_SEALED_TO} END AS sealed_to
FROM matter m JOIN grievance g ON g.id = m.id JOIN {_OPEN} o ON o.id = g.id
WHERE NOT (g.id = ANY(CAST(:aside AS uuid[])))
  AND CASE WHEN NOT g.sealed THEN true WHEN g.holder_unit_id = :gone THEN {_SEALED_TO} IS NOT NULL
    ELSE {has_viewer("g.holder_unit_id", _ACCUSED)} END
  AND NOT EXISTS (SELECT FROM clock w WHERE w.matter_id = g.id AND w.next_at <= :now)
ORDER BY g.id LIMIT :most FOR UPDATE OF m, g SKIP LOCKED
""",  # noqa: S608 - conditions of our own
)


class _OpenCase(Struct, frozen=True):
    id: UUID


# Asked anew once the rows are locked: while one was waited for, somebody else may have passed it on.
_STILL_OPEN: Final = Query(
    _OpenCase,
    f"SELECT id FROM {_OPEN} o WHERE id = ANY(CAST(:ids AS uuid[]))",  # noqa: S608 - a constant of this module
)
_HOW_MANY: Final = text(f"SELECT count(*) FROM {_OPEN} o")  # noqa: S608 - a constant of this module
# Who carries on sees all that the unit saw, also what has long ended. No entry: nothing about the cases changes.
_ADMIT: Final = text("""
INSERT INTO matter_party (unit_id, matter_id, since)
SELECT :heir, p.matter_id, :now FROM matter_party p
WHERE p.unit_id = :gone AND NOT EXISTS (SELECT FROM matter_party o WHERE o.unit_id = :heir AND o.matter_id = p.matter_id)
ORDER BY p.matter_id LIMIT :most
ON CONFLICT DO NOTHING
""")
# Several may be at the cases of a unit at once; at what its heir may see only one, alone: what many cases need is written
# in one order here and in another there.
_AT_ITS_CASES: Final = text("SELECT id FROM unit WHERE id = :gone FOR SHARE SKIP LOCKED")
_ALONE: Final = text("SELECT id FROM unit WHERE id = :gone FOR NO KEY UPDATE SKIP LOCKED")
_DONE: Final = text(
    "UPDATE unit SET handed_over_at = :now WHERE id = :gone AND handed_over_at IS NULL"
)
_CARRIES_ON: Final = Query(
    Place,
    f"SELECT id AS unit_id, name, kind FROM unit WHERE id = {taken_over_by('id = :unit_id')}",  # noqa: S608 - conditions of our own
)


@dataclass(frozen=True, slots=True)
class Heir:
    """Who carries on for a unit that has ended, and who is above it. `desks` take a sealed case that the heir must not see."""

    gone_id: int
    place: Place
    above: Place | None
    desks: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Succession:
    """Who carries on for whom in one case; `told` are those that had to do with it, for its record."""

    places: Mapping[int, Place]
    told: dict[int, int] = field(default_factory=dict)

    def of(self, unit_id: int) -> int:
        place = self.places.get(unit_id)
        if place is None:
            return unit_id
        self.told[unit_id] = place.unit_id
        return place.unit_id


async def remaining(tx: Transaction, *, now: datetime) -> int:
    """How many cases are still to be handed over, of all units that have ended."""
    return sum([await tx.scalar(_HOW_MANY, gone=one.gone_id) for one in await _ended(tx, now)])


async def hand_over(
    tx: Transaction,
    *,
    now: datetime,
    most: int = BATCH,
    aside: Iterable[UUID] = (),
    taken: list[UUID] | None = None,
) -> int:
    """Hand over up to `most` cases of one unit that has ended, or let its heir see what it saw; returns how many.

    0: nothing is left, or others are at it, or the sweep is to come first. `taken` is told which cases it was, also where
    one of them then fails; `aside` leaves cases out.
    """
    heirs = {one.gone_id: one for one in await _ended(tx, now)}
    for heir in heirs.values():
        if await tx.scalar(_AT_ITS_CASES, gone=heir.gone_id) is None:
            continue
        rows = await _TAKE.all(
            tx,
            gone=heir.gone_id,
            places=[one.unit_id for one in (heir.place, *heir.desks)],
            today=now.astimezone(SHANGHAI).date(),
            now=now,
            most=most,
            aside=list(aside),
        )
        ids = [row.found.case.id for row in rows]
        if taken is not None:
            taken += ids
        still = await _still_open(tx, heir, ids)
        open_yet = [row for row in rows if row.found.case.id in still]
        done = await _pass_on(tx, open_yet, heirs, now)
        done = done or await _let_see(tx, heir, now)
        if done:
            return done
    return 0


async def _still_open(tx: Transaction, heir: Heir, ids: list[UUID]) -> set[UUID]:
    rows = await _STILL_OPEN.all(tx, gone=heir.gone_id, ids=ids) if ids else []
    return {row.id for row in rows}


async def carried_on(tx: Transaction, unit_id: int) -> Place:
    """The unit whose the work of this one is today: itself, unless it has ended."""
    return await _CARRIES_ON.one(tx, unit_id=unit_id)


async def _ended(tx: Transaction, now: datetime) -> list[Heir]:
    rows = await _ENDED.all(tx, today=now.astimezone(SHANGHAI).date(), again=now - _LOOKED_AT_AGAIN)
    return [
        Heir(
            gone_id=row.gone_id,
            place=row.heir,
            above=row.above,
            desks=tuple(one for one in (row.commission, row.center) if one is not None),
        )
        for row in rows
    ]


async def _let_see(tx: Transaction, heir: Heir, now: datetime) -> int:
    """The heir sees what the unit saw; once that is done and nothing is open, all has been handed over."""
    if await tx.scalar(_ALONE, gone=heir.gone_id) is None:
        return 0
    binds = {"gone": heir.gone_id, "heir": heir.place.unit_id, "now": now}
    done = await tx.execute(_ADMIT, most=_PARTIES_AT_ONCE, **binds)
    if not done and await tx.scalar(_HOW_MANY, gone=heir.gone_id) == 0:
        await tx.execute(_DONE, gone=heir.gone_id, now=now)
    return done


async def _pass_on(
    tx: Transaction,
    taken: Sequence[_Taken],
    heirs: Mapping[int, Heir],
    now: datetime,
) -> int:
    if not taken:
        return 0
    sealed_to = {one.found.case.id: one.sealed_to for one in taken}
    found = [one.found for one in taken]
    # No moment is computed here: the calendar is not asked for.
    passing = [
        (one, _succession(one.case, heirs, sealed_to[one.case.id]))
        for one in await access.dossiers(tx, found, WorkingCalendar(0))
    ]
    for dossier, succession in passing:
        for part in _join_parts(dossier, succession, now):
            tx.change(part)
    # Written at once: a unit that has a part may get another one only when the first has ended.
    await tx.flush()
    for dossier, succession in passing:
        _reassign(tx, dossier, succession, heirs.get(dossier.case.holder_unit_id), now)
    return len(passing)


def _succession(case: Case, heirs: Mapping[int, Heir], sealed_to: int | None) -> Succession:
    """`sealed_to`: where the heir may not see a sealed case, the desk that takes it."""
    places = {gone: heir.place for gone, heir in heirs.items()}
    left = heirs.get(case.holder_unit_id)
    if left is not None and sealed_to is not None:
        free = (one for one in (left.place, *left.desks) if one.unit_id == sealed_to)
        places[left.gone_id] = next(free)
    return Succession(places)


def _join_parts(dossier: Dossier, succession: Succession, now: datetime) -> list[Assignment]:
    """Where one unit would now have two parts, it keeps the lead's, else its own; the other ends, nobody being to blame."""
    kept: dict[int, Assignment] = {}
    ended = []
    opened = [part for part in dossier.assignments if part.state in OPEN_ASSIGNMENT]
    opened.sort(key=lambda one: (one.role is not AssignmentRole.LEAD, one.unit_id in succession.places, one.id))  # fmt: skip
    for part in opened:
        if kept.setdefault(succession.of(part.unit_id), part) is not part:
            part.state, part.done_at = AssignmentState.RELEASED, now
            dossier.end_part(part, now)
            ended.append(part)
    return ended


def _reassign(
    tx: Transaction, dossier: Dossier, succession: Succession, left: Heir | None, now: datetime
) -> None:
    """One case: holder, parts, limits and decisions owed; every limit goes on from where it began."""
    case = dossier.case
    access.take(dossier, Action.REASSIGN, by=SYSTEM, now=now)
    if left is not None:
        dossier.holder = succession.places[left.gone_id]
        dossier.next_tier = left.above
        case.holder_unit_id = succession.of(left.gone_id)
    for name in ("accused_unit_id", "supplement_asked_by"):
        if (unit_id := getattr(case, name)) is not None:
            setattr(case, name, succession.of(unit_id))
    _move_parts_and_limits(dossier, succession)
    _ask_anew(dossier, now)
    for unit_id in sorted({*succession.told.values(), *_owing(dossier)}):
        access.admit(tx, case, unit_id, now)
    moved: dict[str, Any] = {}
    if left is not None:
        moved = {"from_unit": left.gone_id, "to": case.holder_unit_id}
    history.record(
        tx,
        dossier,
        Action.REASSIGN,
        by=SYSTEM,
        now=now,
        # Of the reporter's concern is only who has the case.
        public=left is not None,
        carried_on={str(gone): heir for gone, heir in sorted(succession.told.items())},
        **moved,
    )


def _move_parts_and_limits(dossier: Dossier, succession: Succession) -> None:
    for part in dossier.assignments:
        if part.state in OPEN_ASSIGNMENT:
            part.unit_id = succession.of(part.unit_id)
            if part.given_by_unit_id is not None:
                part.given_by_unit_id = succession.of(part.given_by_unit_id)
    for clock in dossier.clocks:
        # Those of the whole case stay the first unit's: nobody gets a card for them.
        if clock.ended_at is None and clock.stage not in WHOLE_CASE_STAGES:
            clock.unit_id = succession.of(clock.unit_id)


def _ask_anew(dossier: Dossier, now: datetime) -> None:
    """Who carries on may be the one that was asked: nobody decides about itself. Then it is for whoever is above, or lapses."""
    case, decider = dossier.case, dossier.decider
    for clock in _decisions(dossier):
        if clock.unit_id != case.holder_unit_id:
            continue
        if decider is not None:
            clock.unit_id = decider.unit_id
        else:
            dossier.end(clock, now)
            if clock.stage is Stage.WAIT_DECISION:
                case.wait_asked_at = None
            else:
                case.extension_asked_at = None


def _decisions(dossier: Dossier) -> list[Clock]:
    return [one for one in dossier.clocks if one.stage in _DECISIONS and one.ended_at is None]


def _owing(dossier: Dossier) -> set[int]:
    return {one.unit_id for one in _decisions(dossier)}
