"""The part of `make bench` that changes a calendar: how many open limits a second are computed anew, with an entry each case.

BENCH_LIMITS says how many are open, two a case: its stage and the whole. `qungong calendar reschedule` runs twice, side by side.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import text

from app.calendars import editing
from app.calendars.working_time import Day
from app.clock import SHANGHAI
from app.db import Database, transaction
from app.kinds import rescheduling
from app.settings import settings
from loadtests import reference
from qungong.dev import sample, serving
from qungong.dev.embedded import Postgres

LIMITS = int(os.environ.get("BENCH_LIMITS", "100000"))
WORKERS = 2
# Of the limits a second that pgbench writes anew, two a transaction, over as many connections.
TO_REACH = 0.6
BESIDE_SECONDS = 4.0

# The record of these cases is not a true one: nothing here reads it, only its end is moved on.
_CASES = text("""
WITH m AS (
  INSERT INTO matter (id, kind, ref, county_id, sealed, head_seq, head_hash)
  SELECT CAST(md5('case' || n) AS uuid), 'grievance', 'bench-' || n, u.county_id, false, 1, decode(repeat('cd', 32), 'hex')
  FROM generate_series(1, :cases) AS s(n) JOIN unit u ON u.code = '500153003007'
)
INSERT INTO grievance (id, ref, tracking_key, county_id, first_unit_id, textable, channel, kind, urgent, sealed, title, received_at,
  phase, holder_unit_id, stage, due_at, statutory_due_at, extended, round, returns, refusals_objected, presses, seal)
SELECT CAST(md5('case' || n) AS uuid), 'bench-' || n, decode(md5(CAST(n AS text)), 'hex'), u.county_id, u.id, true, 'cadre', 'help',
  false, false, '路灯不亮', now(), 'pending', u.id, 'judge', now(), now(), false, 1, 0, 0, 0, ''
FROM generate_series(1, :cases) AS s(n) JOIN unit u ON u.code = '500153003007'
""")
_CLOCKS = text("""
INSERT INTO clock (id, matter_id, county_id, stage, round, unit_id, started_at, "limit", remind_before, yellow_after, red_after, rule,
  calendar_version, pauses, due_at, provisional, certain_steps, yellow_at, red_at, steps, next_at)
SELECT gen_random_uuid(), g.id, g.county_id, k.stage, 1, g.holder_unit_id, now(), k.days, 1, '0wd', k.red, 'bench', v.version, '[]',
  now() + INTERVAL '3 days', false, 3, now() + INTERVAL '3 days', now() + INTERVAL '9 days', 0, now() + INTERVAL '3 days'
FROM grievance g JOIN calendar v ON v.county_id = g.county_id
CROSS JOIN (VALUES ('judge', '2wd', '5wd'), ('whole', '30wd', NULL)) AS k(stage, days, red)
""")
_COUNTY = text("SELECT county_id FROM calendar ORDER BY county_id LIMIT 1")

console = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Rescheduled:
    """Limits computed anew a second, and written anew by pgbench, which computes nothing."""

    rate: float
    pgbench: float

    def lines(self) -> list[tuple[str, str, str, bool]]:
        share = self.rate / self.pgbench
        return [
            (f"limits computed anew, {LIMITS:,} open, {WORKERS} at once", f"{self.rate:,.0f}/s = {share:.0%} of pgbench ({self.pgbench:,.0f}/s)", f"≥ {TO_REACH:.0%}", share >= TO_REACH),
        ]  # fmt: skip


def measure(postgres: Postgres) -> Rescheduled:
    """On a database of its own, timed from the first batch to the last."""
    name = f"bench_reschedule_{LIMITS}"
    postgres.ensure_database(name)
    os.environ["DATABASE_URL"] = postgres.url(name)
    settings.cache_clear()
    serving.migrate()
    asyncio.run(_fill())
    # Before and after: what else the machine does falls on both.
    first = _beside(postgres, name)
    argv = [sys.executable, "-m", "qungong", "calendar", "reschedule"]
    environment = os.environ | {"REDIS_URL": "redis://127.0.0.1:1/0"}
    commands = [
        subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
        for _ in range(WORKERS)
    ]
    try:
        rate = asyncio.run(_watched(commands))
    finally:
        for command in commands:
            command.kill()
            command.wait()
    return Rescheduled(rate, statistics.mean((first, _beside(postgres, name))))


def _beside(postgres: Postgres, database: str) -> float:
    """Limits a second that pgbench writes anew."""
    done = reference.transactions(
        postgres,
        database,
        "reschedule",
        seconds=BESIDE_SECONDS,
        connections=WORKERS,
        cases=LIMITS // 2,
    )
    return 2 * done


async def _fill() -> None:
    await sample.load()
    on = Database(settings().database_url, pool_size=1, statement_timeout="0", idle_in_transaction_session_timeout="0")  # fmt: skip
    try:
        with console.status(f"载入 {LIMITS:,} 个期限 · loading"):
            async with transaction(on) as tx:
                await tx.execute(_CASES, cases=LIMITS // 2)
                await tx.execute(_CLOCKS)
            async with on.connection() as driver:
                await driver.execute("VACUUM ANALYZE matter, grievance, clock")
        async with transaction(on) as tx:
            now = await tx.now()
            # Days off from tomorrow on: whatever runs now moves.
            days = {
                (now.astimezone(SHANGHAI) + timedelta(days=n)).date(): Day(False, name="停工")
                for n in range(1, 8)
            }
            await editing.change_days(
                tx, await tx.scalar(_COUNTY), days, reason="停工", staff_id=None, now=now
            )
    finally:
        await on.close()


async def _watched(commands: "list[subprocess.Popen[bytes]]") -> float:
    """Limits a second. Timed from a tenth of the work to its end, so that starting the process does not count."""
    on = Database(settings().database_url, pool_size=1, statement_timeout="0")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())  # fmt: skip
    began, first, left = 0.0, 0, LIMITS
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("limits", total=LIMITS)
            while left:
                async with transaction(on) as tx:
                    left = await rescheduling.remaining(tx)
                progress.update(task, completed=LIMITS - left)
                if not began and LIMITS - left >= LIMITS // 10:
                    began, first = time.monotonic(), LIMITS - left
                if left and all(command.poll() is not None for command in commands):
                    raise SystemExit(f"qungong calendar reschedule left {left} limits")
                await asyncio.sleep(0.2)
            seconds = time.monotonic() - began
    finally:
        await on.close()
    return (LIMITS - first) / seconds
