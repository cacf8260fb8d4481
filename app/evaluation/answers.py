"""One answer to one survey, whichever way it came: whether it counts, corrects an earlier one, and what it then owes.

The first clear answer counts, and for a day the person may put it right: then the last one counts, the first is kept
beside it. A call owed to somebody who was not satisfied stays owed: whoever talked them round must not be rid of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from app import keys
from app.db import Transaction
from app.db.query import Query, columns
from app.evaluation.invitations import QUIET, open_window
from app.evaluation.models import Answer, ReturnCall, Survey
from app.evaluation.number_owners import Owner, owner_columns
from app.evaluation.terms import (
    AnswerChannel,
    CallCause,
    CallResult,
    CallState,
    Discount,
    ReplyEffect,
    Value,
)
from app.identifiers import uuid7

CORRECTED_WITHIN: Final = timedelta(hours=24)
# A call that found out what is behind it: said again, it is not made again.
_JUDGED: Final = (CallResult.VALID, CallResult.UNREASONABLE)


@dataclass(slots=True)
class AnswerState:
    """A survey as its answers stand: the one that counts, and when the first that did was given. `call`: the one owed."""

    survey: Survey
    owner: Owner
    answer: Answer | None
    first_at: datetime | None
    call: ReturnCall | None

    def open(self, now: datetime) -> bool:
        """Whether it was asked and was still to be answered then; what was answered since was."""
        asked_at, ends_at = self.survey.asked_at, self.survey.window_ends_at
        if asked_at is None or ends_at is None or not asked_at <= now <= ends_at:
            return False
        return self.answer is None or (self.first_at is not None and self.first_at > now)

    def heard_on_page(self, now: datetime) -> bool:
        """Whether the page takes an answer or correction. It need not wait for its turn.

        Where it would not count, the window alone tells: what the people behind the number said when they were called is
        not for who holds it.
        """
        if self.owner.discount is not None:
            ends_at = self.survey.window_ends_at
            return ends_at is None or now <= ends_at
        if self.answer is not None:
            return self.correctable(now)
        return self.survey.asked_at is None or self.open(now)

    def own_answer(self) -> Answer | None:
        """What the owner of the number may be shown as said by them."""
        return None if self.owner.discount is not None else self.answer

    def correctable_until(self) -> datetime | None:
        """What a call took down may be put right as well, by whoever owns the number: nobody is made to have said it."""
        by_call = self.answer is not None and self.answer.channel is AnswerChannel.RETURN_CALL
        if self.answer is None or (by_call and self.owner.discount is not None):
            return None
        assert self.first_at is not None, "there is an answer"
        return self.first_at + CORRECTED_WITHIN

    def correctable(self, now: datetime) -> bool:
        until = self.correctable_until()
        return until is not None and until - CORRECTED_WITHIN <= now <= until


# The columns of an AnswerState: of a survey `s` of the person `p` about the case `g`.
STANDING: Final = f"""
  {columns("s", Survey, "standing_survey")}, {owner_columns("standing_owner")},
  {columns("a", Answer, "standing_answer")},
  (SELECT min(f.answered_at) FROM surveys.answer f
    WHERE f.survey_id = s.id AND (f.discounted IS NULL OR f.discounted = 'corrected')) AS standing_first_at,
  {columns("r", ReturnCall, "standing_call")}"""  # noqa: S608 - columns of our own tables
JOINS: Final = """
LEFT JOIN surveys.answer a ON a.survey_id = s.id AND a.discounted IS NULL
LEFT JOIN surveys.return_call r ON r.survey_id = s.id"""


@dataclass(frozen=True, slots=True)
class StandingRow:
    standing: AnswerState


_WAITING = Query(
    Survey,
    f"""
SELECT {columns("s", Survey)} FROM surveys.survey s
WHERE citizen_id = :citizen_id AND asked_at IS NULL ORDER BY created_at, id
""",  # noqa: S608 - columns of our own table
)


class _TakenNumber(Struct, frozen=True):
    short_number: int


_TAKEN = Query(
    _TakenNumber,
    "SELECT short_number FROM surveys.survey WHERE citizen_id = :citizen_id AND window_ends_at >= :now",
)


def take(
    tx: Transaction,
    of: AnswerState,
    value: Value,
    remark: str,
    channel: AnswerChannel,
    now: datetime,
) -> ReplyEffect:
    """Take what the person answers to a survey that is open or may be corrected. `now`: when they say so.

    What was said before what counts, and is heard after it, is kept beside it like what was put right.
    """
    given = _given(of.survey.id, value, remark, channel, now)
    discount = None if channel is AnswerChannel.RETURN_CALL else of.owner.discount
    if discount is not None:
        given.discounted = discount
        tx.add(given)
        if of.owner.call is not None:
            _owe_call(tx, of, of.owner.call, now)
        return ReplyEffect.DISCOUNTED
    if of.answer is not None:
        if of.answer.value is value and not remark:
            return ReplyEffect.REPEATED
        if now < of.answer.answered_at:
            return _overtaken(tx, of, given)
        _correct(tx, of.answer, given)
        effect = ReplyEffect.CORRECTED
    else:
        tx.add(given)
        effect = ReplyEffect.ANSWERED
    if channel is not AnswerChannel.RETURN_CALL:
        _settle_call(tx, of, value, now)
    return effect


def call_instead(tx: Transaction, standings: Iterable[AnswerState], now: datetime) -> None:
    """Who wants no more texts is called about what is still to be answered."""
    for of in standings:
        cause = CallCause.OPTED_OUT if of.owner.discount is None else of.owner.call
        if of.answer is None and of.open(now) and cause is not None:
            _owe_call(tx, of, cause, now)


async def on_the_page(tx: Transaction, survey: Survey, now: datetime) -> None:
    """What is answered before its turn came was asked by the page."""
    rows = await _TAKEN.all(tx, citizen_id=survey.citizen_id, now=now)
    open_window(survey, now, [row.short_number for row in rows])
    tx.change(survey)


async def waiting(tx: Transaction, citizen_id: UUID) -> list[Survey]:
    """The person's questions whose turn has not come, the one first that has waited longest."""
    return await _WAITING.all(tx, citizen_id=citizen_id)


def next_turn(tx: Transaction, waits: Iterable[Survey], now: datetime) -> None:
    """The question that has waited longest is asked soon, now that one is answered."""
    first = min(waits, key=lambda one: (one.created_at, one.id), default=None)
    if first is not None:
        assert first.next_at is not None, "what waits has its turn"
        first.next_at = min(first.next_at, now + QUIET)
        tx.change(first)


def sealed(words: str, place: keys.Place) -> bytes | None:
    return keys.encrypt(words.encode("utf-8", "replace").decode(), place) if words else None


def remark_place(answer_id: UUID) -> keys.Place:
    return keys.at("answer.remark_sealed", answer_id)


def _given(
    survey_id: UUID, value: Value, remark: str, channel: AnswerChannel, now: datetime
) -> Answer:
    answer_id = uuid7(now)
    return Answer(
        id=answer_id,
        survey_id=survey_id,
        channel=channel,
        value=value,
        remark_sealed=sealed(remark, remark_place(answer_id)),
        answered_at=now,
    )


def _correct(tx: Transaction, answer: Answer, given: Answer) -> None:
    """The row that counts takes what is said now; what it said goes beside it."""
    said = {name: getattr(answer, name) for name in Answer.CHANGING}
    for name in Answer.CHANGING:
        setattr(answer, name, getattr(given, name))
        setattr(given, name, said[name])
    # Each ciphertext can be opened only in its own row.
    own, other = remark_place(answer.id), remark_place(given.id)
    answer.remark_sealed = keys.moved(answer.remark_sealed, other, own)
    given.remark_sealed = keys.moved(given.remark_sealed, own, other)
    given.discounted = Discount.CORRECTED
    tx.add(given)
    tx.change(answer)


def _overtaken(tx: Transaction, of: AnswerState, given: Answer) -> ReplyEffect:
    given.discounted = Discount.CORRECTED
    tx.add(given)
    if given.value is Value.DISSATISFIED:
        _owe_call(tx, of, CallCause.DISSATISFIED, given.answered_at)
    return ReplyEffect.DISCOUNTED


def _settle_call(tx: Transaction, of: AnswerState, value: Value, now: datetime) -> None:
    if value is Value.DISSATISFIED:
        _owe_call(tx, of, CallCause.DISSATISFIED, now)
    elif of.call is not None and not (
        of.call.cause is CallCause.DISSATISFIED or of.call.result in _JUDGED
    ):
        # It was owed only because nobody knew; now they have said it themselves.
        of.call.state, of.call.result = CallState.DONE, CallResult.EVALUATED
        tx.change(of.call)


def _owe_call(tx: Transaction, of: AnswerState, cause: CallCause, now: datetime) -> None:
    if of.call is None:
        tx.add(ReturnCall(id=uuid7(now), survey_id=of.survey.id, cause=cause, created_at=now))
    elif cause is CallCause.DISSATISFIED and of.call.result not in _JUDGED:
        # Also where a call was made before: it found nobody, or somebody who said otherwise then.
        of.call.cause, of.call.state, of.call.result = cause, CallState.OPEN, None
        tx.change(of.call)
