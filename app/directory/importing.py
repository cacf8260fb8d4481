"""Brings a list of divisions into the unit table: all of it in one transaction, or nothing and every bad line named.

A unit that is there keeps its parent, though one that had none may get one, since a tier may be added above; a changed
name is taken over; one that has ended stays as it is. Units the list does not name are left alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Final

from msgspec import Struct
from sqlalchemy import text

from app.clock import SHANGHAI
from app.db import Transaction
from app.db.query import Query
from app.directory.divisions import (
    CODE_LENGTH,
    Fault,
    Reading,
    Told,
    misplacement,
    short_name,
)
from app.directory.terms import UnitKind
from app.errors import InvalidInput

SHOWN_FAULTS: Final = 50
_AT_ONCE = 20_000

# Readers go on, and so does what refers to a unit; a second import or a reorganisation waits.
_ALONE = text("LOCK TABLE unit IN SHARE ROW EXCLUSIVE MODE")
# A part of the list, one array for each column. It needs no temporary table, which a distributed database would not have.
_LISTED = """unnest(CAST(:lines AS int[]), CAST(:codes AS text[]), CAST(:names AS text[]), CAST(:short_names AS text[]),
  CAST(:kinds AS text[]), CAST(:parents AS text[])) AS l(line, code, name, short_name, kind, parent)"""


class _HeldParent(Struct, frozen=True):
    code: str
    kind: UnitKind


_PARENTS_HELD = Query(_HeldParent, "SELECT code, kind FROM unit WHERE code = ANY(:codes)")


class _HeldOtherwise(Struct, frozen=True):
    """A listed unit that the database has in another way."""

    line: int
    code: str
    kind: str
    parent: str
    held_kind: UnitKind
    held_parent: str | None


_HELD_OTHERWISE = Query(
    _HeldOtherwise,
    f"""
SELECT l.line, l.code, l.kind, l.parent, u.kind AS held_kind, p.code AS held_parent
FROM {_LISTED} JOIN unit u ON u.code = l.code LEFT JOIN unit p ON p.id = u.parent_id
WHERE u.kind <> l.kind OR p.code <> nullif(l.parent, '') OR (u.valid_to < CAST(:today AS date) AND u.name <> l.name)
""",  # noqa: S608 - a constant of this module
)


class _UnderEnded(Struct, frozen=True):
    line: int
    parent: str


_NEW_UNDER_ENDED = Query(
    _UnderEnded,
    f"""
SELECT l.line, l.parent FROM {_LISTED} JOIN unit p ON p.code = l.parent
WHERE p.valid_to < CAST(:today AS date) AND NOT EXISTS (SELECT FROM unit u WHERE u.code = l.code)
""",  # noqa: S608 - a constant of this module
)
_RENAME = text(f"""
UPDATE unit u SET name = l.name, short_name = l.short_name FROM {_LISTED} WHERE u.code = l.code AND u.name <> l.name
""")  # noqa: S608 - a constant of this module
# Numbered before it is inserted, so that a county can name itself as its county.
_INSERT = text(f"""
INSERT INTO unit (id, code, name, short_name, kind, parent_id, county_id, valid_from, head_approves)
SELECT f.id, f.code, f.name, f.short_name, f.kind, p.id,
  CASE f.kind WHEN 'county' THEN f.id ELSE p.county_id END, CAST(:valid_from AS date), false
FROM (
  SELECT nextval(pg_get_serial_sequence('unit', 'id')) AS id, l.* FROM {_LISTED}
  WHERE NOT EXISTS (SELECT FROM unit u WHERE u.code = l.code)
) f LEFT JOIN unit p ON p.code = f.parent
""")  # noqa: S608 - a constant of this module
_ATTACH = text(f"""
UPDATE unit u SET parent_id = p.id FROM {_LISTED} JOIN unit p ON p.code = l.parent
WHERE u.code = l.code AND u.parent_id IS NULL
""")  # noqa: S608 - a constant of this module
_ANALYZE_UNITS = text("ANALYZE unit")


class UnitsRefused(InvalidInput):
    """The list has bad lines and nothing was changed. `faults` has all of them, the text the first ones."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = sorted(faults)
        shown = [f"第 {line} 行：{told}" for line, told in self.faults[:SHOWN_FAULTS]]
        if len(self.faults) > SHOWN_FAULTS:
            shown.append(f"…… 另有 {len(self.faults) - SHOWN_FAULTS} 处")
        head = f"单位清单有 {len(self.faults)} 处错误，没有导入任何单位："
        super().__init__("\n".join([head, *shown]))


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did with the units listed: some added, renamed, put under a parent; the others were there."""

    listed: int
    added: int
    renamed: int
    attached: int


async def import_divisions(
    tx: Transaction, reading: Reading, *, valid_from: date, told: Told | None = None
) -> Imported:
    """Raises UnitsRefused; the caller's transaction must end with it."""
    told = told or _nobody
    await tx.execute(_ALONE)
    faults = [
        *reading.faults,
        *await _wrong_outside(tx, reading),
        *await _wrong_here(tx, reading, told),
    ]
    if faults:
        raise UnitsRefused(faults)
    renamed = sum([await tx.execute(_RENAME, **part) for part in _parts(reading)])
    added = await _insert(tx, reading, valid_from, told)
    attached = sum([await tx.execute(_ATTACH, **part) for part in _parts(reading)])
    if added:
        await tx.execute(_ANALYZE_UNITS)
    return Imported(len(reading.divisions), added, renamed, attached)


async def _wrong_outside(tx: Transaction, reading: Reading) -> list[Fault]:
    """Parents that are not in the list and, if they are here, may not be one."""
    outside = list(reading.outside())
    rows = await _PARENTS_HELD.all(tx, codes=sorted({division.parent for division in outside}))
    held = {row.code: row.kind for row in rows}
    faults = []
    for division in outside:
        if division.parent not in held:
            wrong: str | None = f"上级 {division.parent} 既不在清单中，也不在系统中"
        else:
            wrong = misplacement(division, held[division.parent])
        if wrong:
            faults.append(Fault(division.line, wrong))
    return faults


async def _wrong_here(tx: Transaction, reading: Reading, told: Told) -> list[Fault]:
    """What does not fit the units that are here already."""
    today = (await tx.now()).astimezone(SHANGHAI).date()
    faults, done = list[Fault](), 0
    for part in _parts(reading):
        faults += [
            Fault(row.line, f"上级 {row.parent} 已撤销，不能再有新的下级")
            for row in await _NEW_UNDER_ENDED.all(tx, **part, today=today)
        ]
        faults += [
            Fault(row.line, _fault(row))
            for row in await _HELD_OTHERWISE.all(tx, **part, today=today)
        ]
        done += len(part["lines"])
        told("比对", done, len(reading.divisions))
    return faults


def _fault(row: _HeldOtherwise) -> str:
    if row.held_kind != row.kind:
        return f"编码 {row.code} 在系统中是{row.held_kind.chinese}，不能改变层级"
    if row.parent and row.held_parent and row.held_parent != row.parent:
        return f"{row.code} 在系统中的上级是 {row.held_parent}，导入不能更改上级；请撤销原单位并指定承接单位"
    return f"{row.code} 已撤销，不能更名"


async def _insert(tx: Transaction, reading: Reading, valid_from: date, told: Told) -> int:
    """Tier by tier from the top, so that a parent is there before those under it."""
    added, done = 0, 0
    for kind in CODE_LENGTH:
        for part in _parts(reading, kind):
            added += await tx.execute(_INSERT, **part, valid_from=valid_from)
            done += len(part["lines"])
            told("写入", done, len(reading.divisions))
    return added


def _parts(reading: Reading, kind: UnitKind | None = None) -> Iterator[dict[str, list[object]]]:
    """The binds of _LISTED for the list, or for a tier of it, some thousand lines at a time."""
    listed = (one for one in reading.divisions.values() if kind is None or one.tier is kind)
    while part := list(islice(listed, _AT_ONCE)):
        yield {
            "lines": [one.line for one in part],
            "codes": [one.code for one in part],
            "names": [one.name for one in part],
            "short_names": [short_name(one.name) for one in part],
            "kinds": [one.tier for one in part],
            "parents": [one.parent for one in part],
        }


def _nobody(step: str, done: int, total: int) -> None:
    """Hears nothing."""
