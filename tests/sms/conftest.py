"""The simulator over HTTP with the real Twilio adapter before it, fresh for each test."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.settings import Settings
from sms.gateway import OutgoingText
from sms.providers.twilio import TwilioGateway
from sms.simulator.app import create_app
from sms.simulator.state import SimulatorSettings
from tests.sms.aliyun import aliyun, running_aliyun
from tests.sms.pushing import configured, message_id, web
from tests.sms.servers import Listener, served

__all__ = ["aliyun", "configured", "message_id", "running_aliyun", "web"]


@dataclass
class World:
    """A simulator, the application it reports to, and a client for its controls."""

    url: str
    listener: Listener
    listener_url: str
    control: httpx.Client

    def behave(self, **behaviour: Any) -> None:
        self.control.post("/control/behaviour", json=behaviour).raise_for_status()

    def attempts(self, message: OutgoingText) -> tuple[int, int]:
        """Requests to send it, and how many the simulator accepted."""
        counted = self.control.get(
            "/control/attempts", params={"status_callback": message.callback_url}
        ).json()
        return counted["requests"], counted["accepted"]

    def text(
        self, *, phone: str = "+8613800000001", body: str = "【荣昌群工】您反映的事项有新进展。"
    ) -> OutgoingText:
        message_id = uuid4()
        return OutgoingText(
            id=message_id,
            phone=phone,
            template="progress",
            parameters={},
            body=body,
            callback_url=f"{self.listener_url}/sms/twilio/status/{message_id}",
        )

    def settings(self, **changed: Any) -> Settings:
        return Settings(**{"twilio_api_url": self.url, "sms_timeout_seconds": 20, **changed})


@pytest.fixture(scope="session")
def running() -> Iterator[World]:
    listener = Listener()
    with served(listener.app) as listener_url:
        own = SimulatorSettings(
            simulator_dir=None,
            simulator_inbound_url=f"{listener_url}/sms/twilio/inbound?from=twilio",
        )
        with (
            served(create_app(Settings(), own)) as url,
            httpx.Client(base_url=url, timeout=20) as control,
        ):
            yield World(url, listener, listener_url, control)


@pytest.fixture
def world(running: World) -> World:
    running.control.post("/control/reset").raise_for_status()
    running.listener.heard.clear()
    running.listener.answer = 204
    return running


@pytest.fixture
async def gateway(world: World) -> AsyncIterator[TwilioGateway]:
    opened = TwilioGateway(world.settings())
    yield opened
    await opened.close()
