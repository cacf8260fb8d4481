"""The application as it is served: what every answer carries, and what the server says about itself."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from fastapi import APIRouter
from sqlalchemy import text
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp

from app import db, errors, logs
from app.db import Database
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
    assert headers["permissions-policy"] == "camera=(self), geolocation=(self), microphone=()"
    assert "access-control-allow-origin" not in headers
    kept = not path.startswith(("/api", "/m/"))
    assert (headers.get("cache-control") == "no-store") is not kept


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", "/m/v1/nowhere", "/api/v1", "/problems/x"])  # fmt: skip
async def test_what_is_not_there_is_a_problem_wherever_it_is_not(
    anybody: Person, path: str
) -> None:
    answer = await anybody.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/health", "/api/v1/cases", "/m/v1/sessions"])
async def test_a_method_not_offered_is_a_problem_that_names_those_that_are(
    anybody: Person, path: str
) -> None:
    answer = await anybody.client.request("OPTIONS", path)
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
    assert answer.headers["allow"]


async def test_head_is_answered_like_get_without_the_body(anybody: Person) -> None:
    for path in ("/health", "/", "/api/v1/docs", "/api/v1/cases"):
        got, headed = await anybody.get(path), await anybody.client.head(path)
        assert headed.status_code == got.status_code
        assert headed.headers["content-length"] == got.headers["content-length"]
        assert headed.content == b""


@pytest.mark.parametrize("kind", errors.kinds())
async def test_the_type_of_a_problem_leads_to_what_it_means(
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
    assert await anybody.sees("/ready") == {"status": "ok", "database": "ok", "redis": "ok"}
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    told = await anybody.sees("/ready")
    monkeypatch.undo()
    settings.cache_clear()
    assert told == {"status": "ok", "database": "ok", "redis": "unreachable"}


async def test_it_is_not_ready_without_the_database_but_lives(
    anybody: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Database("postgresql+asyncpg://nobody@127.0.0.1:1/none", pool_size=1)
    monkeypatch.setattr(db, "database", lambda: gone)
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
    monkeypatch.setattr(db, "database", lambda: behind)
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

    return composition.compose({}, [router])


async def test_an_unexpected_failure_is_a_problem_that_says_nothing_of_its_cause() -> None:
    async with people.visitor(failing()) as somebody:
        answer = await somebody.get("/fails")
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/unexpected")
    assert "王大爷" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_an_answer_that_breaks_off_is_not_made_to_look_whole() -> None:
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


def test_a_number_that_got_into_a_log_line_is_blotted_out() -> None:
    event = logs.without_numbers(
        None,
        "error",
        {"event": "短信 13983001234 与 +8613983001234", "ref": "500153-261122-48392017"},
    )
    assert event == {"event": "短信 [号码] 与 [号码]", "ref": "500153-261122-48392017"}


async def test_the_icon_that_browsers_ask_for_is_there(anybody: Person) -> None:
    icon = await anybody.get("/favicon.ico")
    assert (icon.status_code, icon.headers["content-type"]) == (200, "image/svg+xml")
