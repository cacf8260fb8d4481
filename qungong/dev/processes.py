"""What the operating system knows of processes: whose, alive, marked. Starts none; holds nothing of the product."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_PR_SET_PDEATHSIG = 1


def bound_to_us(ending: signal.Signals) -> Callable[[], None] | None:
    """For `preexec_fn`: the kernel sends `ending` to the child when this process dies, however it dies.

    Only Linux can; elsewhere the next run finds what was left by its mark.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # loaded before the fork: loading in the child may deadlock
    parent = os.getpid()

    def bind() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(ending), 0, 0, 0)
        if os.getppid() != parent:  # died between fork and prctl
            os.kill(os.getpid(), ending)

    return bind


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def command_line(pid: int) -> str:
    """The command line of a living process; empty for one that is gone or a zombie."""
    if _PROC.is_dir():
        with suppress(OSError):
            return (
                (_PROC / str(pid) / "cmdline")
                .read_bytes()
                .replace(b"\0", b" ")
                .decode("utf-8", "replace")
            )
        return ""
    found = _ps("-p", str(pid), "-o", "command=")
    return found.strip()


def works_in(pid: int, folder: Path) -> bool:
    """Whether the process has this working folder, whatever the folder was called when it started."""
    if _PROC.is_dir():
        try:
            return (_PROC / str(pid) / "cwd").samefile(folder)
        except OSError:
            return False
    return str(folder) in command_line(pid)


def marked(variable: str, value: str) -> list[int]:
    """Processes started with this environment variable, by us or by what we started; never ourselves."""
    wanted = f"{variable}={value}"
    if _PROC.is_dir():
        found = [
            int(entry.name)
            for entry in _PROC.iterdir()
            if entry.name.isdigit() and _has(entry, wanted)
        ]
    else:
        lines = (
            line.split(maxsplit=1) for line in _ps("-axEww", "-o", "pid=,command=").splitlines()
        )
        found = [int(pid) for pid, *rest in lines if rest and wanted in rest[0]]
    return [pid for pid in found if pid != os.getpid()]


def end(pids: Iterable[int], *, patience: float) -> None:
    """Ask the processes to end, wait, then end those that did not."""
    left = list(pids)
    _signal(left, signal.SIGTERM)
    waited_until = time.monotonic() + patience
    while left and time.monotonic() < waited_until:
        time.sleep(0.05)
        left = [pid for pid in left if command_line(pid)]
    _signal(left, signal.SIGKILL)


def _signal(pids: Iterable[int], ending: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, ending)


def _has(entry: Path, wanted: str) -> bool:
    try:
        return wanted.encode() in (entry / "environ").read_bytes().split(b"\0")
    except OSError:  # ended meanwhile, or not ours
        return False


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout  # noqa: S603, S607 - the system's ps, fixed arguments
