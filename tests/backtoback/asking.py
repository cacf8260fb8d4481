"""A request put to the application as it is served, and its whole answer; without a client, which would cost more than both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from starlette.types import ASGIApp, Message

# Of the moment and not of the world.
_OF_THE_MOMENT: Final = frozenset({b"date", b"x-request-id"})


@dataclass(frozen=True, slots=True)
class Reply:
    """Every byte that was sent back."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def told(self) -> Any:
        assert self.status < 300, (self.status, self.body.decode())
        return msgspec.json.decode(self.body) if self.body else None


async def ask(
    app: ASGIApp,
    method: str,
    path: str,
    *,
    token: str | None = None,
    query: Mapping[str, str] | None = None,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """`body` is sent as JSON, or as it is where it is bytes."""
    sent = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
    given = {"content-type": "application/json"} if sent and not isinstance(body, bytes) else {}
    if token:
        given["authorization"] = f"Bearer {token}"
    given |= headers or {}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": urlencode(query or {}).encode(),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("10.0.0.1", 1234),
        "server": ("county.test", 80),
    }
    answered: list[Message] = []
    waiting = [{"type": "http.request", "body": sent, "more_body": False}]

    async def receive() -> Message:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answered.append(message)

    await app(scope, receive, send)
    start = answered[0]
    return Reply(
        start["status"],
        tuple((name, value) for name, value in start["headers"] if name not in _OF_THE_MOMENT),
        b"".join(one.get("body", b"") for one in answered[1:]),
    )
