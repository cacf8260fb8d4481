"""How often something may be tried, and how fast: counted from rows in the database, so that it holds without Redis."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import text

from app.db import Transaction

_LOCK = text("SELECT pg_advisory_xact_lock(:number)")


class Limit(Struct, frozen=True):
    """At most `times` within `within`. The next is due when the newest but `times` - 1 is that old."""

    times: int
    within: timedelta


class Pace(Struct, frozen=True):
    """`free` tries within `within`, and after that each a longer while after the last: `first`, twice that, up to `most`.

    It slows down and never shuts out: whoever else is trying, the next try is at most `most` away.
    """

    free: int
    within: timedelta
    first: timedelta
    most: timedelta

    @property
    def counted(self) -> int:
        """More than so many make no difference."""
        return self.free + math.ceil(math.log2(self.most / self.first)) + 1

    def seconds_to_wait(self, newest_first: list[datetime] | None, now: datetime) -> int:
        tries = newest_first or []
        if len(tries) < self.free:
            return 0
        pause = min(self.first * (1 << (len(tries) - self.free)), self.most)
        return max(0, math.ceil((tries[0] + pause - now).total_seconds()))


def lately(pace: Pace, rows: str) -> str:
    """SQL for the moments that `pace` decides by, of `rows` ("table WHERE ..."). Binds :shift."""
    seconds = int(pace.within.total_seconds())
    return f"""(SELECT array_agg(at ORDER BY at DESC) FROM (
  SELECT at FROM {rows} AND at > now() + :shift - make_interval(secs => {seconds}) ORDER BY at DESC LIMIT {pace.counted}) t)"""  # noqa: S608 - constants of ours


def nth_newest(limit: Limit, moment: str, rows: str) -> str:
    """SQL for the moment `Limit` decides by, of `rows` ("table WHERE ..."). Reads as many index entries as `times`."""
    return f"(SELECT {moment} FROM {rows} ORDER BY {moment} DESC OFFSET {limit.times - 1} LIMIT 1)"  # noqa: S608 - constants of ours


def seconds_to_wait(found: Iterable[tuple[Limit, datetime | None]], now: datetime) -> int:
    """0 when none of the limits is reached; `found` holds the moment of `nth_newest` for each."""
    waits = [at + limit.within - now for limit, at in found if at is not None]
    return max(0, *(math.ceil(wait.total_seconds()) for wait in waits), 0)


async def one_at_a_time(tx: Transaction, *lookup_keys: bytes) -> None:
    """Until the transaction ends, nobody else counts for these keys. Always name them in the same order of purposes."""
    for key in lookup_keys:
        await tx.execute(_LOCK, number=int.from_bytes(key[:8], signed=True))
