"""What a clock does: cards and reminders, surveys, archiving, month ends, what ended units leave, and clearing out.

Each survey and each case is a transaction of its own: one that cannot be done holds up no other. Cards go in batches; a
batch that fails is done again limit by limit.
"""

import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, Protocol, TypeAlias
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct

from app import bell, clock
from app.auth.actor import SYSTEM
from app.bell import Bell
from app.cards import sweep
from app.cards.clock_watch import Watch
from app.cards.sweep import Swept
from app.cases.actions import closing, reorganising
from app.db import Transaction, reading, transaction
from app.db.query import Query
from app.evaluation import call_notices, invitations
from app.kinds import rescheduling
from app.matters import notices
from app.matters.clocks import Clock
from workers import housekeeping
from workers.month_close import MonthEnds

log = structlog.get_logger()

_BATCH: Final = 100
_CARDS_AT_ONCE: Final = 500
# No limit's fault: the database is away, and everything is to be tried again as soon as it is back.
_AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)
_ASIDE_SECONDS: Final = 300.0
_TIDY_EVERY_SECONDS: Final = 3600.0

# Where something stands in the order in which it became due.
Place: TypeAlias = tuple[datetime, UUID]
_BEFORE_ALL: Final[Place] = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))


class _AnsweredCase(Struct, frozen=True):
    close_at: datetime
    id: UUID


_TO_ARCHIVE = Query(
    _AnsweredCase,
    """
SELECT close_at, id FROM grievance
WHERE phase = 'answered' AND close_at <= now() + CAST(:shift AS interval) AND (close_at, id) > (:close_at, :id)
ORDER BY close_at, id LIMIT :most
""",
)


class _TakenCase(Struct, frozen=True):
    ref: str


_TAKE = Query(
    _TakenCase,
    """
SELECT g.ref FROM matter m JOIN grievance g ON g.id = m.id
WHERE m.id = :id AND g.phase = 'answered' AND g.close_at <= :now FOR UPDATE OF m, g SKIP LOCKED
""",
)


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


class CardSweep:
    """Issues what limits that have passed have earned, while the database's clock can be believed."""

    def __init__(self, watch: Watch | None = None) -> None:
        self._watch = watch or Watch()
        # What could not be done, and when it is tried again; it must not stand before everything else for ever.
        self._aside: dict[UUID, float] = {}

    async def step(self) -> tuple[int, bool]:
        """How many limits were dealt with, and whether there may be more."""
        async with reading() as tx:
            if not await self._watch.look(tx):
                return 0, False
        found, swept = await self._batch()
        resumed = 0
        for clock_id in swept.waits_over:
            resumed += await self._alone(clock_id, sweep.resume)
        done = found - swept.busy - len(swept.waits_over) + resumed
        return done, done > 0 and found == _CARDS_AT_ONCE

    async def _batch(self) -> tuple[int, Swept]:
        clocks: list[Clock] = []
        try:
            async with transaction() as tx:
                clocks = await sweep.claim(tx, _CARDS_AT_ONCE, aside=self._still_aside())
                return len(clocks), await self._issue(tx, clocks)
        except _AWAY:
            raise
        except Exception as failure:
            if not clocks:
                raise
            log.warning("one by one", what="cards", error=type(failure).__name__)
        return len(clocks), await self._one_by_one(clocks)

    async def _one_by_one(self, clocks: Sequence[Clock]) -> Swept:
        waits: list[UUID] = []

        async def issue(tx: Transaction, clock_id: UUID) -> bool:
            swept = await self._issue(tx, await sweep.claim_one(tx, clock_id))
            waits.extend(swept.waits_over)
            return not swept.busy

        left = 0
        for one in clocks:
            left += not await self._alone(one.id, issue)
        return Swept(busy=left, waits_over=waits)

    async def _issue(self, tx: Transaction, clocks: Sequence[Clock]) -> Swept:
        if clocks and not self._watch.believes(await tx.now() - clock.shift()):
            return Swept(busy=len(clocks))
        return await sweep.issue(tx, clocks)

    async def _alone(
        self, clock_id: UUID, do: Callable[[Transaction, UUID], Coroutine[Any, Any, bool]]
    ) -> bool:
        try:
            async with transaction() as tx:
                return await do(tx, clock_id)
        except _AWAY:
            raise
        except Exception as failure:
            # Only its kind, as above.
            log.error("not done", what="card", id=str(clock_id), error=type(failure).__name__)
            self._aside[clock_id] = time.monotonic() + _ASIDE_SECONDS
            return False

    def _still_aside(self) -> list[UUID]:
        now = time.monotonic()
        self._aside = {one: until for one, until in self._aside.items() if until > now}
        return list(self._aside)


class Batch(Protocol):
    def __call__(
        self,
        tx: Transaction,
        *,
        now: datetime,
        most: int,
        aside: Collection[UUID],
        taken: list[UUID],
    ) -> Coroutine[Any, Any, int]: ...


class Batches:
    """Does one kind of thing to cases, a batch at a time.

    A batch that fails is done again case by case; what fails alone is left aside for a while and holds up nothing.
    """

    def __init__(self, what: str, do: Batch, most: int) -> None:
        self._what, self._do, self._most = what, do, most
        self._aside: dict[UUID, float] = {}
        self._singly = 0

    async def step(self) -> bool:
        """Whether there may be more."""
        taken: list[UUID] = []
        now = time.monotonic()
        self._aside = {one: until for one, until in self._aside.items() if until > now}
        most = 1 if self._singly else self._most
        self._singly = max(0, self._singly - 1)
        try:
            async with transaction() as tx:
                at = await tx.now()
                return await self._do(tx, now=at, most=most, aside=self._aside, taken=taken) > 0
        except _AWAY:
            raise
        except Exception as failure:
            # Only its kind, as above.
            log.error("not done", what=self._what, ids=[*map(str, taken[:3])], error=type(failure).__name__)  # fmt: skip
        if len(taken) == 1:
            self._aside[taken[0]] = now + _ASIDE_SECONDS
        else:
            self._singly = len(taken)
        return bool(taken)


class StaffNotices:
    """Texts staff about work that came to their unit; once a day, when the day begins, about return calls that are open."""

    def __init__(self) -> None:
        self._called_on: date | None = None

    async def step(self) -> tuple[int, bool]:
        async with transaction() as tx:
            done = await notices.text_owed(tx, most=_BATCH)
            now = await tx.now()
        await self._about_calls(now)
        if done:
            bell.ring(Bell.OUTBOX)
        return done, done == _BATCH

    async def _about_calls(self, now: datetime) -> None:
        today = now.astimezone(clock.SHANGHAI).date()
        if self._called_on == today or notices.when(now) != now:
            return
        async with transaction() as tx:
            await call_notices.owe_call_notices(tx, now=now)
        self._called_on = today


class Deadlines:
    """One look at everything that a clock is to do."""

    name = str(Bell.DEADLINES)

    def __init__(self) -> None:
        # In this order: cards are issued by the newest calendar, and to whoever held what then ended.
        self._steps: dict[str, Callable[[], Coroutine[Any, Any, bool]]] = {
            "computing limits anew": Batches("limits", rescheduling.reschedule, rescheduling.BATCH).step,
            "cards": _more(CardSweep().step),
            "handing over": Batches("handing over", reorganising.hand_over, reorganising.BATCH).step,
            "staff notices": _more(StaffNotices().step),
            "surveys": _rung(Sweep("survey", invitations.owed, invitations.ask)),
            "survey turns": _rung(Sweep("survey turn", invitations.due, invitations.see_to)),
            "archiving": _more(Sweep("archiving", to_archive, archive).step),
            "month ends": MonthEnds().step,
            "tidying": self._tidy,
        }  # fmt: skip
        self._tidied_at: float | None = None

    async def once(self) -> bool:
        """Whether there may be more. What fails holds up nothing that comes after it."""
        more = False
        for what, step in self._steps.items():
            try:
                more = await step() or more
            except _AWAY:
                raise
            except Exception as failure:
                # Only its kind, as above.
                log.error("not done", what=what, error=type(failure).__name__)
        return more

    async def finish(self) -> None:
        """Nothing is under way between two looks."""

    async def _tidy(self) -> bool:
        if self._tidied_at is None or time.monotonic() - self._tidied_at > _TIDY_EVERY_SECONDS:
            self._tidied_at = time.monotonic()
            await housekeeping.tidy()
        return False


def _more(
    step: Callable[[], Coroutine[Any, Any, tuple[int, bool]]],
) -> Callable[[], Coroutine[Any, Any, bool]]:
    """Of a step that also tells how many it did."""

    async def looked() -> bool:
        return (await step())[1]

    return looked


def _rung(looked_for: Sweep) -> Callable[[], Coroutine[Any, Any, bool]]:
    """The delivery is rung for where there is now something to send."""

    async def looked() -> bool:
        done, more = await looked_for.step()
        if done:
            bell.ring(Bell.OUTBOX)
        return more

    return looked


async def to_archive(tx: Transaction, *, after: Place, most: int) -> list[Place]:
    """Answered cases whose survey window has ended, whatever was or was not answered."""
    rows = await _TO_ARCHIVE.all(tx, close_at=after[0], id=after[1], most=most, shift=clock.shift())
    return [(row.close_at, row.id) for row in rows]


async def archive(tx: Transaction, matter_id: UUID) -> bool:
    """False: somebody else is at it or was."""
    now = await tx.now()
    row = await _TAKE.one_or_none(tx, id=matter_id, now=now)
    if row is None:
        return False
    await closing.close(tx, row.ref, by=SYSTEM, now=now)
    return True
