"""Small versions of what `make faults` does to text messages, each with the control that must go wrong."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import ExitStack

import httpx
import pytest
import pytest_asyncio

from app.settings import Settings, settings
from sms.simulator.app import create_app
from sms.simulator.state import SimulatorSettings
from tests.faults.messages import away, killed
from tests.faults.post import CONTROL, WORKERS, Forks, Post, free_port
from tests.faults.webhooks import webhooks
from tests.sms.servers import served
from tests.workers.conftest import Provider


@pytest_asyncio.fixture(scope="module")
async def forks() -> AsyncIterator[Forks]:
    async with Forks.ready() as made:
        yield made


@pytest_asyncio.fixture
async def post(provider: Provider, forks: Forks) -> AsyncIterator[Post]:
    async with httpx.AsyncClient(timeout=30) as web:
        chance = random.Random(20261125)  # noqa: S311 - reproducible
        own = settings()
        yield Post(own.database_url, provider.url, own.public_url, forks, web, chance=chance)


@pytest.mark.parametrize("module", [WORKERS, CONTROL])
async def test_each_text_is_accepted_once_whoever_dies_and_whatever_the_provider_says(
    post: Post, module: str
) -> None:
    judged = await killed(post, texts=40, kills=5, rate=80, module=module)
    assert judged.held is (module == WORKERS), judged.told
    assert "5 of 5 killed while texts were open" in judged.told


async def test_after_an_outage_texts_go_out_oldest_first_within_the_rate_and_no_old_code(
    post: Post,
) -> None:
    port = free_port()
    post.simulator_url = f"http://127.0.0.1:{port}"
    own = SimulatorSettings(simulator_dir=None, simulator_inbound_url="http://127.0.0.1:1/unused")
    with ExitStack() as stack:

        async def back() -> None:
            simulator = served(create_app(Settings(), own), port)
            await asyncio.to_thread(stack.enter_context, simulator)

        judged = await away(post, texts=200, codes=20, rate=200, back=back)
    assert judged.held, judged.told


async def test_webhooks_repeated_disordered_late_and_forged_have_one_effect_or_none(
    post: Post,
) -> None:
    judged = await webhooks(post, texts=6)
    assert judged.held, judged.told
