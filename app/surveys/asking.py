"""From a survey that is owed to the question itself: one survey and one text, in one transaction."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from app import clock
from app.cases.actions.telling import tell
from app.cases.deadlines import survey_window_ends
from app.cases.models import Case
from app.db import Transaction
from app.identifiers import uuid7
from app.outbox import MessageKind
from app.settings import settings
from app.surveys import confidential
from app.surveys.models import CallCause, ReturnCall, Survey

_OWED = text("""
SELECT due_at, id FROM outbox_message
WHERE state = 'queued' AND kind = 'survey_owed' AND due_at <= now() + CAST(:shift AS interval) AND (due_at, id) > (:due_at, :id)
ORDER BY due_at, id LIMIT :most
""")
# The smallest numbers that are free: a person sees 1 and 2, not 17.
_TAKE = text("""
SELECT g.*, o.round AS owed_round, o.citizen_id AS owed_to, c.phone_sealed IS NOT NULL AS has_number,
  ARRAY(
    SELECT s.short_number FROM surveys.survey s
    WHERE s.citizen_id = o.citizen_id AND s.window_ends_at > :now
      AND NOT EXISTS (SELECT 1 FROM surveys.answer a WHERE a.survey_id = s.id)
  ) AS taken_numbers
FROM outbox_message o JOIN grievance g ON g.id = o.case_id JOIN citizen c ON c.id = o.citizen_id
WHERE o.id = :id AND o.state = 'queued' AND o.kind = 'survey_owed'
FOR UPDATE OF o SKIP LOCKED
""")
_DONE = text("UPDATE outbox_message SET state = 'done', settled_at = :now WHERE id = :id")


async def owed(
    tx: Transaction, *, after: tuple[datetime, UUID], most: int
) -> list[tuple[datetime, UUID]]:
    """Surveys that are owed and due, oldest first, from behind `after` on."""
    rows = await tx.all(_OWED, due_at=after[0], id=after[1], most=most, shift=clock.shift())
    return [(row.due_at, row.id) for row in rows]


async def ask(tx: Transaction, owed_id: UUID) -> bool:
    """Ask the person, or have them called where they cannot be texted. False: somebody else is at it or was."""
    await confidential.enter(tx)
    now = await tx.now()
    row = await tx.one_or_none(_TAKE, id=owed_id, now=now)
    if row is None:
        return False
    case = Case.read(row)
    # Of a case that was joined to another: the other's round.
    case.round = row.owed_round
    survey = Survey(
        id=uuid7(now),
        case_id=case.id,
        round=case.round,
        citizen_id=row.owed_to,
        short_number=next(
            number
            for number in range(1, len(row.taken_numbers) + 2)
            if number not in row.taken_numbers
        ),
        asked_at=now,
        window_ends_at=survey_window_ends(now, settings().survey_window_days),
    )
    tx.add(survey)
    if case.textable and row.has_number:
        tell(tx, case, MessageKind.SURVEY, now=now, once=f"survey-text/{survey.id}")
    else:
        tx.add(
            ReturnCall(
                id=uuid7(now), survey_id=survey.id, cause=CallCause.NO_NUMBER, created_at=now
            )
        )
    await tx.execute(_DONE, id=owed_id, now=now)
    return True
