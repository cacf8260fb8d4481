"""What every test may use: the sample county in a database of this worker's own, and the people of the story."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator

import pytest
import pytest_asyncio
import uvloop
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app import garbage_collection
from app.auth import passwords
from app.auth.actor import StaffActor
from app.db import Transaction, database, transaction
from app.db.query import Query
from app.http import live
from qungong.dev import sample

pytest_plugins = ["tests.services"]

Staff = Callable[[str], Awaitable[StaffActor]]

_ACTOR = Query(
    StaffActor,
    """
SELECT s.id AS staff_id, o.id AS post_id, o.role, u.id AS unit_id, u.kind AS unit_kind, u.name AS unit_name, u.code AS unit_code,
  u.county_id, s.name
FROM staff s JOIN post o ON o.staff_id = s.id JOIN unit u ON u.id = o.unit_id WHERE s.account = :account ORDER BY o.id LIMIT 1
""",
)
# In production, a password check costs 64 MiB and about 0.3 s of CPU time. No setting lowers that: only this file does.
_AS_SERVED = passwords._hasher
passwords._hasher = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
# A client in this process reads a stream to its end. Those who want it to go on ask for `streams_as_served`.
_LAST_AS_SERVED = live.LASTS_SECONDS
live.LASTS_SECONDS = 0.05
# httpx tries to import sniffio at each request, and Python does not cache a failed import.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]  # None: not installed


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Modules and tests stay until the end: each collection of garbage would scan all of them again."""
    with garbage_collection.paused():
        return (yield)


@pytest.fixture(scope="session")
def _asyncio_loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Tests run on the event loop that the processes run on; pytest-asyncio asks for it under this name."""
    return uvloop.new_event_loop


@pytest.fixture
def passwords_as_served(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords cost what they cost in production."""
    monkeypatch.setattr(passwords, "_hasher", _AS_SERVED)
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


@pytest.fixture
def streams_as_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams of changes last as long as in production."""
    monkeypatch.setattr(live, "LASTS_SECONDS", _LAST_AS_SERVED)


@pytest_asyncio.fixture(scope="session")
async def county(database_url: str, redis_url: str) -> AsyncIterator[None]:
    """The sample county, loaded once; tests leave in it what they registered."""
    assert database_url
    assert redis_url
    database.cache_clear()
    await sample.load()
    yield
    await database().close()
    database.cache_clear()


@pytest_asyncio.fixture
async def tx(county: None) -> AsyncIterator[Transaction]:
    """A transaction that is rolled back after the test."""
    assert county is None
    async with database().connection() as driver:
        work = Transaction(driver)
        yield work
        await work.roll_back()


@pytest.fixture
def staff(county: None) -> Staff:
    """A member of the sample staff as an actor, by account, in the first of their posts."""
    assert county is None
    return find_staff


async def find_staff(account: str) -> StaffActor:
    """Where the sample county is loaded."""
    async with transaction() as tx:
        return await _ACTOR.one(tx, account=account)
