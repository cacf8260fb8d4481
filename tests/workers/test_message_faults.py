"""Small versions of what `make faults` does to text messages, each with the control that must go wrong."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import ExitStack

import httpx
import pytest
import pytest_asyncio

from app.settings import Settings, settings
from sms.gateway import OutgoingText
from sms.providers.twilio import TwilioGateway
from sms.simulator.app import create_app
from sms.simulator.state import SimulatorSettings
from tests.faults.messages import away, explained, killed, note_lapses, unexplained
from tests.faults.post import (
    CONTROL,
    WORKERS,
    Forks,
    Post,
    free_port,
    moment,
    owed,
    phone,
)
from tests.faults.webhooks import believed, webhooks
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
async def test_each_text_is_accepted_once_whoever_dies_and_whatever_provider_says(
    post: Post, module: str
) -> None:
    judged = await killed(post, texts=40, kills=5, rate=80, module=module)
    assert judged.held is (module == WORKERS), judged.told
    assert "5 of 5 killed while texts were open" in judged.told


@pytest.mark.parametrize(
    ("treatments", "died", "may_be"),
    [
        ([], 0, True),
        (["accepted"], 0, True),
        (["error_not_accepted", "stall_not_accepted", "accepted"], 0, True),
        (["error_accepted", "accepted"], 0, True),
        (["stall_accepted", "too_many", "error_accepted"], 0, True),
        (["too_many", "accepted", "accepted"], 0, False),
        (["error_not_accepted", "accepted", "accepted"], 0, False),
        (["error_accepted", "accepted", "accepted"], 0, False),
        (["accepted", "stall_accepted"], 0, False),
        (["accepted", "accepted"], 1, True),
        (["accepted", "accepted", "accepted"], 1, False),
    ],
)
def test_text_may_have_been_accepted_again_only_after_acceptance_nobody_was_told_of(
    treatments: list[str], died: int, may_be: bool
) -> None:
    assert explained(treatments, died=died) is may_be


async def test_judge_names_text_that_was_refused_for_moment_and_then_sent_twice(
    post: Post,
) -> None:
    now = await moment(post)
    refused, open_ended, once = messages = [owed(number, now) for number in range(3)]
    await post.owe(messages)
    await note_lapses(post)
    gateway = TwilioGateway(settings())
    for message, behaviours in (
        (refused, [{"too_many": 1}, {}, {}]),
        (open_ended, [{"error_accepted": 1}, {}]),
        (once, [{}]),
    ):
        for behaviour in behaviours:
            await post.behave(**behaviour, silent=1)
            callback = f"{post.public_url}/sms/twilio/status/{message.id}"
            await gateway.send(OutgoingText(message.id, phone(1), "progress", {}, "进展", callback))
    await gateway.close()
    # As workers would have left them.
    await post.do("UPDATE outbox_message SET state = 'accepted', attempts = 3")
    assert await unexplained(post, messages, set()) == 1


async def test_after_outage_texts_go_out_oldest_first_within_rate_and_no_old_code(
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
    with believed():
        judged = await webhooks(post, texts=6)
    assert judged.held, judged.told
