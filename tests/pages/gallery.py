"""`make gallery`: a picture of each page, in each size, colour and mode. Not a test of `make test`."""

from typing import Final

import pytest
from playwright.async_api import Browser

from qungong.dev import pages
from tests.pages.conftest import Cadre, Colleague, NewPhone, Phone, SignIn, SitDown
from tests.pages.test_cadre import acts, something
from tests.pages.test_citizen import reported

FOLDER: Final = pages.ROOT / ".local" / "gallery"
_SIZES: Final = {"phone": (360, 800), "tablet": (768, 1024), "desktop": (1440, 900)}
_LOOKS: Final[dict[str, dict[str, object]]] = {
    "light": {"theme": "light"},
    "dark": {"theme": "dark"},
    "elder": {"theme": "light", "elder": True},
}
_ADDRESSES: Final = {
    "home": "/q/500153003007",
    "report": "/q/500153003007#/report",
    "track": "/q/500153003007#/track",
    "mine": "/q/500153003007#/mine",
    "settings": "/q/500153003007#/settings",
    "unknown": "/q/000000",
}


@pytest.fixture
async def answered(phone: Phone, village_cadre: Colleague) -> str:
    """A report of this phone's, answered and to be evaluated."""
    ref = await reported(phone)
    await village_cadre.does(f"/cases/{ref}/handle")
    await village_cadre.does(
        f"/cases/{ref}/progress", report="已找到漏点，正在抢修。", tell_reporter=True
    )
    await village_cadre.does(
        f"/cases/{ref}/answer", outcome="solved", answer="13至17栋已恢复供水。"
    )
    await phone.is_asked(ref)
    return ref


async def pictures(
    phone: Phone, browser: Browser, face: str, size: str, look: str, addresses: dict[str, str]
) -> None:
    """Opens each address with what this phone keeps, as large and as coloured as asked."""
    width, height = _SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        locale="zh-CN",
        storage_state=await phone.context.storage_state(),
        device_scale_factor=2,
    )
    page = await context.new_page()
    await page.goto(phone.site + addresses["home"])
    await page.evaluate(
        "wanted => localStorage.setItem('qungong.look', JSON.stringify(wanted))", _LOOKS[look]
    )
    for name, address in addresses.items():
        await page.goto(phone.site + address)
        await page.reload()
        await page.locator("main").wait_for()
        await page.wait_for_timeout(800)
        whole = name in {"progress", "case"}
        await page.screenshot(path=FOLDER / face / size / f"{name}-{look}.png", full_page=whole)
    await context.close()


@pytest.mark.parametrize("look", _LOOKS)
@pytest.mark.parametrize("size", _SIZES)
async def test_gallery_of_citizens(
    phone: Phone, answered: str, browser: Browser, size: str, look: str
) -> None:
    addresses = {**_ADDRESSES, "progress": f"/t/{answered}"}
    await pictures(phone, browser, "citizen", size, look, addresses)


@pytest.mark.parametrize("look", _LOOKS)
@pytest.mark.parametrize("size", _SIZES)
async def test_gallery_of_staff(
    cadre: Cadre, signed_in: SignIn, new_phone: NewPhone, browser: Browser, size: str, look: str
) -> None:
    ref = await cadre.registered(something())
    of_cadre = {
        "home": "/m/",
        "register": "/m/#/register",
        "case": f"/m/#/case/{ref}",
        "escalate": f"/m/#/case/{ref}/escalate",
        "search": "/m/#/search?q=自来水 没有",
        "waiting": "/m/#/waiting",
        "me": "/m/#/me",
    }
    await pictures(cadre.phone, browser, "cadre", size, look, of_cadre)
    leader = await signed_in("lingdao")
    of_leader = {"home": "/m/", "county": "/m/#/county", "case": f"/m/#/case/{ref}"}
    await pictures(leader.phone, browser, "leader", size, look, of_leader)
    await pictures(await new_phone(), browser, "signed-out", size, look, {"home": "/m/"})


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(768, 1024), (1440, 900), (1920, 1080)])
async def test_gallery_of_the_desk(
    cadre: Cadre, sit_down: SitDown, width: int, height: int, theme: str
) -> None:
    ref = await cadre.registered(something())
    for account in ("gongnong", "guangshun"):
        await acts(cadre.phone.site, account, ref, "escalate", finding="没有维修能力")
    desk = await sit_down("zhihui")
    await desk.page.set_viewport_size({"width": width, "height": height})
    await desk.page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    steps: dict[str, tuple[str, ...]] = {
        "list": (), "case": ("j",), "dispatch": ("d",), "keys": ("Escape", "?"),
        "palette": ("Escape", "Control+k"), "county": ("Escape", "g", "a"),
    }  # fmt: skip
    for name, keys in steps.items():
        await desk.keys(*keys)
        await desk.page.wait_for_timeout(800)
        await desk.page.screenshot(path=FOLDER / "desk" / f"{width}" / f"{name}-{theme}.png")
    await desk.keys("n")
    await desk.page.get_by_label("反映的内容").fill(
        "后面的山滑坡，房子快要倒塌了。13至17栋没有自来水。"
    )
    await desk.page.wait_for_timeout(1_600)
    await desk.page.screenshot(path=FOLDER / "desk" / f"{width}" / f"register-{theme}.png")
    await desk.keys("Escape", "/")
    await desk.page.keyboard.insert_text("自來水 三天")
    await desk.keys("Enter")
    await desk.page.wait_for_timeout(800)
    await desk.page.screenshot(path=FOLDER / "desk" / f"{width}" / f"search-{theme}.png")
