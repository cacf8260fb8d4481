"""`qungong sms` and `/health`: how delivery stands, who is needed, and a person's word that the provider works again."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from app.db import transaction
from app.delivery import channel
from app.delivery.terms import Pause
from app.outbox import MessageKind
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

pytestmark = pytest.mark.usefixtures("database", "redis_url")


async def sms(*words: str) -> tuple[int, str]:
    # In a thread: the command runs a loop of its own.
    done = await asyncio.to_thread(CliRunner().invoke, app, ["sms", *words], env={"COLUMNS": "200"})
    return done.exit_code, done.stdout


async def paused() -> None:
    async with transaction() as tx:
        await channel.hold(tx, "twilio", most=1, rate=0)
        assert await channel.pause(tx, "twilio", Pause.ACCOUNT, "20003")


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


async def test_it_counts_what_still_waits_for_a_report_and_what_was_never_reported() -> None:
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


async def test_it_and_health_say_that_the_channel_is_paused_and_a_person_may_have_it_probed() -> (
    None
):
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
