"""Rows as the tables declare them, and the one statement that writes many of them. Reads nothing, opens nothing."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Self, get_args

import asyncpg
import msgspec
from sqlalchemy import CheckConstraint, Column, DateTime, LargeBinary, Table, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlmodel import SQLModel
from sqlmodel._compat import SQLModelConfig
from sqlmodel.main import SQLModelMetaclass
from typing_extensions import override

from app import keys

MOMENT = DateTime(timezone=True)


class Found(asyncpg.Record):  # type: ignore[misc]  # asyncpg has no types
    """A row that was found: by name as an attribute, by name or place in brackets."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class _Declared(SQLModelMetaclass):
    """Makes the table that a class declares, and no mapper: no session ever tracks these rows."""

    def __init__(
        self, name: str, bases: tuple[type, ...], members: dict[str, Any], **options: Any
    ) -> None:
        type.__init__(self, name, bases, members)
        if options.get("table"):
            type.__setattr__(self, "__table__", _declared_table(self, members))


def _declared_table(kind: Any, members: Mapping[str, Any]) -> Table:
    arguments = list(members.get("__table_args__", ()))
    options = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
    columns = []
    for name in kind.model_fields:
        column: Column[Any] = getattr(kind, name)
        column.name = column.key = name
        columns.append(column)
    return Table(kind.__tablename__, kind.metadata, *columns, *arguments, **options)


class Stored(SQLModel, metaclass=_Declared):
    """Base of every table. `KEY` names the columns an update finds its row by, `CHANGING` those it may write."""

    # Nothing is checked by pydantic here, so it need not prepare for that.
    model_config = SQLModelConfig(defer_build=True)
    __table__: ClassVar[Table]

    KEY: ClassVar[tuple[str, ...]] = ("id",)
    CHANGING: ClassVar[tuple[str, ...]] = ()
    # A row that may be there already: adding it again changes nothing.
    ADD_ONCE: ClassVar[bool] = False
    # Columns that the keyed digest in the row's `seal` covers; it is computed when the row is added (docs/adr/0032).
    SEALED: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **values: Any) -> None:
        """Instead of SQLModel's own, which takes longer than the statement."""
        kind = type(self)
        stored = self.__dict__
        stored.update(_defaults(kind))
        stored.update(values)
        if len(stored) != len(kind.model_fields):
            raise TypeError(
                f"{kind.__name__}: columns missing or unknown: {sorted(stored.keys() ^ kind.model_fields.keys())}"
            )

    @override
    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.__dict__:
            raise AttributeError(name)
        self.__dict__[name] = value

    def changing(self) -> dict[str, Any]:
        """The CHANGING columns as they are now."""
        stored = self.__dict__
        return {name: stored[name] for name in self.CHANGING}

    @classmethod
    def read(cls, found: Found | Mapping[str, Any]) -> Self:
        """An instance of what a SELECT found; columns that are not the table's are passed over."""
        values = {name: found[name] for name in cls.model_fields}
        for name, kind in _enumerations(cls).items():
            if values[name] is not None:
                values[name] = kind(values[name])
        return cls(**values)


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """Enumerations are text with a CHECK: a new value needs no type change."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def plain(value: Any) -> Any:
    """As the database keeps it: moments to the microsecond, in whatever zone."""
    if isinstance(value, datetime):
        return (value - _EPOCH) // timedelta(microseconds=1)
    return value


def seal_of(kind: type[Stored], row: Stored | Found | Mapping[str, object]) -> bytes:
    """Keyed digest over the row's SEALED columns: who changes one of them in the database cannot make it anew."""
    values = row.__dict__ if isinstance(row, Stored) else row
    told = [plain(values[name]) for name in kind.SEALED]
    return keys.digest("row", msgspec.json.encode([kind.__tablename__, *told]))


def seal_holds(kind: type[Stored], found: Found | Mapping[str, object]) -> bool:
    """Whether a row that was found is as it was when it was added."""
    seal = found["seal"]
    return isinstance(seal, bytes) and hmac.compare_digest(seal, seal_of(kind, found))


def copyable(kind: type[Stored], rows: Sequence[Stored]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and records for a COPY, where there are too many rows for one statement."""
    names = _written(kind)
    if kind.SEALED:
        for row in rows:
            row.__dict__["seal"] = seal_of(kind, row)
    return names, [tuple(row.__dict__.get(name) for name in names) for row in rows]


@cache
def _written(kind: type[Stored]) -> list[str]:
    columns = _table(kind).columns
    return [
        column.name for column in columns if column.identity is None and column.computed is None
    ]


def _columns(row: Stored, names: Sequence[str]) -> Mapping[str, object]:
    stored, kind = row.__dict__, type(row)
    if kind.SEALED and "seal" in names:
        stored["seal"] = seal_of(kind, row)
    told = {name: stored[name] for name in names}
    # msgspec writes bytes as base64 by itself; PostgreSQL reads hexadecimal.
    for name in _binary(kind):
        if told.get(name) is not None:
            told[name] = "\\x" + stored[name].hex()
    return told


@cache
def _binary(kind: type[Stored]) -> tuple[str, ...]:
    return tuple(
        column.name for column in _table(kind).columns if isinstance(column.type, LargeBinary)
    )


def _table(kind: type[Stored]) -> Table:
    table: Table = kind.__table__
    return table


@cache
def write_statement(
    added: tuple[type[Stored], ...], changed: tuple[type[Stored], ...]
) -> TextClause:
    parts = [*map(_insert, _in_order(added)), *map(_update, _in_order(changed))]
    steps = ", ".join(f"w{number} AS ({part})" for number, part in enumerate(parts))
    return text(f"WITH {steps} SELECT 1")


def _in_order(kinds: Sequence[type[Stored]]) -> list[type[Stored]]:
    """Tables that others refer to come first: a distributed database writes one part after the other."""
    order = {table: place for place, table in enumerate(SQLModel.metadata.sorted_tables)}
    # A kind of matter that keeps its tables apart refers to those of all kinds.
    return sorted(kinds, key=lambda kind: order.get(_table(kind), len(order)))


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


_encoder = msgspec.json.Encoder()


def encode(rows: Sequence[Stored], columns: tuple[str, ...] | None) -> str:
    """The rows as the JSON that write_statement() reads; without `columns`, all that an insert writes."""
    names = columns or _written(type(rows[0]))
    return _encoder.encode([_columns(row, names) for row in rows]).decode()
