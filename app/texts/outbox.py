"""What the outside world is owed: written with the change that owes it, delivered by the workers. Sends nothing.

A message's way from here on is in app/texts: claimed (sending, with a lease), settled with what the provider answered,
moved forward by the provider's reports, and where no further try will help seen to by a person.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import ClassVar, Final
from uuid import UUID

import msgspec
from sqlalchemy import CheckConstraint, Index, Text, text
from sqlmodel import Field

from app import keys
from app.bell import Bell, ring
from app.db import Transaction
from app.db.row_base import MOMENT, Stored, one_of
from app.identifiers import uuid7


class MessageKind(StrEnum):
    """What is owed. All but SURVEY_OWED are text messages; sms/texts.py has a template for each."""

    ONE_TIME_CODE = "one_time_code"
    RECEIPT = "receipt"
    SUPPLEMENT_REQUESTED = "supplement_requested"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
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
    STAFF_NOTICE = "staff_notice"
    STAFF_WORK = "staff_work"
    STAFF_PRESSED = "staff_pressed"
    STAFF_DECISION = "staff_decision"
    STAFF_CALLS = "staff_calls"
    REVIEW_ASKED = "review_asked"
    REVIEW_DECIDED = "review_decided"
    STAFF_RELIEVED = "staff_relieved"


# What staff are told: to sign in and look.
TO_STAFF: Final = frozenset(
    {
        MessageKind.STAFF_NOTICE, MessageKind.STAFF_WORK, MessageKind.STAFF_PRESSED, MessageKind.STAFF_DECISION,
        MessageKind.STAFF_CALLS, MessageKind.STAFF_RELIEVED,
    }
)  # fmt: skip


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


class Why(StrEnum):
    """Why a text did not arrive, for the person who sees to it."""

    NUMBER_UNUSABLE = "number_unusable"
    NOT_TEXTABLE = "not_textable"
    OPTED_OUT = "opted_out"
    CONTENT = "content"
    REFUSED = "refused"
    TRIED_OUT = "tried_out"
    NEVER_KNOWN = "never_known"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    IDENTICAL = "identical"
    OVER_LIMIT = "over_limit"
    BROKEN = "broken"
    TEMPLATE_PENDING = "template_pending"
    TEMPLATE_REJECTED = "template_rejected"


# How long a text is still worth sending. A code nobody waits for any more must not arrive: it is valid for 5 minutes, and
# reading and typing it takes one. What people are owed by law waits a week; a question leaves time to answer it.
_WORTH_SENDING = {
    MessageKind.ONE_TIME_CODE: timedelta(minutes=4),
    MessageKind.SURVEY: timedelta(days=5),
    # Tomorrow there is another one, if there is reason for it.
    **dict.fromkeys(TO_STAFF, timedelta(hours=10)),
    **dict.fromkeys(
        (
            MessageKind.SUPPLEMENT_REQUESTED,
            MessageKind.DECLINED,
            MessageKind.WITHDRAWN,
            MessageKind.ANSWERED,
            MessageKind.REWORKED,
            MessageKind.MERGED,
            MessageKind.EXTENDED,
            MessageKind.WAITING,
            MessageKind.REVIEW_ASKED,
            MessageKind.REVIEW_DECIDED,
        ),
        timedelta(days=7),
    ),
}
_WORTH_SENDING_ELSE = timedelta(days=3)


def worth_sending(kind: MessageKind) -> timedelta:
    """How long after it was owed, or a person had it sent again, a text may still go out."""
    return _WORTH_SENDING.get(kind, _WORTH_SENDING_ELSE)


class OutboxMessage(Stored, table=True):
    """One thing owed. `params_sealed` is encrypted JSON: it holds titles and codes.

    `due_at` is when it may next be tried. `lease_token` fences: a worker whose lease has passed on cannot mark it.
    `lease_until`: while sending, when the attempt counts as lost; while unknown, when it may next be inquired about; while
    accepted, when the provider is asked what became of it. `inquiries` counts those in vain; after the last of them the text
    stays accepted, and `settled_at` says that no report ever came.
    `attempts` counts tries to send and inquiries that learned nothing, in this turn: when a text that had ended is sent
    again, another `turn` begins, and how the one before ended is kept (app/texts/turns.py). `reported` is the farthest
    that the provider itself told of this turn.
    """

    __tablename__ = "outbox_message"
    __table_args__ = (
        one_of("kind", MessageKind),
        one_of("state", MessageState),
        one_of("why", Why),
        one_of("reported", MessageState),
        CheckConstraint("state <> 'needs_human' OR why IS NOT NULL", name="needs_human_says_why"),
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
        Index(
            "outbox_unreported",
            "lease_until",
            postgresql_where=text("state = 'accepted' AND settled_at IS NULL"),
        ),
        Index(
            "outbox_never_reported",
            "settled_at",
            postgresql_where=text("state = 'accepted' AND settled_at IS NOT NULL"),
        ),
        # Whoever waits for a code waits now: codes go before everything else that is due.
        Index(
            "outbox_codes_due",
            "due_at",
            "id",
            postgresql_where=text("state = 'queued' AND kind = 'one_time_code'"),
        ),
        Index(
            "outbox_expiring",
            "expires_at",
            postgresql_where=text("state = 'queued' AND kind <> 'survey_owed'"),
        ),
        Index("outbox_needs_human", "id", postgresql_where=text("state = 'needs_human'")),
        Index("outbox_by_matter", "matter_id"),
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
        "inquiries",
        "due_at",
        "lease_until",
        "lease_token",
        "provider_id",
        "error",
        "why",
        "turn",
        "reported",
        "expires_at",
        "settled_at",
    )

    id: UUID = Field(primary_key=True)
    kind: MessageKind = Field(sa_type=Text)
    matter_id: UUID | None = None
    round: int = 0
    citizen_id: UUID | None = Field(default=None, foreign_key="citizen.id")
    phone_sealed: bytes | None = None
    params_sealed: bytes
    # Owed once: a second announcement of the same thing is a mistake and fails the transaction.
    once: str | None = Field(default=None, max_length=120, unique=True)
    state: MessageState = Field(default=MessageState.QUEUED, sa_type=Text)
    attempts: int = 0
    inquiries: int = 0
    due_at: datetime = Field(sa_type=MOMENT)
    expires_at: datetime = Field(sa_type=MOMENT)
    # Whatever its kind, and also where a person has it sent again: after that nobody can act on it any more.
    no_later_than: datetime | None = Field(default=None, sa_type=MOMENT)
    lease_until: datetime | None = Field(default=None, sa_type=MOMENT)
    lease_token: UUID | None = None
    provider_id: str | None = Field(default=None, max_length=64)
    error: str | None = Field(default=None, max_length=60)
    why: Why | None = Field(default=None, sa_type=Text)
    turn: int = 1
    reported: MessageState | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=MOMENT)
    settled_at: datetime | None = Field(default=None, sa_type=MOMENT)


_OWE_TO_NUMBERS: Final = text("""
INSERT INTO outbox_message
  (id, kind, round, phone_sealed, params_sealed, once, state, attempts, inquiries, due_at, expires_at, turn, created_at)
SELECT n.id, :kind, 0, n.phone_sealed, n.params_sealed, n.once, 'queued', 0, 0, :due_at, :expires_at, 1, :now
FROM unnest(CAST(:ids AS uuid[]), CAST(:phones AS bytea[]), CAST(:params AS bytea[]), CAST(:onces AS text[]))
  AS n(id, phone_sealed, params_sealed, once)
ON CONFLICT (once) DO NOTHING
""")
_RING_FOR_TEXTS: Final = partial(ring, Bell.OUTBOX)
_RING_FOR_SURVEYS: Final = partial(ring, Bell.DEADLINES)


def announce(
    tx: Transaction,
    kind: MessageKind,
    *,
    now: datetime,
    citizen_id: UUID | None = None,
    phone: str | None = None,
    matter_id: UUID | None = None,
    round_: int = 0,
    once: str | None = None,
    no_later_than: datetime | None = None,
    **params: str,
) -> UUID:
    """Owe a message to a citizen (or, before there is one, to a number in E.164); returns its id.

    After `no_later_than` nobody waits for it, whatever its kind.
    """
    expires_at = now + _WORTH_SENDING.get(kind, _WORTH_SENDING_ELSE)
    message_id = uuid7(now)
    message = OutboxMessage(
        id=message_id,
        kind=kind,
        matter_id=matter_id,
        round=round_,
        citizen_id=citizen_id,
        phone_sealed=None if phone is None else seal_phone(message_id, phone),
        params_sealed=seal_params(message_id, params),
        once=once,
        due_at=now,
        expires_at=expires_at if no_later_than is None else min(expires_at, no_later_than),
        no_later_than=no_later_than,
        created_at=now,
    )
    tx.add(message)
    tx.after_commit[_RING_FOR_SURVEYS if kind is MessageKind.SURVEY_OWED else _RING_FOR_TEXTS] = (
        None
    )
    return message.id


async def announce_to_numbers(
    tx: Transaction,
    kind: MessageKind,
    numbers: Collection[tuple[str, str]],
    *,
    now: datetime,
    due_at: datetime,
) -> int:
    """Owe a text without parameters to many numbers (E.164) at once, each given with what it is owed `once` under.

    Whoever is owed it already is left out; returns how many are owed it now.
    """
    # In one order, so that two who owe the same at once wait for each other in no circle.
    ordered = sorted(numbers)
    ids = [uuid7(now) for _ in ordered]
    return await tx.execute(
        _OWE_TO_NUMBERS,
        kind=kind,
        ids=ids,
        onces=[once for once, _ in ordered],
        phones=[seal_phone(one, phone) for one, (_, phone) in zip(ids, ordered, strict=True)],
        params=[seal_params(one, {}) for one in ids],
        due_at=due_at,
        expires_at=due_at + worth_sending(kind),
        now=now,
    )


def seal_params(message_id: UUID, params: Mapping[str, str]) -> bytes:
    return keys.encrypt(
        msgspec.json.encode(params).decode(), keys.at("outbox_message.params_sealed", message_id)
    )


def open_params(message_id: UUID, sealed: bytes) -> dict[str, str]:
    opened = keys.decrypt(sealed, keys.at("outbox_message.params_sealed", message_id))
    return msgspec.json.decode(opened, type=dict[str, str])


def seal_phone(message_id: UUID, phone: str) -> bytes:
    return keys.encrypt(phone, phone_place(message_id, None))


def phone_place(message_id: UUID, citizen_id: UUID | None) -> keys.Place:
    """Where the number of a message's recipient stands: with the citizen, or with the message itself."""
    if citizen_id is None:
        return keys.at("outbox_message.phone_sealed", message_id)
    return keys.at("citizen.phone_sealed", citizen_id)
