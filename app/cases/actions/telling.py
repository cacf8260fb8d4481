"""Telling the reporter by text what was done. Only announces; the workers send."""

from datetime import datetime
from uuid import UUID

from app.cases.models import Case
from app.db import Transaction
from app.outbox import MessageKind, announce

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
