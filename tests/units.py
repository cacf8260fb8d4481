"""Units and people of them, made for a test in the sample county, and units that end. Knows no rule of the application."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from secrets import token_hex

from sqlalchemy import text

from app.auth.actor import CitizenActor
from app.cases.actions import reorganising
from app.clock import SHANGHAI
from app.db import Transaction, transaction
from app.directory.models import Citizen
from app.directory.terms import Role, UnitKind
from app.identifiers import uuid7

_UNIT = text("""
INSERT INTO unit (code, name, short_name, kind, parent_id, county_id, valid_from, head_approves)
SELECT :code, :code, :code, :kind, id, county_id, DATE '2020-01-01', false FROM unit WHERE code = :parent
""")
_STAFF = text("""
INSERT INTO staff (account, name, password_hash, active, created_at)
SELECT :account, '某人', password_hash, true, now() FROM staff WHERE account = 'gongnong'
""")
_POST = text("""
INSERT INTO post (staff_id, unit_id, role, title, valid_from, valid_to)
SELECT s.id, u.id, :role, '', :since, :until FROM staff s, unit u WHERE s.account = :account AND u.code = :code
""")


@dataclass(frozen=True, slots=True)
class Held:
    """A post in a unit, both days counted."""

    code: str
    role: Role
    since: date = date(2020, 1, 1)
    until: date | None = None


async def founded(tx: Transaction, kind: UnitKind, parent: str) -> str:
    """The code of a new unit."""
    code = f"8{token_hex(5).upper()}"
    await tx.execute(_UNIT, code=code, kind=kind, parent=parent)
    return code


async def staffed(kind: UnitKind, role: Role, parent: str) -> str:
    """The code of a new unit with somebody who acts for it, whose account it is too."""
    async with transaction() as tx:
        code = await founded(tx, kind, parent)
        await hire(tx, code, Held(code, role))
    return code


async def employed(*posts: Held) -> str:
    """The account of somebody new; a session starts in the first of the posts that began earliest."""
    account = f"new_{token_hex(5)}"
    async with transaction() as tx:
        await hire(tx, account, *posts)
    return account


async def appointed(account: str, post: Held) -> None:
    """Somebody who is there has another post."""
    async with transaction() as tx:
        await tx.execute(_POST, account=account, **asdict(post))


async def hire(tx: Transaction, account: str, *posts: Held) -> None:
    await tx.execute(_STAFF, account=account)
    for post in posts:
        await tx.execute(_POST, account=account, **asdict(post))


async def somebody(tx: Transaction) -> CitizenActor:
    """A citizen who has signed in, in the transaction of a test."""
    now = await tx.now()
    citizen = Citizen(id=uuid7(now), created_at=now)
    tx.add(citizen)
    await tx.flush()
    return CitizenActor(citizen.id, None)


async def yesterday(tx: Transaction) -> date:
    return (await tx.now()).astimezone(SHANGHAI).date() - timedelta(days=1)


async def handed_over(*, now: datetime | None = None) -> None:
    """All that ended units have open has gone to whoever carries on, as the worker does it: piece by piece."""
    done = 1
    while done:
        async with transaction() as tx:
            done = await reorganising.hand_over(tx, now=now or await tx.now(), most=2)
