"""Brings a list of divisions into the unit table: all of it in one transaction, or nothing and every bad line named.

A unit that is there keeps its parent, though one that had none may get one, since a tier may be added above; a changed
name is taken over; one that has ended stays as it is. Units the list does not name are left alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Final

from sqlalchemy import text

from app.db import Transaction
from app.directory.divisions import (
    CODE_LENGTH,
    Division,
    Fault,
    Reading,
    Told,
    misplacement,
    short_name,
)
from app.directory.terms import UnitKind
from app.errors import InvalidInput

SHOWN_FAULTS: Final = 50
_COPIED_AT_ONCE = 20_000
_INSERTED_AT_ONCE = 50_000

# Readers go on, and so does what refers to a unit; a second import or a reorganisation waits.
_ALONE = text("LOCK TABLE unit IN SHARE ROW EXCLUSIVE MODE")
_LIST = text("""
CREATE TEMPORARY TABLE listed (
  line integer, code text, name text, short_name text, kind text, parent text
) ON COMMIT DROP
""")
_COLUMNS = ("line", "code", "name", "short_name", "kind", "parent")
_ANALYZE_LIST = text("ANALYZE listed")
_PARENTS_HELD = text("SELECT code, kind FROM unit WHERE code = ANY(:codes)")
_HELD_OTHERWISE = text("""
SELECT l.line, l.code, l.kind, l.parent, u.kind AS held_kind, p.code AS held_parent
FROM listed l JOIN unit u ON u.code = l.code LEFT JOIN unit p ON p.id = u.parent_id
WHERE u.kind <> l.kind OR p.code <> nullif(l.parent, '') OR (u.valid_to < CURRENT_DATE AND u.name <> l.name)
""")
_NEW_UNDER_ENDED = text("""
SELECT l.line, l.parent FROM listed l JOIN unit p ON p.code = l.parent
WHERE p.valid_to < CURRENT_DATE AND NOT EXISTS (SELECT FROM unit u WHERE u.code = l.code)
""")
_RENAME = text("""
UPDATE unit u SET name = l.name, short_name = l.short_name FROM listed l WHERE u.code = l.code AND u.name <> l.name
""")
# Numbered in advance, so that a county can name itself as its county.
_NUMBER_FRESH = text("""
CREATE TEMPORARY TABLE fresh ON COMMIT DROP AS
SELECT row_number() OVER (PARTITION BY l.kind ORDER BY l.line) AS place,
  nextval(pg_get_serial_sequence('unit', 'id')) AS id, l.*
FROM listed l WHERE NOT EXISTS (SELECT FROM unit u WHERE u.code = l.code)
""")
_COUNT_FRESH = text("SELECT kind, count(*) AS units FROM fresh GROUP BY kind")
_INSERT = text("""
INSERT INTO unit (id, code, name, short_name, kind, parent_id, county_id, valid_from, head_approves)
SELECT f.id, f.code, f.name, f.short_name, f.kind, p.id,
  CASE f.kind WHEN 'county' THEN f.id ELSE p.county_id END, :valid_from, false
FROM fresh f LEFT JOIN unit p ON p.code = f.parent
WHERE f.kind = :kind AND f.place > :after AND f.place <= :upto
""")
_ATTACH = text("""
UPDATE unit u SET parent_id = p.id FROM listed l JOIN unit p ON p.code = l.parent
WHERE u.code = l.code AND u.parent_id IS NULL
""")
_ANALYZE_UNITS = text("ANALYZE unit")
# At once rather than at the commit: one transaction may import twice.
_FORGET = text("DROP TABLE listed, fresh")


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
    faults = [*reading.faults, *await _wrong_outside(tx, reading)]
    await _copy(tx, reading, told)
    faults += await _wrong_here(tx)
    if faults:
        raise UnitsRefused(faults)
    renamed = await tx.execute(_RENAME)
    added = await _insert(tx, valid_from, told)
    attached = await tx.execute(_ATTACH)
    if added:
        await tx.execute(_ANALYZE_UNITS)
    await tx.execute(_FORGET)
    return Imported(len(reading.divisions), added, renamed, attached)


async def _wrong_outside(tx: Transaction, reading: Reading) -> list[Fault]:
    """Parents that are not in the list and, if they are here, may not be one."""
    outside = list(reading.outside())
    rows = await tx.all(_PARENTS_HELD, codes=sorted({division.parent for division in outside}))
    held = {row.code: UnitKind(row.kind) for row in rows}
    faults = []
    for division in outside:
        if division.parent not in held:
            wrong: str | None = f"上级 {division.parent} 既不在清单中，也不在系统中"
        else:
            wrong = misplacement(division, held[division.parent])
        if wrong:
            faults.append(Fault(division.line, wrong))
    return faults


async def _copy(tx: Transaction, reading: Reading, told: Told) -> None:
    await tx.execute(_LIST)
    driver = await tx.driver()
    assert driver is not None
    rows, done = map(_row, reading.divisions.values()), 0
    while part := list(islice(rows, _COPIED_AT_ONCE)):
        await driver.copy_records_to_table("listed", records=part, columns=_COLUMNS)
        done += len(part)
        told("传送", done, len(reading.divisions))
    await tx.execute(_ANALYZE_LIST)


def _row(division: Division) -> tuple[object, ...]:
    line, code, name, tier, parent = division
    return line, code, name, short_name(name), tier, parent


async def _wrong_here(tx: Transaction) -> list[Fault]:
    """What does not fit the units that are here already."""
    faults = [
        Fault(row.line, f"上级 {row.parent} 已撤销，不能再有新的下级")
        for row in await tx.all(_NEW_UNDER_ENDED)
    ]
    for row in await tx.all(_HELD_OTHERWISE):
        if row.held_kind != row.kind:
            wrong = f"编码 {row.code} 在系统中是{UnitKind(row.held_kind).chinese}，不能改变层级"
        elif row.parent and row.held_parent and row.held_parent != row.parent:
            wrong = f"{row.code} 在系统中的上级是 {row.held_parent}，导入不能更改上级；请撤销原单位并指定承接单位"
        else:
            wrong = f"{row.code} 已撤销，不能更名"
        faults.append(Fault(row.line, wrong))
    return faults


async def _insert(tx: Transaction, valid_from: date, told: Told) -> int:
    """Tier by tier from the top, so that a parent is there before those under it."""
    await tx.execute(_NUMBER_FRESH)
    units = {row.kind: row.units for row in await tx.all(_COUNT_FRESH)}
    total, done = sum(units.values()), 0
    for kind in CODE_LENGTH:
        for after, upto in _spans(units.get(kind, 0)):
            inserted = await tx.execute(
                _INSERT, kind=kind, after=after, upto=upto, valid_from=valid_from
            )
            done += inserted
            told("写入", done, total)
    return done


def _spans(units: int) -> Iterator[tuple[int, int]]:
    for after in range(0, units, _INSERTED_AT_ONCE):
        yield after, after + _INSERTED_AT_ONCE


def _nobody(step: str, done: int, total: int) -> None:
    """Hears nothing."""
