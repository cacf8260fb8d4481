"""What a clock does: ask the surveys that are owed, archive answered cases, clear out what nobody needs any more.

Each survey and each case is a transaction of its own: one that cannot be done holds up no other.
"""

import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypeAlias
from uuid import UUID

import structlog
from sqlalchemy import text

from app import bell, clock
from app.auth.actor import SYSTEM
from app.bell import Bell
from app.cases.actions import closing
from app.db import Transaction, reading, transaction
from app.surveys import asking
from workers import housekeeping

log = structlog.get_logger()

_BATCH: Final = 100
_TIDY_EVERY_SECONDS: Final = 3600.0

# Where something stands in the order in which it became due.
Place: TypeAlias = tuple[datetime, UUID]
_BEFORE_ALL: Final[Place] = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))

_TO_ARCHIVE = text("""
SELECT close_at, id FROM grievance
WHERE phase = 'answered' AND close_at <= now() + CAST(:shift AS interval) AND (close_at, id) > (:close_at, :id)
ORDER BY close_at, id LIMIT :most
""")
_TAKE = text("""
SELECT ref FROM grievance WHERE id = :id AND phase = 'answered' AND close_at <= :now FOR UPDATE SKIP LOCKED
""")


class Find(Protocol):
    def __call__(
        self, tx: Transaction, *, after: Place, most: int
    ) -> Coroutine[Any, Any, list[Place]]: ...


class Sweep:
    """Does one kind of thing that is due, batch by batch from the oldest on, and begins again when through."""

    def __init__(
        self, what: str, find: Find, do: Callable[[Transaction, UUID], Coroutine[Any, Any, bool]]
    ) -> None:
        self._what, self._find, self._do = what, find, do
        self._after = _BEFORE_ALL

    async def step(self) -> tuple[int, bool]:
        """How many were done, and whether there may be more."""
        async with reading() as tx:
            found = await self._find(tx, after=self._after, most=_BATCH)
        done = 0
        for place in found:
            done += await self._one(place[1])
        more = len(found) == _BATCH
        self._after = found[-1] if more else _BEFORE_ALL
        return done, more

    async def _one(self, due: UUID) -> bool:
        try:
            async with transaction() as tx:
                return await self._do(tx, due)
        except Exception as failure:
            # Only its kind: what it says may hold a name. It stays due and is tried again.
            log.error("not done", what=self._what, id=str(due), error=type(failure).__name__)
            return False


class Deadlines:
    """One look at everything that a clock is to do."""

    name = str(Bell.DEADLINES)

    def __init__(self) -> None:
        self._surveys = Sweep("survey", asking.owed, asking.ask)
        self._archiving = Sweep("archiving", to_archive, archive)
        self._tidied_at: float | None = None

    async def once(self) -> bool:
        asked, more_to_ask = await self._surveys.step()
        if asked:
            bell.ring(Bell.OUTBOX)
        _, more_to_archive = await self._archiving.step()
        await self._tidy()
        return more_to_ask or more_to_archive

    async def finish(self) -> None:
        """Nothing is under way between two looks."""

    async def _tidy(self) -> None:
        if self._tidied_at is None or time.monotonic() - self._tidied_at > _TIDY_EVERY_SECONDS:
            await housekeeping.tidy()
            self._tidied_at = time.monotonic()


async def to_archive(tx: Transaction, *, after: Place, most: int) -> list[Place]:
    """Answered cases whose survey window has ended, whatever was or was not answered."""
    rows = await tx.all(_TO_ARCHIVE, close_at=after[0], id=after[1], most=most, shift=clock.shift())
    return [(row.close_at, row.id) for row in rows]


async def archive(tx: Transaction, case_id: UUID) -> bool:
    """False: somebody else is at it or was."""
    now = await tx.now()
    row = await tx.one_or_none(_TAKE, id=case_id, now=now)
    if row is None:
        return False
    await closing.close(tx, row.ref, by=SYSTEM, now=now)
    return True
