"""What the outside world is owed: written with the change that owes it, delivered by the workers. Sends nothing.

A message's way: announced (queued), claimed (sending, with a lease), settled with what the provider answered, and moved
forward by the provider's reports. An attempt that ended unknown is inquired about before anything else is done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from random import random
from typing import Any, ClassVar, Final
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import CheckConstraint, Index, Text, text
from sqlmodel import Field

from app import clock, keys
from app.bell import Bell, ring
from app.db import Transaction
from app.identifiers import uuid7
from app.stored import MOMENT, Stored, one_of


class MessageKind(StrEnum):
    """What is owed. All but SURVEY_OWED are text messages; sms/texts.py has a template for each."""

    ONE_TIME_CODE = "one_time_code"
    RECEIPT = "receipt"
    SUPPLEMENT_REQUESTED = "supplement_requested"
    DECLINED = "declined"
    MOVED = "moved"
    PROGRESS = "progress"
    ANSWERED = "answered"
    REWORKED = "reworked"
    MERGED = "merged"
    EXTENDED = "extended"
    WAITING = "waiting"
    SURVEY = "survey"
    SURVEY_OWED = "survey_owed"
    SURVEY_REMINDER = "survey_reminder"


class MessageState(StrEnum):
    """UNKNOWN: the provider may or may not have it; it is reconciled, never simply sent again."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    NEEDS_HUMAN = "needs_human"
    DONE = "done"


FINAL: Final = frozenset(MessageState) - {
    MessageState.QUEUED, MessageState.SENDING, MessageState.ACCEPTED, MessageState.UNKNOWN,
}  # fmt: skip

# How long a text is still worth sending. A code nobody waits for any more must not arrive.
_WORTH_SENDING = {MessageKind.ONE_TIME_CODE: timedelta(minutes=5)}
_WORTH_SENDING_ELSE = timedelta(days=3)


class OutboxMessage(Stored, table=True):
    """One thing owed. `params_sealed` is encrypted JSON: it holds titles and codes.

    `due_at` is when it may next be tried. `lease_token` fences: a worker whose lease has passed on cannot mark it.
    `lease_until`: while sending, when the attempt counts as lost; while unknown, when it may next be inquired about.
    `attempts` counts tries to send and inquiries that learned nothing.
    """

    __tablename__ = "outbox_message"
    __table_args__ = (
        one_of("kind", MessageKind),
        one_of("state", MessageState),
        CheckConstraint(
            "kind = 'survey_owed' OR (citizen_id IS NULL) <> (phone_sealed IS NULL)",
            name="one_recipient",
        ),
        Index(
            "outbox_due",
            "due_at",
            "id",
            postgresql_where=text("state = 'queued' AND kind <> 'survey_owed'"),
        ),
        Index(
            "outbox_surveys_due",
            "due_at",
            "id",
            postgresql_where=text("state = 'queued' AND kind = 'survey_owed'"),
        ),
        Index(
            "outbox_under_way",
            "lease_until",
            postgresql_where=text("state IN ('sending', 'unknown')"),
        ),
        Index("outbox_by_case", "case_id"),
        Index(
            "outbox_by_provider_id",
            "provider_id",
            unique=True,
            postgresql_where=text("provider_id IS NOT NULL"),
        ),
    )
    CHANGING: ClassVar[tuple[str, ...]] = (
        "state",
        "attempts",
        "due_at",
        "lease_until",
        "lease_token",
        "provider_id",
        "error",
        "settled_at",
    )

    id: UUID = Field(primary_key=True)
    kind: MessageKind = Field(sa_type=Text)
    case_id: UUID | None = None
    round: int = 0
    citizen_id: UUID | None = Field(default=None, foreign_key="citizen.id")
    phone_sealed: bytes | None = None
    params_sealed: bytes
    # Owed once: a second announcement of the same thing is a mistake and fails the transaction.
    once: str | None = Field(default=None, max_length=120, unique=True)
    state: MessageState = Field(default=MessageState.QUEUED, sa_type=Text)
    attempts: int = 0
    due_at: datetime = Field(sa_type=MOMENT)
    expires_at: datetime = Field(sa_type=MOMENT)
    lease_until: datetime | None = Field(default=None, sa_type=MOMENT)
    lease_token: UUID | None = None
    provider_id: str | None = Field(default=None, max_length=64)
    error: str | None = Field(default=None, max_length=60)
    created_at: datetime = Field(sa_type=MOMENT)
    settled_at: datetime | None = Field(default=None, sa_type=MOMENT)


_RING_FOR_TEXTS: Final = partial(ring, Bell.OUTBOX)
_RING_FOR_SURVEYS: Final = partial(ring, Bell.DEADLINES)


def announce(
    tx: Transaction,
    kind: MessageKind,
    *,
    now: datetime,
    citizen_id: UUID | None = None,
    phone: str | None = None,
    case_id: UUID | None = None,
    round_: int = 0,
    once: str | None = None,
    no_later_than: datetime | None = None,
    **params: str,
) -> UUID:
    """Owe a message to a citizen (or, before there is one, to a number in E.164); returns its id.

    After `no_later_than` nobody waits for it, whatever its kind.
    """
    expires_at = now + _WORTH_SENDING.get(kind, _WORTH_SENDING_ELSE)
    message = OutboxMessage(
        id=uuid7(now),
        kind=kind,
        case_id=case_id,
        round=round_,
        citizen_id=citizen_id,
        phone_sealed=None if phone is None else keys.encrypt(phone),
        params_sealed=seal_params(params),
        once=once,
        due_at=now,
        expires_at=expires_at if no_later_than is None else min(expires_at, no_later_than),
        created_at=now,
    )
    tx.add(message)
    tx.after_commit[_RING_FOR_SURVEYS if kind is MessageKind.SURVEY_OWED else _RING_FOR_TEXTS] = (
        None
    )
    return message.id


def seal_params(params: Mapping[str, str]) -> bytes:
    return keys.encrypt(msgspec.json.encode(params).decode())


def open_params(sealed: bytes) -> dict[str, str]:
    return msgspec.json.decode(keys.decrypt(sealed), type=dict[str, str])


# A refusal for the moment: tried again after so long, doubled each time, with jitter.
_FIRST_PAUSE_SECONDS: Final = 15.0
_LONGEST_PAUSE_SECONDS: Final = 600.0
# So many tries or vain inquiries, and a person has to look at it.
_ATTEMPTS: Final = 8
# What an unknown attempt is left alone for, so that the provider's report can come in.
_INQUIRE_AFTER: Final = timedelta(seconds=20)

# `:shift` is zero outside tests and simulations (app/clock.py); the clock is the database's.
_NOW = "(now() + CAST(:shift AS interval))"
_CLAIM = text(f"""
WITH due AS (
  SELECT o.id, o.expires_at <= {_NOW} AS late, coalesce(o.phone_sealed, c.phone_sealed) AS phone
  FROM outbox_message o LEFT JOIN citizen c ON c.id = o.citizen_id
  WHERE o.state = 'queued' AND o.kind <> 'survey_owed' AND o.due_at <= {_NOW}
  ORDER BY o.due_at, o.id LIMIT :most
  FOR UPDATE OF o SKIP LOCKED
), judged AS (
  SELECT *, CASE WHEN late THEN 'expired' WHEN phone IS NULL THEN 'failed' ELSE 'sending' END AS next FROM due
)
UPDATE outbox_message m SET
  state = next,
  error = CASE next WHEN 'failed' THEN 'no_number' ELSE m.error END,
  attempts = m.attempts + CASE next WHEN 'sending' THEN 1 ELSE 0 END,
  lease_token = CASE next WHEN 'sending' THEN CAST(:token AS uuid) END,
  lease_until = CASE next WHEN 'sending' THEN {_NOW} + CAST(:lease AS interval) END,
  settled_at = CASE next WHEN 'sending' THEN NULL ELSE {_NOW} END
FROM judged WHERE m.id = judged.id
RETURNING m.id, m.kind, m.state, m.attempts, m.created_at, m.params_sealed, judged.phone
""")  # noqa: S608 - nothing but the constant above
_LAPSE = text(f"""
UPDATE outbox_message SET state = 'unknown', error = 'lease_lapsed', lease_token = NULL,
  lease_until = {_NOW} + CAST(:pause AS interval)
WHERE id IN (SELECT id FROM outbox_message WHERE state = 'sending' AND lease_until <= {_NOW} FOR UPDATE SKIP LOCKED)
""")  # noqa: S608
_CLAIM_UNKNOWN = text(f"""
WITH due AS (
  SELECT o.id, coalesce(o.phone_sealed, c.phone_sealed) AS phone,
    -- Ids the provider gave to other messages about the same case: two texts may read the same.
    ARRAY(SELECT t.provider_id FROM outbox_message t WHERE t.case_id = o.case_id AND t.provider_id IS NOT NULL) AS taken
  FROM outbox_message o LEFT JOIN citizen c ON c.id = o.citizen_id
  WHERE o.state = 'unknown' AND o.lease_until <= {_NOW}
  ORDER BY o.lease_until LIMIT :most
  FOR UPDATE OF o SKIP LOCKED
)
UPDATE outbox_message m SET lease_token = CAST(:token AS uuid), lease_until = {_NOW} + CAST(:lease AS interval)
FROM due WHERE m.id = due.id
RETURNING m.id, m.kind, m.state, m.attempts, m.created_at, m.params_sealed, due.phone, due.taken
""")  # noqa: S608
_SETTLE = text(f"""
UPDATE outbox_message SET state = :state, error = :error, provider_id = coalesce(:provider_id, provider_id),
  attempts = attempts + :vain, due_at = {_NOW} + CAST(:pause AS interval), lease_token = NULL,
  lease_until = CASE :state WHEN 'unknown' THEN {_NOW} + CAST(:pause AS interval) END,
  settled_at = CASE WHEN :final THEN {_NOW} END
WHERE id = :id AND lease_token = :token AND state IN ('sending', 'unknown')
""")  # noqa: S608
# Reports overtake each other and our own mark. The farthest one wins, whatever the order; without a provider's id
# whatever we thought of the message, the report proves that the provider took it.
_RANK = "array_position(ARRAY['accepted', 'failed', 'undelivered', 'delivered'], {})"
_REPORT = text(f"""
UPDATE outbox_message m SET state = :state, error = :error, lease_token = NULL, lease_until = NULL,
  settled_at = CASE WHEN :final THEN {_NOW} END,
  provider_id = coalesce(m.provider_id, CASE
    WHEN NOT EXISTS (SELECT 1 FROM outbox_message o WHERE o.provider_id = :provider_id) THEN :provider_id END)
WHERE m.id = :id AND m.kind <> 'survey_owed' AND CASE
  WHEN m.provider_id IS NULL THEN m.state <> 'delivered'
  WHEN m.provider_id = :provider_id THEN {_RANK.format("m.state")} < {_RANK.format(":state")}
  ELSE :state = 'delivered' AND m.state <> 'delivered' END
""")  # noqa: S608


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that one worker holds: to send, or (state UNKNOWN) to inquire about."""

    id: UUID
    kind: MessageKind
    state: MessageState
    attempts: int
    created_at: datetime
    token: UUID
    phone_sealed: bytes | None = field(repr=False)
    params_sealed: bytes = field(repr=False)
    taken: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt or an inquiry. QUEUED: the provider does not have it; `counts` says whether it refused."""

    state: MessageState
    provider_id: str | None = None
    error: str | None = None
    counts: bool = True


async def claim(tx: Transaction, most: int, *, lease: timedelta) -> list[Claimed]:
    """Take messages to send, oldest first. Commit before the first is sent: the intent must outlive the attempt.

    On the way, what nobody waits for any more expires, and what has no number fails.
    """
    while True:
        token = uuid4()
        rows = await tx.all(_CLAIM, most=most, token=token, lease=lease, shift=clock.shift())
        sending = [_claimed(row, token) for row in rows if row.state == MessageState.SENDING]
        if sending or not rows:
            return sorted(sending, key=lambda one: one.id)


async def claim_unknown(tx: Transaction, most: int, *, lease: timedelta) -> list[Claimed]:
    """Take messages whose last attempt ended unknown, or whose worker did not come back, to inquire about them."""
    shift = clock.shift()
    await tx.execute(_LAPSE, pause=_INQUIRE_AFTER, shift=shift)
    token = uuid4()
    rows = await tx.all(_CLAIM_UNKNOWN, most=most, token=token, lease=lease, shift=shift)
    return [_claimed(row, token) for row in rows]


async def settle(tx: Transaction, message: Claimed, outcome: Outcome) -> bool:
    """Mark what came of it. False: the lease has passed on, or a report was faster; then nothing is changed."""
    state, vain, pause = _resolve(message, outcome)
    done = await tx.execute(
        _SETTLE,
        id=message.id,
        token=message.token,
        state=state,
        final=state in FINAL,
        vain=int(vain),
        pause=pause,
        provider_id=outcome.provider_id,
        error=outcome.error and outcome.error[:60],
        shift=clock.shift(),
    )
    return done == 1


async def record_status(
    tx: Transaction,
    message_id: UUID,
    provider_id: str,
    status: MessageState,
    error_code: str | None = None,
) -> bool:
    """Take the provider's report on a message: ACCEPTED, DELIVERED, UNDELIVERED or FAILED. True: it told us something.

    Reports may come repeatedly, in any order, and before our own mark: then this is the proof of acceptance, and the
    message is not sent again.
    """
    done = await tx.execute(
        _REPORT,
        id=message_id,
        provider_id=provider_id,
        state=status,
        final=status in FINAL,
        error=error_code and error_code[:60],
        shift=clock.shift(),
    )
    return done == 1


def _resolve(message: Claimed, outcome: Outcome) -> tuple[MessageState, bool, timedelta]:
    """The next state, whether this was a vain inquiry, and how long to pause before the next step."""
    if message.state is MessageState.UNKNOWN:
        return _resolve_inquiry(message, outcome)
    if outcome.state is not MessageState.QUEUED:
        return outcome.state, False, _INQUIRE_AFTER
    if outcome.counts and message.attempts >= _ATTEMPTS:
        return MessageState.NEEDS_HUMAN, False, timedelta()
    return MessageState.QUEUED, False, _pause(message.attempts)


def _resolve_inquiry(message: Claimed, outcome: Outcome) -> tuple[MessageState, bool, timedelta]:
    vain = outcome.state is MessageState.UNKNOWN
    if outcome.state is MessageState.QUEUED and message.kind is MessageKind.ONE_TIME_CODE:
        # Its reader has asked for another one by now; two codes on one screen help nobody.
        return MessageState.FAILED, False, timedelta()
    if outcome.state in (MessageState.QUEUED, MessageState.UNKNOWN) and (
        message.attempts + vain >= _ATTEMPTS
    ):
        return MessageState.NEEDS_HUMAN, vain, timedelta()
    return outcome.state, vain, _pause(message.attempts) if vain else timedelta()


def _pause(attempts: int) -> timedelta:
    longest = min(_FIRST_PAUSE_SECONDS * 2 ** (attempts - 1), _LONGEST_PAUSE_SECONDS)
    return timedelta(seconds=longest * (0.5 + random() / 2))  # noqa: S311 - jitter, not a secret


def _claimed(row: Any, token: UUID) -> Claimed:
    return Claimed(
        id=row.id,
        kind=MessageKind(row.kind),
        state=MessageState(row.state),
        attempts=row.attempts,
        created_at=row.created_at,
        token=token,
        phone_sealed=row.phone,
        params_sealed=row.params_sealed,
        taken=getattr(row, "taken", ()),
    )
