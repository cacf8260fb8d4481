"""The same request sent twice has one effect: answers kept by owner and key, in the transaction that earned them."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Index, text
from sqlmodel import Field

from app import keys
from app.db import Transaction
from app.db.query import Query
from app.db.row_base import MOMENT, Stored

KEPT_HOURS = 48
# The digest of the request that earned an answer, the answer's status, and its body.
Given = tuple[bytes, int, str]


class GivenAnswer(Stored, table=True):
    """An answer already given. `owner` is who asked: two people may use the same key."""

    __tablename__ = "given_answer"
    __table_args__ = (Index("given_answer_by_age", "created_at"),)

    owner: str = Field(primary_key=True, max_length=60)
    key: str = Field(primary_key=True, max_length=100)
    request_digest: bytes
    status: int
    # Encrypted: an answer may hold a tracking code.
    body_sealed: bytes
    created_at: datetime = Field(sa_type=MOMENT)


class KeptAnswer(Struct, frozen=True):
    """The columns of an answer that was given."""

    request_digest: bytes
    status: int
    body_sealed: bytes


_FIND = Query(
    KeptAnswer,
    "SELECT request_digest, status, body_sealed FROM given_answer WHERE owner = :owner AND key = :key",
)
_FORGET = text("DELETE FROM given_answer WHERE created_at < now() - make_interval(hours => :hours)")


def request_digest(acting: str, method: str, path: str, body: bytes) -> bytes:
    """Of who asks in which post, of what, and where: under the same key any other request is refused.

    Keyed: whoever reads the table cannot find out by trying which of three ratings was sent.
    """
    parts = (acting.encode(), method.encode(), path.encode(), body)
    return keys.digest("request", b"\n".join(parts))


def given(
    owner: str, key: str, digest: bytes, status: int, body: bytes, now: datetime
) -> GivenAnswer:
    """The row that keeps an answer, to be added to the transaction that earned it."""
    return GivenAnswer(
        owner=owner,
        key=key,
        request_digest=digest,
        status=status,
        body_sealed=keys.encrypt(body.decode(), body_place(owner, key)),
        created_at=now,
    )


async def find(tx: Transaction, owner: str, key: str) -> Given | None:
    row = await _FIND.one_or_none(tx, owner=owner, key=key)
    return None if row is None else opened(row, owner, key)


def opened(row: KeptAnswer, owner: str, key: str) -> Given:
    return row.request_digest, row.status, keys.decrypt(row.body_sealed, body_place(owner, key))


def body_place(owner: str, key: str) -> keys.Place:
    return keys.at("given_answer.body_sealed", owner, key)


async def forget_old(tx: Transaction) -> int:
    """Drop answers older than KEPT_HOURS; returns how many."""
    return await tx.execute(_FORGET, hours=KEPT_HOURS)
