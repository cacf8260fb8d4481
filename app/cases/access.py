"""The only way to a case on somebody's behalf. For those who may not see it, a case does not exist.

One predicate decides for lists and for details alike; app/cases/queries.py uses it too.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import text

from app.auth.actor import Actor, CitizenActor, StaffActor, SystemActor
from app.calendars.reading import calendar_of
from app.calendars.working_time import WorkingCalendar
from app.cases.dossier import AnsweredBefore, Asked, Dossier, hand_back_undecided
from app.cases.lifecycle import (
    Action,
    Condition,
    Decision,
    Phase,
    Situation,
    Standing,
    advance,
    allowed,
)
from app.cases.models import Case, Waiting, matter_of
from app.cases.routing import Place
from app.db import Transaction
from app.directory.queries import taken_over_by
from app.directory.terms import ACTING_ROLES, Role, UnitKind
from app.errors import NotFound
from app.limits.reading import rules_of
from app.limits.rules import HAND_BACK_WINDOW, NOTHING_SET, PRESS_COOL_DOWN
from app.limits.terms import OF_REVIEWS, Kind, Stage
from app.matters import deadlines
from app.matters.clocks import UNSETTLED, Clock
from app.matters.deadlines import Timing
from app.matters.matter import MatterParty
from app.matters.parts import Assignment, AssignmentRole
from app.matters.record import PARTS
from app.matters.visibility import VISIBLE_TO_CITIZEN, VISIBLE_TO_STAFF, viewer
from app.settings import settings

Row = TypeVar("Row", Clock, Assignment)

_SUPERVISING = frozenset({UnitKind.COMMAND_CENTER, UnitKind.DISCIPLINE})

# Beside the columns of a case: what of its matter changes. The rest of it the case repeats.
MATTER_COLUMNS = "m.head_seq, m.head_hash"
_CASE_COLUMNS = ", ".join(f"c.{name}" for name in Case.model_fields)
_SELECT = f"SELECT {_CASE_COLUMNS}, {MATTER_COLUMNS} FROM matter m JOIN grievance c ON c.id = m.id WHERE c.ref = :ref AND "  # noqa: S608 - columns of our own tables
# The matter first, as the sweeps lock it alone; both in one statement, so that both are read as they are after a wait.
_LOCK = " FOR UPDATE OF m, c"
_FOR_STAFF = text(_SELECT + VISIBLE_TO_STAFF)
_FOR_CITIZEN = text(_SELECT + VISIBLE_TO_CITIZEN)
_FOR_SYSTEM = text(_SELECT + "true")
_LOCK_FOR_STAFF = text(_SELECT + VISIBLE_TO_STAFF + _LOCK)
_LOCK_FOR_CITIZEN = text(_SELECT + VISIBLE_TO_CITIZEN + _LOCK)
_LOCK_FOR_SYSTEM = text(_SELECT + "true" + _LOCK)
_ASSIGNMENT_COLUMNS = ", ".join(f"a.{name}" for name in Assignment.model_fields)
_DECIDES = ", ".join(f"'{role}'" for role in sorted({*ACTING_ROLES, Role.SUPERVISOR}))
# From the next tier above the unit `h` that answered, tier by tier: its command center where it has one; after the county's
# the county's reviewing body (docs/adr/0041). Only where somebody has a post that may decide.
_REVIEWING_UNITS = f"""
WITH RECURSIVE above AS (
  SELECT t.id, t.parent_id, t.kind, 1 AS step FROM unit t WHERE t.id = CASE
    WHEN h.kind IN ('department', 'command_center', 'discipline') THEN h.parent_id
    ELSE (SELECT parent_id FROM unit WHERE id = h.id) END
  UNION ALL
  SELECT t.id, t.parent_id, t.kind, a.step + 1 FROM above a JOIN unit t ON t.id = a.parent_id
)
SELECT json_agg(json_build_object('id', u.id, 'name', u.name, 'kind', u.kind) ORDER BY r.step, r.body)
FROM (
  SELECT a.step, 0 AS body, coalesce((
    SELECT d.id FROM unit d WHERE d.parent_id = a.id AND d.kind = 'command_center' AND d.valid_to IS NULL LIMIT 1), a.id) AS id
  FROM above a
  UNION ALL
  SELECT a.step, 1, (
    SELECT b.id FROM unit b WHERE b.county_id = a.id AND b.valid_to IS NULL
      AND (b.code = ANY(CAST(:review_bodies AS text[])) OR b.kind = 'discipline')
    ORDER BY b.code = ANY(CAST(:review_bodies AS text[])) DESC, b.id LIMIT 1)
  FROM above a WHERE a.kind = 'county'
) r JOIN unit u ON u.id = r.id
WHERE EXISTS (SELECT FROM post o WHERE o.unit_id = u.id AND o.role IN ({_DECIDES})
  AND (o.valid_to IS NULL OR o.valid_to >= CURRENT_DATE))"""  # noqa: S608 - constants of our own
# Who may review the answer, and the staff who had a part in any round.
_ABOUT_REVIEWS = f"""(
    SELECT json_agg(DISTINCT e.staff_id) FROM record_entry e WHERE e.matter_id = :matter_id AND e.action IN ({PARTS})) AS worked,
  ({_REVIEWING_UNITS}) AS reviewing_units"""  # noqa: S608 - constants of our own
_NO_REVIEWS = "CAST(NULL AS json) AS worked, CAST(NULL AS json) AS reviewing_units"


def _around(about_reviews: str) -> str:
    """SQL that reads the surroundings of a case, in a statement after the one that locks it.

    The locking statement itself would read them as they were before it waited. It would not even find a case whose holder
    changed meanwhile: PostgreSQL reads the locked row again, but joins it to the rows of before.
    """
    return f"""
SELECT (SELECT version FROM calendar WHERE county_id = :county_id) AS calendar_version,
  (SELECT version FROM limit_set WHERE county_id = :county_id) AS limits_version,
  (SELECT array_remove(ARRAY[k.id, k.parent_id, above.parent_id], NULL) FROM category k
    LEFT JOIN category above ON above.id = k.parent_id WHERE k.id = :category_id) AS categories,
  (SELECT json_agg(w) FROM clock w
    WHERE w.matter_id = :matter_id AND (w.ended_at IS NULL OR w.provisional OR w.stage IN ('whole', 'statutory', 'review', 'reexamination'))) AS clocks,
  (SELECT json_agg(w) FROM (
    SELECT DISTINCT ON (e.action) e.action, e.staff_id, CAST(e.body AS json) -> 'data' AS facts,
      (SELECT x.text FROM record_text x WHERE x.matter_id = e.matter_id AND x.seq = e.seq AND x.field = 'reason') AS reason
    FROM record_entry e
    WHERE CAST(:asked AS boolean) AND e.matter_id = :matter_id AND e.action IN ('extend', 'wait')
    ORDER BY e.action, e.seq DESC) w) AS asked,
  CASE WHEN CAST(:round AS int) > 1 THEN (
    SELECT json_build_object('staff_ids', json_agg(e.staff_id), 'approved', EXISTS (
      SELECT 1 FROM record_entry p WHERE p.matter_id = :matter_id AND p.action = 'approve_answer' AND p.seq > max(e.seq)))
    FROM record_entry e WHERE e.matter_id = :matter_id AND e.action = 'answer') END AS answered_before,
  -- Of the units that took the case in those that have ended, with whoever carries on for them.
  (SELECT json_object_agg(gone.id, {taken_over_by("id = gone.id")}) FROM unit gone
    WHERE gone.id IN (:first_id, :enterer_id) AND gone.valid_to < CURRENT_DATE) AS carried_on,
  -- Who decides where a case that was returned goes: asked only of those.
  CASE WHEN CAST(:returned AS boolean) THEN (
    SELECT json_build_array(k.id, k.name) FROM unit k
    WHERE k.county_id = :county_id AND k.kind = 'command_center' AND k.valid_to IS NULL LIMIT 1) END AS arbiter,
  EXISTS (SELECT FROM grievance j WHERE j.primary_id = :matter_id) AS others_joined,
  {about_reviews},
  h.name AS holder_name, h.kind AS holder_kind, h.head_approves AS holder_head_approves, up.id AS up_id, up.name AS up_name, up.kind AS up_kind,
  {_ASSIGNMENT_COLUMNS}, u.name AS unit_name, u.code AS unit_code, u.head_approves,
  (SELECT e.staff_id FROM record_entry e
    WHERE a.hand_back_asked_at IS NOT NULL AND a.hand_back_settled_at IS NULL
      AND e.matter_id = a.matter_id AND e.action = 'hand_back' AND e.at = a.hand_back_asked_at LIMIT 1) AS asked_back_by
FROM unit h
LEFT JOIN LATERAL (
  -- The next tier is the parent in the tree; where the parent has a command center, that is its desk.
  SELECT coalesce(desk.id, parent.id) AS id, coalesce(desk.name, parent.name) AS name, coalesce(desk.kind, parent.kind) AS kind
  FROM unit own
  JOIN unit parent ON parent.id = own.parent_id
  LEFT JOIN unit desk ON desk.parent_id = parent.id AND desk.kind = 'command_center' AND desk.valid_to IS NULL
  WHERE own.id = CASE WHEN h.kind IN ('department', 'command_center', 'discipline') THEN h.parent_id ELSE h.id END
  LIMIT 1
) up ON true
LEFT JOIN assignment a ON a.matter_id = :matter_id AND a.round = :round
LEFT JOIN unit u ON u.id = a.unit_id
WHERE h.id = :holder_id ORDER BY a.id"""  # noqa: S608 - columns of our own table


_AROUND = text(_around(_NO_REVIEWS))
# Costs twice as much as the other: PostgreSQL initialises each subquery, also one that it then does not run.
_AROUND_FINISHED = text(_around(_ABOUT_REVIEWS))
_CLOCKS = text(
    f"SELECT * FROM clock WHERE matter_id = ANY(:ids) AND {UNSETTLED}"  # noqa: S608 - a constant of ours
)
_PARTS = text("""
SELECT a.* FROM assignment a JOIN grievance g ON g.id = a.matter_id AND g.round = a.round WHERE a.matter_id = ANY(:ids)
""")


async def lock_case(tx: Transaction, ref: str, *, by: Actor) -> Dossier:
    """The case, locked until the transaction ends. Raises NotFound for what is not there or not the actor's."""
    return await _dossier(tx, ref, by, lock=True)


async def get_case(tx: Transaction, ref: str, *, by: Actor) -> Dossier:
    """The case, to look at. Raises NotFound for what is not there or not the actor's."""
    return await _dossier(tx, ref, by, lock=False)


async def _dossier(tx: Transaction, ref: str, by: Actor, *, lock: bool) -> Dossier:
    match by:
        case StaffActor():
            statement, binds = _LOCK_FOR_STAFF if lock else _FOR_STAFF, viewer(by)
        case CitizenActor():
            statement, binds = (
                _LOCK_FOR_CITIZEN if lock else _FOR_CITIZEN,
                {"citizen_id": by.citizen_id},
            )
        case _:
            statement, binds = _LOCK_FOR_SYSTEM if lock else _FOR_SYSTEM, {}
    row = await tx.one_or_none(statement, ref=ref, **binds)
    if row is None:
        raise NotFound
    case = Case.read(row)
    about = {"review_bodies": settings().review_body_codes} if _finished(case) else {}
    around = await tx.all(
        _AROUND_FINISHED if _finished(case) else _AROUND,
        matter_id=case.id,
        round=case.round,
        holder_id=case.holder_unit_id,
        county_id=case.county_id,
        category_id=case.category_id,
        first_id=case.first_unit_id,
        enterer_id=case.entered_by_unit_id,
        returned=case.returns > 0 and not case.sealed,
        asked=case.extension_asked_at is not None or case.wait_asked_at is not None,
        **about,
    )
    first, parts = around[0], [one for one in around if one.id is not None]
    dossier = Dossier(
        matter=matter_of(case, head_seq=row.head_seq, head_hash=row.head_hash),
        case=case,
        holder=Place(case.holder_unit_id, first.holder_name, UnitKind(first.holder_kind)),
        next_tier=None
        if first.up_id is None
        else Place(first.up_id, first.up_name, UnitKind(first.up_kind)),
        assignments=[Assignment.read(part) for part in parts],
        clocks=[Clock.told(one) for one in first.clocks or ()],
        timing=Timing(
            await calendar_of(tx, case.county_id, first.calendar_version or 0),
            await rules_of(tx, case.county_id, first.limits_version or 0),
            tuple(first.categories or ()),
        ),
        unit_names={part.unit_id: part.unit_name for part in parts},
        unit_codes={part.unit_id: part.unit_code for part in parts},
        # Also of the holder, who may take the case on itself.
        head_required=frozenset(part.unit_id for part in parts if part.head_approves).union(
            [case.holder_unit_id] if first.holder_head_approves else []
        ),
        asked={
            Action(one["action"]): Asked(one["staff_id"], one["facts"], one["reason"])
            for one in first.asked or ()
        },
        asked_back_by={part.id: part.asked_back_by for part in parts if part.asked_back_by},
        answered_before=first.answered_before and AnsweredBefore(**first.answered_before),
        carried_on={int(gone): heir for gone, heir in (first.carried_on or {}).items()},
        others_joined=first.others_joined,
        arbiter=_center(first.arbiter),
        reviewing_units=_reviewing_units(case, first.reviewing_units),
        worked=frozenset(first.worked or ()),
    )
    dossier.remember()
    return dossier


def _center(found: list[Any] | None) -> Place | None:
    if found is None:
        return None
    unit_id, name = found
    return Place(unit_id, name, UnitKind.COMMAND_CENTER)


def _reviewing_units(case: Case, found: Any) -> list[Place] | None:
    if not _finished(case):
        return None
    return [Place(one["id"], one["name"], UnitKind(one["kind"])) for one in found or ()]


def _finished(case: Case) -> bool:
    return case.phase in (Phase.ANSWERED, Phase.CLOSED)


async def dossiers(
    tx: Transaction, found: Sequence[Any], calendar: WorkingCalendar
) -> list[Dossier]:
    """Of many cases, found with MATTER_COLUMNS and locked already, for what the system itself does to them.

    Nobody's right is looked at and no stage begun: they know neither names nor rules, nor who is above the holder.
    """
    ids = [row.id for row in found]
    clocks = _by_case(Clock.read(row) for row in await tx.all(_CLOCKS, ids=ids))
    parts = _by_case(Assignment.read(row) for row in await tx.all(_PARTS, ids=ids))
    timing = Timing(calendar, NOTHING_SET)
    opened = []
    for row in found:
        case = Case.read(row)
        holder = Place(case.holder_unit_id, "", UnitKind.TOWNSHIP)
        own, running = parts.get(case.id, []), clocks.get(case.id, [])
        matter = matter_of(case, head_seq=row.head_seq, head_hash=row.head_hash)
        dossier = Dossier(matter, case, holder, None, own, running, timing, {}, frozenset())
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
        **_about_supervision(dossier, by),
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


def _about_supervision(dossier: Dossier, by: Actor) -> Mapping[Condition, bool]:
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
