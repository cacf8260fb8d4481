"""Following a case by number and code: for whoever has both, for nobody else, and not too often."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from redis.asyncio import Redis as Client
from sqlalchemy import make_url
from structlog.testing import capture_logs

from app.db import observers
from app.errors import TooMany
from mobile_api.rate_limits import WINDOW_SECONDS, Counted, RateLimits
from mobile_api.tracking import PER_ADDRESS
from qungong.dev.embedded import Redis
from tests.mobile.conftest import NOWHERE, NewPhone, Phone

NO_REDIS = "redis://127.0.0.1:1/0"


@asynccontextmanager
async def counting(url: str) -> AsyncIterator[RateLimits]:
    limits = RateLimits(url)
    yield limits
    await limits.close()


async def admitted(limits: RateLimits, times: int, who: str = "somebody") -> int:
    """How many of so many were let through."""
    let_through, waits = 0, list[int | None]()
    for _ in range(times):
        try:
            await limits.admit(Counted("test", who, 5))
            let_through += 1
        except TooMany as refused:
            waits.append(refused.retry_after)
    assert all(wait is not None and 0 < wait <= 61 for wait in waits)
    return let_through


async def test_progress_is_told_for_number_and_code_however_they_were_typed(
    citizen: Phone, new_phone: NewPhone
) -> None:
    receipt = await citizen.reports()
    code = receipt["tracking_code"]
    stranger = await new_phone()
    for typed in (
        code,
        code.lower(),
        f" {code[:4]}-{code[4:]} ",
        "".join(chr(ord(one) + 0xFEE0) for one in code),
    ):
        answer = await stranger.post("/track", key=None, ref=receipt["ref"], code=typed)
        assert answer.status_code == 200, typed
    answer = await stranger.post("/track", key=None, ref=receipt["ref"], code=code)
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert (told["ref"], told["phase_label"]) == (receipt["ref"], "待研判")
    assert [step["label"] for step in told["timeline"]] == [
        "已登记，由工农茶叶产业社区居民委员会受理"
    ]
    assert told["timeline"][0]["texts"] == {}
    assert "body" not in told


async def test_wrong_code_looks_like_a_case_that_is_not_there(
    citizen: Phone, new_phone: NewPhone
) -> None:
    receipt, other = await citizen.reports(), await citizen.reports()
    stranger = await new_phone()
    wrong = await stranger.post("/track", key=None, ref=receipt["ref"], code=other["tracking_code"])
    absent = await stranger.post("/track", key=None, ref=NOWHERE, code=other["tracking_code"])
    assert (wrong.status_code, wrong.content) == (404, absent.content)
    assert wrong.headers == absent.headers


async def test_address_that_asks_too_often_has_to_wait_and_others_need_not(
    citizen: Phone, new_phone: NewPhone
) -> None:
    receipt = await citizen.reports()
    asked = {"ref": receipt["ref"], "code": receipt["tracking_code"]}
    eager = await new_phone()
    answers = [await eager.post("/track", key=None, **asked) for _ in range(PER_ADDRESS + 1)]
    # A new minute may begin in between.
    refused = [one for one in answers if one.status_code == 429]
    assert len(refused) == 1
    assert refused[0].headers["content-type"] == "application/problem+json"
    assert 0 < int(refused[0].headers["retry-after"]) <= 61
    assert (await (await new_phone()).post("/track", key=None, **asked)).status_code == 200


async def test_tracking_a_case_costs_one_statement(citizen: Phone, new_phone: NewPhone) -> None:
    receipt = await citizen.reports()
    asked = {"ref": receipt["ref"], "code": receipt["tracking_code"]}
    stranger, sent = await new_phone(), list[str]()
    observers.append(sent.append)
    try:
        answer = await stranger.post("/track", key=None, **asked)
    finally:
        observers.remove(sent.append)
    assert answer.status_code == 200
    assert len(sent) == 1, sent


async def test_every_count_in_redis_has_an_end(redis_url: str) -> None:
    who = "counted twice"
    async with counting(redis_url) as limits:
        for _ in range(2):
            await limits.admit(Counted("test", who, 5), Counted("test-too", who, 5))
    async with aclosing(Client.from_url(redis_url)) as client:
        for purpose in ("test", "test-too"):
            assert await client.get(f"rate/{purpose}/{who}") == b"2"
            assert 0 < await client.ttl(f"rate/{purpose}/{who}") <= WINDOW_SECONDS


async def test_processes_count_together_in_redis(redis_url: str) -> None:
    async with counting(redis_url) as one, counting(redis_url) as another:
        assert await admitted(one, 3, "shared") == 3
        assert await admitted(another, 4, "shared") == 2


async def test_limits_hold_without_redis_and_nobody_waits_for_it() -> None:
    async with counting(NO_REDIS) as limits:
        began = time.monotonic()
        assert await admitted(limits, 20) == 5
        assert await admitted(limits, 20, "somebody else") == 5
        assert time.monotonic() - began < 0.5


async def test_limits_survive_a_redis_that_goes_and_comes_back(own_redis: Redis) -> None:
    async with counting(own_redis.url()) as limits:
        assert await admitted(limits, 3) == 3
        own_redis.stop()
        assert await admitted(limits, 3) == 2
        own_redis.ensure()
        limits._away_until = 0
        assert await admitted(limits, 3, "somebody else") == 3
        assert limits._away_until == 0


async def test_redis_that_does_not_answer_is_left_alone(silent_server: str) -> None:
    async with counting(silent_server) as limits:
        began = time.monotonic()
        assert await admitted(limits, 20) == 5
        assert time.monotonic() - began < 1


@pytest.mark.parametrize("url", ["nonsense", "unix:///nowhere/redis.sock"])
async def test_redis_wrongly_named_stops_nobody(url: str) -> None:
    async with counting(url) as limits:
        assert await admitted(limits, 6) == 5


async def test_busy_loop_does_not_look_like_an_absent_redis(redis_url: str) -> None:
    async with counting(redis_url) as limits:
        asyncio.get_running_loop().call_soon(time.sleep, 0.5)
        with capture_logs() as logged:
            assert await admitted(limits, 3, "busy") == 3
    assert not logged


async def test_fallback_logs_one_line_as_it_begins_and_one_as_it_ends(own_redis: Redis) -> None:
    async with counting(own_redis.url()) as limits:
        with capture_logs() as logged:
            await limits.open()
            assert not logged
            own_redis.stop()
            for _ in range(3):
                limits._away_until = 0
                await admitted(limits, 1)
            own_redis.ensure()
            for _ in range(3):
                limits._away_until = 0
                await admitted(limits, 1, "somebody else")
    assert [entry["event"] for entry in logged] == [
        "rate limits are counted in this process only",
        "rate limits are counted by all processes together again",
    ]


async def test_check_of_two_limits_is_one_round_trip(redis_url: str) -> None:
    sent: list[bytes] = []
    async with passed_on(redis_url, sent) as url, counting(url) as limits:
        await limits.open()
        sent.clear()
        await limits.admit(Counted("test", "both", 5), Counted("other", "both", 5))
    assert len(sent) == 1, sent


@asynccontextmanager
async def passed_on(redis_url: str, sent: list[bytes]) -> AsyncIterator[str]:
    """Another address of the same Redis, which notes what each client sends."""
    url = make_url(redis_url)

    async def pump(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, noted: list[bytes]
    ) -> None:
        while data := await reader.read(65536):
            noted.append(data)
            writer.write(data)
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        redis_reader, redis_writer = await asyncio.open_connection(url.host, url.port)
        await asyncio.gather(pump(reader, redis_writer, sent), pump(redis_reader, writer, []))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield url.set(host="127.0.0.1", port=server.sockets[0].getsockname()[1]).render_as_string(
            hide_password=False
        )
