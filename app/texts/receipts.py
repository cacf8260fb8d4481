"""What the provider reports about a text after it took it. Reports repeat, overtake each other and come before our own mark.

The farthest one wins, whatever the order; where we do not have the provider's id yet, a report proves that it took the text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from app import clock
from app.db import Transaction
from app.db.query import Query, columns
from app.texts import channel, policy, turns
from app.texts.outbox import MessageState, OutboxMessage
from app.texts.terms import ErrorClass, FollowedBy, PauseReason

_NOW: Final = "(now() + CAST(:shift AS interval))"
_RANK: Final = (
    "coalesce(array_position(ARRAY['accepted', 'failed', 'undelivered', 'delivered'], {}), 0)"
)
# Of an earlier turn, or of another attempt than the one we know, only that it arrived says something: then it has arrived.
_EARLIER: Final = """(coalesce(g.turn < m.turn, false)
  OR EXISTS (SELECT 1 FROM ended_turn e WHERE e.message_id = m.id AND e.provider_id = g.provider_id AND e.turn < m.turn))"""
_SAYS_SOMETHING: Final = f"""m.kind <> 'survey_owed' AND CASE
  WHEN {_EARLIER} THEN g.status = 'delivered' AND m.state <> 'delivered'
  WHEN m.provider_id IS NULL THEN {_RANK.format("m.reported")} < {_RANK.format("g.status")}
  WHEN m.provider_id = g.provider_id THEN
    {_RANK.format("coalesce(m.reported, m.state)")} < {_RANK.format("g.status")}
  ELSE g.status = 'delivered' AND m.state <> 'delivered' END"""
_FREE_ID: Final = f"""CASE
  WHEN NOT {_EARLIER} AND (SELECT o.id FROM outbox_message o WHERE o.provider_id = g.provider_id) IS NULL
  THEN g.provider_id END"""  # noqa: S608 - nothing but the constant above
# Locked in one order whoever marks: two copies of a batch must not wait for each other in a circle. What went well is
# moved at once; what follows from the rest, the policy says.


@dataclass(frozen=True, slots=True)
class _Taken:
    """A message as it was before the report. `free_id`: the provider's id, where no other message has it."""

    message: OutboxMessage
    free_id: str | None
    told: MessageState
    moment: datetime


_TAKE: Final = Query(
    _Taken,
    f"""
WITH told AS MATERIALIZED (
  SELECT m.*, g.status AS told, {_NOW} AS moment, {_NOW} + CAST(:ask_after AS interval) AS ask_at
  FROM (
    SELECT * FROM jsonb_to_recordset(CAST(:given AS jsonb)) AS r(id uuid, provider_id text, status text, turn int) ORDER BY id
  ) g CROSS JOIN LATERAL (
    -- One by one, by its index: what was planned while the table was small would read all of it.
    SELECT m.*, {_FREE_ID} AS free_id FROM outbox_message m WHERE m.id = g.id AND {_SAYS_SOMETHING} LIMIT 1 FOR UPDATE
  ) m
), moved AS (
  UPDATE outbox_message m SET reported = t.told, error = NULL, lease_token = NULL,
    -- Should no further report come.
    lease_until = CASE WHEN t.told = 'accepted' AND t.state <> 'done' THEN t.ask_at END,
    -- What a person has settled stays so, but that it arrived after all is worth knowing.
    state = CASE WHEN t.state = 'done' AND t.told <> 'delivered' THEN t.state ELSE t.told END,
    why = CASE WHEN t.state = 'done' AND t.told <> 'delivered' THEN t.why END,
    settled_at = CASE WHEN t.told = 'delivered' THEN t.moment WHEN t.state = 'done' THEN t.settled_at END,
    provider_id = coalesce(t.provider_id, t.free_id)
  FROM told t WHERE m.id = t.id AND t.told IN ('accepted', 'delivered')
)
SELECT {columns("t", OutboxMessage, "message")}, t.free_id, t.told, t.moment FROM told t
""",  # noqa: S608 - nothing but the constants above
)
_encoder: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Report:
    """What a provider says became of a text: ACCEPTED, DELIVERED, UNDELIVERED or FAILED. `turn`: None where it is not told.

    `provider_id`: None where it was asked and does not tell its name for it.
    """

    message_id: UUID
    provider_id: str | None
    status: MessageState
    error_code: str | None = None
    error: ErrorClass | None = None
    turn: int | None = None


async def record(tx: Transaction, reports: Sequence[Report], *, provider: str) -> set[UUID]:
    """Take reports, each of another message and under another id; returns the messages of those that told us something.

    Where the account is to blame, every further text would fare the same: then nothing is sent for a while.
    """
    told = {report.message_id: report for report in reports}
    rows = await _TAKE.all(
        tx, given=_given(reports), ask_after=policy.ASK_AFTER[0], shift=clock.shift()
    )
    for row in rows:
        if row.told not in (MessageState.ACCEPTED, MessageState.DELIVERED):
            _did_not_arrive(tx, row, told[row.message.id])
    reported = [told[row.message.id] for row in rows]
    blamed = [one for one in reported if one.error is ErrorClass.ACCOUNT]
    if blamed:
        await channel.pause(tx, provider, PauseReason.ACCOUNT, blamed[0].error_code)
    return {row.message.id for row in rows}


def _given(reports: Sequence[Report]) -> str:
    given = [
        {
            "id": report.message_id,
            "provider_id": report.provider_id,
            "status": report.status,
            "turn": report.turn,
        }
        for report in reports
    ]
    return _encoder.encode(given).decode()


def _did_not_arrive(tx: Transaction, row: _Taken, report: Report) -> None:
    message, now = row.message, row.moment
    message.provider_id = message.provider_id or row.free_id
    message.error = report.error_code and report.error_code[:60]
    message.reported, message.settled_at = report.status, now
    message.lease_token = message.lease_until = None
    if message.state is MessageState.DONE:
        # A person has seen to it already.
        tx.change(message)
        return
    # Once by itself, and not where a person had it sent again: they see to it.
    may_retry = message.turn == 1 and now + policy.RETRY_AFTER < message.expires_at
    step = policy.after_report(message.kind, report.status, report.error, may_retry=may_retry)
    if step.state is MessageState.QUEUED:
        message.state = report.status
        turns.end(tx, message, FollowedBy.RETRIED, now=now)
        turns.begin(
            message, due_at=now + (step.pause or timedelta()), expires_at=message.expires_at
        )
    else:
        message.state, message.why = step.state, step.why
    tx.change(message)
