"""The services a working copy runs on: the ones DATABASE_URL and REDIS_URL name, else embedded ones under `.local/`.

Several commands share the embedded ones: who comes first starts them, who leaves last stops them. A killed command
holds nothing: the next one adopts what still runs.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from app.settings import settings
from qungong.dev.embedded import LocalServiceError, Postgres, Redis

DATABASE = "qungong"


class Lock:
    """An advisory lock on a file; the kernel lets it go when its holder ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self, *, shared: bool = False) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)

    def try_take(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class _Embedded:
    """Our part in the embedded services of one folder."""

    folder: Path
    postgres: Postgres | None
    redis: Redis | None
    users: Lock

    def start(self) -> None:
        with Lock(self.folder / "starting.lock") as starting:
            starting.take()
            self.users.take(shared=True)
            self._ensure()

    def revive(self) -> None:
        """Start again whichever of ours has died; at the same address, so that nobody need be told."""
        with Lock(self.folder / "starting.lock") as starting:
            starting.take()
            self._ensure()

    def _ensure(self) -> None:
        if self.postgres:
            self.postgres.ensure()
            self.postgres.ensure_database(DATABASE)
        if self.redis:
            self.redis.ensure()

    def leave(self) -> None:
        with Lock(self.folder / "starting.lock") as starting:
            starting.take()
            if self.users.try_take():  # nobody else is left
                if self.redis:
                    self.redis.stop()
                if self.postgres:
                    self.postgres.stop()
            self.users.close()


@dataclass
class Services:
    """Where the database and Redis are. `stop()` stops only what nobody else uses, and nothing that is not ours."""

    database_url: str = field(repr=False)  # may hold passwords, as the next two
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    media_url: str
    _embedded: _Embedded | None = field(default=None, repr=False)

    def environment(self) -> dict[str, str]:
        """What a process needs to know of them, as environment variables."""
        return {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "SECRET_KEY": self.secret_key,
            "MEDIA_URL": self.media_url,
        }

    def revive(self) -> None:
        if self._embedded:
            self._embedded.revive()

    def stop(self) -> None:
        if self._embedded:
            self._embedded.leave()
            self._embedded = None


def ensure_services(root: Path, *, environment: Mapping[str, str] = os.environ) -> Services:
    """The services of the working copy at `root`, started where they do not run yet."""
    folder = local_folder(root)
    embedded = _embedded(folder, environment)
    if embedded:
        try:
            embedded.start()
        except PermissionError as refused:
            embedded.users.close()
            raise _not_ours(folder) from refused
        except BaseException:
            embedded.leave()
            raise
    return _services(folder, embedded, environment)


def running_services(root: Path, *, environment: Mapping[str, str] = os.environ) -> Services | None:
    """The services if they run already; None if some do not. Starts nothing."""
    folder = root / ".local"
    if not folder.is_dir():
        if {"DATABASE_URL", "REDIS_URL"} <= environment.keys():
            return ensure_services(root, environment=environment)
        return None
    embedded = _embedded(folder, environment)
    if embedded:
        parts = [part for part in (embedded.postgres, embedded.redis) if part]
        embedded.users.take(shared=True)
        if not all(part.running() for part in parts):
            embedded.users.close()
            return None
    return _services(folder, embedded, environment)


@contextmanager
def local_services(root: Path) -> Iterator[Services]:
    """For commands: the services run, and this process's settings name them, for the length of the block."""
    services = ensure_services(root)
    before = dict(os.environ)
    os.environ.update(services.environment())
    settings.cache_clear()
    try:
        yield services
    finally:
        os.environ.clear()
        os.environ.update(before)
        settings.cache_clear()
        services.stop()


def local_folder(root: Path) -> Path:
    """`.local/` of the working copy: everything a run keeps."""
    folder = root.resolve() / ".local"
    try:
        folder.mkdir(exist_ok=True)
    except PermissionError as refused:
        raise _not_ours(folder) from refused
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _not_ours(folder)
    return folder


def _embedded(folder: Path, environment: Mapping[str, str]) -> _Embedded | None:
    postgres = None if environment.get("DATABASE_URL") else Postgres(folder / "postgres")
    redis = None if environment.get("REDIS_URL") else Redis(folder / "redis.json")
    if postgres is None and redis is None:
        return None
    try:
        return _Embedded(folder, postgres, redis, Lock(folder / "users.lock"))
    except PermissionError as refused:
        raise _not_ours(folder) from refused


def _services(folder: Path, embedded: _Embedded | None, environment: Mapping[str, str]) -> Services:
    postgres = embedded.postgres if embedded else None
    redis = embedded.redis if embedded else None
    return Services(
        database_url=postgres.url(DATABASE) if postgres else environment["DATABASE_URL"],
        redis_url=redis.url() if redis else environment["REDIS_URL"],
        secret_key=environment.get("SECRET_KEY") or _secret(folder / "secret"),
        media_url=environment.get("MEDIA_URL") or f"file://{folder / 'media'}",
        _embedded=embedded,
    )


def _secret(path: Path) -> str:
    """The working copy's own secret, made once: what it encrypted must stay readable."""
    if not path.exists():
        new = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(
                new, path
            )  # unlike a rename it never replaces the one another process made meanwhile
        except FileExistsError:
            pass
        finally:
            new.unlink()
    return path.read_text().strip()


def _not_ours(folder: Path) -> LocalServiceError:
    return LocalServiceError(
        f"{folder} 属于其他用户（例如曾以 root 运行）：请以该用户运行，或用 chown -R 改为自己所有。\n"
        f"{folder} belongs to another user (was it run as root once?): run as that user, or chown -R it to yourself."
    )
