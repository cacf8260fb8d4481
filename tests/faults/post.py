"""Where texts pass while everything goes wrong: a database, the simulator, webhooks, and worker processes that can be killed."""

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
from uuid import UUID

import httpx
from typing_extensions import override

from app.db import Database, snapshot
from app.db.row_base import copyable
from app.doctor import examining
from app.identifiers import uuid7
from app.settings import settings
from app.texts.outbox import MessageKind, OutboxMessage, seal_params, seal_phone, worth_sending
from tests.faults.past import PastTheApplication

ROOT = Path(__file__).resolve().parents[2]
WORKERS, CONTROL = "workers.__main__", "tests.faults.without_inquiry"
# With the pattern that once hung: within the time limit, and in the event loop.
WITHIN_LIMIT, IN_THE_LOOP = (
    "tests.faults.old_pattern_within_the_limit",
    "tests.faults.reading_in_the_loop",
)
PATIENCE_SECONDS = 240.0
OPEN = "SELECT count(*) FROM outbox_message WHERE state IN ('queued', 'sending', 'unknown')"
_ARRIVED = "SELECT count(*) FROM outbox_message WHERE state IN ('accepted', 'delivered')"
# Of the twenty seconds that an unknown attempt is left alone, two must pass: what was sent may still be on its way.
_PAUSES_PASS = """
UPDATE outbox_message SET due_at = CASE state WHEN 'queued' THEN least(due_at, now()) ELSE due_at END,
  lease_until = CASE state WHEN 'unknown' THEN least(lease_until, now()) ELSE lease_until END
WHERE state = 'queued' AND due_at > now()
  OR state = 'unknown' AND lease_token IS NULL AND lease_until BETWEEN now() AND now() + INTERVAL '18 seconds'
"""


@dataclass
class Post(PastTheApplication):
    """A database, the simulator, an application that takes webhooks, and where workers come from."""

    database_url: str
    simulator_url: str
    public_url: str
    forks: "Forks"
    web: httpx.AsyncClient
    progress: Callable[[int], None] = lambda _done: None
    chance: random.Random = field(default_factory=random.Random)

    @property
    @override
    def url(self) -> str:
        return self.database_url

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

    async def treatments(self, message: UUID) -> list[str]:
        """What the provider did with each request to send it, in their order."""
        callback = f"{self.public_url}/sms/twilio/status/{message}"
        answer = await self.web.get(f"{self.simulator_url}/control/attempts", params={"status_callback": callback})  # fmt: skip
        found: list[str] = answer.json()["treatments"]
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

    async def drained(self, *, meanwhile: Callable[[], Awaitable[None]] | None = None) -> None:
        """Wait until nothing is open any more."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.ask(OPEN):
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
    message_id = uuid7(at)
    return OutboxMessage(
        id=message_id,
        kind=kind,
        phone_sealed=seal_phone(message_id, phone(number)),
        params_sealed=seal_params(message_id, params),
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


async def moment(post: Post) -> datetime:
    [row] = await post.rows("SELECT now() AS now")
    now: datetime = row["now"]
    return now
