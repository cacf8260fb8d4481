"""What every answer passes on its way out, whichever part gave it: security headers, HEAD, and no failure unanswered."""

from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import Unexpected
from app.http.pages import STYLE_SOURCE
from app.http.problems import respond

_POLICY: Final = (
    f"default-src 'self'; style-src 'self' {STYLE_SOURCE}; img-src 'self' data: blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=()",
}
# Answers about people are nobody's to keep: no shared phone's browser, no proxy.
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
        head = scope["method"] == "HEAD"
        answer = _Answer(send, kept=not scope["path"].startswith(_NEVER_KEPT), bodiless=head)
        try:
            await self._app({**scope, "method": "GET"} if head else scope, receive, answer.send)
        except Exception as failure:
            # The framework raises again what it has answered already, for the server to log with the request's words.
            if answer.complete:
                return
            log.exception("not answered", error=type(failure).__name__)
            if answer.started:
                raise
            await respond(Unexpected())(scope, receive, answer.send)


class _Answer:
    def __init__(self, send: Send, *, kept: bool, bodiless: bool) -> None:
        self._send = send
        self._kept = kept
        self._bodiless = bodiless
        self.started = self.complete = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if not self._kept:
                headers.setdefault("Cache-Control", "no-store")
        elif message["type"] == "http.response.body":
            self.complete = not message.get("more_body", False)
            if self._bodiless:
                message = {**message, "body": b""}
        await self._send(message)
