"""What a citizen does on a phone: report, prove the number once, follow, evaluate."""

from pathlib import Path

from playwright.async_api import expect

from tests.pages.conftest import Colleague, NewPhone, Phone

WATER = "13至17栋已经三天没有自来水，老人小孩都要到外面提水。"

_KEPT = """async () => {
  const names = await caches.keys()
  const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()))
  return requests.flat().map((request) => new URL(request.url).pathname)
}"""


async def sign_in(phone: Phone) -> None:
    await phone.writes("手机号", phone.number)
    await phone.page.get_by_role("button", name="获取验证码").click()
    await phone.page.get_by_label("验证码", exact=True).wait_for()
    await phone.writes("验证码", await phone.code())


async def report(phone: Phone, words: str = WATER) -> None:
    await phone.scan()
    await phone.page.get_by_role("button", name="我要反映").click()
    await phone.writes("什么事", words)
    await phone.page.get_by_role("button", name="发送").click()


async def test_new_citizen_reports_with_a_photo_and_one_code(phone: Phone, photo: Path) -> None:
    page = phone.page
    await phone.scan()
    await page.get_by_role("button", name="我要反映").click()
    await page.get_by_label("什么事").fill(WATER)
    await page.locator("input[multiple]").set_input_files(photo)
    await page.get_by_alt_text("第 1 张照片").wait_for()
    await page.get_by_role("button", name="发送").click()
    await sign_in(phone)
    await expect(page.get_by_text("已收到")).to_be_visible()
    await page.get_by_role("button", name="看办理进度").click()
    await expect(page.get_by_role("heading", name="13至17栋已经三天没有自来水")).to_be_visible()
    await expect(page.get_by_text("下一步：")).to_be_visible()
    await expect(page.get_by_alt_text("第 1 张照片")).to_have_count(1)
    assert phone.wrong == []


async def test_known_citizen_reports_in_three_taps(phone: Phone) -> None:
    await report(phone)
    await sign_in(phone)
    await phone.page.get_by_text("已收到").wait_for()
    await report(phone, "路灯坏了")
    await expect(phone.page.get_by_text("已收到")).to_be_visible()
    assert await phone.taps() <= 3


async def test_new_citizen_reports_in_five_taps(phone: Phone) -> None:
    await report(phone)
    await sign_in(phone)
    await expect(phone.page.get_by_text("已收到")).to_be_visible()
    assert await phone.taps() <= 5


async def test_report_written_offline_sends_itself_when_the_network_is_back(phone: Phone) -> None:
    await report(phone)
    await sign_in(phone)
    await phone.page.get_by_text("已收到").wait_for()
    await phone.scan()
    await phone.page.get_by_role("button", name="我要反映").click()
    await phone.page.get_by_label("什么事").fill("下水道堵了")
    await phone.context.set_offline(True)
    await phone.page.get_by_role("button", name="发送").click()
    await expect(phone.page.get_by_text("等网络恢复后自动发出")).to_be_visible()
    await phone.page.get_by_role("button", name="回到首页").click()
    await expect(phone.page.get_by_text("1 件待发送")).to_be_visible()
    await phone.context.set_offline(False)
    await expect(phone.page.get_by_text("1 件待发送")).to_be_hidden(timeout=20_000)
    await phone.page.get_by_role("button", name="查进度").click()
    await expect(phone.page.get_by_role("button", name="下水道堵了")).to_have_count(1)


async def test_words_survive_a_killed_page(phone: Phone) -> None:
    await phone.scan()
    await phone.page.get_by_role("button", name="我要反映").click()
    await phone.page.get_by_label("什么事").fill("垃圾没人收")
    killed = phone.page
    page = await phone.context.new_page()
    await killed.close()
    await page.goto(f"{phone.site}/q/500153003007#/report")
    await expect(page.get_by_label("什么事")).to_have_value("垃圾没人收")


async def test_forgotten_phone_keeps_nothing(phone: Phone) -> None:
    await report(phone)
    await sign_in(phone)
    await phone.page.get_by_text("已收到").wait_for()
    await phone.page.get_by_role("button", name="字号与设置").click()
    await phone.page.get_by_role("button", name="清除这部手机上的记录").click()
    await phone.page.get_by_role("button", name="清除", exact=True).click()
    await expect(phone.page.get_by_text("凭编号和查询码")).to_be_visible()
    await phone.page.goto(f"{phone.site}/t")
    await phone.page.goto(f"{phone.site}/q/500153003007#/mine")
    await expect(phone.page.get_by_label("手机号")).to_be_visible()
    cookies = await phone.context.cookies()
    assert [cookie for cookie in cookies if "citizen" in str(cookie.get("name"))] == []


async def test_wrong_code_says_so_and_keeps_the_report(phone: Phone) -> None:
    await report(phone)
    await phone.page.get_by_label("手机号").fill(phone.number)
    await phone.page.get_by_role("button", name="获取验证码").click()
    await phone.page.get_by_label("验证码", exact=True).fill("000000")
    await expect(phone.page.get_by_role("alert")).to_contain_text("验证码不正确")
    await phone.page.get_by_label("验证码", exact=True).fill(await phone.code())
    await expect(phone.page.get_by_text("已收到")).to_be_visible()


async def test_report_of_one_person_waits_when_another_signs_in(new_phone: NewPhone) -> None:
    """A shared phone: what one wrote offline is never sent under the other's name."""
    phone = await new_phone()
    await report(phone)
    await sign_in(phone)
    await phone.page.get_by_text("已收到").wait_for()
    await phone.context.set_offline(True)
    await phone.page.get_by_role("button", name="回到首页").click()
    await phone.page.get_by_role("button", name="我要反映").click()
    await phone.page.get_by_label("什么事").fill("第一个人写的")
    await phone.page.get_by_role("button", name="发送").click()
    await phone.page.get_by_text("等网络恢复后自动发出").wait_for()
    await phone.page.evaluate("localStorage.setItem('qungong.known', '138****0000')")
    await phone.context.set_offline(False)
    await phone.page.reload()
    await expect(phone.page.get_by_text("请用这个号码验证")).to_be_visible()


async def reported(phone: Phone) -> str:
    """The number of a report that was sent from this phone; its progress is open."""
    await report(phone)
    await sign_in(phone)
    await phone.page.get_by_role("button", name="看办理进度").click()
    await phone.page.get_by_role("heading", name="办理过程").wait_for()
    return phone.page.url.rsplit("/", 1)[1]


async def test_citizen_evaluates_and_puts_it_right(phone: Phone, village_cadre: Colleague) -> None:
    page = phone.page
    ref = await reported(phone)
    await village_cadre.does(f"/cases/{ref}/handle")
    await village_cadre.does(f"/cases/{ref}/answer", outcome="solved", answer="已恢复供水。")
    await phone.is_asked(ref)
    await page.reload()
    await expect(page.get_by_text("已恢复供水。")).to_be_visible()
    await page.get_by_role("radio", name="基本满意").check()
    await page.get_by_role("button", name="提交评价").click()
    await expect(page.get_by_text("感谢您的评价")).to_be_visible()
    await page.get_by_role("radio", name="不满意", exact=True).check()
    await page.get_by_label("想说的话").fill("又停水了")
    await page.get_by_role("button", name="更改评价").click()
    await expect(page.get_by_text("感谢您的评价")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("radio", name="不满意", exact=True)).to_be_checked()


async def test_citizen_presses_once_and_learns_of_the_cool_down(phone: Phone) -> None:
    page = phone.page
    await reported(phone)
    await page.get_by_role("button", name="催办", exact=True).click()
    await page.get_by_label("催办的话").fill("老人等水用")
    await page.get_by_role("button", name="确定催办").click()
    await expect(page.get_by_text("老人等水用")).to_be_visible()
    await expect(page.get_by_role("button", name="催办", exact=True)).to_be_hidden()


async def test_progress_is_found_by_number_and_query_code(new_phone: NewPhone) -> None:
    reporter, other = await new_phone(), await new_phone()
    await report(reporter)
    await sign_in(reporter)
    await reporter.page.get_by_text("已收到").wait_for()
    numbers = await reporter.page.locator(".receipt dd").all_inner_texts()
    await other.scan()
    await other.page.get_by_role("button", name="查进度").click()
    await other.page.get_by_label("事件编号").fill(numbers[0].replace("-", ""))
    await other.page.get_by_label("查询码", exact=True).fill(numbers[1].lower())
    await other.page.get_by_role("button", name="查询").click()
    await expect(
        other.page.get_by_role("heading", name="13至17栋已经三天没有自来水")
    ).to_be_visible()
    await other.page.get_by_label("查询码", exact=True).fill("AAAAAAAA")
    await other.page.get_by_role("button", name="查询").click()
    await expect(other.page.get_by_text("没有查到")).to_be_visible()


async def test_page_opens_without_a_network_once_it_was_opened_with_one(phone: Phone) -> None:
    page = phone.page
    await phone.scan()
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await page.wait_for_function(
        "caches.keys().then((names) => names.some((name) => name.startsWith('citizen-')))"
    )
    await page.reload()  # the first page that the worker keeps
    await phone.context.set_offline(True)
    await page.reload()
    await page.get_by_role("button", name="我要反映").click()
    await page.get_by_label("什么事").fill("山洪冲了路")
    await page.get_by_role("button", name="发送").click()
    await expect(page.get_by_role("heading", name="还差一步")).to_be_visible()
    await phone.context.set_offline(False)
    await sign_in(phone)
    await page.get_by_role("button", name="看办理进度").click()
    await page.get_by_role("heading", name="办理过程").wait_for()
    kept = await page.evaluate(_KEPT)
    assert {one.split("/")[1] for one in kept} == {"assets", "q"}, "no answer of the API"


async def test_recording_is_sent_and_can_be_heard(phone: Phone) -> None:
    page = phone.page
    await phone.context.grant_permissions(["microphone"])
    await phone.scan()
    await page.get_by_role("button", name="我要反映").click()
    await page.get_by_role("button", name="说一段").click()
    await page.wait_for_timeout(1500)
    await page.get_by_role("button", name="正在录音").click()
    await page.get_by_label("第 1 段录音", exact=True).wait_for()
    await page.get_by_role("button", name="发送").click()
    await sign_in(phone)
    await page.get_by_role("button", name="看办理进度").click()
    recording = page.get_by_label("第 1 段录音")
    await recording.wait_for()
    length = await recording.evaluate(
        "async (audio) => { audio.load(); await new Promise((done) => { audio.onloadeddata = done });"
        " return audio.duration > 0 }"
    )
    assert length


async def test_refused_position_says_what_to_do_instead(phone: Phone) -> None:
    page = phone.page
    await phone.scan()
    await page.get_by_role("button", name="我要反映").click()
    await page.get_by_role("button", name="用手机定位").click()
    await expect(page.get_by_text("写一下地点就行")).to_be_visible()
    await phone.context.grant_permissions(["geolocation"])
    await phone.context.set_geolocation({"latitude": 29.4, "longitude": 105.6, "accuracy": 3200})
    await page.get_by_role("button", name="用手机定位").click()
    await expect(page.get_by_text("误差约 3 公里")).to_be_visible()


async def test_report_is_confidential_when_the_citizen_asks(
    phone: Phone, village_cadre: Colleague
) -> None:
    page = phone.page
    await phone.scan()
    await page.get_by_role("button", name="我要反映").click()
    await page.get_by_label("什么事").fill("邻居违法搭建")
    await page.get_by_label("保密").check()
    await page.get_by_role("button", name="发送").click()
    await sign_in(phone)
    await page.get_by_role("button", name="看办理进度").click()
    await page.get_by_role("heading", name="邻居违法搭建").wait_for()
    ref = page.url.rsplit("/", 1)[1]
    seen = await village_cadre.sees(f"/cases/{ref}")
    assert seen["confidential"] is True
