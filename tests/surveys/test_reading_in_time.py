"""Replies are read outside the process that takes them, within a time limit; what is not read is for people."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from app.db import transaction
from app.evaluation import privacy_role, reply_reader
from app.evaluation.reply_meanings import NotRead, Reading, Sense
from app.evaluation.reply_parser import LONGEST, read_reply
from app.evaluation.terms import Value
from app.texts.inbound import InboundText
from sms.batches import hear
from tests.faults.old_pattern import hanging
from tests.surveys.conftest import Village, new_phone
from tests.surveys.test_sealed_calls import Who, who
from tests.surveys.test_surveys import answers
from tests.surveys.test_unread_replies import listed

__all__ = ["who"]

_TAKEN = text("""
SELECT provider_message_id, effect, not_read FROM surveys.reply WHERE provider_message_id = ANY(CAST(:ids AS text[]))
""")
OLD = "tests.faults.old_pattern"
# With a pattern that cannot be broken off either, so that the kernel must end the process.
DEAF = "tests.faults.deaf_reading"


@pytest.fixture(params=[OLD, DEAF])
def old_pattern(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The reading processes begin anew, with the pattern that hangs."""
    monkeypatch.setattr(reply_reader, "MODULE", request.param)
    reply_reader._threads.cache_clear()
    reply_reader._slow.clear()
    yield
    reply_reader._threads.cache_clear()
    reply_reader._slow.clear()


async def test_reply_is_read_outside_this_process() -> None:
    assert await reply_reader.read("不满意，没人来") == read_reply("不满意，没人来")
    assert await reply_reader.read("落单\ud800的") == read_reply("落单\ud800的")


async def test_reply_is_unread_when_it_takes_too_long(old_pattern: None) -> None:
    assert (await reply_reader.read("1")).value is Value.SATISFIED
    began = time.monotonic()
    assert await reply_reader.read(hanging(24)) == Reading(Sense.UNCLEAR, not_read=NotRead.TOO_SLOW)
    assert time.monotonic() - began < reply_reader._ANSWERS_WITHIN
    assert (await reply_reader.read("3")).value is Value.DISSATISFIED


@pytest.mark.parametrize("old_pattern", [OLD], indirect=True)
async def test_reading_process_goes_on_after_a_text_that_was_broken_off(old_pattern: None) -> None:
    assert (await reply_reader.read("1")).value is Value.SATISFIED
    before = set(_children())
    assert (await reply_reader.read(hanging(24))).not_read is NotRead.TOO_SLOW
    assert before
    assert before <= set(_children())


@pytest.mark.parametrize("old_pattern", [OLD], indirect=True)
async def test_reading_process_that_stands_still_is_replaced_in_time(
    old_pattern: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await reply_reader.read("1")).value is Value.SATISFIED
    monkeypatch.setattr(reply_reader, "_ANSWERS_WITHIN", 0.5)
    for child in _children():
        os.kill(child, signal.SIGSTOP)
    began = time.monotonic()
    assert (await reply_reader.read("2")).not_read is NotRead.TOO_SLOW
    assert time.monotonic() - began < reply_reader._WAITS_AT_MOST / 2
    monkeypatch.setattr(reply_reader, "_ANSWERS_WITHIN", 10.0)
    assert (await reply_reader.read("3")).value is Value.DISSATISFIED


@pytest.mark.parametrize("old_pattern", [OLD], indirect=True)
async def test_reading_process_knows_no_secret(
    old_pattern: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "not for those who read replies")
    assert (await reply_reader.read("1")).value is Value.SATISFIED
    environments = [_environment(child) for child in _children()]
    assert environments
    assert not any(b"SECRET_KEY" in one for one in environments)


async def test_reply_is_read_by_another_process_when_one_was_killed() -> None:
    assert (await reply_reader.read("1")).value is Value.SATISFIED
    for child in _children():
        os.kill(child, signal.SIGKILL)
    assert (await reply_reader.read("1")).value is Value.SATISFIED


async def test_hanging_text_stops_no_other_and_is_read_once(
    village: Village, old_pattern: None
) -> None:
    stamp = time.time_ns()
    texts = [InboundText(f"SM{stamp}-{n}", f"+861390000{n:04}", "谢谢") for n in range(6)]
    texts[2] = InboundText(f"SM{stamp}-bad", "+8613900009998", hanging(24))
    with capture_logs() as logged:
        assert await hear(texts) == 6
        assert await hear(texts) == 0
    assert sum(one.get("why") == "takes too long" for one in logged) == 1
    async with transaction() as tx:
        await privacy_role.enter(tx)
        rows = await tx.all(_TAKEN, ids=[one.provider_message_id for one in texts])
    assert {row.provider_message_id: (row.effect, row.not_read) for row in rows} == {
        one.provider_message_id: ("unclear", "too_slow") if one is texts[2] else ("thanks", None)
        for one in texts
    }


async def test_text_that_was_not_read_is_listed_for_people_with_the_reason(
    who: Who, village: Village
) -> None:
    phone, center = new_phone(), await who("zhihui")
    asked = await village.asked(phone)
    words = "不满意，" + "水还是没有。" * 120
    await hear([InboundText(f"SM{phone}-long", phone, words)])
    item = next(one for one in await listed(center) if one["id"] == f"SM{phone}-long")
    assert (item["not_read"], item["words"], item["about"]["ref"]) == ("内容太长", words, asked.ref)
    await center.does(f"/unread-replies/{item['id']}/reading", reading="dissatisfied")
    assert await answers(asked) == [("dissatisfied", "text")]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("满意" * (LONGEST // 2) + "！", NotRead.TOO_LONG),
        ("ﷺ" * 40, NotRead.TOO_LONG),
        ("", NotRead.NO_WORDS),
        (" \n\u200b", NotRead.NO_WORDS),
    ],
)
def test_text_without_words_or_too_long_is_not_read(words: str, why: NotRead) -> None:
    assert read_reply(words) == Reading(Sense.UNCLEAR, not_read=why)


def test_longest_text_is_read() -> None:
    assert read_reply("不满意，" + "没" * (LONGEST - 4)).value is Value.DISSATISFIED


def _environment(process: int) -> bytes:
    return Path(f"/proc/{process}/environ").read_bytes()


def _children() -> list[int]:
    told = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, check=True
    )
    return [
        int(line.split()[0])
        for line in told.stdout.decode().splitlines()
        if reply_reader.MODULE in line
    ]
