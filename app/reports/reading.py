"""Reading locked months: a county's, a unit's, a year's, with their corrections. Decides who sees what; counts nothing anew.

Who handles cases learns nothing here of how people evaluated: for them the surveys' schema is not even read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import text

from app.auth import posts
from app.auth.actor import StaffActor
from app.db import Transaction
from app.db.query import Json, Query, columns
from app.directory.terms import HANDLING_UNITS, Role, UnitKind
from app.errors import NotFound, NotPermitted
from app.reports import satisfaction, suppression
from app.reports.counting import counts_json
from app.reports.formulas import (
    ALL_TOLD,
    AMONG,
    OF_WORK,
    RATES,
    STOCKS,
    WORK,
    Measure,
    Share,
    Untold,
    of_few,
    ranked,
    shares,
    total,
)
from app.reports.models import MonthEnd
from app.reports.months import Month
from app.reports.satisfaction import CorrectionRow
from app.reports.suppression import Whose

# Who is told how people evaluated, once the month is locked: nobody who sits in a unit that handles cases, in any post.
_SEE_EVALUATIONS: Final = frozenset({Role.SUPERVISOR, Role.LEADER})


class _LockedMonth(Struct, frozen=True):
    month: MonthEnd
    corrections: int


_MONTHS: Final = Query(
    _LockedMonth,
    f"""
SELECT {columns("m", MonthEnd, "month")}, (SELECT count(*) FROM month_correction k WHERE k.county_id = m.county_id AND k.month = m.month) AS corrections
FROM month_end m WHERE m.county_id = :county_id AND m.month < :before ORDER BY m.month DESC LIMIT :most""",  # noqa: S608 - columns of our own table
)
_BETWEEN: Final = Query(
    MonthEnd,
    f"""
SELECT {columns("m", MonthEnd)} FROM month_end m WHERE m.county_id = :county_id AND m.month >= :first AND m.month <= :last
ORDER BY m.month""",  # noqa: S608 - columns of our own table
)


@dataclass(frozen=True, slots=True)
class _Named:
    """A unit, or a person in it, as it is called."""

    unit_id: int
    unit_code: str
    unit_name: str
    unit_kind: UnitKind
    staff_id: int | None
    person_name: str | None

    @property
    def whose(self) -> Whose:
        return self.unit_id, self.staff_id


@dataclass(frozen=True, slots=True)
class _FigureRow:
    """Locked counts of a month, or by how much corrections changed them."""

    month: date
    named: _Named
    counts: Json[dict[Measure, int]]


# A figure that only a correction brought has no row of its own.
_FIGURES: Final = Query(
    _FigureRow,
    f"""
SELECT f.month, f.unit_id AS named_unit_id, f.unit_code AS named_unit_code, f.unit_name AS named_unit_name,
  f.unit_kind AS named_unit_kind, f.staff_id AS named_staff_id, f.person_name AS named_person_name,
  {counts_json("f", WORK)} AS counts
FROM month_figure f WHERE f.county_id = :county_id AND f.month >= :first AND f.month <= :last
  AND (CAST(:unit_id AS int) IS NULL OR f.unit_id = :unit_id) AND (:people OR f.staff_id IS NULL)
ORDER BY f.month, f.unit_code, f.staff_id NULLS FIRST""",  # noqa: S608 - names of our own columns
)
_CORRECTED: Final = Query(
    _FigureRow,
    """
SELECT k.month, k.unit_id AS named_unit_id, u.code AS named_unit_code, u.name AS named_unit_name, u.kind AS named_unit_kind,
  k.staff_id AS named_staff_id, p.name AS named_person_name, json_build_object(k.measure, sum(k.new - k.old)) AS counts
FROM month_correction k JOIN unit u ON u.id = k.unit_id LEFT JOIN staff p ON p.id = k.staff_id
WHERE k.county_id = :county_id AND k.month >= :first AND k.month <= :last
  AND (CAST(:unit_id AS int) IS NULL OR k.unit_id = :unit_id) AND (:people OR k.staff_id IS NULL)
GROUP BY k.month, k.unit_id, u.id, k.staff_id, p.id, k.measure ORDER BY k.month, u.code, k.staff_id NULLS FIRST""",
)
_NAMES: Final = Query(
    _Named,
    """
SELECT u.id AS unit_id, u.code AS unit_code, u.name AS unit_name, u.kind AS unit_kind, p.id AS staff_id, p.name AS person_name
FROM unnest(CAST(:units AS int[]), CAST(:people AS int[])) AS asked(unit_id, staff_id)
JOIN unit u ON u.id = asked.unit_id LEFT JOIN staff p ON p.id = asked.staff_id""",
)
_CORRECTIONS: Final = Query(
    CorrectionRow,
    """
SELECT k.seq, k.month, u.code AS unit_code, u.name AS unit_name, p.name AS person_name, k.measure, k.old, k.new, k.cause, k.reason,
  b.name AS by_name, k.at
FROM month_correction k JOIN unit u ON u.id = k.unit_id
LEFT JOIN staff p ON p.id = k.staff_id LEFT JOIN staff b ON b.id = k.by_staff_id
WHERE k.county_id = :county_id AND k.month >= :first AND k.month <= :last ORDER BY k.seq""",
)


class _SealedCounts(Struct, frozen=True):
    taken_in: int
    answered: int


_SEALED: Final = Query(
    _SealedCounts,
    """
SELECT taken_in, answered FROM month_sealed WHERE county_id = :county_id AND month = :month AND unit_id = :unit_id""",
)
_UNIT: Final = text("SELECT id FROM unit WHERE code = :code AND county_id = :county_id")
_AFTER_ALL: Final = date(2200, 1, 1)

_Evaluations = satisfaction.LockedCounts | satisfaction.Change


@dataclass(slots=True)
class Figure:
    """The counts of a unit, or of a person in it, as they stand with all corrections; and what follows from them.

    `untold`: which of them are not to be shown.
    """

    unit_id: int
    unit_code: str
    unit_name: str
    unit_kind: UnitKind
    staff_id: int | None
    person_name: str | None
    counts: dict[Measure, int]
    corrected: bool = False
    untold: Untold = ALL_TOLD
    shares: list[Share] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """Locked figures of a span of months. `total` is the county's, where the asker sees all of it."""

    months: list[MonthEnd]
    units: list[Figure]
    people: list[Figure]
    total: dict[Measure, int]
    evaluations: bool

    @property
    def total_untold(self) -> Untold:
        return of_few(self.total)

    @property
    def total_shares(self) -> list[Share]:
        return shares(self.total, self.total_untold, RATES if self.evaluations else OF_WORK)


@dataclass(frozen=True, slots=True)
class Sealed:
    """How many sealed cases the asker's unit took in and answered in a month."""

    taken_in: int
    answered: int


async def sees_evaluations(tx: Transaction, by: StaffActor) -> bool:
    """In whichever post they act: who also works where cases are handled takes what they see there along."""
    return by.role in _SEE_EVALUATIONS and not await posts.sits_in(tx, by, HANDLING_UNITS)


async def oversees_evaluations(tx: Transaction, by: StaffActor) -> bool:
    """Who sees single decisions about evaluations, and has them counted anew."""
    return by.role is Role.SUPERVISOR and await sees_evaluations(tx, by)


def require_county_wide(by: StaffActor) -> None:
    """Raises NotPermitted for those who do not look over the county."""
    if not by.sees_county:
        raise NotPermitted("只有县领导、指挥中心调度员和督查员可以查看全县的报表。")


def require_any(by: StaffActor) -> int:
    """The asker's county. Raises NotPermitted for those who neither act for a unit nor look over the county."""
    if not (by.sees_county or by.acts) or by.county_id is None:
        raise NotPermitted("您的岗位不能查看报表。")
    return by.county_id


async def months(
    tx: Transaction, *, by: StaffActor, before: Month | None, most: int
) -> list[tuple[MonthEnd, int]]:
    """Locked months, the latest first, each with how many corrections there are."""
    rows = await _MONTHS.all(
        tx,
        county_id=require_any(by),
        before=_AFTER_ALL if before is None else before.first,
        most=most,
    )
    return [(row.month, row.corrections) for row in rows]


async def county(
    tx: Transaction, county_id: int, first: Month, last: Month, *, evaluations: bool, people: bool
) -> Report:
    """All units between two months, both included, ranked among those of their kind. Raises NotFound where none is locked."""
    span = await _span(tx, county_id, first, last)
    figures = await _figures(tx, span, unit_id=None, people=people, evaluations=evaluations)
    units = [one for one in figures if one.staff_id is None]
    _rank(units, evaluations=evaluations)
    everybody = [one for one in figures if one.staff_id is not None]
    _share(everybody, evaluations=evaluations)
    return Report(span, units, everybody, total(one.counts for one in units), evaluations)


async def unit(tx: Transaction, code: str, first: Month, last: Month, *, by: StaffActor) -> Report:
    """One unit's, without ranks: those would tell of others. People are told of to its head and who looks over the county.

    Raises NotFound for another unit than the own, but for those who look over the county.
    """
    county_id = require_any(by)
    unit_id = await tx.scalar(_UNIT, code=code, county_id=county_id)
    if unit_id is None or not (by.sees_county or unit_id == by.unit_id):
        raise NotFound
    span = await _span(tx, county_id, first, last)
    people = by.sees_county or by.role is Role.UNIT_HEAD
    evaluations = await sees_evaluations(tx, by)
    figures = await _figures(tx, span, unit_id=unit_id, people=people, evaluations=evaluations)
    _share(figures, evaluations=evaluations)
    return Report(
        span,
        [one for one in figures if one.staff_id is None],
        [one for one in figures if one.staff_id is not None],
        {},
        evaluations,
    )


async def sealed(tx: Transaction, month: Month, *, by: StaffActor) -> Sealed | None:
    """For supervisors, of what their own unit holds sealed; for all others there is no such thing."""
    if by.role is not Role.SUPERVISOR:
        return None
    row = await _SEALED.one_or_none(tx, county_id=by.county_id, month=month.first, unit_id=by.unit_id)  # fmt: skip
    return Sealed(0, 0) if row is None else Sealed(row.taken_in, row.answered)


async def corrections(
    tx: Transaction, county_id: int, first: Month, last: Month, *, evaluations: bool
) -> list[CorrectionRow]:
    """All that were made, in order; after the others those of evaluations, for supervisors alone.

    Of the latter not from what to what: that would tell single answers, which are looked at with a reason and on record.
    """
    binds = {"county_id": county_id, "first": first.first, "last": last.first}
    found = await _CORRECTIONS.all(tx, **binds)
    return found + (await satisfaction.corrections(tx, **binds) if evaluations else [])


async def _span(tx: Transaction, county_id: int, first: Month, last: Month) -> list[MonthEnd]:
    rows = await _BETWEEN.all(tx, county_id=county_id, first=first.first, last=last.first)
    if not rows:
        raise NotFound("还没有月结。")
    return rows


async def _figures(
    tx: Transaction, span: list[MonthEnd], *, unit_id: int | None, people: bool, evaluations: bool
) -> list[Figure]:
    """Summed over the months, in the order of the units' codes; names are those of the last month."""
    binds = {"county_id": span[0].county_id, "first": span[0].month, "last": span[-1].month}
    gathered = _Gathered(span[-1].month)
    for row in await _FIGURES.all(tx, **binds, unit_id=unit_id, people=people):
        gathered.take(row, corrected=False)
    for row in await _CORRECTED.all(tx, **binds, unit_id=unit_id, people=people):
        gathered.take(row, corrected=True)
    if evaluations:
        await _add_evaluations(tx, gathered, binds, unit_id=unit_id, people=people)
    return gathered.sorted()


async def _add_evaluations(
    tx: Transaction,
    gathered: "_Gathered",
    binds: Mapping[str, Any],
    *,
    unit_id: int | None,
    people: bool,
) -> None:
    locked = await satisfaction.locked(tx, **binds)
    rows: list[_Evaluations] = [*locked, *await satisfaction.corrected(tx, **binds)]
    # Before anybody's are left out: what may be told of one depends on what is told of all.
    untold = _untold(rows)
    rows = [
        one for one in rows if unit_id in (None, one.unit_id) and (people or one.staff_id is None)
    ]
    unnamed = list(dict.fromkeys(row.whose for row in rows if not gathered.knows(row.whose)))
    for named in await _NAMES.all(
        tx, units=[unit for unit, _ in unnamed], people=[person for _, person in unnamed]
    ):
        gathered.name(named)
    for row in rows:
        corrected = isinstance(row, satisfaction.Change)
        gathered.add(row.whose, row.month, row.counts, corrected=corrected)
        gathered.hold_back(row.whose, untold)


def _untold(rows: Iterable[_Evaluations]) -> dict[Measure, frozenset[Whose]]:
    """By measure, whose are not told."""
    summed: dict[Measure, dict[Whose, int]] = {among: {} for among in AMONG.values()}
    for row in rows:
        for among, of in summed.items():
            of[row.whose] = of.get(row.whose, 0) + row.counts.get(among, 0)
    return {measure: suppression.untold(summed[among]) for measure, among in AMONG.items()}


class _Gathered:
    """Figures by unit and person, as rows of several months and kinds come in."""

    def __init__(self, last: date) -> None:
        self._last = last
        self._figures: dict[Whose, Figure] = {}

    def knows(self, whose: Whose) -> bool:
        return whose in self._figures

    def name(self, named: _Named) -> None:
        self._figures[named.whose] = Figure(
            named.unit_id,
            named.unit_code,
            named.unit_name,
            named.unit_kind,
            named.staff_id,
            named.person_name,
            dict.fromkeys(Measure, 0),
        )

    def take(self, row: _FigureRow, *, corrected: bool) -> None:
        named = row.named
        if not self.knows(named.whose):
            self.name(named)
        if not corrected:
            figure = self._figures[named.whose]
            figure.unit_name, figure.person_name = named.unit_name, named.person_name
        self.add(named.whose, row.month, row.counts, corrected=corrected)

    def add(
        self, whose: Whose, month: date, counts: Mapping[Measure, int], *, corrected: bool
    ) -> None:
        figure = self._figures[whose]
        figure.corrected = figure.corrected or corrected
        for measure, number in counts.items():
            if measure not in STOCKS or month == self._last:
                figure.counts[measure] += number

    def hold_back(self, whose: Whose, untold: Mapping[Measure, frozenset[Whose]]) -> None:
        self._figures[whose].untold = frozenset(one for one, of in untold.items() if whose in of)

    def sorted(self) -> list[Figure]:
        return sorted(self._figures.values(), key=lambda one: (one.unit_code, one.staff_id or 0))


def _rank(units: Iterable[Figure], *, evaluations: bool) -> None:
    by_kind: dict[UnitKind, list[Figure]] = {}
    for one in units:
        by_kind.setdefault(one.unit_kind, []).append(one)
    for kind in by_kind.values():
        found = ranked(
            [(one.counts, one.untold) for one in kind], RATES if evaluations else OF_WORK
        )
        for one, own in zip(kind, found, strict=True):
            one.shares = own


def _share(figures: Iterable[Figure], *, evaluations: bool) -> None:
    for one in figures:
        one.shares = shares(one.counts, one.untold, RATES if evaluations else OF_WORK)
