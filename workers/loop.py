"""The loop every worker runs: look into the database, work until nothing is due, wait for a ring or the next look.

Redis gone or flushed costs only the ring; the database away costs only the time until it is back.
"""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Protocol
from uuid import UUID, uuid4

import structlog
from arq.connections import RedisSettings, create_pool
from arq.worker import Worker as ArqWorker

from app import heartbeats
from app.bell import packed, unpacked
from app.db import database, reading
from app.settings import settings
from workers.settings import RUNG

log = structlog.get_logger()

_FIRST_REST_SECONDS: Final = 0.5
_LONGEST_REST_SECONDS: Final = 8.0
# However many batches there are in a second, its heart beats once.
_BEAT_SECONDS: Final = 1.0


class Work(Protocol):
    """What one worker does."""

    name: str

    async def once(self) -> bool:
        """Do what is due, up to a batch. True: there may be more."""
        ...

    async def finish(self) -> None:
        """End what was begun, begin nothing more."""
        ...


async def run(work: Work, ear: type) -> None:
    """Work until SIGTERM or SIGINT; then finish what was begun."""
    rung, stopping = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stopping.set)
    # What it would say at each ring and each lost connection is of no use to anybody.
    logging.getLogger("arq").setLevel(logging.ERROR)
    log.info("worker started", worker=work.name)
    async with _listening(ear, rung):
        every = settings().poll_seconds
        await keep_working(work, rung=rung, stopping=stopping, every=every)
    await work.finish()
    await database().close()
    log.info("worker stopped", worker=work.name)


async def keep_working(
    work: Work, *, rung: asyncio.Event, stopping: asyncio.Event, every: float
) -> None:
    """Look when rung for, and `every` so many seconds in any case."""
    process, rest, beaten = uuid4(), _FIRST_REST_SECONDS, float("-inf")
    clock = asyncio.get_running_loop().time
    while not stopping.is_set():
        # Before the look: a ring during it is for the next one.
        rung.clear()
        try:
            more = await work.once()
            if not more or clock() - beaten > _BEAT_SECONDS:
                await _beat(process, work.name)
                beaten = clock()
        except Exception as failure:
            # Only its kind: what it says may hold a name or a number.
            log.error("worker failed, goes on", worker=work.name, error=type(failure).__name__)
            await _first_of(stopping, seconds=rest)
            rest = min(rest * 2, _LONGEST_REST_SECONDS)
            continue
        rest = _FIRST_REST_SECONDS
        if not more:
            await _first_of(stopping, rung, seconds=every)


async def _beat(process: UUID, worker: str) -> None:
    async with reading() as tx:
        await heartbeats.beat(tx, process, worker)


async def _first_of(*events: asyncio.Event, seconds: float) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


@asynccontextmanager
async def _listening(ear: type, rung: asyncio.Event) -> AsyncIterator[None]:
    task = asyncio.create_task(_listen(ear, rung))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _listen(ear: type, rung: asyncio.Event) -> None:
    """Keep an arq worker at its queue; when Redis goes, come back when it does."""
    rest = _FIRST_REST_SECONDS
    while True:
        began = asyncio.get_running_loop().time()
        try:
            await _listen_once(ear, rung)
        except Exception as failure:
            log.warning(
                "bell not heard", queue=_options(ear)["queue_name"], error=type(failure).__name__
            )
        if asyncio.get_running_loop().time() - began > _LONGEST_REST_SECONDS:
            rest = _FIRST_REST_SECONDS
        await asyncio.sleep(rest)
        rest = min(rest * 2, _LONGEST_REST_SECONDS)


async def _listen_once(ear: type, rung: asyncio.Event) -> None:
    given = RedisSettings.from_dsn(settings().redis_url)
    given.conn_retries = 0
    pool = await create_pool(given, job_serializer=packed, job_deserializer=unpacked)
    try:
        worker = ArqWorker(**_options(ear), redis_pool=pool, ctx={RUNG: rung})
        try:
            await worker.async_run()
        finally:
            # It wants to delete a key first, which fails where Redis is what ended it.
            with suppress(Exception):
                await worker.close()
    finally:
        await pool.aclose(close_connection_pool=True)


def _options(ear: type) -> Mapping[str, Any]:
    """The settings class with what it inherits; arq itself looks at the class alone."""
    return {name: getattr(ear, name) for name in dir(ear) if not name.startswith("_")}
