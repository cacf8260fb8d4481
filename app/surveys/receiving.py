"""Taking what citizens answer, by text or on the page. Nothing of it reaches the case, its record or who handled it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from app import keys
from app.auth.actor import Actor, CitizenActor
from app.db import Transaction
from app.errors import ActionNotAllowed, NotFound, NotPermitted
from app.identifiers import uuid7
from app.surveys import confidential
from app.surveys.models import (
    Answer,
    AnswerChannel,
    CallCause,
    Reply,
    ReplyEffect,
    ReturnCall,
)
from app.surveys.replies import Reading, Sense, Value, read_reply

# One reply of a phone after the other: the same one delivered twice at once, or two to one question. No row of a case
# or a citizen is locked or touched.
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(:key)")
# A statement of its own, after the lock, so that it sees what the one before did.
_OPEN = text("""
SELECT k.known, k.citizen_id, s.id, s.short_number
FROM (
  SELECT EXISTS (SELECT 1 FROM surveys.reply WHERE provider_message_id = :provider_message_id) AS known,
    (SELECT id FROM citizen WHERE phone_key = :phone_key) AS citizen_id
) k
LEFT JOIN surveys.survey s ON s.citizen_id = k.citizen_id AND s.window_ends_at >= :now
  AND NOT EXISTS (SELECT 1 FROM surveys.answer a WHERE a.survey_id = s.id)
ORDER BY s.asked_at, s.id
""")
_OWN = text("""
SELECT s.id, s.window_ends_at, a.value
FROM grievance g
LEFT JOIN surveys.survey s ON s.case_id = g.id AND s.citizen_id = g.citizen_id
LEFT JOIN surveys.answer a ON a.survey_id = s.id
WHERE g.ref = :ref AND g.citizen_id = :citizen_id
ORDER BY s.round DESC NULLS LAST LIMIT 1
""")
_EFFECTS = {
    Sense.THANKS: ReplyEffect.THANKS,
    Sense.OPT_OUT: ReplyEffect.OPTED_OUT,
    Sense.UNCLEAR: ReplyEffect.UNCLEAR,
}


async def receive(
    tx: Transaction, *, provider_message_id: str, from_phone: str, text: str, now: datetime
) -> ReplyEffect | None:
    """Take a text from a phone (E.164). None: the same delivery was taken before, and has no second effect.

    It answers the open survey it names by short number, else the one asked first. What cannot be read is kept for a
    person to read.
    """
    await confidential.enter(tx)
    phone_key = keys.lookup("phone", from_phone)
    await one_at_a_time(tx, from_phone)
    rows = await tx.all(
        _OPEN, provider_message_id=provider_message_id, phone_key=phone_key, now=now
    )
    if rows[0].known:
        return None
    reading = read_reply(text)
    open_surveys = [(row.id, row.short_number) for row in rows if row.id is not None]
    survey_id = _meant(open_surveys, reading)
    if reading.value is None:
        effect = _EFFECTS[reading.sense]
    elif survey_id is None:
        effect = ReplyEffect.NOT_ASKED
    else:
        effect = ReplyEffect.ANSWERED
        answer(tx, survey_id, reading.value, reading.remark, AnswerChannel.TEXT, now)
    tx.add(
        Reply(
            provider_message_id=provider_message_id,
            phone_sealed=keys.encrypt(from_phone),
            text_sealed=keys.encrypt(_encodable(text)),
            effect=effect,
            survey_id=survey_id,
            received_at=now,
            citizen_id=rows[0].citizen_id,
        )
    )
    return effect


async def one_at_a_time(tx: Transaction, phone: str) -> None:
    """Until the transaction ends, nothing else is taken or read of what this phone texts."""
    lock = keys.lookup("replies", phone)
    await tx.execute(_ONE_AT_A_TIME, key=int.from_bytes(lock[:8], signed=True))


async def evaluate(
    tx: Transaction, ref: str, *, by: Actor, value: Value, remark: str, now: datetime
) -> None:
    """The person helped evaluates on the page. Raises NotFound where the case is not theirs; staff never evaluate."""
    if not isinstance(by, CitizenActor):
        raise NotPermitted("只有反映人本人可以评价。")
    await confidential.enter(tx)
    row = await tx.one_or_none(_OWN, ref=ref, citizen_id=by.citizen_id)
    if row is None:
        raise NotFound
    if row.id is None:
        raise ActionNotAllowed("这件事还没有到评价的时候，办结后会请您评价。")
    if row.value is not None:
        raise ActionNotAllowed("您已经评价过这件事。")
    if row.window_ends_at < now:
        raise ActionNotAllowed("评价的时间已过。")
    answer(tx, row.id, value, remark, AnswerChannel.PAGE, now)


async def own_survey(
    tx: Transaction, ref: str, *, by: CitizenActor
) -> tuple[datetime, Value | None] | None:
    """For the person's own page: until when they may evaluate, and what they answered. None: not asked."""
    await confidential.enter(tx)
    row = await tx.one_or_none(_OWN, ref=ref, citizen_id=by.citizen_id)
    if row is None:
        raise NotFound
    if row.id is None:
        return None
    return row.window_ends_at, None if row.value is None else Value(row.value)


def answer(
    tx: Transaction,
    survey_id: UUID,
    value: Value,
    remark: str,
    channel: AnswerChannel,
    now: datetime,
) -> None:
    """Record the answer, and owe a return call to whom it was not satisfying."""
    tx.add(
        Answer(
            survey_id=survey_id,
            channel=channel,
            value=value,
            remark_sealed=keys.encrypt(_encodable(remark)) if remark else None,
            answered_at=now,
        )
    )
    if value is Value.DISSATISFIED and channel is not AnswerChannel.RETURN_CALL:
        tx.add(
            ReturnCall(
                id=uuid7(now), survey_id=survey_id, cause=CallCause.DISSATISFIED, created_at=now
            )
        )


def _meant(open_surveys: list[tuple[UUID, int]], reading: Reading) -> UUID | None:
    if reading.short_number is None:
        return open_surveys[0][0] if open_surveys else None
    return next((id_ for id_, number in open_surveys if number == reading.short_number), None)


def _encodable(words: str) -> str:
    return words.encode("utf-8", "replace").decode()
