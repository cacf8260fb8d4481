"""Clients that say nothing, half of it, or take for ever: closed in time, bounded in number, and others are answered."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.settings import settings
from tests.http.sockets import Line, Served, on_a_socket

HEADER = ("POST /x HTTP/1.1", "Host: county.test", "Content-Length: 100000", "", "")
Setting = Callable[..., None]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the length of the body; at /large with more than any socket holds."""
    body = await Request(scope, receive).body()
    large = b"x" * 40_000_000 if scope["path"] == "/large" else b""
    await Response(large or str(len(body)))(scope, receive, send)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Setting:
    """Times so short that a test can wait for them, and what else a test sets."""

    def change(**values: float) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"HTTP_{name}".upper(), str(value))
        settings.cache_clear()

    change(header_seconds=0.4, idle_seconds=1, body_seconds=0.4, answer_seconds=0.4)
    return change


@pytest_asyncio.fixture
async def server(short: Setting) -> AsyncIterator[Served]:
    async with on_a_socket(echo) as served:
        yield served
    settings.cache_clear()


async def lasted(line: Line) -> tuple[float, bytes]:
    """Seconds until the server closed the connection, and what it had said."""
    began = time.monotonic()
    said = await line.rest()
    return time.monotonic() - began, said


async def asks(server: Served) -> bytes:
    line = await server.dials()
    await line.say("GET / HTTP/1.1", "Host: county.test", "Connection: close", "", "")
    said = await line.rest()
    await line.close()
    return said


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ((), b""),
        (("POST /x HTTP/1.1", "Host: coun"), b"408"),
        (("", "", ""), b"408"),
        (HEADER, b"408"),
        ((*HEADER, "x" * 500), b"408"),
    ],
    ids=["nothing", "half a header", "empty lines", "no body", "half a body"],
)
async def test_silent_client_is_closed_in_time(
    server: Served, said: tuple[str, ...], answer: bytes
) -> None:
    line = await server.dials()
    if said:
        await line.say(*said)
    seconds, heard = await lasted(line)
    await line.close()
    assert 0.3 < seconds < 2
    assert heard.split(b" ")[1:2] == ([answer] if answer else [])
    assert not answer or "信号好的地方".encode() in heard


async def test_header_in_drops_is_closed_in_time(server: Served) -> None:
    line = await server.dials()
    began = time.monotonic()
    with pytest.raises(ConnectionError):
        await line.drips("X", every=0.05)
    await line.close()
    assert time.monotonic() - began < 2


async def test_body_in_drops_is_closed_though_it_is_never_silent(server: Served) -> None:
    line = await server.dials()
    await line.say(*HEADER)
    began = time.monotonic()
    with pytest.raises(ConnectionError):
        await line.drips("x", every=0.05)
    await line.close()
    assert time.monotonic() - began < 2


async def test_slow_honest_phone_is_not_cut(server: Served, short: Setting) -> None:
    """Ten times the least rate, for five times as long as a silence may last."""
    line = await server.dials()
    await line.say(
        "POST /x HTTP/1.1", "Host: c", "Content-Length: 20000", "Connection: close", "", ""
    )
    for _ in range(20):
        await line.say("x" * 1000)
        await asyncio.sleep(0.1)
    assert (await line.rest()).endswith(b"20000")
    await line.close()


async def test_client_that_does_not_read_its_answer_is_closed(server: Served) -> None:
    line = await server.dials()
    line.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport reads
    await line.say("GET /large HTTP/1.1", "Host: c", "", "")
    await server.idle()
    await line.close()


async def test_idle_connection_is_closed_and_a_used_one_stays(server: Served) -> None:
    line = await server.dials()
    for _ in range(3):
        await line.say("GET / HTTP/1.1", "Host: county.test", "", "")
        assert b"200 OK" in await line.reader.readuntil(b"\r\n\r\n0")
        await asyncio.sleep(0.6)
    seconds, _ = await lasted(line)
    await line.close()
    assert seconds < 1


async def test_empty_lines_between_requests_do_not_keep_a_connection(server: Served) -> None:
    """By any byte uvicorn's own wait for the next request ends."""
    line = await server.dials()
    await line.say("GET / HTTP/1.1", "Host: county.test", "", "")
    await line.reader.readuntil(b"\r\n\r\n0")
    await line.say("", "")
    seconds, _ = await lasted(line)
    await line.close()
    assert seconds < 2


async def test_header_without_end_is_refused(server: Served) -> None:
    line = await server.dials()
    await line.say("GET / HTTP/1.1", *(f"X-{number}: {'x' * 1000}" for number in range(100)))
    assert (await line.rest()).startswith(b"HTTP/1.1 413")
    await line.close()


async def test_silent_connections_make_room_for_those_that_ask(
    server: Served, short: Setting
) -> None:
    short(connections=10, header_seconds=30, body_seconds=30)
    silent = [await server.dials() for _ in range(60)]
    for line in silent[::2]:
        await line.say(*HEADER)
    await asyncio.sleep(0.1)
    assert len(server.state.connections) <= 10
    for _ in range(5):
        assert b"200 OK" in await asks(server)
    for line in silent:
        await line.close()


async def test_connection_too_many_is_told_so_while_all_are_at_work(short: Setting) -> None:
    short(connections=10)
    go_on = asyncio.Event()

    async def works(scope: Scope, receive: Receive, send: Send) -> None:
        await go_on.wait()
        await Response("done")(scope, receive, send)

    async with on_a_socket(works) as server:
        busy = [await server.dials() for _ in range(10)]
        for line in busy:
            await line.say("GET / HTTP/1.1", "Host: c", "Connection: close", "", "")
        await asyncio.sleep(0.1)
        eleventh = await server.dials()
        refused = await eleventh.rest()
        go_on.set()
        answers = [await line.rest() for line in busy]
        for line in (*busy, eleventh):
            await line.close()
    assert refused.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 5" in refused.lower()
    assert all(answer.endswith(b"done") for answer in answers)
