"""What axe finds on the pages: nothing, in each colour and size."""

from typing import Any, Final

import pytest
from playwright.async_api import Page

from qungong.dev import pages
from tests.pages.conftest import Cadre, Phone, SignIn, type_password
from tests.pages.test_cadre import something
from tests.pages.test_citizen import report, reported, sign_in

_LOOKS: Final[dict[str, dict[str, object]]] = {
    "light": {"theme": "light"},
    "dark": {"theme": "dark"},
    "elder": {"theme": "light", "elder": True},
    "largest": {"theme": "dark", "elder": True, "size": 2},
}
_RUN: Final = """async () => (await axe.run(document, {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
})).violations.map((one) => [one.id, one.nodes.map((node) => node.html.slice(0, 160))])"""


async def axe_finds(page: Page) -> list[Any]:
    await page.evaluate((pages.WEB / "node_modules/axe-core/axe.min.js").read_text())
    found: list[Any] = await page.evaluate(_RUN)
    return found


async def violations(phone: Phone) -> list[Any]:
    return await axe_finds(phone.page)


async def look(phone: Phone, wanted: dict[str, object]) -> None:
    await phone.page.evaluate(
        "wanted => localStorage.setItem('qungong.look', JSON.stringify(wanted))", wanted
    )


@pytest.mark.parametrize("name", _LOOKS)
async def test_axe_finds_nothing_on_the_citizens_pages(phone: Phone, name: str) -> None:
    page = phone.page
    await phone.scan()
    await look(phone, _LOOKS["light"])
    await report(phone)
    assert await violations(phone) == []  # the sign-in
    await sign_in(phone)
    await page.get_by_text("已收到").wait_for()
    await look(phone, _LOOKS[name])
    await page.reload()
    await page.get_by_text("已收到").wait_for()
    assert await violations(phone) == []
    await page.get_by_role("button", name="看办理进度").click()
    await page.get_by_role("button", name="撤回").click()
    assert await violations(phone) == []
    for fragment in ("", "#/report", "#/track", "#/mine", "#/settings"):
        await page.goto(f"{phone.site}/q/500153003007{fragment}")
        await page.reload()
        await page.wait_for_load_state("networkidle")
        assert await violations(phone) == [], fragment


@pytest.mark.parametrize("name", _LOOKS)
async def test_no_page_is_wider_than_a_small_phone(phone: Phone, name: str) -> None:
    ref = await reported(phone)
    await look(phone, _LOOKS[name])
    for address in (
        "/q/500153003007",
        "/q/500153003007#/report",
        "/q/500153003007#/settings",
        f"/t/{ref}",
    ):
        await phone.page.goto(phone.site + address)
        await phone.page.reload()
        await phone.page.wait_for_load_state("networkidle")
        assert await phone.page.evaluate("document.documentElement.scrollWidth") <= 360, address


@pytest.mark.parametrize("name", _LOOKS)
async def test_axe_finds_nothing_on_the_cadres_pages(phone: Phone, name: str) -> None:
    await phone.page.goto(f"{phone.site}/m/")
    await look(phone, _LOOKS[name])
    await phone.page.reload()
    await phone.page.get_by_label("账号").wait_for()
    assert await violations(phone) == []
    await type_password(phone.page, "gongnong")
    await phone.page.get_by_role("navigation", name="主要页面").wait_for()
    ref = await Cadre(phone, phone.page).registered(something())
    assert await violations(phone) == []
    for path in (
        "/",
        "/register",
        "/me",
        "/waiting",
        "/search?q=没有",
        f"/case/{ref}",
        f"/case/{ref}/escalate",
    ):
        await phone.page.goto(f"{phone.site}/m/#{path}")
        await phone.page.locator("main .card, main .case, main .empty").first.wait_for()
        assert await violations(phone) == [], path
        assert await phone.page.evaluate("document.documentElement.scrollWidth") <= 360, path


async def test_axe_finds_nothing_on_the_leaders_pages(signed_in: SignIn, cadre: Cadre) -> None:
    for _ in range(14):  # more than a phone shows at once
        await cadre.registered(something())
    leader = await signed_in("lingdao")
    await leader.open("/county")
    for name in _LOOKS:
        await look(leader.phone, _LOOKS[name])
        await leader.page.reload()
        await leader.page.get_by_role("list", name="各地未办结的").wait_for()
        await leader.page.locator(".case").nth(13).wait_for(state="attached")
        assert await violations(leader.phone) == [], name
        assert await leader.page.evaluate("document.documentElement.scrollWidth") <= 360, name
