"""A client that goes away in the middle of a body: one short line in the log, and nothing is kept."""

import asyncio
import secrets

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from app.db import reading
from app.settings import settings
from qungong.asgi import app as served
from qungong.dev.sample import PASSWORD
from tests.http.sockets import on_a_socket

_STORED = text("SELECT count(*) FROM grievance WHERE title = :title")
PUSH = f"/sms/aliyun/{settings().aliyun_push_secret.get_secret_value()}"
# Both faces and the webhooks, with a transaction and without.
ROUTES = (
    "/api/v1/cases",
    "/api/v1/cases/500153-200101-00000000/escalate",
    "/api/v1/sessions",
    "/m/v1/reports",
    "/m/v1/photos",
    "/m/v1/track",
    "/m/v1/sign-up/code",
    "/m/v1/cadre/sign-in",
    "/m/v1/cadre/cases",
    "/sms/twilio/inbound",
    "/sms/twilio/status/0197f000-0000-7000-8000-000000000000",
    f"{PUSH}/reports",
    f"{PUSH}/replies",
)


@pytest.mark.usefixtures("county")
@pytest.mark.parametrize("route", ROUTES)
async def test_body_that_ends_early_leaves_one_short_line_at_most(
    route: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Pushes are believed of the provider in use; others are refused before their body is read.
    monkeypatch.setattr(type(settings()), "hears", lambda _settings, _provider: True)
    with capture_logs() as logged:
        async with on_a_socket(served) as server:
            line = await server.dials()
            await line.say(
                f"POST {route} HTTP/1.1", "Host: county.test", "Content-Type: application/json",
                f"Idempotency-Key: {secrets.token_hex(8)}", "Content-Length: 5000", "", "",
                body=b'{"title": "' + b"x" * 100,
            )  # fmt: skip
            await asyncio.sleep(0.1)
            await line.close()
            await server.idle()
    assert not caplog.records
    assert len(logged) <= 1, logged
    assert all(len(str(entry)) < 200 and entry["log_level"] == "info" for entry in logged), logged


@pytest.mark.usefixtures("county")
async def test_body_that_ends_early_changes_nothing() -> None:
    """Signed in, so that the handler would begin its transaction."""
    title = secrets.token_hex(8)
    async with on_a_socket(served) as server:
        sign_in = await server.dials()
        account = f'{{"account": "gongnong", "password": "{PASSWORD}"}}'.encode()
        await sign_in.say(
            "POST /api/v1/sessions HTTP/1.1", "Host: county.test", "Connection: close",
            "Content-Type: application/json", f"Content-Length: {len(account)}", "", "", body=account,
        )  # fmt: skip
        token = (await sign_in.rest()).split(b'"token":"')[1].split(b'"')[0].decode()
        await sign_in.close()
        with capture_logs() as logged:
            line = await server.dials()
            await line.say(
                "POST /api/v1/cases HTTP/1.1", "Host: county.test", f"Authorization: Bearer {token}",
                "Content-Type: application/json", "Content-Length: 5000", "", "",
                body=f'{{"title": "{title}"'.encode(),
            )  # fmt: skip
            await asyncio.sleep(0.1)
            await line.close()
            await server.idle()
    assert [entry["event"] for entry in logged] == ["client went away"]
    async with reading() as tx:
        assert await tx.scalar(_STORED, title=title) == 0
