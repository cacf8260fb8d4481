"""Replies that were handed to us in vain, looked for where the provider keeps them. Decides nothing about them.

They are taken as from the webhook (sms/batches.py), so what was heard before, or comes in at the same time, has no second
effect. What each process remembers only spares it work.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from app.db import transaction
from app.evaluation.receiving import unknown
from app.texts.inbound import InboundText
from sms.batches import hear
from sms.gateway import Gateway, Unknown

log = structlog.get_logger()

EVERY_SECONDS: Final = 600.0
# A process that begins does not know how long nobody listened; what was sent earlier would count as of now.
FAR_BACK: Final = timedelta(days=3)
# Their clock and ours differ, and a list may lag behind.
AGAIN: Final = timedelta(hours=1)
# So few in one transaction that no webhook about one of these numbers waits long.
_TOGETHER: Final = 50


class MissedReplies:
    """One worker's looks into the provider's inbox, where it has one and replies come back at all."""

    def __init__(self, gateway: Gateway) -> None:
        self._inbox = gateway.inbox if gateway.capabilities.two_way else None
        self._looked_at = float("-inf")
        self._since: datetime | None = None
        # Those of the last look, all of which were taken.
        self._heard: frozenset[str] = frozenset()

    def due(self) -> bool:
        """Whether it is time for a look. Whoever is told so looks."""
        now = asyncio.get_running_loop().time()
        if self._inbox is None or now - self._looked_at < EVERY_SECONDS:
            return False
        self._looked_at = now
        return True

    async def look(self, now: datetime) -> None:
        """Once, outside any transaction. In vain: the next look goes as far back as this one would have."""
        assert self._inbox is not None, "else no look is due"
        since = max(self._since or now - FAR_BACK, now - FAR_BACK)
        try:
            found = await self._inbox.received(since)
            if isinstance(found, Unknown):
                log.warning("replies not looked for", error=found.reason)
                return
            new = await self._take(found.texts)
        except Exception as failure:
            log.error("replies not taken", error=type(failure).__name__)
            return
        self._since = now - AGAIN
        self._heard = frozenset(one.provider_message_id for one in found.texts)
        if new:
            log.info("replies heard that were handed in in vain", replies=new)
        if not found.whole:
            log.warning("too many replies to look for", read=len(found.texts))

    async def _take(self, texts: Sequence[InboundText]) -> int:
        fresh = [one for one in texts if one.provider_message_id not in self._heard]
        if fresh:
            # What was taken before need not be read again.
            async with transaction() as tx:
                fresh = await unknown(tx, fresh)
        return sum(
            [
                await hear(fresh[first : first + _TOGETHER])
                for first in range(0, len(fresh), _TOGETHER)
            ]
        )
