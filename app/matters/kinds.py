"""Interface of a kind of matter: its table, and how the system's own jobs work on its matters."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from app.calendars.working_time import WorkingCalendar
from app.db import Transaction
from app.db.row_base import Stored
from app.matters.clocks import Clock
from app.matters.recorded import Check


class Retime(Protocol):
    """Recomputes the clocks of these locked matters with the calendar; adds a record entry where a moment changes.

    Returns the number of clocks, and the clocks without a change to record: the caller writes their bookmarks.
    """

    async def __call__(
        self,
        tx: Transaction,
        matter_ids: Sequence[UUID],
        calendar: WorkingCalendar,
        now: datetime,
    ) -> tuple[int, Sequence[Clock]]: ...


# Ends a wait that has lasted as long as it may: the stage goes on. Takes the reference of the matter and the id of the clock;
# returns False where the wait has ended meanwhile.
EndWait = Callable[[Transaction, str, UUID], Awaitable[bool]]


class MatterKind(Struct, frozen=True):
    """A kind of matter, named after its table. Rows of that table have the ids of their matters.

    Its migration also adds a branch for it to the view matter_facts. `unrecorded`: columns that no record entry
    repeats, because they name a person or give access; `checks` verify them and the kind's other rows.
    """

    table: type[Stored]
    chinese: str
    unrecorded: frozenset[str]
    checks: Sequence[Check]
    retime: Retime
    end_wait: EndWait

    @property
    def name(self) -> str:
        return str(self.table.__tablename__)
