"""Replies whose webhook met a fault of ours: what Twilio gave up is heard later, once, and what arrived has no second effect."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import text
from typing_extensions import override

from app import keys
from app.db import Database, observers, transaction
from app.evaluation import privacy_role
from app.evaluation.locking import one_at_a_time
from app.http import problems
from app.settings import Settings, settings
from app.texts import channel
from app.texts.terms import PauseReason
from qungong.dev import sample
from sms import inbound
from sms.gateway import Received, Unknown
from sms.providers.twilio import TwilioGateway
from sms.providers.twilio_protocol import TRIES_AGAIN
from sms.simulator.app import create_app
from sms.simulator.state import SimulatorSettings
from tests.conftest import find_staff
from tests.sms.servers import served
from tests.surveys.conftest import Village
from tests.workers.conftest import Provider, _serving
from workers.poll_inbox import AGAIN, FAR_BACK
from workers.texts import Delivery, open_gateway

PHONE = "+8613900000009"
_TAKEN = text("SELECT effect, received_at FROM surveys.reply WHERE provider_message_id = :sid")
_ANSWERS = text("SELECT count(*) FROM surveys.answer")


@pytest_asyncio.fixture(params=["", TRIES_AGAIN], ids=["by itself", "tries again"])
async def provider(
    database: Database, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[Provider]:
    """The simulator, handing replies to the real webhook on the test's database, at an address as one enters it."""
    assert database is not None
    application = FastAPI()
    application.include_router(inbound.router)
    problems.install(application)
    async with _serving(application) as public_url:
        inbound_url = f"{public_url}/sms/twilio/inbound{request.param}"
        own = SimulatorSettings(simulator_dir=None, simulator_inbound_url=inbound_url)
        with served(create_app(Settings(), own)) as url:
            monkeypatch.setenv("PUBLIC_URL", public_url)
            monkeypatch.setenv("TWILIO_API_URL", url)
            settings.cache_clear()
            async with httpx.AsyncClient(base_url=url, timeout=30) as control:
                yield Provider(url, control)
    settings.cache_clear()


by_itself = pytest.mark.parametrize("provider", [""], indirect=True)
tries_again = pytest.mark.parametrize("provider", [TRIES_AGAIN], indirect=True)


async def replied(provider: Provider, words: str, phone: str = PHONE) -> tuple[str, int]:
    """Its id, and what our webhook answered."""
    answered = await provider.control.post(f"/phones/{phone}/reply", json={"text": words})
    told = answered.raise_for_status().json()
    return told["sid"], told["webhook_status"]


async def in_vain(provider: Provider, words: str) -> str:
    """As above, while something holds on to the number for so long that we answer 503."""
    async with transaction() as tx:
        await one_at_a_time(tx, keys.lookup("phone", PHONE))
        sid, status = await replied(provider, words)
    assert status == 503
    return sid


async def taken(sid: str) -> list[Any]:
    async with transaction() as tx:
        await privacy_role.enter(tx)
        return await tx.all(_TAKEN, sid=sid)


async def answers() -> int:
    async with transaction() as tx:
        await privacy_role.enter(tx)
        return int(await tx.scalar(_ANSWERS))


async def worked(work: Delivery | None = None) -> None:
    work = work or Delivery(open_gateway())
    await work.once()
    await work.finish()


@by_itself
async def test_answer_that_met_a_503_is_heard_later_and_counts_once(provider: Provider) -> None:
    await sample.load()
    await Village(find_staff).asked_soon(PHONE)
    sid = await in_vain(provider, "1")
    assert (await taken(sid), await answers()) == ([], 0)
    written = datetime.now(UTC)
    for _ in range(3):
        await worked()
    [reply] = await taken(sid)
    assert (reply.effect, await answers()) == ("answered", 1)
    # As of when it was sent, which was before the look.
    assert reply.received_at <= written


async def test_answer_that_arrived_has_no_second_effect(provider: Provider) -> None:
    await sample.load()
    await Village(find_staff).asked_soon(PHONE)
    sid, status = await replied(provider, "1")
    assert status == 204
    before = await taken(sid)
    for _ in range(3):
        await worked()
    assert (await taken(sid), len(before), await answers()) == (before, 1, 1)


@by_itself
async def test_reply_that_comes_in_while_it_is_looked_for_is_taken_once(
    provider: Provider,
) -> None:
    async with transaction() as tx:
        await one_at_a_time(tx, keys.lookup("phone", PHONE))
        handing_in = asyncio.create_task(replied(provider, "谢谢"))
        await asyncio.sleep(0.3)
        looking = asyncio.create_task(worked())
        await asyncio.sleep(0.5)
    sid, status = await handing_in
    await looking
    assert status == 204
    assert len(await taken(sid)) == 1


@tries_again
async def test_where_address_says_so_503_is_tried_again_and_nobody_needs_to_look(
    provider: Provider,
) -> None:
    async with transaction() as tx:
        await one_at_a_time(tx, keys.lookup("phone", PHONE))
        handing_in = asyncio.create_task(replied(provider, "谢谢"))
        await asyncio.sleep(2.5)
    sid, status = await handing_in
    assert status == 204
    assert len(await taken(sid)) == 1


class Looked(TwilioGateway):
    """Notes since when it was asked; `away`: it could not be asked."""

    def __init__(self) -> None:
        super().__init__(settings())
        self.since: list[datetime] = []
        self.away = False

    @override
    async def received(self, since: datetime) -> Received | Unknown:
        self.since.append(since)
        return Unknown("away") if self.away else await super().received(since)


async def looked(work: Delivery) -> None:
    """As if the time for the next look had come."""
    work._missed._looked_at = float("-inf")
    await work.once()
    while work._under_way:
        await asyncio.wait(work._under_way)


async def moment() -> datetime:
    async with transaction() as tx:
        return await tx.now()


@by_itself
async def test_look_is_rare_and_goes_back_to_before_last_one_that_was_answered(
    provider: Provider,
) -> None:
    assert provider.url
    gateway = Looked()
    work = Delivery(gateway)
    began = await moment()
    for _ in range(3):
        await work.once()
    assert len(gateway.since) == 1, "not at every look at the database"
    await looked(work)
    gateway.away = True
    await looked(work)
    gateway.away = False
    await looked(work)
    await work.finish()
    ago = [began - since for since in gateway.since]
    assert abs(ago[0] - FAR_BACK) < timedelta(minutes=1)
    assert all(abs(one - AGAIN) < timedelta(minutes=1) for one in ago[1:])
    assert gateway.since[1] < gateway.since[2] == gateway.since[3], "asked in vain, asked again"


@by_itself
async def test_look_that_could_not_be_taken_down_goes_as_far_back_the_next_time(
    provider: Provider,
) -> None:
    gateway = Looked()
    work = Delivery(gateway)
    sid = await in_vain(provider, "谢谢")
    async with transaction() as tx:
        await one_at_a_time(tx, keys.lookup("phone", PHONE))
        await looked(work)
    assert await taken(sid) == []
    await looked(work)
    await work.finish()
    assert len(await taken(sid)) == 1
    assert gateway.since[1] - gateway.since[0] < timedelta(minutes=1), "both days ago"


@by_itself
async def test_reply_that_was_heard_costs_the_next_look_nothing(provider: Provider) -> None:
    for n in range(60):
        await replied(provider, "谢谢", f"+86138{n:08d}")
    work = Delivery(open_gateway())
    await looked(work)
    asked: list[str] = []
    observers.append(asked.append)
    try:
        await looked(work)
    finally:
        observers.remove(asked.append)
        await work.finish()
    assert not [one for one in asked if "surveys." in one]


@by_itself
@pytest.mark.parametrize("probe", [False, True])
async def test_while_the_channel_is_paused_or_probed_nobody_looks(
    provider: Provider, probe: bool
) -> None:
    gateway = Looked()
    async with transaction() as tx:
        await channel.hold(tx, "twilio", most=0, rate=0)
        assert await channel.pause(tx, "twilio", PauseReason.ACCOUNT, "20003")
        if probe:
            assert await channel.probe_now(tx, "twilio")
    await worked(Delivery(gateway))
    assert gateway.since == []


@by_itself
async def test_where_no_replies_come_back_nobody_looks(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provider.url
    monkeypatch.setenv("SMS_TWO_WAY", "false")
    settings.cache_clear()
    gateway = Looked()
    await worked(Delivery(gateway))
    assert gateway.since == []
