"""Finding a case: at the desk by keyboard, on a phone by one field, marked where the words stand."""

import secrets

from playwright.async_api import expect

from tests.pages.conftest import SLOW, Cadre, SitDown
from tests.pages.test_desk import registered

_LETTERS = "春夏秋冬东南西北山川湖海松竹梅兰桃李杏荷云雨风雪霜露星辰金银铜铁琴棋书画"


def a_place() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(6))


async def test_dispatcher_finds_a_case_by_keyboard_and_comes_back(
    site: str, sit_down: SitDown
) -> None:
    place = a_place()
    ref = await registered(site, f"{place}的自来水管爆裂，{place}三天没有水。请快来修。")
    await registered(site, f"{place}的路灯不亮")
    desk = await sit_down("zhihui")
    page = desk.page
    await desk.keys("/")
    await page.keyboard.insert_text(f"{place} 自來水")
    await desk.keys("Enter")
    row = page.get_by_role("row", name=place)
    await expect(row).to_have_count(1, timeout=SLOW)
    await expect(row.locator("mark").first).to_have_text(place)
    await desk.keys("j")
    await expect(page.get_by_role("article").get_by_role("button", name=ref)).to_be_visible()
    await page.go_back()
    await expect(page.get_by_label("找哪件事")).to_have_value(f"{place} 自來水")
    await desk.keys("Escape")
    await expect(page.get_by_role("heading", name="待交办")).to_be_visible()
    assert desk.wrong == []


async def test_filters_narrow_what_was_found(site: str, sit_down: SitDown) -> None:
    place = a_place()
    await registered(site, f"{place}没有水")
    desk = await sit_down("zhihui")
    page = desk.page
    await desk.keys("/")
    await page.keyboard.insert_text(place)
    await desk.keys("Enter")
    await expect(page.get_by_role("row", name=place)).to_have_count(1, timeout=SLOW)
    await page.get_by_label("性质").select_option("投诉")
    await expect(page.get_by_text("没有找到")).to_be_visible()
    await page.get_by_role("button", name="清除").click()
    await expect(page.get_by_role("row", name=place)).to_have_count(1)
    assert desk.wrong == []


async def test_cadre_finds_a_case_on_the_phone(site: str, cadre: Cadre) -> None:
    place, page = a_place(), cadre.page
    ref = await registered(site, f"{place}的自来水管爆裂")
    await page.get_by_role("link", name="查找").click()
    await page.get_by_label("找哪件事").fill(f"{place} 水管")
    await page.get_by_role("button", name="查找").click()
    await expect(page.get_by_role("link", name=place)).to_have_count(1, timeout=SLOW)
    await expect(page.locator("mark").first).to_have_text(place)
    await page.get_by_role("link", name=place).click()
    await expect(page.get_by_text(ref).first).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("link", name=place)).to_have_count(1)
    await page.get_by_label("找哪件事").fill(f"{place}没有这回事")
    await page.get_by_role("button", name="查找").click()
    await expect(page.get_by_text("没有找到")).to_be_visible()
    assert cadre.phone.wrong == []


async def test_found_cases_are_downloaded_as_a_file(site: str, sit_down: SitDown) -> None:
    place = a_place()
    await registered(site, f"{place}没有水")
    desk = await sit_down("zhihui")
    page = desk.page
    await desk.keys("/")
    await page.keyboard.insert_text(place)
    await desk.keys("Enter")
    await expect(page.get_by_role("row", name=place)).to_have_count(1, timeout=SLOW)
    async with page.expect_download() as begun:
        await page.get_by_role("button", name="导出 Excel").click()
    download = await begun.value
    assert download.suggested_filename.endswith(".xlsx")
    assert (await download.path()).stat().st_size > 1_000
    await expect(page.get_by_text("已导出，请妥善保管")).to_be_visible()
    assert desk.wrong == []
