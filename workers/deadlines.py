"""What a clock does: ask the surveys that are owed, archive answered cases, clear out what nobody needs any more.

Each case and each survey is a transaction of its own: one that cannot be done holds up no other.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

import structlog

from app import bell
from app.bell import Bell
from app.cases.actions import closing
from app.db import Transaction, reading, transaction
from app.surveys import asking
from workers import archiving, housekeeping

log = structlog.get_logger()

_BATCH: Final = 100
_HOUSEKEEPING_EVERY_SECONDS: Final = 3600.0

Place: TypeAlias = tuple[datetime, UUID]
_BEFORE_ALL: Final[Place] = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))


class Deadlines:
    """One look at everything a clock is to do."""

    name = str(Bell.DEADLINES)

    def __init__(self) -> None:
        self._tidied_at: float | None = None

    async def once(self) -> bool:
        if await _through(asking.owed, asking.ask, "survey"):
            bell.ring(Bell.OUTBOX)
        await _through(archiving.due, archiving.archive, "archiving")
        await self._tidy()
        return False

    async def finish(self) -> None:
        """Nothing is under way between two looks."""
