"""The processes that `make run` keeps running, and how it starts them."""

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from alembic.config import Config
from rich.console import Console
from sqlalchemy.exc import ProgrammingError

from alembic import command
from app.calendars import seeding
from app.db import Database, transaction
from app.settings import Settings, settings
from qungong.dev.local import Lock, Services, local_folder, local_services
from qungong.dev.supervisor import Command, Supervisor, end_leftovers, require_port
from qungong.web import RELOADED
from sms import templates
from sms.providers import capabilities
from sms.providers.twilio_protocol import TRIES_AGAIN
from sms.simulator import aliyun_templates

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
HTTP_PROCESSES = 2
WORKERS = ("deadlines", "outbox")
HTTP_SERVER = "qungong.web"
SIMULATOR_APPLICATION = "sms.simulator.app:app"
REVIVAL_SECONDS = 2.0
# Of each provider: where its API is, and whose account it is. With neither, the simulator stands for it.
_REAL = {
    "twilio": ("TWILIO_API_URL", "TWILIO_ACCOUNT_SID"),
    "aliyun": ("ALIYUN_API_URL", "ALIYUN_ACCESS_KEY_ID"),
}

console = Console(highlight=False)


class AlreadyRunning(RuntimeError):
    """The same working copy is being served by another process."""

    def __init__(self) -> None:
        super().__init__(
            "本目录的系统已在运行：请先停止它（Ctrl-C）。\n"
            "This working copy is being served already: stop that one first (Ctrl-C)."
        )


class CannotMigrate(RuntimeError):
    """The database lets us do less than a migration needs; says what its administrator has to do."""


@dataclass(frozen=True)
class Ports:
    """`host` is the address that the HTTP server listens on; the SMS simulator always listens on this machine alone."""

    http: int
    sms: int
    host: str = HOST

    @property
    def site(self) -> str:
        return f"http://{self.host}:{self.http}"


@contextmanager
def step(text: str) -> Iterator[None]:
    """Show that something is being done; leave a line behind when it is."""
    with console.status(text):
        yield
    console.print(f"[green]✓[/] {text}")


@contextmanager
def serving(ports: Ports) -> Iterator[Services]:
    """Services, ports and addresses as a run of everything needs them; only one run per working copy."""
    with Lock(local_folder(ROOT) / "serving.lock") as only_one, ExitStack() as stack:
        if not only_one.try_take():
            raise AlreadyRunning
        end_leftovers(str(ROOT))
        require_port(ports.http, ports.host)
        if simulated():
            require_port(ports.sms, HOST)
        with step("启动数据库与 Redis · starting the database and Redis"):
            services = stack.enter_context(local_services(ROOT))
        os.environ.update(addresses(ports))
        settings.cache_clear()
        yield services


def simulated() -> bool:
    """Whether text messages go to the simulator: unless a real account or another address is configured."""
    return not any(os.environ.get(name) for name in _REAL[_provider()])


def _provider() -> str:
    return "aliyun" if os.environ.get("SMS_PROVIDER") == "aliyun" else "twilio"


def addresses(ports: Ports) -> Mapping[str, str]:
    """Addresses that follow from the ports, where nobody set them."""
    derived = {"PUBLIC_URL": ports.site}
    if simulated():
        derived[_REAL[_provider()][0]] = f"http://{HOST}:{ports.sms}"
        derived["SIMULATOR_DIR"] = str(local_folder(ROOT) / "simulator")
        derived["SIMULATOR_INBOUND_URL"] = (
            f"{derived['PUBLIC_URL']}/sms/twilio/inbound{TRIES_AGAIN}"
        )
    return {name: os.environ.get(name) or value for name, value in derived.items()}


def migrate() -> None:
    """Bring the database that the settings name to the newest migration. Raises CannotMigrate where it does not let us."""
    with step("迁移数据库 · migrating"):
        try:
            command.upgrade(Config(ROOT / "alembic.ini"), "head")
        except ProgrammingError as failure:
            refused = failure.orig and failure.orig.__cause__
            if isinstance(refused, asyncpg.InsufficientPrivilegeError):
                raise CannotMigrate(str(refused)) from failure
            raise
    with step("工作日历 · calendars"):
        asyncio.run(_seed_calendars())
    if not capabilities().free_text:
        with step("短信模板 · text templates"):
            asyncio.run(_register_templates())


async def _seed_calendars() -> None:
    """An update may bring a year that the state has announced since."""
    on = Database(settings().database_url, pool_size=1, statement_timeout="0")
    try:
        async with transaction(on) as tx:
            await seeding.seed_all(tx, await tx.now())
    finally:
        await on.close()


async def _register_templates() -> None:
    """An update may bring other words, which await the provider's approval; of its own account the simulator has approved all."""
    on = Database(settings().database_url, pool_size=1)
    try:
        async with transaction(on) as tx:
            await templates.register(tx, settings().sms_provider, capabilities())
        if settings().aliyun_access_key_id == Settings.model_fields["aliyun_access_key_id"].default:
            async with transaction(on) as tx:
                await aliyun_templates.approve_all(tx)
    finally:
        await on.close()


def commands(ports: Ports, *, reload: bool) -> list[Command]:
    """Everything that is kept running."""
    http = [HTTP_SERVER, "--host", ports.host, "--port", str(ports.http)]
    http += ["--reload"] if reload else ["--processes", str(HTTP_PROCESSES)]
    kept = [Command("http", _module(*http))]
    kept += [Command(name, _worker(name, reload=reload)) for name in WORKERS]
    if simulated_at(ports):
        simulator = ("uvicorn", SIMULATOR_APPLICATION, "--host", HOST, "--port", str(ports.sms))
        kept.append(
            Command("sms", _module(*simulator, "--no-access-log", "--log-level", "warning"))
        )
    return kept


def simulated_at(ports: Ports) -> bool:
    """Whether the settings in force lead to our own simulator."""
    return settings().sms_api_url == f"http://{HOST}:{ports.sms}"


async def keep_running(services: Services, kept: list[Command], ports: Ports, welcome: str) -> None:
    """Supervise until told to stop; revive the services; greet once the server answers."""
    supervisor = Supervisor(kept, mark=str(ROOT), say=_say)
    beside = [
        asyncio.create_task(_revive(services)),
        asyncio.create_task(_greet(ports, welcome)),
    ]
    try:
        await supervisor.run()
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


async def _revive(services: Services) -> None:
    while True:
        await asyncio.sleep(REVIVAL_SECONDS)
        try:
            await asyncio.to_thread(services.revive)
        except RuntimeError as failed:
            _say("services", str(failed))


async def _greet(ports: Ports, welcome: str) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection(ports.host, ports.http)
        except OSError:
            await asyncio.sleep(0.2)
            continue
        writer.close()
        console.print(welcome)
        return


def _worker(name: str, *, reload: bool) -> list[str]:
    work = _module("workers", name)
    return (
        _module(
            *("watchfiles", "--verbosity", "warning", "--target-type", "command"),
            " ".join(work),
            *RELOADED,
        )
        if reload
        else work
    )


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]


def _say(name: str, line: str) -> None:
    console.out(f"{name:>9} │ {line}", highlight=False)
