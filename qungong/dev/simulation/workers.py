"""What the workers would have done by a moment of the invented year, in the order in which it came due. Sends no text.

The same functions as the workers': limits are swept, surveys asked, cases archived. A text is claimed and settled as
delivered, so that none is left to be sent.
"""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from app.cards import sweep
from app.db import Transaction
from app.evaluation import invitations
from app.matters import notices
from app.texts import outcomes, queue
from app.texts.outbox import MessageState
from app.texts.policy import Outcome
from workers import deadlines

# Each the first entry of the index that the worker itself goes by.
_NEXT: Final = text("""
SELECT
  (SELECT min(next_at) FROM clock WHERE next_at IS NOT NULL) AS limits,
  (SELECT min(due_at) FROM outbox_message WHERE state = 'queued' AND kind <> 'survey_owed') AS texts,
  (SELECT min(due_at) FROM outbox_message WHERE state = 'queued' AND kind = 'survey_owed') AS surveys,
  (SELECT min(close_at) FROM grievance WHERE phase = 'answered') AS archiving,
  (SELECT min(due_at) FROM notice_owed WHERE settled_at IS NULL) AS notices
""")
_BATCH: Final = 100
_BEFORE_ALL: Final[deadlines.Place] = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))
# A worker looks every few seconds, and cards nobody before all who asked in time have been heard.
_LATER: Final = timedelta(seconds=15)
_LEASE: Final = timedelta(minutes=1)
_OF_LATE: Final = timedelta(days=1)

# A transaction at a moment of the invented year.
At = Callable[[datetime], AbstractAsyncContextManager[Transaction]]


class Workers:
    """All workers of the product in one, each at its time."""

    def __init__(self, at: At) -> None:
        self._at = at
        self._kinds: dict[str, Callable[[datetime], Awaitable[None]]] = {
            "limits": self._sweep,
            "texts": self._deliver,
            "surveys": self._ask,
            "turns": self._see_to,
            "archiving": self._archive,
            "notices": self._notice,
        }

    async def catch_up(self, until: datetime) -> None:
        """Do all that came due until then, the oldest first."""
        await self._all_due(until, self._kinds)

    async def run_out(self, until: datetime) -> None:
        """What still comes of cases that nobody acts on any more. Texts that others owe of late are left to be sent."""
        await self._all_due(until - _OF_LATE, self._kinds)
        await self._all_due(until, ("limits", "archiving", "turns", "notices"))

    async def _all_due(self, until: datetime, kinds: Iterable[str]) -> None:
        while True:
            async with self._at(until) as tx:
                next_of = dict((await tx.all(_NEXT))[0])
                next_of["turns"] = await invitations.next_due(tx)
            due = sorted((next_of[kind], kind) for kind in kinds if next_of[kind] is not None)
            if not due or due[0][0] + _LATER > until:
                return
            await self._kinds[due[0][1]](due[0][0] + _LATER)

    async def _sweep(self, moment: datetime) -> None:
        async with self._at(moment) as tx:
            swept = await sweep.issue(tx, await sweep.claim(tx, _BATCH))
        for wait in swept.waits_over:
            async with self._at(moment) as tx:
                await sweep.resume(tx, wait)

    async def _deliver(self, moment: datetime) -> None:
        async with self._at(moment) as tx:
            claimed = await queue.claim(tx, _BATCH, lease=_LEASE)
            delivered = Outcome(MessageState.DELIVERED)
            await outcomes.settle(tx, [(message, delivered) for message in claimed])

    async def _ask(self, moment: datetime) -> None:
        await self._each(moment, invitations.owed, invitations.ask)

    async def _see_to(self, moment: datetime) -> None:
        await self._each(moment, invitations.due, invitations.see_to)

    async def _archive(self, moment: datetime) -> None:
        await self._each(moment, deadlines.to_archive, deadlines.archive)

    async def _notice(self, moment: datetime) -> None:
        async with self._at(moment) as tx:
            await notices.text_owed(tx, most=_BATCH)

    async def _each(
        self,
        moment: datetime,
        find: deadlines.Find,
        do: Callable[[Transaction, Any], Awaitable[bool]],
    ) -> None:
        async with self._at(moment) as tx:
            found = await find(tx, after=_BEFORE_ALL, most=_BATCH)
        for _, one in found:
            async with self._at(moment) as tx:
                await do(tx, one)
