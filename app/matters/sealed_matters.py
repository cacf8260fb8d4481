"""Sealed matters (检举控告): who in a unit can see one, and which staff may type one for a citizen. Writes nothing.

A sealed matter never stands in a unit where nobody may see it. `require_viewer` asks that of what a transaction wrote, just before
its commit; app/cases/history.py has it asked for every entry that gives the case or a part of it to a unit.
"""

from collections.abc import Collection
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from app.auth.actor import StaffActor
from app.db import Transaction
from app.db.query import Query
from app.directory.queries import TODAY
from app.errors import NobodyMaySee

_TODAY = f"{{0}}.valid_from <= {TODAY} AND ({{0}}.valid_to IS NULL OR {{0}}.valid_to >= {TODAY})"


def has_post(staff: str, unit: str) -> str:
    """SQL: whether the person has a post in the unit today, whichever post they act in. Both arguments are SQL."""
    return f"EXISTS (SELECT FROM post x WHERE x.staff_id = {staff} AND x.unit_id = {unit} AND {_TODAY.format('x')})"


def _above(unit: str, accused: str) -> str:
    return f"""EXISTS (
  WITH RECURSIVE up AS (
    SELECT parent_id AS id FROM unit WHERE id = {accused}
    UNION
    SELECT u.parent_id FROM up JOIN unit u ON u.id = up.id
  ) SELECT FROM up WHERE up.id = {unit})"""  # noqa: S608 - columns and binds of our own


def has_viewer(unit: str, accused: str) -> str:
    """SQL: whether the unit has a supervisor today who may see a sealed matter against `accused`. Both arguments are SQL.

    Nobody of the accused unit may, in whatever post, nor a unit above it in the tree.
    """
    return f"""(EXISTS (
  SELECT FROM post o JOIN staff s ON s.id = o.staff_id
  WHERE o.unit_id = {unit} AND o.role = 'supervisor' AND s.active AND {_TODAY.format("o")}
    AND {accused} IS DISTINCT FROM o.unit_id AND NOT {has_post("o.staff_id", accused)})
  AND NOT {_above(unit, accused)})"""  # noqa: S608 - columns and binds of our own


# Of the matter `c`: whoever has a part in it would have to see it, and only the unit that holds it can.
UNSEEN = f"""(c.sealed AND (NOT {has_viewer("c.holder_unit_id", "c.accused_unit_id")} OR EXISTS (
  SELECT FROM assignment a
  WHERE a.matter_id = c.id AND a.state IN ('offered', 'signed') AND a.unit_id <> c.holder_unit_id)))"""
_UNSEEN = text(
    f"SELECT EXISTS (SELECT FROM matter_facts c WHERE c.id = :matter_id AND {UNSEEN})"  # noqa: S608 - our own text
)


class _UnitWithViewer(Struct, frozen=True):
    id: int


_WITH_VIEWER = Query(
    _UnitWithViewer,
    f"""
SELECT u.id FROM unit u WHERE u.id = ANY(CAST(:unit_ids AS int[])) AND {has_viewer("u.id", "CAST(:accused_id AS int)")}
""",  # noqa: S608 - our own text
)
# Upwards the tree and its command centers: whom the typist's units answer to. Downwards: whom they command.
_IN_LINE = text(f"""
WITH RECURSIVE own AS (
  SELECT CAST(:unit_id AS int) AS id
  UNION
  SELECT o.unit_id FROM post o WHERE o.staff_id = :staff_id AND {_TODAY.format("o")}
), up AS (
  SELECT id FROM own
  UNION
  SELECT u.parent_id FROM up JOIN unit u ON u.id = up.id WHERE u.parent_id IS NOT NULL
), over_the_accused AS (
  SELECT CAST(:accused_id AS int) AS id
  UNION
  SELECT u.parent_id FROM over_the_accused a JOIN unit u ON u.id = a.id WHERE u.parent_id IS NOT NULL
)
SELECT EXISTS (SELECT FROM up WHERE id = :accused_id)
  OR EXISTS (SELECT FROM unit d JOIN up ON up.id = d.parent_id WHERE d.id = :accused_id AND d.kind = 'command_center')
  OR EXISTS (SELECT FROM over_the_accused JOIN own USING (id))
""")  # noqa: S608 - our own text


async def require_viewer(tx: Transaction, *, matter_id: UUID) -> None:
    """Raises NobodyMaySee where the matter, as it was written, stands in a unit that cannot see it."""
    if await tx.scalar(_UNSEEN, matter_id=matter_id):
        raise NobodyMaySee


async def with_viewer(
    tx: Transaction, unit_ids: Collection[int], *, accused_id: int | None
) -> set[int]:
    """Those of the units that have somebody who may see a sealed matter against the accused."""
    rows = await _WITH_VIEWER.all(tx, unit_ids=sorted(unit_ids), accused_id=accused_id)
    return {row.id for row in rows}


async def in_line(tx: Transaction, by: StaffActor, accused_id: int) -> bool:
    """Whether the accused is a unit of the typist's, one above or below it, or the command center above it."""
    found: bool = await tx.scalar(
        _IN_LINE, unit_id=by.unit_id, staff_id=by.staff_id, accused_id=accused_id
    )
    return found
