"""Text messages while everything goes wrong: real worker processes, the real adapter, the real simulator, real webhooks.

Only waiting is shortened: leases of workers that are dead lapse at once, and pauses pass. What is judged is what the provider
says it was sent, what our rows say, and what the doctor finds.
"""

import asyncio
import json
import os
import random
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from sqlalchemy import make_url

from app import keys
from app.db import Database, snapshot
from app.doctor import examining
from app.identifiers import uuid7
from app.outbox import MessageKind, OutboxMessage, seal_params, worth_sending
from app.settings import settings
from app.stored import copyable

ROOT = Path(__file__).resolve().parents[2]
WORKERS, CONTROL = "workers.__main__", "tests.faults.without_inquiry"
PATIENCE_SECONDS = 240.0
# At most so many of the messages may have been sent twice.
DOUBLED_AT_MOST = 0.001
LYING = {
    "too_many": 0.10, "error_accepted": 0.05, "error_not_accepted": 0.05, "stall_accepted": 0.10, "stall_seconds": 1.5,
    "silent": 0.5, "report_delay_seconds": 0.05,
}  # fmt: skip

_OPEN = "SELECT count(*) FROM outbox_message WHERE state IN ('queued', 'sending', 'unknown')"
_ARRIVED = "SELECT count(*) FROM outbox_message WHERE state IN ('accepted', 'delivered')"
_CODES_LEFT = (
    "SELECT count(*) FROM outbox_message WHERE kind = 'one_time_code' AND state <> 'expired'"
)
_TRIED = "SELECT coalesce(sum(attempts), 0) FROM outbox_message WHERE state = 'queued'"
# Of the twenty seconds that an unknown attempt is left alone, two must pass: what was sent may still be on its way.
_PAUSES_PASS = """
UPDATE outbox_message SET due_at = CASE state WHEN 'queued' THEN least(due_at, now()) ELSE due_at END,
  lease_until = CASE state WHEN 'unknown' THEN least(lease_until, now()) ELSE lease_until END
WHERE state = 'queued' AND due_at > now()
  OR state = 'unknown' AND lease_token IS NULL AND lease_until BETWEEN now() AND now() + INTERVAL '18 seconds'
"""
# Only while no worker lives: one that does may still be sending.
_LEASES_LAPSE = (
    "UPDATE outbox_message SET lease_until = now() WHERE state IN ('sending', 'unknown')"
)


@dataclass(frozen=True, slots=True)
class Judged:
    held: bool
    told: str


@dataclass
class Post:
    """A database, the simulator, an application that takes webhooks, and where workers come from."""

    database_url: str
    simulator_url: str
    public_url: str
    forks: "Forks"
    web: httpx.AsyncClient
    progress: Callable[[int], None] = lambda _done: None
    chance: random.Random = field(default_factory=random.Random)

    @asynccontextmanager
    async def workers(
        self, module: str = WORKERS, *, rate: float, timeout_seconds: float = 0.7
    ) -> AsyncIterator["Crew"]:
        """Worker processes at this database; at the end all are killed."""
        environment = {
            "DATABASE_URL": self.database_url, "REDIS_URL": "redis://127.0.0.1:1/0", "POLL_SECONDS": "0.3",
            "TWILIO_API_URL": self.simulator_url, "PUBLIC_URL": self.public_url, "SMS_TIMEOUT_SECONDS": str(timeout_seconds),
            "SMS_RATE": str(rate), "DATABASE_POOL_SIZE": "4",
        }  # fmt: skip
        crew = Crew(self.forks, module, environment)
        try:
            yield crew
        finally:
            crew.kill_all()

    async def behave(self, **behaviour: Any) -> None:
        told = await self.web.post(f"{self.simulator_url}/control/behaviour", json=behaviour)
        told.raise_for_status()

    async def counts(self) -> dict[str, Any]:
        answer = await self.web.get(f"{self.simulator_url}/control/counts")
        found: dict[str, Any] = answer.json()
        return found

    async def sent_to(self) -> list[str]:
        """The numbers that texts were accepted for, in the order of their acceptance."""
        own = settings()
        path: str | None = (
            f"/2010-04-01/Accounts/{own.twilio_account_sid}/Messages.json?PageSize=1000"
        )
        auth = (own.twilio_account_sid, own.twilio_auth_token.get_secret_value())
        newest_first: list[str] = []
        while path is not None:
            page = (await self.web.get(f"{self.simulator_url}{path}", auth=auth)).json()
            newest_first += [one["to"] for one in page["messages"]]
            path = page["next_page_uri"]
        return newest_first[::-1]

    async def ask(self, query: str) -> int:
        connection = await self.connect()
        try:
            return int(await connection.fetchval(query))
        finally:
            await connection.close()

    async def do(self, command: str) -> None:
        connection = await self.connect()
        try:
            await connection.execute(command)
        finally:
            await connection.close()

    async def until(self, true: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await true():  # noqa: ASYNC110 - the database and the simulator offer nothing to wait for
                await asyncio.sleep(0.03)

    async def arrived(self) -> int:
        found = await self.ask(_ARRIVED)
        self.progress(found)
        return found

    async def owe(self, texts: list[OutboxMessage]) -> None:
        connection = await self.connect()
        try:
            names, rows = copyable(OutboxMessage, texts)
            await connection.copy_records_to_table("outbox_message", columns=names, records=rows)
        finally:
            await connection.close()

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        plain = make_url(self.database_url).set(drivername="postgresql")
        return await asyncpg.connect(plain.render_as_string(hide_password=False), timeout=10)

    async def drained(self, *, meanwhile: Callable[[], Awaitable[None]] | None = None) -> None:
        """Wait until nothing is open any more."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.ask(_OPEN):
                await self.arrived()
                if meanwhile is not None:
                    await meanwhile()
                await asyncio.sleep(0.3)

    async def pauses_pass(self) -> None:
        await self.do(_PAUSES_PASS)

    async def breaches(self) -> list[str]:
        on = Database(self.database_url, pool_size=1, statement_timeout="0")
        async with snapshot(on) as tx:
            findings = await examining.examine(tx, quick=True, late=timedelta(minutes=1))
        await on.close()
        return [finding.invariant.name for finding in findings if not finding.holds]


@dataclass(frozen=True, slots=True)
class Forks:
    """The process that worker processes are forked from."""

    asked: asyncio.StreamWriter
    told: asyncio.StreamReader

    @staticmethod
    @asynccontextmanager
    async def ready() -> AsyncIterator["Forks"]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.forks", cwd=ROOT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert await process.stdout.readline() == b"ready\n"
            yield Forks(process.stdin, process.stdout)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def one(self, module: str, environment: dict[str, str]) -> int:
        self.asked.write(json.dumps([module, environment]).encode() + b"\n")
        await self.asked.drain()
        return int(await self.told.readline())


@dataclass
class Crew:
    """The worker processes of one scenario."""

    forks: Forks
    module: str
    environment: dict[str, str]
    alive: list[int] = field(default_factory=list)

    async def start(self, workers: int = 1) -> None:
        for _ in range(workers):
            self.alive.append(await self.forks.one(self.module, self.environment))

    def kill(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self.alive.remove(pid)
        while True:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.002)

    def kill_all(self) -> None:
        for pid in list(self.alive):
            self.kill(pid)


def owed(number: int, at: datetime, *, kind: MessageKind = MessageKind.PROGRESS) -> OutboxMessage:
    """As announce() would have written it then."""
    params = {
        "ref": "500153-261122-48392017", "title": "13至17栋没有饮用水", "unit": "荣隆镇", "report": "已找到漏点", "code": "135790",
    }  # fmt: skip
    return OutboxMessage(
        id=uuid7(at),
        kind=kind,
        phone_sealed=keys.encrypt(phone(number)),
        params_sealed=seal_params(params),
        due_at=at,
        expires_at=at + worth_sending(kind),
        created_at=at,
    )


def free_port() -> int:
    """One that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def phone(number: int) -> str:
    return f"+86139{number:08d}"


async def killed(post: Post, *, texts: int, kills: int, rate: int, module: str = WORKERS) -> Judged:
    """Workers die at random while the provider answers 429, 500 and nothing, and has half of what it denies.

    Who dies when nothing is left to be sent shows nothing, and is not counted: before that comes to be, more texts are owed.
    """
    messages: list[OutboxMessage] = []
    await _owe_more(post, messages, texts)
    await post.behave(seed=post.chance.randrange(10**6), **LYING)
    struck = 0
    async with post.workers(module, rate=rate) as crew:
        while struck < kills:
            struck += await _wave(post, crew, min(8, kills - struck), messages, low=rate)
        await crew.start(2)
        await post.drained(meanwhile=post.pauses_pass)
    judged = await _once_each(post, messages, f"{struck} of {kills} killed while texts were open")
    return Judged(judged.held and struck >= kills, judged.told)


async def _owe_more(post: Post, messages: list[OutboxMessage], texts: int) -> None:
    now = await moment(post)
    more = [owed(len(messages) + number, now) for number in range(texts)]
    await post.owe(more)
    messages += more


async def _wave(
    post: Post, crew: Crew, kills: int, messages: list[OutboxMessage], *, low: int
) -> int:
    """Some die and are replaced, at last all die; then, and only then, what they held lapses. How many died at their work.

    `low`: with fewer texts open there will be as many more.
    """
    await crew.start(2)
    struck = 0
    for _ in range(kills):
        if await post.ask(_OPEN) < low:
            await _owe_more(post, messages, low)
        before = (await post.counts())["requests"]

        async def got_somewhere(before: int = before) -> bool:
            # Whoever is killed while starting shows nothing.
            return (await post.counts())["requests"] > before or not await post.ask(_OPEN)

        await post.until(got_somewhere)
        await asyncio.sleep(post.chance.uniform(0, 0.2))
        crew.kill(post.chance.choice(crew.alive))
        # Asked of the dead: what is open now was open when they died.
        struck += await post.ask(_OPEN) > 0
        await crew.start()
        await post.arrived()
        await post.pauses_pass()
    crew.kill_all()
    await post.do(_LEASES_LAPSE)
    return struck


async def _once_each(post: Post, messages: list[OutboxMessage], told: str) -> Judged:
    counts, arrived = await post.counts(), await post.arrived()
    accepted, doubled = counts["messages"], counts["doubled"]
    lost = len(messages) - len(set(await post.sent_to()))
    unexplained = await _unexplained(post, messages) if doubled else 0
    breaches = await post.breaches()
    held = (
        arrived == len(messages)
        and lost == unexplained == 0
        and doubled <= DOUBLED_AT_MOST * len(messages)
        and not breaches
    )
    return Judged(
        held,
        f"{accepted:,} accepted of {len(messages):,}, {arrived:,} known to be, {lost} lost, {doubled} doubled ({unexplained} of them never unknown), "
        f"{counts['requests']:,} requests, {told}; doctor: {', '.join(breaches) or 'nothing'}",
    )


async def _unexplained(post: Post, messages: list[OutboxMessage]) -> int:
    """How many were sent twice though no attempt of theirs ended unknown: those that had a single attempt."""
    once = {
        row["id"] for row in await rows(post, "SELECT id FROM outbox_message WHERE attempts <= 1")
    }
    found = 0
    for message in messages:
        if message.id in once:
            callback = f"{post.public_url}/sms/twilio/status/{message.id}"
            answer = await post.web.get(f"{post.simulator_url}/control/attempts", params={"status_callback": callback})  # fmt: skip
            found += answer.json()["accepted"] > 1
    return found


async def away(
    post: Post, *, texts: int, codes: int, rate: int, back: Callable[[], Awaitable[None]]
) -> Judged:
    """The provider has been away for six hours; `back` brings it back."""
    now = await moment(post)
    hours = timedelta(hours=6)
    queued = [owed(n, now - hours * (texts - n) / texts) for n in range(texts)]
    old = [owed(texts + n, now - timedelta(minutes=5 + n % 300), kind=MessageKind.ONE_TIME_CODE) for n in range(codes)]  # fmt: skip
    await post.owe(post.chance.sample(queued + old, texts + codes))
    # Long: on a slow machine too, no text is overtaken because its answer came late.
    async with post.workers(rate=rate, timeout_seconds=20) as crew:
        await crew.start(2)

        async def paused_and_expired() -> bool:
            paused = await post.ask(
                "SELECT count(*) FROM sms_channel WHERE paused_since IS NOT NULL"
            )
            return bool(paused) and not await post.ask(_CODES_LEFT)

        await post.until(paused_and_expired)
        tried = await post.ask(_TRIED)
        await back()
        await post.behave(silent=1)
        # The pause is over: hours have gone by.
        await post.do("UPDATE sms_channel SET paused_until = now() WHERE paused_since IS NOT NULL")
        began = time.monotonic()
        await post.drained()
        seconds = time.monotonic() - began
    order = [int(to[-8:]) for to in await post.sent_to()]
    farthest = max((abs(place - number) for place, number in enumerate(order)), default=0)
    breaches = await post.breaches()
    # What several workers hold at once comes in any order; more than that is no order.
    in_order, in_rate = farthest <= 2 * 64 + 64, texts / seconds <= rate * 1.15
    held = sorted(order) == list(range(texts)) and in_order and in_rate and not breaches
    return Judged(
        held,
        f"{len(order):,} of {texts:,} sent at {texts / seconds:.0f}/s (rate {rate}), none farther than {farthest} from its place, "
        f"{codes} codes expired unsent, {tried} attempts used up; doctor: {', '.join(breaches) or 'nothing'}",
    )


async def moment(post: Post) -> datetime:
    [row] = await rows(post, "SELECT now() AS now")
    now: datetime = row["now"]
    return now


async def rows(post: Post, query: str) -> list[Any]:
    connection = await post.connect()
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()
