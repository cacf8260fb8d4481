"""Build of the pages in web/ with Node from PyPI. A digest of the sources says whether a build is due."""

import gzip
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Final

from app.http import built_pages
from qungong.dev.local import Lock

ROOT: Final = Path(__file__).resolve().parents[2]
WEB: Final = ROOT / "web"
# What each face may weigh at its first load, compressed by gzip, in bytes.
BUDGETS: Final = {"citizen": 40 * 1024, "cadre": 130 * 1024, "desk": 350 * 1024}
_API: Final = WEB / "shared" / "api"
_STAMP: Final = built_pages.FOLDER / "stamp"
_INSTALLED: Final = WEB / "node_modules" / ".installed"
_SOURCES: Final = ("*.ts", "*.vue", "*.css", "*.json", "*.svg", "*.webmanifest", "*.png")
Step = Callable[[str], AbstractContextManager[None]]


class CannotBuild(RuntimeError):
    """Node or npm failed; its last words are shown."""


def build(step: Step = lambda _: nullcontext()) -> bool:
    """Build what changed since; False where nothing had to be done."""
    with _alone():
        wanted = _digest()
        if _STAMP.exists() and _STAMP.read_text() == wanted:
            return False
        install(step)
        with step("生成接口类型 · types of the API"):
            _run([sys.executable, "-m", "qungong.dev.documents", str(_API)], at=ROOT)
            _node("build/types.ts")
        for face in BUDGETS:
            with step(f"生成页面 · pages: {face}"):
                _node("build/build.ts", face)
        _STAMP.write_text(wanted)
        built_pages.entry.cache_clear()
        built_pages.worker.cache_clear()
        return True


def install(step: Step = lambda _: nullcontext()) -> None:
    """The locked packages, from the npm registry."""
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    if _INSTALLED.exists() and _INSTALLED.read_text() == lock:
        return
    with step("安装页面的依赖 · packages for the pages"):
        _run(
            [
                tool("npm"),
                "ci",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--loglevel",
                "error",
            ]
        )
    _INSTALLED.write_text(lock)


def check_types() -> None:
    """What vue-tsc says of pages and API together. Raises CannotBuild."""
    _node("node_modules/vue-tsc/bin/vue-tsc.js", "--noEmit")


def first_load(face: str) -> int:
    """Bytes that a phone receives before it shows the face: script and style sheets, compressed by gzip."""
    loaded = built_pages.entry(face)
    assert loaded is not None, "the pages are built before they are weighed"
    files = [address.removeprefix(built_pages.SERVED_AT + "/") for address in loaded.addresses()]
    return sum(len(gzip.compress((built_pages.FOLDER / file).read_bytes(), 9)) for file in files)


def _digest() -> str:
    """Of all that the built pages are made from: web/, and the code that says what the API is."""
    digest = hashlib.sha256()
    for path in sorted({*_web_sources(), *_api_sources()}):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _web_sources() -> Iterator[Path]:
    for pattern in _SOURCES:
        for path in WEB.rglob(pattern):
            if "node_modules" not in path.parts and not _is_made(path):
                yield path


def _is_made(path: Path) -> bool:
    return (path.is_relative_to(_API) and path.suffix != ".ts") or path.name.endswith(".d.ts")


def _api_sources() -> Iterator[Path]:
    for package in ("app", "mobile_api"):
        yield from (ROOT / package).rglob("*.py")


def _node(*arguments: str) -> None:
    _run([tool("node"), *arguments])


def tool(name: str) -> str:
    """Node's own programs, installed beside this Python."""
    return str(Path(sys.executable).parent / name)


def _run(command: list[str], at: Path = WEB) -> None:
    here = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{here}:{os.environ.get('PATH', '')}"}
    done = subprocess.run(command, cwd=at, env=environment, capture_output=True, text=True)  # noqa: S603 - our own tools
    if done.returncode:
        raise CannotBuild(f"{' '.join(command[1:3])}\n{(done.stdout + done.stderr)[:2000]}")


@contextmanager
def _alone() -> Iterator[None]:
    """One build at a time in a working copy; others wait and then find it done."""
    built_pages.FOLDER.mkdir(exist_ok=True)
    lock = Lock(built_pages.FOLDER / "lock")
    lock.take()
    try:
        yield
    finally:
        lock.close()
