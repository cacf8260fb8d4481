"""From a survey that is owed to the question itself: one survey, asked when its turn has come, and a reminder.

A person is texted one question at a time, the oldest first. Each step is one transaction under the number's lock, so
that no question meets an answer halfway. None of it shows in the case: when it is archived was settled by the answer.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from app import clock
from app.db import Transaction
from app.db.query import Query, columns
from app.evaluation import privacy_role
from app.evaluation.locking import one_at_a_time
from app.evaluation.models import ReturnCall, Survey
from app.evaluation.number_owners import Owner, binds, owner_columns
from app.evaluation.terms import CallCause
from app.identifiers import uuid7
from app.matters.deadlines import survey_window_ends
from app.matters.telling import tell
from app.settings import settings
from app.texts.outbox import MessageKind

# After an answer, so that the same answer sent twice, or put right at once, is not taken for the next question's.
QUIET: Final = timedelta(minutes=15)

# Where nobody is reminded: when it is looked at whether the question arrived.
_LOOK_AFTER_DAYS: Final = 3


class _OwedText(Struct, frozen=True):
    due_at: datetime
    id: UUID


_OWED = Query(
    _OwedText,
    """
SELECT due_at, id FROM outbox_message
WHERE state = 'queued' AND kind = 'survey_owed' AND due_at <= now() + CAST(:shift AS interval) AND (due_at, id) > (:due_at, :id)
ORDER BY due_at, id LIMIT :most
""",
)


class _DueSurvey(Struct, frozen=True):
    next_at: datetime
    id: UUID


_DUE = Query(
    _DueSurvey,
    """
SELECT next_at, id FROM surveys.survey
WHERE next_at <= now() + CAST(:shift AS interval) AND (next_at, id) > (:next_at, :id) ORDER BY next_at, id LIMIT :most
""",
)
_NEXT_DUE = text("SELECT min(next_at) FROM surveys.survey WHERE next_at IS NOT NULL")


class _Number(Struct, frozen=True):
    phone_key: bytes | None


_NUMBER_OWED_TO = Query(
    _Number,
    """
SELECT p.phone_key FROM outbox_message o JOIN citizen p ON p.id = o.citizen_id
WHERE o.id = :id AND o.state = 'queued' AND o.kind = 'survey_owed'
""",
)
_NUMBER_ASKED = Query(
    _Number,
    """
SELECT p.phone_key FROM surveys.survey s JOIN citizen p ON p.id = s.citizen_id WHERE s.id = :id AND s.next_at <= :now
""",
)


@dataclass(frozen=True, slots=True)
class ReportedMatter:
    """A matter as its reporter is told of it; of one that was joined to another, `round` is the other's."""

    id: UUID
    ref: str
    title: str
    sealed: bool
    round: int
    citizen_id: UUID | None
    textable: bool


@dataclass(frozen=True, slots=True)
class _About:
    """What decides how a person is asked about a matter, and when."""

    matter: ReportedMatter
    has_number: bool
    owner: Owner
    opted_out: bool
    free_at: datetime | None
    taken: list[int]
    beside: int


# What the person has open: asked, in its window, and no answer that counts. `beside`: how many; `taken`: their short
# numbers, and those of what was answered and may be put right; `free_at`: from when on, or since when, nothing is open and
# nothing was just answered. Who is called about another case is not kept waiting by it, and may still answer it by text.
_ABOUT = Query(
    _About,
    f"""
SELECT g.id AS matter_id, g.ref AS matter_ref, g.title AS matter_title, g.sealed AS matter_sealed, s.round AS matter_round,
  g.citizen_id AS matter_citizen_id, g.textable AS matter_textable, p.phone_sealed IS NOT NULL AS has_number, {owner_columns("owner")},
  (o.out_at IS NOT NULL AND o.back_at IS NULL) AS opted_out,
  greatest(open.ends_at, (
    SELECT max(a.answered_at) FROM surveys.survey s JOIN surveys.answer a ON a.survey_id = s.id
    WHERE s.citizen_id = p.id AND s.window_ends_at >= CAST(:now AS timestamptz) - INTERVAL '1 day' AND a.answered_at > :quiet_since)
  ) AS free_at, open.taken, open.beside
FROM matter_facts g JOIN citizen p ON p.id = :citizen_id
CROSS JOIN (SELECT CAST(:matter_id AS uuid) AS matter_id, CAST(:round AS int) AS round, CAST(:citizen_id AS uuid) AS citizen_id,
  CAST(:created_at AS timestamptz) AS created_at) s
LEFT JOIN surveys.opt_out o ON o.phone_key = p.phone_key
CROSS JOIN LATERAL (
  SELECT coalesce(array_agg(s.short_number), '{{}}') AS taken, count(*) FILTER (WHERE a.id IS NULL) AS beside,
    max(s.window_ends_at) FILTER (WHERE a.id IS NULL AND NOT EXISTS (
      SELECT 1 FROM surveys.return_call r WHERE r.survey_id = s.id AND r.cause <> 'unread')) AS ends_at
  FROM surveys.survey s LEFT JOIN surveys.answer a ON a.survey_id = s.id AND a.discounted IS NULL
  WHERE s.citizen_id = p.id AND s.id <> :own_id AND s.window_ends_at >= :now
    AND (a.id IS NULL OR a.answered_at > CAST(:now AS timestamptz) - INTERVAL '1 day')
) open
WHERE g.id = :matter_id
""",  # noqa: S608 - constants of our own
)


class _OwedSurvey(Struct, frozen=True):
    matter_id: UUID
    round: int
    citizen_id: UUID


_TAKE_OWED = Query(
    _OwedSurvey,
    """
SELECT matter_id, round, citizen_id FROM outbox_message WHERE id = :id AND state = 'queued' AND kind = 'survey_owed'
FOR UPDATE SKIP LOCKED
""",
)
_BEFORE_IT = text("""
SELECT EXISTS (
  SELECT 1 FROM surveys.survey s WHERE s.citizen_id = :citizen_id AND s.asked_at IS NULL AND s.id <> :own_id
    AND (s.created_at, s.id) < (:created_at, :own_id))
""")


class _TakenSurvey(Struct, frozen=True):
    survey: Survey
    undelivered: bool | None
    answered: bool


_TAKE_DUE = Query(
    _TakenSurvey,
    f"""
SELECT {columns("s", Survey, "survey")}, m.state IN ('undelivered', 'failed', 'expired', 'needs_human', 'done') AS undelivered,
  EXISTS (SELECT 1 FROM surveys.answer a WHERE a.survey_id = s.id AND a.discounted IS NULL) AS answered
FROM surveys.survey s LEFT JOIN outbox_message m ON m.once = 'survey-text/' || CAST(s.id AS text)
WHERE s.id = :id AND s.next_at <= :now FOR UPDATE OF s SKIP LOCKED
""",  # noqa: S608 - columns of our own table
)
_DONE = text("UPDATE outbox_message SET state = 'done', settled_at = :now WHERE id = :id")


async def owed(
    tx: Transaction, *, after: tuple[datetime, UUID], most: int
) -> list[tuple[datetime, UUID]]:
    """Surveys that are owed and due, oldest first, from behind `after` on."""
    rows = await _OWED.all(tx, due_at=after[0], id=after[1], most=most, shift=clock.shift())
    return [(row.due_at, row.id) for row in rows]


async def ask(tx: Transaction, owed_id: UUID) -> bool:
    """Make the survey that is owed: asked now, or when the person's turn comes, or by a return call.

    False: somebody else is at it or was.
    """
    await privacy_role.enter(tx)
    now = await tx.now()
    number = await _NUMBER_OWED_TO.one_or_none(tx, id=owed_id)
    if number is None:
        return False
    await one_at_a_time(tx, number.phone_key)
    owes = await _TAKE_OWED.one_or_none(tx, id=owed_id)
    if owes is None:
        return False
    survey = Survey(
        id=uuid7(now),
        matter_id=owes.matter_id,
        round=owes.round,
        citizen_id=owes.citizen_id,
        created_at=now,
    )
    about = await _about(tx, survey, now)
    if not await _call_instead(tx, survey, about, now):
        before = await tx.scalar(
            _BEFORE_IT, citizen_id=survey.citizen_id, created_at=now, own_id=survey.id
        )
        _ask_or_wait(tx, survey, about, now, behind=before)
    tx.add(survey)
    await tx.execute(_DONE, id=owed_id, now=now)
    return True


async def due(
    tx: Transaction, *, after: tuple[datetime, UUID], most: int
) -> list[tuple[datetime, UUID]]:
    """Surveys whose turn has come, or whose reminder is due, from behind `after` on."""
    await privacy_role.enter(tx)
    rows = await _DUE.all(tx, next_at=after[0], id=after[1], most=most, shift=clock.shift())
    return [(row.next_at, row.id) for row in rows]


async def next_due(tx: Transaction) -> datetime | None:
    """When the next turn or reminder comes."""
    await privacy_role.enter(tx)
    found: datetime | None = await tx.scalar(_NEXT_DUE)
    return found


async def see_to(tx: Transaction, survey_id: UUID) -> bool:
    """Ask the survey whose turn has come, or remind of the one that was asked. False: somebody else is at it or was."""
    await privacy_role.enter(tx)
    now = await tx.now()
    number = await _NUMBER_ASKED.one_or_none(tx, id=survey_id, now=now)
    if number is None:
        return False
    await one_at_a_time(tx, number.phone_key)
    row = await _TAKE_DUE.one_or_none(tx, id=survey_id, now=now)
    if row is None:
        return False
    survey = row.survey
    survey.next_at = None
    tx.change(survey)
    if row.answered:
        return True
    about = await _about(tx, survey, now)
    if survey.asked_at is not None:
        _remind(tx, survey, about, now, undelivered=bool(row.undelivered))
    elif not await _call_instead(tx, survey, about, now):
        before = await tx.scalar(
            _BEFORE_IT, citizen_id=survey.citizen_id, created_at=survey.created_at, own_id=survey.id
        )
        _ask_or_wait(tx, survey, about, now, behind=before)
    return True


def open_window(survey: Survey, now: datetime, taken: list[int]) -> None:
    """From now on the survey counts as asked. The smallest number that is free: a person sees 1 and 2, not 17."""
    survey.asked_at = now
    survey.window_ends_at = survey_window_ends(now, settings().survey_window_days)
    survey.short_number = next(one for one in range(1, len(taken) + 2) if one not in taken)
    survey.next_at = None


async def _about(tx: Transaction, survey: Survey, now: datetime) -> _About:
    return await _ABOUT.one(
        tx,
        matter_id=survey.matter_id,
        citizen_id=survey.citizen_id,
        own_id=survey.id,
        round=survey.round,
        created_at=survey.created_at,
        now=now,
        quiet_since=now - QUIET,
        **binds(now),
    )


async def _call_instead(tx: Transaction, survey: Survey, about: _About, now: datetime) -> bool:
    """Whether the person is asked otherwise than by text, and by whom: the caller, or nobody."""
    cause = _why_call(about)
    if cause is None and about.owner.discount is None:
        return False
    open_window(survey, now, about.taken)
    if cause is not None:
        tx.add(_call(survey, cause, now))
    return True


def _why_call(about: _About) -> CallCause | None:
    if not (about.matter.textable and about.has_number):
        return CallCause.NO_NUMBER
    owner = about.owner
    return CallCause.OPTED_OUT if owner.discount is None and about.opted_out else owner.call


def _ask_or_wait(
    tx: Transaction, survey: Survey, about: _About, now: datetime, *, behind: bool
) -> None:
    """`behind`: another question of the person's has been waiting longer."""
    if about.free_at is not None or behind:
        # Looked at again when the one before is over; an answer brings it forward.
        survey.next_at = max(about.free_at or now, now) + QUIET
        return
    open_window(survey, now, about.taken)
    assert survey.window_ends_at is not None, "it has just been opened"
    days = settings().survey_remind_after_days or _LOOK_AFTER_DAYS
    survey.next_at = min(now + timedelta(days=days), survey.window_ends_at)
    tell(
        tx,
        about.matter,
        MessageKind.SURVEY,
        now=now,
        once=f"survey-text/{survey.id}",
        no_later_than=survey.window_ends_at,
        **_number_told(survey, about),
    )


def _remind(
    tx: Transaction, survey: Survey, about: _About, now: datetime, *, undelivered: bool
) -> None:
    # Whoever may not be texted any more is called, also where it was found out since and nobody is told to.
    cause = CallCause.UNDELIVERED if undelivered else _why_call(about)
    if cause is not None:
        tx.add(_call(survey, cause, now))
    elif settings().survey_remind_after_days and _may_remind(survey, about, now):
        tell(
            tx,
            about.matter,
            MessageKind.SURVEY_REMINDER,
            now=now,
            once=f"survey-reminder/{survey.id}",
            no_later_than=survey.window_ends_at,
            **_number_told(survey, about),
        )


def _number_told(survey: Survey, about: _About) -> dict[str, str]:
    """Where a reply could be meant for another question, it is to name this one."""
    return {"short_number": str(survey.short_number)} if about.beside else {}


def _may_remind(survey: Survey, about: _About, now: datetime) -> bool:
    """Whether the question is still open, and what this number says about it counts."""
    ends_at = survey.window_ends_at
    return ends_at is not None and now < ends_at and about.owner.discount is None


def _call(survey: Survey, cause: CallCause, now: datetime) -> ReturnCall:
    return ReturnCall(id=uuid7(now), survey_id=survey.id, cause=cause, created_at=now)
