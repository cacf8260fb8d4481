"""Marks the outcomes of attempts and inquiries, many at once. A worker whose lease has passed on marks nothing."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from app import clock
from app.db import Transaction
from app.db.query import Query
from app.texts import policy
from app.texts.outbox import MessageState
from app.texts.policy import Outcome, Step
from app.texts.queue import Claimed

_NOW: Final = "(now() + CAST(:shift AS interval))"


class _SettledText(Struct, frozen=True):
    id: UUID


# Locked in one order whoever marks, as reports are.
_SETTLE = Query(
    _SettledText,
    f"""
WITH r AS MATERIALIZED (
  SELECT r.*, {_NOW} AS now, {_NOW} + make_interval(secs => r.pause) AS after_pause
  FROM jsonb_to_recordset(CAST(:outcomes AS jsonb)) AS r(id uuid, token uuid, state text, why text, error text,
    provider_id text, more int, pause double precision, final boolean)
  JOIN outbox_message m ON m.id = r.id
  WHERE m.lease_token = r.token AND m.state IN ('sending', 'unknown') ORDER BY m.id FOR UPDATE OF m
)
UPDATE outbox_message m SET state = r.state, why = r.why, error = r.error,
  provider_id = coalesce(r.provider_id, m.provider_id), attempts = m.attempts + r.more,
  due_at = CASE WHEN r.state = 'queued' AND r.pause IS NOT NULL THEN r.after_pause ELSE m.due_at END,
  lease_token = NULL,
  lease_until = CASE WHEN r.state IN ('unknown', 'accepted') THEN r.after_pause END,
  settled_at = CASE WHEN r.final THEN r.now END
FROM r WHERE m.id = r.id
RETURNING m.id
""",  # noqa: S608 - nothing but the constant above
)
_encoder: Final = msgspec.json.Encoder()


async def settle(tx: Transaction, outcomes: Sequence[tuple[Claimed, Outcome]]) -> set[UUID]:
    """Mark what came of each; returns those that were marked.

    The others' leases have passed on, or a report was faster; of those nothing is changed.
    """
    told = [_told(message, outcome, step_of(message, outcome)) for message, outcome in outcomes]
    rows = await _SETTLE.all(tx, outcomes=_encoder.encode(told).decode(), shift=clock.shift())
    return {row.id for row in rows}


def step_of(message: Claimed, outcome: Outcome) -> Step:
    after = policy.after_inquiry if message.state is MessageState.UNKNOWN else policy.after_attempt
    return after(message.kind, message.attempts, outcome)


def _told(message: Claimed, outcome: Outcome, step: Step) -> dict[str, object]:
    return {
        "id": message.id,
        "token": message.token,
        "state": step.state,
        "why": step.why,
        "error": outcome.error and outcome.error[:60],
        "provider_id": outcome.provider_id,
        "more": step.more,
        "pause": None if step.pause is None else step.pause.total_seconds(),
        "final": step.final,
    }
