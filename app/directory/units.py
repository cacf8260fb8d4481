"""Changes to the unit tree: a unit ends and another carries on. Nothing is deleted; whose right it is, the caller asks."""

from datetime import date
from typing import Any

from sqlalchemy import text

from app.clock import SHANGHAI
from app.db import Transaction
from app.directory.models import Unit
from app.errors import InvalidInput, NotFound

# Both in one order, so that two reorganisations that meet wait for each other instead of deadlocking.
_LOCK = text("""
SELECT u.*, EXISTS (SELECT FROM unit b WHERE b.parent_id = u.id AND b.valid_to IS NULL) AS has_units
FROM unit u WHERE u.code = ANY(:codes) ORDER BY u.id FOR UPDATE OF u
""")
_MOVE_UNITS = text(
    "UPDATE unit SET parent_id = :successor_id WHERE parent_id = :id AND valid_to IS NULL"
)


async def end_unit(tx: Transaction, code: str, *, successor: str | None, last_day: date) -> Unit:
    """End a unit (撤销、合并、更名) with its last valid day; its units go to the successor at once.

    The successor is of the same kind, in the same county, and has not ended: so chains of successors never close. A county has none,
    since its cases and offices name it.
    """
    found = {row.code: row for row in await tx.all(_LOCK, codes=sorted({code, successor or code}))}
    if code not in found:
        raise NotFound
    unit = Unit.read(found[code])
    today = (await tx.now()).astimezone(SHANGHAI).date()
    if wrong := _wrong_day(unit, last_day, today):
        raise InvalidInput(wrong)
    if successor is not None:
        heir = _heir(unit, found.get(successor))
        unit.successor_id = heir.id
        await tx.execute(_MOVE_UNITS, id=unit.id, successor_id=heir.id)
    elif found[code].has_units:
        raise InvalidInput(f"{unit.name}还有下级单位，请指定承接单位。")
    unit.valid_to = last_day
    tx.change(unit)
    return unit


def _wrong_day(unit: Unit, last_day: date, today: date) -> str | None:
    if unit.valid_to is not None:
        return f"{unit.name}已于 {unit.valid_to} 撤销。"
    if not unit.valid_from <= last_day <= today:
        return f"最后有效日应在 {unit.valid_from} 与今天之间。"
    return None


def _heir(unit: Unit, row: Any) -> Unit:
    if row is None:
        raise InvalidInput("没有找到承接单位，请核对编码。")
    heir = Unit.read(row)
    if heir.id == unit.id:
        raise InvalidInput("承接单位不能是本单位。")
    if heir.valid_to is not None:
        raise InvalidInput(f"承接单位{heir.name}已于 {heir.valid_to} 撤销。")
    if heir.kind is not unit.kind or heir.county_id != unit.county_id:
        raise InvalidInput(f"承接单位应是同一县的{unit.kind.chinese}。")
    return heir
