"""A county with its pages served over HTTP, a browser, and phones with which people of the story open them."""

import os
import re
import secrets
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from sqlalchemy import text

from app.auth.phones import phone_key
from app.db import Database, transaction
from app.evaluation import invitations
from app.texts.outbox import open_params
from qungong.dev import pages, sample
from tests import services
from tests.pages import browsers
from tests.sms.servers import wait_until

VILLAGE: Final = "500153003007"
expect.set_options(timeout=20_000)  # milliseconds; other tests run beside
SLOW: Final = 20_000
_CODES = text("""
SELECT m.id, m.params_sealed FROM outbox_message m JOIN one_time_code c ON c.created_at = m.created_at
WHERE m.kind = 'one_time_code' AND c.phone_key = :phone_key ORDER BY m.created_at DESC LIMIT 1
""")
_OWED = text("""
SELECT o.id FROM outbox_message o JOIN grievance g ON g.id = o.matter_id WHERE g.ref = :ref AND o.kind = 'survey_owed'
""")
_COUNT_TAPS: Final = """
addEventListener('click', () => sessionStorage.setItem('taps', String(Number(sessionStorage.getItem('taps')) + 1)), true)"""
_SMALL_PHONE: Final = {"width": 360, "height": 740}


@pytest.fixture(scope="session")
def built_pages() -> None:
    """The pages of web/, built where they changed."""
    pages.build()


@pytest.fixture(scope="session")
def pages_url(addresses: services.Addresses, worker_number: int, redis_url: str) -> Iterator[str]:
    """A sample county of the pages' own: lists on a phone show the first fifty cases."""
    assert redis_url
    for url in services.database_copy(addresses, f"pages{worker_number}"):
        load = "import asyncio; from qungong.dev import sample; asyncio.run(sample.load())"
        environment = {**os.environ, "DATABASE_URL": url}
        subprocess.run([sys.executable, "-c", load], env=environment, cwd=pages.ROOT, check=True)
        yield url


@pytest_asyncio.fixture(scope="session")
async def pages_database(pages_url: str) -> AsyncIterator[Database]:
    on = Database(pages_url, pool_size=2)
    yield on
    await on.close()


@pytest.fixture(scope="session")
def site(
    pages_url: str, built_pages: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of the HTTP server, a process of its own on the pages' database."""
    assert built_pages is None
    folder = tmp_path_factory.mktemp("site")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "DATABASE_URL": pages_url,
        "MEDIA_URL": (folder / "media").as_uri(),
    }
    command = [sys.executable, "-m", "qungong.web", "--port", str(port), "--processes", "1"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, cwd=pages.ROOT, stdout=log, stderr=log)
        try:
            # A busy machine takes a while to load the server.
            wait_until(lambda: _answers(port), 90)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def _answers(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


@pytest_asyncio.fixture(scope="session")
async def browser(built_pages: None) -> AsyncIterator[Browser]:
    assert built_pages is None
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=str(browsers.executable()), args=list(browsers.ARGUMENTS)
        )
        yield started
        await started.close()


@dataclass(frozen=True, slots=True)
class Phone:
    """A small phone with one page open. `wrong` collects what the page's console and scripts complained of."""

    context: BrowserContext
    page: Page
    site: str
    number: str
    wrong: list[str]
    database: Database

    async def scan(self, code: str = VILLAGE) -> None:
        """Taps are counted from here; the scan itself is none."""
        await self.page.goto(f"{self.site}/q/{code}")
        await self.page.evaluate("sessionStorage.setItem('taps', '0')")
        await self.page.get_by_role("button", name="大字版").wait_for()

    async def writes(self, label: str, words: str) -> None:
        """Taps the field first, unless the page has put the cursor into it."""
        field = self.page.get_by_label(label, exact=True)
        await field.wait_for()
        await self.page.wait_for_timeout(100)  # the cursor comes after the field
        if not await field.evaluate("field => field === document.activeElement"):
            await field.click()
        await self.page.keyboard.insert_text(words)

    async def taps(self) -> int:
        """How often the person tapped since the scan."""
        return int(await self.page.evaluate("sessionStorage.getItem('taps')"))

    async def code(self) -> str:
        """The newest one-time code that was texted to this phone's number."""
        async with transaction(self.database) as tx:
            owed = (await tx.all(_CODES, phone_key=phone_key(f"+86{self.number}")))[0]
        return str(open_params(owed.id, owed.params_sealed)["code"])

    async def is_asked(self, ref: str) -> None:
        """The answered case's evaluation is asked for, as the worker does."""
        async with transaction(self.database) as tx:
            assert await invitations.ask(tx, await tx.scalar(_OWED, ref=ref))


NewPhone = Callable[[], Awaitable[Phone]]


@pytest_asyncio.fixture
async def new_phone(
    site: str, browser: Browser, pages_database: Database
) -> AsyncIterator[NewPhone]:
    async with AsyncExitStack() as stack:

        async def make() -> Phone:
            context = await browser.new_context(
                viewport=_SMALL_PHONE,  # type: ignore[arg-type]  # a dict of ints is what it takes
                locale="zh-CN",
                is_mobile=True,
                has_touch=True,
                reduced_motion="reduce",
            )
            stack.push_async_callback(context.close)
            await context.add_init_script(_COUNT_TAPS)
            page = await context.new_page()
            wrong: list[str] = []
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on(
                "console", lambda said: wrong.append(said.text) if said.type == "error" else None
            )
            return Phone(
                context, page, site, f"139{secrets.randbelow(10**8):08d}", wrong, pages_database
            )

        yield make


@pytest_asyncio.fixture
async def phone(new_phone: NewPhone) -> Phone:
    return await new_phone()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture as a phone's camera makes it: 12 million pixels."""
    path = tmp_path / "photo.jpg"
    Image.linear_gradient("L").resize((4000, 3000)).convert("RGB").save(path, "JPEG")
    return path


class Colleague:
    """A member of the sample staff at work elsewhere, by the phones' API."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def sees(self, path: str) -> dict[str, Any]:
        answer = await self._client.get(f"/m/v1/cadre{path}")
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def does(self, path: str, **body: object) -> dict[str, Any]:
        key = {"Idempotency-Key": secrets.token_hex(8)}
        answer = await self._client.post(f"/m/v1/cadre{path}", json=body, headers=key)
        assert answer.is_success, answer.text
        return dict(answer.json())


@pytest_asyncio.fixture
async def village_cadre(site: str) -> AsyncIterator[Colleague]:
    """陈桂芳 of 工农茶叶产业社区."""
    async with httpx.AsyncClient(base_url=site) as client:
        signed_in = await client.post(
            "/m/v1/cadre/sign-in", json={"account": "gongnong", "password": sample.PASSWORD}
        )
        client.headers["Authorization"] = f"Bearer {signed_in.json()['token']}"
        client.cookies.clear()
        yield Colleague(client)


@dataclass(frozen=True, slots=True)
class Cadre:
    """Somebody of the sample county who has signed in on a phone of their own."""

    phone: Phone
    page: Page

    async def open(self, path: str) -> None:
        await self.page.goto(f"{self.phone.site}/m/#{path}")

    async def case(self, ref: str) -> None:
        await self.open(f"/case/{ref}")
        await self.page.get_by_role("heading", name="办理过程").wait_for()

    async def register(self, words: str) -> None:
        """As far as the button; whether there is a network is the test's."""
        await self.open("/register")
        await self.page.get_by_label("反映人").fill("王大爷")
        await self.page.get_by_label("什么事").fill(words)
        await self.page.get_by_role("button", name="登记", exact=True).click()

    async def registered(self, words: str) -> str:
        await self.register(words)
        number = self.page.get_by_text(re.compile(r"^\d{6}-\d{6}-\d{8}$"))
        return (await number.inner_text(timeout=SLOW)).strip()


SignIn = Callable[[str], Awaitable[Cadre]]


@pytest_asyncio.fixture
async def signed_in(new_phone: NewPhone) -> SignIn:
    async def sign_in(account: str) -> Cadre:
        phone = await new_phone()
        await phone.page.goto(f"{phone.site}/m/")
        await type_password(phone.page, account)
        await phone.page.get_by_role("navigation", name="主要页面").wait_for()
        return Cadre(phone, phone.page)

    return sign_in


@pytest_asyncio.fixture
async def cadre(signed_in: SignIn) -> Cadre:
    return await signed_in("gongnong")


async def type_password(page: Page, account: str, password: str = sample.PASSWORD) -> None:
    await page.get_by_label("账号").fill(account)
    await page.get_by_label("密码", exact=True).fill(password)
    await page.get_by_role("button", name="登录", exact=True).click()


@dataclass(frozen=True, slots=True)
class Desk:
    """A member of the sample staff who works at the desk by keyboard."""

    page: Page
    site: str
    wrong: list[str]

    async def keys(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def finds(self, ref: str) -> None:
        """Opens a case by its number."""
        await self.keys("Control+k")
        await self.page.keyboard.insert_text(ref)
        await self.keys("Enter")
        await self.page.get_by_role("heading", name="办理过程").wait_for()

    async def next_in_the_list(self, title: str) -> None:
        """Opens a case from the list."""
        row = self.page.get_by_role("row", name=title)
        await row.first.click(timeout=SLOW)
        await self.page.get_by_role("heading", name="办理过程").wait_for()


SitDown = Callable[[str], Awaitable[Desk]]


@pytest_asyncio.fixture
async def sit_down(site: str, browser: Browser) -> AsyncIterator[SitDown]:
    async with AsyncExitStack() as stack:

        async def sit(account: str) -> Desk:
            context = await browser.new_context(
                viewport={"width": 1440, "height": 900}, locale="zh-CN", reduced_motion="reduce"
            )
            stack.push_async_callback(context.close)
            page = await context.new_page()
            wrong: list[str] = []
            page.on("pageerror", lambda error: wrong.append(str(error)))
            await page.goto(f"{site}/desk/")
            await type_password(page, account)
            await page.get_by_role("navigation", name="列表").wait_for(timeout=SLOW)
            return Desk(page, site, wrong)

        yield sit
