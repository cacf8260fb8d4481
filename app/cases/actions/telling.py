"""Telling the reporter by text what was done. Only announces; the workers send."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from app.cases.dossier import Dossier
from app.cases.models import Case
from app.db import Transaction
from app.outbox import MessageKind, announce

# The reporters whose cases were joined to this one, or to one that was: each is told, answered and asked.
_JOINED = text("""
WITH RECURSIVE joined AS (
  SELECT id FROM grievance WHERE primary_id = :case_id
  UNION
  SELECT g.id FROM grievance g JOIN joined j ON g.primary_id = j.id
) SELECT g.* FROM grievance g JOIN joined USING (id) ORDER BY g.id
""")
# A relative may read the phone: of a sealed case the text does not even say what it is about.
_UNNAMED = "您反映的事项"


def tell(
    tx: Transaction,
    case: Case,
    kind: MessageKind,
    *,
    now: datetime,
    once: str | None = None,
    no_later_than: datetime | None = None,
    **params: str,
) -> None:
    """Owe the reporter a text, if there is a number to send it to."""
    if case.citizen_id is None or not case.textable:
        return
    announce(
        tx,
        kind,
        now=now,
        citizen_id=case.citizen_id,
        case_id=case.id,
        round_=case.round,
        once=once,
        no_later_than=no_later_than,
        ref=case.ref,
        title=_UNNAMED if case.sealed else case.title,
        **params,
    )


async def reporters_cases(tx: Transaction, dossier: Dossier) -> list[Case]:
    """The case, and those that were joined to it, each with its round: it is what their reporters are told and asked about."""
    case = dossier.case
    if not dossier.others_joined:
        return [case]
    joined = [Case.read(row) for row in await tx.all(_JOINED, case_id=case.id)]
    for one in joined:
        one.round = case.round
    return [case, *joined]


async def tell_all(
    tx: Transaction, dossier: Dossier, kind: MessageKind, *, now: datetime, **params: str
) -> None:
    """Owe the reporter a text, and everybody whose case was joined to this one."""
    for case in await reporters_cases(tx, dossier):
        tell(tx, case, kind, now=now, once=None, no_later_than=None, **params)


def owe_survey(
    tx: Transaction, *, case_id: UUID, round_: int, citizen_id: UUID | None, now: datetime
) -> None:
    """The answering transaction itself owes the question; once per round and person, by constraint."""
    if citizen_id is None:
        return
    announce(
        tx,
        MessageKind.SURVEY_OWED,
        now=now,
        citizen_id=citizen_id,
        case_id=case_id,
        round_=round_,
        once=f"survey/{case_id}/{round_}/{citizen_id}",
    )
