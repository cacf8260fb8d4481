"""The staff's interface in this process, on a real database, and the people of the sample county signed in to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from fastapi import FastAPI

from app.api.app import create_app
from tests import people
from tests.people import Person

Who = Callable[[str], Awaitable[Person]]


@pytest.fixture(scope="session")
def api(county: None) -> FastAPI:
    assert county is None
    return create_app()


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
