"""The database fails, and nobody is told that it went well."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import text

from app import db
from app.db import OWNER, Database, reading, transaction, transactions
from app.settings import settings
from tests.api.conftest import Who
from tests.people import WATER

_REFUSING = (
    """CREATE FUNCTION refuse_at_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
       BEGIN
         IF NEW.title = '提交时失败' THEN RAISE EXCEPTION 'refused at commit'; END IF;
         IF NEW.title = '提交时断线' OR TG_OP = 'UPDATE' AND NEW.title = '上报时断线' THEN
           PERFORM pg_terminate_backend(pg_backend_pid());
         END IF;
         RETURN NULL;
       END$$""",
    """CREATE CONSTRAINT TRIGGER refused_at_commit AFTER INSERT OR UPDATE ON grievance
       DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_at_commit()""",
)
_AGREEING = ("DROP TRIGGER refused_at_commit ON grievance", "DROP FUNCTION refuse_at_commit")
_STORED = text("SELECT count(*) FROM grievance WHERE title = :title")


async def stored(title: str) -> int:
    async with reading() as tx:
        return int(await tx.scalar(_STORED, title=title))


@pytest_asyncio.fixture
async def refuses_at_commit(county: None) -> AsyncIterator[None]:
    assert county is None
    async with transaction() as tx:
        await tx.act_as(OWNER)
        for statement in _REFUSING:
            await tx.execute(text(statement))
    yield
    async with transaction() as tx:
        await tx.act_as(OWNER)
        for statement in _AGREEING:
            await tx.execute(text(statement))


@pytest.mark.usefixtures("refuses_at_commit")
async def test_commit_that_the_database_refuses_is_no_success(who: Who) -> None:
    refused = await (await who("gongnong")).post("/cases", {**WATER, "title": "提交时失败"})
    assert (refused.status_code, refused.json()["type"]) == (500, "/problems/unexpected")
    assert await stored("提交时失败") == 0


@pytest.mark.usefixtures("refuses_at_commit")
async def test_connection_lost_at_the_commit_is_no_success(who: Who) -> None:
    cadre = await who("gongnong")
    answer = await cadre.post("/cases", {**WATER, "title": "提交时断线"})
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/temporarily-unavailable")
    assert await stored("提交时断线") == 0
    assert (await cadre.get("/cases")).status_code == 200


@pytest.mark.usefixtures("refuses_at_commit")
async def test_connection_lost_at_the_commit_of_several_statements_is_no_success(
    who: Who,
) -> None:
    cadre = await who("gongnong")
    registered = (await cadre.post("/cases", {**WATER, "title": "上报时断线"})).json()
    ref = registered["ref"]
    answer = await cadre.post(f"/cases/{ref}/escalate", {"finding": "村里没有水源"})
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/temporarily-unavailable")
    seen = await cadre.sees(f"/cases/{ref}")
    assert (seen["holder"], seen["version"]) == (registered["holder"], registered["version"])


def elsewhere(patch: pytest.MonkeyPatch, other: Database) -> None:
    """All that follows works on another pool of connections."""
    patch.setattr(transactions, "database", lambda: other)


async def test_with_the_database_gone_people_are_asked_to_try_again(
    who: Who, monkeypatch: pytest.MonkeyPatch
) -> None:
    cadre = await who("gongnong")
    gone = db.Database("postgresql+asyncpg://nobody@127.0.0.1:1/none", pool_size=1)
    elsewhere(monkeypatch, gone)
    for answer in (
        await cadre.get("/cases"),
        await cadre.post("/cases", WATER),
        await cadre.post("/sessions", {"account": "gongnong", "password": "whatever"}),
    ):
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0
        assert "没有生效" in answer.json()["detail"]


async def test_with_every_connection_taken_people_are_asked_to_try_again(
    who: Who, monkeypatch: pytest.MonkeyPatch
) -> None:
    cadre = await who("gongnong")
    small = Database(settings().database_url, pool_size=1)
    monkeypatch.setattr(transactions, "_PATIENCE_SECONDS", 0.2)
    elsewhere(monkeypatch, small)
    async with small.connection():
        answer = await cadre.get("/cases")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert (await cadre.get("/cases")).status_code == 200
    await small.close()


async def test_case_locked_for_too_long_is_said_to_be_busy(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    async with transaction() as tx:
        await tx.execute(text("SELECT 1 FROM grievance WHERE ref = :ref FOR UPDATE"), ref=ref)
        waiting = await cadre.post(f"/cases/{ref}/handle")
    assert (waiting.status_code, waiting.json()["type"]) == (
        503,
        "/problems/temporarily-unavailable",
    )
    assert (await cadre.does(f"/cases/{ref}/handle"))["phase"] == "handling"
