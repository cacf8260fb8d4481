"""One thing at a time for each number: what it texts, what it is asked, what its owner says on the page or in a call.

No row of a case or a citizen is locked or touched, so that nothing waits that a handler could notice.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text

from app.db import Transaction
from app.db.query import Query

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(:key)")
# In one order whoever asks, so that two with the same numbers do not wait for each other in a circle.


class _Locked(NamedTuple):
    moment: datetime
    key: str


_EACH = Query(
    _Locked,
    """
SELECT now() AS moment, CAST(pg_advisory_xact_lock(key) AS text) AS key
FROM (SELECT DISTINCT key FROM unnest(CAST(:keys AS bigint[])) AS k(key) ORDER BY key) AS numbers
""",
)


async def one_at_a_time(tx: Transaction, phone_key: bytes | None) -> None:
    """Until the transaction ends, nothing else is asked or taken of this number. Who has none is asked by a call alone."""
    if phone_key is not None:
        await tx.execute(_ONE_AT_A_TIME, key=_number(phone_key))


async def each_at_a_time(tx: Transaction, phone_keys: Iterable[bytes]) -> datetime:
    """The same for several numbers; returns the database's moment of this transaction, which so costs no statement."""
    rows = await _EACH.all(tx, keys=[_number(key) for key in phone_keys])
    return rows[-1].moment


def _number(phone_key: bytes) -> int:
    return int.from_bytes(phone_key[8:16], signed=True)
