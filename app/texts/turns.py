"""How a text ended each time before it was sent again or settled, and who decided so: nothing of it is lost. Only added to."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlmodel import Field

from app import keys
from app.db import Transaction
from app.db.row_base import MOMENT, Stored, one_of
from app.texts.outbox import MessageState, OutboxMessage, Why
from app.texts.terms import FollowedBy


class EndedTurn(Stored, table=True):
    """One turn of a message, as it ended. What followed did so at `at`: by a person with a reason, or by the system itself."""

    __tablename__ = "ended_turn"
    __table_args__ = (
        one_of("state", MessageState),
        one_of("why", Why),
        one_of("followed_by", FollowedBy),
        CheckConstraint(
            "(followed_by = 'retried') = (by_staff_id IS NULL) AND (by_staff_id IS NULL) = (reason_sealed IS NULL) "
            "AND (by_staff_id IS NULL) = (by_unit_id IS NULL)",
            name="ended_turn_by_person_with_reason",
        ),
        Index(
            "ended_turn_by_provider_id",
            "provider_id",
            unique=True,
            postgresql_where=text("provider_id IS NOT NULL"),
        ),
    )
    KEY: ClassVar[tuple[str, ...]] = ("message_id", "turn")

    message_id: UUID = Field(primary_key=True, foreign_key="outbox_message.id")
    turn: int = Field(primary_key=True)
    state: MessageState = Field(sa_type=Text)
    why: Why | None = Field(default=None, sa_type=Text)
    error: str | None = Field(default=None, max_length=60)
    provider_id: str | None = Field(default=None, max_length=64)
    attempts: int
    ended_at: datetime | None = Field(default=None, sa_type=MOMENT)
    followed_by: FollowedBy = Field(sa_type=Text)
    by_staff_id: int | None = Field(default=None, foreign_key="staff.id")
    by_unit_id: int | None = Field(default=None, foreign_key="unit.id")
    # People's words: a reason may hold a name.
    reason_sealed: bytes | None = None
    at: datetime = Field(sa_type=MOMENT)


def end(
    tx: Transaction,
    message: OutboxMessage,
    followed_by: FollowedBy,
    *,
    now: datetime,
    staff_id: int | None = None,
    unit_id: int | None = None,
    reason: str | None = None,
) -> None:
    """Keep how the message's present turn ended, before anything of it is changed."""
    tx.add(
        EndedTurn(
            message_id=message.id,
            turn=message.turn,
            state=message.state,
            why=message.why,
            error=message.error,
            provider_id=message.provider_id,
            attempts=message.attempts,
            ended_at=message.settled_at,
            followed_by=followed_by,
            by_staff_id=staff_id,
            by_unit_id=unit_id,
            reason_sealed=None
            if reason is None
            else keys.encrypt(
                reason, keys.at("ended_turn.reason_sealed", message.id, message.turn)
            ),
            at=now,
        )
    )


def begin(message: OutboxMessage, *, due_at: datetime, expires_at: datetime) -> None:
    """The next turn: with attempts, a lease and a provider's id of its own."""
    message.turn += 1
    message.state, message.why, message.error = MessageState.QUEUED, None, None
    message.attempts, message.inquiries = 0, 0
    message.provider_id, message.reported = None, None
    message.lease_token, message.lease_until, message.settled_at = None, None, None
    message.due_at, message.expires_at = due_at, expires_at
