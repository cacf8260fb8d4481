"""`make run` on a machine of its own: what is started is stopped, and what was killed does not block the next run."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
import redis

from qungong.dev import processes
from qungong.dev.embedded import Postgres, Redis, launching
from qungong.dev.local import Services, ensure_services, running_services
from qungong.dev.ownership import account_for
from qungong.dev.supervisor import (
    Command,
    Patience,
    PortInUse,
    Supervisor,
    end_leftovers,
    require_port,
)

IMPATIENT = Patience(first=0.05, longest=0.2, settled=60, stopping=0.5)

HOLDER = """
import sys, time
from pathlib import Path
from qungong.dev.local import ensure_services
services = ensure_services(Path(sys.argv[1]), environment={})
print(services.database_url, services.redis_url, flush=True)
sys.stdin.read()
services.stop()
"""

SUPERVISOR = """
import asyncio, sys
from qungong.dev.supervisor import Command, Supervisor
commands = [Command("kept", [sys.executable, "-c", sys.argv[2]])]
asyncio.run(Supervisor(commands, mark=sys.argv[1], say=lambda _, line: print(line, flush=True)).run())
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """Not `tmp_path`: each pytest that starts meanwhile closes the way there to the account PostgreSQL runs as."""
    with tempfile.TemporaryDirectory(prefix="qungong-place-", ignore_cleanup_errors=True) as made:
        yield Path(made).resolve()


@pytest.fixture
def root(place: Path) -> Iterator[Path]:
    yield place
    for part in (Postgres(place / ".local/postgres"), Redis(place / ".local/redis.json")):
        part.stop()


@contextlib.contextmanager
def another_command(root: Path) -> Iterator[subprocess.Popen[str]]:
    """A second process that uses the services until its input ends."""
    argv = [sys.executable, "-c", HOLDER, str(root)]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("postgresql")
            yield process
        finally:
            process.kill()


def run_sql(services: Services, sql: str) -> list[asyncpg.Record]:
    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(services.database_url.replace("+asyncpg", ""))
        try:
            return list(await connection.fetch(sql))
        finally:
            await connection.close()

    return asyncio.run(run())


def ping(services: Services) -> bool:
    with redis.Redis.from_url(services.redis_url) as client:
        return bool(client.ping())


def until(true: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def postmaster(root: Path) -> int:
    return int((root / ".local/postgres/postmaster.pid").read_text().split()[0])


def test_killed_run_does_not_block_the_next_and_loses_nothing(root: Path) -> None:
    with another_command(root) as first:
        seen = running_services(root, environment={})
        assert seen is not None
        run_sql(seen, "CREATE TABLE kept AS SELECT 'water' AS word")
        seen.stop()
        first.kill()
    before = postmaster(root)
    services = ensure_services(root, environment={})
    assert postmaster(root) == before, "the server that still ran was adopted"
    assert run_sql(services, "SELECT word FROM kept")[0]["word"] == "water"
    assert ping(services)
    services.stop()
    assert not processes.command_line(before)
    again = ensure_services(root, environment={})
    assert run_sql(again, "SELECT word FROM kept")[0]["word"] == "water"
    again.stop()


def test_killed_servers_are_started_again_though_their_numbers_now_belong_to_others(
    root: Path,
) -> None:
    first = ensure_services(root, environment={})
    os.kill(postmaster(root), signal.SIGKILL)
    recorded = json.loads((root / ".local/redis.json").read_text())
    os.kill(recorded["pid"], signal.SIGKILL)
    account = account_for(root / ".local/postgres")
    with subprocess.Popen(["/bin/sleep", "60"], user=account.uid if account else None) as innocent:
        lock = root / ".local/postgres/postmaster.pid"
        lock.write_text(lock.read_text().replace(str(postmaster(root)), str(innocent.pid), 1))
        (root / ".local/redis.json").write_text(json.dumps(recorded | {"pid": innocent.pid}))
        second = ensure_services(root, environment={})
        assert run_sql(second, "SELECT 1")
        assert ping(second)
        second.stop()
        first.stop()
        assert innocent.poll() is None, "a process that is not ours was left alone"
        innocent.kill()


def test_interrupted_first_start_is_begun_again(root: Path) -> None:
    half_made = root / ".local/postgres.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    services = ensure_services(root, environment={})
    assert run_sql(services, "SELECT 1")
    services.stop()


def test_who_leaves_last_stops_the_services(root: Path) -> None:
    services = ensure_services(root, environment={})
    with another_command(root) as other:
        services.stop()
        running = running_services(root, environment={})
        assert running is not None
        assert ping(running)
        running.stop()
        assert other.stdin is not None
        other.stdin.close()
        other.wait(20)
    assert running_services(root, environment={}) is None


def test_three_commands_started_at_once_share_one_server(root: Path) -> None:
    argv = [sys.executable, "-c", HOLDER, str(root)]
    with contextlib.ExitStack() as stack:
        together = [
            stack.enter_context(
                subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(3)
        ]
        for process in together:
            stack.callback(process.kill)
        told = {process.stdout.readline() for process in together if process.stdout}
        assert len(told) == 1, "all three were given the same addresses"
        address = told.pop()
        assert address.startswith("postgresql")
        with redis.Redis.from_url(address.split()[1]) as client:
            assert client.ping()
        assert (root / ".local/postgres.log").read_text().count("starting PostgreSQL") == 1


def test_stopped_redis_is_revived_at_the_same_address(root: Path) -> None:
    services = ensure_services(root, environment={})
    os.kill(json.loads((root / ".local/redis.json").read_text())["pid"], signal.SIGKILL)
    with pytest.raises(redis.ConnectionError):
        until(lambda: not ping(services))
    services.revive()
    assert ping(services)
    services.stop()


def test_given_addresses_win_and_nothing_is_started(root: Path) -> None:
    given = {"DATABASE_URL": "postgresql://elsewhere/db", "REDIS_URL": "redis://elsewhere"}
    services = ensure_services(root, environment=given)
    assert (services.database_url, services.redis_url) == (
        "postgresql://elsewhere/db",
        "redis://elsewhere",
    )
    services.stop()
    assert sorted(entry.name for entry in (root / ".local").iterdir()) == ["secret"]


def test_given_database_alone_leaves_redis_to_us(root: Path) -> None:
    services = ensure_services(root, environment={"DATABASE_URL": "postgresql://elsewhere/db"})
    assert ping(services)
    assert not (root / ".local/postgres").exists()
    services.stop()


def test_any_folder_name_will_do(place: Path) -> None:
    root = place / ("群工 系统, @#?%41 " + "长" * 30)
    root.mkdir()
    services = ensure_services(root, environment={})
    assert run_sql(services, "SELECT 1")
    services.stop()


def test_secret_is_made_once_and_is_nobody_elses(root: Path) -> None:
    given = {"DATABASE_URL": "postgresql://elsewhere/db", "REDIS_URL": "redis://elsewhere"}
    first, second = (ensure_services(root, environment=given).secret_key for _ in range(2))
    assert first == second
    assert len(first) >= 32
    assert stat.S_IMODE((root / ".local/secret").stat().st_mode) == 0o600
    assert (
        ensure_services(root, environment=given | {"SECRET_KEY": first[::-1]}).secret_key
        == first[::-1]
    )


def test_neither_server_can_be_entered_by_other_accounts(root: Path) -> None:
    services = ensure_services(root, environment={})
    assert stat.S_IMODE((root / ".local/postgres").stat().st_mode) == 0o700
    assert stat.S_IMODE((root / ".local/redis.json").stat().st_mode) == 0o600
    without_password = services.redis_url.partition("@")[2]
    with (
        redis.Redis.from_url(f"redis://{without_password}") as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()
    services.stop()


def test_port_in_use_is_said_before_anything_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"端口 {port} 已被占用"):
            require_port(port)
    require_port(port)


class Watched:
    """A supervisor in this process, and what it said."""

    def __init__(self, mark: str, *scripts: str) -> None:
        self.said: list[tuple[str, str]] = []
        commands = [
            Command(f"child{n}", [sys.executable, "-c", script]) for n, script in enumerate(scripts)
        ]
        self.supervisor = Supervisor(
            commands,
            mark=mark,
            say=lambda name, line: self.said.append((name, line)),
            patience=IMPATIENT,
        )

    async def run_until(self, true: Callable[[], object]) -> None:
        running = asyncio.create_task(self.supervisor.run())
        try:
            async with asyncio.timeout(20):
                while not true():  # noqa: ASYNC110 - whatever the test waits for, not an event of ours
                    await asyncio.sleep(0.02)
        finally:
            self.supervisor.stop()
            await asyncio.wait_for(running, 20)

    def count(self, line: str) -> int:
        return sum(line in said for _, said in self.said)


async def test_what_dies_is_started_again_with_growing_delay(tmp_path: Path) -> None:
    watched = Watched(str(tmp_path), "print('up')", "import time; print('steady'); time.sleep(99)")
    await watched.run_until(lambda: watched.count("up") >= 4)
    assert watched.count("steady") == 1
    assert [watched.count(f"{delay} 秒后重启") > 0 for delay in ("0.05", "0.1", "0.2", "0.4")] == [
        True
    ] * 3 + [False]


async def test_child_that_will_not_stop_is_made_to(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(99)"
    watched = Watched(str(tmp_path), deaf)
    await watched.run_until(lambda: watched.count("deaf"))
    assert processes.marked("QUNGONG_SUPERVISED_FOR", str(tmp_path)) == []


async def test_children_of_a_killed_child_go_with_it(tmp_path: Path) -> None:
    script = (
        "import os, subprocess, sys, time; subprocess.Popen(['sleep', '98']); print('up'); time.sleep(0.3);"
        "os.kill(os.getpid(), 9)"
    )
    watched = Watched(str(tmp_path), script)
    await watched.run_until(lambda: watched.count("up") >= 2)
    assert processes.marked("QUNGONG_SUPERVISED_FOR", str(tmp_path)) == []


async def test_output_comes_line_by_line_under_the_name_of_its_process(tmp_path: Path) -> None:
    long = "import time; print('群' * 50000); print('end'); time.sleep(99)"
    watched = Watched(str(tmp_path), long)
    await watched.run_until(lambda: watched.count("end"))
    assert ("child0", "end") in watched.said
    assert (
        sum(line.count("群") for _, line in watched.said) >= 49_990
    )  # a piece may end inside a character


async def test_command_that_does_not_exist_is_said_and_stops_nothing_else(tmp_path: Path) -> None:
    said: list[str] = []
    missing = Command("missing", [str(tmp_path / "missing")])
    supervisor = Supervisor(
        [missing], mark="none", say=lambda _, line: said.append(line), patience=IMPATIENT
    )
    running = asyncio.create_task(supervisor.run())
    await asyncio.sleep(0.3)
    supervisor.stop()
    await running
    assert "No such file" in said[0]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_however_the_supervisor_ends_nothing_of_it_stays(
    tmp_path: Path, ending: signal.Signals
) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(97)"
    patient = "import time; print('up'); time.sleep(97)"
    child = stubborn if ending == signal.SIGKILL else patient
    argv = [sys.executable, "-c", SUPERVISOR, str(tmp_path), child]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(ending)
        process.wait(20)
    # Only what a killed supervisor's children refuse to hear is left to the next run.
    assert end_leftovers(str(tmp_path)) == (1 if ending == signal.SIGKILL else 0)
    until(lambda: not processes.marked("QUNGONG_SUPERVISED_FOR", str(tmp_path)))


def test_killed_supervisor_takes_its_children_along(tmp_path: Path) -> None:
    argv = [
        sys.executable,
        "-c",
        SUPERVISOR,
        str(tmp_path),
        "import time; print('up'); time.sleep(96)",
    ]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.kill()
    if sys.platform != "linux":  # elsewhere no kernel tells them: the next run does
        end_leftovers(str(tmp_path))
    until(lambda: not processes.marked("QUNGONG_SUPERVISED_FOR", str(tmp_path)))


def test_ended_server_is_waited_for(tmp_path: Path) -> None:
    """Otherwise Python complains of it when it ends, below what the command or the tests have said last."""
    for _ in range(30):
        pid = launching.launch(
            ["/bin/sleep", "60"], log=tmp_path / "log", cwd=tmp_path, account=None, mortal=None
        )
        os.kill(pid, signal.SIGKILL)
        while not launching.gone(pid):
            pass
        assert pid not in launching._started
