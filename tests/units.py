"""Units and people of them, made for a test in the sample county, and units that end. Knows no rule of the application."""

from datetime import date, datetime, timedelta
from secrets import token_hex

from sqlalchemy import text

from app.cases.actions import reorganising
from app.clock import SHANGHAI
from app.db import Transaction, transaction
from app.directory.terms import Role, UnitKind

_UNIT = text("""
INSERT INTO unit (code, name, short_name, kind, parent_id, county_id, valid_from, head_approves)
SELECT :code, :code, :code, :kind, id, county_id, DATE '2020-01-01', false FROM unit WHERE code = :parent
""")
_STAFF = text("""
INSERT INTO staff (account, name, password_hash, active, created_at)
SELECT :account, '某人', password_hash, true, now() FROM staff WHERE account = 'gongnong'
""")
_POST = text("""
INSERT INTO post (staff_id, unit_id, role, title, valid_from)
SELECT s.id, u.id, :role, '', DATE '2020-01-01' FROM staff s, unit u WHERE s.account = :account AND u.code = :code
""")


async def founded(tx: Transaction, kind: UnitKind, parent: str) -> str:
    """The code of a new unit."""
    code = f"8{token_hex(5).upper()}"
    await tx.execute(_UNIT, code=code, kind=kind, parent=parent)
    return code


async def staffed(kind: UnitKind, role: Role, parent: str) -> str:
    """The code of a new unit with somebody who acts for it, whose account it is too."""
    async with transaction() as tx:
        code = await founded(tx, kind, parent)
        await tx.execute(_STAFF, account=code)
        await tx.execute(_POST, account=code, code=code, role=role)
    return code


async def yesterday(tx: Transaction) -> date:
    return (await tx.now()).astimezone(SHANGHAI).date() - timedelta(days=1)


async def handed_over(*, now: datetime | None = None) -> None:
    """All that ended units have open has gone to whoever carries on, as the worker does it: piece by piece."""
    done = 1
    while done:
        async with transaction() as tx:
            done = await reorganising.hand_over(tx, now=now or await tx.now(), most=2)
