"""A keep-alive HTTP/1.1 client that costs next to nothing, so that the servers are measured and not the client."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from json import dumps
from typing import Any

# What one connection sends next.
Next = Callable[[int], bytes]


@dataclass
class Measured:
    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Successful answers a second."""
        return sum(n for status, n in self.statuses.items() if status < 300) / self.seconds

    @property
    def failures(self) -> dict[int, int]:
        return {status: n for status, n in self.statuses.items() if status >= 300}


def request(method: str, path: str, *, body: Any = None, **headers: str) -> bytes:
    """One request as bytes; header names with underscores for hyphens."""
    content = b"" if body is None else dumps(body, ensure_ascii=False).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(content)}"]
    if content:
        lines.append("Content-Type: application/json")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


async def run(port: int, connections: list[Next], *, seconds: float) -> Measured:
    """Each connection asks, waits for the whole answer, and asks again until the time is over."""
    started = time.perf_counter()
    statuses: Counter[int] = Counter()
    await asyncio.gather(
        *(_connection(port, ask, started + seconds, statuses) for ask in connections)
    )
    return Measured(time.perf_counter() - started, statuses)


async def once(port: int, asked: bytes) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(asked)
        return await _answer(reader)
    finally:
        writer.close()


async def _connection(port: int, ask: Next, until: float, statuses: Counter[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number = 0
    try:
        while time.perf_counter() < until:
            writer.write(ask(number))
            status, _ = await _answer(reader)
            statuses[status] += 1
            number += 1
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return int(head[9:12]), await reader.readexactly(length)
