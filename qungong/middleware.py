"""Middleware around every response: security headers, HEAD, and no failure unanswered."""

import re
from typing import Final
from uuid import uuid4

import structlog
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from app.errors import NotFound, Problem, Unexpected
from app.http.pages import STYLE_SOURCE
from app.http.problems import respond, respond_page, wants_page

_POLICY: Final = (
    f"default-src 'self'; style-src 'self' {STYLE_SOURCE}; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Encoded once, and named in small letters as ASGI has them.
_HEADERS: Final = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), geolocation=(self), microphone=(self)"),
)
# A year; the proxy decides about its other names.
_HTTPS_ONLY: Final = (b"strict-transport-security", b"max-age=31536000")
# Answers about people are nobody's to keep: no shared phone's browser, no proxy.
_NOT_STORED: Final = (b"cache-control", b"no-store")
# What a proxy and we might read differently, so that its rules hold for another address than ours: slashes that are
# encoded, empty or upward steps, parameters inside a path.
_AMBIGUOUS: Final = re.compile(r"//|;|\\|(?:^|/)\.{1,2}(?:/|$)")
_ENCODED: Final = re.compile(rb"%2f|%5c|%3b", re.IGNORECASE)
_NEVER_KEPT: Final = ("/api/", "/m/v1/", "/sms/")
log = structlog.get_logger()


class Edge:
    """The outermost application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Always our own: a stranger's would let them write into the log.
        request_id = uuid4().hex
        with bound_contextvars(request_id=request_id):
            await self._answer(scope, receive, send, request_id)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        head = scope["method"] == "HEAD"
        headers = [*_HEADERS, (b"x-request-id", request_id.encode())]
        if scope["scheme"] == "https":
            headers.append(_HTTPS_ONLY)
        if scope["path"].startswith(_NEVER_KEPT):
            headers.append(_NOT_STORED)
        answer = _Answer(send, headers, bodiless=head)
        if _is_ambiguous(scope):
            await _refuse(NotFound(), scope)(scope, receive, answer.send)
            return
        try:
            await self._app({**scope, "method": "GET"} if head else scope, receive, answer.send)
        except Exception as failure:
            # The framework raises again what it has answered already, for the server to log with the request's words.
            if answer.complete:
                return
            log.exception("not answered", error=type(failure).__name__)
            if answer.started:
                raise
            await _refuse(Unexpected(), scope)(scope, receive, answer.send)


def _refuse(problem: Problem, scope: Scope) -> Response:
    is_page = wants_page(Headers(scope=scope)) and not scope["path"].startswith(_NEVER_KEPT)
    return respond_page(problem) if is_page else respond(problem)


def _is_ambiguous(scope: Scope) -> bool:
    raw = scope.get("raw_path") or b""
    return bool(_AMBIGUOUS.search(scope["path"]) or _ENCODED.search(raw))


class _Answer:
    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]], *, bodiless: bool) -> None:
        self._send = send
        self._headers = headers
        self._bodiless = bodiless
        self.started = self.complete = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            given = list(message["headers"])
            # An answer may say otherwise, as a page that needs another policy does.
            said = {name for name, _ in given}
            given += [header for header in self._headers if header[0] not in said]
            message = {**message, "headers": given}
        elif message["type"] == "http.response.body":
            self.complete = not message.get("more_body", False)
            if self._bodiless:
                message = {**message, "body": b""}
        await self._send(message)
