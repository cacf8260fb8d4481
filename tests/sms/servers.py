"""Real HTTP servers for the tests of the text-message edge: the simulator, and an application that only listens."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from fastapi import FastAPI, Request, Response

PATIENCE = 20.0


@contextmanager
def served(app: FastAPI, port: int = 0) -> Iterator[str]:
    """Serve the application on a port of 127.0.0.1 (0: a free one), in a thread with a loop of its own."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="error", ws="none", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(PATIENCE)


def wait_until(true: Any, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


async def wait_for(true: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.02)


@dataclass
class Heard:
    """One webhook as it came in."""

    path: str
    fields: list[tuple[str, str]]
    signature: str | None
    body: str = ""

    def get(self, name: str) -> str | None:
        return dict(self.fields).get(name)


@dataclass
class Listener:
    """What an application would have been told."""

    app: FastAPI = field(default_factory=FastAPI)
    heard: list[Heard] = field(default_factory=list)
    answer: int = 204

    def __post_init__(self) -> None:
        self.app.add_api_route("/{path:path}", self._listen, methods=["POST"])

    async def _listen(self, request: Request) -> Response:
        body = (await request.body()).decode()
        fields = parse_qsl(body, keep_blank_values=True)
        self.heard.append(
            Heard(request.url.path, fields, request.headers.get("X-Twilio-Signature"), body)
        )
        return Response(status_code=self.answer)

    def items(self, path: str) -> list[list[dict[str, Any]]]:
        """The batches that were pushed there."""
        return [json.loads(one.body) for one in self.heard if one.path == path]

    def statuses(self, path: str) -> list[str | None]:
        return [one.get("MessageStatus") for one in self.heard if one.path == path]
