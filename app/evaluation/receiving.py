"""Taking what citizens answer, by text or on the page. Nothing of it reaches the case, its record or who handled it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from app import clock, keys
from app.auth.actor import Actor, CitizenActor
from app.db import Transaction
from app.db.query import Query
from app.errors import ActionNotAllowed, NotFound, NotPermitted
from app.evaluation import answers, matching, opt_out, privacy_role, reply_reader, withdrawal
from app.evaluation.answers import CORRECTED_WITHIN, JOINS, STANDING, AnswerState, take
from app.evaluation.locking import each_at_a_time, one_at_a_time
from app.evaluation.matching import Candidate
from app.evaluation.models import Reply
from app.evaluation.number_owners import binds
from app.evaluation.opt_out import Choice
from app.evaluation.reply_meanings import Reading, Sense
from app.evaluation.terms import AnswerChannel, ReplyEffect, Value
from app.evaluation.withdrawal import QueuedText
from app.texts.inbound import InboundText


@dataclass(frozen=True, slots=True)
class _AskedRow:
    """One question of the person who texted, or none. `queued`: its texts that are not under way; now locked."""

    place: int
    known: bool
    person_id: UUID | None
    choice: Choice | None
    standing: AnswerState | None
    texted: bool | None
    queued: list[QueuedText] | None


@dataclass(frozen=True, slots=True)
class _OwnRow:
    standing: AnswerState | None


@dataclass(frozen=True, slots=True)
class _ChoiceRow:
    choice: Choice


# A statement of its own, after the lock, so that it sees what the one before did. Whatever the person may still answer or
# put right, what waits for its turn, and what nobody answered in time not long ago.
_ASKED = Query(
    _AskedRow,
    f"""
SELECT t.place, r.provider_message_id IS NOT NULL AS known, p.id AS person_id, o.out_at AS choice_out_at,
  o.back_at AS choice_back_at, s.*
FROM unnest(CAST(:ids AS text[]), CAST(:phone_keys AS bytea[])) WITH ORDINALITY AS t(id, phone_key, place)
LEFT JOIN surveys.reply r ON r.provider_message_id = t.id
LEFT JOIN citizen p ON p.phone_key = t.phone_key
LEFT JOIN surveys.opt_out o ON o.phone_key = t.phone_key
LEFT JOIN LATERAL (
  -- LIMIT: one by one through the index, whatever the planner thinks of how many there are.
  SELECT {STANDING}, coalesce((
    SELECT true FROM outbox_message m WHERE m.once = 'survey-text/' || CAST(s.id AS text)
      AND (m.state IN ('sending', 'accepted', 'delivered', 'unknown') OR m.why = 'never_known') LIMIT 1), false) AS texted,
    -- Locked, lest a worker takes one up meanwhile; what it has taken up already is its own.
    ARRAY(SELECT m FROM outbox_message m
      WHERE m.once IN ('survey-text/' || CAST(s.id AS text), 'survey-reminder/' || CAST(s.id AS text)) AND m.state = 'queued'
      FOR UPDATE SKIP LOCKED) AS queued
  FROM surveys.survey s JOIN matter_facts g ON g.id = s.matter_id {JOINS}
  -- What a call took down after the window may be put right as well.
  WHERE s.citizen_id = p.id AND (s.window_ends_at IS NULL OR s.window_ends_at >= :since OR a.answered_at >= :since
    OR (a.id IS NULL AND s.window_ends_at >= CAST(:since AS timestamptz) - INTERVAL '30 days'))
) s ON true
ORDER BY t.place, s.standing_survey_asked_at, s.standing_survey_id
""",  # noqa: S608 - constants of our own
)


class _KnownText(Struct, frozen=True):
    provider_message_id: str


_KNOWN = Query(
    _KnownText,
    """
SELECT provider_message_id FROM surveys.reply WHERE provider_message_id = ANY(CAST(:ids AS text[]))
""",
)
_NUMBER = text("SELECT phone_key FROM citizen WHERE id = :citizen_id")
_OF_THE_CASE = f"""
FROM matter_facts g JOIN citizen p ON p.id = g.citizen_id
LEFT JOIN surveys.survey s ON s.matter_id = g.id AND s.citizen_id = g.citizen_id {JOINS}
WHERE g.ref = :ref AND g.citizen_id = :citizen_id
ORDER BY s.round DESC NULLS LAST LIMIT 1"""
_OWN = Query(_OwnRow, f"SELECT {STANDING} {_OF_THE_CASE}")
_OPTED = Query(
    _ChoiceRow,
    """
SELECT o.out_at AS choice_out_at, o.back_at AS choice_back_at FROM surveys.opt_out o JOIN citizen p ON p.phone_key = o.phone_key WHERE p.id = :citizen_id
""",
)
# A provider that was not answered hands in again for hours. What is older, or not yet, is no moment to go by.
_BELIEVED_FOR: Final = timedelta(days=3)
_COUNTS = (ReplyEffect.ANSWERED, ReplyEffect.CORRECTED, ReplyEffect.REPEATED)
_SENSED = {
    Sense.THANKS: ReplyEffect.THANKS,
    Sense.OPT_OUT: ReplyEffect.OPTED_OUT,
    Sense.OPT_IN: ReplyEffect.OPTED_IN,
    Sense.UNCLEAR: ReplyEffect.UNCLEAR,
}


async def unknown(tx: Transaction, texts: Sequence[InboundText]) -> list[InboundText]:
    """Those that were not taken before, and so are worth reading."""
    await privacy_role.enter(tx)
    rows = await _KNOWN.all(tx, ids=[one.provider_message_id for one in texts])
    known = {row.provider_message_id for row in rows}
    return [one for one in texts if one.provider_message_id not in known]


async def receive(
    tx: Transaction,
    texts: Sequence[InboundText],
    *,
    readings: Sequence[Reading] | None = None,
    now: datetime | None = None,
) -> list[ReplyEffect | None]:
    """Take texts from phones, each of another number and delivery: what came of each, in the order given.

    None: the same delivery was taken before, and has no second effect. What cannot be read, and what may be meant for one
    survey or another, is kept for a person to read. Each counts as of when it was sent, where that is told.

    `readings`: what the texts say, where they were read before this transaction began, as they should be where they come
    from strangers. `now`: where it is not the moment of this transaction.
    """
    if readings is None:
        readings = [await reply_reader.read(one.text) for one in texts]
    await privacy_role.enter(tx)
    phone_keys = [keys.lookup("phone", one.from_phone) for one in texts]
    moment = await each_at_a_time(tx, phone_keys)
    tx.began(moment)
    now = now or clock.adjust(moment)
    sent_at = [_sent_at(one, now) for one in texts]
    rows = await _ASKED.all(
        tx,
        ids=[one.provider_message_id for one in texts],
        phone_keys=phone_keys,
        since=min(sent_at) - CORRECTED_WITHIN,
        **binds(now),
    )
    asked = [list(found) for _, found in groupby(rows, attrgetter("place"))]
    received = map(_Received, texts, phone_keys, asked, readings, sent_at)
    return [None if one.rows[0].known else _act_on(tx, one, now=now) for one in received]


async def evaluate(
    tx: Transaction, ref: str, *, by: Actor, value: Value, remark: str, now: datetime
) -> ReplyEffect:
    """The person helped evaluates on the page, or puts right what they said.

    Raises NotFound where the case is not theirs; staff never evaluate.
    """
    await privacy_role.enter(tx)
    if not isinstance(by, CitizenActor):
        raise NotPermitted("只有反映人本人可以评价。")
    await one_at_a_time(tx, await tx.scalar(_NUMBER, citizen_id=by.citizen_id))
    own = await _own(tx, ref, by, now)
    if own is None:
        raise ActionNotAllowed("这件事还没有到评价的时候，办结后会请您评价。")
    if not own.heard_on_page(now):
        raise ActionNotAllowed(
            "评价的时间已过。"
            if own.own_answer() is None
            else "您已经评价过这件事，可以更改的时间已过。"
        )
    if own.survey.asked_at is None:
        await answers.on_the_page(tx, own.survey, now)
    effect = take(tx, own, value, remark, AnswerChannel.PAGE, now)
    if effect in _COUNTS:
        await withdrawal.withdraw(tx, [own.survey.id], now)
    waits = await answers.waiting(tx, by.citizen_id)
    answers.next_turn(tx, [one for one in waits if one.id != own.survey.id], now)
    return effect


async def own_survey(
    tx: Transaction, ref: str, *, by: CitizenActor, now: datetime
) -> AnswerState | None:
    """For the person's own page: what they may still answer, and what they answered. None: there is no survey yet."""
    await privacy_role.enter(tx)
    return await _own(tx, ref, by, now)


async def wants_texts(tx: Transaction, *, by: CitizenActor) -> bool:
    """Whether the person is asked by text; who opted out is called, or evaluates on the page."""
    await privacy_role.enter(tx)
    row = await _OPTED.one_or_none(tx, citizen_id=by.citizen_id)
    return row is None or row.choice.back_at is not None


async def choose_texts(tx: Transaction, *, by: CitizenActor, wanted: bool, now: datetime) -> None:
    """Opt out of surveys by text on the page, or back in."""
    await privacy_role.enter(tx)
    phone_key = await tx.scalar(_NUMBER, citizen_id=by.citizen_id)
    await one_at_a_time(tx, phone_key)
    row = await _OPTED.one_or_none(tx, citizen_id=by.citizen_id)
    if phone_key is not None:
        sense = Sense.OPT_IN if wanted else Sense.OPT_OUT
        opt_out.note(tx, phone_key, None if row is None else row.choice, sense, now)
    if not wanted:
        await opt_out.ask_by_call(tx, by.citizen_id, since=now, now=now)


def _sent_at(given: InboundText, now: datetime) -> datetime:
    told = given.sent_at
    return told if told is not None and now - _BELIEVED_FOR <= told <= now else now


@dataclass(frozen=True, slots=True)
class _Received:
    """A text with what it says, and what was put to its number. `at`: when it was sent, which is what counts."""

    text: InboundText
    phone_key: bytes
    rows: list[_AskedRow]
    reading: Reading
    at: datetime

    @property
    def candidates(self) -> list[Candidate]:
        return [
            Candidate(row.standing, bool(row.texted))
            for row in self.rows
            if row.standing is not None
        ]


def _act_on(tx: Transaction, one: _Received, *, now: datetime) -> ReplyEffect:
    """What the text does: it answers a question, opts out or in, or is kept for a person to read."""
    candidates = one.candidates
    meant = matching.meant(candidates, one.reading.short_number, one.at)
    effect = _effect(tx, one, candidates, meant)
    if effect is ReplyEffect.ANSWERED:
        asked = [each.standing.survey for each in candidates]
        answers.next_turn(tx, [survey for survey in asked if survey.asked_at is None], now)
    out = _opts_out(tx, one, effect)
    if out:
        answered = meant if effect is ReplyEffect.ANSWERED else None
        left = [each.standing for each in candidates if each.standing is not answered]
        answers.call_instead(tx, left, one.at)
    over = {each.standing.survey.id for each in candidates if out}
    if meant is not None and effect in _COUNTS:
        over.add(meant.survey.id)
    withdrawal.withdraw_locked(tx, _queued(one.rows, over), now)
    tx.add(_kept(one, meant, effect))
    return effect


def _effect(
    tx: Transaction, one: _Received, candidates: list[Candidate], meant: AnswerState | None
) -> ReplyEffect:
    if one.reading.value is not None:
        return _answered(tx, one, candidates, meant)
    sense = one.reading.sense
    return opt_out.note(tx, one.phone_key, one.rows[0].choice, sense, one.at) or _SENSED[sense]


def _opts_out(tx: Transaction, one: _Received, effect: ReplyEffect) -> bool:
    """Whether the person is asked by text no more; a text may answer and opt out at once."""
    if not one.reading.opts_out:
        return effect is ReplyEffect.OPTED_OUT
    noted = opt_out.note(tx, one.phone_key, one.rows[0].choice, Sense.OPT_OUT, one.at)
    return noted is not ReplyEffect.OPTED_IN


def _queued(rows: Sequence[_AskedRow], over: Collection[UUID]) -> list[QueuedText]:
    """Texts that would still ask about the surveys that are over."""
    return [
        text
        for row in rows
        if row.standing is not None and row.standing.survey.id in over
        for text in row.queued or ()
    ]


def _kept(one: _Received, meant: AnswerState | None, effect: ReplyEffect) -> Reply:
    text_id = one.text.provider_message_id
    words_at = keys.at("reply.text_sealed", text_id)
    phone = keys.encrypt(one.text.from_phone, keys.at("reply.phone_sealed", text_id))
    return Reply(
        provider_message_id=text_id,
        phone_sealed=phone,
        text_sealed=answers.sealed(one.text.text, words_at) or keys.encrypt("", words_at),
        effect=effect,
        survey_id=None if meant is None else meant.survey.id,
        received_at=one.at,
        citizen_id=one.rows[0].person_id,
        not_read=one.reading.not_read,
    )


def _answered(
    tx: Transaction, one: _Received, candidates: list[Candidate], meant: AnswerState | None
) -> ReplyEffect:
    reading, at = one.reading, one.at
    if meant is None and reading.short_number is None and matching.several(candidates, at):
        return ReplyEffect.UNCLEAR
    if meant is None or reading.value is None:
        return ReplyEffect.NOT_ASKED
    return take(tx, meant, reading.value, reading.remark, AnswerChannel.TEXT, at)


async def _own(tx: Transaction, ref: str, by: CitizenActor, now: datetime) -> AnswerState | None:
    row = await _OWN.one_or_none(tx, ref=ref, citizen_id=by.citizen_id, **binds(now))
    if row is None:
        raise NotFound
    return row.standing
