"""Numbers of units and of staff, which speak for no citizen: entered, taken out, listed and imported by the administrator.

Takes numbers in E.164. Kept like citizens': encrypted, found by a keyed digest. Each entry and removal is also in an
append-only log for supervisors: a resident's number entered as a handler's own would silence the resident.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from app import keys
from app.db import Transaction
from app.db.query import Query
from app.directory.divisions import Fault
from app.directory.importing import SHOWN_FAULTS
from app.directory.models import OfficialNumber, OfficialNumberChange
from app.directory.terms import NumberChange
from app.errors import InvalidInput, NotFound, NothingChanged
from app.identifiers import uuid7

_AT_ONCE: Final = 1000


class _UnitRow(Struct, frozen=True):
    code: str
    id: int
    name: str
    county_id: int | None


# The units of a county, also those above it that stand there; staff who have or had a post in one.
_UNITS = Query(
    _UnitRow,
    """
SELECT code, id, name, county_id FROM unit WHERE code = ANY(:codes)
  AND (CAST(:county_id AS int) IS NULL OR county_id = :county_id)
""",
)


class _StaffRow(Struct, frozen=True):
    account: str
    id: int
    name: str
    county_id: int | None


_STAFF = Query(
    _StaffRow,
    """
SELECT s.account, s.id, s.name, (
  SELECT u.county_id FROM post o JOIN unit u ON u.id = o.unit_id WHERE o.staff_id = s.id
  ORDER BY o.valid_to DESC NULLS FIRST, o.id DESC LIMIT 1) AS county_id
FROM staff s WHERE s.account = ANY(:accounts) AND (CAST(:county_id AS int) IS NULL OR EXISTS (
  SELECT 1 FROM post o JOIN unit u ON u.id = o.unit_id WHERE o.staff_id = s.id AND u.county_id = :county_id))
""",
)


class _HeldNumber(Struct, frozen=True):
    phone_key: bytes
    unit_id: int | None
    staff_id: int | None


_HELD = Query(
    _HeldNumber,
    """
SELECT phone_key, unit_id, staff_id FROM official_number WHERE removed_at IS NULL AND phone_key = ANY(:phone_keys)
""",
)
# One import after the other; two who enter the same number at once meet in the unique index.
_ALONE = text("SELECT pg_advisory_xact_lock(hashtext('official_number'))")
_LIST = """
SELECT n.id, n.phone_sealed, n.entered_at, u.code AS unit_code, u.name AS unit_name, s.account, s.name AS staff_name
FROM official_number n LEFT JOIN unit u ON u.id = n.unit_id LEFT JOIN staff s ON s.id = n.staff_id
WHERE n.removed_at IS NULL AND (u.county_id = :county_id OR EXISTS (
  SELECT 1 FROM post o JOIN unit pu ON pu.id = o.unit_id WHERE o.staff_id = n.staff_id AND pu.county_id = :county_id))
  AND """


class _NumberRow(Struct, frozen=True):
    id: UUID
    phone_sealed: bytes
    entered_at: datetime
    unit_code: str | None
    unit_name: str | None
    account: str | None
    staff_name: str | None


_PAGE = Query(_NumberRow, _LIST + "n.id > CAST(:after AS uuid) ORDER BY n.id LIMIT :most")


_BY_ID = Query(_NumberRow, _LIST + "n.id = :id")
_REMOVE = text("""
UPDATE official_number SET removed_at = :now, removed_by_staff_id = :staff_id WHERE id = :id AND removed_at IS NULL
""")


class _OwnerRow(Struct, frozen=True):
    unit_code: str | None
    unit_name: str | None
    account: str | None
    staff_name: str | None
    county_id: int | None


# What the log says of a number when it is removed: whose it was.
_OWNER_OF = Query(
    _OwnerRow,
    """
SELECT u.code AS unit_code, u.name AS unit_name, s.account, s.name AS staff_name, coalesce(u.county_id, (
  SELECT pu.county_id FROM post o JOIN unit pu ON pu.id = o.unit_id WHERE o.staff_id = s.id
  ORDER BY o.valid_to DESC NULLS FIRST, o.id DESC LIMIT 1)) AS county_id
FROM official_number n LEFT JOIN unit u ON u.id = n.unit_id LEFT JOIN staff s ON s.id = n.staff_id WHERE n.id = :id
""",
)
_NAME = text("SELECT name FROM staff WHERE id = :id")
_CHANGES = Query(
    OfficialNumberChange,
    """
SELECT * FROM official_number_change WHERE county_id = :county_id AND id < CAST(:before AS uuid) ORDER BY id DESC LIMIT :most
""",
)
_FIRST: Final = UUID(int=0)
_AFTER_ALL: Final = UUID(int=2**128 - 1)


class Listed(NamedTuple):
    """A line of a list; exactly one of unit and account is set."""

    line: int
    phone: str
    unit_code: str | None
    account: str | None

    @property
    def owner(self) -> str:
        return self.unit_code or self.account or ""


class Owner(NamedTuple):
    """Whose a number is: exactly one of unit and person is set. `county_id`: whose supervisors watch over it."""

    unit_id: int | None
    staff_id: int | None
    name: str
    county_id: int | None


class NumbersRefused(InvalidInput):
    """The list has bad lines and nothing was entered. No number is shown: this may end in a log."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults)
        shown = [f"第 {line} 行：{told}" for line, told in self.faults[:SHOWN_FAULTS]]
        if len(self.faults) > SHOWN_FAULTS:
            shown.append(f"…… 另有 {len(self.faults) - SHOWN_FAULTS} 处")
        head = f"号码清单有 {len(self.faults)} 处错误，没有导入任何号码："
        super().__init__("\n".join([head, *shown]))


@dataclass(frozen=True, slots=True)
class Imported:
    listed: int
    added: int


@dataclass(frozen=True, slots=True)
class Entered:
    """An official number as its administrator sees it."""

    id: UUID
    unit_code: str | None
    unit_name: str | None
    account: str | None
    staff_name: str | None
    entered_at: datetime
    # keys.UNREADABLE where the database was tampered with.
    phone: str = field(repr=False)

    @property
    def last_four(self) -> str:
        """Digits; empty where the number cannot be read."""
        return self.phone[-4:] if self.phone[-4:].isdigit() else ""


async def enter(
    tx: Transaction,
    phone: str,
    *,
    unit_code: str | None,
    account: str | None,
    county_id: int | None,
    staff_id: int,
    now: datetime,
) -> Entered:
    """Raises InvalidInput for an owner that is not of the county, NothingChanged where it is entered already."""
    listed = Listed(0, phone, unit_code, account)
    owners = await _owners(tx, [listed], county_id)
    if listed.owner not in owners:
        where = "unit_code" if unit_code else "account"
        raise InvalidInput(mistakes=[{"where": f"body.{where}", "what": "没有这一项，请核对"}])
    await tx.execute(_ALONE)
    fresh = await _fresh(tx, [listed], owners, staff_id, now)
    if not fresh:
        raise NothingChanged("这个号码已经登记。")
    number = fresh[0][1]
    _add(tx, listed, number, owners[listed.owner], await _name(tx, staff_id))
    await tx.flush()
    return await get(tx, number.id, county_id=county_id)


async def get(tx: Transaction, number_id: UUID, *, county_id: int | None) -> Entered:
    row = await _BY_ID.one_or_none(tx, id=number_id, county_id=county_id)
    if row is None:
        raise NotFound
    return _entered(row)


async def page(
    tx: Transaction, *, county_id: int | None, after: UUID | None, most: int
) -> list[Entered]:
    """The county's numbers in the order in which they were entered, from behind `after` on."""
    rows = await _PAGE.all(tx, county_id=county_id, after=after or _FIRST, most=most)
    return [_entered(row) for row in rows]


async def remove(
    tx: Transaction, number_id: UUID, *, county_id: int | None, staff_id: int, now: datetime
) -> None:
    """For rounds that are answered from now on it is like any citizen's. Who removed it, and when, is in the log."""
    entered = await get(tx, number_id, county_id=county_id)
    if not await tx.execute(_REMOVE, id=number_id, staff_id=staff_id, now=now):
        raise NotFound
    owner = await _OWNER_OF.one(tx, id=number_id)
    tx.add(
        OfficialNumberChange(
            id=uuid7(now),
            county_id=owner.county_id,
            number_id=number_id,
            change=NumberChange.REMOVED,
            last_four=entered.last_four,
            unit_name=owner.unit_name,
            unit_code=owner.unit_code,
            account=owner.account,
            staff_name=owner.staff_name,
            at=now,
            by_staff_id=staff_id,
            by_name=await _name(tx, staff_id),
        )
    )


async def changes(
    tx: Transaction, *, county_id: int | None, before: UUID | None, most: int
) -> list[OfficialNumberChange]:
    """The county's entries and removals, the newest first, from before `before` on."""
    return await _CHANGES.all(tx, county_id=county_id, before=before or _AFTER_ALL, most=most)


async def import_numbers(
    tx: Transaction,
    listed: Sequence[Listed],
    *,
    faults: Sequence[Fault],
    now: datetime,
    told: Callable[[str, int, int], None],
) -> Imported:
    """All of them or, raising NumbersRefused, none; those that are there already stay as they are."""
    await tx.execute(_ALONE)
    owners = await _owners(tx, listed, None)
    unknown = [
        Fault(one.line, "没有这个单位" if one.unit_code else "没有这个账号")
        for one in listed
        if one.owner not in owners
    ]
    if faults or unknown:
        raise NumbersRefused([*faults, *unknown])
    added = 0
    for at in range(0, len(listed), _AT_ONCE):
        fresh = await _fresh(tx, listed[at : at + _AT_ONCE], owners, None, now)
        for one, number in fresh:
            _add(tx, one, number, owners[one.owner], None)
        await tx.flush()
        added += len(fresh)
        told("写入", min(at + _AT_ONCE, len(listed)), len(listed))
    return Imported(len(listed), added)


async def _owners(
    tx: Transaction, listed: Sequence[Listed], county_id: int | None
) -> dict[str, Owner]:
    """By unit code and by account."""
    codes = sorted({one.unit_code for one in listed if one.unit_code})
    accounts = sorted({one.account for one in listed if one.account})
    units = await _UNITS.all(tx, codes=codes, county_id=county_id)
    people = await _STAFF.all(tx, accounts=accounts, county_id=county_id)
    return {row.code: Owner(row.id, None, row.name, row.county_id) for row in units} | {
        row.account: Owner(None, row.id, row.name, row.county_id) for row in people
    }


async def _name(tx: Transaction, staff_id: int) -> str:
    name: str = await tx.scalar(_NAME, id=staff_id)
    return name


def _add(
    tx: Transaction, listed: Listed, number: OfficialNumber, owner: Owner, by_name: str | None
) -> None:
    """The number, and its entry in the log."""
    tx.add(number)
    tx.add(
        OfficialNumberChange(
            id=uuid7(number.entered_at),
            county_id=owner.county_id,
            number_id=number.id,
            change=NumberChange.ENTERED,
            last_four=listed.phone[-4:],
            unit_name=None if owner.unit_id is None else owner.name,
            unit_code=listed.unit_code,
            account=listed.account,
            staff_name=None if owner.staff_id is None else owner.name,
            at=number.entered_at,
            by_staff_id=number.entered_by_staff_id,
            by_name=by_name,
        )
    )


async def _fresh(
    tx: Transaction,
    listed: Sequence[Listed],
    owners: dict[str, Owner],
    staff_id: int | None,
    now: datetime,
) -> list[tuple[Listed, OfficialNumber]]:
    """Those that are not there yet, each once."""
    by_key = {one: keys.lookup("phone", one.phone) for one in listed}
    held = {
        (row.phone_key, row.unit_id, row.staff_id)
        for row in await _HELD.all(tx, phone_keys=sorted(set(by_key.values())))
    }
    found = []
    for one, phone_key in by_key.items():
        unit_id, owner_id, _, _ = owners[one.owner]
        if (phone_key, unit_id, owner_id) in held:
            continue
        held.add((phone_key, unit_id, owner_id))
        number_id = uuid7(now)
        number = OfficialNumber(
            id=number_id,
            phone_sealed=keys.encrypt(one.phone, phone_place(number_id)),
            phone_key=phone_key,
            unit_id=unit_id,
            staff_id=owner_id,
            entered_at=now,
            entered_by_staff_id=staff_id,
        )
        found.append((one, number))
    return found


def phone_place(number_id: UUID) -> keys.Place:
    return keys.at("official_number.phone_sealed", number_id)


def _entered(row: _NumberRow) -> Entered:
    return Entered(
        id=row.id,
        unit_code=row.unit_code,
        unit_name=row.unit_name,
        account=row.account,
        staff_name=row.staff_name,
        entered_at=row.entered_at,
        phone=keys.shown(row.phone_sealed, phone_place(row.id)) or keys.UNREADABLE,
    )
