"""For the directory's tests: a database of their own, without the sample county."""

from collections.abc import AsyncIterator

import pytest

from app.db import Transaction, make_engine
from app.settings import settings


@pytest.fixture
async def tx(fresh_database_url: str) -> AsyncIterator[Transaction]:
    """A transaction on an empty database."""
    on = make_engine(fresh_database_url, pool_size=1)
    async with on.connect() as connection:
        yield Transaction(connection)
        await connection.rollback()
    await on.dispose()


@pytest.fixture
def database(fresh_database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty database, which the settings name too."""
    monkeypatch.setenv("DATABASE_URL", fresh_database_url)
    settings.cache_clear()
    return fresh_database_url.replace("+asyncpg", "")
