"""The HTTP scenarios of `make faults`: photos that are bombs, and clients that never finish, while others go on reporting.

The server is the product's own, on 127.0.0.1. The controls are the same without the safeguards, and must go wrong.
"""

import asyncio
import os
import secrets
import struct
import sys
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image

from app.usage import UNBOUNDED
from qungong.dev import serving
from qungong.dev.sample import PASSWORD
from tests.faults.messages import Judged
from tests.faults.post import ROOT, free_port

SECONDS = 20.0
BOMBERS = 6
HALF_OPEN = 300
# So short that a run can wait for them.
HEADER_SECONDS = BODY_SECONDS = 3
# What a web process may grow by, of one that answers 10 MB photos.
GROWTH_MB, DECODER_MB = 200, 800
SLOWEST_SECONDS = 15.0
_REPORT = {"body": "我们小区三天没有自来水了。", "kind": "help", "person": {"name": "王大爷"}}


@dataclass
class Web:
    """A server that has been started, and a cadre signed in to it. `worst` and `answers` are of ordinary reports."""

    port: int
    process: asyncio.subprocess.Process
    client: httpx.AsyncClient
    worst: float = 0.0
    answers: Counter[int] = field(default_factory=Counter)

    def peaks(self) -> dict[int, int]:
        """MB of memory that each process of the server has needed at most, by its id."""
        return {one: _peak_mb(one) for one in _family(self.process.pid)}

    def decoders(self) -> set[int]:
        return {one for one in _family(self.process.pid) if b"app.matters.images" in _command(one)}

    async def reports(self, until: float) -> None:
        """Ordinary reports, one after the other."""
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                answer = await self.client.post("/m/v1/cadre/cases", json=_REPORT, headers=_key())
                self.answers[answer.status_code] += 1
            except httpx.HTTPError:
                self.answers[0] += 1
            self.worst = max(self.worst, time.monotonic() - began)
            await asyncio.sleep(0.1)

    def served(self) -> bool:
        return set(self.answers) == {201} and self.worst < SLOWEST_SECONDS

    def told(self) -> str:
        counts = ", ".join(f"{number} × {status}" for status, number in self.answers.items())
        return f"ordinary reports {counts}, slowest {self.worst:.1f} s"


@dataclass(frozen=True, slots=True)
class HttpScenario:
    """`goes_wrong`: the control."""

    name: str
    does: Callable[[Web], Awaitable[Judged]]
    server: tuple[str, ...] = (serving.HTTP_SERVER, "--processes", "2")
    goes_wrong: bool = False


async def bombs(web: Web) -> Judged:
    """Several clients send what is expensive to decode, again and again."""
    kinds = [_column(), _drawing(), _text()]
    before = web.peaks()
    until = time.monotonic() + SECONDS
    sent = Counter[int]()
    decoding: dict[int, int] = {}

    async def bomb(image: bytes) -> None:
        while time.monotonic() < until:
            try:
                answer = await web.client.post(
                    "/m/v1/photos", files={"photo": ("a", image)}, headers=_key()
                )
                sent[answer.status_code] += 1
            except httpx.HTTPError:
                sent[0] += 1

    async def watch() -> None:
        while time.monotonic() < until:
            for one in web.decoders():
                decoding[one] = max(decoding.get(one, 0), _peak_mb(one))
            await asyncio.sleep(0.2)

    senders = [bomb(kinds[number % len(kinds)]) for number in range(BOMBERS)]
    await asyncio.gather(web.reports(until), watch(), *senders)
    after = web.peaks()
    grown = max(after.get(one, 10**6) - peak for one, peak in before.items())
    held = (
        web.served()
        and set(before) <= set(after)
        and grown < GROWTH_MB
        and max(decoding.values(), default=0) < DECODER_MB
        and set(sent) <= {201, 422, 503}
    )
    answers = ", ".join(f"{number} × {status}" for status, number in sent.items())
    told = f"bombs {answers}; web processes grew by {grown} MB, decoders to {max(decoding.values(), default=0)} MB; {web.told()}"
    return Judged(held, told)


async def slow(web: Web) -> Judged:
    """Hundreds of connections that are silent in every way; more as they are closed."""
    dialled, closed = 0, 0
    until = time.monotonic() + SECONDS

    async def half(said: bytes) -> None:
        nonlocal dialled, closed
        while time.monotonic() < until:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            dialled += 1
            writer.write(said)
            try:
                async with asyncio.timeout(4 * HEADER_SECONDS):
                    await reader.read()
            except TimeoutError:
                writer.close()
                continue
            except ConnectionError:  # cut in the middle of what we say
                pass
            closed += 1
            writer.close()

    begun = b"POST /m/v1/cadre/cases HTTP/1.1\r\nHost: c\r\nContent-Length: 500\r\n\r\n"
    said = [b"", b"POST /m/v1/track HT", b"\r\n", begun, begun + b'{"body": "']
    await asyncio.gather(
        web.reports(until), *(half(said[number % len(said)]) for number in range(HALF_OPEN))
    )
    held = web.served() and dialled > HALF_OPEN and closed == dialled
    return Judged(held, f"{dialled} half-open connections, {closed} closed; {web.told()}")


HTTP_SCENARIOS = (
    HttpScenario("http: photos that are bombs, from several clients", bombs),
    HttpScenario("http: hundreds of clients that never finish", slow),
    HttpScenario(
        "http: control, photos decoded in the web process without bounds",
        bombs,
        ("uvicorn", "tests.faults.without_decoders:app"),
        goes_wrong=True,
    ),
    HttpScenario(
        "http: control, bare uvicorn, which waits for ever",
        slow,
        ("uvicorn", "qungong.asgi:app"),
        goes_wrong=True,
    ),
)


async def play_http(scenario: HttpScenario, url: str) -> tuple[bool, str]:
    """Whether it went as it must, and what is to be said of it. `url`: a database with the sample county."""
    began = time.monotonic()
    async with _web(scenario.server, url) as web:
        judged = await scenario.does(web)
    return (
        judged.held is not scenario.goes_wrong,
        f"{judged.told} ({time.monotonic() - began:.0f} s)",
    )


@asynccontextmanager
async def _web(server: tuple[str, ...], url: str) -> AsyncIterator[Web]:
    port = free_port()
    environment = {
        "DATABASE_URL": url, "REDIS_URL": "redis://127.0.0.1:1/0", "MEDIA_URL": "memory:///",
        "HTTP_HEADER_SECONDS": str(HEADER_SECONDS), "HTTP_BODY_SECONDS": str(BODY_SECONDS),
        **UNBOUNDED,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *server, "--host", "127.0.0.1", "--port", str(port),
        cwd=ROOT, env=os.environ | environment,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=address, timeout=90) as client:
            await _up(client)
            account = {"account": "gongnong", "password": PASSWORD}
            signed_in = await client.post("/m/v1/cadre/sign-in", json=account)
            client.headers["Authorization"] = f"Bearer {signed_in.json()['token']}"
            yield Web(port, process, client)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(20):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _up(client: httpx.AsyncClient) -> None:
    for _ in range(480):
        with suppress(httpx.HTTPError):
            (await client.get("/ready")).raise_for_status()
            return
        await asyncio.sleep(0.25)
    raise RuntimeError("the server did not come up")


def _key() -> dict[str, str]:
    return {"Idempotency-Key": secrets.token_hex(8)}


def _family(parent: int) -> set[int]:
    """The process and all that it started, and they in turn."""
    found, waiting = {parent}, [parent]
    while waiting:
        with suppress(OSError):
            listed = Path(f"/proc/{waiting.pop()}/task").glob("*/children")
            for child in {int(one) for path in listed for one in path.read_text().split()} - found:
                found.add(child)
                waiting.append(child)
    return found


def _command(process: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""


def _peak_mb(process: int) -> int:
    with suppress(OSError, IndexError):
        status = Path(f"/proc/{process}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024
    return 0


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(width: int, height: int, pixels: bytes, *before: bytes) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    data = _chunk(b"IDAT", zlib.compress(pixels, 9))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(before) + data + _chunk(b"IEND", b"")


def _column() -> bytes:
    return _png(1, 49_000_000, bytes(98_000_000))


def _text() -> bytes:
    text = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200_000_000)))
    return _png(60, 40, bytes(61 * 40), text)


def _drawing() -> bytes:
    written = BytesIO()
    Image.linear_gradient("L").resize((6000, 4100)).convert("RGBA").save(written, "PNG")
    return written.getvalue()
