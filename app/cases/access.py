"""The only way to a case on somebody's behalf. For those who may not see it, a case does not exist.

One predicate decides for lists and for details alike; app/cases/queries.py uses it too.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from app.auth.actor import Actor, CitizenActor, StaffActor, SystemActor
from app.calendars.working_time import WorkingCalendar
from app.cases.dossier import Dossier, hand_back_undecided
from app.cases.lifecycle import (
    Action,
    Condition,
    Decision,
    Situation,
    Standing,
    advance,
    allowed,
)
from app.cases.models import Case, Waiting
from app.cases.routing import Place
from app.cases.surroundings import CaseRow, case_columns, dossier_of
from app.db import Transaction
from app.db.query import Query, columns
from app.directory.terms import Role, UnitKind
from app.errors import NotFound, NotPermitted
from app.limits.rules import HAND_BACK_WINDOW, NOTHING_SET, PRESS_COOL_DOWN
from app.limits.terms import OF_REVIEWS, Kind, Stage
from app.matters import deadlines
from app.matters.clocks import MAY_STILL_MOVE, Clock
from app.matters.deadlines import Timing
from app.matters.matter import MatterParty
from app.matters.parts import Assignment, AssignmentRole
from app.matters.visibility import VISIBLE_TO_CITIZEN, VISIBLE_TO_STAFF, viewer

Row = TypeVar("Row", Clock, Assignment)

_SUPERVISING = frozenset({UnitKind.COMMAND_CENTER, UnitKind.DISCIPLINE})

_SELECT = f"SELECT {case_columns('m', 'c')} FROM matter m JOIN grievance c ON c.id = m.id WHERE c.ref = :ref AND "  # noqa: S608 - columns of our own tables
# The matter first, as the sweeps lock it alone; both in one statement, so that both are read as they are after a wait.
_LOCK = " FOR UPDATE OF m, c"
_FOR_STAFF = Query(CaseRow, _SELECT + VISIBLE_TO_STAFF)
_FOR_CITIZEN = Query(CaseRow, _SELECT + VISIBLE_TO_CITIZEN)
_FOR_SYSTEM = Query(CaseRow, _SELECT + "true")
_LOCK_FOR_STAFF = Query(CaseRow, _SELECT + VISIBLE_TO_STAFF + _LOCK)
_LOCK_FOR_CITIZEN = Query(CaseRow, _SELECT + VISIBLE_TO_CITIZEN + _LOCK)
_LOCK_FOR_SYSTEM = Query(CaseRow, _SELECT + "true" + _LOCK)
_CLOCKS = Query(
    Clock,
    f"SELECT {columns('w', Clock)} FROM clock w WHERE matter_id = ANY(:ids) AND {MAY_STILL_MOVE}",  # noqa: S608 - constants of ours
)
_PARTS = Query(
    Assignment,
    f"""
SELECT {columns("a", Assignment)} FROM assignment a JOIN grievance g ON g.id = a.matter_id AND g.round = a.round
WHERE a.matter_id = ANY(:ids)
""",  # noqa: S608 - columns of our own table
)


async def lock_case(tx: Transaction, ref: str, *, by: Actor) -> Dossier:
    """The case, locked until the transaction ends. Raises NotFound for what is not there or not the actor's."""
    return await _dossier(tx, ref, by, lock=True)


async def get_case(tx: Transaction, ref: str, *, by: Actor) -> Dossier:
    """The case, to look at. Raises NotFound for what is not there or not the actor's."""
    return await _dossier(tx, ref, by, lock=False)


async def _dossier(tx: Transaction, ref: str, by: Actor, *, lock: bool) -> Dossier:
    # Two statements, lock and then read: dossier_of says why.
    found = await _case(tx, ref, by, lock=lock)
    if found is None:
        raise NotFound
    return await dossier_of(tx, found)


async def _case(tx: Transaction, ref: str, by: Actor, *, lock: bool) -> CaseRow | None:
    match by:
        case StaffActor():
            query = _LOCK_FOR_STAFF if lock else _FOR_STAFF
            return await query.one_or_none(tx, ref=ref, **viewer(by))
        case CitizenActor():
            query = _LOCK_FOR_CITIZEN if lock else _FOR_CITIZEN
            return await query.one_or_none(tx, ref=ref, citizen_id=by.citizen_id)
        case _:
            query = _LOCK_FOR_SYSTEM if lock else _FOR_SYSTEM
            return await query.one_or_none(tx, ref=ref)


async def dossiers(
    tx: Transaction, rows: Sequence[CaseRow], calendar: WorkingCalendar
) -> list[Dossier]:
    """Loads cases that are already locked, for batch jobs; checks no permission.

    No stage may begin on them: they know neither names nor rules, nor the tier above the holder.
    """
    ids = [row.case.id for row in rows]
    clocks = _by_case(await _CLOCKS.all(tx, ids=ids))
    parts = _by_case(await _PARTS.all(tx, ids=ids))
    timing = Timing(calendar, NOTHING_SET)
    opened = []
    for row in rows:
        case = row.case
        holder = Place(case.holder_unit_id, "", UnitKind.TOWNSHIP)
        own, running = parts.get(case.id, []), clocks.get(case.id, [])
        dossier = Dossier(row.matter, case, holder, None, own, running, timing, {}, frozenset())
        dossier.remember()
        opened.append(dossier)
    return opened


def _by_case(rows: Iterable[Row]) -> dict[UUID, list[Row]]:
    found: dict[UUID, list[Row]] = {}
    for row in rows:
        found.setdefault(row.matter_id, []).append(row)
    return found


def situation(
    dossier: Dossier, by: Actor, now: datetime, *, also: Iterable[Condition | Standing] = ()
) -> Situation:
    """The case as the actor finds it. `also`: what a higher layer has made sure of."""
    sure = frozenset(also)
    conditions = (name for name, holds in _conditions(dossier, by, now).items() if holds)
    return Situation(
        phase=dossier.case.phase,
        standings=frozenset(_standings(dossier, by)).union(
            one for one in sure if isinstance(one, Standing)
        ),
        conditions=frozenset(conditions).union(one for one in sure if isinstance(one, Condition)),
    )


def take(
    dossier: Dossier,
    action: Action,
    *,
    by: Actor,
    now: datetime,
    also: Iterable[Condition | Standing] = (),
    named: Mapping[Condition, bool] | None = None,
    decision: Decision | None = None,
) -> None:
    """Advance the case by an action of the actor's, if the table allows it.

    `named`: for each condition on an object that the request names, whether it holds. `decision`: a decision that changes the
    phase to which the action leads.
    """
    holding = [one for one, holds in (named or {}).items() if holds]
    found = situation(dossier, by, now, also=[*also, *holding])
    advance(dossier.case, action, found, decision)


def admit(tx: Transaction, case: Case, unit_id: int, now: datetime) -> None:
    """From now on the unit sees the case, in lists and in full. A sealed case has no parties: only its holder counts."""
    if not case.sealed:
        tx.add(MatterParty(unit_id=unit_id, matter_id=case.id, since=now))


def actions(dossier: Dossier, by: Actor, now: datetime) -> list[Action]:
    return allowed(situation(dossier, by, now))


def require_county_view(by: StaffActor) -> None:
    """Raises NotPermitted for posts that do not look over the county."""
    if not by.sees_county:
        raise NotPermitted("只有县领导、指挥中心调度员和督查员可以查看全县的事件。")


def by_the_command_center(by: Actor) -> bool:
    return isinstance(by, StaffActor) and by.unit_kind is UnitKind.COMMAND_CENTER


def _standings(dossier: Dossier, by: Actor) -> Iterable[Standing]:
    case = dossier.case
    match by:
        case SystemActor():
            yield Standing.SYSTEM
        case CitizenActor():
            if by.citizen_id == case.citizen_id:
                yield Standing.REPORTER
        case StaffActor():
            yield from _staff_standings(dossier, by)


def _staff_standings(dossier: Dossier, by: StaffActor) -> Iterable[Standing]:
    case, part = dossier.case, dossier.own_part(by)
    yield from _standings_over_the_county(by)
    if (by.acts or by.role is Role.SUPERVISOR) and any(
        one.unit_id == by.unit_id and one.stage in OF_REVIEWS and one.ended_at is None
        for one in dossier.clocks
    ):
        yield Standing.REVIEWER
    if not (by.acts or (case.sealed and by.role is Role.SUPERVISOR)):
        return
    if by.unit_id == case.holder_unit_id:
        yield Standing.HOLDER
    if case.sealed and by.role is Role.SUPERVISOR and by.unit_id == case.holder_unit_id:
        yield Standing.INSPECTOR
    if by.unit_id == dossier.enterer_id:
        yield Standing.ENTERER
    if by.dispatches and by.county_id == case.county_id:
        yield Standing.COMMAND_CENTER
    if part is not None:
        yield Standing.LEAD if part.role is AssignmentRole.LEAD else Standing.ASSISTANT
    yield from _standings_of_the_asked(dossier, by)


def _standings_over_the_county(by: StaffActor) -> Iterable[Standing]:
    if by.role is Role.LEADER:
        yield Standing.LEADER
    if by.role is Role.SUPERVISOR and by.unit_kind in _SUPERVISING:
        yield Standing.SUPERVISOR
        if by.unit_kind is UnitKind.COMMAND_CENTER:
            yield Standing.CENTER_SUPERVISOR


def _standings_of_the_asked(dossier: Dossier, by: StaffActor) -> Iterable[Standing]:
    """Of whoever owes a decision or a reply."""
    decider, supervised = dossier.decider, dossier.running(Stage.SUPERVISED_REPLY)
    if decider is not None and decider.unit_id == by.unit_id:
        yield Standing.NEXT_TIER
    if supervised is not None and supervised.unit_id == by.unit_id:
        yield Standing.SUPERVISED


def _conditions(dossier: Dossier, by: Actor, now: datetime) -> Mapping[Condition, bool]:
    case, part, lead = dossier.case, dossier.own_part(by), dossier.lead
    unit_id = by.unit_id if isinstance(by, StaffActor) else None
    asked_back = dossier.asked_back()
    return {
        Condition.NOT_WAITING: case.waiting is None,
        Condition.WAITING_FOR_SUPPLEMENT: case.waiting == "supplement",
        Condition.NO_SUPPLEMENT_OUTSTANDING: case.waiting != "supplement",
        Condition.SUPPLEMENT_NOT_YET_ASKED: case.supplement_asked_by != case.holder_unit_id,
        Condition.MAY_REFUSE: deadlines.may_refuse(dossier.holder.kind),
        Condition.HAS_NEXT_TIER: dossier.next_tier is not None,
        Condition.HAS_LOWER_TIER: deadlines.has_lower_tier(dossier.holder.kind),
        Condition.NOT_DISPATCHED: lead is None or lead.given_by_unit_id is None,
        Condition.HELD_BY_COMMAND_CENTER: unit_id == case.holder_unit_id
        and dossier.holder.kind is UnitKind.COMMAND_CENTER,
        Condition.OWN_ASSIGNMENT_OFFERED: part is not None and part.state == "offered",
        Condition.OWN_ASSIGNMENT_SIGNED: part is not None and part.state == "signed",
        Condition.MAY_HAND_BACK: part is not None and _may_hand_back(dossier, part, now),
        Condition.HAND_BACK_ASKED: bool(asked_back),
        Condition.HAND_BACK_ASKED_BY_ANOTHER: not asked_back
        or not all(dossier.asked_back_himself(one, by) for one in asked_back),
        Condition.NO_HAND_BACK_ASKED: lead is None or not hand_back_undecided(lead),
        Condition.ASSISTANT_OPEN: bool(dossier.open_assistants),
        Condition.NO_ASSISTANT_OPEN: not dossier.open_assistants,
        Condition.HEAD_WHERE_REQUIRED: unit_id not in dossier.head_required
        or (isinstance(by, StaffActor) and by.role is Role.UNIT_HEAD),
        Condition.PRESS_COOLED_DOWN: not isinstance(by, CitizenActor)
        or case.pressed_at is None
        or now - case.pressed_at >= PRESS_COOL_DOWN,
        Condition.FIRST_ROUND: case.round == 1,
        Condition.NOT_REFUSED_TWICE: case.refusals_objected == 0,
        Condition.NOBODY_JOINED: not dossier.others_joined,
        Condition.UNDER_COMMAND_CENTER: lead is not None
        and (lead.given_by_unit_id is not None or dossier.holder.kind is UnitKind.COMMAND_CENTER),
        Condition.NO_ACCUSATION: case.kind is not Kind.ACCUSATION,
        Condition.MAY_RECATEGORISE: lead is None
        or lead.given_by_unit_id is None
        or by_the_command_center(by),
        **_about_rework(dossier, by),
        **_about_reviews(dossier, by, now),
        **_about_time(dossier, by, now),
        **_supervision_conditions(dossier, by),
    }


def _about_rework(dossier: Dossier, by: Actor) -> Mapping[Condition, bool]:
    """Who answered a round that was found wanting does not judge alone that it is solved now.

    What is sealed is there for the inspectors of one unit, and nobody else could approve of it.
    """
    before = None if dossier.case.sealed else dossier.answered_before
    himself = before is not None and isinstance(by, StaffActor) and by.staff_id in before.staff_ids
    return {
        Condition.ANSWERED_BY_ANOTHER: before is None or before.approved or not himself,
        Condition.ANSWER_TO_APPROVE: before is not None and not (before.approved or himself),
    }


def _about_reviews(dossier: Dossier, by: Actor, now: datetime) -> Mapping[Condition, bool]:
    answered_at = dossier.case.answered_at
    review, again = dossier.review(Stage.REVIEW), dossier.review(Stage.REEXAMINATION)
    reviewed_at = None if review is None else review.ended_at
    return {
        Condition.REVIEW_IN_TIME: answered_at is not None
        and now <= deadlines.review_until(answered_at),
        Condition.NO_REVIEW_YET: review is None,
        # Of a case that was answered just now nobody has looked it up: whoever asks will hear.
        Condition.HAS_REVIEWER: dossier.next_reviewer is not None
        or (dossier.reviewing_units is None and not dossier.case.sealed),
        Condition.REVIEW_ASKED: review is not None and reviewed_at is None,
        Condition.REVIEWED: reviewed_at is not None,
        Condition.REEXAMINATION_IN_TIME: reviewed_at is not None
        and now <= deadlines.review_until(reviewed_at),
        Condition.NO_REEXAMINATION_YET: again is None,
        Condition.REEXAMINATION_ASKED: again is not None and again.ended_at is None,
        Condition.NO_REVIEW_OPEN: all(
            one is None or one.ended_at is not None for one in (review, again)
        ),
        Condition.REVIEWED_BY_ANOTHER: isinstance(by, StaffActor)
        and by.staff_id not in dossier.worked,
    }


def _about_time(dossier: Dossier, by: Actor, now: datetime) -> Mapping[Condition, bool]:
    case, handling = dossier.case, dossier.running(Stage.HANDLE)
    return {
        Condition.BEFORE_DUE: handling is not None and not deadlines.overdue(handling, now),
        Condition.NO_EXTENSION_YET: not case.extended and case.extension_asked_at is None,
        Condition.HAS_DECIDER: dossier.decider is not None,
        Condition.EXTENSION_ASKED: case.extension_asked_at is not None,
        Condition.NO_EXTENSION_ASKED: case.extension_asked_at is None,
        Condition.EXTENSION_ASKED_BY_ANOTHER: not _asked_himself(dossier, Action.EXTEND, by),
        Condition.NO_WAIT_ASKED: case.wait_asked_at is None,
        Condition.WAIT_ASKED: case.wait_asked_at is not None,
        Condition.WAIT_ASKED_BY_ANOTHER: not _asked_himself(dossier, Action.WAIT, by),
        # A supplement is the reporter's to bring; only the system ends that wait without it.
        Condition.STANDS_STILL: case.waiting is not None
        and (case.waiting is not Waiting.SUPPLEMENT or isinstance(by, SystemActor)),
    }


def _supervision_conditions(dossier: Dossier, by: Actor) -> Mapping[Condition, bool]:
    case = dossier.case
    supervised = dossier.running(Stage.SUPERVISED_REPLY) is not None
    units = {case.holder_unit_id, *(part.unit_id for part in dossier.assignments)}
    return {
        Condition.NOT_SEALED: not case.sealed,
        Condition.NO_SUPERVISION_OPEN: not supervised,
        Condition.SUPERVISION_OPEN: supervised,
        Condition.LISTED: case.listed_at is not None,
        Condition.NOT_LISTED: case.listed_at is None,
        Condition.NOT_UNDER_SUPERVISION: not supervised and case.listed_at is None,
        # Nobody cards the own unit.
        Condition.UNIT_TO_CARD: not isinstance(by, StaffActor) or bool(units - {by.unit_id}),
    }


def _asked_himself(dossier: Dossier, action: Action, by: Actor) -> bool:
    """One person may have a post in both units: what they asked for in one they do not decide in the other."""
    asked = dossier.asked.get(action)
    return isinstance(by, StaffActor) and asked is not None and asked.staff_id == by.staff_id


def _may_hand_back(dossier: Dossier, part: Assignment, now: datetime) -> bool:
    window = dossier.timing.calendar.due(part.assigned_at, HAND_BACK_WINDOW).at
    # Nor does a unit object to what it gave itself: nobody would be there to decide about it.
    return (
        part.given_by_unit_id not in (None, part.unit_id)
        and part.hand_back_asked_at is None
        and window is not None
        and now <= window
    )
