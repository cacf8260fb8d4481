"""Streams of changes on a real socket: who is told of which case, after which cut, at what cost, and when a stream ends."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_hex
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import text

from app.cases.actions import judging
from app.db import database, transaction, transactions
from app.directory.terms import Role
from app.http import live
from app.matters import changes
from app.settings import settings
from qungong.composition import compose
from tests import people
from tests.api.conftest import Who
from tests.conftest import find_staff
from tests.http.sockets import Served, on_a_socket
from tests.people import Person
from tests.units import Held, employed

pytestmark = pytest.mark.usefixtures("streams_as_served")


@dataclass
class Stream:
    """What a page hears."""

    lines: AsyncIterator[str]
    position: str = ""
    comments: int = 0

    async def next(self, within: float = 10) -> Any:
        """The data of the next event."""
        async with asyncio.timeout(within):
            while not (line := await anext(self.lines)).startswith("data: "):
                self.comments += line.startswith(":")
            self.position = (await anext(self.lines)).removeprefix("id: ")
        return msgspec.json.decode(line.removeprefix("data: "))

    async def hears_of(self, ref: str, *, not_of: str = "") -> Any:
        """Reads until the case is told of."""
        while (told := await self.next())["ref"] != ref:
            assert told["ref"] != not_of
        return told

    async def opened(self) -> None:
        while not self.position:
            line = await anext(self.lines)
            if line.startswith("id: "):
                self.position = line.removeprefix("id: ")

    async def ends(self, within: float = 5) -> float:
        """Seconds until the server ends it."""
        began = time.monotonic()
        async with asyncio.timeout(within):
            async for _ in self.lines:
                pass
        return time.monotonic() - began


@dataclass
class Desk:
    served: Served

    @asynccontextmanager
    async def listens(self, person: Person, last: str | None = None) -> AsyncIterator[Stream]:
        async with self.asks(person, last) as answer:
            assert answer.status_code == 200, await answer.aread()
            stream = Stream(answer.aiter_lines())
            await stream.opened()
            yield stream

    @asynccontextmanager
    async def asks(self, person: Person, last: str | None = None) -> AsyncIterator[httpx.Response]:
        headers = {"Authorization": person.client.headers["Authorization"]}
        if last is not None:
            headers["Last-Event-ID"] = last
        address = f"http://127.0.0.1:{self.served.port}/api/v1/live"
        async with (
            httpx.AsyncClient(timeout=10) as client,
            client.stream("GET", address, headers=headers) as answer,
        ):
            yield answer


Setting = Callable[..., None]


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Setting]:
    def change(**values: object) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name.upper(), str(value))
        settings.cache_clear()

    yield change
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture(autouse=True)
def all_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new stream tells again of the last minute, in which other tests may have changed more than is told one by one."""
    monkeypatch.setattr(changes, "COMMITTED_WITHIN", timedelta(seconds=20))
    monkeypatch.setattr(changes, "MOST", 100_000)


@pytest_asyncio.fixture
async def desk(api: FastAPI) -> AsyncIterator[Desk]:
    async with on_a_socket(compose({"/api/v1": api}, [])) as served:
        yield Desk(served)


@pytest_asyncio.fixture
async def newcomer(api: FastAPI) -> AsyncIterator[Callable[[Held], Awaitable[Person]]]:
    async with AsyncExitStack() as stack:

        async def come(post: Held) -> Person:
            account = await employed(post)
            return await stack.enter_async_context(people.signed_in(api, account))

        yield come


async def test_stream_tells_the_holder_which_case_changed_and_nothing_else(
    who: Who, desk: Desk
) -> None:
    gongnong = await who("gongnong")
    async with desk.listens(gongnong) as stream:
        ref = await gongnong.registers(title=f"路灯{token_hex(4)}")
        told = await stream.hears_of(ref)
        assert told == {"ref": ref, "kind": "grievance", "what": "changed"}


async def test_stream_tells_of_a_change_only_after_its_commit(who: Who, desk: Desk) -> None:
    gongnong = await who("gongnong")
    ref, later = await gongnong.registers(), ""
    async with desk.listens(gongnong) as stream:
        await stream.hears_of(ref)
        by = await find_staff("gongnong")
        async with transaction() as tx:
            await judging.escalate(tx, ref, by=by, finding="本村无力解决", now=await tx.now())
            await tx.flush()
            later = await gongnong.registers()
            await stream.hears_of(later, not_of=ref)
        await stream.hears_of(ref)


async def test_stream_is_silent_about_other_units_cases(who: Who, desk: Desk) -> None:
    gongnong, ronglong = await who("gongnong"), await who("ronglong")
    async with desk.listens(ronglong) as stream:
        hidden = await gongnong.registers()
        await asyncio.sleep(1)
        await stream.hears_of(await ronglong.registers(), not_of=hidden)


@pytest.mark.parametrize("account", ["zhihui", "lingdao", "ronglong", "gongnong"])
async def test_stream_is_silent_about_sealed_cases(who: Who, desk: Desk, account: str) -> None:
    listener, typist, inspector = await who(account), await who("ronglong"), await who("jiwei")
    async with desk.listens(listener) as stream, desk.listens(inspector) as inspecting:
        sealed = await typist.registers(
            kind="accusation", title="检举", accused_code="500153003007"
        )
        await inspecting.hears_of(sealed)
        visible = typist if account != "gongnong" else listener
        await stream.hears_of(await visible.registers(), not_of=sealed)


async def test_stream_resumes_after_a_cut_without_redis(
    who: Who, desk: Desk, setting: Setting
) -> None:
    setting(redis_url="redis://127.0.0.1:1/0")
    gongnong = await who("gongnong")
    async with desk.listens(gongnong) as stream:
        await stream.hears_of(await gongnong.registers())
        position = stream.position
    missed = await gongnong.registers()
    async with desk.listens(gongnong, position) as stream:
        assert (await stream.hears_of(missed))["what"] == "changed"


@pytest.mark.parametrize("last", ["0", "1764554400", "not a position", "9" * 12])
async def test_stream_says_reload_when_its_position_is_too_old_or_unknown(
    who: Who, desk: Desk, last: str
) -> None:
    async with desk.listens(await who("gongnong"), last) as stream:
        assert await stream.next() == {"what": "reload"}


async def test_stream_says_reload_when_too_much_was_missed(
    who: Who, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    gongnong = await who("gongnong")
    async with desk.listens(gongnong) as stream:
        position = stream.position
    for _ in range(3):
        await gongnong.registers()
    monkeypatch.setattr(changes, "MOST", 2)
    async with desk.listens(gongnong, position) as stream:
        assert await stream.next() == {"what": "reload"}


async def test_stream_positions_tell_only_the_time(who: Who, desk: Desk) -> None:
    gongnong, elsewhere = await who("gongnong"), await who("ronglong")
    async with desk.listens(gongnong) as stream:
        before = int(stream.position)
        for _ in range(3):
            await elsewhere.registers()
        await stream.hears_of(await gongnong.registers())
        assert 0 <= int(stream.position) - before <= 5


async def test_stream_ends_when_its_session_is_revoked(
    desk: Desk, newcomer: Callable[[Held], Awaitable[Person]]
) -> None:
    person = await newcomer(Held("500153003007", Role.VILLAGE_CADRE))
    async with desk.listens(person) as stream:
        await person.client.delete("/sessions/current")
        live.streams.wake()
        assert await stream.ends() < 3


async def test_stream_ends_when_the_post_ends(
    desk: Desk, newcomer: Callable[[Held], Awaitable[Person]]
) -> None:
    person = await newcomer(Held("500153003007", Role.VILLAGE_CADRE))
    async with desk.listens(person) as stream:
        async with transaction() as tx:
            await tx.act_as("none")
            await tx.execute(
                text(
                    "UPDATE post SET valid_to = CURRENT_DATE - 1 FROM staff s WHERE s.id = staff_id AND s.account = :account"
                ),
                account=person.account,
            )
        live.streams.wake()
        assert await stream.ends() < 3


async def test_stream_ends_after_some_minutes(
    who: Who, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LASTS_SECONDS", 0.5)
    async with desk.listens(await who("gongnong")) as stream:
        assert 0.2 < await stream.ends() < 2


async def test_stream_ends_at_once_when_the_server_ends(who: Who, desk: Desk) -> None:
    async with desk.listens(await who("gongnong")) as stream:
        for connection in list(desk.served.state.connections):
            connection.shutdown()
        assert await stream.ends() < 1


async def test_seventh_stream_of_a_session_is_refused(who: Who, desk: Desk) -> None:
    gongnong = await who("gongnong")
    async with AsyncExitStack() as stack:
        for _ in range(6):
            await stack.enter_async_context(desk.listens(gongnong))
        async with desk.asks(gongnong) as refused:
            assert refused.status_code == 429
        async with desk.listens(await who("ronglong")):
            pass
    await desk.served.idle()
    async with desk.listens(gongnong):
        pass


async def test_streams_of_a_process_are_bounded(who: Who, desk: Desk, setting: Setting) -> None:
    setting(live_streams=1)
    async with desk.listens(await who("gongnong")), desk.asks(await who("ronglong")) as refused:
        assert refused.status_code == 503
        assert refused.headers["retry-after"]


async def test_waiting_streams_hold_no_connection_and_cost_two_statements_a_look(
    who: Who, desk: Desk, setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting(poll_seconds=0.5, redis_url="redis://127.0.0.1:1/0")
    await asyncio.sleep(0.5)
    sent: list[str] = []
    async with AsyncExitStack() as stack:
        for _ in range(4):
            await stack.enter_async_context(desk.listens(await who("gongnong")))
        await asyncio.sleep(1.5)
        monkeypatch.setattr(transactions, "observers", [sent.append])
        await asyncio.sleep(2)
        monkeypatch.undo()
        pool = database()._pool
        assert pool.get_idle_size() == pool.get_size()
    looks = sum("FROM record_entry e" in one for one in sent)
    assert 2 <= looks <= 4
    assert len(sent) <= 3 * looks


async def test_idle_stream_outlives_the_limits_of_a_connection(
    who: Who, api: FastAPI, setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting(
        http_header_seconds=0.4, http_idle_seconds=1, http_body_seconds=0.4, http_answer_seconds=0.4
    )
    monkeypatch.setattr(live, "_COMMENT_SECONDS", 0.2)
    gongnong = await who("gongnong")
    async with (
        on_a_socket(compose({"/api/v1": api}, [])) as served,
        Desk(served).listens(gongnong) as stream,
    ):
        await asyncio.sleep(2.5)
        await stream.hears_of(await gongnong.registers())
        assert stream.comments >= 5


async def test_stream_needs_a_session(stranger: Person) -> None:
    assert (await stranger.get("/live")).status_code == 401


async def test_stream_position_moves_on_without_events(
    who: Who, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_COMMENT_SECONDS", 0.3)
    assert timedelta(seconds=15) < changes.COMMITTED_WITHIN
    async with desk.listens(await who("gongnong")) as stream:
        first, stream.position = int(stream.position), ""
        await asyncio.sleep(1.2)
        while int(stream.position or 0) <= first:
            stream.position = ""
            await stream.opened()
        assert int(stream.position) - first <= 3
