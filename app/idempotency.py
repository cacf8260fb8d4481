"""The same request sent twice has one effect: answers kept by owner and key, in the transaction that earned them."""

from datetime import datetime
from hashlib import sha256

from sqlalchemy import Index, Text, text
from sqlmodel import Field

from app.db import MOMENT, Stored, Transaction

KEPT_HOURS = 48


class GivenAnswer(Stored, table=True):
    """An answer already given. `owner` is who asked: two people may use the same key."""

    __tablename__ = "given_answer"
    __table_args__ = (Index("given_answer_by_age", "created_at"),)

    owner: str = Field(primary_key=True, max_length=60)
    key: str = Field(primary_key=True, max_length=100)
    request_digest: bytes
    status: int
    body: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=MOMENT)


_FIND = text(
    "SELECT request_digest, status, body FROM given_answer WHERE owner = :owner AND key = :key"
)
_FORGET = text("DELETE FROM given_answer WHERE created_at < now() - make_interval(hours => :hours)")


def request_digest(method: str, path: str, body: bytes) -> bytes:
    return sha256(b"\n".join((method.encode(), path.encode(), body))).digest()


async def find(tx: Transaction, owner: str, key: str) -> tuple[bytes, int, str] | None:
    """The digest of the request that earned the answer, its status and its body."""
    row = await tx.one_or_none(_FIND, owner=owner, key=key)
    return None if row is None else (row.request_digest, row.status, row.body)


async def forget_old(tx: Transaction) -> int:
    """Drop answers older than KEPT_HOURS; returns how many."""
    return (await tx.execute(_FORGET, hours=KEPT_HOURS)).rowcount
