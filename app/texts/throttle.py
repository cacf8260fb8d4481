"""Limits of texts to one number: no repeated words within a time, and a most per day. Sends nothing.

Counted when a text is about to be sent, in the transaction that commits the intent and holds the channel, so that two
workers cannot each find that there is room. One-time codes have limits of their own (app/auth).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import Index, text
from sqlmodel import Field

from app import clock, keys
from app.db import Transaction
from app.db.query import Query
from app.db.row_base import MOMENT, Stored
from app.settings import settings
from app.texts import policy
from app.texts.outbox import MessageKind, MessageState, Why
from app.texts.queue import Claimed

_DAY: Final = timedelta(days=1)
_KEPT: Final = timedelta(days=2)


class Texted(Stored, table=True):
    """That a message went to a number, by keyed digests of both: nobody learns either from the table."""

    __tablename__ = "texted"
    __table_args__ = (
        Index("texted_by_phone", "phone_key", "at"),
        Index("texted_by_age", "at"),
    )

    message_id: UUID = Field(primary_key=True, foreign_key="outbox_message.id")
    phone_key: bytes
    words_key: bytes
    at: datetime = Field(sa_type=MOMENT)


_NOW: Final = "(now() + CAST(:shift AS interval))"
_GIVEN: Final = """jsonb_to_recordset(CAST(:given AS jsonb))
  AS g(place int, id uuid, phone_key bytea, words_key bytea)"""
_NOTE = text(f"""
INSERT INTO texted (message_id, phone_key, words_key, at) SELECT g.id, g.phone_key, g.words_key, {_NOW} FROM {_GIVEN}
ON CONFLICT (message_id) DO UPDATE SET at = excluded.at, phone_key = excluded.phone_key, words_key = excluded.words_key
""")  # noqa: S608 - nothing but the constants above
# Of the same batch only what stands before it counts. What is tried again is no second text, and what ended without
# arriving has not been said.
_OTHER: Final = """t.phone_key = g.phone_key
  AND NOT EXISTS (SELECT 1 FROM given h WHERE h.id = t.message_id AND h.place >= g.place)"""


class _SentText(Struct, frozen=True):
    id: UUID
    nth: datetime | None
    same: bool | None


_LOOK = Query(
    _SentText,
    f"""
WITH given AS MATERIALIZED (SELECT * FROM {_GIVEN})
SELECT * FROM (
  SELECT g.id, (
      SELECT t.at FROM texted t WHERE {_OTHER} AND t.at > {_NOW} - INTERVAL '1 day'
      ORDER BY t.at DESC OFFSET CAST(:a_day AS int) - 1 LIMIT 1) AS nth,
    EXISTS (
      SELECT 1 FROM texted t JOIN outbox_message m ON m.id = t.message_id
      WHERE {_OTHER} AND t.words_key = g.words_key AND t.at > {_NOW} - make_interval(mins => CAST(:minutes AS int))
        AND m.state IN ('sending', 'unknown', 'accepted', 'delivered')) AS same
  FROM given g
) looked WHERE same OR nth IS NOT NULL
""",  # noqa: S608
)
# Not now: given back to the queue for later, or to a person, by the same transaction that claimed it.
_PUT_OFF = text(f"""
WITH given AS (
  SELECT r.*, {_NOW} AS now FROM jsonb_to_recordset(CAST(:given AS jsonb)) AS r(id uuid, state text, why text, due_at timestamptz)
), forgotten AS (
  DELETE FROM texted t USING given WHERE t.message_id = given.id
)
UPDATE outbox_message m SET state = g.state, why = g.why, error = NULL, attempts = m.attempts - 1,
  due_at = coalesce(g.due_at, m.due_at), lease_token = NULL, lease_until = NULL,
  settled_at = CASE WHEN g.due_at IS NULL THEN g.now END
FROM given g WHERE m.id = g.id
""")  # noqa: S608
_FORGET_OLD = text("DELETE FROM texted WHERE at < :before")
_encoder: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed text as it would go out."""

    message: Claimed
    phone: str = field(repr=False)
    body: str = field(repr=False)


async def admit(tx: Transaction, ready: Sequence[Ready]) -> set[UUID]:
    """Those of a claimed batch that may go out now; the others are put off, in this transaction."""
    counted = [one for one in ready if one.message.kind is not MessageKind.ONE_TIME_CODE]
    admitted = {one.message.id for one in ready}
    if not counted:
        return admitted
    await tx.execute(_NOTE, given=_told(counted), shift=clock.shift())
    # What a person has sent again, or the system tries once more after a report, has been weighed already.
    limited = [one for one in counted if one.message.turn == 1]
    found = await _LOOK.all(
        tx,
        given=_told(limited),
        a_day=settings().sms_per_phone_a_day,
        minutes=settings().sms_identical_minutes,
        shift=clock.shift(),
    )
    if found:
        messages = {one.message.id: one.message for one in limited}
        put_off = [_put_off(messages[row.id], row.nth) for row in found]
        await tx.execute(_PUT_OFF, given=_json(put_off), shift=clock.shift())
        admitted -= {row.id for row in found}
    return admitted


async def forget_old(tx: Transaction) -> int:
    """Drop what no limit looks at any more; returns how many."""
    return await tx.execute(_FORGET_OLD, before=await tx.now() - _KEPT)


def _put_off(message: Claimed, nth: datetime | None) -> dict[str, object]:
    """Until the day is no longer full, if that is soon enough; the same words again are for a person to decide about."""
    later = None if nth is None else nth + _DAY
    if later is not None and later < message.expires_at:
        return {"id": message.id, "state": MessageState.QUEUED, "why": None, "due_at": later}
    step = policy.at_the_limit(message.kind, Why.IDENTICAL if later is None else Why.OVER_LIMIT)
    return {"id": message.id, "state": step.state, "why": step.why, "due_at": None}


def _told(ready: Sequence[Ready]) -> str:
    return _json(
        [
            {
                "place": place,
                "id": one.message.id,
                "phone_key": _hex(keys.lookup("phone", one.phone)),
                "words_key": _hex(keys.lookup("words", one.body)),
            }
            for place, one in enumerate(ready)
        ]
    )


def _hex(key: bytes) -> str:
    return "\\x" + key.hex()


def _json(rows: list[dict[str, object]]) -> str:
    return _encoder.encode(rows).decode()
