"""One thing at a time for each number: what it texts, what it is asked, what its owner says on the page or in a call.

No row of a case or a citizen is locked or touched, so that nothing waits that a handler could notice.
"""

from sqlalchemy import text

from app.db import Transaction

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(:key)")


async def one_at_a_time(tx: Transaction, phone_key: bytes | None) -> None:
    """Until the transaction ends, nothing else is asked or taken of this number. Who has none is asked by a call alone."""
    if phone_key is not None:
        await tx.execute(_ONE_AT_A_TIME, key=int.from_bytes(phone_key[8:16], signed=True))
