"""What 阿里云 pushes, made for tests, and the application it is pushed to; and what became of it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.db import transaction
from app.evaluation import privacy_role
from app.http import problems
from app.settings import settings
from app.texts.outbox import MessageKind, announce
from sms import inbound
from tests.sms.aliyun import PUSHES

REPORTS, REPLIES = f"{PUSHES}/reports", f"{PUSHES}/replies"
_ROW: Final = text("SELECT state, provider_id, error FROM outbox_message WHERE id = :id")
_TAKEN: Final = text(
    "SELECT count(*) FROM surveys.reply WHERE provider_message_id LIKE 'aliyun-' || :sequence"
)
TAKEN_WELL: Final = {"code": 0, "msg": "接收成功"}


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SMS_PROVIDER", "aliyun")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
async def web(county: None, configured: None) -> AsyncIterator[httpx.AsyncClient]:
    assert county is None
    assert configured is None
    async with client("127.0.0.1") as opened:
        yield opened


def client(address: str) -> httpx.AsyncClient:
    app = FastAPI()
    problems.install(app)
    app.include_router(inbound.router)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 5))
    return httpx.AsyncClient(transport=transport, base_url="http://inner")


@pytest.fixture
async def message_id(county: None) -> UUID:
    assert county is None
    async with transaction() as tx:
        now = await tx.now()
        return announce(
            tx, MessageKind.ONE_TIME_CODE, now=now, phone="+8613800000001", code="123456"
        )


def receipt(message_id: UUID, **told: Any) -> dict[str, Any]:
    return {
        "phone_number": "13800000001",
        "send_time": "2026-11-25 10:00:00",
        "report_time": "2026-11-25 10:00:02",
        "success": True,
        "err_code": "DELIVERED",
        "err_msg": "用户接收成功",
        "sms_size": "1",
        "biz_id": f"{message_id.int % 10**18}^0",
        "out_id": str(message_id),
    } | told


def reply(sequence: Any = None, **told: Any) -> dict[str, Any]:
    return {
        "phone_number": "13800000001",
        "send_time": "2026-11-25 10:00:00",
        "content": "2",
        "sign_name": "荣昌群工",
        "dest_code": "1234",
        "sequence_id": uuid4().int % 10**15 if sequence is None else sequence,
    } | told


async def state(message_id: UUID) -> tuple[str, str | None, str | None]:
    async with transaction() as tx:
        row = await tx.one_or_none(_ROW, id=message_id)
    assert row is not None
    return row.state, row.provider_id, row.error


async def taken(item: dict[str, Any]) -> int:
    async with transaction() as tx:
        await privacy_role.enter(tx)
        return int(await tx.scalar(_TAKEN, sequence=str(item["sequence_id"])))
