"""`make faces`: weight, paint, Lighthouse, interaction and random cuts of the pages, each against its bar. Not part of `make test`."""

import asyncio
import json
import os
import random
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, Route, expect
from playwright.async_api import Error as BrowserError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import text

from app.db import transaction
from app.usage import UNBOUNDED
from qungong.dev import pages
from qungong.dev.sample import PASSWORD
from tests.pages import browsers
from tests.pages.conftest import SLOW, VILLAGE, Cadre, NewPhone, Phone, SignIn, SitDown
from tests.pages.test_citizen import report, sign_in

CUTS: Final = int(os.environ.get("FACES_CUTS", "300"))
ROUNDS: Final = 3
_LIGHTHOUSE: Final = "13.5.0"
_LIGHTHOUSE_AT: Final = pages.ROOT / ".local" / "lighthouse"
_CATEGORIES: Final = {"performance": 95, "accessibility": 100, "best-practices": 100}
# 50 kbit/s and 400 ms, as a phone at the edge of a 2G cell has them.
_2G: Final = {"offline": False, "latency": 400, "downloadThroughput": 50 * 1024 / 8, "uploadThroughput": 50 * 1024 / 8}  # fmt: skip
_FIRST_PAINT: Final = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"
_WATCH_INTERACTIONS: Final = """
globalThis.slowest = 0
new PerformanceObserver((seen) => {
  for (const one of seen.getEntries()) if (one.interactionId) slowest = Math.max(slowest, one.duration)
}).observe({ type: 'event', durationThreshold: 16, buffered: true })"""
_ROWS, _ENTRIES = 200, 100
_ARRIVED = text("""
SELECT x.text FROM record_text x JOIN grievance g ON g.id = x.matter_id
WHERE x.seq = 1 AND x.field = 'body' AND x.text LIKE :beginning
""")
console = Console(width=110)


@dataclass
class Measures:
    """Measurements with their bars."""

    rows: list[tuple[str, str, str, bool]] = field(default_factory=list)

    def most(self, what: str, bar: float, found: float, unit: str) -> None:
        self.rows.append((what, f"≤ {bar:g} {unit}", f"{found:g} {unit}", found <= bar))

    def least(self, what: str, bar: float, found: float) -> None:
        self.rows.append((what, f"≥ {bar:g}", f"{found:g}", found >= bar))

    def table(self) -> Table:
        table = Table("measure", "bar", "measured", "", title="make faces")
        for what, bar, found, is_reached in self.rows:
            table.add_row(what, bar, found, "[green]✓[/]" if is_reached else "[red]✗[/]")
        return table


@pytest.fixture(scope="module")
def measures() -> Iterator[Measures]:
    kept = Measures()
    yield kept
    missed = [what for what, _, _, is_reached in kept.rows if not is_reached]
    console.print()
    console.print(kept.table())
    assert not missed, missed


@pytest.fixture(scope="session", autouse=True)
def _unbounded() -> None:
    """Before the server starts: one person does here what a village does in a month."""
    os.environ.update(UNBOUNDED)


def progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())  # fmt: skip
    return Progress(*columns, console=console)


@pytest.mark.parametrize("face", pages.BUDGETS)
def test_weight(built_pages: None, measures: Measures, face: str) -> None:
    assert built_pages is None
    weight = round(pages.first_load(face) / 1024, 1)
    measures.most(f"{face}: first load, gzip", pages.BUDGETS[face] / 1024, weight, "KiB")


async def slow(page: Page, *, network: bool = False, cpu: int = 1) -> CDPSession:
    session = await page.context.new_cdp_session(page)
    if network:
        await session.send("Network.enable")
        await session.send("Network.emulateNetworkConditions", _2G)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": cpu})
    return session


async def painted_after(page: Page, address: str, button: str) -> tuple[float, float]:
    """Seconds from the address to the first paint, and to a button that only the script makes."""
    began = time.monotonic()
    await page.goto(address, wait_until="commit", timeout=120_000)
    await page.get_by_role("button", name=button).wait_for(timeout=120_000)
    useful = time.monotonic() - began
    await page.wait_for_timeout(500)  # the paint is told of a little later
    return float(await page.evaluate(_FIRST_PAINT)) / 1000, useful


async def test_first_paint_at_the_edge_of_a_cell(
    site: str, browser: Browser, measures: Measures
) -> None:
    cold: list[tuple[float, float]] = []
    warm: list[tuple[float, float]] = []
    address = f"{site}/q/{VILLAGE}"
    for _ in range(ROUNDS):
        context = await browser.new_context(viewport={"width": 360, "height": 740}, locale="zh-CN")
        page = await context.new_page()
        await slow(page, network=True)
        cold.append(await painted_after(page, address, "大字版"))
        await page.evaluate("navigator.serviceWorker.ready")
        await page.wait_for_timeout(3_000)  # the service worker fetches what it keeps
        again = await context.new_page()
        await slow(again, network=True)
        warm.append(await painted_after(again, address, "大字版"))
        await context.close()
    for name, found, bar in (("cold", cold, 7), ("warm", warm, 1.5)):
        first = round(statistics.median(one for one, _ in found), 2)
        useful = round(statistics.median(one for _, one in found), 2)
        measures.most(f"citizen: first paint {name}, 50 kbit/s and 400 ms", bar, first, "s")
        measures.most(f"citizen: buttons work {name}, 50 kbit/s and 400 ms", bar, useful, "s")


async def lighthouse(address: str) -> dict[str, float]:
    """Scores of one run, 0 to 100, on the phone that Lighthouse imitates."""
    command = [
        pages.tool("node"), str(_LIGHTHOUSE_AT / "node_modules/lighthouse/cli/index.js"), address,
        "--output=json", "--quiet", f"--only-categories={','.join(_CATEGORIES)}",
        "--chrome-flags=--headless=new --no-sandbox --disable-dev-shm-usage",
    ]  # fmt: skip
    environment = {**os.environ, "CHROME_PATH": str(browsers.executable())}
    run = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    told, wrong = await run.communicate()
    assert run.returncode == 0, wrong.decode()[-2000:]
    found: dict[str, Any] = json.loads(told)["categories"]
    return {name: round(100 * one["score"]) for name, one in found.items()}


async def _lighthouse_installed() -> None:
    if (_LIGHTHOUSE_AT / "node_modules/lighthouse/package.json").exists():
        return
    _LIGHTHOUSE_AT.mkdir(parents=True, exist_ok=True)
    command = [pages.tool("npm"), "install", "--prefix", str(_LIGHTHOUSE_AT), "--ignore-scripts", "--no-audit", "--no-fund", f"lighthouse@{_LIGHTHOUSE}"]  # fmt: skip
    run = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    assert await run.wait() == 0, "npm could not install lighthouse"


@pytest.mark.parametrize(("face", "path"), [("citizen", f"/q/{VILLAGE}"), ("cadre", "/m/")])
async def test_lighthouse(site: str, measures: Measures, face: str, path: str) -> None:
    await _lighthouse_installed()
    with progress() as bar:
        rounds = bar.track(range(ROUNDS), description=f"lighthouse {face}")
        runs = [await lighthouse(site + path) for _ in rounds]
    for name, least in _CATEGORIES.items():
        median = statistics.median(run[name] for run in runs)
        measures.least(f"{face}: Lighthouse {name}, median of {ROUNDS}", least, median)


@asynccontextmanager
async def staff(site: str, account: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{site}/api/v1", timeout=60) as client:
        given = {"account": account, "password": PASSWORD}
        token = (await client.post("/sessions", json=given)).json()["token"]
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


@pytest.fixture(scope="module")
def crowded() -> dict[str, str]:
    """The number of the case with many entries, once there is one."""
    return {}


async def _crowd(site: str, crowded: dict[str, str]) -> str:
    """A list of 200 rows, and the number of a case with 100 entries."""
    if not crowded:
        async with staff(site, "gongnong") as client:
            refs = [await _registered(client, number) for number in range(_ROWS)]
            crowded["ref"] = ref = refs[-1]
            (await client.post(f"/cases/{ref}/handle", json={})).raise_for_status()
            for number in range(_ENTRIES):
                report = f"第 {number} 次到现场查看，已找到漏点，正在抢修。"
                answer = await client.post(f"/cases/{ref}/progress", json={"report": report})
                answer.raise_for_status()
    return crowded["ref"]


async def _registered(client: httpx.AsyncClient, number: int) -> str:
    told = {"title": f"{number}号楼停水", "body": "停水三天", "kind": "help"}
    answer = await client.post("/cases", json=told | {"person": {"name": "王大爷"}})
    answer.raise_for_status()
    return str(answer.json()["ref"])


Act = Callable[[], Awaitable[object]]


async def slowest(page: Page, acts: Mapping[str, Act], measures: Measures, face: str) -> None:
    """The longest time from an input to the paint after it, the median of some rounds, on a CPU slowed four times."""
    session = await slow(page, cpu=4)
    for what, act in acts.items():
        found = []
        for _ in range(ROUNDS):
            await page.evaluate("slowest = 0")
            await act()
            await page.wait_for_timeout(600)
            found.append(float(await page.evaluate("slowest")))
        measures.most(
            f"{face}: {what} to paint, CPU 4× slower", 200, statistics.median(found), "ms"
        )
    await session.send("Emulation.setCPUThrottlingRate", {"rate": 1})


async def test_interactions_of_cadres(
    site: str, signed_in: SignIn, measures: Measures, crowded: dict[str, str]
) -> None:
    ref = await _crowd(site, crowded)
    cadre: Cadre = await signed_in("gongnong")
    page = cadre.page
    await page.add_init_script(_WATCH_INTERACTIONS)
    await page.reload()
    await page.get_by_role("button", name="待研判").wait_for()
    for _ in range(_ROWS // 50 - 1):
        await page.get_by_role("button", name="再看一些").click()
        await page.wait_for_timeout(500)

    async def view() -> None:
        await page.get_by_role("button", name="办理中").click()
        await page.get_by_role("button", name="待研判").click()

    await slowest(page, {"a view of 200 rows": view}, measures, "cadre")
    await cadre.case(ref)

    async def more() -> None:
        await page.get_by_role("button", name="更多").first.click()
        await page.get_by_role("button", name="取消").click()

    await slowest(page, {f"actions on a case of {_ENTRIES} entries": more}, measures, "cadre")
    await cadre.open("/register")
    field = page.get_by_label("什么事")
    await field.click()

    async def types() -> None:
        await page.keyboard.type("shui guan bao lie", delay=30)

    await slowest(page, {"a key while registering": types}, measures, "cadre")


async def test_interactions_of_citizens(phone: Phone, measures: Measures) -> None:
    page = phone.page
    await page.add_init_script(_WATCH_INTERACTIONS)
    await phone.scan()

    async def opens() -> None:
        await phone.page.get_by_role("button", name="我要反映").click()
        await phone.page.get_by_label("什么事").wait_for()
        await page.keyboard.type("shui guan", delay=30)
        await page.go_back()

    await slowest(page, {"opening the report and typing": opens}, measures, "citizen")


async def test_interactions_at_the_desk(
    site: str, sit_down: SitDown, measures: Measures, crowded: dict[str, str]
) -> None:
    await _crowd(site, crowded)
    desk = await sit_down("zhihui")
    page = desk.page
    await page.add_init_script(_WATCH_INTERACTIONS)
    await page.reload()
    await page.get_by_role("navigation", name="列表").wait_for()
    await desk.keys("g", "a")
    await page.get_by_role("row").first.wait_for(timeout=SLOW)

    async def steps() -> None:
        await desk.keys("j", "j", "j", "k")

    async def palette() -> None:
        await desk.keys("Control+k")
        await page.keyboard.type("jb")
        await desk.keys("Escape")

    acts = {"a key through a list of 200 rows": steps, "the palette": palette}
    await slowest(page, acts, measures, "desk")


class Cut:
    """A failing network: drops requests, drops answers, or answers 503."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.is_on = True

    async def route(self, route: Route) -> None:
        fate = self._chance.random() if self.is_on else 1
        with suppress(BrowserError):
            if fate < 0.2:
                await route.abort()
            elif fate < 0.35:
                await route.fetch()  # the server has it, and the phone never hears
                await route.abort()
            elif fate < 0.45:
                await route.fulfill(status=503, body="busy")
            else:
                await route.continue_()


async def test_reports_survive_random_cuts(new_phone: NewPhone, measures: Measures) -> None:
    phone = await new_phone()
    chance = random.Random(os.environ.get("FACES_SEED"))  # noqa: S311 - which cut comes is no secret
    await report(phone, "先登记一件")
    await sign_in(phone)
    await phone.page.get_by_text("已收到").wait_for()
    name = f"cut{chance.randrange(10**9)}-"
    cut = Cut(chance)
    await phone.context.route("**/m/v1/reports", cut.route)
    told, page = set(), phone.page
    with progress() as bar:
        for number in bar.track(range(CUTS), description="cuts"):
            words = f"{name}{number} 号楼停水"
            await _report(page, phone, words, chance)
            told.add(words)
            page = await _maybe_killed(page, phone.context, chance)
    cut.is_on = False
    await phone.context.unroute_all(behavior="ignoreErrors")
    await _all_sent(page, phone)
    async with transaction(phone.database) as tx:
        arrived = [row.text for row in await tx.all(_ARRIVED, beginning=f"{name}%")]
    measures.most(
        f"citizen: lost of {len(told)} reports, {CUTS} random cuts", 0, len(told - set(arrived)), ""
    )
    measures.most("citizen: doubled", 0, len(arrived) - len(set(arrived)), "")


async def _report(page: Page, phone: Phone, words: str, chance: random.Random) -> None:
    """Writes a report and sends it; from then on the phone must not lose it."""
    await page.goto(f"{phone.site}/q/{VILLAGE}#/report")
    await page.reload()
    body = page.get_by_label("什么事")
    await body.wait_for(timeout=SLOW)
    await body.fill(words)
    if chance.random() < 0.2:
        # Killed while writing: the draft is there when it is opened again.
        await page.wait_for_timeout(150)
        await page.reload()
        await body.wait_for(timeout=SLOW)
        await expect(body).to_have_value(words)
    await page.get_by_role("button", name="发送", exact=True).click()
    await page.wait_for_url("**#/sent/**", timeout=SLOW, wait_until="commit")


async def _maybe_killed(page: Page, context: BrowserContext, chance: random.Random) -> Page:
    await page.wait_for_timeout(chance.randrange(250))
    if chance.random() < 0.4:
        another = await context.new_page()
        await page.close(run_before_unload=False)
        return another
    return page


async def _all_sent(page: Page, phone: Phone) -> None:
    """The network is back; the phone sends what it keeps, one after the other."""
    await page.goto(f"{phone.site}/q/{VILLAGE}")
    await page.reload()
    until = time.monotonic() + 180
    while time.monotonic() < until:
        waiting = page.get_by_text("件待发送")
        await page.wait_for_timeout(1_000)
        if await waiting.count() == 0:
            return
        await waiting.first.click()
        again = page.get_by_role("button", name="现在再试")
        with suppress(BrowserError):
            await again.first.click(timeout=1_000)
        await page.goto(f"{phone.site}/q/{VILLAGE}")
        await page.reload()
