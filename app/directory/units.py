"""Changes to the unit tree: a unit ends and another carries on. Nothing is deleted; whose right it is, the caller asks.

What it has open is handed over afterwards, in pieces: app/cases/actions/reorganising.py.
"""

from dataclasses import dataclass
from datetime import date, datetime

from msgspec import Struct
from sqlalchemy import text

from app.clock import SHANGHAI, in_words
from app.db import Transaction
from app.db.query import Query, columns
from app.directory.models import Unit
from app.directory.terms import OFFICES, UnitKind
from app.errors import InvalidInput, NotFound


# Both in one order, so that two reorganisations that meet wait for each other instead of deadlocking.
class _LockedUnit(Struct, frozen=True):
    unit: Unit
    has_units: bool


_LOCK = Query(
    _LockedUnit,
    f"""
SELECT {columns("u", Unit, "unit")}, EXISTS (SELECT FROM unit b WHERE b.parent_id = u.id AND b.valid_to IS NULL) AS has_units
FROM unit u WHERE u.code = ANY(:codes) ORDER BY u.id FOR UPDATE OF u
""",  # noqa: S608 - columns of our own table
)
_MOVE_UNITS = text(
    "UPDATE unit SET parent_id = :successor_id WHERE parent_id = :id AND valid_to IS NULL"
)
# People go on in the successor from the next day; who has such a post there already needs no second one.
_MOVE_POSTS = text("""
INSERT INTO post (staff_id, unit_id, role, title, valid_from, valid_to, moved_from_post_id)
SELECT o.staff_id, :successor_id, o.role, o.title, greatest(o.valid_from, CAST(:last_day AS date) + 1), o.valid_to, o.id
FROM post o WHERE o.unit_id = :id AND (o.valid_to IS NULL OR o.valid_to > :last_day) AND NOT EXISTS (
  SELECT FROM post h WHERE h.staff_id = o.staff_id AND h.unit_id = :successor_id AND h.role = o.role
    AND (h.valid_to IS NULL OR h.valid_to > :last_day))
ORDER BY o.id
""")
# A post that ends signs its people out (a trigger), so those who go on are moved first. Where the last day is today, they
# are followed tomorrow (app/auth/sessions.py).
_MOVE_SESSIONS = text("""
UPDATE session s SET post_id = n.id
FROM post o CROSS JOIN LATERAL (
  SELECT n.id FROM post n
  WHERE n.staff_id = o.staff_id AND n.role = o.role AND n.unit_id = :successor_id
    AND n.valid_from <= CAST(:today AS date) AND (n.valid_to IS NULL OR n.valid_to >= CAST(:today AS date))
  ORDER BY n.id LIMIT 1
) n
WHERE o.unit_id = :id AND s.post_id = o.id AND s.revoked_at IS NULL AND CAST(:last_day AS date) < CAST(:today AS date)
""")
# Whoever had a post from then on only, never had it.
_END_POSTS = text("""
UPDATE post SET valid_to = greatest(valid_from, CAST(:last_day AS date))
WHERE unit_id = :id AND (valid_to IS NULL OR valid_to > :last_day)
""")


@dataclass(frozen=True, slots=True)
class Ending:
    """A unit that ended. `handed_over_at` is empty while it may still have something open."""

    code: str
    name: str
    county_id: int | None
    last_day: date
    successor: str | None
    successor_name: str | None
    handed_over_at: datetime | None


_ENDING = Query(
    Ending,
    """
SELECT u.code, u.name, u.county_id, u.valid_to AS last_day, s.code AS successor, s.name AS successor_name, u.handed_over_at
FROM unit u LEFT JOIN unit s ON s.id = u.successor_id WHERE u.code = :code AND u.valid_to IS NOT NULL
""",
)
# What the county's desk or the commission has open, nobody above could take.
_NEVER_WITHOUT_SUCCESSOR = (OFFICES - {UnitKind.DEPARTMENT}) | {UnitKind.COUNTY}


async def ending(tx: Transaction, code: str) -> Ending | None:
    """How a unit ended; None where it is not there or has not."""
    return await _ENDING.one_or_none(tx, code=code)


async def end_unit(
    tx: Transaction,
    code: str,
    *,
    successor: str | None,
    last_day: date,
    staff_id: int | None = None,
) -> Unit:
    """End a unit (撤销、合并、更名) with its last valid day; its units go to the successor at once, its posts the day after.

    The successor is of the same kind, in the same county, and has not ended: so chains of successors never close. A county has none,
    since its cases and offices name it. Without a successor the work goes to the tier above, and the posts end.
    """
    locked = await _LOCK.all(tx, codes=sorted({code, successor or code}))
    found = {row.unit.code: row for row in locked}
    if code not in found:
        raise NotFound
    unit = found[code].unit
    today = (await tx.now()).astimezone(SHANGHAI).date()
    if wrong := _wrong_day(unit, last_day, today):
        raise InvalidInput(wrong)
    if successor is not None:
        given = found.get(successor)
        heir = _heir(unit, None if given is None else given.unit)
        unit.successor_id = heir.id
        await tx.execute(_MOVE_UNITS, id=unit.id, successor_id=heir.id)
        moving = {"id": unit.id, "successor_id": heir.id, "last_day": last_day}
        await tx.execute(_MOVE_POSTS, **moving)
        await tx.execute(_MOVE_SESSIONS, **moving, today=today)
    elif found[code].has_units or unit.kind in _NEVER_WITHOUT_SUCCESSOR:
        why = "还有下级单位" if found[code].has_units else "的工作没有上级可以承接"
        raise InvalidInput(f"{unit.name}{why}，请指定承接单位。")
    await tx.execute(_END_POSTS, id=unit.id, last_day=last_day)
    unit.valid_to, unit.ended_by_staff_id = last_day, staff_id
    tx.change(unit)
    return unit


def _wrong_day(unit: Unit, last_day: date, today: date) -> str | None:
    if unit.valid_to is not None:
        return f"{unit.name}已于 {in_words(unit.valid_to)}撤销。"
    if not unit.valid_from <= last_day <= today:
        return f"最后有效日应在 {in_words(unit.valid_from)}与今天之间。"
    return None


def _heir(unit: Unit, heir: Unit | None) -> Unit:
    if heir is None:
        raise InvalidInput("没有找到承接单位，请核对编码。")
    if heir.id == unit.id:
        raise InvalidInput("承接单位不能是本单位。")
    if heir.valid_to is not None:
        raise InvalidInput(f"承接单位{heir.name}已于 {in_words(heir.valid_to)}撤销。")
    if heir.kind is not unit.kind or heir.county_id != unit.county_id:
        raise InvalidInput(f"承接单位应是同一县的{unit.kind.chinese}。")
    return heir
