"""Pytest plugin: a PostgreSQL and a Redis for the test run alone, and a database for each worker. Never `.local/`.

TEST_DATABASE_URL and TEST_REDIS_URL put the run on other servers, such as an older PostgreSQL. Everything embedded lives
in one temporary folder, in memory where there is room, dies with the run on Linux, and is cleared by the next run elsewhere.
"""

import asyncio
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import asyncpg
import pytest
from sqlalchemy.engine import URL, make_url

from app.settings import settings
from app.usage import UNBOUNDED
from qungong.dev import processes
from qungong.dev.embedded import Postgres, Redis
from qungong.dev.local import Lock
from tests import migrated

ROOT = Path(__file__).resolve().parents[1]
_FOLDER = "qungong-tests-"
_INPUT = "qungong_services"
# How PostgreSQL copies a small database with the least work.
QUICKLY = "FILE_COPY"
# A crash of the machine may lose a test database.
_FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
}
# Files in memory: a database is copied for many tests, which takes a disk ten times the processor time.
_MEMORY = Path("/dev/shm")  # noqa: S108 - only a folder that mkdtemp makes in it
_ROOM = 4 * 1024**3
_NOWHERE = {
    "DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "MEDIA_URL": "memory:///",
    **UNBOUNDED,
}

T = TypeVar("T")


class _Node(Protocol):
    """What xdist gives of a worker it is about to start."""

    config: pytest.Config
    workerinput: dict[str, Any]


@dataclass(frozen=True)
class Addresses:
    """Where this run's servers are; `prefix` begins the names of all its databases."""

    server: str
    redis: str
    prefix: str

    @property
    def template(self) -> str:
        return f"{self.prefix}template"

    def database_url(self, name: str) -> str:
        return _with_database(self.server, name)


@dataclass
class Run:
    """The servers of one test run, started when first needed, by the process that also stops them."""

    addresses: Addresses | None = None
    _folder: Path | None = None
    _lock: Lock | None = None
    _servers: list[Postgres | Redis] = field(default_factory=list)

    def start(self) -> Addresses:
        if self.addresses is None:
            _clear_killed_runs()
            self.addresses = Addresses(
                server=os.environ.get("TEST_DATABASE_URL") or self._postgres(),
                redis=os.environ.get("TEST_REDIS_URL") or self._redis(),
                prefix=f"qungong_test_{uuid.getnode():x}_{os.getpid()}_",
            )
            if os.environ.get("TEST_DATABASE_URL"):
                _clear_killed_databases(self.addresses)
                _create_database(self.addresses, self.addresses.template)
                _migrate(self.addresses.database_url(self.addresses.template))
            else:
                _rename_database(self.addresses, migrated.DATABASE, self.addresses.template)
        return self.addresses

    def stop(self) -> None:
        addresses, self.addresses = self.addresses, None
        if addresses and os.environ.get("TEST_DATABASE_URL"):
            _drop_databases(addresses, lambda name: name.startswith(addresses.prefix))
        for server in self._servers:
            server.stop()
        self._servers.clear()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock:
            self._lock.close()

    def _place(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix=_FOLDER, dir=_temporary()))
            if os.geteuid() == 0:  # the server runs as another account, which has to pass
                self._folder.chmod(0o711)
            self._lock = Lock(self._folder / "lock")
            self._lock.take()
        return self._folder

    def _postgres(self) -> str:
        server = Postgres(self._place() / "postgres", _FAST, mortal=True)
        self._servers.append(server)

        def migrate() -> None:
            server.ensure_database(migrated.DATABASE)
            _migrate(server.url(migrated.DATABASE))

        migrated.ensure(server, migrate)
        return server.url("postgres")

    def _redis(self) -> str:
        server = Redis(self._place() / "redis.json", mortal=True)
        self._servers.append(server)
        server.ensure()
        return server.url()


_run_key = pytest.StashKey[Run]()


def pytest_configure(config: pytest.Config) -> None:
    # Whatever database the person running the tests works on, a test must not find it.
    os.environ.update(_NOWHERE)
    settings.cache_clear()
    run = Run()
    given = getattr(config, "workerinput", {}).get(_INPUT)
    if given:
        run.addresses = Addresses(**given)
    config.stash[_run_key] = run


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: _Node) -> None:
    """Called by xdist in the controlling process, which outlives all workers."""
    addresses = node.config.stash[_run_key].start()
    node.workerinput[_INPUT] = vars(addresses)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and _run_key in config.stash:
        config.stash[_run_key].stop()


@pytest.fixture(scope="session")
def addresses(request: pytest.FixtureRequest) -> Addresses:
    """The servers of this run; the template database is migrated."""
    return request.config.stash[_run_key].start()


@pytest.fixture(scope="session")
def worker_number() -> int:
    """0 without xdist, else the number of this worker."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture(scope="session")
def database_url(addresses: Addresses, worker_number: int) -> Iterator[str]:
    """A migrated database of this worker's own, named by the settings for the whole session."""
    yield from database_copy(addresses, f"worker{worker_number}", named="DATABASE_URL")


@pytest.fixture(scope="session")
def redis_url(addresses: Addresses, worker_number: int) -> Iterator[str]:
    """A Redis database of this worker's own, named by the settings for the whole session."""
    first = int(make_url(addresses.redis).database or 0)
    url = _with_database(addresses.redis, str(first + worker_number))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REDIS_URL", url)
        settings.cache_clear()
        yield url
    settings.cache_clear()


_numbers = itertools.count()


@pytest.fixture
def fresh_database_url(addresses: Addresses, worker_number: int) -> Iterator[str]:
    """A migrated, empty database for one test, which may do with it what it likes."""
    yield from database_copy(addresses, f"fresh{worker_number}_{next(_numbers)}")


@pytest.fixture
def migrated_from_nothing_url(addresses: Addresses, worker_number: int) -> Iterator[str]:
    """As `fresh_database_url`, but every migration has run just now."""
    name = f"{addresses.prefix}nothing{worker_number}"
    _create_database(addresses, name)
    _migrate(addresses.database_url(name))
    yield addresses.database_url(name)
    _drop_databases(addresses, lambda one: one == name)


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Redis]:
    """A Redis for one test: `stop()` it, `ensure()` it again at the same `url()`."""
    server = Redis(tmp_path / "redis.json", mortal=True)
    server.ensure()
    yield server
    server.stop()


def database_copy(addresses: Addresses, name: str, *, named: str | None = None) -> Iterator[str]:
    full = addresses.prefix + name
    sql = f'CREATE DATABASE "{full}" TEMPLATE "{addresses.template}" STRATEGY {QUICKLY}'
    _on_server(addresses, lambda c: c.execute(sql))
    url = addresses.database_url(full)
    with pytest.MonkeyPatch.context() as patch:
        if named:
            patch.setenv(named, url)
            settings.cache_clear()
        yield url
    settings.cache_clear()
    _on_server(addresses, lambda c: c.execute(f'DROP DATABASE IF EXISTS "{full}" WITH (FORCE)'))


def _create_database(addresses: Addresses, name: str) -> None:
    # By code, not by language: what the embedded server does by itself.
    sql = (
        f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    _on_server(addresses, lambda c: c.execute(sql))


def _rename_database(addresses: Addresses, old: str, new: str) -> None:
    _on_server(addresses, lambda c: c.execute(f'ALTER DATABASE "{old}" RENAME TO "{new}"'))


def _migrate(database_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise pytest.UsageError(f"alembic upgrade head failed:\n{done.stdout}{done.stderr}")


def _temporary() -> Path:
    """Where TMPDIR says; else in memory, where a machine has enough of it to lend, and otherwise on the disk."""
    if not os.environ.get("TMPDIR"):
        with suppress(OSError):
            if os.access(_MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(_MEMORY).free >= _ROOM:
                return _MEMORY
    return Path(tempfile.gettempdir())


def _clear_killed_runs() -> None:
    """Servers of runs that were killed: their lock is free, since the kernel let it go."""
    places = {Path(tempfile.gettempdir()), _MEMORY}
    for folder in (one for place in places for one in place.glob(f"{_FOLDER}*")):
        with (
            suppress(OSError),
            Lock(folder / "lock") as lock,
        ):  # not ours, or cleared by another run just now
            if lock.try_take():
                Redis(folder / "redis.json").stop()
                Postgres(folder / "postgres").stop()
                shutil.rmtree(folder, ignore_errors=True)


def _clear_killed_databases(addresses: Addresses) -> None:
    ours = f"qungong_test_{uuid.getnode():x}_"

    def abandoned(name: str) -> bool:
        owner = name.removeprefix(ours).partition("_")[0]
        return name.startswith(ours) and owner.isdigit() and not processes.exists(int(owner))

    _drop_databases(addresses, abandoned)


def _drop_databases(addresses: Addresses, chosen: Callable[[str], bool]) -> None:
    async def drop(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        for (name,) in await connection.fetch("SELECT datname FROM pg_database"):
            if chosen(name):
                await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    _on_server(addresses, drop)


def _on_server(
    addresses: Addresses,
    what: Callable[["asyncpg.Connection[asyncpg.Record]"], Coroutine[Any, Any, T]],
) -> T:
    """Run on a connection of its own, in a thread of its own: the tests' event loop is not to be touched."""

    async def run() -> T:
        url = make_url(addresses.server)
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(plain)
        try:
            return await what(connection)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, run()).result()


def _with_database(url: str, name: str) -> str:
    changed: URL = make_url(url).set(database=name)
    return changed.render_as_string(hide_password=False)
