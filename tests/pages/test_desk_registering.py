"""The hotline at the desk: what a caller tells is typed in by keyboard, kept, compared, and receipted."""

import re
import secrets

from playwright.async_api import Page, expect

from tests.pages.conftest import SLOW, Desk, SitDown
from tests.pages.test_accessibility import axe_finds
from tests.pages.test_searching import a_place


async def types(desk: Desk, place: str) -> Page:
    page = desk.page
    await desk.keys("n")
    await page.get_by_label("反映人").fill("王大爷")
    await page.get_by_label("本人电话").fill(f"139{secrets.randbelow(10**8):08d}")
    await page.get_by_label("反映的内容").fill(f"{place}的自来水管爆裂。三天没有水了。")
    return page


async def test_dispatcher_registers_a_caller_and_goes_on_with_the_case(sit_down: SitDown) -> None:
    place, desk = a_place(), await sit_down("zhihui")
    page = await types(desk, place)
    await page.get_by_label("村(社区)").fill("工农")
    await page.get_by_role("option", name="工农茶叶产业社区").click()
    await desk.keys("Control+Enter")
    await expect(page.get_by_text("已登记")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("查询码只显示这一次")).to_be_visible()
    await page.get_by_role("button", name="接着办这一件").click()
    opened = page.get_by_role("article", name=f"{place}的自来水管爆裂")
    await expect(opened.get_by_role("heading", name="办理过程")).to_be_visible(timeout=SLOW)
    await expect(opened.get_by_role("button", name="交办")).to_be_visible()
    await desk.keys("n")
    await expect(page.get_by_label("反映的内容")).to_have_value("")
    assert desk.wrong == []


async def test_draft_of_a_report_survives_a_closed_tab(sit_down: SitDown) -> None:
    place, desk = a_place(), await sit_down("zhihui")
    page = await types(desk, place)
    await page.reload()
    await expect(page.get_by_label("反映的内容")).to_have_value(
        f"{place}的自来水管爆裂。三天没有水了。"
    )
    await expect(page.get_by_label("反映人")).to_have_value("王大爷")


async def test_report_sent_again_after_a_cut_counts_once(sit_down: SitDown) -> None:
    place, desk = a_place(), await sit_down("zhihui")
    page = await types(desk, place)
    cut = "**/api/v1/cases"
    await page.route(cut, lambda route: route.abort())
    await desk.keys("Control+Enter")
    await expect(page.get_by_role("alert").filter(has_text="网络不通")).to_be_visible()
    await page.unroute(cut)

    async def answer_is_lost(route: object) -> None:
        await route.fetch()  # type: ignore[attr-defined]  # the server has it, the page hears nothing
        await route.abort()  # type: ignore[attr-defined]

    await page.route(cut, answer_is_lost)
    await desk.keys("Control+Enter")
    await page.wait_for_timeout(1_000)
    await page.unroute(cut)
    await desk.keys("Control+Enter")
    await expect(page.get_by_text("已登记")).to_be_visible(timeout=SLOW)
    await desk.keys("/")
    await page.keyboard.insert_text(place)
    await desk.keys("Enter")
    await expect(page.get_by_role("row", name=place)).to_have_count(1, timeout=SLOW)


async def test_similar_open_case_is_shown_while_typing(sit_down: SitDown) -> None:
    place, desk = a_place(), await sit_down("guangshun")
    page = await types(desk, place)
    await desk.keys("Control+Enter")
    await expect(page.get_by_text("已登记")).to_be_visible(timeout=SLOW)
    await page.get_by_role("button", name="再登记一件").click()
    await page.get_by_label("反映的内容").fill(f"{place}自来水管又爆裂了")
    await expect(page.get_by_text("附近有相近的事")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_role("link", name=f"{place}的自来水管爆裂")).to_be_visible()


async def test_earlier_cases_of_the_caller_stand_beside_the_case(sit_down: SitDown) -> None:
    desk, phone = await sit_down("zhihui"), f"139{secrets.randbelow(10**8):08d}"
    page, places = desk.page, [a_place(), a_place()]
    for place in places:
        await types(desk, place)
        await page.get_by_label("本人电话").fill(phone)
        await desk.keys("Control+Enter")
        await expect(page.get_by_text("已登记")).to_be_visible(timeout=SLOW)
        if place != places[-1]:
            await page.get_by_role("button", name="再登记一件").click()
    await page.get_by_role("button", name="接着办这一件").click()
    await expect(page.get_by_role("heading", name="同一号码反映过的事")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_role("link", name=places[0])).to_be_visible()
    assert desk.wrong == []


async def test_words_of_danger_are_marked_and_people_decide(sit_down: SitDown) -> None:
    place, desk = a_place(), await sit_down("zhihui")
    page = await types(desk, place)
    urgent = page.get_by_label("紧急，当天研判")
    await expect(page.get_by_text("写到了")).to_have_count(0)
    await page.get_by_label("反映的内容").fill(f"{place}后面的山滑坡，房子快要倒塌了")
    await expect(page.get_by_text("写到了").locator("mark")).to_have_text(["滑坡", "倒塌"])
    await expect(urgent).not_to_be_checked()
    await page.get_by_role("button", name="标为紧急").click()
    await expect(urgent).to_be_checked()
    await expect(page.get_by_text("写到了")).to_have_count(0)


async def test_likely_category_is_one_tap(sit_down: SitDown) -> None:
    desk = await sit_down("zhihui")
    page = desk.page
    await desk.keys("n")
    await page.get_by_label("反映的内容").fill("公司拖欠工资三个月，不签劳动合同，也不交社保。")
    likely = page.get_by_role("button", name="劳动和社会保障").first
    await likely.click(timeout=SLOW)
    await expect(likely).to_have_attribute("aria-pressed", "true")
    await expect(page.get_by_label("分类", exact=False).first).to_have_value(
        re.compile("^劳动和社会保障")
    )
    await desk.keys("Control+Enter")
    await expect(page.get_by_text("已登记")).to_be_visible(timeout=SLOW)
    await page.get_by_role("button", name="接着办这一件").click()
    await expect(page.get_by_text("劳动和社会保障").first).to_be_visible(timeout=SLOW)
    assert desk.wrong == []


async def test_accusation_is_taken_in_without_a_number(sit_down: SitDown) -> None:
    place, desk = a_place(), await sit_down("zhihui")
    page = await types(desk, place)
    await page.get_by_role("radio", name="检举控告").check()
    await desk.keys("Control+Enter")
    await expect(page.get_by_text("须先确认已知悉保密要求")).to_be_visible()
    await page.get_by_label("我已知悉须保密").check()
    await desk.keys("Control+Enter")
    await expect(page.get_by_text("已保密登记")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("查询码只显示这一次")).to_be_hidden()


async def test_departments_have_nothing_to_register(sit_down: SitDown) -> None:
    desk = await sit_down("shuiwu")
    await expect(desk.page.get_by_role("button", name="登记 n")).to_have_count(0)
    await desk.keys("n")
    await expect(desk.page.get_by_label("反映的内容")).to_have_count(0)


async def test_axe_finds_nothing_while_registering(sit_down: SitDown) -> None:
    desk = await sit_down("zhihui")
    for theme in ("light", "dark"):
        await desk.page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        page = await types(desk, a_place())
        await page.get_by_role("radio", name="检举控告").check()
        assert await axe_finds(page) == [], theme
        await page.get_by_role("button", name="不登记了").click()


async def test_responsibilities_are_set_at_the_desk(sit_down: SitDown) -> None:
    desk = await sit_down("zhihui")
    page = desk.page
    await desk.keys("Control+k")
    await page.keyboard.insert_text("zzqd")
    await desk.keys("Enter")
    opened = page.get_by_role("dialog", name="职责清单")
    await opened.get_by_label("分类").fill("体育")
    option = opened.get_by_role("option").first
    path = await option.inner_text()
    await option.click()
    await opened.get_by_label("主办单位").fill("水务")
    await opened.get_by_role("option", name="县水务局").click()
    await opened.get_by_role("button", name="设定").click()
    row = opened.get_by_role("listitem").filter(has_text=path)
    await expect(row).to_contain_text("县水务局", timeout=SLOW)
    assert await axe_finds(page) == []
    await row.get_by_role("button", name="取消").click()
    await expect(row).to_have_count(0, timeout=SLOW)
    await desk.keys("Escape")
    await expect(opened).to_be_hidden()
    assert desk.wrong == []
