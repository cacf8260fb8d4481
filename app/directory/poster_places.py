"""What the page of a unit's poster says of it; the administrator sets the number and the person, each change on record.

A poster outlives its unit: after a merger it speaks for the successor.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.clock import SHANGHAI
from app.db import Transaction
from app.db.query import Query, columns
from app.directory.models import PosterContact, Unit
from app.directory.queries import TODAY, carried_on_by
from app.directory.terms import UnitKind
from app.errors import InvalidInput, NotFound
from app.identifiers import uuid7

# Units that take reports in. A report at another unit's poster goes to the county's command center.
TAKE_REPORTS: Final = frozenset({UnitKind.VILLAGE, UnitKind.TOWNSHIP, UnitKind.COMMAND_CENTER})


@dataclass(frozen=True, slots=True)
class PosterPlace:
    """A unit in the public's words. `parent` is the unit above it, `hotline` the county's own number."""

    code: str
    name: str
    kind: UnitKind
    parent: str | None
    township: str | None
    county: str
    public_phone: str | None
    contact_name: str | None
    hotline: str | None
    taken_in_by: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One decision of an administrator."""

    public_phone: str | None
    contact_name: str | None
    decided_at: datetime
    decided_by: str


@dataclass(frozen=True, slots=True)
class Contact:
    """The published number and person of a unit, with at most a hundred changes, the latest first."""

    unit: Unit
    changes: list[Change]


_PLACES: Final = """
SELECT u.code, u.short_name AS name, u.kind, parent.short_name AS parent,
  CASE WHEN parent.kind = 'township' THEN parent.short_name END AS township, county.short_name AS county,
  u.public_phone, u.contact_name, county.public_phone AS hotline,
  CASE WHEN u.kind IN ('village', 'township', 'command_center') THEN u.short_name ELSE center.short_name END AS taken_in_by
FROM unit u JOIN unit county ON county.id = u.county_id LEFT JOIN unit parent ON parent.id = u.parent_id
LEFT JOIN unit center ON center.county_id = u.county_id AND center.kind = 'command_center' AND center.valid_to IS NULL
WHERE u.kind IN ('village', 'township', 'department', 'command_center', 'county')"""
_PLACE: Final = Query(
    PosterPlace,
    f"""{_PLACES} AND u.id = {carried_on_by("code = :code")}
  AND (u.valid_to IS NULL OR u.valid_to >= {TODAY})""",
)
_OF_COUNTY: Final = Query(
    PosterPlace,
    f"""{_PLACES} AND u.county_id = (SELECT id FROM unit WHERE code = :county_code)
  AND u.kind = ANY(CAST(:kinds AS text[])) AND u.valid_from <= {TODAY} AND (u.valid_to IS NULL OR u.valid_to >= {TODAY})
ORDER BY u.code""",  # noqa: S608 - constants of our own
)
_UNIT: Final = f"""
SELECT {columns("u", Unit)} FROM unit u
WHERE u.code = :code AND u.county_id = :county_id AND (u.valid_to IS NULL OR u.valid_to >= CAST(:today AS date))"""  # noqa: S608 - columns of our own
_READ: Final = Query(Unit, _UNIT)
_LOCK: Final = Query(Unit, _UNIT + " FOR UPDATE")
_CHANGES: Final = Query(
    Change,
    """
SELECT p.public_phone, p.contact_name, p.decided_at, s.name AS decided_by
FROM poster_contact p JOIN staff s ON s.id = p.decided_by_staff_id WHERE p.unit_id = :unit_id ORDER BY p.id DESC LIMIT 100
""",
)


async def poster_place(tx: Transaction, code: str) -> PosterPlace | None:
    """The unit that the poster with this code speaks for today; None where there is none."""
    return await _PLACE.one_or_none(tx, code=code)


async def places_of_county(
    tx: Transaction, county_code: str, kinds: Collection[UnitKind]
) -> list[PosterPlace]:
    """The county's units of these kinds that exist today, by code."""
    return await _OF_COUNTY.all(tx, county_code=county_code, kinds=sorted(kinds))


async def show(tx: Transaction, code: str, *, county_id: int, now: datetime) -> Contact:
    """Raises NotFound for a unit that is not there, has ended, or is another county's."""
    unit = await _READ.one_or_none(tx, **_binds(code, county_id, now))
    if unit is None:
        raise NotFound
    return await _contact(tx, unit)


async def publish(
    tx: Transaction,
    code: str,
    *,
    public_phone: str | None,
    contact_name: str | None,
    county_id: int,
    staff_id: int,
    now: datetime,
) -> Contact:
    """Raises NotFound, or InvalidInput where nothing would change."""
    unit = await _LOCK.one_or_none(tx, **_binds(code, county_id, now))
    if unit is None:
        raise NotFound
    assert unit.id is not None, "it was read"
    if (unit.public_phone, unit.contact_name) == (public_phone, contact_name):
        raise InvalidInput(f"{unit.name}已经是这样，没有可改的。")
    unit.public_phone, unit.contact_name = public_phone, contact_name
    tx.change(unit)
    tx.add(
        PosterContact(
            id=uuid7(now),
            unit_id=unit.id,
            public_phone=public_phone,
            contact_name=contact_name,
            decided_at=now,
            decided_by_staff_id=staff_id,
        )
    )
    await tx.flush()
    return await _contact(tx, unit)


async def _contact(tx: Transaction, unit: Unit) -> Contact:
    return Contact(unit, await _CHANGES.all(tx, unit_id=unit.id))


def _binds(code: str, county_id: int, now: datetime) -> dict[str, object]:
    return {"code": code, "county_id": county_id, "today": now.astimezone(SHANGHAI).date()}
