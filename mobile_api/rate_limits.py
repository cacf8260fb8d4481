"""How often something public may be asked: counted in Redis for all processes, and always in this process too.

So the limits hold, a little wider, while Redis is away; and a Redis that is slow or gone is left alone for a while.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable

import structlog
from msgspec import Struct
from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from app.errors import TooMany

WINDOW_SECONDS = 60
# 0.2 seconds in which this process was free to read an answer: its own work is not Redis's delay.
_TICK_SECONDS = 0.02
_TICKS = 10
_LEFT_ALONE_SECONDS = 5.0
# All keys in one command, so that no key is left without an end; the first count of a window sets it.
_COUNT = """
local counts = {}
for i, key in ipairs(KEYS) do
  counts[i] = redis.call('INCR', key)
  if counts[i] == 1 then redis.call('EXPIRE', key, ARGV[1]) end
end
return counts
"""
log = structlog.get_logger()


class Counted(Struct, frozen=True):
    """At most `times` a minute for `who`, who is told apart by `purpose`."""

    purpose: str
    who: str
    times: int


class RateLimits:
    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._redis: Redis | None = None
        self._count: AsyncScript | None = None
        self._away_until = 0.0
        self._away = False
        self._window = 0
        # Emptied every minute; holds no more than one process can answer in that time.
        self._here: Counter[tuple[str, str]] = Counter()

    async def open(self) -> None:
        """At start-up, so that nobody's request pays for the first connection."""
        await self._count_together(())

    async def admit(self, *asked: Counted) -> None:
        """Count, and raise TooMany where a limit is passed. Never fails otherwise, never waits long."""
        wait = self._count_here(asked)
        if wait == 0 and time.monotonic() >= self._away_until:
            wait = await self._count_together(asked)
        if wait:
            raise TooMany(retry_after=wait)

    async def close(self) -> None:
        if self._redis is not None:
            await self._redis.aclose()
            self._redis = None

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
        if self._away:
            # Only this request finds out whether Redis is back; others do not wait for it meanwhile.
            self._away_until = time.monotonic() + _LEFT_ALONE_SECONDS
        try:
            counts = await _patiently(self._ask(asked))
        except Exception as away:  # whatever is wrong with Redis: what people ask must be answered
            self._away_until = time.monotonic() + _LEFT_ALONE_SECONDS
            if not self._away:
                self._away = True
                log.warning(
                    "rate limits are counted in this process only", error=type(away).__name__
                )
            return 0
        if self._away:
            self._away, self._away_until = False, 0.0
            log.info("rate limits are counted by all processes together again")
        within = all(count <= one.times for one, count in zip(asked, counts, strict=True))
        return 0 if within else WINDOW_SECONDS

    async def _ask(self, asked: tuple[Counted, ...]) -> list[int]:
        """The counts with this request, in one round trip."""
        if self._redis is None or self._count is None:
            self._redis = Redis.from_url(self._redis_url)
            self._count = self._redis.register_script(_COUNT)
        keys = [f"rate/{one.purpose}/{one.who}" for one in asked]
        told: list[int] = await self._count(keys=keys, args=[WINDOW_SECONDS])
        return told


async def _patiently(asking: Awaitable[list[int]]) -> list[int]:
    """Waits for as many ticks of the loop. A tick in which the process was busy with other work counts as one."""
    task: asyncio.Future[list[int]] = asyncio.ensure_future(asking)
    for _ in range(_TICKS):
        try:
            done, _pending = await asyncio.wait({task}, timeout=_TICK_SECONDS)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if done:
            return task.result()
    task.cancel()
    await asyncio.wait({task})
    raise TimeoutError
