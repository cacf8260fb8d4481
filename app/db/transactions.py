"""Connections to the database, and one transaction as the rest of the application sees it.

Statements are prebuilt at module level by whoever needs them. What a use case writes is collected and goes out as one
statement just before the commit: one round trip, whatever the number of tables.
"""

import asyncio
import re
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Hashable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from functools import cache, partial
from typing import Any, Final, NamedTuple

import asyncpg
import msgspec
from sqlalchemy import TextClause, make_url, text
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.exc import MultipleResultsFound

from app import clock
from app.db.row_base import Found, Stored, encode, write_statement
from app.settings import settings

# What every connection works as unless told otherwise: a role of the database that may not read what citizens answered,
# nor change what is only added to. The migrations say what it may (docs/adr/0019).
ORDINARY: Final = "qungong_app"
# As whoever signed in to the database, for what only the owner of the tables may do.
OWNER: Final = "none"
# Sent once per connection, so that no pooled connection can carry somebody else's setting into a request.
_SESSION: Final = {
    "role": ORDINARY,
    "timezone": "Asia/Shanghai",
    "statement_timeout": "5000",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "10000",
    "jit": "off",
}
_PATIENCE_SECONDS: Final = 5
_CACHED_STATEMENTS: Final = 500
_NOW: Final = text("SELECT now()")
_MOMENTS: Final = frozenset({"now", "today"})
_ONLY_READS: Final = re.compile(
    r"\s*(SELECT|WITH)\b(?!.*\b(INSERT|UPDATE|DELETE|MERGE|SHARE|INTO|nextval|setval|set_config|pg_\w*advisory\w*)\b)",
    re.IGNORECASE | re.DOTALL,
)

_DIALECT = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped

_Ask = Callable[..., Awaitable[Any]]
# Told of each statement before it is sent; tests count with it.
observers: list[Callable[[str], None]] = []


class ConnectionLost(ConnectionError):
    """The connection ended before the answer came: nothing is known to have happened."""


class NotPrepared(ConnectionError):
    """The server answers, and does not let us work as the role we need: the migrations make it."""


class Database:
    """A PostgreSQL server and up to `pool_size` connections to it, opened when they are needed.

    `session` overrides the server settings of each connection, e.g. a longer statement_timeout for an import, or the role.
    """

    def __init__(self, url: str, *, pool_size: int, **session: str) -> None:
        self.url, self._pool_size, self._session = url, pool_size, session
        self._pool: Any = None
        self._opening = asyncio.Lock()

    def alike(self, *, pool_size: int, **session: str) -> "Database":
        """The same database by connections of their own, with other settings."""
        return Database(self.url, pool_size=pool_size, **{**self._session, **session})

    async def connect(self) -> Any:
        """A connection of asyncpg's outside the pool; who asks closes it."""
        with _role_needed():
            return await asyncpg.connect(**self._how())

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """A connection of asyncpg's; TimeoutError when all are taken for too long."""
        pool = self._pool or await self._open()
        with _role_needed():
            async with asyncio.timeout(_PATIENCE_SECONDS):
                try:
                    driver = await pool.acquire()
                except FileNotFoundError as gone:  # the socket file of a server that has ended
                    raise ConnectionRefusedError("the database's socket is gone") from gone
        try:
            yield driver
        finally:
            await pool.release(driver)

    async def close(self) -> None:
        """End the connections; the next use opens new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def _open(self) -> Any:
        async with self._opening:
            if self._pool is None:
                # What a transaction set ends with it; there is nothing to reset, which would be a round trip.
                self._pool = await asyncpg.create_pool(
                    min_size=0,
                    max_size=self._pool_size,
                    init=_reads_json,
                    reset=_nothing,
                    **self._how(),
                )
        return self._pool

    def _how(self) -> dict[str, Any]:
        url = make_url(self.url).set(drivername="postgresql")
        return {
            "dsn": url.render_as_string(hide_password=False),
            "timeout": _PATIENCE_SECONDS,
            "server_settings": {
                **_SESSION,
                # Planning each time would cost more than running most statements (docs/adr/0049).
                "plan_cache_mode": settings().database_plan_cache_mode,
                **self._session,
            },
            "statement_cache_size": _CACHED_STATEMENTS,
            "record_class": Found,
        }


@cache
def database() -> Database:
    return Database(settings().database_url, pool_size=settings().database_pool_size)


class Transaction:
    """One unit of work: reads at once, writes together at the end, all or nothing.

    `add` and `change` collect rows; `flush` sends them. Reads after an `add` do not see it before a `flush`.
    A statement that names `:now` or `:today` gets the moment of this transaction, and its day in Shanghai, without being given them.
    The database is told of it with the first statement that writes or locks: under READ COMMITTED whatever only reads
    before sees no more and no less. Where there is none, the one statement that writes at the end is a transaction itself.
    """

    def __init__(self, driver: Any, *, begins: str | None = "BEGIN") -> None:
        self._driver = driver
        self._begins = begins
        self._begun = False
        self._role: str | None = None
        self._added: dict[type[Stored], list[Stored]] = {}
        self._changed: dict[int, Stored] = {}
        self._now: datetime | None = None
        # Asked of what was written, each once, before it is durable; what one raises undoes all of it.
        self.before_commit: dict[Hashable, Callable[[Transaction], Awaitable[None]]] = {}
        self.after_commit: dict[Callable[[], None], None] = {}
        # Told what is about to be written, added and changed; what they add is written with it.
        self.before_write: dict[BeforeWrite, None] = {}

    async def execute(self, statement: TextClause, /, **values: Any) -> int:
        """How many rows were touched."""
        status: str = await self._ask(self._driver.execute, statement, values)
        touched = status.rpartition(" ")[2]
        return int(touched) if touched.isdecimal() else 0

    async def all(self, statement: TextClause, /, **values: Any) -> list[Found]:
        rows: list[Found] = await self._ask(self._driver.fetch, statement, values)
        return rows

    async def one_or_none(self, statement: TextClause, /, **values: Any) -> Found | None:
        rows = await self.all(statement, **values)
        if len(rows) > 1:
            raise MultipleResultsFound
        return rows[0] if rows else None

    async def at_once(self, statement: TextClause, /, **values: Any) -> list[Found]:
        """As `all`, for a statement that writes: where the transaction has not begun, it commits by itself, whatever follows."""
        rows: list[Found] = await self._ask(self._driver.fetch, statement, values, begins=False)
        return rows

    async def scalar(self, statement: TextClause, /, **values: Any) -> Any:
        row = await self.one_or_none(statement, **values)
        return None if row is None else row[0]

    async def act_as(self, role: str) -> None:
        """Until this transaction ends, its statements are of another role of the database. Begins it on the way.

        Also where single statements stand alone: from here to the end they are one transaction, which keeps nothing.
        """
        if role == self._role:
            return
        command = f"SET LOCAL ROLE {role}"
        if self._begun:
            _tell_observers(command)
        else:
            # With the BEGIN that is due anyway: no round trip of its own.
            command = f"{self._begins or 'BEGIN'}; {command}"
        self._begun, self._role = True, role
        await self._told(command)

    async def driver(self) -> Any:
        """Asyncpg's connection, in this transaction; for COPY."""
        await self._begin()
        return self._driver

    async def now(self) -> datetime:
        """The moment this transaction decides by: the database's clock when it was first asked."""
        if self._now is None:
            self.began(await self.scalar(_NOW))
        assert self._now is not None
        return self._now

    def began(self, database_now: datetime) -> None:
        """Tell the transaction its moment, when a first statement already brought it along."""
        self._now = clock.adjust(database_now)

    def add(self, row: Stored) -> None:
        self._added.setdefault(type(row), []).append(row)

    def change(self, row: Stored) -> None:
        """The row's CHANGING columns, as they are at the flush, will be written to the row with its KEY."""
        self._changed[id(row)] = row

    async def flush(self) -> None:
        """Send what was collected, so that what is read next sees it; the rest of the work commits with it."""
        if self._added or self._changed:
            await self._begin()
            await self._write()

    async def check(self) -> None:
        """Send what was collected, and ask of it what is to be asked before the commit."""
        await self.flush()
        asked, self.before_commit = self.before_commit, {}
        for require in asked.values():
            await require(self)

    async def commit(self) -> None:
        """Send what was collected and make it all durable."""
        if self.before_commit:
            await self.check()
        if self._added or self._changed:
            await self._write()
        if self._begun:
            self._begun, self._role = False, None
            if await self._told("COMMIT") != "COMMIT":
                raise RuntimeError("a statement had failed; the database has rolled back")

    async def roll_back(self) -> None:
        """As if nothing had been asked; where even that fails the connection ends, and with it the transaction."""
        if self._begun:
            self._begun, self._role = False, None
            try:
                await self._told("ROLLBACK")
            except BaseException:  # also when cancelled: what called knows why it rolls back
                self._driver.terminate()

    async def _begin(self) -> None:
        if self._begins is not None and not self._begun:
            await self._told(self._begins)
            self._begun = True

    async def _write(self) -> None:
        for told in self.before_write:
            await told(
                self,
                [row for rows in self._added.values() for row in rows],
                [*self._changed.values()],
            )
        changed: dict[type[Stored], list[Stored]] = {}
        for row in self._changed.values():
            changed.setdefault(type(row), []).append(row)
        added, self._added, self._changed = self._added, {}, {}
        query, names, _ = _compiled(write_statement(tuple(added), tuple(changed)))
        values = {f"a_{kind.__tablename__}": encode(rows, None) for kind, rows in added.items()}
        values |= {
            f"c_{kind.__tablename__}": encode(rows, (*kind.KEY, *kind.CHANGING))
            for kind, rows in changed.items()
        }
        _tell_observers(query)
        await self._sent(self._driver.execute, query, *[values[name] for name in names])

    @property
    def has_begun(self) -> bool:
        return self._begun

    async def _ask(
        self, how: _Ask, statement: TextClause, values: Mapping[str, Any], *, begins: bool = True
    ) -> Any:
        query, names, defaults = _compiled(statement)
        if _MOMENTS.intersection(names):
            values = await self._with_moment(values)
        if begins and not (self._begun or _only_reads(statement)):
            await self._begin()
        _tell_observers(query)
        given = [values[name] if name in values else defaults[name]() for name in names]
        return await self._sent(how, query, *given)

    async def _with_moment(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        if values.keys() >= _MOMENTS:
            return values
        now = await self.now()
        return {"now": now, "today": now.astimezone(clock.SHANGHAI).date(), **values}

    async def _told(self, command: str) -> str:
        status: str = await self._sent(self._driver.execute, command)
        return status

    async def _sent(self, how: _Ask, query: str, *given: Any) -> Any:
        try:
            return await how(query, *given)
        except (asyncpg.InterfaceError, asyncpg.PostgresError) as failure:
            if _gone(self._driver):
                raise ConnectionLost from failure
            raise


@asynccontextmanager
async def reading() -> AsyncIterator[Transaction]:
    """For statements that stand alone: each is its own transaction, which saves two round trips."""
    async with database().connection() as driver:
        work = Transaction(driver, begins=None)
        try:
            yield work
        finally:
            await work.roll_back()


@asynccontextmanager
async def snapshot(on: Database) -> AsyncIterator[Transaction]:
    """For many statements that must agree with each other: all see the database as it was at the first; none writes."""
    async with on.connection() as driver:
        work = Transaction(driver, begins="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        await work.driver()
        try:
            yield work
        finally:
            await work.roll_back()


@asynccontextmanager
async def transaction(on: Database | None = None) -> AsyncIterator[Transaction]:
    """Commits when the block ends, rolls back when it raises. Returns only after the commit is durable.

    Then, and only then, whatever stands in `after_commit` is called: things that must not fail and may be lost.
    """
    async with (on or database()).connection() as driver:
        work = Transaction(driver)
        try:
            yield work
            await work.commit()
        except BaseException:
            await work.roll_back()
            raise
    for told in work.after_commit:
        told()


BeforeWrite = Callable[[Transaction, Sequence[Stored], Sequence[Stored]], Awaitable[None]]


class _Compiled(NamedTuple):
    """A statement as asyncpg takes it, the names of its parameters in their order, and those that bring their value."""

    query: str
    names: tuple[str, ...]
    defaults: dict[str, Callable[[], Any]]


@cache
def _compiled(statement: TextClause) -> _Compiled:
    compiled = statement.compile(dialect=_DIALECT)
    bound = {name: bind for name, bind in compiled.binds.items() if not bind.required}
    defaults = {name: bind.callable or partial(_same, bind.value) for name, bind in bound.items()}
    return _Compiled(compiled.string, tuple(compiled.positiontup or ()), defaults)


@cache
def _only_reads(statement: TextClause) -> bool:
    return _ONLY_READS.match(statement.text) is not None


def _same(value: Any) -> Any:
    return value


def _tell_observers(query: str) -> None:
    for told in observers:
        told(query)


def _gone(driver: Any) -> bool:
    try:
        return bool(driver.is_closed())
    except asyncpg.InterfaceError:  # the pool has taken it back already
        return True


@contextmanager
def _role_needed() -> Iterator[None]:
    try:
        yield
    except (asyncpg.InvalidParameterValueError, asyncpg.InsufficientPrivilegeError) as refused:
        raise NotPrepared("the database lacks our roles: run `qungong migrate`") from refused


async def _reads_json(driver: Any) -> None:
    for kind in ("json", "jsonb"):
        await driver.set_type_codec(
            kind, schema="pg_catalog", encoder=str, decoder=msgspec.json.decode
        )


async def _nothing(_driver: Any) -> None:
    pass
