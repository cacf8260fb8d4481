"""The arq side of the workers: one queue each, in which nothing ever stands but a ring. Does no work itself.

Started by workers/loop.py, not by the `arq` command: arq's own worker ends when Redis does, and the work must go on.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

from app.bell import Bell, packed, unpacked
from app.clock import SHANGHAI

RUNG = "rung"


async def ring(_ctx: dict[str, Any]) -> None:
    """What is rung for is found in the database; the job itself says nothing."""


async def heard(ctx: dict[str, Any]) -> None:
    """Wake the loop. After the job is gone from Redis: a ring that was taken for the same one came before this."""
    rung: asyncio.Event = ctx[RUNG]
    rung.set()


class _Ear:
    functions: ClassVar[Sequence[Any]] = (ring,)
    job_serializer = staticmethod(packed)
    job_deserializer = staticmethod(unpacked)
    keep_result = 0
    job_completion_wait = 15
    job_timeout = 5
    timezone = SHANGHAI
    handle_signals = False
    log_results = False
    poll_delay = 0.25
    on_startup = staticmethod(heard)
    after_job_end = staticmethod(heard)


class Outbox(_Ear):
    """Delivery of text messages."""

    queue_name = Bell.OUTBOX.queue


class Deadlines(_Ear):
    """What a clock does: surveys, archiving, housekeeping. Apart from delivery: a stuck provider delays none of it."""

    queue_name = Bell.DEADLINES.queue
