"""What one transaction and one pooled connection promise to everything that stands on them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.db import (
    OWNER,
    ConnectionLost,
    Database,
    Transaction,
    database,
    reading,
    transaction,
)
from app.http import problems
from app.settings import settings

_TABLES = (
    "CREATE TABLE sooner (id int PRIMARY KEY)",
    "CREATE TABLE later (id int REFERENCES sooner DEFERRABLE INITIALLY DEFERRED)",
)
_KEPT = text("INSERT INTO sooner VALUES (1)")
_REFUSED_AT_COMMIT = text("INSERT INTO later VALUES (7)")
_SESSION = text("""
SELECT name, setting FROM pg_settings WHERE name IN
  ('plan_cache_mode', 'enable_seqscan', 'jit', 'TimeZone', 'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout')
""")
_ASK = text("SELECT count(*) FROM unit WHERE county_id = :county_id AND kind = :kind")
_PLANS = text("""
SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE 'SELECT count(*) FROM unit WHERE county_id%'
""")


class Told:
    """To be called after a commit: notes what somebody else finds in the database at that moment."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(False)
        self.found: list[int] = []

    def __call__(self) -> None:
        # A thread of its own: this is called inside the running loop.
        with ThreadPoolExecutor(1) as thread:
            self.found.append(thread.submit(asyncio.run, self._look()).result())

    async def _look(self) -> int:
        connection = await asyncpg.connect(self._url)
        try:
            return int(await connection.fetchval("SELECT count(*) FROM sooner"))
        finally:
            await connection.close()


@pytest_asyncio.fixture
async def own(fresh_database_url: str) -> AsyncIterator[Database]:
    made = Database(fresh_database_url, pool_size=1)
    async with transaction(made) as tx:
        await tx.act_as(OWNER)
        for statement in _TABLES:
            await tx.execute(text(statement))
    yield made
    await made.close()


@pytest.fixture
def told(fresh_database_url: str) -> Told:
    return Told(fresh_database_url)


async def work(
    own: Database, told: Told, at_last: Callable[[Transaction], Awaitable[None]]
) -> None:
    """A change, somebody who waits for its commit, and what happens before it."""
    async with transaction(own) as tx:
        await tx.execute(_KEPT)
        tx.after_commit[told] = None
        tx.after_commit[told] = None
        assert told.found == []
        await at_last(tx)


async def nothing(_tx: Transaction) -> None:
    """All goes well."""


async def fail(_tx: Transaction) -> None:
    raise KeyError


async def be_refused(tx: Transaction) -> None:
    await tx.execute(_REFUSED_AT_COMMIT)


async def lose_the_connection(tx: Transaction) -> None:
    (await tx.driver()).terminate()


async def test_who_waits_for_the_commit_is_told_once_when_all_others_can_see_it(
    own: Database, told: Told
) -> None:
    await work(own, told, nothing)
    assert told.found == [1]


@pytest.mark.parametrize(
    ("at_last", "failure"),
    [
        (fail, KeyError),
        (be_refused, asyncpg.ForeignKeyViolationError),
        (lose_the_connection, ConnectionLost),
    ],
)
async def test_who_waits_for_a_commit_that_never_comes_is_not_told(
    own: Database,
    told: Told,
    at_last: Callable[[Transaction], Awaitable[None]],
    failure: type[Exception],
) -> None:
    with pytest.raises(failure):
        await work(own, told, at_last)
    assert told.found == []


@pytest.mark.usefixtures("county")
async def test_every_pooled_connection_has_its_limits_also_when_it_comes_back() -> None:
    for _ in range(2):
        async with reading() as tx:
            session = {row.name: row.setting for row in await tx.all(_SESSION)}
        assert session == {
            "TimeZone": "Asia/Shanghai",
            "enable_seqscan": "on",
            "idle_in_transaction_session_timeout": "10000",
            "jit": "off",
            "lock_timeout": "2000",
            "plan_cache_mode": "force_generic_plan",
            "statement_timeout": "5000",
        }


@pytest.mark.usefixtures("county")
async def test_a_statement_is_planned_once_whatever_it_is_asked_for() -> None:
    async with reading() as tx:
        for county_id in range(8):
            await tx.scalar(_ASK, county_id=county_id, kind="village")
        (plans,) = await tx.all(_PLANS)
    assert (plans.generic_plans, plans.custom_plans) == (8, 0)


@pytest.mark.usefixtures("county")
async def test_plan_cache_mode_follows_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """A distributed database has to plan for the values: it finds by them which node to ask."""
    monkeypatch.setenv("DATABASE_PLAN_CACHE_MODE", "auto")
    settings.cache_clear()
    try:
        driver = await database().connect()
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    try:
        assert await driver.fetchval("SHOW plan_cache_mode") == "auto"
    finally:
        await driver.close()


async def test_database_whose_socket_is_gone_may_be_asked_again(tmp_path: Path) -> None:
    """As when PostgreSQL on the same machine ends: an answer 503, not a failure of ours."""
    on = Database(f"postgresql+asyncpg://nobody@/none?host={tmp_path}", pool_size=1)
    with pytest.raises(ConnectionError) as refused:
        async with transaction(on):
            pass
    assert problems.try_again(refused.value)
    await on.close()
