"""Typed queries: PostgreSQL prepares each of them, and what it would find is what the row declares."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, get_origin
from uuid import UUID

import pytest
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect

import app
import mobile_api
import qungong
import sms
import workers
from app.db import OWNER, database, reading
from app.db.query import Json, Query, columns_of

_DIALECT: Final = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
_PYTHON: Final[dict[str, tuple[type, ...]]] = {
    "bool": (bool,), "bytea": (bytes,), "date": (date,), "float4": (float,), "float8": (float,), "int2": (int,), "int4": (int,),
    "int8": (int,), "interval": (timedelta,), "json": (dict, list), "jsonb": (dict, list), "text": (str,), "time": (time,), "timestamptz": (datetime,),
    "uuid": (UUID,), "varchar": (str,),
}  # fmt: skip


class _Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class _Inner:
    colour: _Colour
    at: datetime | None


@dataclass(frozen=True, slots=True)
class _JsonRow:
    several: Json[list[_Inner]]
    by_number: Json[dict[int, _Inner]]
    none: Json[_Inner] | None


def every_query() -> Iterator[Query[Any]]:
    for package in (app, mobile_api, qungong, sms, workers):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    yield from Query.declared


@pytest.mark.usefixtures("county")
async def test_query_finds_the_columns_and_types_that_its_row_declares() -> None:
    seen = 0
    wrong: list[tuple[str, object, object]] = []
    owner = await database().alike(pool_size=1, role=OWNER).connect()
    try:
        for query in every_query():
            sql = query.compile(dialect=_DIALECT).string
            prepared = await owner.prepare(sql)
            found = [(one.name, one.type.name) for one in prepared.get_attributes()]
            declared = list(columns_of(query.row))
            names = [name for name, _ in found]
            if names != [one.name for one in declared]:
                wrong.append((query.row.__qualname__, names, [one.name for one in declared]))
                continue
            wrong += [
                (query.row.__qualname__, (name, kind), column.type)
                for (name, kind), column in zip(found, declared, strict=True)
                if not _fits(kind, column.type)
            ]
            seen += 1
    finally:
        await owner.close()
    assert wrong == []
    assert seen


@pytest.mark.usefixtures("county")
async def test_query_reads_json_columns_as_their_declared_types() -> None:
    one = """json_build_object('colour', 'red', 'at', CAST('2025-09-26T10:00:00+08:00' AS timestamptz))"""
    query = Query(
        _JsonRow,
        f"SELECT json_build_array({one}) AS several, json_build_object(7, {one}) AS by_number, CAST(NULL AS json) AS none",
    )
    async with reading() as tx:
        found = await query.one(tx)
    inner = _Inner(_Colour.RED, datetime.fromisoformat("2025-09-26T10:00:00+08:00"))
    assert found == _JsonRow([inner], {7: inner}, None)


def _fits(found: str, declared: Any) -> bool:
    if found.startswith("_") or found.endswith("[]"):
        return get_origin(declared) in (list, tuple) or declared in (list, tuple)
    plain = get_origin(declared) or declared
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        plain = str
    return plain in _PYTHON.get(found, ())
