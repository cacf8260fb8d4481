"""Texts to the reporter of a matter, and the survey after the answer. Owes them; the workers send."""

from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from app.db import Transaction
from app.texts.outbox import MessageKind, announce

# A relative may read the phone: the text about a sealed matter does not show the title.
_UNNAMED: Final = "您反映的事项"


class Reported(Protocol):
    """A matter, as far as its reporter is told of it. `textable`: they have a number that a text arrives at."""

    @property
    def id(self) -> UUID: ...
    @property
    def ref(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def sealed(self) -> bool: ...
    @property
    def round(self) -> int: ...
    @property
    def citizen_id(self) -> UUID | None: ...
    @property
    def textable(self) -> bool: ...


def tell(
    tx: Transaction,
    matter: Reported,
    kind: MessageKind,
    *,
    now: datetime,
    once: str | None = None,
    no_later_than: datetime | None = None,
    **params: str,
) -> None:
    """Owe the reporter a text, if there is a number to send it to."""
    if matter.citizen_id is None or not matter.textable:
        return
    announce(
        tx,
        kind,
        now=now,
        citizen_id=matter.citizen_id,
        matter_id=matter.id,
        round_=matter.round,
        once=once,
        no_later_than=no_later_than,
        ref=matter.ref,
        title=_UNNAMED if matter.sealed else matter.title,
        **params,
    )


def owe_survey(
    tx: Transaction, *, matter_id: UUID, round_: int, citizen_id: UUID | None, now: datetime
) -> None:
    """The answering transaction itself owes the question; once per round and person, by constraint."""
    if citizen_id is None:
        return
    announce(
        tx,
        MessageKind.SURVEY_OWED,
        now=now,
        citizen_id=citizen_id,
        matter_id=matter_id,
        round_=round_,
        once=f"survey/{matter_id}/{round_}/{citizen_id}",
    )
