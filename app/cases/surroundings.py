"""Context of a decision about a case: units, parts, clocks, rules and earlier answers.

One statement reads it. app/cases/access.py has checked permission before.
"""

from dataclasses import dataclass
from typing import Any, Final

from app.calendars.reading import calendar_of
from app.cases.dossier import AnsweredBefore, Asked, Dossier
from app.cases.lifecycle import Action, Phase
from app.cases.models import Case
from app.cases.routing import Place
from app.db import Transaction
from app.db.query import Json, Query, columns
from app.directory.queries import taken_over_by
from app.directory.terms import ACTING_ROLES, Role
from app.limits.reading import rules_of
from app.matters.clocks import Clock
from app.matters.deadlines import Timing
from app.matters.matter import Matter
from app.matters.parts import Assignment
from app.matters.record import ACTIONS_OF_WORKERS
from app.settings import settings


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case and its matter as they stand in the database."""

    case: Case
    matter: Matter


@dataclass(frozen=True, slots=True)
class _Part:
    """A unit's part in the present round. `asked_back_by`: who asked to hand it back, where that is undecided."""

    assignment: Assignment
    unit_name: str
    unit_code: str
    head_approves: bool
    asked_back_by: int | None


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """One row for each part of the present round, or a single one without a part. All else is the same in each row."""

    calendar_version: int
    limits_version: int
    categories: list[int] | None
    clocks: list[dict[str, Any]]
    asked: Json[dict[Action, Asked]]
    answered_before: Json[AnsweredBefore] | None
    carried_on: Json[dict[int, int]]
    arbiter: Json[Place] | None
    others_joined: bool
    worked: list[int]
    reviewing_units: Json[list[Place]] | None
    holder: Place
    holder_approves: bool
    next_tier: Place | None
    part: _Part | None


def case_columns(matter: str, case: str, field: str | None = None) -> str:
    """The SELECT list for a CaseRow, or for a field of that type; `matter` and `case` are aliases."""
    prefix = "" if field is None else f"{field}_"
    return f"{columns(case, Case, f'{prefix}case')}, {columns(matter, Matter, f'{prefix}matter')}"


def place_columns(unit: str, field: str) -> str:
    """The SELECT list for a field of the type Place; `unit` is an alias."""
    return f"{unit}.id AS {field}_unit_id, {unit}.name AS {field}_name, {unit}.kind AS {field}_kind"


def place_json(unit: str) -> str:
    """SQL of a Place as a JSON object; `unit` is an alias."""
    return f"json_build_object('unit_id', {unit}.id, 'name', {unit}.name, 'kind', {unit}.kind)"


def version_in_force(table: str, county_id: str) -> str:
    """SQL: which version of the calendar or the limits is in force in the county; 0: none yet."""
    return f"coalesce((SELECT version FROM {table} WHERE county_id = {county_id}), 0)"  # noqa: S608 - constants of our own


def category_line(category_id: str) -> str:
    """SQL, in brackets: ids of the category and of those above it, the nearest first."""
    return f"""(
  SELECT array_remove(ARRAY[k.id, k.parent_id, above.parent_id], NULL) FROM category k
  LEFT JOIN category above ON above.id = k.parent_id WHERE k.id = {category_id})"""  # noqa: S608 - constants of our own


# The clocks that run or may still move, and those of the whole case and of reviews, also when they have ended.
_CLOCKS: Final = """coalesce((
  SELECT json_agg(w) FROM clock w
  WHERE w.matter_id = :matter_id
    AND (w.ended_at IS NULL OR w.provisional OR w.stage IN ('whole', 'statutory', 'review', 'reexamination'))), '[]')"""
# The last extension and the last wait that were asked for, where one of them may be undecided.
_ASKED: Final = """coalesce((
  SELECT json_object_agg(w.action, json_build_object('staff_id', w.staff_id, 'facts', w.facts, 'reason', w.reason)) FROM (
    SELECT DISTINCT ON (e.action) e.action, e.staff_id, CAST(e.body AS json) -> 'data' AS facts,
      (SELECT x.text FROM record_text x WHERE x.matter_id = e.matter_id AND x.seq = e.seq AND x.field = 'reason') AS reason
    FROM record_entry e
    WHERE CAST(:asked AS boolean) AND e.matter_id = :matter_id AND e.action IN ('extend', 'wait')
    ORDER BY e.action, e.seq DESC) w), '{}')"""
# In a round that is done again: who answered before, and whether that answer's approval came after the last of them.
_ANSWERED_BEFORE: Final = """CASE WHEN CAST(:round AS int) > 1 THEN (
  SELECT json_build_object('staff_ids', coalesce(json_agg(e.staff_id) FILTER (WHERE e.staff_id IS NOT NULL), '[]'), 'approved', EXISTS (
    SELECT 1 FROM record_entry p WHERE p.matter_id = :matter_id AND p.action = 'approve_answer' AND p.seq > max(e.seq)))
  FROM record_entry e WHERE e.matter_id = :matter_id AND e.action = 'answer') END"""
# Of the units that took the case in, those that have ended, each with the unit that carries on for it.
_CARRIED_ON: Final = f"""coalesce((
  SELECT json_object_agg(gone.id, {taken_over_by("id = gone.id")}) FROM unit gone
  WHERE gone.id IN (:first_id, :enterer_id) AND gone.valid_to < CAST(:today AS date)), '{{}}')"""  # noqa: S608 - constants of our own
# The county's command center, which decides where a returned case goes: looked up only for those.
_ARBITER: Final = f"""CASE WHEN CAST(:returned AS boolean) THEN (
  SELECT {place_json("k")} FROM unit k
  WHERE k.county_id = :county_id AND k.kind = 'command_center' AND k.valid_to IS NULL LIMIT 1) END"""  # noqa: S608 - constants of our own
# Whether other cases were merged into this one.
_OTHERS_JOINED: Final = "EXISTS (SELECT FROM grievance j WHERE j.primary_id = :matter_id)"
# The staff who had a part in any round.
_WORKED: Final = f"""ARRAY(
  SELECT DISTINCT e.staff_id FROM record_entry e WHERE e.matter_id = :matter_id AND e.action IN ({ACTIONS_OF_WORKERS}))"""  # noqa: S608 - constants of our own
_DECIDES: Final = ", ".join(f"'{role}'" for role in sorted({*ACTING_ROLES, Role.SUPERVISOR}))
# The units that may review the answer, from the next tier above the unit `h` on: of each tier its command center where it has
# one; after the county's the county's reviewing body (docs/adr/0041). Only units where a post may decide.
_REVIEWING_UNITS: Final = f"""(
  WITH RECURSIVE above AS (
    SELECT t.id, t.parent_id, t.kind, 1 AS step FROM unit t WHERE t.id = CASE
      WHEN h.kind IN ('department', 'command_center', 'discipline') THEN h.parent_id
      ELSE (SELECT parent_id FROM unit WHERE id = h.id) END
    UNION ALL
    SELECT t.id, t.parent_id, t.kind, a.step + 1 FROM above a JOIN unit t ON t.id = a.parent_id
  )
  SELECT coalesce(json_agg({place_json("u")} ORDER BY r.step, r.body), '[]')
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
    AND (o.valid_to IS NULL OR o.valid_to >= CAST(:today AS date))))"""  # noqa: S608 - constants of our own
# The next tier above the unit `h`: its parent in the tree or, where the parent has a command center, that center.
_NEXT_TIER: Final = """(
  SELECT coalesce(desk.id, parent.id) AS id, coalesce(desk.name, parent.name) AS name, coalesce(desk.kind, parent.kind) AS kind
  FROM unit own
  JOIN unit parent ON parent.id = own.parent_id
  LEFT JOIN unit desk ON desk.parent_id = parent.id AND desk.kind = 'command_center' AND desk.valid_to IS NULL
  WHERE own.id = CASE WHEN h.kind IN ('department', 'command_center', 'discipline') THEN h.parent_id ELSE h.id END
  LIMIT 1)"""
# Staff id of the unit member whose request to hand back part `a` is undecided.
_ASKED_BACK_BY: Final = """(
  SELECT e.staff_id FROM record_entry e
  WHERE a.hand_back_asked_at IS NOT NULL AND a.hand_back_settled_at IS NULL
    AND e.matter_id = a.matter_id AND e.action = 'hand_back' AND e.at = a.hand_back_asked_at LIMIT 1)"""


def _around(*, worked: str, reviewing_units: str) -> str:
    return f"""
SELECT {version_in_force("calendar", ":county_id")} AS calendar_version,
  {version_in_force("limit_set", ":county_id")} AS limits_version,
  {category_line(":category_id")} AS categories,
  {_CLOCKS} AS clocks,
  {_ASKED} AS asked,
  {_ANSWERED_BEFORE} AS answered_before,
  {_CARRIED_ON} AS carried_on,
  {_ARBITER} AS arbiter,
  {_OTHERS_JOINED} AS others_joined,
  {worked} AS worked,
  {reviewing_units} AS reviewing_units,
  {place_columns("h", "holder")}, h.head_approves AS holder_approves,
  {place_columns("up", "next_tier")},
  {columns("a", Assignment, "part_assignment")}, u.name AS part_unit_name, u.code AS part_unit_code,
  u.head_approves AS part_head_approves, {_ASKED_BACK_BY} AS part_asked_back_by
FROM unit h
LEFT JOIN LATERAL {_NEXT_TIER} up ON true
LEFT JOIN assignment a ON a.matter_id = :matter_id AND a.round = :round
LEFT JOIN unit u ON u.id = a.unit_id
WHERE h.id = :holder_id ORDER BY a.id"""  # noqa: S608 - constants of this module


_AROUND: Final = Query(
    _Surroundings, _around(worked="CAST('{}' AS int[])", reviewing_units="CAST(NULL AS json)")
)
# Costs twice as much as _AROUND: PostgreSQL initialises every subquery, even one that it does not run.
_AROUND_FINISHED: Final = Query(
    _Surroundings, _around(worked=_WORKED, reviewing_units=_REVIEWING_UNITS)
)


async def dossier_of(tx: Transaction, found: CaseRow) -> Dossier:
    """The case with its surroundings, by a statement after the one that found the case and, where it is to change, locked it.

    The locking statement itself would read the surroundings as they were before it waited. It would not even find a case whose
    holder changed meanwhile: PostgreSQL reads the locked row again, but joins it to the rows of before.
    """
    case, rows = found.case, await _read(tx, found.case)
    around, parts = rows[0], [row.part for row in rows if row.part is not None]
    timing = Timing(
        await calendar_of(tx, case.county_id, around.calendar_version),
        await rules_of(tx, case.county_id, around.limits_version),
        tuple(around.categories or ()),
    )
    dossier = Dossier(
        matter=found.matter,
        case=case,
        holder=around.holder,
        next_tier=around.next_tier,
        assignments=[part.assignment for part in parts],
        clocks=[Clock.from_json(clock) for clock in around.clocks],
        timing=timing,
        unit_names={part.assignment.unit_id: part.unit_name for part in parts},
        unit_codes={part.assignment.unit_id: part.unit_code for part in parts},
        head_required=_head_required(around, parts),
        asked=around.asked,
        asked_back_by={
            part.assignment.id: part.asked_back_by for part in parts if part.asked_back_by
        },
        answered_before=around.answered_before,
        carried_on=around.carried_on,
        others_joined=around.others_joined,
        arbiter=around.arbiter,
        reviewing_units=around.reviewing_units,
        worked=frozenset(around.worked),
    )
    dossier.remember()
    return dossier


async def _read(tx: Transaction, case: Case) -> list[_Surroundings]:
    finished = case.phase in (Phase.ANSWERED, Phase.CLOSED)
    return await (_AROUND_FINISHED if finished else _AROUND).all(
        tx,
        matter_id=case.id,
        round=case.round,
        holder_id=case.holder_unit_id,
        county_id=case.county_id,
        category_id=case.category_id,
        first_id=case.first_unit_id,
        enterer_id=case.entered_by_unit_id,
        returned=case.returns > 0 and not case.sealed,
        asked=case.extension_asked_at is not None or case.wait_asked_at is not None,
        **({"review_bodies": settings().review_body_codes} if finished else {}),
    )


def _head_required(around: _Surroundings, parts: list[_Part]) -> frozenset[int]:
    """Units whose head approves answers: those with a part, and the holder, who may take the case on itself."""
    units = {part.assignment.unit_id for part in parts if part.head_approves}
    return frozenset(units | {around.holder.unit_id} if around.holder_approves else units)
