"""Whether what was answered is still so: answers kept for repeated requests, opened, beside the cases they speak of."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import text

from app import idempotency, keys
from app.db import Transaction
from app.db.query import Query

_BATCH = 500
_HOW_MANY = text("SELECT count(*) FROM given_answer")


class _KeptAnswer(Struct, frozen=True):
    owner: str
    key: str
    body_sealed: bytes
    created_at: datetime


_PAGE = Query(
    _KeptAnswer,
    """
SELECT owner, key, body_sealed, created_at FROM given_answer WHERE (owner, key) > (:owner, :key)
ORDER BY owner, key LIMIT :batch
""",
)


class _MatterLength(Struct, frozen=True):
    ref: str
    head_seq: int


_THERE = Query(
    _MatterLength, "SELECT ref, head_seq FROM matter WHERE ref = ANY(CAST(:refs AS text[]))"
)


class _Told(NamedTuple):
    """What an answer says of a case; `version` is how many entries it had, 0 where nothing is said of it."""

    owner: str
    created_at: datetime
    ref: str | None
    version: int


async def how_many(tx: Transaction) -> int:
    counted: int = await tx.scalar(_HOW_MANY)
    return counted


async def broken(tx: Transaction) -> AsyncIterator[tuple[int, list[dict[str, Any]]]]:
    """Batch by batch, how many were looked at, and those the database does not bear out."""
    owner = key = ""
    while rows := await _PAGE.all(tx, owner=owner, key=key, batch=_BATCH):
        told = [one for one in map(_told, rows) if one is not None]
        refs = sorted({one.ref for one in told if one.ref is not None})
        there = {row.ref: row.head_seq for row in await _THERE.all(tx, refs=refs)}
        yield len(rows), [
            {"ref": one.ref, "version": one.version, "owner": one.owner, "answered_at": one.created_at}
            for one in told
            if one.ref not in there or there[one.ref] < one.version
        ]  # fmt: skip
        owner, key = rows[-1].owner, rows[-1].key


def _told(row: _KeptAnswer) -> _Told | None:
    """None: it speaks of no case. Without a reference: it cannot be opened, so nobody will get it again either."""
    try:
        body = msgspec.json.decode(
            keys.decrypt(row.body_sealed, idempotency.body_place(row.owner, row.key))
        )
    except ValueError:
        return _Told(row.owner, row.created_at, None, 0)
    ref = body.get("ref") if isinstance(body, dict) else None
    if not isinstance(ref, str):
        return None
    version = body.get("version")
    return _Told(row.owner, row.created_at, ref, version if isinstance(version, int) else 0)
