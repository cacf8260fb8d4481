"""An application behind the product's own protocol on a real socket of 127.0.0.1, and clients that say what they like."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from starlette.types import ASGIApp
from uvicorn import Config
from uvicorn.server import ServerState

from app.settings import settings
from qungong.connections import TimedProtocol


@dataclass(frozen=True, slots=True)
class Line:
    """One connection of a client; `close()` ends it wherever it is."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def say(self, *lines: str, body: bytes = b"") -> None:
        self.writer.write("\r\n".join(lines).encode() + body)
        await self.writer.drain()

    async def drips(self, piece: str, *, every: float) -> None:
        """A piece at a time, until the server closes the connection, or in vain."""
        for _ in range(100):
            await self.say(piece)
            await asyncio.sleep(every)

    async def rest(self, within: float = 5) -> bytes:
        """All that comes until the server closes the connection."""
        async with asyncio.timeout(within):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return


@dataclass(frozen=True, slots=True)
class Served:
    port: int
    state: ServerState

    async def dials(self) -> Line:
        return await Line.open(self.port)

    async def idle(self) -> None:
        """Until no connection is open and no request is being served."""
        async with asyncio.timeout(5):
            while self.state.connections or self.state.tasks:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
                await asyncio.sleep(0.01)


@asynccontextmanager
async def on_a_socket(app: ASGIApp) -> AsyncIterator[Served]:
    """In this loop: the application's database connections belong to it."""
    config = Config(
        app, ws="none", log_config=None, timeout_keep_alive=settings().http_idle_seconds
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: TimedProtocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    try:
        yield Served(server.sockets[0].getsockname()[1], state)
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await server.wait_closed()
