"""Delivery's part of `make bench`: how many texts a second one worker hands to the provider, and whether it grows meanwhile.

The worker, the real Twilio adapter, PostgreSQL and the simulator share the machine. In the same run a bare loop of the same
adapter, without a database, shows what the provider's side alone lets through. BENCH_TEXTS says how many are queued.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import asyncpg
import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import make_url

from app.db.row_base import copyable
from app.identifiers import uuid7
from app.settings import settings
from app.texts.outbox import MessageKind, OutboxMessage, seal_params, seal_phone, worth_sending
from loadtests.sweep import resident
from qungong.dev import serving
from qungong.dev.embedded import Postgres
from sms.gateway import Accepted, OutgoingText
from sms.providers.twilio import TwilioGateway
from workers.texts import AT_ONCE

TEXTS = int(os.environ.get("BENCH_TEXTS", "100000"))
BARE = min(5000, TEXTS)
PORT = 18190
# Of what the adapter alone does in a bare loop.
SHARE = 0.4
# What the process may have grown by between a tenth of the work and its end, in MiB.
FLAT = 16.0
_AT_ONCE_COPIED = 10_000
_LEFT = "SELECT count(*) FROM outbox_message WHERE state IN ('queued', 'sending')"
_WRONG = "SELECT count(*) FROM outbox_message WHERE state <> 'accepted'"
_PARAMETERS = {
    "ref": "500153-261122-48392017", "title": "13至17栋没有饮用水", "unit": "荣隆镇", "report": "已找到漏点，正在更换水管",
}  # fmt: skip

console = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What was measured: texts a second by one worker and by a bare loop, and the worker's memory (MiB), early and at the end."""

    rate: float
    bare: float
    before: float
    after: float

    def lines(self) -> list[tuple[str, str, str, bool]]:
        share, growth = self.rate / self.bare, self.after - self.before
        return [
            (f"texts, {TEXTS:,} queued, one worker", f"{self.rate:,.0f}/s = {share:.0%} of the adapter in a bare loop ({self.bare:,.0f}/s)", f"≥ {SHARE:.0%}", share >= SHARE),
            ("memory of the worker, MiB", f"{self.before:.0f} → {self.after:.0f}", f"≤ {FLAT:.0f} more", growth <= FLAT),
        ]  # fmt: skip


def measure(postgres: Postgres) -> Delivered:
    """On a database of its own; without Redis, which would only wake the worker."""
    name = f"bench_delivery_{TEXTS}"
    postgres.ensure_database(name)
    os.environ.update(
        {
            "DATABASE_URL": postgres.url(name), "REDIS_URL": "redis://127.0.0.1:1/0", "POLL_SECONDS": "0.5", "SMS_RATE": "0",
            "TWILIO_API_URL": f"http://127.0.0.1:{PORT}",
        }
    )  # fmt: skip
    settings.cache_clear()
    serving.migrate()
    asyncio.run(_fill())
    with _simulator():
        # Before and after: whatever else the machine does meanwhile falls on both.
        first = asyncio.run(_bare())
        _forget()
        argv = [sys.executable, "-m", "workers", "outbox"]
        with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as worker:  # noqa: S603 - our own
            try:
                rate, before, after = asyncio.run(_watched(worker.pid))
            finally:
                worker.kill()
        _forget()
        last = asyncio.run(_bare())
    return Delivered(rate, statistics.mean((first, last)), before, after)


@contextmanager
def _simulator() -> Iterator[None]:
    argv = [
        sys.executable, "-m", "uvicorn", serving.SIMULATOR_APPLICATION, "--host", "127.0.0.1", "--port", str(PORT),
        "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip
    with subprocess.Popen(argv) as process:  # noqa: S603 - our own
        try:
            _wait_for_it()
            yield
        finally:
            process.kill()


def _forget() -> None:
    """The simulator has seen nothing, and calls no webhooks: nobody listens, and they are not what is measured."""
    httpx.post(f"http://127.0.0.1:{PORT}/control/reset").raise_for_status()
    httpx.post(f"http://127.0.0.1:{PORT}/control/behaviour", json={"silent": 1}).raise_for_status()


def _wait_for_it() -> None:
    for _ in range(240):
        try:
            _forget()
        except httpx.TransportError:
            time.sleep(0.25)
        else:
            return
    raise SystemExit("the simulator did not come up")


def _phone(number: int) -> str:
    return f"+86139{number:08d}"


async def _fill() -> None:
    connection = await _connect()
    try:
        now: datetime = await connection.fetchval("SELECT now()")
        with _bar("texts", TEXTS) as tell:
            for first in range(0, TEXTS, _AT_ONCE_COPIED):
                last = min(first + _AT_ONCE_COPIED, TEXTS)
                names, rows = copyable(OutboxMessage, [_owed(n, now) for n in range(first, last)])
                await connection.copy_records_to_table(
                    "outbox_message", columns=names, records=rows
                )
                tell(last)
        await connection.execute("VACUUM ANALYZE outbox_message")
    finally:
        await connection.close()


def _owed(number: int, now: datetime) -> OutboxMessage:
    message_id = uuid7(now)
    return OutboxMessage(
        id=message_id,
        kind=MessageKind.PROGRESS,
        phone_sealed=seal_phone(message_id, _phone(number)),
        params_sealed=seal_params(message_id, _PARAMETERS),
        due_at=now,
        expires_at=now + worth_sending(MessageKind.PROGRESS),
        created_at=now,
    )


async def _bare() -> float:
    """The adapter alone, as many at once as the worker has."""
    gateway, body = TwilioGateway(settings()), "【荣昌群工】" + "".join(_PARAMETERS.values())
    numbers = iter(range(BARE))

    async def send() -> None:
        for number in numbers:
            text = OutgoingText(uuid4(), _phone(number), "progress", _PARAMETERS, body, f"http://127.0.0.1:1/{number}")  # fmt: skip
            if not isinstance(await gateway.send(text), Accepted):
                raise SystemExit("the simulator did not accept")

    began = time.monotonic()
    await asyncio.gather(*(send() for _ in range(AT_ONCE)))
    seconds = time.monotonic() - began
    await gateway.close()
    return BARE / seconds


async def _watched(pid: int) -> tuple[float, float, float]:
    """Timed from a tenth of the work to its end, so that starting the process does not count."""
    connection = await _connect()
    try:
        with _bar("delivered", TEXTS) as tell:
            began, first, before = 0.0, 0, 0.0
            while left := int(await connection.fetchval(_LEFT)):
                tell(TEXTS - left)
                if not first and TEXTS - left >= TEXTS // 10:
                    began, first, before = time.monotonic(), TEXTS - left, resident([pid])[0]
                await asyncio.sleep(0.5)
            seconds = time.monotonic() - began
        if wrong := int(await connection.fetchval(_WRONG)):
            raise SystemExit(f"{wrong} texts were not accepted")
    finally:
        await connection.close()
    return (TEXTS - first) / seconds, before, resident([pid])[0]


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


async def _connect() -> "asyncpg.Connection[asyncpg.Record]":
    plain = make_url(settings().database_url).set(drivername="postgresql")
    return await asyncpg.connect(plain.render_as_string(hide_password=False))
