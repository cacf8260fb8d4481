"""Texts that the provider took and never reported on: it is asked what became of them, a few times. Sends nothing.

What it says is taken as a report is (receipts.py). What it never says, nobody will know: such a text has ended as accepted.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from msgspec import Struct
from sqlalchemy import text

from app import clock
from app.db import Transaction
from app.db.query import Query
from app.texts import policy

_NOW: Final = "(now() + CAST(:shift AS interval))"


class _UnreportedText(Struct, frozen=True):
    id: UUID
    turn: int
    inquiries: int
    provider_id: str | None
    due_at: datetime
    expires_at: datetime
    citizen_id: UUID | None
    phone: bytes
    asked: bool


# Nobody waits for an old code any more, and what has lost its number cannot be asked after: those end unasked.
_CLAIM = Query(
    _UnreportedText,
    f"""
WITH due AS (
  SELECT o.id, coalesce(o.phone_sealed, c.phone_sealed) AS phone,
    o.kind <> 'one_time_code' AND coalesce(o.phone_sealed, c.phone_sealed) IS NOT NULL AS asked,
    {_NOW} AS now, {_NOW} + CAST(:lease AS interval) AS lease_ends
  FROM outbox_message o LEFT JOIN citizen c ON c.id = o.citizen_id
  WHERE o.state = 'accepted' AND o.settled_at IS NULL AND o.lease_until <= {_NOW}
  ORDER BY o.lease_until LIMIT :most
  FOR UPDATE OF o SKIP LOCKED
)
UPDATE outbox_message m SET
  lease_token = CASE WHEN asked THEN CAST(:token AS uuid) END,
  lease_until = CASE WHEN asked THEN due.lease_ends END,
  settled_at = CASE WHEN NOT asked THEN due.now END
FROM due WHERE m.id = due.id
RETURNING m.id, m.turn, m.inquiries, m.provider_id, m.due_at, m.expires_at, m.citizen_id, due.phone, asked
""",  # noqa: S608 - nothing but the constant above
)
# A report takes the lease away.
_IN_VAIN = text(f"""
WITH at AS (SELECT {_NOW} AS moment, {_NOW} + CAST(:pause AS interval) AS pause_ends)
UPDATE outbox_message SET inquiries = :inquiries, lease_token = NULL, lease_until = at.pause_ends,
  settled_at = CASE WHEN at.pause_ends IS NULL THEN at.moment END
FROM at WHERE id = :id AND lease_token = :token
""")  # noqa: S608


@dataclass(frozen=True, slots=True)
class Unreported:
    """A text that one worker holds to ask after it. It was sent after `due_at` and before `expires_at`."""

    id: UUID
    turn: int
    inquiries: int
    provider_id: str | None
    due_at: datetime
    expires_at: datetime
    token: UUID
    citizen_id: UUID | None
    phone_sealed: bytes = field(repr=False)


async def claim(tx: Transaction, most: int, *, lease: timedelta) -> list[Unreported]:
    """Take texts to ask after, those first that have been due the longest. On the way, what is not worth asking ends."""
    while True:
        token = uuid4()
        rows = await _CLAIM.all(tx, most=most, token=token, lease=lease, shift=clock.shift())
        asked = [row for row in rows if row.asked]
        if asked or not rows:
            return [
                Unreported(
                    id=row.id,
                    turn=row.turn,
                    inquiries=row.inquiries,
                    provider_id=row.provider_id,
                    due_at=row.due_at,
                    expires_at=row.expires_at,
                    token=token,
                    citizen_id=row.citizen_id,
                    phone_sealed=row.phone,
                )
                for row in asked
            ]


async def asked_in_vain(tx: Transaction, message: Unreported) -> bool:
    """Nothing was learned: it is asked after later, or has ended. False: the lease has passed on, or a report was faster."""
    inquiries = message.inquiries + 1
    done = await tx.execute(
        _IN_VAIN,
        id=message.id,
        token=message.token,
        inquiries=inquiries,
        pause=policy.after_vain_inquiry(inquiries),
        shift=clock.shift(),
    )
    return done == 1
