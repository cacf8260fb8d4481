"""Whether only the head of a unit may give its answers: set by the county's administrator, each change on record."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text

from app.clock import SHANGHAI
from app.db import Transaction
from app.db.query import Query, columns
from app.directory.models import HeadApproval, Unit
from app.errors import InvalidInput, NotFound
from app.identifiers import uuid7

_UNIT: Final = f"""
SELECT {columns("u", Unit)} FROM unit u
WHERE u.code = :code AND u.county_id = :county_id AND (u.valid_to IS NULL OR u.valid_to >= CAST(:today AS date))"""  # noqa: S608 - columns of our own table
_READ: Final = Query(Unit, _UNIT)
_LOCK: Final = Query(Unit, _UNIT + " FOR UPDATE")
_HAS_HEAD: Final = text("""
SELECT EXISTS (SELECT FROM post o JOIN staff s ON s.id = o.staff_id AND s.active
  WHERE o.unit_id = :unit_id AND o.role = 'unit_head' AND o.valid_from <= CAST(:today AS date)
    AND (o.valid_to IS NULL OR o.valid_to >= CAST(:today AS date)))
""")


@dataclass(frozen=True, slots=True)
class Change:
    """One decision of an administrator."""

    required: bool
    reason: str
    decided_at: datetime
    decided_by: str


_CHANGES: Final = Query(
    Change,
    """
SELECT h.required, h.reason, h.decided_at, s.name AS decided_by
FROM head_approval h JOIN staff s ON s.id = h.decided_by_staff_id WHERE h.unit_id = :unit_id ORDER BY h.id DESC LIMIT 100
""",
)


@dataclass(frozen=True, slots=True)
class Setting:
    """How it is for a unit, and the changes, the latest first, at most a hundred."""

    unit: Unit
    changes: list[Change]


async def show(tx: Transaction, code: str, *, county_id: int, now: datetime) -> Setting:
    """Raises NotFound for a unit that is not there, has ended, or is another county's."""
    unit = await _READ.one_or_none(tx, **_binds(code, county_id, now))
    if unit is None:
        raise NotFound
    return await _setting(tx, unit)


async def decide(
    tx: Transaction,
    code: str,
    *,
    required: bool,
    reason: str,
    county_id: int,
    staff_id: int,
    now: datetime,
) -> Setting:
    """Raises NotFound, or InvalidInput where nothing would change or nobody could answer any more."""
    binds = _binds(code, county_id, now)
    unit = await _LOCK.one_or_none(tx, **binds)
    if unit is None:
        raise NotFound
    assert unit.id is not None, "it was read"
    if unit.head_approves == required:
        raise InvalidInput(f"{unit.name}已经是这样，没有可改的。")
    if required and not await tx.scalar(_HAS_HEAD, unit_id=unit.id, today=binds["today"]):
        raise InvalidInput(
            f"{unit.name}没有在任的单位负责人，设定后无人可以答复。请先登记负责人的岗位。"
        )
    unit.head_approves = required
    tx.change(unit)
    tx.add(
        HeadApproval(
            id=uuid7(now),
            unit_id=unit.id,
            required=required,
            reason=reason,
            decided_at=now,
            decided_by_staff_id=staff_id,
        )
    )
    await tx.flush()
    return await _setting(tx, unit)


async def _setting(tx: Transaction, unit: Unit) -> Setting:
    return Setting(unit, await _CHANGES.all(tx, unit_id=unit.id))


def _binds(code: str, county_id: int, now: datetime) -> dict[str, object]:
    return {"code": code, "county_id": county_id, "today": now.astimezone(SHANGHAI).date()}
