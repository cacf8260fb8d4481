"""`qungong sms` and `/health`: how delivery stands, who is needed, and a person's word that the provider works again."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text
from typer.testing import CliRunner

from app import heartbeats
from app.bell import Bell
from app.db import Database, transaction
from app.texts import channel
from app.texts.outbox import MessageKind
from app.texts.terms import PauseReason
from qungong import service_pages
from qungong.cli import app
from tests.workers.conftest import announce

_NEEDS = text(
    "UPDATE outbox_message SET state = 'needs_human', why = 'number_unusable', settled_at = now() WHERE id = :id"
)
_ACCEPTED = text(
    "UPDATE outbox_message SET state = 'accepted', settled_at = now() - CAST(:settled AS interval) WHERE id = :id"
)
_DONE = text("UPDATE outbox_message SET state = 'done' WHERE state = 'needs_human'")

_LONG_SILENT = text(
    "UPDATE worker_heartbeat SET beat_at = now() - INTERVAL '3 minutes' WHERE worker = :worker"
)
_LONG_DUE = text("UPDATE outbox_message SET due_at = now() - CAST(:ago AS interval) WHERE id = :id")

pytestmark = pytest.mark.usefixtures("database", "redis_url", "workers")


@pytest_asyncio.fixture
async def workers(database: Database) -> None:
    """Each worker has just been heard of."""
    assert database is not None
    for worker in Bell:
        async with transaction() as tx:
            await heartbeats.beat(tx, uuid4(), str(worker))


async def sms(*words: str) -> tuple[int, str]:
    # In a thread: the command runs a loop of its own.
    done = await asyncio.to_thread(CliRunner().invoke, app, ["sms", *words], env={"COLUMNS": "200"})
    return done.exit_code, done.stdout


async def paused() -> None:
    async with transaction() as tx:
        await channel.hold(tx, "twilio", most=1, rate=0)
        assert await channel.pause(tx, "twilio", PauseReason.ACCOUNT, "20003")


async def health() -> Any:
    return json.loads(bytes((await service_pages.health()).body))


async def test_it_says_what_is_open_and_exits_1_while_a_person_is_needed() -> None:
    code, told = await sms("status")
    assert (code, "正常" in told) == (0, True)
    await announce(kind=MessageKind.ONE_TIME_CODE)
    stuck = await announce()
    async with transaction() as tx:
        await tx.execute(_NEEDS, id=stuck)
    code, told = await sms("status", "--json")
    found = json.loads(told)
    assert (code, found["needs_person"]) == (1, True)
    assert {(one["state"], one["kind"], one["messages"]) for one in found["open"]} == {
        ("queued", "one_time_code", 1),
        ("needs_human", "progress", 1),
    }
    assert found["needs_human"] == {"number_unusable": 1}
    assert found["last_day"] == {"needs_human": 1, "queued": 1}
    code, told = await sms("status")
    assert "/api/v1/texts" in told, "where one sees to them"
    assert (code, "号码无法接收短信" in told, "13800000001" in told) == (1, True, False)
    async with transaction() as tx:
        await tx.execute(_DONE)
    assert (await sms("status"))[0] == 0


async def test_it_counts_what_still_waits_for_report_and_what_was_never_reported() -> None:
    waiting, given_up, long_ago = [await announce() for _ in range(3)]
    async with transaction() as tx:
        await tx.execute(_ACCEPTED, id=waiting, settled=None)
        await tx.execute(_ACCEPTED, id=given_up, settled=timedelta(days=6))
        await tx.execute(_ACCEPTED, id=long_ago, settled=timedelta(days=8))
    code, told = await sms("status", "--json")
    found = json.loads(told)
    # Nobody can do anything about a single one.
    assert (code, found["never_reported"]) == (0, 1)
    assert [(one["state"], one["messages"]) for one in found["open"]] == [("accepted", 1)]
    assert "是否送达无法查明" in (await sms("status"))[1]


async def test_it_and_health_say_that_channel_is_paused_and_person_may_have_it_probed() -> None:
    assert not (await health())["texts"]["paused"]
    assert (await sms("probe"))[0] == 1
    await paused()
    assert ((await health())["texts"]["paused"], (await health())["status"]) == (True, "warning")
    code, told = await sms("status", "--json")
    found = json.loads(told)["channel"]
    assert (code, found["paused"], found["why"], found["error"]) == (1, True, "account", "20003")
    assert "短信账户异常" in (await sms("status"))[1]
    assert (await sms("probe"))[0] == 0
    async with transaction() as tx:
        assert (await channel.hold(tx, "twilio", most=9, rate=0)).grant.probe
        assert await channel.resume(tx, "twilio")
    assert not (await health())["texts"]["paused"]


@pytest.mark.parametrize("worker", list(Bell))
async def test_silent_worker_is_told_by_status_health_and_ready(worker: Bell) -> None:
    assert ((await sms("status"))[0], (await health())["status"]) == (0, "ok")
    async with transaction() as tx:
        await tx.execute(_LONG_SILENT, worker=str(worker))
    code, told = await sms("status", "--json")
    expected = {str(one): "silent" if one is worker else "ok" for one in Bell}
    assert (code, json.loads(told)["workers"]) == (1, expected)
    assert f"后台进程 {worker} 没有响应" in (await sms("status"))[1]
    assert ((await health())["status"], (await health())["workers"]) == ("warning", expected)
    ready = await service_pages.ready()
    # It stays in service: a web process can do nothing about it.
    assert (ready.status_code, json.loads(bytes(ready.body))["workers"]) == (200, expected)


async def test_worker_never_heard_of_is_silent() -> None:
    async with transaction() as tx:
        await tx.execute(text("DELETE FROM worker_heartbeat"))
    assert set((await health())["workers"].values()) == {"silent"}


async def test_text_queued_for_long_is_told_by_status_health_and_ready() -> None:
    waiting = await announce()
    for ago, late in ((timedelta(minutes=4), False), (timedelta(minutes=-9), False), (timedelta(minutes=6), True)):  # fmt: skip
        async with transaction() as tx:
            await tx.execute(_LONG_DUE, id=waiting, ago=ago)
        code, told = await sms("status", "--json")
        assert code == late
        assert (json.loads(told)["oldest_overdue_seconds"] > 300) is late
        assert ((await health())["texts"]["late"], (await health())["status"] == "warning") == (late, late)  # fmt: skip
        ready = json.loads(bytes((await service_pages.ready()).body))
        assert (ready["status"], ready["texts"]) == ("ok", "late" if late else "ok")
    assert "仍未发出" in (await sms("status"))[1]
