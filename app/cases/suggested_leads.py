"""Suggested lead units for a case that the command center is about to dispatch. A hint: it decides and writes nothing.

First the unit that the list of responsibilities (职责清单) names for the case's category. Then it compares the case with the county's newest finished cases of one year. Evaluations play no part.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from app.auth.actor import StaffActor
from app.cases import access, known_words
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action
from app.cases.models import Outcome
from app.cases.shared_words import Alike, most_alike
from app.cases.surroundings import category_line
from app.db import Transaction
from app.db.query import Query
from app.directory.queries import carried_on_by
from app.directory.terms import UnitKind
from app.errors import NotPermitted
from app.limits.terms import Stage
from app.matters.clocks import Clock
from app.matters.visibility import VISIBLE_TO_STAFF, viewer

MOST: Final = 3
_NEAREST: Final = 3
_YEAR: Final = timedelta(days=365)
# The newest finished cases are compared; the most alike of them decide which units are suggested.
_COMPARED: Final = 600
_HEARD: Final = 20


class _Finished(Struct, frozen=True, eq=False):
    """A finished case with its lead and its assistants. Erasing the case changes the title."""

    id: UUID
    title: str
    ref: str
    outcome: Outcome | None
    lead_id: int
    assistant_ids: list[int]


class _Load(Struct, frozen=True):
    """A unit that has not ended, and the number of cases it leads now."""

    id: int
    code: str
    name: str
    kind: UnitKind
    open: int
    overdue: int


class Nearest(Struct, frozen=True):
    ref: str
    title: str
    outcome: Outcome | None


class NamedUnit(Struct, frozen=True):
    code: str
    name: str


class SuggestedLead(Struct, frozen=True):
    """A unit with the reason for it, its usual assistants, its load, and the limits that dispatching now would give."""

    code: str
    name: str
    reason: str
    assistants: tuple[NamedUnit, ...]
    open: int
    overdue: int
    sign_due_at: datetime | None
    handle_due_at: datetime | None
    nearest: tuple[Nearest, ...]


# The lead of the last answered round. A unit that handed the case back is no evidence.
_FINISHED: Final = Query(
    _Finished,
    f"""
SELECT c.id, c.title, c.ref, c.outcome, l.unit_id AS lead_id, ARRAY(
  SELECT a.unit_id FROM assignment a WHERE a.matter_id = c.id AND a.round = l.round AND a.role = 'assist' AND a.state = 'answered'
  ORDER BY a.id) AS assistant_ids
FROM (
  SELECT c.id, c.title, c.ref, c.outcome FROM grievance c
  WHERE c.county_id = :county_id AND c.phase NOT IN ('pending', 'handling') AND NOT c.sealed
    AND c.received_at >= CAST(:since AS timestamptz) AND {VISIBLE_TO_STAFF}
  ORDER BY c.id DESC LIMIT {_COMPARED}
) c CROSS JOIN LATERAL (
  SELECT a.unit_id, a.round FROM assignment a
  WHERE a.matter_id = c.id AND a.role = 'lead' AND a.state = 'answered' AND a.given_by_unit_id IS NOT NULL
  ORDER BY a.round DESC LIMIT 1
) l
""",  # noqa: S608 - constants of ours
)


class _Named(Struct, frozen=True):
    """The unit that the list of responsibilities names for a category, or for the nearest one above it."""

    unit_id: int
    path: str


_NAMED: Final = Query(
    _Named,
    f"""
SELECT {carried_on_by("id = r.unit_id")} AS unit_id, k.path
FROM responsibility r JOIN category k ON k.id = r.category_id
WHERE r.county_id = :county_id AND r.ended_at IS NULL AND r.category_id = ANY(CAST({category_line("CAST(:category_id AS int)")} AS int[]))
ORDER BY k.level DESC LIMIT 1
""",  # noqa: S608 - conditions of our own
)
# A load with sealed cases in it would reveal an accusation to the dispatcher.
_LOADS: Final = Query(
    _Load,
    """
SELECT u.id, u.code, u.name, u.kind, CAST(count(a.id) AS int) AS open, CAST(count(a.id) FILTER (WHERE a.due_at < :now) AS int) AS overdue
FROM unit u LEFT JOIN (assignment a JOIN grievance g ON g.id = a.matter_id AND NOT g.sealed)
  ON a.unit_id = u.id AND a.role = 'lead' AND a.state IN ('offered', 'signed')
WHERE u.id = ANY(:ids) AND (u.valid_to IS NULL OR u.valid_to >= CAST(:today AS date)) GROUP BY u.id
""",
)


async def suggest_leads(
    tx: Transaction, ref: str, *, by: StaffActor, now: datetime
) -> list[SuggestedLead]:
    """The likeliest unit first; empty where no finished case is alike.

    Raises NotFound for a case that the asker may not see, NotPermitted for staff who cannot dispatch it.
    """
    dossier = await access.get_case(tx, ref, by=by)
    if Action.DISPATCH not in access.actions(dossier, by=by, now=now):
        raise NotPermitted("只有指挥中心交办时，才有建议的主办单位。")
    text = await known_words.text_of(tx, dossier.case)
    named = await _NAMED.one_or_none(
        tx, category_id=dossier.case.category_id, county_id=dossier.case.county_id
    )
    known = await _FINISHED.all(tx, since=now - _YEAR, **viewer(by))
    alike = most_alike(text, await known_words.pairs_of_cases(tx, known), most=_HEARD)
    return await _leads(tx, dossier, named, alike, now) if alike or named else []


async def _leads(
    tx: Transaction,
    dossier: Dossier,
    named: _Named | None,
    alike: Sequence[Alike[_Finished]],
    now: datetime,
) -> list[SuggestedLead]:
    """The unit that the list of responsibilities names comes before those that solved similar cases."""
    weights: defaultdict[int, float] = defaultdict(float)
    for one in alike:
        weights[one.key.lead_id] += one.score
    if named is not None:
        weights[named.unit_id] = float("inf")
    first = sorted(weights, key=lambda unit: -weights[unit])
    assisting = {unit for one in alike for unit in one.key.assistant_ids}
    loads = {one.id: one for one in await _LOADS.all(tx, ids=[*first, *assisting])}
    return [
        _lead(
            dossier,
            loads,
            loads[unit],
            named.path if named is not None and named.unit_id == unit else None,
            [one.key for one in alike if one.key.lead_id == unit],
            len(alike),
            now,
        )
        for unit in first
        if unit in loads
    ][:MOST]


def _lead(
    dossier: Dossier,
    loads: dict[int, _Load],
    unit: _Load,
    path: str | None,
    led: Sequence[_Finished],
    alike: int,
    now: datetime,
) -> SuggestedLead:
    """`path`: the category for which the list of responsibilities names the unit."""
    solved = f"近一年相近的 {alike} 件中，{len(led)} 件由{unit.name}主办" if led else ""
    listed = f"职责清单：{path}由{unit.name}主办" if path else ""
    assisted = Counter(each for one in led for each in one.assistant_ids)
    usual = [each for each, often in assisted.items() if 2 * often >= len(led) and each in loads]
    return SuggestedLead(
        code=unit.code,
        name=unit.name,
        reason="；".join(filter(None, (listed, solved))),
        assistants=tuple(NamedUnit(loads[each].code, loads[each].name) for each in usual),
        open=unit.open,
        overdue=unit.overdue,
        sign_due_at=_due(dossier, unit, Stage.SIGN, now),
        handle_due_at=_due(dossier, unit, Stage.HANDLE, now),
        nearest=tuple(Nearest(one.ref, one.title, one.outcome) for one in led[:_NEAREST]),
    )


def _due(dossier: Dossier, unit: _Load, stage: Stage, now: datetime) -> datetime | None:
    """The due time of a clock that would start now. The clock is not kept."""
    case = dossier.case
    return Clock.start(
        dossier.rule(stage, unit.kind), stage, dossier.timing.calendar,
        matter_id=case.id, county_id=case.county_id, round_=case.round, unit_id=unit.id, now=now, part_id=None, limit=None,
    ).due_at  # fmt: skip
