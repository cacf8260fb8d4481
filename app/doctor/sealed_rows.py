"""Checks of what is encrypted or carries a keyed digest and belongs to no case's record: people, numbers, staff, attachments.

Reads the media store for the bytes of attachments. Repairs nothing.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from hashlib import sha256
from typing import Final

from sqlalchemy import LargeBinary, Table, TextClause, text
from sqlmodel import SQLModel

from app import keys
from app.db import Transaction
from app.db.row_base import Found, seal_holds
from app.directory.models import Citizen, Staff
from app.errors import NotFound
from app.matters import attachments
from app.matters.attachments import VOICES, Media

_BATCH: Final = 1000
_STAFF: Final = text("SELECT * FROM staff WHERE id > CAST(:after AS int) ORDER BY id LIMIT :batch")
_ATTACHMENTS: Final = text("""
SELECT id, media, digest FROM attachment WHERE CAST(:after AS uuid) IS NULL OR id > :after ORDER BY id LIMIT :batch""")
_HOW_MANY_ATTACHMENTS: Final = text("SELECT count(*) FROM attachment")
# Where a number is stored encrypted, the digest that finds it stands beside it.
_WITH_KEY: Final = frozenset({"citizen", "official_number"})

# Table, key, and what is wrong with the row.
Wrong = dict[str, str]


async def how_many(tx: Transaction) -> int:
    counts = [await tx.scalar(_count(table)) for table in _tables()]
    return sum(counts)


async def how_many_attachments(tx: Transaction) -> int:
    counted: int = await tx.scalar(_HOW_MANY_ATTACHMENTS)
    return counted


async def broken(tx: Transaction) -> AsyncIterator[tuple[int, list[Wrong]]]:
    """Batch by batch: how many rows were looked at, and those that were changed or moved."""
    for table in _tables():
        async for rows in _pages(tx, table):
            yield (
                len(rows),
                [_wrong(table.name, row[0], what) for row in rows for what in _faults(table, row)],
            )
    after = 0
    while rows := await tx.all(_STAFF, after=after, batch=_BATCH):
        yield 0, [_wrong("staff", row.account, what) for row in rows for what in _staff(row)]
        after = rows[-1].id


async def broken_attachments(tx: Transaction) -> AsyncIterator[tuple[int, list[Wrong]]]:
    """The same of the bytes in the media store, which are read one by one."""
    after = None
    while rows := await tx.all(_ATTACHMENTS, after=after, batch=_BATCH):
        for row in rows:
            yield 1, [_wrong("attachment", row.id, what) for what in [await _bytes(row)] if what]
        after = rows[-1].id


def _tables() -> list[Table]:
    return [table for table in SQLModel.metadata.sorted_tables if _sealed(table)]


def _sealed(table: Table) -> list[str]:
    return [
        column.name
        for column in table.columns
        if isinstance(column.type, LargeBinary) and column.name.endswith("_sealed")
    ]


async def _pages(tx: Transaction, table: Table) -> AsyncIterator[list[Found]]:
    key = [column.name for column in table.primary_key.columns]
    listed = ", ".join(key)
    names = ", ".join(f":k{number}" for number in range(len(key)))
    first = text(f"SELECT * FROM {table.fullname} ORDER BY {listed} LIMIT :batch")  # noqa: S608 - names of our own tables
    next_ = text(
        f"SELECT * FROM {table.fullname} WHERE ({listed}) > ({names}) ORDER BY {listed} LIMIT :batch"  # noqa: S608
    )
    rows = await tx.all(first, batch=_BATCH)
    while rows:
        yield rows
        last = {f"k{number}": rows[-1][name] for number, name in enumerate(key)}
        rows = await tx.all(next_, batch=_BATCH, **last)


def _count(table: Table) -> TextClause:
    return text(f"SELECT count(*) FROM {table.fullname}")  # noqa: S608 - names of our own tables


def _faults(table: Table, row: Found) -> Iterator[str]:
    key = [row[column.name] for column in table.primary_key.columns]
    opened: dict[str, str] = {}
    for column in _sealed(table):
        if row[column] is None:
            continue
        try:
            opened[column] = keys.decrypt(row[column], keys.at(f"{table.name}.{column}", *key))
        except keys.Unreadable:
            yield f"“{column}”无法读取：被改动，或从别处移来"
    if table.name in _WITH_KEY and not _number_fits(row, opened.get("phone_sealed")):
        yield "号码与其检索值不符"
    if table.name == "citizen" and not seal_holds(Citizen, row):
        yield "号码与登记时不符"


def _number_fits(row: Found, phone: str | None) -> bool:
    """Who has no number has neither; one that cannot be read is named already."""
    if phone is None:
        return (row.phone_sealed is None) == (row.phone_key is None)
    fits: bool = keys.lookup("phone", phone) == row.phone_key
    return fits


def _staff(row: Found) -> Sequence[str]:
    if row.seal is None:
        return ["姓名未经确认：请核对后执行 qungong staff confirm"]
    return [] if seal_holds(Staff, row) else ["姓名与确认时不符"]


async def _bytes(row: Found) -> str | None:
    if row.media not in set(Media):
        return "不是照片，也不是语音"
    media = Media(row.media)
    what = "语音" if media in VOICES else "照片"
    try:
        stored = await attachments.load(row.id, media)
    except NotFound:
        return f"{what}文件缺失"
    return None if sha256(stored).digest() == row.digest else f"{what}文件被改动"


def _wrong(table: str, key: object, what: str) -> Wrong:
    return {"table": table, "key": str(key), "what": what}
