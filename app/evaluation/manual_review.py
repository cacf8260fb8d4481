"""Replies that the system could not read, read by people: which answer it is, none, or that the person opts out.

What they read are the citizen's own words, so it counts like any answer. Who may read is who makes the return calls; of
a person who has accused somebody, only who sees that case; and nobody whose own work they may be about. The rules of
reading by machine are in reply_parser.py.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from app import keys
from app.auth.actor import StaffActor
from app.db import Transaction
from app.db.query import Query, columns
from app.errors import ActionNotAllowed, InvalidInput, NotFound
from app.evaluation import answers, opt_out, privacy_role, withdrawal
from app.evaluation.answers import CORRECTED_WITHIN, JOINS, STANDING, AnswerState
from app.evaluation.locking import one_at_a_time
from app.evaluation.models import Reply, ReturnCall
from app.evaluation.number_owners import binds
from app.evaluation.reply_meanings import NotRead
from app.evaluation.return_calls import caller
from app.evaluation.terms import AnswerChannel, CallCause, HandReading
from app.identifiers import uuid7
from app.matters import conflict_of_interest
from app.matters.visibility import VISIBLE_TO_STAFF, viewer

# What a person texts may be about any of their cases, whatever it was taken for. So the words of one who has a sealed
# case are there only for who sees that case, and where two units hold one each, for nobody; and not for who is kept from
# how any of them was evaluated. Words that were taken for an answer are only for who sees that case: the person may have
# another one elsewhere. A text of somebody who never reported anything belongs to no county: each command center
# finds it.
_READABLE = f"""
r.effect IN ('unclear', 'not_asked')
AND NOT EXISTS (
  SELECT 1 FROM matter_facts c
  WHERE c.citizen_id = r.citizen_id AND c.sealed AND c.received_at <= r.received_at AND NOT {VISIBLE_TO_STAFF})
AND NOT EXISTS (
  SELECT 1 FROM surveys.survey s
  WHERE s.citizen_id = r.citizen_id AND s.created_at <= r.received_at AND {conflict_of_interest.KEPT_FROM})
AND (r.survey_id IS NULL OR EXISTS (
  SELECT 1 FROM surveys.survey s JOIN matter_facts c ON c.id = s.matter_id WHERE s.id = r.survey_id AND {VISIBLE_TO_STAFF}))
AND (
  EXISTS (
    SELECT 1 FROM matter_facts c
    WHERE c.citizen_id = r.citizen_id AND c.received_at <= r.received_at AND (:of_center OR c.sealed) AND {VISIBLE_TO_STAFF})
  OR (:of_center AND NOT EXISTS (
    SELECT 1 FROM matter_facts c WHERE c.citizen_id = r.citizen_id AND c.received_at <= r.received_at)))"""  # noqa: S608 - constants
_SELECT = f"""
SELECT {columns("r", Reply, "reply")}, c.ref, c.title, s.round, c.id AS matter_id, given.name_sealed
FROM surveys.reply r
LEFT JOIN surveys.survey s ON s.id = r.survey_id
LEFT JOIN matter_facts c ON c.id = s.matter_id
LEFT JOIN person_as_given given ON given.matter_id = c.id
WHERE {_READABLE} AND """  # noqa: S608 - columns of our own tables


class _ReplyRow(Struct, frozen=True):
    """A reply, with the question that it was taken to answer."""

    reply: Reply
    ref: str | None
    title: str | None
    round: int | None
    matter_id: UUID | None
    name_sealed: bytes | None


_LIST = Query(
    _ReplyRow,
    _SELECT
    + """r.handled_at IS NULL
AND (r.received_at, r.provider_message_id) > (CAST(:after_at AS timestamptz), CAST(:after_id AS text))
ORDER BY r.received_at, r.provider_message_id LIMIT :most""",
)
_ONE = Query(_ReplyRow, _SELECT + "r.provider_message_id = :id")


@dataclass(frozen=True, slots=True)
class _AnswerableRow:
    standing: AnswerState
    ref: str
    title: str


# Asked before the words came, and still to be answered then and now, or to be put right by words that came after the
# answer. A newer round of the same case comes first.
_ANSWERABLE = Query(
    _AnswerableRow,
    f"""
SELECT {STANDING}, g.ref, g.title
FROM surveys.survey s JOIN matter_facts g ON g.id = s.matter_id JOIN matter_facts c ON c.id = g.id
JOIN citizen p ON p.id = s.citizen_id {JOINS}
WHERE s.citizen_id = :citizen_id AND s.asked_at <= :received_at AND (s.window_ends_at >= :since OR a.answered_at >= :since)
  AND {VISIBLE_TO_STAFF}
ORDER BY s.asked_at DESC, s.id
""",  # noqa: S608 - constants of our own
)


@dataclass(frozen=True, slots=True)
class Question:
    """A survey as a person who reads replies knows it."""

    survey_id: UUID
    ref: str
    title: str
    round: int


@dataclass(frozen=True, slots=True)
class _Answerable:
    question: Question
    standing: AnswerState


@dataclass(frozen=True, slots=True)
class UnreadReply:
    """A text as it came in. `about`: the question it was taken to mean; empty where none was open."""

    id: str
    received_at: datetime
    about: Question | None
    handled_at: datetime | None
    not_read: NotRead | None
    words: str = field(repr=False)
    phone: str = field(repr=False)
    name: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of the reading: which question it answered, if it was an answer and one was still to be answered."""

    reading: HandReading
    answered: Question | None


async def unread(
    tx: Transaction, *, by: StaffActor, after: tuple[datetime, str], most: int
) -> list[UnreadReply]:
    """Replies still to be read, the oldest first, from behind `after` on."""
    await privacy_role.enter(tx)
    rows = await _LIST.all(tx, after_at=after[0], after_id=after[1], most=most, **caller(by))
    return [_reply(row) for row in rows]


async def get_reply(
    tx: Transaction, reply_id: str, *, by: StaffActor
) -> tuple[UnreadReply, list[Question]]:
    """The reply, and the questions it may be the answer to."""
    await privacy_role.enter(tx)
    row = await _ONE.one_or_none(tx, id=reply_id, **caller(by))
    if row is None:
        raise NotFound
    return _reply(row), [one.question for one in await _answerable(tx, row.reply, by)]


async def settle(
    tx: Transaction,
    reply_id: str,
    reading: HandReading,
    *,
    ref: str | None,
    by: StaffActor,
    now: datetime,
) -> Settled:
    """Record how the words read. `ref` names the case they are about, where that is not the one they were taken for.

    The first clear answer counts, also here: where the person has answered meanwhile, the reading is only kept. So it is
    of opting out where they have chosen otherwise since.
    """
    await privacy_role.enter(tx)
    found = await _ONE.one_or_none(tx, id=reply_id, **caller(by))
    if found is None:
        raise NotFound
    phone_key = keys.lookup("phone", keys.decrypt(found.reply.phone_sealed, _phone_place(reply_id)))
    await one_at_a_time(tx, phone_key)
    # Again, after the lock: so that it sees what the one before did.
    row = await _ONE.one_or_none(tx, id=reply_id, **caller(by))
    if row is None:
        raise NotFound
    if row.reply.handled_at is not None:
        raise ActionNotAllowed("这条短信已经有人判读。")
    if ref is not None and not reading.about_a_case:
        raise InvalidInput(
            mistakes=[{"where": "body.ref", "what": f"{reading.chinese}的，不指明事件"}]
        )
    reply = row.reply
    meant = _meant(reply, await _answerable(tx, reply, by), ref)
    reply.reading, reply.handled_at, reply.handled_by_staff_id = reading, now, by.staff_id
    tx.change(reply)
    if reading is HandReading.OPTED_OUT:
        await opt_out.out_by_hand(tx, phone_key, said_at=reply.received_at, now=now)
    if meant is None or not reading.about_a_case:
        return Settled(reading, None)
    assert reply.citizen_id is not None, "who sent it was asked"
    reply.survey_id = meant.question.survey_id
    answers.next_turn(tx, await answers.waiting(tx, reply.citizen_id), now)
    if reading.value_read is not None:
        await withdrawal.withdraw(tx, [reply.survey_id], now)
    return _counted(
        tx, reading, meant, keys.decrypt(reply.text_sealed, _words_place(reply_id)), now
    )


def _counted(
    tx: Transaction, reading: HandReading, meant: _Answerable, words: str, now: datetime
) -> Settled:
    value, of = reading.value_read, meant.standing
    if value is None:
        if of.call is None:
            of.call = ReturnCall(
                id=uuid7(now), survey_id=of.survey.id, cause=CallCause.UNREAD, created_at=now
            )
            tx.add(of.call)
        return Settled(reading, None)
    answers.take(tx, of, value, words, AnswerChannel.TEXT, now)
    return Settled(reading, meant.question)


async def _answerable(tx: Transaction, reply: Reply, by: StaffActor) -> list[_Answerable]:
    if reply.citizen_id is None:
        return []
    found = await _ANSWERABLE.all(
        tx,
        citizen_id=reply.citizen_id,
        received_at=reply.received_at,
        since=reply.received_at - CORRECTED_WITHIN,
        **viewer(by),
        **binds(reply.received_at),
    )
    all_ = [
        _Answerable(
            Question(one.standing.survey.id, one.ref, one.title, one.standing.survey.round),
            one.standing,
        )
        for one in found
    ]
    return [one for one in all_ if _could_answer(one.standing, reply.received_at)]


def _could_answer(of: AnswerState, received_at: datetime) -> bool:
    if of.answer is None:
        return of.open(received_at)
    return of.answer.answered_at <= received_at and of.correctable(received_at)


def _meant(reply: Reply, answerable: list[_Answerable], ref: str | None) -> _Answerable | None:
    """The question that is answered: the one named, else the one the words were taken for; never a guess."""
    if ref is None:
        return next((one for one in answerable if one.question.survey_id == reply.survey_id), None)
    named = next((one for one in answerable if one.question.ref == ref), None)
    if named is None:
        raise InvalidInput(
            mistakes=[{"where": "body.ref", "what": "收到短信时，这个人没有这件待评价的事"}]
        )
    return named


def _reply(row: _ReplyRow) -> UnreadReply:
    reply, about = row.reply, None
    if row.ref is not None and row.title is not None and row.round is not None:
        assert reply.survey_id is not None, "the case is found by it"
        about = Question(reply.survey_id, row.ref, row.title, row.round)
    return UnreadReply(
        id=reply.provider_message_id,
        received_at=reply.received_at,
        about=about,
        handled_at=reply.handled_at,
        not_read=reply.not_read,
        words=keys.shown(reply.text_sealed, _words_place(reply.provider_message_id)) or "",
        phone=keys.shown(reply.phone_sealed, _phone_place(reply.provider_message_id)) or "",
        name=keys.shown(row.name_sealed, keys.at("person_as_given.name_sealed", row.matter_id)),
    )


def _words_place(reply_id: str) -> keys.Place:
    return keys.at("reply.text_sealed", reply_id)


def _phone_place(reply_id: str) -> keys.Place:
    return keys.at("reply.phone_sealed", reply_id)
