"""The phones' face mounted as it is in production, on a real database, with citizens and a cadre signed in to it."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from PIL import Image
from sqlalchemy import text

from app.auth.phones import phone_key
from app.db import reading
from app.http import problems
from app.matters import photos
from app.settings import settings
from app.texts.outbox import open_params
from mobile_api import app as phones
from mobile_api import landing
from qungong.dev.sample import PASSWORD

VILLAGE = "500153003007"
WATER = "我们小区13栋到17栋已经三天没有自来水，老人小孩都要到外面提水。请尽快解决！"
NOWHERE = "500153-200101-00000000"

_CODES = text("""
SELECT m.id, m.params_sealed FROM outbox_message m JOIN one_time_code c ON c.created_at = m.created_at
WHERE m.kind = 'one_time_code' AND c.phone_key = :phone_key ORDER BY m.created_at DESC LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone at an address of its own, signed in or not."""

    client: httpx.AsyncClient

    async def get(self, path: str, **query: str) -> httpx.Response:
        return await self.client.get(f"/m/v1{path}", params=query)

    async def post(self, path: str, *, key: str | None = "", **body: Any) -> httpx.Response:
        """With a key of its own unless told; `key=None` sends none."""
        headers = {} if key is None else {"Idempotency-Key": key or secrets.token_hex(8)}
        return await self.client.post(f"/m/v1{path}", json=body or None, headers=headers)

    async def send(self, image: bytes, *, key: str | None = "", **part: str) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key or secrets.token_hex(8)}
        named = (part.get("name", "photo.jpg"), image, part.get("type", "image/jpeg"))
        return await self.client.post("/m/v1/photos", files={"photo": named}, headers=headers)

    async def sends(self, image: bytes) -> str:
        answer = await self.send(image)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def records(
        self, recording: bytes, *, key: str | None = "", **part: str
    ) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key or secrets.token_hex(8)}
        named = (part.get("name", "voice.webm"), recording, part.get("type", "audio/webm"))
        return await self.client.post("/m/v1/voices", files={"voice": named}, headers=headers)

    async def speaks(self, recording: bytes) -> str:
        answer = await self.records(recording)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def reports(self, **different: Any) -> dict[str, Any]:
        told = {"unit_code": VILLAGE, "body": WATER, "kind": "help"} | different
        answer = await self.post("/reports", **told)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


NewPhone = Callable[[], Awaitable[Phone]]


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for photos, not there yet, named by the settings for the whole session."""
    folder = tmp_path_factory.mktemp("media") / "photos here"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDIA_URL", folder.as_uri())
        settings.cache_clear()
        yield folder
    settings.cache_clear()


@pytest_asyncio.fixture(scope="session")
async def phones_app(county: None, media: Path) -> AsyncIterator[FastAPI]:
    assert county is None
    assert media.name
    made = phones.create_app()
    yield made
    await made.state.rate_limits.close()
    await photos.end_decoders()


@pytest.fixture(scope="session")
def site(phones_app: FastAPI) -> FastAPI:
    made = FastAPI()
    made.mount(phones.MOUNTED_AT, phones_app)
    made.mount(landing.MOUNTED_AT, landing.create_app())
    problems.install(made)  # a path with a line break in it leads to none of the mounts
    return made


@pytest_asyncio.fixture(scope="session")
async def new_phone(site: FastAPI) -> AsyncIterator[NewPhone]:
    async with AsyncExitStack() as stack:

        async def make() -> Phone:
            address = ".".join(str(secrets.randbelow(254) + 1) for _ in range(4))
            transport = httpx.ASGITransport(site, client=(address, 1))
            client = httpx.AsyncClient(transport=transport, base_url="http://county.test")
            return Phone(await stack.enter_async_context(client))

        yield make


@pytest_asyncio.fixture(scope="session")
async def new_citizen(new_phone: NewPhone) -> NewPhone:
    """Signs up by the code that the outbox owes them."""

    async def make() -> Phone:
        phone = await new_phone()
        number = f"139{secrets.randbelow(10**8):08d}"
        asked = await phone.post("/sign-up/code", key=None, phone=number)
        assert asked.status_code == 202, asked.text
        async with reading() as tx:
            owed = (await tx.all(_CODES, phone_key=phone_key(f"+86{number}")))[0]
        code = open_params(owed.id, owed.params_sealed)["code"]
        signed_in = await phone.post(
            "/sign-up/verify", key=None, phone=number, code=code, village=VILLAGE
        )
        assert signed_in.status_code == 201, signed_in.text
        return phone

    return make


@pytest_asyncio.fixture(scope="session")
async def citizen(new_citizen: NewPhone) -> Phone:
    return await new_citizen()


@pytest_asyncio.fixture(scope="session")
async def cadre(new_phone: NewPhone) -> Phone:
    """陈桂芳 of 工农茶叶产业社区."""
    phone = await new_phone()
    answer = await phone.post("/cadre/sign-in", key=None, account="gongnong", password=PASSWORD)
    assert answer.status_code == 201, answer.text
    return phone


def a_picture(width: int = 60, height: int = 40, kind: str = "JPEG", **options: Any) -> bytes:
    written = BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(written, kind, **options)
    return written.getvalue()


def a_recording(name: str = "recorded.webm") -> bytes:
    """A tone of one second, as ffmpeg writes it."""
    return (Path(__file__).parent / "recordings" / name).read_bytes()


@pytest_asyncio.fixture
async def silent_server() -> AsyncIterator[str]:
    """A Redis that takes connections and then says nothing."""

    async def listen(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.sleep(2)
        finally:  # also when the tests end first
            writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
