"""Cancels queued survey texts that are no longer needed. A text that a worker has claimed is left to it.

Nothing in the row says why: whoever may read it may not know what was answered, nor that it was.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from app.db import Transaction
from app.texts.outbox import MessageState, OutboxMessage

# The columns of an outbox_message.
QueuedText = Mapping[str, object]

_WITHDRAW = text("""
UPDATE outbox_message SET state = 'done', settled_at = :now
WHERE state = 'queued' AND once IN (
  SELECT kind || CAST(s.id AS text) FROM unnest(CAST(:survey_ids AS uuid[])) AS s(id)
  CROSS JOIN (VALUES ('survey-text/'), ('survey-reminder/')) AS k(kind))
""")


async def withdraw(tx: Transaction, survey_ids: Sequence[UUID], now: datetime) -> None:
    """Whatever is queued to ask these questions, or to remind of them."""
    await tx.execute(_WITHDRAW, survey_ids=survey_ids, now=now)


def withdraw_locked(tx: Transaction, queued: Iterable[QueuedText], now: datetime) -> None:
    """The same of rows that were found queued and locked; costs no statement of its own."""
    for row in queued:
        message = OutboxMessage.read(row)
        message.state, message.settled_at = MessageState.DONE, now
        tx.change(message)
