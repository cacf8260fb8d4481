"""`make bench`: what a request costs, beside pgbench reading and writing the same rows on the same server in the same run.

Rounds are interleaved, so that whatever else the machine does falls on both. Only ratios are judged: a rate says how
fast the machine is. Everything is switched on: sign-in, permissions, record, idempotency. Only the workers are not
running: they would take from both.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from itertools import count
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.db import database
from app.settings import settings
from app.usage import UNBOUNDED
from loadtests import client, county, delivery, reference, rescheduling, start, sweep
from loadtests.client import Measured, request
from loadtests.county import Known
from qungong.dev import sample, serving
from qungong.dev.embedded import Postgres, Redis

CONNECTIONS = 8
SERVERS = 2
SIZES = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "10000,100000").split(","))
ONLY = os.environ.get(
    "BENCH_ONLY", "start,create,transition,inbox,tracking,search,sweep,reschedule,delivery"
).split(",")
POOL = 400
TOWNSHIP = "广顺街道"
TOWNSHIP_CODE = "500153003"
# What is to be reached: of pgbench's rate; and among many cases of the rate among few, both against the machine's speed.
# A tenth below what a quiet run reached (docs/performance.md).
TARGETS = {"create": 0.28, "transition": 0.21, "inbox": 0.08, "tracking": 0.06}
# Of the inbox's rate in the same round: a search of two words, one frequent and one rare.
SEARCH_OF_INBOX = 0.20
NO_SLOWER = 0.80
# Whose session pgbench looks up.
ACCOUNTS = {
    "create": "gongnong",
    "transition": "gongnong",
    "inbox": "zhihui",
    "tracking": "gongnong",
}

console = Console(stderr=True, highlight=False)


@dataclass
class Rounds:
    """Rates of one kind of request, a round each: ours, pgbench's, and the machine's speed between them."""

    ours: list[float] = field(default_factory=list)
    pgbench: list[float] = field(default_factory=list)
    machine: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(self.ours)

    @property
    def ratio(self) -> float:
        """Of pgbench's rate."""
        return _median_ratio(self.ours, self.pgbench)

    @property
    def by_machine(self) -> float:
        """Our rate per unit of the machine's speed: comparable between two sizes that were measured one after the other."""
        return _median_ratio(self.ours, self.machine)


def _median_ratio(ours: list[float], beside: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(ours, beside, strict=True))


@dataclass(frozen=True, slots=True)
class Site:
    """Where everything runs, and what is known of the cases in it."""

    port: int
    postgres: Postgres
    database: str
    known: Known
    numbers: "count[int]"


def main() -> None:
    seconds = float(os.environ.get("BENCH_SECONDS", "4"))
    rounds = int(os.environ.get("BENCH_ROUNDS", "5"))
    with tempfile.TemporaryDirectory(prefix="qungong-bench-") as folder, ExitStack() as stack:
        # Durable, as in production: no fsync switched off.
        postgres, redis = (
            Postgres(Path(folder) / "postgres", {}, mortal=True),
            Redis(Path(folder) / "redis.json", mortal=True),
        )
        for server in (postgres, redis):
            server.ensure()
            stack.callback(server.stop)
        started = start.measure() if "start" in ONLY else None
        asked = set(ONLY) - {"start", "sweep", "reschedule", "delivery"}
        measured = {
            size: _at_size(size, postgres, redis, seconds, rounds) for size in SIZES if asked
        }
        drained = delivery.measure(postgres) if "delivery" in ONLY else None
        swept = sweep.measure(postgres) if "sweep" in ONLY else None
        anew = rescheduling.measure(postgres) if "reschedule" in ONLY else None
    worked = {"start": started, "delivery": drained, "sweep": swept, "reschedule": anew}
    lines = _lines(measured) if measured else []
    for done in worked.values():
        lines += done.lines() if done else []
    _print(lines, measured, {name: asdict(done) for name, done in worked.items() if done})
    sys.exit(0 if all(ok for _, _, _, ok in lines) else 1)


def _at_size(
    size: int, postgres: Postgres, redis: Redis, seconds: float, rounds: int
) -> dict[str, Rounds]:
    name = f"bench_{size}"
    postgres.ensure_database(name)
    url = postgres.url(name)
    os.environ.update(
        {
            "DATABASE_URL": url,
            "REDIS_URL": redis.url(),
            "DATABASE_POOL_SIZE": str(CONNECTIONS),
            **UNBOUNDED,
        }
    )
    settings.cache_clear()
    serving.migrate()
    known = asyncio.run(_fill(size))
    port = 18100 + size // 10_000
    argv = [
        sys.executable, "-m", serving.HTTP_SERVER, "--port", str(port), "--processes", str(SERVERS)
    ]  # fmt: skip
    with subprocess.Popen(argv) as served:  # noqa: S603 - our own server
        try:
            asyncio.run(_ready(port))
            return _rounds(Site(port, postgres, name, known, count()), seconds, rounds)
        finally:
            served.terminate()


async def _fill(size: int) -> Known:
    database.cache_clear()
    await sample.load()
    try:
        return await county.fill(size, seed=size, ping_pong=2 * POOL, township=TOWNSHIP)
    finally:
        await database().close()
        database.cache_clear()


def _rounds(site: Site, seconds: float, rounds: int) -> dict[str, Rounds]:
    asks = {
        "create": _creates,
        "transition": _transitions,
        "inbox": _inboxes,
        "tracking": _trackings,
        "search": _searches,
    }
    asks = {name: ask for name, ask in asks.items() if name in ONLY}
    measured = {name: Rounds() for name in asks}
    refs = ",".join(
        site.known.at_township[POOL:]
    )  # pgbench writes no true entries: its cases are its own
    _number(site, "bench_pool", f"SELECT id FROM grievance WHERE ref = ANY('{{{refs}}}')")  # noqa: S608 - references we made
    tracked = ",".join(ref for ref, _ in site.known.tracked[2 * POOL :])
    _number(site, "bench_tracked", f"SELECT unnest(CAST('{{{tracked}}}' AS text[])) AS ref")
    rates: dict[str, float] = {}
    for number in range(-1, rounds):  # the first warms up and does not count
        for name, ask in asks.items():
            with console.status(
                f"{len(site.known.tracked)} cases, round {number + 1}/{rounds}, {name}"
            ):
                done = asyncio.run(client.run(site.port, ask(site), seconds=seconds))
                rate = _answered(done, name)
                machine = _pgbench(site, reference.MACHINE, 1.0)
                beside = rates["inbox"] if name == "search" else _pgbench(site, name, seconds)
                rates[name] = rate
            if number >= 0:
                measured[name].ours.append(rate)
                measured[name].pgbench.append(beside)
                measured[name].machine.append(machine)
    return measured


def _number(site: Site, table: str, rows: str) -> None:
    """A table of the rows, numbered from 1, from which pgbench picks."""
    site.postgres.ask(
        f"CREATE TABLE {table} AS SELECT row_number() OVER () AS n, found.* FROM ({rows}) found",  # noqa: S608 - our own text
        database=site.database,
    )
    site.postgres.ask(
        f"CREATE UNIQUE INDEX ON {table} (n); ANALYZE {table}", database=site.database
    )


def _answered(measured: Measured, name: str) -> float:
    if measured.failures:
        raise SystemExit(f"{name}: not every request succeeded: {measured.failures}")
    return measured.rate


def _creates(site: Site) -> list[client.Next]:
    bearer = f"Bearer {site.known.tokens['gongnong']}"

    def ask(_number: int) -> bytes:
        n = next(site.numbers)
        person = {"name": "王大爷", "phone": f"138{n % 10**8:08d}"}
        body = {
            "title": f"第{n}件：路灯不亮",
            "body": "村口的路灯坏了一个月，夜里老人出行不便。" * 4,
            "kind": "help",
            "person": person,
        }
        return request(
            "POST",
            "/api/v1/cases",
            body=body,
            Authorization=bearer,
            Idempotency_Key=f"bench-create-{n}-{time.time_ns()}",
        )

    return [ask] * CONNECTIONS


def _transitions(site: Site) -> list[client.Next]:
    """Up from the township to the command center, and down again: each connection with cases of its own."""
    up, down = (f"Bearer {site.known.tokens[account]}" for account in ("guangshun", "zhihui"))
    share = POOL // CONNECTIONS

    def ask_of(refs: list[str], at_center: dict[str, bool]) -> client.Next:
        def ask(number: int) -> bytes:
            ref = refs[number % len(refs)]
            key = f"bench-move-{next(site.numbers)}-{time.time_ns()}"
            at_center[ref] = not at_center.get(ref, False)
            if at_center[ref]:
                body, path, bearer = {"finding": "本级没有维修能力"}, "escalate", up
            else:
                body, path, bearer = (
                    {"to_code": TOWNSHIP_CODE, "reason": "请先行核实"},
                    "send-down",
                    down,
                )
            return request(
                "POST",
                f"/api/v1/cases/{ref}/{path}",
                body=body,
                Authorization=bearer,
                Idempotency_Key=key,
            )

        return ask

    pool = site.known.at_township[:POOL]
    return [ask_of(pool[n * share : (n + 1) * share], _WHERE) for n in range(CONNECTIONS)]


# Where each case of the pool stands, across rounds.
_WHERE: dict[str, bool] = {}


def _inboxes(site: Site) -> list[client.Next]:
    asked = request(
        "GET",
        "/api/v1/cases?view=to_judge&size=50",
        Authorization=f"Bearer {site.known.tokens['zhihui']}",
    )
    return [lambda _number: asked] * CONNECTIONS


def _trackings(site: Site) -> list[client.Next]:
    tracked = site.known.tracked[2 * POOL :]

    def ask(_number: int) -> bytes:
        n = next(site.numbers)
        ref, code = tracked[n * 7919 % len(tracked)]
        # As from as many homes: one address may ask only so often.
        address = f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"
        return request(
            "POST", "/m/v1/track", body={"ref": ref, "code": code}, X_Forwarded_For=address
        )

    return [ask] * CONNECTIONS


def _searches(site: Site) -> list[client.Next]:
    bearer = f"Bearer {site.known.tokens['zhihui']}"

    def ask(_number: int) -> bytes:
        n = next(site.numbers)
        street = county.STREETS[n % len(county.STREETS)]
        return request(
            "POST",
            "/api/v1/cases/search",
            body={"words": f"{street} 老人"},
            Authorization=bearer,
            Idempotency_Key=f"bench-search-{n}-{time.time_ns()}",
        )

    return [ask] * CONNECTIONS


def _pgbench(site: Site, script: str, seconds: float) -> float:
    variables: dict[str, str | int] = {}
    if script in ACCOUNTS:
        token = site.known.tokens[ACCOUNTS[script]]
        variables = {
            "digest": sha256(token.encode()).hexdigest(),
            "pool": POOL,
            "tracked": len(site.known.tracked) - 2 * POOL,
        }
    return reference.transactions(
        site.postgres,
        site.database,
        script,
        seconds=seconds,
        connections=CONNECTIONS,
        **variables,
    )


async def _ready(port: int) -> None:
    for _ in range(600):
        try:
            status, _body = await client.once(port, request("GET", "/ready"))
        except OSError:
            status = 0
        if status == 200:
            return
        await asyncio.sleep(0.5)
    raise SystemExit("the server did not come up")


def _lines(measured: dict[int, dict[str, Rounds]]) -> list[tuple[str, str, str, bool]]:
    """What was measured, what was to be reached, and whether it was."""
    lines = []
    few, many = SIZES[0], SIZES[-1]
    for size, found in measured.items():
        for name, rounds in found.items():
            beside = "the inbox" if name == "search" else "pgbench"
            told = f"{rounds.rate:,.0f}/s = {rounds.ratio:.1%} of {beside} ({statistics.median(rounds.pgbench):,.0f}/s)"
            target = SEARCH_OF_INBOX if name == "search" else TARGETS[name]
            lines.append((f"{name}, {size:,}", told, f"≥ {target:.0%}", rounds.ratio >= target))
    if many != few:
        for name in measured[many]:
            share = measured[many][name].by_machine / measured[few][name].by_machine
            what = f"{name}, {many:,} against {few:,}, by the machine's speed"
            lines.append((what, f"{share:.2f}", f"≥ {NO_SLOWER}", share >= NO_SLOWER))
    return lines


def _print(
    lines: list[tuple[str, str, str, bool]],
    measured: dict[int, dict[str, Rounds]],
    worked: dict[str, dict[str, object]],
) -> None:
    table = Table("", "measured", "to reach", "")
    for what, told, target, ok in lines:
        table.add_row(what, told, target, "[green]✓[/]" if ok else "[red]✗[/]")
    console.print(table)
    raw: dict[str, object] = {
        str(size): {name: vars(rounds) for name, rounds in found.items()}
        for size, found in measured.items()
    }
    raw |= worked
    sys.stdout.write(json.dumps(raw) + "\n")


if __name__ == "__main__":
    main()
