"""Streams of changes (SSE): one look at the record for all streams of a process, soon after a change and every few seconds.

A stream says which matter changed and nothing of its content. It holds no connection to the database. What it may say is decided
when it is said, for the person as the database has them then. Its positions are moments of the clock, whole seconds: neither they
nor the comments depend on what happens elsewhere.
"""

import asyncio
import random
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
import structlog
from fastapi import Header, Response
from fastapi.sse import format_sse_event
from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from app import bell
from app.auth import sessions
from app.auth.actor import StaffActor
from app.db import Transaction, reading
from app.errors import SignInRequired, TooMany, Unavailable
from app.http.problems import problems
from app.matters import changes
from app.matters.changes import Change
from app.settings import settings

# A stream ends after this time, give or take a tenth, and the page opens another one.
LASTS_SECONDS: float = 600
_COMMENT_SECONDS: Final = 15.0
_OF_SESSION: Final = 6
# Changes within this time are one look.
_TOGETHER_SECONDS: Final = 0.3
# After so long without a look that succeeded, a stream says no new position.
_BLIND_SECONDS: Final = 30.0
_RETRY_MILLISECONDS: Final = 3000
_REDIS_RETRY_SECONDS: Final = 5.0

LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        max_length=40,
        description="上一次收到的 id，浏览器重连时自动带上；此后的变化补发，太久以前的只发一个 reload",
        examples=["1764554400"],
    ),
]
DESCRIPTION: Final = (
    "text/event-stream。每件有变化的事发一条 {ref, kind, what}，不含内容；收到 event: reload 时重新取列表。"
    "每 15 秒一行注释；几分钟后由服务器结束，浏览器自动重连并带上 Last-Event-ID。一次登录最多同时 6 个。"
)
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "变化",
        "content": {
            "text/event-stream": {
                "itemSchema": {
                    "type": "object",
                    "properties": {
                        "data": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "contentSchema": {
                                "type": "object",
                                "properties": {
                                    "ref": {"type": "string"},
                                    "kind": {"type": "string"},
                                    "what": {"enum": ["changed", "reload"]},
                                },
                                "required": ["what"],
                            },
                        },
                        "event": {"enum": ["message", "reload"]},
                        "id": {"type": "string"},
                        "retry": {"type": "integer"},
                    },
                },
                "example": 'data: {"ref":"500153-261122-48392017","kind":"grievance","what":"changed"}\nid: 1764554400\n\n',
            }
        },
    },
    **problems(SignInRequired, TooMany, Unavailable),
}
_HEADERS: Final = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
log = structlog.get_logger()


@dataclass(eq=False)
class Stream:
    """One open tab. `opened_at` is the moment of the database, `opened` that of the process's own clock."""

    session_id: UUID
    opened_at: datetime

    def __post_init__(self) -> None:
        self.opened = time.monotonic()
        self.ended = False
        self.reload = False
        self._waiting: dict[str, Change] = {}
        self._told = asyncio.Event()

    def tell(self, told: Iterable[Change]) -> None:
        """Keeps it until the client has taken in what came before; of too much only that it was too much."""
        if self.reload:
            return
        for one in told:
            self._waiting[one.ref] = one
            self._told.set()
        if len(self._waiting) > changes.MOST:
            self.start_over()

    def start_over(self) -> None:
        self._waiting.clear()
        self.reload = True
        self._told.set()

    def end(self) -> None:
        self.ended = True
        self._told.set()

    def taken(self) -> bytes:
        """Takes the bytes to send out of the stream."""
        if self.reload:
            self.reload = False
            self._told.clear()
            return _event(b'{"what":"reload"}', event="reload", position=self.position())
        told, self._waiting = self._waiting, {}
        if not self.ended:
            self._told.clear()
        position = self.position()
        return b"".join(_event(_said(one), position=position) for one in told.values())

    def position(self) -> str:
        """Up to which moment everything has been told; the next stream looks back further than a commit may be late."""
        moment = self.opened_at + timedelta(seconds=time.monotonic() - self.opened)
        return str(int(moment.timestamp()))

    async def wait(self, seconds: float) -> bool:
        """Whether there is something to send."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._told.wait()
        return self._told.is_set()


class _Streams:
    """All streams of the process, and the task that looks for changes. The task runs only while a stream is open."""

    def __init__(self) -> None:
        self._open: set[Stream] = set()
        self._seen: dict[tuple[UUID, int], datetime] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._looked = 0.0

    @property
    def is_blind(self) -> bool:
        return time.monotonic() - self._looked > _BLIND_SECONDS

    def join(self, stream: Stream) -> None:
        """Raises TooMany for a session, and Unavailable for a process, that has as many as it may."""
        if sum(one.session_id == stream.session_id for one in self._open) >= _OF_SESSION:
            raise TooMany("同时打开的页面太多，请关闭几个再试。", retry_after=60)
        if len(self._open) >= settings().live_streams:
            raise Unavailable(retry_after=60)
        loop = asyncio.get_running_loop()
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._wake = asyncio.Event()
            self._seen = {}
            self._looked = time.monotonic()
            bell.on_change.add(self.wake)
            self._task = loop.create_task(self._run())
        self._open.add(stream)

    def leave(self, stream: Stream) -> None:
        self._open.discard(stream)
        if not self._open and self._task is not None:
            bell.on_change.discard(self.wake)
            self._task.cancel()
            self._task = None

    def end(self) -> None:
        """The process is to end: so does every stream, at once."""
        for one in self._open:
            one.end()

    def wake(self) -> None:
        self._wake.set()

    async def _run(self) -> None:
        hearing = asyncio.create_task(self._hear())
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(settings().poll_seconds):
                        await self._wake.wait()
                self._wake.clear()
                try:
                    await self._look()
                except Exception as failure:
                    # The next look finds what this one did not: entries stay in sight for a minute.
                    log.warning("changes not looked for", error=type(failure).__name__)
                await asyncio.sleep(_TOGETHER_SECONDS)
        finally:
            hearing.cancel()

    async def _hear(self) -> None:
        """Other processes' changes, as long as Redis is there; without it they are found a little later."""
        while True:
            try:
                async with Redis.from_url(settings().redis_url) as redis, redis.pubsub() as heard:
                    await heard.subscribe(bell.CHANGES)
                    async for _ in heard.listen():
                        self.wake()
            except (RedisError, OSError):
                await asyncio.sleep(_REDIS_RETRY_SECONDS)

    async def _look(self) -> None:
        asked = list(self._open)
        async with reading() as tx:
            entries = await changes.new_entries(tx)
            valid = await sessions.valid_sessions(tx, {one.session_id for one in asked})
            for one in asked:
                if one.session_id not in valid:
                    one.end()
            new = {one.matter_id for one in entries if (one.matter_id, one.seq) not in self._seen}
            told = await self._told_to(tx, new, set(valid.values())) if new else {}
        if self._is_late():
            for one in asked:
                one.start_over()
        # No await from here on: each stream gets each change once.
        self._seen = {(one.matter_id, one.seq): one.at for one in entries}
        self._looked = time.monotonic()
        for one in asked:
            if one.session_id in valid:
                one.tell(told.get(valid[one.session_id], ()))

    def _is_late(self) -> bool:
        """After so long without a look, entries may have come and gone out of sight."""
        out_of_sight = changes.COMMITTED_WITHIN.total_seconds() / 2
        return time.monotonic() - self._looked > out_of_sight

    async def _told_to(
        self, tx: Transaction, new: set[UUID], actors: set[StaffActor]
    ) -> dict[StaffActor, list[Change]]:
        asked = list(actors)
        return dict(zip(asked, await changes.visible(tx, new, to=asked), strict=True))


streams: Final = _Streams()


class LiveResponse(Response):
    """The stream as it is sent. The caller has had it joined; here it leaves."""

    media_type = "text/event-stream"

    def __init__(self, stream: Stream) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._stream = stream

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stream = self._stream
        left = asyncio.create_task(_left(receive, stream))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            first = f"retry: {_RETRY_MILLISECONDS}\nid: {stream.position()}\n\n".encode()
            await _send(send, first + stream.taken())
            ends = stream.opened + LASTS_SECONDS * random.uniform(0.9, 1.1)  # noqa: S311 - so that not all come back at once
            while not stream.ended and (remains := ends - time.monotonic()) > 0:
                if await stream.wait(min(_COMMENT_SECONDS, remains)):
                    piece = stream.taken()
                else:
                    piece = _comment(None if streams.is_blind else stream.position())
                if piece:
                    await _send(send, piece)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            left.cancel()
            streams.leave(stream)


async def respond(
    tx: Transaction, session_id: UUID, *, by: StaffActor, last: str | None
) -> LiveResponse:
    """A stream for the person who asks, with what changed since the position they had."""
    stream = Stream(session_id, await tx.now())
    streams.join(stream)
    try:
        if last is not None:
            since = _moment(last)
            missed = None if since is None else await changes.missed(tx, since, by=by)
            if missed is None:
                stream.start_over()
            else:
                stream.tell(missed)
    except BaseException:
        streams.leave(stream)
        raise
    return LiveResponse(stream)


def _moment(position: str) -> datetime | None:
    if not (position.isascii() and position.isdigit() and len(position) <= 10):
        return None
    return datetime.fromtimestamp(int(position), UTC)


async def _left(receive: Receive, stream: Stream) -> None:
    """Ends the stream when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end()


async def _send(send: Send, piece: bytes) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": True})


def _said(change: Change) -> bytes:
    return msgspec.json.encode({"ref": change.ref, "kind": change.kind, "what": "changed"})


def _event(data: bytes, *, position: str, event: str | None = None) -> bytes:
    return format_sse_event(data_str=data.decode(), event=event, id=position)


def _comment(position: str | None) -> bytes:
    """An id without data moves the browser's position forward and is no event."""
    return b": \n\n" if position is None else f": \nid: {position}\n\n".encode()
