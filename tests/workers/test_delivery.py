"""Delivery by real worker processes through the real adapter: killed, doubled, without Redis, with a lying provider."""

import asyncio
import signal
from collections.abc import Callable

import pytest
from sqlalchemy import text

from app import bell
from app.bell import Bell
from app.db import transaction
from app.settings import settings
from app.texts.outbox import MessageKind, MessageState
from qungong.dev.embedded import Redis
from tests.workers.conftest import (
    Provider,
    Workers,
    announce,
    in_state,
    let_leases_lapse,
    row,
    until,
)

Start = Callable[[], None]
_BEATS = text("SELECT count(*) FROM worker_heartbeat WHERE worker = 'outbox'")
DELIVERED, ACCEPTED, UNKNOWN = MessageState.DELIVERED, MessageState.ACCEPTED, MessageState.UNKNOWN
# Longer than any test: what comes sooner was not the next look at the database.
_NEVER = "60"


async def let_go(message: object) -> None:
    """Wait long enough for a worker to have looked several times."""
    assert message is not None
    await asyncio.sleep(1.5)


async def test_killed_between_acceptance_and_mark_it_is_not_sent_again_when_report_comes(
    provider: Provider, workers: Workers, another_worker: Start
) -> None:
    await provider.behave(stall_accepted=1, stall_seconds=30, report_delay_seconds=1)
    message = await announce()
    first = await workers.start("outbox")
    await until(lambda: provider.accepted(message))
    await workers.kill(first)
    assert (await row(message)).state == MessageState.SENDING
    await in_state(message, DELIVERED)
    await provider.behave()
    await let_leases_lapse()
    another_worker()
    await let_go(message)
    assert await provider.requests(message) == 1
    assert (await row(message)).state == DELIVERED


async def test_killed_between_acceptance_and_mark_it_is_found_at_provider_where_no_report_comes(
    provider: Provider, workers: Workers, another_worker: Start
) -> None:
    await provider.behave(stall_accepted=1, stall_seconds=30, silent=1)
    message = await announce()
    first = await workers.start("outbox")
    await until(lambda: provider.accepted(message))
    await workers.kill(first)
    await provider.behave()
    await let_leases_lapse()
    another_worker()
    await in_state(message, UNKNOWN)
    await let_leases_lapse()
    await in_state(message, ACCEPTED)
    assert await provider.requests(message) == 1


@pytest.mark.parametrize(
    ("kind", "final", "accepted"),
    [(MessageKind.PROGRESS, DELIVERED, 1), (MessageKind.ONE_TIME_CODE, MessageState.FAILED, 0)],
)
async def test_killed_before_acceptance_a_text_is_sent_again_and_a_code_is_not(
    provider: Provider,
    workers: Workers,
    another_worker: Start,
    kind: MessageKind,
    final: MessageState,
    accepted: int,
) -> None:
    await provider.behave(stall_not_accepted=1, stall_seconds=30)
    message = await announce(kind=kind)
    first = await workers.start("outbox")
    await until(lambda: provider.requests(message))
    await workers.kill(first)
    await provider.behave()
    await let_leases_lapse()
    another_worker()
    await in_state(message, UNKNOWN)
    await let_leases_lapse()
    await in_state(message, final)
    assert await provider.accepted(message) == accepted


async def test_error_after_acceptance_is_inquired_about_and_not_sent_again(
    provider: Provider, another_worker: Start
) -> None:
    await provider.behave(error_accepted=1, silent=1)
    message = await announce()
    another_worker()
    await in_state(message, UNKNOWN)
    await let_leases_lapse()
    await in_state(message, ACCEPTED)
    assert await provider.requests(message) == 1


async def test_report_that_comes_before_the_answer_is_not_undone_by_our_mark(
    provider: Provider, another_worker: Start
) -> None:
    await provider.behave(report_before_answer=True, report_delay_seconds=0.1, copies=5)
    message = await announce()
    another_worker()
    await in_state(message, DELIVERED)
    await let_go(message)
    assert (await row(message)).state == DELIVERED
    assert await provider.requests(message) == 1


async def test_two_workers_send_each_text_once(provider: Provider, workers: Workers) -> None:
    messages = [await announce(phone=f"+86138{number:08d}") for number in range(40)]
    for _ in range(2):
        await workers.start("outbox")
    for message in messages:
        await in_state(message, DELIVERED)
        assert await provider.requests(message) == 1


async def test_without_redis_texts_are_delivered_all_the_same(
    provider: Provider, workers: Workers
) -> None:
    await workers.start("outbox", REDIS_URL="redis://127.0.0.1:1/0")
    await until(beats)
    message = await announce()
    await in_state(message, DELIVERED)
    assert await provider.accepted(message) == 1


async def test_ring_wakes_a_worker_also_after_redis_was_away(
    provider: Provider, workers: Workers, own_redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provider.url
    monkeypatch.setenv("REDIS_URL", own_redis.url())
    settings.cache_clear()
    worker = await workers.start("outbox", POLL_SECONDS=_NEVER)
    await until(beats)
    await rung("+8613800000001")
    own_redis.stop()
    await asyncio.sleep(1)
    bell.ring(Bell.OUTBOX)
    await asyncio.sleep(0.5)
    own_redis.ensure()
    await rung("+8613800000002")
    assert worker.returncode is None


async def test_sigterm_finishes_what_was_begun(provider: Provider, workers: Workers) -> None:
    # Slow to answer, and its reports are not believed: the state is our own mark.
    await provider.behave(report_before_answer=True, report_delay_seconds=0.7, signature="wrong")
    message = await announce()
    worker = await workers.start("outbox")
    await until(lambda: provider.accepted(message))
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(worker.wait(), 20) == 0
    found = await row(message)
    assert found.state == ACCEPTED
    assert found.provider_id


async def beats() -> int:
    async with transaction() as tx:
        return int(await tx.scalar(_BEATS))


async def rung(phone: str) -> None:
    """A message is delivered soon after a ring, long before the worker's next look by itself."""
    message = await announce(phone=phone)

    async def delivered() -> bool:
        bell.ring(Bell.OUTBOX)
        await asyncio.sleep(0.3)
        return bool((await row(message)).state == DELIVERED)

    await until(delivered)
