"""How often something public may be asked: counted in Redis for all processes, and always in this process too.

So the limits hold, a little wider, while Redis is away; and a Redis that is slow or gone is left alone for a while.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass

import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter

from app.errors import TooMany

WINDOW_SECONDS = 60
_PATIENCE = 0.2
_LEFT_ALONE_SECONDS = 5.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Counted:
    """At most `times` a minute for `who`, who is told apart by `purpose`."""

    purpose: str
    who: str
    times: int


class RateLimits:
    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._shared: FixedWindowRateLimiter | None = None
        self._away_until = 0.0
        self._window = 0
        # Emptied every minute; holds no more than one process can answer in that time.
        self._here: Counter[tuple[str, str]] = Counter()

    async def admit(self, *asked: Counted) -> None:
        """Count, and raise TooMany where a limit is passed. Never fails otherwise, never waits long."""
        wait = self._count_here(asked)
        if wait == 0 and time.monotonic() >= self._away_until:
            wait = await self._count_together(asked)
        if wait:
            raise TooMany(retry_after=wait)

    async def close(self) -> None:
        if self._shared is not None:
            await self._shared.storage.bridge.get_connection().aclose()  # type: ignore[attr-defined]  # `limits` has no way to close
            self._shared = None

    def _count_here(self, asked: tuple[Counted, ...]) -> int:
        """Seconds to wait, 0 for none."""
        now = time.monotonic()
        window = int(now // WINDOW_SECONDS)
        if window != self._window:
            self._window = window
            self._here.clear()
        self._here.update((one.purpose, one.who) for one in asked)
        if any(self._here[one.purpose, one.who] > one.times for one in asked):
            return int((window + 1) * WINDOW_SECONDS - now) + 1
        return 0

    async def _count_together(self, asked: tuple[Counted, ...]) -> int:
        try:
            async with asyncio.timeout(_PATIENCE):
                limiter = self._limiter()
                # All are waited for, also when one fails: none goes on opening a connection that nobody closes.
                told = await asyncio.gather(
                    *(
                        limiter.hit(RateLimitItemPerMinute(one.times), one.purpose, one.who)
                        for one in asked
                    ),
                    return_exceptions=True,
                )
            within = [_unless_failed(one) for one in told]
        except Exception as away:  # whatever is wrong with Redis: what people ask must be answered
            self._away_until = time.monotonic() + _LEFT_ALONE_SECONDS
            log.warning("rate limits are counted in this process only", error=type(away).__name__)
            return 0
        return 0 if all(within) else WINDOW_SECONDS

    def _limiter(self) -> FixedWindowRateLimiter:
        if self._shared is None:
            storage = RedisStorage(
                f"async+{self._redis_url}",
                implementation="redispy",
                socket_timeout=_PATIENCE,
                socket_connect_timeout=_PATIENCE,
            )
            self._shared = FixedWindowRateLimiter(storage)
        return self._shared


def _unless_failed(told: bool | BaseException) -> bool:
    if isinstance(told, BaseException):
        raise told
    return told
