"""Texts that need a person: who sees them, and what a person may do: send again, or settle without sending.

They are the command center's. Those about a sealed matter are there for the supervisors of the unit that holds it and for
nobody else. A text that asks for an evaluation is hidden from staff with a conflict of interest: its state would tell whether it
was answered. Nobody is shown the words, nor the whole number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app import keys
from app.auth.actor import StaffActor
from app.db import Transaction
from app.db.query import Query, columns
from app.directory.terms import Role, UnitKind
from app.errors import ActionNotAllowed, NotFound, NotPermitted
from app.matters.conflict_of_interest import KEPT_FROM_TEXT, asking
from app.matters.visibility import VISIBLE_TO_STAFF
from app.texts import turns
from app.texts.outbox import (
    MessageKind,
    MessageState,
    OutboxMessage,
    Why,
    phone_place,
    worth_sending,
)
from app.texts.terms import FollowedBy
from app.texts.turns import EndedTurn

# A text without a matter is a one-time code or a notice to staff. It names no person and has no county: every command center sees it.
_SEEN: Final = f"""(
  CASE WHEN m.matter_id IS NULL THEN :of_center
    ELSE EXISTS (SELECT 1 FROM matter_facts c WHERE c.id = m.matter_id AND {VISIBLE_TO_STAFF} AND (:of_center OR c.sealed))
      AND NOT {KEPT_FROM_TEXT} END)"""  # noqa: S608 - constants of our own
_SELECT: Final = f"""
SELECT {columns("m", OutboxMessage, "message")}, g.ref, coalesce(m.phone_sealed, p.phone_sealed) AS to_sealed,
  coalesce(m.no_later_than <= CAST(:now AS timestamptz), FALSE) AS too_late
FROM outbox_message m LEFT JOIN matter_facts g ON g.id = m.matter_id LEFT JOIN citizen p ON p.id = m.citizen_id
WHERE m.kind <> 'survey_owed' AND {_SEEN} AND """  # noqa: S608


@dataclass(frozen=True, slots=True)
class _TextRow:
    """A text with the reference of its matter. `too_late`: what it asks for can no longer be done."""

    message: OutboxMessage
    ref: str | None
    to_sealed: bytes | None
    too_late: bool


@dataclass(frozen=True, slots=True)
class _TurnRow:
    ended: EndedTurn
    staff_name: str | None
    unit_name: str | None


_LIST = Query(
    _TextRow,
    _SELECT + "m.state = 'needs_human' AND m.id > CAST(:after AS uuid) ORDER BY m.id LIMIT :most",
)
# Once somebody has been at it, it stays to be looked at.
_TAKEN_UP = (
    "(m.state = 'needs_human' OR EXISTS (SELECT 1 FROM ended_turn e WHERE e.message_id = m.id))"
)
_ONE = Query(_TextRow, f"{_SELECT} m.id = :id AND {_TAKEN_UP}")
_LOCK = Query(_TextRow, _SELECT + "m.id = :id FOR UPDATE OF m")
_TURNS = Query(
    _TurnRow,
    f"""
SELECT {columns("e", EndedTurn, "ended")}, s.name AS staff_name, u.name AS unit_name FROM ended_turn e
LEFT JOIN staff s ON s.id = e.by_staff_id LEFT JOIN unit u ON u.id = e.by_unit_id
WHERE e.message_id = :id ORDER BY e.turn
""",  # noqa: S608 - columns of our own table
)
_FIRST: Final = UUID(int=0)
_REFUSED: Final = "只有县指挥中心可以处理未送达的短信；检举控告的，只有承办单位的督查员可以。"


@dataclass(frozen=True, slots=True)
class TextToSee:
    """A text, as a person who sees to it knows it. `may_resend`: whether sending it again can help at all."""

    id: UUID
    kind: MessageKind
    state: MessageState
    why: Why | None
    error: str | None
    ref: str | None
    attempts: int
    turn: int
    created_at: datetime
    settled_at: datetime | None
    may_resend: bool
    number: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class TurnSeen:
    """How one turn ended, and what followed: by whom, of which unit, why."""

    ended: EndedTurn
    staff_name: str | None
    unit_name: str | None
    reason: str | None = field(repr=False)


async def to_see_to(
    tx: Transaction, *, by: StaffActor, after: UUID | None, most: int
) -> list[TextToSee]:
    """Texts that need a person, the oldest first, from behind `after` on."""
    rows = await _LIST.all(tx, after=after or _FIRST, most=most, **_looking(by))
    return [_seen(row) for row in rows]


async def get_text(
    tx: Transaction, message_id: UUID, *, by: StaffActor
) -> tuple[TextToSee, Sequence[TurnSeen]]:
    """A text that needs a person, or that a person or the system has taken up again, with all that was."""
    row = await _ONE.one_or_none(tx, id=message_id, **_looking(by))
    if row is None:
        raise NotFound
    return _seen(row), [_turn(one) for one in await _TURNS.all(tx, id=message_id)]


async def resend(
    tx: Transaction, message_id: UUID, *, by: StaffActor, reason: str, now: datetime
) -> TextToSee:
    """Queue it once more, as a new turn; how the last one ended stays on record, with who decided so and why.

    Never later than it can be acted on. Raises ActionNotAllowed where no person is needed any more, and where sending
    cannot help.
    """
    row = await _lock(tx, message_id, by)
    message = row.message
    if not _may_resend(row):
        refusal = _TOO_LATE if row.too_late else _NO_CODE
        raise ActionNotAllowed(_NOT_AGAIN.get(message.why or Why.REFUSED, refusal))
    _end(tx, message, FollowedBy.RESENT, by=by, reason=reason, now=now)
    expires_at = now + worth_sending(message.kind)
    turns.begin(
        message, due_at=now, expires_at=min(expires_at, message.no_later_than or expires_at)
    )
    tx.change(message)
    return _seen(row)


async def settle(
    tx: Transaction, message_id: UUID, *, by: StaffActor, reason: str, now: datetime
) -> TextToSee:
    """Done without sending: the person was called, or need not know any more. Raises ActionNotAllowed."""
    row = await _lock(tx, message_id, by)
    message = row.message
    _end(tx, message, FollowedBy.SETTLED, by=by, reason=reason, now=now)
    message.state, message.settled_at = MessageState.DONE, now
    tx.change(message)
    return _seen(row)


async def _lock(tx: Transaction, message_id: UUID, by: StaffActor) -> _TextRow:
    row = await _LOCK.one_or_none(tx, id=message_id, **_looking(by))
    if row is None:
        raise NotFound
    if row.message.state is not MessageState.NEEDS_HUMAN:
        raise ActionNotAllowed("这条短信已不需要人工处理，请刷新列表。")
    return row


def _end(
    tx: Transaction,
    message: OutboxMessage,
    followed_by: FollowedBy,
    *,
    by: StaffActor,
    reason: str,
    now: datetime,
) -> None:
    turns.end(
        tx, message, followed_by, now=now, staff_id=by.staff_id, unit_id=by.unit_id, reason=reason
    )


_NO_CODE: Final = "验证码不能补发，请本人重新获取。"
_TOO_LATE: Final = "评价的时间已过，补发后对方也不能再评价，请直接办结。"
_NOT_AGAIN: Final = {
    Why.OPTED_OUT: "对方已退订短信，不能补发，请打电话告知后办结。",
    Why.NOT_TEXTABLE: "该号码不是手机号码，短信发不到，请打电话告知后办结。",
    Why.BROKEN: "短信内容无法生成，不能补发，请联系系统管理员。",
}


def _may_resend(row: _TextRow) -> bool:
    message = row.message
    return (
        message.state is MessageState.NEEDS_HUMAN
        and not row.too_late
        and message.kind is not MessageKind.ONE_TIME_CODE
        and message.why not in _NOT_AGAIN
    )


def _looking(by: StaffActor) -> dict[str, Any]:
    """The binds of _SEEN. Raises NotPermitted for those who see to no text."""
    of_center = by.unit_kind is UnitKind.COMMAND_CENTER
    if not (by.role is Role.SUPERVISOR or (by.dispatches and of_center)):
        raise NotPermitted(_REFUSED)
    return {"of_center": of_center, **asking(by)}


def _seen(row: _TextRow) -> TextToSee:
    message = row.message
    return TextToSee(
        id=message.id,
        kind=message.kind,
        state=message.state,
        why=message.why,
        error=message.error,
        ref=row.ref,
        attempts=message.attempts,
        turn=message.turn,
        created_at=message.created_at,
        settled_at=message.settled_at,
        may_resend=_may_resend(row),
        number=_number(message, row.to_sealed),
    )


def _number(message: OutboxMessage, sealed: bytes | None) -> str | None:
    number = keys.shown(sealed, phone_place(message.id, message.citizen_id))
    return None if number is None else masked(number)


def masked(number: str) -> str:
    """Enough of a number to tell two apart over the phone, too little to call it."""
    plain = number.removeprefix("+86")
    return f"{plain[:3]}****{plain[-4:]}" if len(plain) >= 10 else "****"


def _turn(row: _TurnRow) -> TurnSeen:
    return TurnSeen(
        row.ended,
        row.staff_name,
        row.unit_name,
        keys.shown(
            row.ended.reason_sealed,
            keys.at("ended_turn.reason_sealed", row.ended.message_id, row.ended.turn),
        ),
    )
