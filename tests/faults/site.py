"""Where the faults happen: servers of their own, a county with what is due, worker processes, and what came of it."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import asyncpg
from sqlalchemy import text
from typing_extensions import override

from app.db import Database, snapshot
from app.db.row_base import Found
from app.doctor import examining
from app.settings import settings
from qungong.dev.embedded import Postgres, Redis
from tests.faults.past import PastTheApplication

ROOT = Path(__file__).resolve().parents[2]
# Nothing may take longer, whatever the machine: then the run is a breach, not a wait.
PATIENCE_SECONDS = 240.0

_LEFT = "SELECT count(*) FROM clock WHERE next_at <= now()"
_CARDS = "SELECT count(*) FROM card"
_IN_THE_MIDDLE = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
_BEHIND = "months_are_kept_up"
_MONTHS = "SELECT count(*) FROM month_end"
# Whatever day of the next month months are locked on.
_MONTHS_BEHIND = """
SELECT count(*) FROM (SELECT coalesce(max(month), DATE '2000-01-01') AS month FROM month_end) last
WHERE month + interval '3 months' < now()"""
_COUNTS = text("""
SELECT (SELECT count(*) FROM card) AS cards,
  (SELECT count(*) FROM (SELECT DISTINCT clock_id, level FROM card) d) AS different,
  (SELECT count(*) FROM record_entry WHERE action = 'card') AS entries,
  (SELECT count(*) FROM card WHERE effective_at > issued_at) AS early,
  (SELECT count(*) FROM clock WHERE next_at <= now()) AS due
""")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a scenario left behind. `breaches` are what the doctor found."""

    cards: int
    different: int
    entries: int
    early: int
    due: int
    breaches: list[str]
    told: str
    seconds: float

    def holds(self, expected: int) -> bool:
        exact = self.cards == self.different == self.entries == expected
        return exact and self.early == self.due == 0 and not self.breaches


@dataclass
class Site(PastTheApplication):
    """A database made for one scenario, and the workers that are at it."""

    postgres: Postgres
    redis: Redis
    name: str
    # Told how many cards there are.
    progress: Callable[[int], None]
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    chance: random.Random = field(default_factory=random.Random)

    @property
    @override
    def url(self) -> str:
        return self.postgres.url(self.name)

    def start(
        self, *module: str, redis: bool = False, **environment: str
    ) -> "subprocess.Popen[bytes]":
        argv = [sys.executable, "-m", *(module or ("workers", "deadlines"))]
        process = subprocess.Popen(  # our own
            argv,
            cwd=ROOT,
            env=os.environ
            | {
                "DATABASE_URL": self.url,
                "REDIS_URL": self.redis.url() if redis else "redis://127.0.0.1:1/0",
                "POLL_SECONDS": "0.5",
                "MEDIA_URL": "memory:///",
                **environment,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.workers.append(process)
        return process

    def kill(self, process: "subprocess.Popen[bytes]") -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.workers.remove(process)

    async def cards(self) -> int:
        found = await self.ask(_CARDS)
        self.progress(found)
        return found

    async def left(self) -> int:
        """How much is due."""
        return await self.ask(_LEFT)

    async def swept(self, *, meanwhile: Callable[[], Awaitable[None]] | None = None) -> None:
        """Wait until nothing more is due; `meanwhile` is what goes wrong, again and again until then."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                with suppress(OSError, asyncpg.PostgresError):
                    await self.cards()
                    if await self.ask(_LEFT) == 0:
                        return
                if meanwhile is None:
                    await asyncio.sleep(0.2)
                else:
                    await meanwhile()

    async def locked(self) -> int:
        """Wait until the months that were missed are locked; returns how many are."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                if await self.ask(_MONTHS_BEHIND) == 0:
                    return await self.ask(_MONTHS)
                await asyncio.sleep(0.2)

    async def until_cards(self, number: int, *, or_all: bool = False) -> None:
        """Wait until the workers are at it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.cards() < number:
                if or_all and await self.ask(_LEFT) == 0:
                    return
                await asyncio.sleep(0.05)

    async def until_at_it(self) -> None:
        """Wait until a worker is in the middle of a batch, where cards are slow, or nothing is due."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                if await self.ask(_IN_THE_MIDDLE) or not await self.left():
                    return
                await asyncio.sleep(0.05)

    async def outcome(self, told: str, began: float) -> Outcome:
        counts, breaches = await self._examined()
        if breaches == [_BEHIND]:
            # The workers are at it: cards come first, and then a month at a time what nobody locked since the cases came in.
            await self.locked()
            counts, breaches = await self._examined()
        return Outcome(
            **dict(counts), breaches=breaches, told=told, seconds=time.monotonic() - began
        )

    async def _examined(self) -> tuple[Found, list[str]]:
        on = Database(self.url, pool_size=1, statement_timeout="0")
        async with snapshot(on) as tx:
            [counts] = await tx.all(_COUNTS)
            findings = await examining.examine(tx, late=timedelta(minutes=15))
        await on.close()
        return counts, [finding.invariant.name for finding in findings if not finding.holds]

    def end(self) -> None:
        for process in self.workers:
            process.kill()
            process.wait()
        self.workers.clear()


@contextmanager
def named(url: str) -> Iterator[None]:
    """The settings of this process name this database."""
    before = os.environ.get("DATABASE_URL")
    os.environ["DATABASE_URL"] = url
    settings.cache_clear()
    try:
        yield
    finally:
        if before is None:
            del os.environ["DATABASE_URL"]
        else:
            os.environ["DATABASE_URL"] = before
        settings.cache_clear()
