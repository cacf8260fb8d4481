"""The drinking-water story through the pages: a resident, a cadre without a network, a sub-district, the command center's desk, a lead and an assistant."""

import re
from pathlib import Path

from playwright.async_api import expect

from tests.pages.conftest import SLOW, Cadre, Desk, NewPhone, Phone, SignIn, SitDown
from tests.pages.test_cadre import something
from tests.pages.test_citizen import sign_in


async def act(
    by: Cadre,
    ref: str,
    action: str,
    words: dict[str, str],
    ticked: str = "",
    photo: Path | None = None,
) -> None:
    """Opens the form of an action, writes `words` under their labels, ticks one choice, and sends it."""
    # What others did meanwhile is seen before it is acted on: otherwise the page asks, and nothing is sent.
    await by.case(ref)
    await by.page.reload()
    await by.page.get_by_role("heading", name="办理过程").wait_for()
    await by.open(f"/case/{ref}/{action}")
    confirm = by.page.get_by_role("button", name="确定")
    await confirm.wait_for()
    for _ in range(20):
        if await confirm.is_enabled():
            break
        await by.page.wait_for_timeout(500)  # what somebody else sends is still on its way
        await by.page.reload()
        await confirm.wait_for()
    for label, text in words.items():
        await by.page.get_by_label(label).first.fill(text)
    if ticked:
        await by.page.get_by_label(ticked).check()
    if photo is not None:
        await by.page.locator("input[multiple]").set_input_files(photo)
        await by.page.get_by_alt_text("第 1 张照片").wait_for()
    await confirm.click()
    await by.page.get_by_role("heading", name="办理过程").wait_for(timeout=SLOW)


async def _told_to_a_cadre_without_a_network(cadre: Cadre, number: str, words: str) -> str:
    page = cadre.page
    await cadre.open("/register")
    await cadre.phone.context.set_offline(True)
    await page.get_by_label("反映人").fill("王大爷")
    await page.get_by_label("本人电话").fill(number)
    await page.get_by_label("什么事").fill(words)
    await page.get_by_role("button", name="登记", exact=True).click()
    await page.wait_for_url("**/#/sent/**")
    await cadre.phone.context.set_offline(False)
    shown = page.get_by_text(re.compile(r"^\d{6}-\d{6}-\d{8}$"))
    return (await shown.inner_text(timeout=SLOW)).strip()


async def _escalated_to_the_center(ref: str, cadre: Cadre, township: Cadre) -> None:
    finding = "核实情况和为何解决不了"
    await act(cadre, ref, "escalate", {finding: "供水主管在荣隆镇，社区没有维修能力。"})
    await expect(cadre.page.get_by_text("在 广顺街道")).to_be_visible(timeout=SLOW)
    await act(township, ref, "escalate", {finding: "水源在荣隆镇，街道无法协调。"})
    await expect(township.page.get_by_text("指挥中心").first).to_be_visible(timeout=SLOW)


async def _dispatched(ref: str, desk: Desk) -> None:
    page = desk.page
    await desk.finds(ref)
    await desk.keys("d")
    await page.get_by_role("button", name="加一个协办单位").click()
    for label, words in (("主办单位", "荣隆"), ("协办单位", "水务")):
        await page.get_by_label(label, exact=True).fill(words)
        await page.get_by_role("option", name=words).first.wait_for()
        await desk.keys("Enter")
    await page.get_by_label("协办单位的任务").fill("检修")
    await page.get_by_label("交办意见").fill("一周内办结")
    await desk.keys("Control+Enter")
    await expect(page.get_by_text("：已交办")).to_be_visible(timeout=SLOW)
    assert desk.wrong == []


async def _solved(ref: str, lead: Cadre, assistant: Cadre, photo: Path) -> None:
    for unit in (lead, assistant):
        await unit.case(ref)
        await unit.page.get_by_role("button", name="签收").click()
        await expect(unit.page.get_by_role("button", name="签收")).to_be_hidden(timeout=SLOW)
    done = {"办到哪一步了": "已找到漏点，正在抢修。"}
    await act(lead, ref, "progress", done, "同时告诉群众")
    await expect(lead.page.get_by_text("已找到漏点，正在抢修。")).to_be_visible(timeout=SLOW)
    await act(assistant, ref, "assist_answer", {"协办结果": "管网已修复。"})
    await expect(assistant.page.get_by_text("管网已修复。")).to_be_visible(timeout=SLOW)
    await act(lead, ref, "answer", {"给反映人的答复": "13至17栋已恢复供水。"}, "已解决", photo)
    await expect(lead.page.get_by_text("已办结").first).to_be_visible(timeout=SLOW)


async def _evaluated(resident: Phone, words: str) -> None:
    page = resident.page
    await resident.scan()
    await page.get_by_role("button", name="查进度").click()
    await sign_in(resident)
    await page.get_by_role("button", name=words).click()
    for told in ("已找到漏点，正在抢修。", "13至17栋已恢复供水。", "荣隆镇已办结并答复"):
        await expect(page.get_by_text(told).first).to_be_visible()
    await expect(page.get_by_alt_text("第 1 张照片")).to_have_count(1)
    assert "供水主管" not in await page.inner_text("main"), "findings are among those who handle it"
    await page.get_by_role("radio", name="满意", exact=True).check()
    await page.get_by_role("button", name="提交评价").click()
    await expect(page.get_by_text("承办单位看不到是谁评价的")).to_be_visible()


async def test_drinking_water_is_back_and_the_resident_says_so(
    new_phone: NewPhone, signed_in: SignIn, sit_down: SitDown, photo: Path
) -> None:
    resident, cadre = await new_phone(), await signed_in("gongnong")
    words = something("13至17栋没有饮用水")
    ref = await _told_to_a_cadre_without_a_network(cadre, resident.number, words)
    await _escalated_to_the_center(ref, cadre, await signed_in("guangshun"))
    await _dispatched(ref, await sit_down("zhihui"))
    lead, assistant = await signed_in("ronglong"), await signed_in("shuiwu")
    await _solved(ref, lead, assistant, photo)
    await resident.is_asked(ref)
    await _evaluated(resident, words)
    await lead.case(ref)
    seen = await lead.page.inner_text("main")
    assert "评价" not in seen
    assert "满意" not in seen
