"""Reads replies outside this process, each within a time limit. What a text means, reply_parser.py decides.

A thread cannot be stopped, and a match holds the interpreter's lock: so a pattern that never ends would stop a web or
an outbox worker. Each process keeps at most two reading processes, made when they are needed and made anew when one
had to be ended.
"""

import asyncio
import atexit
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from hashlib import sha256
from typing import Final

import msgspec
import structlog

from app.evaluation.reply_meanings import READY, TOO_SLOW, Reading

log = structlog.get_logger()

MODULE: Final = "app.evaluation.reading_process"
_AT_ONCE: Final = 2
# A reading is broken off much sooner (reading_process.py); this is for a process that does not run at all.
_ANSWERS_WITHIN: Final = 10.0
_STARTS_WITHIN: Final = 30.0
# Then a provider that waits for its answer would give up.
_WAITS_AT_MOST: Final = 12.0
_REMEMBERED: Final = 1000
# One that was ended already is soon gone; one that hangs is killed.
_ENDS_WITHIN: Final = 0.1

_decode: Final = msgspec.json.Decoder(Reading).decode


class _TakesTooLong(Exception):
    """The text itself: another process would get no further."""


async def read(text: str) -> Reading:
    """What the text says; TOO_SLOW where that cannot be told in time. The same text is not tried again."""
    digest = sha256(text.encode("utf-8", "replace")).digest()
    if digest in _slow:
        return TOO_SLOW
    asked = asyncio.get_running_loop().run_in_executor(_threads(), _read, text)
    try:
        async with asyncio.timeout(_WAITS_AT_MOST):
            return await asked
    except _TakesTooLong:
        _remember(digest)
        log.error("reply not read", why="takes too long")
    except (OSError, EOFError, msgspec.DecodeError) as failure:
        # TimeoutError is an OSError: all readers are busy.
        log.error("reply not read", error=type(failure).__name__)
    return TOO_SLOW


def _remember(digest: bytes) -> None:
    _slow[digest] = None
    while len(_slow) > _REMEMBERED:
        del _slow[next(iter(_slow))]


def _read(text: str) -> Reading:
    process = getattr(_own, "process", None)
    if process is None:
        process = _own.process = _ReadingProcess()
    answer: Reading = process.read(text)
    return answer


class _ReadingProcess:
    """One child, asked by one thread."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        atexit.register(self._end)

    def read(self, text: str) -> Reading:
        """Raises _TakesTooLong, or OSError or EOFError where a process cannot be had."""
        try:
            return self._ask(text)
        except (OSError, EOFError):
            # It was ended from outside, before or now.
            return self._ask(text)

    def _ask(self, text: str) -> Reading:
        child = self._child or self._start()
        assert child.stdin is not None, "a pipe"
        try:
            child.stdin.write(json.dumps(text).encode() + b"\n")
            reading = _decode(_line(child, _ANSWERS_WITHIN))
        except TimeoutError as late:
            self._end()
            raise _TakesTooLong from late
        except (OSError, EOFError) as gone:
            if self._end() == -signal.SIGPROF:
                raise _TakesTooLong from gone
            raise
        if reading == TOO_SLOW:
            raise _TakesTooLong
        return reading

    def _start(self) -> subprocess.Popen[bytes]:
        # Of the environment only what Python needs: none of the secrets.
        kept = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
        self._child = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=kept | {"PATH": os.environ.get("PATH", os.defpath)},
        )
        if _line(self._child, _STARTS_WITHIN) != READY:
            raise EOFError
        return self._child

    def _end(self) -> int | None:
        """Returns how it ended: minus the signal, as subprocess has it."""
        child, self._child = self._child, None
        if child is None:
            return None
        with suppress(subprocess.TimeoutExpired):
            child.wait(_ENDS_WITHIN)
        child.kill()
        ended = child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        return ended


def _line(child: "subprocess.Popen[bytes]", seconds: float) -> bytes:
    assert child.stdout is not None, "a pipe"
    until, line = time.monotonic() + seconds, b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, until - time.monotonic())):
                raise TimeoutError
            more = os.read(child.stdout.fileno(), 65536)
            if not more:
                raise EOFError
            line += more
    return line


_own: Final = threading.local()
# Digests of texts that could not be read, the oldest first.
_slow: Final[dict[bytes, None]] = {}


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="reply-reader")
