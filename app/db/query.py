"""Typed queries: a statement, declared with the type of its rows.

A row type is a dataclass, a NamedTuple, a msgspec struct or a table. Its fields are the columns of the statement, in order. A
field may be a row itself: its columns begin with the field's name and an underscore, and `columns` writes them for a table.
Such a field of the type `X | None` is None when its first column is NULL. A field `Json[X]` is one JSON column, read as X; its
dictionaries may have any keys that JSON writes as text. A test prepares every query on PostgreSQL and compares columns and types.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from enum import StrEnum
from functools import cached_property
from operator import itemgetter
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Generic,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from sqlalchemy import TextClause

from app.db import Transaction
from app.db.row_base import Found, Stored

Row = TypeVar("Row")
Told = TypeVar("Told")
_AS_JSON: Final = "json"
Json = Annotated[Told, _AS_JSON]


class Query(TextClause, Generic[Row]):
    """A statement whose result is rows of one type."""

    declared: ClassVar[list["Query[Any]"]] = []

    def __init__(self, row: type[Row], sql: str) -> None:
        super().__init__(sql)
        self.row = row
        Query.declared.append(self)

    async def all(self, tx: Transaction, /, **values: object) -> list[Row]:
        read = self._read
        return [read(found) for found in await tx.all(self, **values)]

    async def one_or_none(self, tx: Transaction, /, **values: object) -> Row | None:
        """Raises MultipleResultsFound where there are more."""
        found = await tx.one_or_none(self, **values)
        return None if found is None else self._read(found)

    async def one(self, tx: Transaction, /, **values: object) -> Row:
        """For a statement that always finds exactly one row."""
        [found] = await tx.all(self, **values)
        return self._read(found)

    async def at_once(self, tx: Transaction, /, **values: object) -> list[Row]:
        """As `Transaction.at_once`: for a statement that writes and may commit by itself."""
        return [self._read(found) for found in await tx.at_once(self, **values)]

    @cached_property
    def _read(self) -> Callable[[Found], Row]:
        read, _ = _reader(self.row, 0)
        return read


class Column(NamedTuple):
    """What the statement has to find: a column's name, and the Python type of its values."""

    name: str
    type: Any


def columns(alias: str, table: type[Stored], field: str | None = None) -> str:
    """The SELECT list for a row of the table: a field of that name, or the whole row."""
    if field is None:
        return ", ".join(f"{alias}.{name}" for name in table.model_fields)
    return ", ".join(f"{alias}.{name} AS {field}_{name}" for name in table.model_fields)


def columns_of(row: type, prefix: str = "") -> Iterator[Column]:
    """The columns of a row, in order."""
    for name, kind in _fields(row).items():
        whole = _without_none(kind)
        if _is_row(whole):
            yield from columns_of(whole, f"{prefix}{name}_")
        elif _is_json(whole):
            yield Column(f"{prefix}{name}", dict)
        else:
            yield Column(f"{prefix}{name}", whole)


_Reader = Callable[[Found], Any]


def _reader(row: type[Row], start: int) -> tuple[Callable[[Found], Row], int]:
    """How to read the row from a result's columns from `start` on, and where the next columns begin."""
    plain: dict[str, int] = {}
    readers: dict[str, _Reader] = {}
    at = start
    for name, kind in _fields(row).items():
        whole = _without_none(kind)
        if _is_row(whole):
            inner, end = _reader(whole, at)
            readers[name] = _or_none(inner, at) if whole is not kind else inner
            at = end
            continue
        if _is_json(whole):
            readers[name] = _converted(get_args(whole)[0], at)
        elif _is_enumeration(whole):
            readers[name] = _enumerated(whole, at)
        else:
            plain[name] = at
        at += 1
    names, values_at = tuple(plain), _values_at(tuple(plain.values()))
    others = tuple(readers.items())

    def read(found: Found) -> Row:
        values = dict(zip(names, values_at(found), strict=True))
        for name, read_one in others:
            values[name] = read_one(found)
        return row(**values)

    return read, at


def _values_at(places: tuple[int, ...]) -> Callable[[Found], tuple[object, ...]]:
    """Most columns are taken as they are: all at once, as one call for each is slower."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda found: tuple(found[at] for at in places)


def _converted(kind: Any, at: int) -> _Reader:
    def read(found: Found) -> Any:
        return None if found[at] is None else msgspec.convert(found[at], kind, str_keys=True)

    return read


def _enumerated(kind: type[StrEnum], at: int) -> _Reader:
    return lambda found: None if found[at] is None else kind(found[at])


def _or_none(inner: _Reader, at: int) -> _Reader:
    return lambda found: None if found[at] is None else inner(found)


_Fields = Mapping[str, Any]


def _fields(row: type) -> _Fields:
    if issubclass(row, Stored):
        return {name: field.annotation for name, field in row.model_fields.items()}
    names: Final = getattr(row, "__match_args__", None) or row.__annotations__
    hints = get_type_hints(row, include_extras=True)
    return {name: hints[name] for name in names}


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (Union, UnionType):
        [whole] = [one for one in get_args(kind) if one is not NoneType]
        return whole
    return kind


def _is_row(kind: Any) -> bool:
    return isinstance(kind, type) and (
        is_dataclass(kind)
        or issubclass(kind, Stored | msgspec.Struct)
        or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
    )


def _is_json(kind: Any) -> bool:
    return get_origin(kind) is Annotated and _AS_JSON in get_args(kind)


def _is_enumeration(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, StrEnum)
