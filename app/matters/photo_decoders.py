"""Processes that decode photos, so that no photo takes the memory or the time of the web process, or its life.

A process is started for the first photo, serves many, and ends when it has been idle for a minute or when its web process
ends. One that took too much time or memory is killed and the next photo gets a new one.
"""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from app.errors import Unavailable
from app.matters.pictures import NOT_AN_IMAGE, TOO_LABORIOUS, ImageRefused, Picture
from app.settings import settings

AT_ONCE = 2
# Whoever would wait long had better come again.
WAITING = 8
PATIENCE_SECONDS = 20.0
IDLE_SECONDS = 60.0
# The processor may be busy with all else: so much longer than the CPU time that a photo may take.
_WALL_SECONDS = 60.0
_BUSY = "上传照片的人较多，请稍后再试。"
log = structlog.get_logger()


class _Died(Exception):
    """The process ended before it answered."""


class Decoder:
    """One process, started when a photo comes."""

    def __init__(self) -> None:
        self.process: Process | None = None
        self._ends: asyncio.TimerHandle | None = None

    async def clean(self, sent: bytes) -> Picture:
        """Raises ImageRefused, or Unavailable where the machine is too busy."""
        try:
            return await self._tried(sent)
        except _Died:
            if await self._took_too_long():
                raise ImageRefused(TOO_LABORIOUS) from None
            # Killed, perhaps since others needed the memory.
        try:
            return await self._tried(sent)
        except _Died:
            raise ImageRefused(TOO_LABORIOUS) from None

    async def _tried(self, sent: bytes) -> Picture:
        if self._ends is not None:
            self._ends.cancel()
        try:
            async with asyncio.timeout(_WALL_SECONDS):
                return await self._ask(await self._started(), sent)
        except TimeoutError:
            self.end()
            raise Unavailable(_BUSY, retry_after=30) from None
        except asyncio.CancelledError:
            self.end()  # in the middle of an answer
            raise
        finally:
            self._end_later()

    def end(self) -> None:
        """Kill the process; the next photo starts another."""
        if self._ends is not None:
            self._ends.cancel()
        if self.process is not None and self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.kill()
        self.process = None

    def _end_later(self) -> None:
        if self._ends is not None:
            self._ends.cancel()
        self._ends = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.end)

    async def _started(self) -> Process:
        if self.process is None or self.process.returncode is not None:
            given = settings()
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "app.matters.images",
                str(given.photo_memory_mb * 2**20), str(given.photo_cpu_seconds),
                stdin=PIPE, stdout=PIPE, stderr=DEVNULL,
                # No secret and no address: what decodes hostile bytes has nothing to give away.
                env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PATH": os.defpath},
            )  # fmt: skip
        return self.process

    async def _ask(self, process: Process, sent: bytes) -> Picture:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(len(sent).to_bytes(4) + sent)
            await process.stdin.drain()
            told = json.loads(await process.stdout.readuntil())
            jpeg = await process.stdout.readexactly(told["bytes"])
        except (ConnectionError, asyncio.IncompleteReadError) as ended:
            raise _Died from ended
        if refused := told.get("refused"):
            raise ImageRefused(refused)
        return Picture(jpeg, told["width"], told["height"])

    async def _took_too_long(self) -> bool:
        assert self.process is not None
        code = await self.process.wait()
        log.warning("photo decoder ended", code=code)
        return code == -signal.SIGXCPU


class Decoders:
    """AT_ONCE processes for one event loop."""

    def __init__(self) -> None:
        self._all = [Decoder() for _ in range(AT_ONCE)]
        self._free = asyncio.Queue[Decoder]()
        for one in self._all:
            self._free.put_nowait(one)
        self._asked = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A place for a photo in memory: decoded now or soon. Raises Unavailable when all are taken."""
        if self._asked >= AT_ONCE + WAITING:
            raise Unavailable(_BUSY, retry_after=10)
        self._asked += 1
        try:
            yield
        finally:
            self._asked -= 1

    async def clean(self, sent: bytes) -> Picture:
        """Raises ImageRefused for what is no photo, Unavailable when it has to wait or takes too long."""
        if not sent:
            raise ImageRefused(NOT_AN_IMAGE)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                decoder = await self._free.get()
        except TimeoutError:
            raise Unavailable(_BUSY, retry_after=10) from None
        try:
            return await decoder.clean(sent)
        finally:
            self._free.put_nowait(decoder)

    def processes(self) -> list[int]:
        """Ids of those that run."""
        return [
            one.process.pid for one in self._all if one.process and one.process.returncode is None
        ]

    async def close(self) -> None:
        for one in self._all:
            process = one.process
            one.end()
            if process is not None:
                await process.wait()
