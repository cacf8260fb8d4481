"""The database: the engine, and one transaction as the rest of the application sees it.

Statements are prebuilt at module level by whoever needs them. What a use case writes is collected and goes out as one
statement just before the commit: one round trip, whatever the number of tables.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from enum import StrEnum
from functools import cache, partial
from typing import Any, ClassVar, Self, get_args

import asyncpg
import msgspec
from sqlalchemy import CheckConstraint, DateTime, Table, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.exc import DBAPIError, IntegrityError, MultipleResultsFound
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlmodel import SQLModel

from app import clock
from app.settings import settings

# Sent once per connection, so that no pooled connection can carry somebody else's setting into a request.
_SESSION = {
    "timezone": "Asia/Shanghai",
    "statement_timeout": "5000",
    "lock_timeout": "2000",
    "idle_in_transaction_session_timeout": "10000",
    "jit": "off",
    # Every statement finds its rows by an index whoever asks: planning each time would cost more than running it.
    "plan_cache_mode": "force_generic_plan",
}
_NOW = text("SELECT now()")


class Found(asyncpg.Record):  # type: ignore[misc]  # asyncpg has no types
    """A row that was found: by name as an attribute, by name or place in brackets."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


# Told of each statement before it is sent; tests count with it.
observers: list[Callable[[str], None]] = []


class Stored(SQLModel):
    """Base of every table. `KEY` names the columns an update finds its row by, `CHANGING` those it may write."""

    KEY: ClassVar[tuple[str, ...]] = ("id",)
    CHANGING: ClassVar[tuple[str, ...]] = ()
    # A row that may be there already: adding it again changes nothing.
    ADD_ONCE: ClassVar[bool] = False

    def __init__(self, **values: Any) -> None:
        """Instead of SQLModel's own, which takes longer than the statement; no session ever tracks these rows."""
        kind = type(self)
        stored = self.__dict__
        stored.update(_defaults(kind))
        stored.update(values)
        if len(stored) != len(kind.model_fields) + 1:  # one more: SQLAlchemy's mark on an instance
            raise TypeError(
                f"{kind.__name__}: columns missing or unknown: {sorted(stored.keys() ^ kind.model_fields.keys())}"
            )

    @classmethod
    def read(cls, found: Found) -> Self:
        """An instance of what a SELECT found; columns that are not the table's are passed over."""
        values = {name: found[name] for name in cls.model_fields}
        for name, kind in _enumerations(cls).items():
            if values[name] is not None:
                values[name] = kind(values[name])
        return cls(**values)


MOMENT = DateTime(timezone=True)


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """Enumerations are text with a CHECK: a new value needs no type change."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


_DIALECT = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


@cache
def engine() -> AsyncEngine:
    return make_engine(settings().database_url, pool_size=settings().database_pool_size)


def make_engine(url: str, *, pool_size: int, **session: str) -> AsyncEngine:
    """`session` overrides the server settings of each connection, e.g. a longer statement_timeout for an import."""
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,
        pool_timeout=5,
        pool_recycle=1800,
        connect_args={"server_settings": {**_SESSION, **session}, "timeout": 5},
    )


class Transaction:
    """One unit of work: reads at once, writes together at the end, all or nothing.

    `add` and `change` collect rows; `flush` sends them. Reads after an `add` do not see it before a `flush`.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection
        self._driver: Any = None
        self._added: dict[type[Stored], list[Stored]] = {}
        self._changed: dict[int, Stored] = {}
        self._now: datetime | None = None
        self.after_commit: dict[Callable[[], None], None] = {}

    async def execute(self, statement: TextClause, /, **values: Any) -> int:
        """How many rows were touched."""
        with _as_sqlalchemys():
            query, given = _sent(statement, values)
            status: str = await (self._driver or await self.driver()).execute(query, *given)
        touched = status.rpartition(" ")[2]
        return int(touched) if touched.isdecimal() else 0

    async def all(self, statement: TextClause, /, **values: Any) -> list[Found]:
        with _as_sqlalchemys():
            query, given = _sent(statement, values)
            rows: list[Found] = await (self._driver or await self.driver()).fetch(
                query, *given, record_class=Found
            )
        return rows

    async def one_or_none(self, statement: TextClause, /, **values: Any) -> Found | None:
        rows = await self.all(statement, **values)
        if len(rows) > 1:
            raise MultipleResultsFound
        return rows[0] if rows else None

    async def scalar(self, statement: TextClause, /, **values: Any) -> Any:
        row = await self.one_or_none(statement, **values)
        return None if row is None else row[0]

    async def driver(self) -> Any:
        """Asyncpg's connection, in this transaction; for COPY."""
        if self._driver is None:
            adapted = (await self.connection.get_raw_connection()).dbapi_connection
            # What SQLAlchemy does before its own first statement; it commits and rolls back.
            await adapted._start_transaction()  # type: ignore[union-attr]
            self._driver = adapted.driver_connection  # type: ignore[union-attr]  # asyncpg has no types
        return self._driver

    async def now(self) -> datetime:
        """The moment this transaction decides by: the database's clock when the transaction began."""
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
        if not self._added and not self._changed:
            return
        changed: dict[type[Stored], list[Stored]] = {}
        for row in self._changed.values():
            changed.setdefault(type(row), []).append(row)
        added, self._added, self._changed = self._added, {}, {}
        statement = _write_statement(tuple(added), tuple(changed))
        values = {f"a_{kind.__tablename__}": _encode(rows, None) for kind, rows in added.items()}
        values |= {
            f"c_{kind.__tablename__}": _encode(rows, (*kind.KEY, *kind.CHANGING))
            for kind, rows in changed.items()
        }
        await self.execute(statement, **values)


@asynccontextmanager
async def reading() -> AsyncIterator[Transaction]:
    """For statements that only read: each is its own transaction, which saves two round trips."""
    async with engine().connect() as connection:
        yield Transaction(await connection.execution_options(isolation_level="AUTOCOMMIT"))


@asynccontextmanager
async def snapshot(on: AsyncEngine) -> AsyncIterator[Transaction]:
    """For many statements that must agree with each other: all see the database as it was at the first."""
    async with on.connect() as connection:
        yield Transaction(await connection.execution_options(isolation_level="REPEATABLE READ"))


@asynccontextmanager
async def transaction(on: AsyncEngine | None = None) -> AsyncIterator[Transaction]:
    """Commits when the block ends, rolls back when it raises. Returns only after the commit is durable.

    Then, and only then, whatever stands in `after_commit` is called: things that must not fail and may be lost.
    """
    async with (on or engine()).begin() as connection:
        work = Transaction(connection)
        yield work
        await work.flush()
    for told in work.after_commit:
        told()


@cache
def _defaults(kind: type[Stored]) -> dict[str, Any]:
    return {
        name: field.default for name, field in kind.model_fields.items() if not field.is_required()
    }


@cache
def _enumerations(kind: type[Stored]) -> dict[str, type[StrEnum]]:
    found = {}
    for name, field in kind.model_fields.items():
        for candidate in (field.annotation, *get_args(field.annotation)):
            if isinstance(candidate, type) and issubclass(candidate, StrEnum):
                found[name] = candidate
    return found


def _sent(statement: TextClause, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    query, names, defaults = _compiled(statement)
    for told in observers:
        told(query)
    return query, [values[name] if name in values else defaults[name]() for name in names]


@cache
def _compiled(statement: TextClause) -> tuple[str, tuple[str, ...], dict[str, Callable[[], Any]]]:
    """The statement as asyncpg takes it, the names of its parameters in their order, and those that bring their value."""
    compiled = statement.compile(dialect=_DIALECT)
    bound = {name: bind for name, bind in compiled.binds.items() if not bind.required}
    defaults = {name: bind.callable or partial(_same, bind.value) for name, bind in bound.items()}
    return compiled.string, tuple(compiled.positiontup or ()), defaults


def _same(value: Any) -> Any:
    return value


@contextmanager
def _as_sqlalchemys() -> Iterator[None]:
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as violation:
        raise IntegrityError(None, None, violation) from violation
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as failure:
        raise DBAPIError(None, None, failure) from failure


def _hook(value: object) -> object:
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    raise TypeError(f"cannot store {type(value)}")


_encoder = msgspec.json.Encoder(enc_hook=_hook)


def _encode(rows: Sequence[Stored], columns: tuple[str, ...] | None) -> str:
    return _encoder.encode([_columns(row, columns) for row in rows]).decode()


def copyable(kind: type[Stored], rows: Sequence[Stored]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and records for a COPY, where there are too many rows for one statement."""
    names = _written(kind)
    return names, [tuple(row.__dict__.get(name) for name in names) for row in rows]


def _written(kind: type[Stored]) -> list[str]:
    columns = _table(kind).columns
    return [
        column.name for column in columns if column.identity is None and column.computed is None
    ]


def _columns(row: Stored, columns: tuple[str, ...] | None) -> Mapping[str, object]:
    stored = row.__dict__
    names = columns or tuple(_table(type(row)).columns.keys())
    return {name: _plain(stored.get(name)) for name in names}


def _plain(value: object) -> object:
    # msgspec writes bytes as base64 by itself; PostgreSQL reads hexadecimal.
    return "\\x" + value.hex() if isinstance(value, bytes) else value


def _table(kind: type[Stored]) -> Table:
    table: Table = kind.__table__  # type: ignore[attr-defined]  # SQLModel sets it on every table class
    return table


@cache
def _write_statement(
    added: tuple[type[Stored], ...], changed: tuple[type[Stored], ...]
) -> TextClause:
    parts = [_insert(kind) for kind in added] + [_update(kind) for kind in changed]
    steps = ", ".join(f"w{number} AS ({part})" for number, part in enumerate(parts))
    return text(f"WITH {steps} SELECT 1")


def _recordset(kind: type[Stored], parameter: str, names: Sequence[str]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    columns = _table(kind).columns
    typed = ", ".join(f'"{name}" {columns[name].type.compile(dialect)}' for name in names)
    return f"jsonb_to_recordset(CAST(:{parameter} AS jsonb)) AS r({typed})"


def _insert(kind: type[Stored]) -> str:
    table, names = _table(kind), _written(kind)
    listed = ", ".join(f'"{name}"' for name in names)
    once = " ON CONFLICT DO NOTHING" if kind.ADD_ONCE else ""
    return f"INSERT INTO {table.fullname} ({listed}) SELECT {listed} FROM {_recordset(kind, f'a_{table.name}', names)}{once}"  # noqa: S608 - names of our own tables


def _update(kind: type[Stored]) -> str:
    table = _table(kind)
    sets = ", ".join(f'"{name}" = r."{name}"' for name in kind.CHANGING)
    found = " AND ".join(f't."{name}" = r."{name}"' for name in kind.KEY)
    record = _recordset(kind, f"c_{table.name}", (*kind.KEY, *kind.CHANGING))
    return f"UPDATE {table.fullname} t SET {sets} FROM {record} WHERE {found}"  # noqa: S608 - names of our own tables
