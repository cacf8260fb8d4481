"""The staff's interface in this process, on a real database, and the people of the sample county signed in to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from secrets import token_hex

import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import text

from app.db import transaction
from tests import faces, people
from tests.people import Person

Who = Callable[[str], Awaitable[Person]]
# The same for whoever acts for a unit, by its code.
As = Callable[[str], Awaitable[Person]]
_COLLEAGUE = (
    """INSERT INTO staff (account, name, password_hash, active, created_at)
       SELECT :account, '同事', password_hash, true, now() FROM staff WHERE account = 'jiwei'""",
    """INSERT INTO post (staff_id, unit_id, role, title, valid_from)
       SELECT s.id, u.id, 'unit_head', '', DATE '2020-01-01' FROM staff s, unit u
       WHERE s.account = :account AND u.code = '500153JW'""",
)


@pytest.fixture(scope="session")
def api(county: None) -> FastAPI:
    assert county is None
    return faces.desk()


@pytest_asyncio.fixture(scope="session")
async def who(api: FastAPI) -> AsyncIterator[Who]:
    """Finds a member of the sample staff by account, signed in once for the whole run."""
    known: dict[str, Person] = {}
    async with AsyncExitStack() as stack:

        async def find(account: str) -> Person:
            if account not in known:
                known[account] = await stack.enter_async_context(people.signed_in(api, account))
            return known[account]

        yield find


@pytest_asyncio.fixture(scope="session")
async def stranger(api: FastAPI) -> AsyncIterator[Person]:
    async with people.visitor(api) as somebody:
        yield somebody


@pytest_asyncio.fixture
async def colleague(api: FastAPI) -> AsyncIterator[Person]:
    """The head of the discipline commission, who is no supervisor."""
    account = f"colleague_{token_hex(4)}"
    async with transaction() as tx:
        for statement in _COLLEAGUE:
            await tx.execute(text(statement), account=account)
    async with people.signed_in(api, account) as person:
        yield person


@pytest_asyncio.fixture
async def acting(api: FastAPI) -> AsyncIterator[As]:
    """Signs in whoever acts for a unit that a test made."""
    async with AsyncExitStack() as stack:

        async def sign_in(code: str) -> Person:
            return await stack.enter_async_context(people.signed_in(api, code))

        yield sign_in
