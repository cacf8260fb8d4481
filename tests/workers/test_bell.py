"""The bell alone: whatever becomes of a ring, no connection to Redis is left behind."""

import asyncio
import gc
import warnings

import pytest
import redis.asyncio

from app import bell
from app.bell import Bell
from app.settings import settings
from qungong.dev.embedded import Redis


async def connected(url: str) -> int:
    """How many clients Redis has beside the one that asks."""
    client = redis.asyncio.from_url(url)  # type: ignore[no-untyped-call]  # redis leaves it untyped
    try:
        return len(await client.client_list()) - 1
    finally:
        await client.aclose()


async def ring_given_up_after(seconds: float) -> None:
    ringing = asyncio.create_task(bell._enqueue(Bell.OUTBOX))
    await asyncio.sleep(seconds)
    ringing.cancel()
    await asyncio.wait([ringing])


async def test_ring_given_up_at_any_moment_leaves_no_connection(
    own_redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", own_redis.url())
    settings.cache_clear()
    with warnings.catch_warnings(record=True) as left:
        warnings.simplefilter("always", ResourceWarning)
        for moment in range(300):
            await ring_given_up_after(moment / 50_000)
        await asyncio.sleep(0.1)
        gc.collect()
    monkeypatch.undo()
    settings.cache_clear()
    assert [str(one.message) for one in left if "unclosed" in str(one.message)] == []
    assert await connected(own_redis.url()) == 0
