"""One process that keeps others running: restarts what dies, tells their output apart, takes them along at the end.

Knows nothing of what it runs. Linux only promises that nothing survives it; elsewhere `end_leftovers` clears up.
"""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from qungong.dev import processes

_MARK = "QUNGONG_SUPERVISED_FOR"


class PortInUse(RuntimeError):
    """Something else listens where one of ours should; the text says what to do."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"端口 {port} 已被占用：请先停止占用它的程序，或另选一个端口。\n"
            f"Port {port} is in use: stop what uses it, or choose another port."
        )


@dataclass(frozen=True)
class Command:
    """A process to keep running."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Patience:
    """Seconds: from the first to the longest wait before a restart; up this long means well; to stop in."""

    first: float = 1
    longest: float = 30
    settled: float = 60
    stopping: float = 10


def require_port(port: int, host: str = "127.0.0.1") -> None:
    """Say now that the port is taken, rather than in the middle of a child's output later."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as taken:
            raise PortInUse(port) from taken


def end_leftovers(mark: str) -> int:
    """End what a killed supervisor with this mark left running; how many there were."""
    left = processes.marked(_MARK, mark)
    processes.end(left, patience=3)
    return len(left)


class Supervisor:
    """Runs the commands until told to stop. `mark` tells its children from those of other working copies."""

    def __init__(
        self,
        commands: Sequence[Command],
        *,
        mark: str,
        say: Callable[[str, str], None],
        patience: Patience | None = None,
    ) -> None:
        self._commands = commands
        self._mark = mark
        self._say = say
        self._patience = patience or Patience()
        self._stopping = asyncio.Event()
        self._hurrying = asyncio.Event()

    def stop(self) -> None:
        """Ask all to end; asked a second time, make them."""
        if self._stopping.is_set():
            self._hurrying.set()
        self._stopping.set()

    async def run(self) -> None:
        """Keep all running until SIGINT, SIGTERM, SIGHUP or `stop()`; returns when all have ended."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for one in signals:
            loop.add_signal_handler(one, self.stop)
        try:
            async with asyncio.TaskGroup() as group:
                for command in self._commands:
                    group.create_task(self._keep(command))
        finally:
            for one in signals:
                loop.remove_signal_handler(one)

    async def _keep(self, command: Command) -> None:
        delay = self._patience.first
        while not self._stopping.is_set():
            began = time.monotonic()
            code = await self._run_once(command)
            if self._stopping.is_set():
                return
            if time.monotonic() - began >= self._patience.settled:
                delay = self._patience.first
            self._say(
                command.name,
                f"已退出（{code}），{delay:g} 秒后重启 · ended ({code}), restarting in {delay:g} s",
            )
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(delay * 2, self._patience.longest)

    async def _run_once(self, command: Command) -> int | str:
        # A pipe of ours: with asyncio's own, the wait for the process is one for all who inherited the pipe.
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *command.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                env={
                    **os.environ,
                    **command.environment,
                    "PYTHONUNBUFFERED": "1",
                    _MARK: self._mark,
                },
                start_new_session=True,  # Ctrl-C reaches us only; we end the children in order
                preexec_fn=processes.bound_to_us(signal.SIGTERM),
            )
        except OSError as refused:
            os.close(reading)
            return str(refused)
        finally:
            os.close(writing)
        relay = asyncio.create_task(self._relay(command.name, reading))
        try:
            return await self._ended(process)
        finally:
            # Its own children, where it was killed itself. macOS says EPERM for a group of zombies.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            await relay

    async def _ended(self, process: asyncio.subprocess.Process) -> int:
        ended = asyncio.create_task(process.wait())
        told = asyncio.create_task(self._stopping.wait())
        hurried = asyncio.create_task(self._hurrying.wait())
        try:
            await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                process.terminate()
                await asyncio.wait(
                    {ended, hurried},
                    timeout=self._patience.stopping,
                    return_when=asyncio.FIRST_COMPLETED,
                )
            if not ended.done():
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            return await ended
        finally:
            for task in (ended, told, hurried):
                task.cancel()

    async def _relay(self, name: str, reading: int) -> None:
        """Pass the output on line by line; a line without an end is passed on in pieces."""
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb", 0)
        )
        rest = b""
        try:
            while part := await reader.read(65536):
                *lines, rest = (rest + part).split(b"\n")
                if len(rest) > 65536:
                    lines, rest = [*lines, rest], b""
                for line in lines:
                    self._say(name, line.decode("utf-8", "replace").rstrip())
            if rest:
                self._say(name, rest.decode("utf-8", "replace").rstrip())
        finally:
            transport.close()
