"""For the directory's tests: a database of their own, without the sample county."""

from collections.abc import AsyncIterator

import pytest

from app.db import Database, Transaction
from app.settings import settings


@pytest.fixture
async def tx(fresh_database_url: str) -> AsyncIterator[Transaction]:
    """A transaction on an empty database."""
    on = Database(fresh_database_url, pool_size=1)
    async with on.connection() as driver:
        work = Transaction(driver)
        yield work
        await work.roll_back()
    await on.close()


@pytest.fixture
def database(fresh_database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty database, which the settings name too."""
    monkeypatch.setenv("DATABASE_URL", fresh_database_url)
    settings.cache_clear()
    return fresh_database_url.replace("+asyncpg", "")
