"""Wakes the workers a little earlier than their next look at the database. Nothing depends on it, nothing waits for it.

A ring goes through Redis as an arq job. Where Redis is away the ring is dropped: the workers look by themselves. The HTTP
processes are woken likewise, by a message of Redis without content, when a record has a new entry (app/http/live.py).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from functools import partial
from typing import Any, Final

import msgspec
import structlog
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from typing_extensions import override

from app.settings import settings

log = structlog.get_logger()


class Bell(StrEnum):
    """Whom to wake."""

    OUTBOX = "outbox"
    DEADLINES = "deadlines"

    @property
    def queue(self) -> str:
        return f"qungong:bell:{self}"


JOB: Final = "ring"
# Where the HTTP processes hear that a record has a new entry.
CHANGES: Final = "qungong:changes"
# Rings within this time are one: a thousand changes a second are not a thousand jobs.
_TOGETHER_SECONDS: Final = 0.2
_PATIENCE_SECONDS: Final = 2.0
# The job is gone from Redis after so long, whatever happened to the worker that had it.
_EXPIRES_SECONDS: Final = 10
# No longer than the workers' own interval: otherwise the bell would be missed more than Redis is.
_SHORTEST_REST_SECONDS: Final = 0.5
_LONGEST_REST_SECONDS: Final = 8.0

_waiting: dict[str, asyncio.Task[None]] = {}
# The loop itself holds its tasks only weakly.
_under_way: set[asyncio.Task[None]] = set()


class _Breaker:
    """Leaves Redis alone for a while after a failure, longer each time."""

    def __init__(self) -> None:
        self._rest = _SHORTEST_REST_SECONDS
        self._until = 0.0

    @property
    def resting(self) -> bool:
        return time.monotonic() < self._until

    def failed(self) -> None:
        self._until = time.monotonic() + self._rest
        self._rest = min(self._rest * 2, _LONGEST_REST_SECONDS)

    def succeeded(self) -> None:
        self._rest = _SHORTEST_REST_SECONDS


_breaker = _Breaker()


class _Connections(ConnectionPool):
    """Closes what it opened without waiting: redis-py's own way can be cancelled before it has begun."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self._opened: list[AbstractConnection] = []

    @override
    def make_connection(self) -> AbstractConnection:
        made: AbstractConnection = super().make_connection()  # type: ignore[no-untyped-call]  # redis leaves it untyped
        self._opened.append(made)
        return made

    async def close_now(self) -> None:
        for one in self._opened:
            await one.disconnect(nowait=True)


def ring(*bells: Bell) -> None:
    """Wake these workers soon. To be called after the commit; returns at once and never fails."""
    for bell in bells:
        _soon(bell, partial(_enqueue, bell))


# Streams of this process, which need not hear it from Redis.
on_change: set[Callable[[], None]] = set()


def ring_for_change() -> None:
    """Wakes the streams of changes after a new record entry. As `ring`."""
    for told in on_change:
        told()
    _soon(CHANGES, _publish)


def _soon(name: str, send: Callable[[], Awaitable[None]]) -> None:
    loop = asyncio.get_running_loop()
    before = _waiting.get(name)
    # A task of a loop that has ended never gets done.
    if before is not None and not before.done() and before.get_loop() is loop:
        return
    if not _breaker.resting:
        _waiting[name] = task = loop.create_task(_ring_soon(name, send))
        _under_way.add(task)
        task.add_done_callback(_under_way.discard)


def packed(value: dict[str, Any]) -> bytes:
    return msgspec.json.encode(value)


def unpacked(value: bytes) -> dict[str, Any]:
    return msgspec.json.decode(value, type=dict[str, Any])


async def _ring_soon(name: str, send: Callable[[], Awaitable[None]]) -> None:
    await asyncio.sleep(_TOGETHER_SECONDS)
    # From here on a further ring is a ring of its own: this one may already be too early for it.
    _waiting.pop(name, None)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await send()
    except Exception as failure:
        # Whatever it is, the change is committed, and the worker will find it.
        _breaker.failed()
        log.warning("bell not rung", bell=name, error=type(failure).__name__)
    else:
        _breaker.succeeded()


async def _enqueue(bell: Bell) -> None:
    from arq.connections import ArqRedis  # noqa: PLC0415 - a process that never rings need not load it

    # A connection per ring, which is a few a second: none to go stale, none to leave open. Made here rather than by
    # arq, whose own maker asks Redis for its health first and leaves the connection behind when that takes too long.
    connections = _Connections.from_url(settings().redis_url, max_connections=1)
    redis = ArqRedis(connections, job_serializer=packed, job_deserializer=unpacked)
    try:
        # One id: while a ring waits to be heard, further ones are the same.
        await redis.enqueue_job(
            JOB, _job_id=bell.queue, _queue_name=bell.queue, _expires=_EXPIRES_SECONDS
        )
    finally:
        await connections.close_now()


async def _publish() -> None:
    connections = _Connections.from_url(settings().redis_url, max_connections=1)
    try:
        await Redis(connection_pool=connections).publish(CHANGES, b"")
    finally:
        await connections.close_now()
