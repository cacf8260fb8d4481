"""Texts that keep a bad pattern busy, by both providers' webhooks and in the provider's inbox, among ordinary ones.

All else must get through in the usual time, and each such text be with people once.
"""

import asyncio
import time
from typing import Final

import httpx

from app.texts.outbox import MessageKind
from tests.faults.messages import Judged
from tests.faults.old_pattern import hanging
from tests.faults.post import WORKERS, Post, moment, owed, phone
from tests.faults.webhooks import Call, of_aliyun_said, of_twilio_said

_SIZES: Final = (20, 22, 24, 40, 100)
_ORDINARY: Final = 40
# With all that goes on, on two cores; the old pattern takes minutes for the smaller ones and for ever for the others.
_USUAL_SECONDS: Final = 45.0
# As long as Twilio waits.
_ANSWERED_WITHIN: Final = 15.0
_LEFT = "SELECT count(*) FROM outbox_message WHERE state <> 'delivered'"
_HEARD = "SELECT count(*) FROM surveys.reply WHERE effect = 'thanks'"
_WITH_PEOPLE = "SELECT count(*) FROM surveys.reply WHERE effect = 'unclear' AND handled_at IS NULL"
_ALL = "SELECT count(*) FROM surveys.reply"


async def hanging_texts(post: Post, *, texts: int, rate: int, module: str = WORKERS) -> Judged:
    """`texts` are sent, codes among them, while such texts come in all three ways."""
    said = [(phone(10**6 + n), hanging(size)) for n, size in enumerate(_SIZES)]
    said += [(phone(2 * 10**6 + n), "谢谢") for n in range(_ORDINARY)]
    for number, words in said:
        # Its webhook goes nowhere: a worker finds it in the provider's inbox.
        await post.web.post(f"{post.simulator_url}/phones/{number}/reply", json={"text": words})
    now = await moment(post)
    await post.behave(silent=0, report_delay_seconds=0.05)
    calls = [*of_twilio_said(post, said), *of_aliyun_said(post, said, now)]
    post.chance.shuffle(calls)
    began = time.monotonic()
    async with post.workers(module, rate=rate, timeout_seconds=10) as crew:
        await crew.start(2)
        await post.owe([owed(n, now, kind=MessageKind.ONE_TIME_CODE if n % 5 == 0 else MessageKind.PROGRESS) for n in range(texts)])  # fmt: skip
        answered = asyncio.create_task(_answered(post, calls))
        in_time = await _all_through(post, len(said))
        seconds = time.monotonic() - began
        slowest, failed = await answered
    left, heard = await post.ask(_LEFT), await post.ask(_HEARD)
    with_people, all_ = await post.ask(_WITH_PEOPLE), await post.ask(_ALL)
    told = f"{texts - left} of {texts} delivered, {heard} of {3 * _ORDINARY} ordinary replies heard, {with_people} of {3 * len(_SIZES)} with people in {seconds:.0f} s, slowest webhook {slowest:.1f} s, {failed} failed"  # fmt: skip
    exact = (left, heard, with_people) == (0, 3 * _ORDINARY, 3 * len(_SIZES))
    once = all_ == 3 * len(said)
    breaches = [] if not exact else await post.breaches()
    held = in_time and exact and once and not failed and slowest < _ANSWERED_WITHIN and not breaches
    return Judged(held, f"{told}; doctor: {', '.join(breaches) or 'nothing'}")


async def _all_through(post: Post, said: int) -> bool:
    """Whether all is done in the usual time."""
    until = time.monotonic() + _USUAL_SECONDS
    while time.monotonic() < until:
        await post.arrived()
        if not await post.ask(_LEFT) and await post.ask(_ALL) >= 3 * said:
            return True
        await asyncio.sleep(0.3)
    return False


async def _answered(post: Post, calls: list[Call]) -> tuple[float, int]:
    """The slowest answer to a webhook, and how many were not taken."""
    at_once = asyncio.Semaphore(8)
    slowest, failed = 0.0, 0

    async def call(url: str, body: bytes, headers: dict[str, str]) -> None:
        nonlocal slowest, failed
        async with at_once:
            began = time.monotonic()
            try:
                answer = await post.web.post(url, content=body, headers=headers, timeout=15)
                failed += answer.status_code >= 300
            except httpx.HTTPError:
                failed += 1
            slowest = max(slowest, time.monotonic() - began)

    async with asyncio.TaskGroup() as group:
        for one in calls:
            group.create_task(call(*one))
    return slowest, failed
