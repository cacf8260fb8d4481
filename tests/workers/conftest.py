"""The real Twilio adapter before the simulator, the real webhooks, a database of the test's own, and real processes."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from sqlalchemy import text

from app.auth.actor import StaffActor
from app.db import Database, transaction
from app.http import problems
from app.settings import Settings, settings
from app.texts import outbox
from app.texts.outbox import MessageKind, MessageState
from qungong.dev import sample
from sms import inbound
from sms.simulator.app import create_app
from sms.simulator.state import SimulatorSettings
from tests.conftest import find_staff
from tests.sms.servers import served
from workers.loop import keep_working
from workers.texts import Delivery, open_gateway

_ROOT = Path(__file__).resolve().parents[2]
# Generous: a worker process takes seconds to start where all processors are busy.
_PATIENCE = 50.0
_ROW = text(
    "SELECT state, why, turn, attempts, inquiries, provider_id, error, due_at, lease_until, settled_at FROM outbox_message WHERE id = :id"
)
# As if so much time had gone by: only the waiting is shortened.
_LAPSE = text("UPDATE outbox_message SET lease_until = now() WHERE lease_until IS NOT NULL")
_DUE = text("UPDATE outbox_message SET due_at = now() WHERE state = 'queued'")


async def until(true: Callable[[], Awaitable[Any]], *, seconds: float = _PATIENCE) -> Any:
    """Wait for something to come true and return it."""
    async with asyncio.timeout(seconds):
        while True:
            if found := await true():
                return found
            await asyncio.sleep(0.05)


@dataclass
class Provider:
    """The simulator, and what it says it was sent."""

    url: str
    control: httpx.AsyncClient

    async def behave(self, **behaviour: Any) -> None:
        (await self.control.post("/control/behaviour", json=behaviour)).raise_for_status()

    async def accepted(self, message: UUID) -> int:
        return int((await self._attempts(message))["accepted"])

    async def requests(self, message: UUID) -> int:
        return int((await self._attempts(message))["requests"])

    async def inquiries(self, message: UUID) -> int:
        return int((await self._attempts(message))["inquiries"])

    async def _attempts(self, message: UUID) -> dict[str, Any]:
        callback = f"{settings().public_url}/sms/twilio/status/{message}"
        answer = await self.control.get("/control/attempts", params={"status_callback": callback})
        found: dict[str, Any] = answer.json()
        return found


@dataclass
class Workers:
    """Worker processes of a test; those still running at its end are killed."""

    running: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def start(self, name: str, **environment: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "workers",
            name,
            cwd=_ROOT,
            env={**os.environ, "POLL_SECONDS": "0.3", **environment},
        )
        self.running.append(process)
        return process

    async def kill(self, process: asyncio.subprocess.Process) -> None:
        process.send_signal(signal.SIGKILL)
        await process.wait()

    async def end(self) -> None:
        for process in self.running:
            if process.returncode is None:
                await self.kill(process)


@pytest.fixture(scope="session")
def simulator_url() -> Iterator[str]:
    own = SimulatorSettings(simulator_dir=None, simulator_inbound_url="http://127.0.0.1:1/unused")
    with served(create_app(Settings(), own)) as url:
        yield url


@pytest_asyncio.fixture
async def database(
    fresh_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Database]:
    """An empty database of the test's own, which the application in this process works on too."""
    monkeypatch.setenv("DATABASE_URL", fresh_database_url)
    settings.cache_clear()
    own = Database(fresh_database_url, pool_size=10)
    monkeypatch.setattr("app.db.transactions.database", lambda: own)
    yield own
    await own.close()


@asynccontextmanager
async def _serving(app: FastAPI) -> AsyncIterator[str]:
    # In this loop, unlike the simulator: the application's connections belong to it.
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


@pytest_asyncio.fixture
async def provider(
    simulator_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Provider]:
    """The simulator, reporting to the real webhooks of an application on the test's database."""
    assert database is not None
    application = FastAPI()
    application.include_router(inbound.router)
    problems.install(application)
    async with (
        _serving(application) as public_url,
        httpx.AsyncClient(base_url=simulator_url, timeout=20) as control,
    ):
        monkeypatch.setenv("PUBLIC_URL", public_url)
        monkeypatch.setenv("TWILIO_API_URL", simulator_url)
        settings.cache_clear()
        (await control.post("/control/reset")).raise_for_status()
        yield Provider(simulator_url, control)
        (await control.post("/control/reset")).raise_for_status()
    settings.cache_clear()


@pytest_asyncio.fixture
async def workers() -> AsyncIterator[Workers]:
    started = Workers()
    yield started
    await started.end()


@pytest_asyncio.fixture
async def another_worker(provider: Provider) -> AsyncIterator[Callable[[], None]]:
    """Starts a worker in this process: one that is not to be killed."""
    assert provider.url
    stopping, tasks = asyncio.Event(), []

    def start() -> None:
        work = Delivery(open_gateway())
        looking = keep_working(work, rung=asyncio.Event(), stopping=stopping, every=0.2)
        tasks.append((work, asyncio.create_task(looking)))

    yield start
    stopping.set()
    for work, task in tasks:
        await task
        await work.finish()


async def announce(
    *, kind: MessageKind = MessageKind.PROGRESS, phone: str = "+8613800000001"
) -> UUID:
    async with transaction() as tx:
        return outbox.announce(
            tx,
            kind,
            now=await tx.now(),
            phone=phone,
            ref="500153-261122-00000001",
            title="13至17栋没有饮用水",
            unit="荣隆镇",
            report="已找到漏点",
            code="123456",
        )


async def row(message: UUID) -> Any:
    async with transaction() as tx:
        return (await tx.all(_ROW, id=message))[0]


async def in_state(message: UUID, *states: MessageState) -> Any:
    """The message's row, once it is in one of these states."""

    async def there() -> Any:
        found = await row(message)
        return found if found.state in states else None

    return await until(there)


async def let_leases_lapse() -> None:
    async with transaction() as tx:
        await tx.execute(_LAPSE)


async def let_pauses_pass() -> None:
    async with transaction() as tx:
        await tx.execute(_DUE)


@pytest_asyncio.fixture
async def cadre(database: Database) -> AsyncIterator[StaffActor]:
    """Of the village that cards are about, in a county of the test's own."""
    assert database is not None
    await sample.load()
    yield await find_staff("gongnong")
