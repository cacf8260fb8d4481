"""Whether the database's clock can be believed: no card is issued by a clock that has jumped. Issues none itself.

One watch per process: it compares the time that passed by the database with the time that passed by a clock that nobody
sets. A process that has just begun has nothing to compare with, and catches up (docs/adr/0012).
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from app import heartbeats
from app.db import Transaction
from app.heartbeats import Jump, Pulse

log = structlog.get_logger()

TOO_FAR: Final = timedelta(minutes=15)
# What a clock may be set back by whoever keeps it exact. Nothing is early by that; it only tells of a jump before.
_SET_BACK: Final = timedelta(minutes=1)
# Where there is one, the clock that also goes on while the machine sleeps.
_STEADY: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def steady_seconds() -> float:
    """Seconds since some moment, by a clock that nobody sets."""
    return time.clock_gettime(_STEADY)


class Watch:
    """What this process knows of how the database's clock goes. `steady` is replaced in tests."""

    def __init__(self, steady: Callable[[], float] = steady_seconds) -> None:
        self._steady = steady
        # A moment of the database's that was believed, and the steady clock's then.
        self._since: tuple[datetime, float] | None = None
        self._released_at: datetime | None = None
        # It is this process that found the clock ahead, and hence can tell when it is back.
        self._holds = False
        self._alarmed = False

    async def look(self, tx: Transaction) -> bool:
        """Whether cards may be issued now. Tells all processes if the clock has jumped, or is right again."""
        pulse = await heartbeats.pulse(tx)
        self._heed_release(pulse)
        jump = self._jump(pulse)
        if jump is None and not self._held_by_others(pulse):
            await heartbeats.swept(tx, pulse)
            if pulse.held_since is not None:
                log.warning("the database's clock is right again, cards are issued")
            self._since, self._holds, self._alarmed = (pulse.at, self._steady()), False, False
            return True
        if jump is not None and await heartbeats.hold(tx, jump):
            self._holds = jump is Jump.AHEAD
        self._alarm(jump or pulse.held_why)
        return False

    def believes(self, at: datetime) -> bool:
        """Whether the clock has not run ahead since it was last looked at."""
        return self._since is None or at - self._expected(self._since) <= TOO_FAR

    def _jump(self, pulse: Pulse) -> Jump | None:
        if pulse.swept_at is not None and pulse.swept_at - pulse.at > _SET_BACK:
            return Jump.BEHIND
        return None if self.believes(pulse.at) else Jump.AHEAD

    def _held_by_others(self, pulse: Pulse) -> bool:
        """A clock that was behind is right again for everybody once it has come to where it was."""
        return pulse.held_why is Jump.AHEAD and not self._holds

    def _heed_release(self, pulse: Pulse) -> None:
        if pulse.released_at != self._released_at:
            self._released_at, self._since, self._holds = pulse.released_at, None, False

    def _expected(self, since: tuple[datetime, float]) -> datetime:
        at, steady = since
        return at + timedelta(seconds=self._steady() - steady)

    def _alarm(self, why: Jump | None) -> None:
        if not self._alarmed:
            log.error("the database's clock has jumped, no cards are issued", jump=why)
        self._alarmed = True
