"""The simulated 阿里云 over HTTP with the real adapter before it, for the tests of both."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.settings import Settings
from app.texts.approvals import Approval, ApprovalState
from app.texts.outbox import MessageKind
from sms.gateway import OutgoingText
from sms.providers.aliyun import AliyunGateway
from sms.providers.aliyun_protocol import capabilities
from sms.simulator.aliyun_templates import code_of
from sms.simulator.app import create_app
from sms.simulator.state import SimulatorSettings
from sms.templates import words_of
from tests.sms.servers import Listener, served

PUSHES = "/sms/aliyun/simulator-pushes-000"
PHONE = "+8613800000001"


def account(**changed: Any) -> Settings:
    return Settings(**{"sms_provider": "aliyun", "sms_timeout_seconds": 20, **changed})


@dataclass
class Aliyun:
    """The simulator, the application it pushes to, and a client for its controls."""

    url: str
    listener: Listener
    control: httpx.Client

    def behave(self, **behaviour: Any) -> None:
        self.control.post("/control/behaviour", json=behaviour).raise_for_status()

    def attempts(self, message: OutgoingText) -> tuple[int, int]:
        """Requests to send it, and how many the simulator accepted."""
        asked = {"status_callback": str(message.id)}
        counted = self.control.get("/control/attempts", params=asked).json()
        return counted["requests"], counted["accepted"]

    def texts(self, phone: str = PHONE) -> list[str]:
        return [one["text"] for one in self.control.get(f"/phones/{phone}").json()["messages"]]

    @asynccontextmanager
    async def gateway(self, **changed: Any) -> AsyncIterator[AliyunGateway]:
        """The adapter, for whom everything is approved."""
        settings = account(aliyun_api_url=self.url, **changed)

        async def approval(kind: MessageKind) -> ApprovalState:
            return ApprovalState(Approval.APPROVED, code_of(words_of(kind, capabilities(settings))))

        opened = AliyunGateway(settings, approval)
        try:
            yield opened
        finally:
            await opened.close()


def message(
    *, phone: str = PHONE, kind: MessageKind = MessageKind.PROGRESS, **values: str
) -> OutgoingText:
    given = {"ref": "500153-261122-00000001", "title": "没有饮用水", "unit": "荣隆镇"}
    given |= {"report": "已找到漏点", "code": "123456"}
    return OutgoingText(uuid4(), phone, kind, given | values, "【荣昌群工】…", "http://unused/")


def before(port: int) -> AliyunGateway:
    async def approval(_kind: MessageKind) -> ApprovalState:
        return ApprovalState(Approval.APPROVED, "SMS_1")

    return AliyunGateway(account(aliyun_api_url=f"http://127.0.0.1:{port}"), approval)


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[AliyunGateway]:
    """The adapter before a server that reads a request, writes this status and body, and hangs up."""
    status, _, body = answer.partition(b"|")

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answered, "127.0.0.1", 0)
    gateway = before(server.sockets[0].getsockname()[1])
    try:
        yield gateway
    finally:
        await gateway.close()
        server.close()
        await server.wait_closed()


@pytest.fixture(scope="session")
def running_aliyun() -> Iterator[Aliyun]:
    listener = Listener()
    with served(listener.app) as listener_url:
        own = SimulatorSettings(simulator_dir=None, simulator_push_url=f"{listener_url}{PUSHES}")
        with (
            served(create_app(account(), own)) as url,
            httpx.Client(base_url=url, timeout=20) as control,
        ):
            yield Aliyun(url, listener, control)


@pytest.fixture
def aliyun(running_aliyun: Aliyun) -> Aliyun:
    running_aliyun.control.post("/control/reset").raise_for_status()
    running_aliyun.listener.heard.clear()
    running_aliyun.listener.answer = 200
    return running_aliyun
