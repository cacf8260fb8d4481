"""The message scenarios of `make faults` at their full size, with the simulator and the webhooks as processes of their own.

FAULTS_TEXTS says how many texts (10,000); kills, and what is queued while the provider is away, are in proportion.
"""

import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import httpx

from qungong.dev import serving
from tests.faults.hanging_texts import hanging_texts
from tests.faults.messages import Judged, away, killed
from tests.faults.post import CONTROL, IN_THE_LOOP, ROOT, WITHIN_LIMIT, Forks, Post, free_port
from tests.faults.webhooks import BELIEVED, webhooks

TEXTS = int(os.environ.get("FAULTS_TEXTS", "10000"))
KILLS, QUEUED = max(4, TEXTS // 50), TEXTS // 2
# So slow that the workers are not done before they have been killed often enough.
RATE = 100
_NOWHERE = "http://127.0.0.1:1/unused"


@dataclass(frozen=True, slots=True)
class MessageScenario:
    """`starts_away`: the provider comes back only when the scenario says so; `doubles`: the control, which must go wrong.

    `server`: the module that serves the webhooks.
    """

    name: str
    does: Callable[..., Awaitable[Judged]]
    expected: int
    starts_away: bool = False
    doubles: bool = False
    server: str = serving.HTTP_SERVER


MESSAGE_SCENARIOS = (
    MessageScenario(
        "texts: SIGKILL at random, the provider lies, stalls and fails",
        partial(killed, texts=TEXTS, kills=KILLS, rate=RATE),
        TEXTS,
    ),
    MessageScenario(
        "texts: the provider away for hours",
        partial(away, texts=QUEUED, codes=QUEUED // 10, rate=4 * RATE),
        QUEUED,
        starts_away=True,
    ),
    MessageScenario(
        "texts: webhooks fivefold, disordered, a day late, forged",
        partial(webhooks, texts=TEXTS // 50),
        TEXTS // 50,
    ),
    MessageScenario(
        "texts: replies that hang a bad pattern",
        partial(hanging_texts, texts=TEXTS // 20, rate=RATE),
        TEXTS // 20,
    ),
    MessageScenario(
        "texts: replies that hang a pattern that is bad, within the time limit",
        partial(hanging_texts, texts=TEXTS // 20, rate=RATE, module=WITHIN_LIMIT),
        TEXTS // 20,
        server=WITHIN_LIMIT,
    ),
    MessageScenario(
        "texts: control, replies read in the event loop by a pattern that hangs",
        partial(hanging_texts, texts=TEXTS // 20, rate=RATE, module=IN_THE_LOOP),
        TEXTS // 20,
        doubles=True,
        server=IN_THE_LOOP,
    ),
    MessageScenario(
        "texts: control, what is unknown is simply sent again",
        partial(killed, texts=TEXTS // 20, kills=8, rate=RATE, module=CONTROL),
        TEXTS // 20,
        doubles=True,
    ),
)


async def play(
    scenario: MessageScenario, url: str, tell: Callable[[int], None], seed: int
) -> tuple[bool, str]:
    """Whether it went as it must, and what is to be said of it. `url`: an empty migrated database."""
    began = time.monotonic()
    async with _post(url, tell, seed, starts_away=scenario.starts_away, server=scenario.server) as (
        post,
        back,
    ):
        judged = await (scenario.does(post, back=back) if scenario.starts_away else scenario.does(post))  # fmt: skip
    return judged.held is not scenario.doubles, f"{judged.told} ({time.monotonic() - began:.0f} s)"


@asynccontextmanager
async def _post(
    url: str, tell: Callable[[int], None], seed: int, *, starts_away: bool, server: str
) -> AsyncIterator[tuple[Post, Callable[[], Awaitable[None]]]]:
    ports = free_port(), free_port()
    addresses = [f"http://127.0.0.1:{port}" for port in ports]
    running: list[asyncio.subprocess.Process] = []
    environment = {
        "DATABASE_URL": url, "REDIS_URL": "redis://127.0.0.1:1/0", "MEDIA_URL": "memory:///", "PUBLIC_URL": addresses[1],
        "SIMULATOR_INBOUND_URL": _NOWHERE,
    } | BELIEVED  # fmt: skip

    async def serve(*module: str, port: int, answers: str) -> None:
        argv = [sys.executable, "-m", *module, "--host", "127.0.0.1", "--port", str(port)]
        started = await asyncio.create_subprocess_exec(
            *argv, cwd=ROOT, env=os.environ | environment,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        running.append(started)
        for _ in range(480):
            try:
                (await web.get(f"http://127.0.0.1:{port}{answers}")).raise_for_status()
            except httpx.HTTPError:
                await asyncio.sleep(0.25)
            else:
                return
        raise RuntimeError(f"{module[-1]} did not come up")

    async def back() -> None:
        await serve(
            "uvicorn", serving.SIMULATOR_APPLICATION, port=ports[0], answers="/control/health"
        )

    async with httpx.AsyncClient(timeout=30) as web, Forks.ready() as forks:
        try:
            await serve(server, "--processes", "1", port=ports[1], answers="/health")
            if not starts_away:
                await back()
            chance = random.Random(seed)  # noqa: S311 - reproducible
            yield Post(url, addresses[0], addresses[1], forks, web, tell, chance), back
        finally:
            for process in running:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
