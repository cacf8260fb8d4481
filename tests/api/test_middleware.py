"""The application as it is served: what every answer carries, and what the server says about itself."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter
from sqlalchemy import text
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from app import db, errors, logs
from app.db import Database, transactions
from app.settings import settings
from qungong import composition
from qungong.asgi import app as served
from tests import people
from tests.people import Person


@pytest_asyncio.fixture
async def anybody(county: None) -> AsyncIterator[Person]:
    assert county is None
    async with people.visitor(served) as somebody:
        yield somebody


@pytest.mark.parametrize(
    "path",
    ["/", "/health", "/api/v1/docs", "/api/v1/cases", "/m/v1/nowhere", "/nowhere", "/problems/not-found"],
)  # fmt: skip
async def test_every_answer_carries_the_security_headers(anybody: Person, path: str) -> None:
    headers = (await anybody.get(path)).headers
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["permissions-policy"] == "camera=(self), geolocation=(self), microphone=(self)"
    assert "access-control-allow-origin" not in headers
    assert "strict-transport-security" not in headers
    kept = not path.startswith(("/api", "/m/"))
    assert (headers.get("cache-control") == "no-store") is not kept


async def test_https_is_kept_to_by_browsers(county: None) -> None:
    assert county is None
    transport = httpx.ASGITransport(served)
    async with httpx.AsyncClient(transport=transport, base_url="https://county.test") as browser:
        answer = await browser.get("/nowhere")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_every_answer_has_an_id_of_our_own(anybody: Person) -> None:
    given = "a" * 32
    answers = [
        await anybody.client.get(path, headers={"X-Request-Id": given})
        for path in ("/health", "/nowhere", "/api/v1/cases")
    ]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len({*ids, given}) == 4
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in ids)


async def test_failure_is_logged_under_the_id_of_its_answer() -> None:
    with capture_logs(processors=[merge_contextvars]) as logged:
        async with people.visitor(failing()) as somebody:
            answer = await somebody.get("/fails")
    assert {line["request_id"] for line in logged} == {answer.headers["x-request-id"]}


@pytest.mark.parametrize(
    "path",
    [
        "/api%2fv1/sessions/me", "/api%2Fv1/sessions/me", "//api/v1/sessions/me", "/api//v1/sessions/me",
        "/m/../api/v1/sessions/me", "/api/./v1/sessions/me", "/api/v1/sessions/%2e%2e/sessions/me",
        "/api/v1/sessions;a=1/me", "/api/v1/sessions%3Ba/me", "/api%5cv1/sessions/me", "/api/v1/sessions/me/..",
    ],
)  # fmt: skip
async def test_address_that_a_proxy_may_read_otherwise_leads_nowhere(path: str) -> None:
    status, problem = await raw_get(path)
    assert (status, problem["type"]) == (404, "/problems/not-found")


async def test_plain_address_leads_where_it_should() -> None:
    assert (await raw_get("/api/v1/sessions/me"))[0] == 401


async def raw_get(path: str) -> tuple[int, dict[str, object]]:
    """As a server hands it on, without a client that would put it right first."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": unquote(path), "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"county.test")], "client": ("127.0.0.1", 1), "server": ("county.test", 80),
    }  # fmt: skip
    await served(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], json.loads(body)


@pytest.mark.parametrize("face", ["/api/v1", "/m/v1"])
async def test_openapi_document_is_made_once_and_sent_compressed(
    anybody: Person, face: str
) -> None:
    plain = await anybody.client.get(
        f"{face}/openapi.json", headers={"Accept-Encoding": "identity"}
    )
    packed = await anybody.client.get(f"{face}/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert plain.json() == packed.json()
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) * 5 < int(plain.headers["content-length"])
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.headers["cache-control"] == "public, max-age=300"
    known = {"If-None-Match": packed.headers["etag"]}
    again = await anybody.client.get(f"{face}/openapi.json", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    refused = {"Accept-Encoding": "gzip;q=0"}
    asked = await anybody.client.get(f"{face}/openapi.json", headers=refused)
    assert "content-encoding" not in asked.headers


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", "/m/v1/nowhere", "/api/v1", "/problems/x"])  # fmt: skip
async def test_what_is_not_there_is_a_problem_wherever_it_is_not(
    anybody: Person, path: str
) -> None:
    answer = await anybody.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/health", "/api/v1/cases", "/m/v1/sessions"])
async def test_method_not_offered_is_a_problem_that_names_those_that_are(
    anybody: Person, path: str
) -> None:
    answer = await anybody.client.request("OPTIONS", path)
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/v1/cases", "GET, HEAD, POST"),
        ("/api/v1/sessions", "GET, HEAD, POST"),
        ("/m/v1/reports", "GET, HEAD, POST"),
        ("/api/v1/sessions/current", "DELETE"),
        ("/health", "GET, HEAD"),
        ("/q/500153003007", "GET, HEAD"),
    ],
)
async def test_method_not_offered_is_told_all_that_are(
    anybody: Person, path: str, methods: str
) -> None:
    answer = await anybody.client.patch(path, json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, methods)


@pytest.mark.parametrize(
    "path", ["/nowhere", "/q", "/q/", "/q/a/b/c", "/q//x", "/q/500153003007;a"]
)
async def test_browser_is_told_in_a_page_what_is_not_there(anybody: Person, path: str) -> None:
    page = await anybody.client.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<h1>" in page.text
    assert (await anybody.get(path)).status_code == 404


async def test_method_not_offered_on_a_page_is_told_in_a_page(anybody: Person) -> None:
    page = await anybody.client.post("/q/500153003007", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["allow"]) == (405, "GET, HEAD")
    assert errors.MethodNotAllowed.detail in page.text


async def test_poster_is_a_page_also_while_the_database_is_away(
    anybody: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Database("postgresql+asyncpg://nobody@127.0.0.1:1/none", pool_size=1)
    monkeypatch.setattr(transactions, "database", lambda: gone)
    page = await anybody.client.get("/q/500153003007", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert page.headers["retry-after"]
    assert errors.Unavailable.detail in page.text


async def test_interface_answers_problems_whatever_is_accepted(anybody: Person) -> None:
    answer = await anybody.client.get("/api/v1/nowhere", headers={"Accept": "text/html"})
    assert answer.headers["content-type"] == "application/problem+json"


async def test_head_is_answered_like_get_without_the_body(anybody: Person) -> None:
    for path in ("/health", "/", "/api/v1/docs", "/api/v1/cases"):
        got, headed = await anybody.get(path), await anybody.client.head(path)
        assert headed.status_code == got.status_code
        assert headed.headers["content-length"] == got.headers["content-length"]
        assert headed.content == b""


@pytest.mark.parametrize("kind", errors.kinds())
async def test_type_of_a_problem_leads_to_what_it_means(
    anybody: Person, kind: type[errors.Problem]
) -> None:
    path = f"/problems/{kind.type}"
    assert (await anybody.sees(path))["title"] == kind.title
    page = await anybody.client.get(path, headers={"Accept": "text/html"})
    assert kind.detail in page.text


async def test_it_is_ready_with_the_database_migrated_whatever_redis_does(
    anybody: Person, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert redis_url
    ready = {"status": "ok", "database": "ok", "redis": "ok"}
    assert (await anybody.sees("/ready")).items() >= ready.items()
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    told = await anybody.sees("/ready")
    monkeypatch.undo()
    settings.cache_clear()
    assert told.items() >= (ready | {"redis": "unreachable"}).items()


async def test_it_is_not_ready_without_the_database_but_lives(
    anybody: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Database("postgresql+asyncpg://nobody@127.0.0.1:1/none", pool_size=1)
    monkeypatch.setattr(transactions, "database", lambda: gone)
    answer = await anybody.get("/ready")
    assert (answer.status_code, answer.json()["database"]) == (503, "unreachable")
    assert (await anybody.get("/health")).status_code == 200


async def test_it_is_not_ready_on_a_database_that_is_not_migrated(
    anybody: Person, fresh_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = Database(fresh_database_url, pool_size=1)
    async with db.transaction(behind) as tx:
        await tx.act_as(db.OWNER)
        await tx.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    monkeypatch.setattr(transactions, "database", lambda: behind)
    answer = await anybody.get("/ready")
    await behind.close()
    assert (answer.status_code, answer.json()["database"]) == (503, "not migrated")


def failing() -> ASGIApp:
    router = APIRouter()

    @router.get("/fails")
    async def fails() -> None:
        raise KeyError("王大爷 13983001234")

    @router.get("/breaks-off")
    async def breaks_off() -> StreamingResponse:
        async def half() -> AsyncIterator[bytes]:
            yield b"half"
            raise KeyError("in the middle")

        return StreamingResponse(half())

    return composition.compose({}, [router], {})


async def test_unexpected_failure_is_a_problem_that_says_nothing_of_its_cause() -> None:
    async with people.visitor(failing()) as somebody:
        answer = await somebody.get("/fails")
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/unexpected")
    assert "王大爷" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_answer_that_breaks_off_is_not_made_to_look_whole() -> None:
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        await asyncio.Event().wait()  # the client stays, and has nothing more to say
        return {}

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/breaks-off", "raw_path": b"/breaks-off", "query_string": b"", "root_path": "",
        "headers": [(b"host", b"county.test")], "client": ("127.0.0.1", 1), "server": ("county.test", 80),
    }  # fmt: skip
    with pytest.raises(KeyError):
        await failing()(scope, receive, send)
    assert sent[-1].get("more_body") is True


def test_number_that_got_into_a_log_line_is_blotted_out() -> None:
    event = logs.without_numbers(
        None,
        "error",
        {"event": "短信 13983001234 与 +8613983001234", "ref": "500153-261122-48392017"},
    )
    assert event == {"event": "短信 [号码] 与 [号码]", "ref": "500153-261122-48392017"}


async def test_icon_that_browsers_ask_for_is_there(anybody: Person) -> None:
    icon = await anybody.get("/favicon.ico")
    assert (icon.status_code, icon.headers["content-type"]) == (200, "image/svg+xml")
