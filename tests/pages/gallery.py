"""`make gallery`: a picture of each of the citizens' pages and states, in each size, colour and mode. Not a test of `make test`."""

from typing import Final

import pytest
from playwright.async_api import Browser

from qungong.dev import pages
from tests.pages.conftest import Colleague, Phone
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


@pytest.mark.parametrize("look", _LOOKS)
@pytest.mark.parametrize("size", _SIZES)
async def test_gallery(phone: Phone, answered: str, browser: Browser, size: str, look: str) -> None:
    width, height = _SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        locale="zh-CN",
        storage_state=await phone.context.storage_state(),
        device_scale_factor=2,
    )
    page = await context.new_page()
    await page.goto(f"{phone.site}/q/500153003007")
    await page.evaluate(
        "wanted => localStorage.setItem('qungong.look', JSON.stringify(wanted))", _LOOKS[look]
    )
    folder = FOLDER / "citizen" / size
    for name, address in {**_ADDRESSES, "progress": f"/t/{answered}"}.items():
        await page.goto(phone.site + address)
        await page.reload()
        await page.locator("main").wait_for()
        await page.wait_for_timeout(600)
        await page.screenshot(path=folder / f"{name}-{look}.png", full_page=name == "progress")
    await context.close()
