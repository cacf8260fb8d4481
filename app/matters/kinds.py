"""What a kind of matter tells about itself: its own table, and what the system does to its matters by itself."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.calendars.working_time import WorkingCalendar
from app.db import Transaction
from app.db.row_base import Stored
from app.matters.clocks import Clock
from app.matters.recorded import Check


class Retime(Protocol):
    """Computes the limits of these matters, which are locked, anew by the calendar; with an entry where one moves.

    Returns how many limits that were, and the clocks about which there was nothing to record, with their new moments.
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


@dataclass(frozen=True, slots=True)
class MatterKind:
    """A kind of matter. Its name is that of its table, whose rows have the ids of their matters.

    Its migration also adds a branch for it to the view matter_facts. `unrecorded`: columns of its row that no entry tells, since
    they name somebody or open the matter to others; `checks` look after them, and after what else the kind keeps.
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
