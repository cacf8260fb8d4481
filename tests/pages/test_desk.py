"""The command center's desk in a browser, by its keyboard: dispatch, undo, refusals, drafts, live changes, bulk acts."""

import secrets
from collections.abc import Awaitable, Callable

import httpx
import pytest
from playwright.async_api import expect

from qungong.dev.sample import PASSWORD
from tests.pages.conftest import SLOW, Desk, SitDown
from tests.pages.test_accessibility import axe_finds
from tests.pages.test_cadre import acts, something

WATER = "500153D11"
FINDING = "已到现场核实，本级没有能力解决。"
Escalated = Callable[[], Awaitable[tuple[str, str]]]


async def registered(site: str, words: str) -> str:
    async with httpx.AsyncClient(base_url=f"{site}/m/v1") as client:
        signing = {"account": "gongnong", "password": PASSWORD}
        token = (await client.post("/cadre/sign-in", json=signing)).json()["token"]
        client.cookies.clear()
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_hex(8)}
        told = {"body": words, "kind": "help", "urgent": True, "person": {"name": "王大爷"}}
        answer = await client.post("/cadre/cases", json=told, headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["ref"])


@pytest.fixture
def escalated(site: str) -> Escalated:
    """An urgent case that village and township have passed on: its title and its number."""

    async def escalate() -> tuple[str, str]:
        title = something()
        ref = await registered(site, title)
        for account in ("gongnong", "guangshun"):
            await acts(site, account, ref, "escalate", finding=FINDING)
        return title, ref

    return escalate


async def state(desk: Desk, ref: str) -> str:
    """What the case's page says of it, asked for anew."""
    answer = await desk.page.request.get(f"{desk.site}/api/v1/cases/{ref}")
    return str((await answer.json())["phase"])


async def dispatching(sit_down: SitDown, title: str) -> Desk:
    """The dispatcher has opened the case's form."""
    desk = await sit_down("zhihui")
    await desk.next_in_the_list(title)
    await desk.keys("d")
    await desk.page.get_by_label("交办意见").wait_for()
    return desk


async def choose_the_water_bureau(desk: Desk) -> None:
    await desk.page.get_by_label("主办单位", exact=True).fill("水务")
    await desk.page.get_by_role("option", name="水务局").wait_for()
    await desk.keys("Enter")


async def test_dispatch_by_keyboard_opens_the_next_case(
    escalated: Escalated, sit_down: SitDown
) -> None:
    title, ref = await escalated()
    await escalated()  # the next one
    desk = await dispatching(sit_down, title)
    await choose_the_water_bureau(desk)
    await desk.keys("Control+Enter")
    await expect(desk.page.get_by_text("交办给县水务局")).to_be_visible()
    assert await state(desk, ref) == "pending", "held for a few seconds"
    await expect(desk.page.get_by_role("row", name=title)).to_be_hidden(timeout=SLOW)
    assert await state(desk, ref) != "pending"
    opened = desk.page.get_by_role("article")
    await expect(opened).not_to_have_accessible_name(title)
    assert desk.wrong == []


async def test_dispatch_to_the_suggested_lead_takes_four_keys(site: str, sit_down: SitDown) -> None:
    street = f"{secrets.token_hex(6)}路{secrets.token_hex(6)}"
    solved = await registered(site, f"{street}的供水主管爆裂，全楼停水")
    for account in ("gongnong", "guangshun"):
        await acts(site, account, solved, "escalate", finding=FINDING)
    await acts(site, "zhihui", solved, "dispatch", lead={"unit_code": WATER})
    await acts(site, "shuiwu", solved, "sign")
    await acts(site, "shuiwu", solved, "answer", outcome="solved", answer="已修好")
    title = f"{street}又停水了，供水主管爆裂"
    ref = await registered(site, title)
    for account in ("gongnong", "guangshun"):
        await acts(site, account, ref, "escalate", finding=FINDING)
    desk = await sit_down("zhihui")
    await desk.next_in_the_list(title)  # seen
    await desk.keys("d")
    await expect(desk.page.get_by_text("件由县水务局主办")).to_be_visible()
    await expect(desk.page.get_by_text("现在交办：")).to_be_visible()
    await expect(desk.page.get_by_role("button", name="确定交办")).to_be_focused()
    await desk.keys("Enter")
    await expect(desk.page.get_by_text("交办给县水务局")).to_be_visible()
    await expect(desk.page.get_by_text("：已交办")).to_be_visible(timeout=SLOW)
    assert await state(desk, ref) != "pending"


async def test_dispatch_undone_in_time_is_not_sent(escalated: Escalated, sit_down: SitDown) -> None:
    title, ref = await escalated()
    desk = await dispatching(sit_down, title)
    await choose_the_water_bureau(desk)
    await desk.keys("Control+Enter")
    await desk.page.get_by_text("待发出").wait_for()
    await desk.keys("z")
    await expect(desk.page.get_by_text("没有交办，写的内容还在")).to_be_visible()
    await desk.page.wait_for_timeout(5_500)  # longer than an act is held
    assert await state(desk, ref) == "pending"
    await desk.finds(ref)
    await desk.keys("d")
    await expect(desk.page.get_by_label("主办单位", exact=True)).to_have_value("县水务局")


async def test_dispatch_on_an_older_version_is_refused_and_sent_again(
    escalated: Escalated, sit_down: SitDown
) -> None:
    title, ref = await escalated()
    desk = await dispatching(sit_down, title)
    await choose_the_water_bureau(desk)
    await acts(desk.site, "lingdao", ref, "instruct", instruction="请先送水上门")
    await desk.keys("Control+Enter")
    refused = desk.page.get_by_role("alert").filter(has_text=title)
    await expect(refused).to_contain_text("已有新的变化", timeout=SLOW)
    assert await state(desk, ref) == "pending"
    await refused.get_by_role("button", name="打开").click()
    await expect(desk.page.get_by_text("请先送水上门")).to_be_visible()
    await expect(desk.page.get_by_label("主办单位", exact=True)).to_have_value("县水务局")
    await desk.keys("Control+Enter")
    await expect(desk.page.get_by_text("：已交办")).to_be_visible(timeout=SLOW)
    assert await state(desk, ref) != "pending"


async def test_dispatch_is_sent_when_the_tab_closes(
    escalated: Escalated, sit_down: SitDown
) -> None:
    title, ref = await escalated()
    desk = await dispatching(sit_down, title)
    await choose_the_water_bureau(desk)
    await desk.keys("Control+Enter")
    await desk.page.get_by_text("待发出").wait_for()
    another = await desk.page.context.new_page()
    await desk.page.close(run_before_unload=True)
    await another.wait_for_timeout(1_500)  # less than an act is held
    answer = await another.request.get(f"{desk.site}/api/v1/cases/{ref}")
    assert (await answer.json())["phase"] == "handling"


async def test_form_says_that_a_colleague_has_dispatched_meanwhile(
    escalated: Escalated, sit_down: SitDown
) -> None:
    title, ref = await escalated()
    desk = await sit_down("zhihui")
    await desk.next_in_the_list(title)
    await desk.keys("e")
    await desk.page.get_by_label("理由").first.wait_for()
    await acts(desk.site, "zhihui", ref, "dispatch", lead={"unit_code": WATER})
    await expect(desk.page.get_by_text("这件事现在不能“退回下级”了")).to_be_visible(timeout=SLOW)
    await expect(desk.page.get_by_role("button", name="确定退回下级")).to_be_disabled()


async def test_draft_survives_a_closed_tab_until_sign_out(
    escalated: Escalated, sit_down: SitDown
) -> None:
    title, ref = await escalated()
    desk = await dispatching(sit_down, title)
    await desk.page.get_by_label("交办意见").fill("一周内办结")
    address = desk.page.url
    assert ref in address
    assert address.endswith("/dispatch")
    again = await desk.page.context.new_page()
    await desk.page.close()
    await again.goto(address)
    await expect(again.get_by_label("交办意见")).to_have_value("一周内办结", timeout=SLOW)
    assert "draft" in await again.evaluate("Object.keys(localStorage).join()")
    await again.get_by_role("button", name="退出登录").click()
    await again.get_by_label("账号").wait_for()
    assert "draft" not in await again.evaluate("Object.keys(localStorage).join()")


async def test_keys_write_letters_in_a_field(escalated: Escalated, sit_down: SitDown) -> None:
    title, _ = await escalated()
    desk = await dispatching(sit_down, title)
    note = desk.page.get_by_label("交办意见")
    await note.focus()
    before = desk.page.url
    await desk.keys("j", "k", "p", "x", "?")
    await expect(note).to_have_value("jkpx?")
    assert desk.page.url == before


async def test_new_cases_wait_for_the_refresh_key(escalated: Escalated, sit_down: SitDown) -> None:
    desk = await sit_down("zhihui")
    await desk.page.get_by_role("main").wait_for()
    await desk.page.wait_for_timeout(3_500)  # what the stream tells of the minute before is no news
    title, _ = await escalated()
    await expect(desk.page.get_by_text("件有新变化")).to_be_visible(timeout=SLOW)
    await expect(desk.page.get_by_role("row", name=title)).to_have_count(0)
    await desk.keys("u")
    await expect(desk.page.get_by_text("件有新变化")).to_be_hidden()
    await expect(desk.page.get_by_role("row", name=title)).to_be_visible(timeout=SLOW)


async def test_bulk_dispatch_answers_for_each_case(escalated: Escalated, sit_down: SitDown) -> None:
    (one, first), (two, second) = await escalated(), await escalated()
    desk = await sit_down("zhihui")
    for title in (one, two):
        await desk.page.get_by_label(f"选中 {title}").check(timeout=SLOW)
    await acts(desk.site, "zhihui", second, "dispatch", lead={"unit_code": WATER})
    await desk.page.get_by_label("交办给").fill("水务")
    await desk.page.get_by_role("option", name="水务局").wait_for()
    await desk.keys("Enter")
    await desk.page.get_by_role("button", name="全部交办").click()
    await expect(desk.page.get_by_role("alert").filter(has_text=two)).to_be_visible(timeout=SLOW)
    await expect(desk.page.get_by_text("已选 1 件")).to_be_visible(timeout=SLOW)
    assert await state(desk, first) != "pending"


async def test_axe_finds_nothing_at_the_desk(escalated: Escalated, sit_down: SitDown) -> None:
    title, _ = await escalated()
    desk = await sit_down("zhihui")
    await desk.next_in_the_list(title)
    for theme in ("light", "dark"):
        await desk.page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        assert await axe_finds(desk.page) == [], theme
        await desk.keys("d")
        await desk.page.get_by_label("交办意见").wait_for()
        assert await axe_finds(desk.page) == [], f"{theme} dispatch"
        for keys in (("Escape", "?"), ("Escape", "Control+k")):
            await desk.keys(*keys)
            await desk.page.get_by_role("dialog").wait_for()
            assert await axe_finds(desk.page) == [], f"{theme} {keys}"
        await desk.keys("Escape", "g", "a")
        await desk.page.get_by_role("group", name="筛选").wait_for()
        assert await axe_finds(desk.page) == [], f"{theme} county"
        await desk.keys("/")
        await desk.page.keyboard.insert_text(title)
        await desk.keys("Enter")
        await desk.page.locator("mark").first.wait_for()
        await desk.keys("j")
        assert await axe_finds(desk.page) == [], f"{theme} search"
        await desk.keys("Escape", "Escape")
        await desk.keys("g", "j")
        await desk.next_in_the_list(title)


@pytest.mark.parametrize("width", [768, 1180, 1920])
async def test_desk_fits_narrow_and_wide_screens(
    escalated: Escalated, sit_down: SitDown, width: int
) -> None:
    title, _ = await escalated()
    desk = await sit_down("zhihui")
    await desk.page.set_viewport_size({"width": width, "height": 900})
    await desk.next_in_the_list(title)
    assert await desk.page.evaluate("document.documentElement.scrollWidth") <= width
    await desk.keys("Escape")
    await expect(desk.page.get_by_role("row", name=title)).to_be_visible()
