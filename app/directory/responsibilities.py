"""The list of responsibilities (职责清单): which unit leads cases of a category. Who may set it is the caller's.

Each change is on record: the row in force ends, and another one begins. A unit that ended stands for its successor.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from app.db import Transaction
from app.db.query import Query
from app.directory.models import Responsibility
from app.directory.queries import carried_on_by
from app.directory.terms import UnitKind
from app.errors import InvalidInput, NothingChanged
from app.identifiers import uuid7

# Villages hear people out; they lead nothing.
_LEAD: Final = frozenset({UnitKind.TOWNSHIP, UnitKind.DEPARTMENT})


class ResponsibleUnit(Struct, frozen=True):
    """A category and the unit that leads its cases; `set_by` is a name."""

    category_id: int
    path: str
    unit_code: str
    unit_name: str
    set_at: datetime
    set_by: str


_LIST: Final = Query(
    ResponsibleUnit,
    f"""
SELECT r.category_id, k.path, u.code AS unit_code, u.name AS unit_name, r.set_at, s.name AS set_by
FROM responsibility r JOIN category k ON k.id = r.category_id JOIN staff s ON s.id = r.set_by_staff_id
JOIN unit u ON u.id = {carried_on_by("id = r.unit_id")}
WHERE r.county_id = :county_id AND r.ended_at IS NULL ORDER BY k.path
""",  # noqa: S608 - conditions of our own
)


class _Meant(Struct, frozen=True):
    """What is in force, and whether category and unit are there."""

    category_known: bool
    unit_id: int | None
    unit_kind: UnitKind | None
    present_id: UUID | None
    present_unit_id: int | None


_MEANT: Final = Query(
    _Meant,
    f"""
SELECT EXISTS (SELECT 1 FROM category WHERE id = :category_id AND active) AS category_known,
  u.id AS unit_id, u.kind AS unit_kind, r.id AS present_id, r.unit_id AS present_unit_id
FROM (SELECT 1) AS one
LEFT JOIN unit u ON u.county_id = :county_id AND u.id = {carried_on_by("code = :unit_code")}
LEFT JOIN responsibility r ON r.county_id = :county_id AND r.category_id = :category_id AND r.ended_at IS NULL
""",  # noqa: S608 - conditions of our own
)
_END: Final = text("""
UPDATE responsibility SET ended_at = :now, ended_by_staff_id = :staff_id WHERE id = :id AND ended_at IS NULL
""")


async def listed(tx: Transaction, *, county_id: int | None) -> list[ResponsibleUnit]:
    """What is in force in the county, by category."""
    return await _LIST.all(tx, county_id=county_id)


async def assign(
    tx: Transaction,
    category_id: int,
    unit_code: str | None,
    *,
    county_id: int,
    staff_id: int,
    now: datetime,
) -> list[ResponsibleUnit]:
    """From now on the unit leads cases of the category; None: nobody is named. Returns the whole list.

    Of two who set the same category at once, the later one breaks the unique index and is tried again (app/http/transaction.py).
    Raises InvalidInput for a category or unit that is not there or leads nothing, NothingChanged.
    """
    meant = await _MEANT.one(tx, category_id=category_id, unit_code=unit_code, county_id=county_id)
    _require_sense(meant, unit_code)
    if meant.unit_id == meant.present_unit_id:
        raise NothingChanged
    if meant.present_id is not None:
        await tx.execute(_END, id=meant.present_id, staff_id=staff_id, now=now)
    if meant.unit_id is not None:
        tx.add(
            Responsibility(
                id=uuid7(now),
                county_id=county_id,
                category_id=category_id,
                unit_id=meant.unit_id,
                set_at=now,
                set_by_staff_id=staff_id,
            )
        )
        await tx.flush()
    return await listed(tx, county_id=county_id)


def _require_sense(meant: _Meant, unit_code: str | None) -> None:
    mistakes = []
    if not meant.category_known:
        mistakes.append({"where": "path.category_id", "what": "没有这个分类"})
    if unit_code is not None and (meant.unit_id is None or meant.unit_kind not in _LEAD):
        mistakes.append({"where": "body.unit_code", "what": "须为本县的镇街或部门"})
    if mistakes:
        raise InvalidInput(mistakes=mistakes)
