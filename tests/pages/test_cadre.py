"""What staff do on a phone: sign in, see what must be done now, register and act, also without a network."""

import secrets
from pathlib import Path

import httpx
from playwright.async_api import expect

from qungong.dev.sample import PASSWORD
from tests.pages.conftest import SLOW, VILLAGE, Cadre, NewPhone, SignIn, type_password

WATER = "13至17栋已经三天没有自来水"
FINDING = "已到现场核实，供水主管在荣隆镇，社区无法协调。"


def something(words: str = WATER) -> str:
    """A title of its own for each test: the county is the whole session's."""
    return f"{secrets.token_hex(3)}号{words}"


async def acts(site: str, account: str, ref: str, action: str, **body: object) -> None:
    """What somebody else does to a case meanwhile, by the same interface."""
    async with httpx.AsyncClient(base_url=f"{site}/m/v1") as client:
        signing = {"account": account, "password": PASSWORD}
        token = (await client.post("/cadre/sign-in", json=signing)).json()["token"]
        client.cookies.clear()
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_hex(8)}
        answer = await client.post(f"/cadre/cases/{ref}/{action}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text


async def test_wrong_password_is_told_and_nothing_is_lost(new_phone: NewPhone) -> None:
    phone = await new_phone()
    await phone.page.goto(f"{phone.site}/m/")
    await type_password(phone.page, "gongnong", "wrong-password")
    await expect(phone.page.get_by_role("alert")).to_be_visible()
    await expect(phone.page.get_by_label("账号")).to_have_value("gongnong")


async def test_home_says_in_whose_name_and_for_which_unit_one_acts(cadre: Cadre) -> None:
    await expect(cadre.page.get_by_role("heading", name="工农茶叶产业社区")).to_be_visible()
    await expect(cadre.page.get_by_text("陈桂芳")).to_be_visible()
    await expect(cadre.page.get_by_role("button", name="待研判")).to_be_visible()
    assert cadre.phone.wrong == []


async def test_person_with_two_posts_chooses_one_and_changes_to_the_other(
    new_phone: NewPhone,
) -> None:
    phone = await new_phone()
    await phone.page.goto(f"{phone.site}/m/")
    await type_password(phone.page, "jianzhi")
    await phone.page.get_by_role("button", name="县信访办公室").click()
    await expect(phone.page.get_by_role("heading", name="县信访办公室")).to_be_visible()
    await phone.page.goto(f"{phone.site}/m/#/me")
    await phone.page.get_by_role("button", name="安富街道").click()
    await expect(phone.page.get_by_role("heading", name="安富街道")).to_be_visible()
    await phone.page.get_by_role("button", name="我登记的").click()
    await expect(phone.page.get_by_text("您代群众登记的事会出现在这里")).to_be_visible()


async def test_post_switched_in_another_tab_is_not_acted_in(new_phone: NewPhone) -> None:
    phone, words = await new_phone(), something()
    page = phone.page
    await page.goto(f"{phone.site}/m/")
    await type_password(page, "jianzhi")
    await page.get_by_role("button", name="安富街道").click()
    await page.goto(f"{phone.site}/m/#/register")
    await page.get_by_label("反映人").fill("王大爷")
    await page.get_by_label("什么事").fill(words)
    other = await phone.context.new_page()
    await other.goto(f"{phone.site}/m/#/me")
    await other.get_by_role("button", name="县信访办公室").click()
    await expect(other.get_by_role("heading", name="县信访办公室")).to_be_visible()
    await page.get_by_role("button", name="登记", exact=True).click()
    await expect(page.get_by_text("这里也已切换")).to_be_visible(timeout=SLOW)
    await page.goto(f"{phone.site}/m/#/waiting")
    await expect(page.get_by_text("还有 1 件没有发出")).to_be_visible()
    await expect(page.get_by_text(words)).to_have_count(0)
    await page.goto(f"{phone.site}/m/#/me")
    await page.get_by_role("button", name="安富街道").click()
    await page.goto(f"{phone.site}/m/#/")
    await page.get_by_role("button", name="我登记的").click()
    await expect(page.get_by_role("link", name=words)).to_have_count(1, timeout=SLOW)


async def test_cadre_is_told_before_registering_that_the_number_is_a_units(
    cadre: Cadre, site: str
) -> None:
    number = f"139{secrets.randbelow(10**8):08d}"
    async with httpx.AsyncClient(base_url=f"{site}/api/v1") as client:
        signing = {"account": "admin", "password": PASSWORD}
        token = (await client.post("/sessions", json=signing)).json()["token"]
        client.cookies.clear()
        entered = await client.post(
            "/official-numbers",
            json={"phone": number, "unit_code": VILLAGE},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert entered.is_success, entered.text
    page = cadre.page
    await cadre.open("/register")
    await page.get_by_label("反映人").fill("王大爷")
    await page.get_by_label("本人电话").fill(number)
    await expect(page.get_by_text("这个号码是单位或工作人员的")).to_be_visible()
    await page.get_by_label("本人电话").fill(f"138{secrets.randbelow(10**8):08d}")
    await expect(page.get_by_text("办理进展会发短信到这个号码")).to_be_visible()
    assert cadre.phone.wrong == []


async def test_cadre_registers_and_escalates_in_one_go(cadre: Cadre, photo: Path) -> None:
    page, words = cadre.page, something()
    await cadre.open("/register")
    await page.locator("input[multiple]").set_input_files(photo)
    await page.get_by_alt_text("第 1 张照片").wait_for()
    await page.get_by_label("反映人").fill("买买提·吐尔逊")
    await page.get_by_label("本人电话").fill("13983001234")
    await page.get_by_label("什么事").fill(words)
    await page.get_by_role("button", name="登记", exact=True).click()
    await expect(page.get_by_text("查询码", exact=True)).to_be_visible(timeout=SLOW)
    await page.get_by_role("link", name="接着研判").click()
    await expect(page.get_by_role("link", name="打给买买提·吐尔逊")).to_be_visible()
    await expect(page.get_by_alt_text("第 1 张照片")).to_be_visible()
    await page.get_by_role("button", name="上报").click()
    await page.get_by_label("核实情况和为何解决不了").fill(FINDING)
    await page.get_by_role("button", name="确定上报").click()
    await expect(page.get_by_text("在 广顺街道")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text(FINDING)).to_be_visible()
    assert cadre.phone.wrong == []


async def test_case_registered_offline_is_sent_once(cadre: Cadre) -> None:
    page, words = cadre.page, something()
    await cadre.open("/register")
    await cadre.phone.context.set_offline(True)
    await page.get_by_label("反映人").fill("王大爷")
    await page.get_by_label("什么事").fill(words)
    await page.get_by_role("button", name="登记", exact=True).click()
    await expect(page.get_by_text("有网后自动登记")).to_be_visible()
    await cadre.phone.context.set_offline(False)
    await expect(page.get_by_text("查询码", exact=True)).to_be_visible(timeout=SLOW)
    await cadre.open("/")
    await page.get_by_role("button", name="待研判").click()
    await expect(page.get_by_role("link", name=words)).to_have_count(1)


async def test_words_survive_a_killed_page(cadre: Cadre) -> None:
    await cadre.open("/register")
    await cadre.page.get_by_label("什么事").fill("下水道堵了")
    killed = cadre.page
    page = await cadre.phone.context.new_page()
    await killed.close()
    await page.goto(f"{cadre.phone.site}/m/#/register")
    await expect(page.get_by_label("什么事")).to_have_value("下水道堵了")


async def test_ended_session_asks_again_and_keeps_what_is_typed(cadre: Cadre) -> None:
    page, words = cadre.page, something()
    await cadre.open("/register")
    await page.get_by_label("反映人").fill("王大爷")
    await page.get_by_label("什么事").fill(words)
    await cadre.phone.context.clear_cookies()
    await page.get_by_role("button", name="登记", exact=True).click()
    await expect(page.get_by_text("登录已过期")).to_be_visible(timeout=SLOW)
    await page.get_by_label("密码", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="登录", exact=True).click()
    await expect(page.get_by_text("查询码", exact=True)).to_be_visible(timeout=SLOW)


async def test_what_changed_is_shown_when_somebody_was_faster(cadre: Cadre) -> None:
    page = cadre.page
    ref = await cadre.registered(something())
    await cadre.case(ref)
    await page.get_by_role("button", name="上报").click()
    await page.get_by_label("核实情况和为何解决不了").fill(FINDING)
    await cadre.phone.context.set_offline(True)
    await page.get_by_role("button", name="确定上报").click()
    await expect(page.get_by_text("上报：等网络恢复后自动发出")).to_be_visible()
    await acts(cadre.phone.site, "gongnong", ref, "recategorise", kind="complaint", reason="属投诉")
    await cadre.phone.context.set_offline(False)
    asked = page.get_by_role("alert").filter(has_text="没有办成")
    await expect(asked).to_contain_text("已有新的变化", timeout=SLOW)
    await expect(asked).to_contain_text("属投诉")
    await expect(asked).to_contain_text(FINDING)
    await asked.get_by_role("button", name="仍然提交").click()
    await expect(page.get_by_text("在 广顺街道")).to_be_visible(timeout=SLOW)


async def test_village_sees_no_county_and_department_registers_nothing(signed_in: SignIn) -> None:
    village = await signed_in("gongnong")
    await expect(village.page.get_by_role("link", name="全县")).to_have_count(0)
    department = await signed_in("shuiwu")
    await expect(department.page.get_by_role("link", name="代登记")).to_have_count(0)


async def test_leader_presses_with_one_tap_and_instructs(signed_in: SignIn, cadre: Cadre) -> None:
    words = something()
    ref = await cadre.registered(words)
    leader = await signed_in("lingdao")
    page = leader.page
    await leader.open("/county")
    await page.get_by_text("按单位、地方、时间查").click()
    await page.get_by_label("发生在哪个镇街或村").fill("工农茶叶")
    await page.get_by_role("button", name="工农茶叶产业社区").click()
    row = page.get_by_role("article").filter(has_text=words)
    await row.get_by_role("button", name="催办").click()
    await row.get_by_role("link", name="批示").click()
    await page.get_by_label("批示").fill("请今日内先送水上门。")
    await page.get_by_role("button", name="确定批示").click()
    await row.wait_for()
    await leader.case(ref)
    await expect(page.get_by_text("请今日内先送水上门。")).to_be_visible(timeout=SLOW)
    await expect(page.get_by_text("催办 1 次")).to_be_visible(timeout=SLOW)
    assert leader.phone.wrong == []


async def test_press_taken_back_in_time_is_never_sent(signed_in: SignIn, cadre: Cadre) -> None:
    words = something()
    ref = await cadre.registered(words)
    leader = await signed_in("lingdao")
    await leader.open("/county")
    row = leader.page.get_by_role("article").filter(has_text=words)
    await row.get_by_role("button", name="催办").click()
    await leader.page.get_by_role("button", name="撤销").click()
    await leader.page.wait_for_timeout(5_000)
    await leader.case(ref)
    await expect(leader.page.get_by_text("催办 1 次")).to_have_count(0)


async def test_accusation_leaves_nothing_to_follow_on_the_phone(cadre: Cadre) -> None:
    page, words = cadre.page, something("举报某单位收费不开票")
    await cadre.open("/register")
    await page.get_by_label("反映人").fill("赵秘密")
    await page.get_by_label("什么事").fill(words)
    await page.get_by_role("radio", name="检举控告").check(force=True)
    await page.get_by_role("button", name="登记", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("须先确认")
    await page.get_by_label("我已知悉须保密").check()
    await page.get_by_role("button", name="登记", exact=True).click()
    await expect(page.get_by_text("已保密登记")).to_be_visible(timeout=SLOW)
    kept = await page.evaluate(_ALL_KEPT)
    assert words not in kept


async def test_app_opens_without_a_network(cadre: Cadre) -> None:
    page = cadre.page
    await page.evaluate(_CONTROLLED)
    await cadre.phone.context.set_offline(True)
    await page.reload()
    await expect(page.get_by_role("heading", name="工农茶叶产业社区")).to_be_visible()
    await page.get_by_role("link", name="代登记").click()
    await expect(page.get_by_label("什么事")).to_be_visible()
    kept = await page.evaluate(_CACHED)
    assert kept
    assert not [address for address in kept if "/m/v1" in address]


async def test_signing_out_leaves_no_case_on_the_shared_phone(cadre: Cadre) -> None:
    page, words = cadre.page, something()
    await cadre.registered(words)
    await cadre.open("/me")
    await page.get_by_role("button", name="退出登录").click()
    await page.get_by_role("button", name="退出", exact=True).click()
    await expect(page.get_by_label("账号")).to_be_visible()
    assert words not in await page.evaluate(_ALL_KEPT)
    assert not [one for one in await cadre.phone.context.cookies() if "staff" in str(one)]


async def test_shared_phone_locks_when_idle_and_a_pin_unlocks_it(new_phone: NewPhone) -> None:
    phone = await new_phone()
    page = phone.page
    await page.clock.install()
    await page.goto(f"{phone.site}/m/")
    await type_password(page, "gongnong")
    await page.get_by_role("link", name="我的").click()
    await page.get_by_role("button", name="设置 PIN").click()
    await page.get_by_label("PIN", exact=True).fill("480931")
    await page.get_by_label("再填一次").fill("480931")
    await page.get_by_role("button", name="设好 PIN").click()
    await expect(page.get_by_text("五分钟不用，自动锁定")).to_be_visible()
    await page.clock.fast_forward("05:30")
    await page.get_by_role("button", name="陈桂芳").click()
    await page.get_by_label("PIN", exact=True).fill("480932")
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.get_by_label("PIN", exact=True).fill("480931")
    await expect(page.get_by_role("navigation", name="主要页面")).to_be_visible()
    await page.get_by_role("link", name="要办").click()
    await page.get_by_role("button", name="锁定").click()
    await expect(page.get_by_text("现在谁来用")).to_be_visible()


async def test_files_of_the_app_are_served_with_their_headers(site: str) -> None:
    async with httpx.AsyncClient(base_url=site) as client:
        shell = await client.get("/m/")
        assert (shell.status_code, shell.headers["cache-control"]) == (200, "no-cache")
        worker = await client.get("/m/sw.js")
        assert worker.headers["content-type"].startswith("text/javascript")
        assert worker.headers["cache-control"] == "no-cache"
        assert "/m/v1" not in worker.text
        manifest = await client.get("/m/manifest.webmanifest")
        assert manifest.headers["content-type"] == "application/manifest+json"
        assert (manifest.json()["scope"], manifest.json()["start_url"]) == ("/m/", "/m/")
        for icon in manifest.json()["icons"]:
            assert (await client.get(icon["src"])).headers["content-type"] == "image/png"
        bare = await client.get("/m")
        assert (bare.status_code, bare.headers["location"]) == (308, "/m/")
        assert (await client.get("/m/v1/cadre/me")).status_code == 401


_ALL_KEPT = """
async () => {
  const database = await new Promise((done) => {
    const asked = indexedDB.open('qungong-cadre')
    asked.onsuccess = () => done(asked.result)
  })
  const kept = []
  for (const name of database.objectStoreNames) {
    const asked = database.transaction(name).objectStore(name).getAll()
    kept.push(await new Promise((done) => { asked.onsuccess = () => done(asked.result) }))
  }
  return JSON.stringify(kept) + JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage })
}
"""
_CONTROLLED = """
async () => {
  if (navigator.serviceWorker.controller) return
  await new Promise((done) => navigator.serviceWorker.addEventListener('controllerchange', done))
}
"""
_CACHED = """
async () => {
  const names = await caches.keys()
  const kept = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()))
  return kept.flat().map((request) => request.url)
}
"""


async def test_leader_goes_from_the_county_to_a_village_and_its_cases(
    signed_in: SignIn, cadre: Cadre
) -> None:
    words = something()
    await cadre.registered(words)
    leader = await signed_in("lingdao")
    await leader.open("/county")
    tiles = leader.page.get_by_role("list", name="各地未办结的")
    await tiles.get_by_role("button", name="广顺街道").click()
    await tiles.get_by_role("button", name="工农茶叶产业").click()
    await expect(leader.page.get_by_role("link", name=words)).to_be_visible(timeout=SLOW)
    await leader.page.get_by_role("button", name="全县", exact=True).click()
    await expect(tiles.get_by_role("button", name="广顺街道")).to_be_visible()
    assert leader.phone.wrong == []
