"""HTTP connections with time limits: uvicorn's protocol, which by itself waits for a request for ever.

A connection is closed when its header, the next piece of a body, or the reading of an answer takes too long. When a
process has as many connections as it may, the one that has been waiting longest for the rest of a request makes room.
"""

from asyncio import TimerHandle, Transport
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from app.errors import Problem, RequestTimeout, TooLarge, Unavailable
from app.http import live
from app.http.problems import respond
from app.settings import Settings, settings

# What browsers and proxies send stays far below.
_HEADER_BYTES = 64 * 1024
# For the last words to reach the client before the connection is cut.
_FLUSH_SECONDS = 2.0
# Connections of a server that wait for a request, or the rest of one; the longest silent first.
_Waiting = OrderedDict["TimedProtocol", None]
_waiting: "WeakKeyDictionary[ServerState, _Waiting]" = WeakKeyDictionary()


class TimedProtocol(HttpToolsProtocol):
    """One connection. Times and sizes are settings named HTTP_…, read when the connection is made."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._limits: Settings = settings()
        self._timer: TimerHandle | None = None
        self._cut: TimerHandle | None = None
        self._reads_header = True
        self._header_bytes = 0
        self._body_began = self._last_byte = 0.0
        self._body_bytes = self._requests = 0
        self._others = _waiting.setdefault(self.server_state, OrderedDict())

    @override
    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        if len(self.connections) > self._limits.http_connections and not self._make_room():
            self._refuse(Unavailable(retry_after=5))
            return
        self._others[self] = None
        self._after(self._limits.http_header_seconds, self._header_late)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._others.pop(self, None)
        self._stop_timer()
        if self._cut is not None:
            self._cut.cancel()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self in self._others:
            self._others.move_to_end(self)
        if self._reads_header:
            self._header_bytes += len(data)
        else:
            self._body_bytes += len(data)
            self._last_byte = self.loop.time()
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._reads_header and self._header_bytes > _HEADER_BYTES:
            self._refuse(TooLarge())
        elif self._timer is None and self._is_idle():
            # Bytes that begin no request, as empty lines, have ended uvicorn's own wait for the next one.
            self._others[self] = None
            self._after(self._limits.http_header_seconds, self._header_late)

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reads_header = True
        self._others[self] = None
        # The first request's header has been waited for since the connection was made.
        if self._requests and not self.pipeline:
            self._after(self._limits.http_header_seconds, self._header_late)

    @override
    def on_headers_complete(self) -> None:
        self._reads_header, self._header_bytes = False, 0
        self._requests += 1
        self._body_began = self._last_byte = self.loop.time()
        self._body_bytes = 0
        self._after(self._limits.http_body_seconds, self._look_at_body)
        super().on_headers_complete()

    @override
    def on_message_complete(self) -> None:
        self._others.pop(self, None)
        self._stop_timer()
        self._reads_header = True
        super().on_message_complete()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            # Closed by the answer: what is left of it is read in time, or dropped.
            self._cut_later(self._limits.http_answer_seconds)
        elif self._timer is None and self._is_idle():
            self._others[self] = None

    @override
    def shutdown(self) -> None:
        """The server is to end. Streams would go on for minutes otherwise."""
        super().shutdown()
        live.streams.end()

    @override
    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._cut_later(self._limits.http_answer_seconds)

    @override
    def pause_writing(self) -> None:
        """The client has not taken in what was sent so far."""
        super().pause_writing()
        self._cut_later(self._limits.http_answer_seconds)

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        if self._cut is not None and not self.transport.is_closing():
            self._cut.cancel()
            self._cut = None

    def _is_idle(self) -> bool:
        """No request is being served or waits to be."""
        return not self.pipeline and (not self._requests or self.cycle.response_complete)

    def _make_room(self) -> bool:
        if not self._others:
            return False
        longest, _ = self._others.popitem(last=False)
        longest.transport.abort()
        return True

    def _header_late(self) -> None:
        # Whoever opened a connection and said nothing, as browsers do in advance, asked nothing.
        if self._header_bytes:
            self._refuse(RequestTimeout())
        else:
            self._close()

    def _look_at_body(self) -> None:
        """Silent too long, or slower than the slowest network since the body began."""
        now = self.loop.time()
        if self.flow.read_paused:  # we are the ones who do not read
            self._body_began, self._last_byte, self._body_bytes = now, now, 0
        allowed = self._limits.http_body_seconds
        silent_until = self._last_byte + allowed
        slow_at = self._body_began + allowed + self._body_bytes / self._limits.http_body_rate
        if now >= min(silent_until, slow_at):
            self._refuse(RequestTimeout())
        else:
            self._after(min(silent_until, slow_at) - now, self._look_at_body)

    def _refuse(self, problem: Problem) -> None:
        """Told in words, if nothing has been answered yet."""
        if self._is_idle() or not (self.pipeline or self.cycle.response_started):
            self.transport.write(_answer(problem))
        self._close()

    def _close(self) -> None:
        self._others.pop(self, None)
        self._stop_timer()
        if not self.transport.is_closing():
            self.transport.close()
        self._cut_later(_FLUSH_SECONDS)

    def _after(self, seconds: float, then: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(max(seconds, 0.001), then)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut_later(self, seconds: float) -> None:
        if self._cut is not None:
            self._cut.cancel()
        self._cut = self.loop.call_later(seconds, self.transport.abort)


def _answer(problem: Problem) -> bytes:
    response = respond(problem, {"Connection": "close", "Cache-Control": "no-store"})
    phrase = {408: "Request Timeout", 413: "Content Too Large", 503: "Service Unavailable"}
    lines = [f"HTTP/1.1 {problem.status} {phrase[problem.status]}".encode()]
    lines += [name + b": " + value for name, value in response.raw_headers]
    return b"\r\n".join([*lines, b"", bytes(response.body)])
