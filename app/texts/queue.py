"""Which texts a worker may send or inquire about now. Commit before the first is sent: the intent must outlive the attempt."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import text

from app import clock
from app.db import Transaction
from app.db.query import Query
from app.texts import policy
from app.texts.outbox import MessageKind, MessageState


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that one worker holds: to send, or (state UNKNOWN) to inquire about."""

    id: UUID
    kind: MessageKind
    state: MessageState
    attempts: int
    turn: int
    expires_at: datetime
    # No attempt whose outcome is open was made before.
    due_at: datetime
    token: UUID
    citizen_id: UUID | None
    phone_sealed: bytes | None = field(repr=False)
    params_sealed: bytes = field(repr=False)
    # Ids that the provider gave to similar messages.
    taken: list[str]


# `:shift` is zero outside tests and simulations (app/clock.py); the clock is the database's.
_NOW: Final = "(now() + CAST(:shift AS interval))"
_DUE: Final = f"o.state = 'queued' AND o.due_at <= {_NOW} AND o.expires_at > {_NOW}"
# Codes first: whoever waits for one waits now. Then whatever has been due the longest.
_CLAIM = Query(
    Claimed,
    f"""
WITH codes AS (
  SELECT o.id, coalesce(o.phone_sealed, c.phone_sealed) AS phone
  FROM outbox_message o LEFT JOIN citizen c ON c.id = o.citizen_id
  WHERE {_DUE} AND o.kind = 'one_time_code'
  ORDER BY o.due_at, o.id LIMIT :most
  FOR UPDATE OF o SKIP LOCKED
), others AS (
  SELECT o.id, coalesce(o.phone_sealed, c.phone_sealed) AS phone
  FROM outbox_message o LEFT JOIN citizen c ON c.id = o.citizen_id
  WHERE {_DUE} AND o.kind <> 'survey_owed' AND o.kind <> 'one_time_code'
  ORDER BY o.due_at, o.id LIMIT (SELECT CAST(:most AS bigint) - count(*) FROM codes)
  FOR UPDATE OF o SKIP LOCKED
), due AS (
  SELECT *, CASE WHEN phone IS NULL THEN 'failed' ELSE 'sending' END AS next, {_NOW} AS now,
    {_NOW} + CAST(:lease AS interval) AS lease_ends
  FROM (SELECT * FROM codes UNION ALL SELECT * FROM others) both_kinds
)
UPDATE outbox_message m SET
  state = next,
  error = CASE next WHEN 'failed' THEN 'no_number' ELSE m.error END,
  attempts = m.attempts + CASE next WHEN 'sending' THEN 1 ELSE 0 END,
  lease_token = CASE next WHEN 'sending' THEN CAST(:token AS uuid) END,
  lease_until = CASE next WHEN 'sending' THEN due.lease_ends END,
  settled_at = CASE next WHEN 'sending' THEN NULL ELSE due.now END
FROM due WHERE m.id = due.id
RETURNING m.id, m.kind, m.state, m.attempts, m.turn, m.expires_at, m.due_at, CAST(:token AS uuid) AS token, m.citizen_id,
  due.phone AS phone_sealed, m.params_sealed, ARRAY[]::text[] AS taken
""",  # noqa: S608 - nothing but the constants above
)
_EXPIRE = text(f"""
WITH gone AS (
  SELECT id, {_NOW} AS now FROM outbox_message WHERE state = 'queued' AND kind <> 'survey_owed' AND expires_at <= {_NOW}
  ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED
)
UPDATE outbox_message m SET
  state = CASE {" ".join(f"WHEN m.kind = '{kind}' THEN '{policy.expired(kind)}'" for kind in MessageKind)} END,
  why = 'expired', settled_at = gone.now
FROM gone WHERE m.id = gone.id
""")  # noqa: S608
_LAPSE = text(f"""
WITH lapsed AS (
  SELECT id, {_NOW} + CAST(:pause AS interval) AS pause_ends FROM outbox_message
  WHERE state = 'sending' AND lease_until <= {_NOW} FOR UPDATE SKIP LOCKED
)
UPDATE outbox_message m SET state = 'unknown', error = 'lease_lapsed', lease_token = NULL, lease_until = lapsed.pause_ends
FROM lapsed WHERE m.id = lapsed.id
""")  # noqa: S608
_CLAIM_UNKNOWN = Query(
    Claimed,
    f"""
WITH due AS (
  SELECT o.id, coalesce(o.phone_sealed, c.phone_sealed) AS phone,
    -- Ids the provider gave to other messages about the same case, and to this one's earlier turns: they may read the same.
    ARRAY(SELECT t.provider_id FROM outbox_message t WHERE t.matter_id = o.matter_id AND t.provider_id IS NOT NULL
      UNION ALL SELECT e.provider_id FROM ended_turn e WHERE e.message_id = o.id AND e.provider_id IS NOT NULL) AS taken,
    {_NOW} + CAST(:lease AS interval) AS lease_ends
  FROM outbox_message o LEFT JOIN citizen c ON c.id = o.citizen_id
  WHERE o.state = 'unknown' AND o.lease_until <= {_NOW}
  ORDER BY o.lease_until LIMIT :most
  FOR UPDATE OF o SKIP LOCKED
)
UPDATE outbox_message m SET lease_token = CAST(:token AS uuid), lease_until = due.lease_ends
FROM due WHERE m.id = due.id
RETURNING m.id, m.kind, m.state, m.attempts, m.turn, m.expires_at, m.due_at, m.lease_token AS token, m.citizen_id,
  due.phone AS phone_sealed, m.params_sealed, due.taken
""",  # noqa: S608
)


async def claim(tx: Transaction, most: int, *, lease: timedelta) -> list[Claimed]:
    """Take messages to send, codes first and then the oldest. On the way, what has no number fails."""
    while True:
        token = uuid4()
        rows = await _CLAIM.all(tx, most=most, token=token, lease=lease, shift=clock.shift())
        sending = [row for row in rows if row.state is MessageState.SENDING]
        if sending or not rows:
            return sorted(sending, key=_place)


async def expire(tx: Transaction, most: int) -> int:
    """End what is not worth sending any more, also while nothing is sent at all; returns how many."""
    return await tx.execute(_EXPIRE, most=most, shift=clock.shift())


async def claim_unknown(tx: Transaction, most: int, *, lease: timedelta) -> list[Claimed]:
    """Take messages whose last attempt ended unknown, or whose worker did not come back, to inquire about them."""
    shift = clock.shift()
    await tx.execute(_LAPSE, pause=policy.INQUIRE_AFTER, shift=shift)
    token = uuid4()
    return await _CLAIM_UNKNOWN.all(tx, most=most, token=token, lease=lease, shift=shift)


def _place(message: Claimed) -> tuple[bool, datetime, UUID]:
    return message.kind is not MessageKind.ONE_TIME_CODE, message.due_at, message.id
