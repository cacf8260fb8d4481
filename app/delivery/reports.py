"""What the provider reports about a text after it took it. Reports repeat, overtake each other and come before our own mark.

The farthest one wins, whatever the order; where we do not have the provider's id yet, a report proves that it took the text.
"""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from app import clock
from app.db import Transaction
from app.delivery import policy, turns
from app.delivery.terms import ErrorClass, FollowedBy
from app.outbox import FINAL, MessageState, OutboxMessage

_NOW: Final = "(now() + CAST(:shift AS interval))"
_RANK: Final = (
    "coalesce(array_position(ARRAY['accepted', 'failed', 'undelivered', 'delivered'], {}), 0)"
)
# Of an earlier turn, or of another attempt than the one we know, only that it arrived says something: then it has arrived.
_EARLIER: Final = """(coalesce(CAST(:turn AS int) < m.turn, false)
  OR EXISTS (SELECT 1 FROM ended_turn e WHERE e.message_id = m.id AND e.provider_id = :provider_id AND e.turn < m.turn))"""
_SAYS_SOMETHING: Final = f"""m.id = :id AND m.kind <> 'survey_owed' AND CASE
  WHEN {_EARLIER} THEN CAST(:status AS text) = 'delivered' AND m.state <> 'delivered'
  WHEN m.provider_id IS NULL THEN {_RANK.format("m.reported")} < {_RANK.format("CAST(:status AS text)")}
  WHEN m.provider_id = :provider_id THEN
    {_RANK.format("coalesce(m.reported, m.state)")} < {_RANK.format("CAST(:status AS text)")}
  ELSE CAST(:status AS text) = 'delivered' AND m.state <> 'delivered' END"""
_FREE_ID: Final = f"""CASE
  WHEN NOT {_EARLIER} AND NOT EXISTS (SELECT 1 FROM outbox_message o WHERE o.provider_id = :provider_id)
  THEN CAST(:provider_id AS text) END"""  # noqa: S608 - nothing but the constant above
_MOVE = text(f"""
UPDATE outbox_message m SET reported = :status, error = NULL, lease_token = NULL, lease_until = NULL,
  -- What a person has settled stays so, but that it arrived after all is worth knowing.
  state = CASE WHEN m.state = 'done' AND NOT :final THEN m.state ELSE :status END,
  why = CASE WHEN m.state = 'done' AND NOT :final THEN m.why END,
  settled_at = CASE WHEN :final THEN {_NOW} WHEN m.state = 'done' THEN m.settled_at END, provider_id = coalesce(m.provider_id, {_FREE_ID})
WHERE {_SAYS_SOMETHING}
""")  # noqa: S608 - nothing but the constants above
_LOCK = text(f"""
SELECT m.*, {_FREE_ID} AS free_id, {_NOW} AS moment FROM outbox_message m
WHERE {_SAYS_SOMETHING} FOR UPDATE
""")  # noqa: S608


async def record_status(
    tx: Transaction,
    message_id: UUID,
    provider_id: str,
    status: MessageState,
    error_code: str | None = None,
    *,
    error: ErrorClass | None = None,
    turn: int | None = None,
) -> bool:
    """Take a report: ACCEPTED, DELIVERED, UNDELIVERED or FAILED, of this turn if known. True: it told us something."""
    about = {
        "id": message_id,
        "provider_id": provider_id,
        "status": status,
        "turn": turn,
        "shift": clock.shift(),
    }
    if status in (MessageState.ACCEPTED, MessageState.DELIVERED):
        return await tx.execute(_MOVE, final=status in FINAL, **about) == 1
    row = await tx.one_or_none(_LOCK, **about)
    if row is None:
        return False
    _take(tx, row, status, error_code, error)
    return True


def _take(
    tx: Transaction,
    row: Any,
    status: MessageState,
    error_code: str | None,
    error: ErrorClass | None,
) -> None:
    message, now = OutboxMessage.read(row), row.moment
    message.provider_id = message.provider_id or row.free_id
    message.error = error_code and error_code[:60]
    message.reported, message.settled_at = status, now
    message.lease_token = message.lease_until = None
    if message.state is MessageState.DONE:
        # A person has seen to it already.
        tx.change(message)
        return
    # Once by itself, and not where a person had it sent again: they see to it.
    may_retry = message.turn == 1 and now + policy.RETRY_AFTER < message.expires_at
    step = policy.after_report(message.kind, status, error, may_retry=may_retry)
    if step.state is MessageState.QUEUED:
        message.state = status
        turns.end(tx, message, FollowedBy.RETRIED, now=now)
        turns.begin(
            message, due_at=now + (step.pause or timedelta()), expires_at=message.expires_at
        )
    else:
        message.state, message.why = step.state, step.why
    tx.change(message)
