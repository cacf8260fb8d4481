"""The log of evaluations: each row of the schema `surveys` as it was written, numbered and chained. Only added to.

It is written with the row, by whatever use case, because `privacy_role.enter` has the transaction do so. Nothing of it
stands in the record of a case, which handlers read (docs/adr/0032).
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlmodel import Field, SQLModel

from app import keys
from app.db import Transaction
from app.db.query import Query
from app.db.row_base import MOMENT, Found, Stored, plain
from app.matters.record import FORMER_NAMES

SCHEMA: Final = "surveys"


class LogEntry(Stored, table=True):
    """A row as it was written. `body` holds its columns, of bytes only their SHA-256; `seal` covers the entry before."""

    __tablename__ = "evaluation_log"
    __table_args__ = (
        Index("evaluation_log_of_row", "table_name", "row_key", "number"),
        {"schema": SCHEMA},
    )
    KEY: ClassVar[tuple[str, ...]] = ("number",)

    number: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    table_name: str = Field(sa_type=Text)
    row_key: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=MOMENT)
    body: str = Field(sa_type=Text)
    seal: bytes


class LogHead(Stored, table=True):
    """The newest entry's number and seal, in the only row of its table. Writers of the log lock this row."""

    __tablename__ = "evaluation_log_head"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"), {"schema": SCHEMA})
    CHANGING: ClassVar[tuple[str, ...]] = ("number", "seal")

    id: int = Field(
        primary_key=True, sa_type=SmallInteger, sa_column_kwargs={"autoincrement": False}
    )
    number: int = Field(sa_type=BigInteger)
    seal: bytes


# Locked months, which have digests of their own, and the log itself.
NOT_LOGGED: Final = frozenset({"month_satisfaction", "evaluation_log", "evaluation_log_head"})
_FIRST_SEAL: Final = b""
_BATCH: Final = 1000
_HEAD: Final = Query(LogHead, "SELECT id, number, seal FROM surveys.evaluation_log_head")
_LOCK_HEAD: Final = Query(
    LogHead, "SELECT id, number, seal FROM surveys.evaluation_log_head FOR UPDATE"
)


class _CalledSurvey(Struct, frozen=True):
    survey_id: UUID


_CALLED: Final = Query(
    _CalledSurvey, "SELECT survey_id FROM surveys.return_call WHERE survey_id = ANY(:ids)"
)
_COUNT: Final = text("SELECT count(*) FROM surveys.evaluation_log")
_ALL: Final = text(
    "SELECT * FROM surveys.evaluation_log WHERE number > :after ORDER BY number LIMIT :batch"
)


class _LatestBody(Struct, frozen=True):
    row_key: str
    body: str


_LATEST: Final = Query(
    _LatestBody,
    """
SELECT DISTINCT ON (row_key) row_key, body FROM surveys.evaluation_log
WHERE table_name = :table AND row_key = ANY(:keys) ORDER BY row_key, number DESC""",
)
_KEY_TYPES: Final = {Uuid: "uuid", LargeBinary: "bytea", BigInteger: "bigint"}
_KEYS_READ: Final[Mapping[str, Callable[[str], object]]] = {
    "uuid": UUID,
    "bytea": bytes.fromhex,
    "bigint": int,
}
_encoder: Final = msgspec.json.Encoder(order="sorted")

# The table and key of a row, and what is wrong with it.
Wrong = Mapping[str, str]


async def append(tx: Transaction, added: Sequence[Stored], changed: Sequence[Stored]) -> None:
    """Log the rows of evaluations among those that are about to be written. One transaction at a time."""
    new = [row for row in added if is_logged(type(row))]
    old = [row for row in changed if is_logged(type(row))]
    if not (new or old):
        return
    now = await tx.now()
    head = await _LOCK_HEAD.one(tx)
    for row in [*await _really_added(tx, new), *old]:
        head.number += 1
        entry = LogEntry(
            number=head.number,
            table_name=_name(type(row)),
            row_key=_key_of(type(row), row.__dict__),
            at=now,
            body=_encoder.encode(_body(type(row), row.__dict__)).decode(),
            seal=_FIRST_SEAL,
        )
        entry.seal = head.seal = _seal(entry, head.seal)
        tx.add(entry)
    tx.change(head)


def is_logged(kind: type[Stored]) -> bool:
    table = SQLModel.metadata.tables.get(f"{SCHEMA}.{kind.__tablename__}")
    return table is not None and table.name not in NOT_LOGGED


def logged_kinds() -> list[type[Stored]]:
    """The tables whose rows are logged, in the order of their names."""
    return sorted((one for one in _subclasses(Stored) if is_logged(one)), key=_name)


async def how_many(tx: Transaction) -> int:
    count: int = await tx.scalar(_COUNT)
    return count


async def broken(tx: Transaction) -> AsyncIterator[tuple[int, list[Wrong]]]:
    """Batch by batch: how many entries or rows were looked at, and what is wrong with them."""
    kinds = {_name(kind): kind for kind in logged_kinds()}
    last = LogHead(id=1, number=0, seal=_FIRST_SEAL)
    while rows := await tx.all(_ALL, after=last.number, batch=_BATCH):
        wrong = _entries_differing(rows, last)
        for name, kind in kinds.items():
            told = {row.row_key for row in rows if row.table_name == name}
            there = await _there(tx, kind, sorted(told))
            wrong += [_wrong(name, key, "写入过的记录缺失") for key in sorted(told - there)]
        yield len(rows), wrong
    head = await _HEAD.one_or_none(tx)
    if head is None or (head.number, head.seal) != (last.number, last.seal):
        yield 0, [_wrong("evaluation_log", last.number + 1, "评价日志缺失最新的记录")]
    for kind in kinds.values():
        async for found in _rows_differing(tx, kind):
            yield 0, found


def _entries_differing(rows: Sequence[Found], last: LogHead) -> list[Wrong]:
    """What is wrong with the next entries. `last` is the entry before them, and afterwards the newest of them."""
    wrong: list[Wrong] = []
    for row in map(LogEntry.read, rows):
        if row.number != last.number + 1:
            wrong.append(_wrong("evaluation_log", last.number + 1, "评价日志缺失"))
        elif row.seal != _seal(row, last.seal):
            wrong.append(_wrong("evaluation_log", row.number, "评价日志与校验值不符"))
        last.number, last.seal = row.number, row.seal
    return wrong


async def _rows_differing(tx: Transaction, kind: type[Stored]) -> AsyncIterator[list[Wrong]]:
    name, key = _name(kind), kind.KEY[0]
    page = text(
        f"SELECT * FROM {SCHEMA}.{name} WHERE CAST(:after AS {_key_type(kind)}) IS NULL OR {key} > :after"  # noqa: S608 - names of our own tables
        f" ORDER BY {key} LIMIT :batch"
    )
    after = None
    while rows := await tx.all(page, after=after, batch=_BATCH):
        keyed = {_key_of(kind, row): row for row in rows}
        latest = {
            one.row_key: _decoded(one.body)
            for one in await _LATEST.all(tx, table=name, keys=list(keyed))
        }
        wrong = []
        for row_key, row in keyed.items():
            told = latest.get(row_key)
            if told is None:
                wrong.append(_wrong(name, row_key, "没有写入日志"))
            elif not told or any(
                told[one] != value for one, value in _body(kind, row).items() if one in told
            ):
                wrong.append(_wrong(name, row_key, "与写入时不符"))
        yield wrong
        after = rows[-1][key]


async def _there(tx: Transaction, kind: type[Stored], row_keys: list[str]) -> set[str]:
    if not row_keys:
        return set()
    key = kind.KEY[0]
    found = text(
        f"SELECT {key} FROM {SCHEMA}.{_name(kind)} WHERE {key} = ANY(CAST(:keys AS {_key_type(kind)}[]))"  # noqa: S608 - names of our own tables
    )
    given = [value for one in row_keys if (value := _key_value(kind, one)) is not None]
    return {_key_of(kind, row) for row in await tx.all(found, keys=given)}


def _key_value(kind: type[Stored], row_key: str) -> object:
    """None for what cannot be a key of the table."""
    made = _KEYS_READ.get(_key_type(kind), str)
    try:
        return made(row_key)
    except ValueError:
        return None


async def _really_added(tx: Transaction, rows: Sequence[Stored]) -> list[Stored]:
    """Without calls about surveys that have one already: adding another changes nothing."""
    asked = [_survey_id(row) for row in rows if type(row).ADD_ONCE]
    if not asked:
        return list(rows)
    taken = {row.survey_id for row in await _CALLED.all(tx, ids=asked)}
    kept: list[Stored] = []
    for row in rows:
        if type(row).ADD_ONCE:
            if _survey_id(row) in taken:
                continue
            taken.add(_survey_id(row))
        kept.append(row)
    return kept


def _decoded(body: str) -> dict[str, Any]:
    """By the columns' names of today. Nothing, where an entry was altered: then each column differs."""
    try:
        told = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}
    return {FORMER_NAMES.get(name, name): value for name, value in told.items()}


def _survey_id(row: Stored) -> UUID:
    found: UUID = row.__dict__["survey_id"]
    return found


def _wrong(table: str, key: object, what: str) -> Wrong:
    return {"table": table, "key": str(key), "what": what}


def _body(kind: type[Stored], row: Mapping[str, object] | Found) -> dict[str, object]:
    """As JSON gives it back."""
    return {name: _told(row[name]) for name in kind.model_fields}


def _told(value: object) -> object:
    if isinstance(value, bytes):
        return sha256(value).hexdigest()
    if isinstance(value, datetime):
        return plain(value)
    return str(value) if isinstance(value, UUID | date) else value


def _key_of(kind: type[Stored], row: Mapping[str, object] | Found) -> str:
    value = row[kind.KEY[0]]
    return value.hex() if isinstance(value, bytes) else str(value)


def _key_type(kind: type[Stored]) -> str:
    column = SQLModel.metadata.tables[f"{SCHEMA}.{kind.__tablename__}"].columns[kind.KEY[0]]
    for type_, name in _KEY_TYPES.items():
        if isinstance(column.type, type_):
            return name
    return "text"


def _name(kind: type[Stored]) -> str:
    return str(kind.__tablename__)


def _subclasses(kind: type[Stored]) -> Iterable[type[Stored]]:
    for below in kind.__subclasses__():
        if hasattr(below, "__table__"):
            yield below
        yield from _subclasses(below)


def _seal(entry: LogEntry, before: bytes) -> bytes:
    told = [entry.number, entry.table_name, entry.row_key, plain(entry.at), entry.body]
    return keys.digest("evaluation-log", before + msgspec.json.encode(told))
