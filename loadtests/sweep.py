"""The sweep's part of `make bench`: how many cards a second two worker processes issue among a million open limits.

BENCH_OPEN says how many are open (10,000,000 take six minutes), BENCH_DUE how many of them are due, 100,000 if it says nothing.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    track,
)
from sqlalchemy import make_url

from app.settings import settings
from loadtests import reference
from qungong.dev import sample, serving
from qungong.dev.embedded import Postgres

OPEN = int(os.environ.get("BENCH_OPEN", "1000000"))
DUE = min(int(os.environ.get("BENCH_DUE", "100000")), OPEN)
WORKERS = 2
# Of the cards a second that pgbench writes one by one over as many connections.
TO_REACH = 1.0
BESIDE_SECONDS = 4.0
# What a process may have grown by between a tenth of the work and its end, in MiB.
FLAT = 16.0
_CASES_AT_ONCE = 50_000

# The record of these cases is not a true one: nothing here reads it. Due are those that are spread evenly among the rest.
# Their ids are in the order in which they came, as real ones are.
_MATTERS = """
INSERT INTO matter (id, kind, ref, county_id, sealed, head_seq, head_hash)
SELECT CAST(lpad(to_hex(n), 32, '0') AS uuid), 'grievance', 'bench-' || n, u.county_id, false, 0, ''
FROM generate_series(CAST($1 AS int), CAST($2 AS int)) AS s(n)
JOIN (SELECT id, county_id, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS units FROM unit WHERE kind = 'village') u
  ON u.place = n % u.units
"""
_CASES = """
INSERT INTO grievance (id, ref, tracking_key, county_id, first_unit_id, textable, channel, kind, urgent, sealed, title, received_at,
  phase, holder_unit_id, stage, due_at, statutory_due_at, extended, round, returns, refusals_objected, presses, seal)
SELECT CAST(lpad(to_hex(n), 32, '0') AS uuid), 'bench-' || n, decode(md5(CAST(n AS text)), 'hex'), u.county_id, u.id, true, 'cadre', 'help',
  false, false, '第一件：路灯不亮', now(), 'pending', u.id, 'judge', now(), now(), false, 1, 0, 0, 0, ''
FROM generate_series(CAST($1 AS int), CAST($2 AS int)) AS s(n)
JOIN (SELECT id, county_id, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS units FROM unit WHERE kind = 'village') u
  ON u.place = n % u.units
"""
_CLOCKS = """
INSERT INTO clock (id, matter_id, county_id, stage, round, unit_id, started_at, "limit", remind_before, yellow_after, red_after, rule,
  calendar_version, pauses, due_at, provisional, certain_steps, yellow_at, red_at, steps, next_at)
SELECT g.id, g.id, g.county_id, 'judge', 1, g.holder_unit_id, now() - INTERVAL '9 days', '2wd', 0, '0wd',
  '5wd', 'judge/village', 1, '[]', m.due - INTERVAL '1 second', false, 3, m.due, m.due + INTERVAL '30 days', 0, m.due
FROM generate_series(CAST($1 AS int), CAST($2 AS int)) AS s(n)
JOIN grievance g ON g.id = CAST(lpad(to_hex(n), 32, '0') AS uuid)
CROSS JOIN LATERAL (SELECT now() + CASE WHEN n % $3 = 0 THEN -INTERVAL '1 day' ELSE INTERVAL '1 day' END
  + n % 1000 * INTERVAL '1 minute' / 1000 AS due) m
"""
_INDEXES = """
SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = CAST($1 AS regclass) AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
"""
_DONE = "SELECT count(*) FROM card"

console = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Swept:
    """Cards a second by all workers together and by pgbench; what each worker had in memory (MiB), early and at the end."""

    rate: float
    pgbench: float
    before: list[float]
    after: list[float]

    @property
    def growth(self) -> float:
        return max(end - start for start, end in zip(self.before, self.after, strict=True))

    def lines(self) -> list[tuple[str, str, str, bool]]:
        memory = ", ".join(
            f"{start:.0f} → {end:.0f}" for start, end in zip(self.before, self.after, strict=True)
        )
        share = self.rate / self.pgbench
        return [
            (f"cards, {DUE:,} due of {OPEN:,} open, {WORKERS} workers", f"{self.rate:,.0f}/s = {share:.0%} of pgbench, one by one ({self.pgbench:,.0f}/s)", f"≥ {TO_REACH:.0%}", share >= TO_REACH),
            ("memory of the workers, MiB", memory, f"≤ {FLAT:.0f} more", self.growth <= FLAT),
        ]  # fmt: skip


def measure(postgres: Postgres) -> Swept:
    """On a database of its own; the workers run without Redis, which would only wake them."""
    name = f"bench_sweep_{OPEN}"
    postgres.ensure_database(name)
    os.environ["DATABASE_URL"] = postgres.url(name)
    settings.cache_clear()
    serving.migrate()
    asyncio.run(_fill())
    # Before and after: what else the machine does falls on both.
    first = _beside(postgres, name)
    argv = [sys.executable, "-m", "workers", "deadlines"]
    environment = os.environ | {"REDIS_URL": "redis://127.0.0.1:1/0", "MEDIA_URL": "memory:///", "POLL_SECONDS": "0.5"}  # fmt: skip
    workers = [
        subprocess.Popen(  # noqa: S603 - our own worker
            argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(WORKERS)
    ]
    try:
        rate, before, after = asyncio.run(_watched([worker.pid for worker in workers]))
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    beside = statistics.mean((first, _beside(postgres, name)))
    return Swept(rate, beside, before, after)


def _beside(postgres: Postgres, database: str) -> float:
    """Cards a second that pgbench writes, for limits that are not due."""
    return reference.transactions(
        postgres,
        database,
        "card",
        seconds=BESIDE_SECONDS,
        connections=WORKERS,
        last=OPEN // 10 - 1,
    )


async def _fill() -> None:
    await sample.load()
    connection = await _connect()
    try:
        async with _bare(connection):
            starts = range(1, OPEN + 1, _CASES_AT_ONCE)
            for first in track(starts, f"载入 {OPEN:,} 个期限 · loading", console=console):
                last = min(first + _CASES_AT_ONCE - 1, OPEN)
                await connection.execute(_MATTERS, first, last)
                await connection.execute(_CASES, first, last)
                await connection.execute(_CLOCKS, first, last, OPEN // DUE)
        with console.status("VACUUM ANALYZE"):
            await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


@asynccontextmanager
async def _bare(connection: "asyncpg.Connection[asyncpg.Record]") -> AsyncIterator[None]:
    """Within, rows go into the tables alone; what indexes them is laid over all of them at the end, as it was."""
    tables = ("grievance", "clock")
    indexes = [row for table in tables for row in await connection.fetch(_INDEXES, table)]
    await connection.execute(
        "SET session_replication_role = replica; SET maintenance_work_mem = '1GB'"
    )
    for table in tables:
        await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    yield
    for index in track(indexes, "建立索引 · indexing", console=console):
        await connection.execute(index["definition"])
    for table in tables:
        await connection.execute(f"ALTER TABLE {table} RESET (autovacuum_enabled)")
    await connection.execute("RESET ALL")


async def _watched(pids: list[int]) -> tuple[float, list[float], list[float]]:
    """The rate, and memory early and at the end. Timed from a tenth of the work to its end, so that starting the processes does not count."""
    connection = await _connect()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())  # fmt: skip
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("cards", total=DUE)
            began, first, before = 0.0, 0, [0.0]
            others = int(await connection.fetchval(_DONE))
            while (done := int(await connection.fetchval(_DONE)) - others) < DUE:
                progress.update(task, completed=done)
                if not first and done >= DUE // 10:
                    began, first, before = time.monotonic(), done, resident(pids)
                await asyncio.sleep(0.2)
            seconds = time.monotonic() - began
    finally:
        await connection.close()
    return (DUE - first) / seconds, before, resident(pids)


def resident(pids: list[int]) -> list[float]:
    """Resident memory in MiB."""
    asked = subprocess.run(  # noqa: S603 - our own processes
        ["ps", "-o", "rss=", "-p", ",".join(map(str, pids))],  # noqa: S607 - of the system, wherever it is
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(line) / 1024 for line in asked.stdout.split()]


async def _connect() -> "asyncpg.Connection[asyncpg.Record]":
    plain = make_url(settings().database_url).set(drivername="postgresql")
    return await asyncpg.connect(plain.render_as_string(hide_password=False))
