"""The real adapter against the simulator over HTTP: what people texted us, listed where a webhook met a fault of ours."""

from datetime import UTC, datetime, timedelta

import pytest

from sms.gateway import Received, Unknown
from sms.providers.twilio import TwilioGateway
from tests.sms.conftest import World


def replied(world: World, words: str, phone: str = "+8613800000001") -> str:
    told = world.control.post(f"/phones/{phone}/reply", json={"text": words})
    return str(told.raise_for_status().json()["sid"])


async def test_what_came_in_is_listed_page_by_page_oldest_first_and_nothing_that_went_out(
    world: World, gateway: TwilioGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sms.providers.twilio._REPLIES_A_PAGE", 7)
    before = datetime.now(UTC) - timedelta(seconds=1)
    await gateway.send(world.text())
    sids = [replied(world, f"第{number}条\0 ") for number in range(20)]
    found = await gateway.received(before)
    assert isinstance(found, Received)
    assert [one.provider_message_id for one in found.texts] == sids
    assert found.whole
    first = found.texts[0]
    assert (first.from_phone, first.text) == ("+8613800000001", "第0条 ")
    assert first.sent_at is not None
    assert before < first.sent_at <= datetime.now(UTC) + timedelta(seconds=1)


async def test_list_is_read_no_farther_than_asked_and_never_without_end(
    world: World, gateway: TwilioGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sms.providers.twilio._REPLIES_A_PAGE", 2)
    monkeypatch.setattr("sms.providers.twilio._REPLIES_AT_MOST", 5)
    before = datetime.now(UTC) - timedelta(seconds=1)
    sids = [replied(world, "1") for _ in range(6)]
    found = await gateway.received(before)
    assert isinstance(found, Received)
    assert [one.provider_message_id for one in found.texts] == sids[1:]
    assert not found.whole
    assert await gateway.received(datetime.now(UTC) + timedelta(seconds=2)) == Received([])


async def test_inbox_that_cannot_be_asked_is_unknown(world: World) -> None:
    since = datetime.now(UTC)
    for wrong in ({"twilio_auth_token": "wrong"}, {"twilio_api_url": "http://127.0.0.1:1"}):
        gateway = TwilioGateway(world.settings(**wrong))
        assert isinstance(await gateway.received(since), Unknown)
        await gateway.close()
