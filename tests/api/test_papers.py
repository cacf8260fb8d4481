"""文书: numbered without gaps for each county, kind and year, never changed, and printed from the record."""

import asyncio
import re
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text

from app import clock
from app.cases import access
from app.clock import process_now
from app.db import OWNER, Transaction, transaction
from app.matters import papers
from app.matters.papers import PaperKind
from tests.api.about_time import led_by_the_township, led_by_the_village, papers_of
from tests.api.conftest import Who
from tests.conftest import Staff
from tests.people import Person

_NUMBERS = text("""
SELECT p.number FROM paper p JOIN unit u ON u.id = p.county_id
WHERE u.code = '500153' AND p.kind = :kind AND p.year = :year ORDER BY p.number
""")
_NUMBER = re.compile(r"荣督〔\d{4}〕(\d+)号")


async def supervised(who: Who, by: Person) -> tuple[str, dict[str, str]]:
    """The reference of a case, and its 督办单."""
    ref = await led_by_the_village(who)
    await by.does(f"/cases/{ref}/supervise", demand="三日内恢复供水\n并说明原因", days=3)
    return ref, (await papers_of(by, ref))[0]


async def numbers(kind: PaperKind) -> list[int]:
    year = process_now().astimezone(clock.SHANGHAI).year
    async with transaction() as tx:
        return [row.number for row in await tx.all(_NUMBERS, kind=kind, year=year)]


async def test_papers_issued_at_once_have_numbers_without_gap_or_repeat(who: Who) -> None:
    leader, center = await who("lingdao"), await who("zhihui")
    refs = [await led_by_the_village(who) for _ in range(8)]
    body = {"demand": "三日内恢复供水", "days": 3}
    answers = await asyncio.gather(
        *(
            person.post(f"/cases/{ref}/supervise", body)
            for ref in refs
            for person in (leader, center)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 8 + [409] * 8
    given = await numbers(PaperKind.SUPERVISION)
    assert given == list(range(1, len(given) + 1))


async def test_number_that_was_undone_is_given_out_again(
    tx: Transaction, staff: Staff, who: Who
) -> None:
    leader = await who("lingdao")
    ref, paper = await supervised(who, leader)
    before = int(_NUMBER.findall(paper["number"])[0])
    dossier = await access.lock_case(tx, ref, by=await staff("lingdao"))
    undone = await papers.issue(tx, dossier.matter, PaperKind.SUPERVISION, await tx.now())
    assert undone.number == before + 1
    await tx.roll_back()
    _, again = await supervised(who, leader)
    assert int(_NUMBER.findall(again["number"])[0]) == before + 1


async def test_each_kind_and_each_year_begins_with_one(
    tx: Transaction, staff: Staff, who: Who
) -> None:
    ref = await led_by_the_village(who)
    dossier = await access.lock_case(tx, ref, by=await staff("lingdao"))
    now = await tx.now()
    then = now.replace(year=now.year + 40)
    issued = [await papers.issue(tx, dossier.matter, kind, then) for kind in PaperKind]
    second = await papers.issue(tx, dossier.matter, PaperKind.LISTING, then)
    assert [paper.name for paper in issued] == [
        f"荣{mark}〔{then.year}〕1号"
        for mark in ("延", "督", "挂", "收", "补", "不受", "转", "交", "意", "复", "核")
    ]
    assert second.name == f"荣挂〔{then.year}〕2号"


async def test_paper_prints_what_the_record_says_and_runs_no_script(who: Who) -> None:
    leader = await who("lingdao")
    title = "<script>alert(1)</script>停水"
    ref = await led_by_the_village(who, title=title)
    await leader.does(f"/cases/{ref}/supervise", demand="<b>限期</b>恢复\n并说明", days=3)
    detail = await leader.sees(f"/cases/{ref}")
    (paper,) = await papers_of(leader, ref)
    entry = detail["timeline"][-1]
    assert (entry["data"]["paper"], entry["at"]) == (paper["number"], paper["issued_at"])
    page = await leader.get(f"/cases/{ref}/papers/{paper['id']}")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script" not in page.text
    assert "<b>" not in page.text
    assert "&lt;b&gt;限期&lt;/b&gt;恢复<br>并说明" in page.text
    for told in (
        paper["number"],
        "荣昌区督办单",
        ref,
        "工农茶叶产业社区居民委员会：",
        "荣昌区<br>",
    ):
        assert told in page.text


async def test_paper_is_there_for_those_who_see_its_case_and_under_no_other_case(
    who: Who,
) -> None:
    leader, cadre = await who("lingdao"), await who("gongnong")
    ref, paper = await supervised(who, leader)
    other, _ = await supervised(who, leader)
    path = f"/cases/{ref}/papers/{paper['id']}"
    assert (await cadre.get(path)).status_code == 200
    for account in ("ronglong", "shuiwu", "admin"):
        hidden = await (await who(account)).get(path)
        absent = await (await who(account)).get(f"/cases/{ref}/papers/{uuid4()}")
        assert (hidden.status_code, hidden.content) == (404, absent.content)
    assert (await cadre.get(f"/cases/{other}/papers/{paper['id']}")).status_code == 404
    assert (await cadre.get(f"/cases/{ref}/papers/1")).status_code == 422


async def test_what_was_erased_is_no_longer_printed(who: Who) -> None:
    leader = await who("lingdao")
    ref, paper = await supervised(who, leader)
    async with transaction() as tx:
        await tx.act_as(OWNER)
        await tx.execute(
            text("""UPDATE record_text SET text = NULL WHERE field = 'demand'
                    AND matter_id = (SELECT id FROM grievance WHERE ref = :ref)"""),
            ref=ref,
        )
    page = await leader.get(f"/cases/{ref}/papers/{paper['id']}")
    assert "三日内" not in page.text
    assert "（已依法删除）" in page.text


@pytest.mark.parametrize(
    "statement", ["UPDATE paper SET number = 99", "DELETE FROM paper", "TRUNCATE paper"]
)
async def test_database_refuses_to_change_a_paper(
    tx: Transaction, who: Who, statement: str
) -> None:
    await supervised(who, await who("lingdao"))
    await tx.act_as(OWNER)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await tx.execute(text(statement))


async def printed(person: Person, ref: str, kind: str) -> str:
    """The page of the newest paper of that kind."""
    paper = (await papers_of(person, ref, kind))[-1]
    page = await person.get(f"/cases/{ref}/papers/{paper['id']}")
    assert page.status_code == 200
    assert paper["number"] in page.text
    return page.text


async def test_receipt_bears_the_cases_own_number(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    page = await printed(cadre, ref, "receipt")
    for told in ("荣昌区受理回执", ref, "反映人：", "13栋到17栋", "工农茶叶产业社区居民委员会<br>"):
        assert told in page


async def test_each_step_that_is_told_on_paper_has_one_with_its_words(who: Who) -> None:
    cadre, clerk, center = await who("gongnong"), await who("guangshun"), await who("zhihui")
    declined, sent = await cadre.registers(), await cadre.registers()
    for ref in (declined, sent):
        await cadre.does(f"/cases/{ref}/escalate", finding="社区无法解决")
    await clerk.does(f"/cases/{declined}/request-supplement", missing="房屋编号")
    detail = await cadre.sees(f"/cases/{declined}")
    until = next(one for one in detail["clocks"] if one["stage"] == "supplement")["due_at"][:10]
    page = await printed(cadre, declined, "supplement")
    assert "补正告知书" in page
    assert "房屋编号" in page
    assert "{}年{}月{}日 前一次补齐".format(*map(int, until.split("-"))) in page
    await clerk.does(f"/cases/{declined}/decline", reason="已进入诉讼", basis="《信访工作条例》")
    page = await printed(cadre, declined, "refusal")
    for told in ("不予受理告知书", "已进入诉讼", "《信访工作条例》", "广顺街道<br>"):
        assert told in page
    await clerk.does(f"/cases/{sent}/send-down", to_code="500153003007", reason="属社区职责")
    page = await printed(cadre, sent, "transfer")
    for told in ("转办单", "属社区职责", "工农茶叶产业社区居民委员会：", "广顺街道<br>"):
        assert told in page
    given = await led_by_the_township(who)
    page = await printed(center, given, "dispatch")
    for told in ("交办单", "荣隆镇：", "县水务局：检修管网", "一周内办结"):
        assert told in page
    await (await who("shuiwu")).does(f"/cases/{given}/sign")
    await (await who("shuiwu")).does(f"/cases/{given}/assist-answer", answer="已修复")
    await (await who("ronglong")).does(f"/cases/{given}/answer", outcome="solved", answer="已恢复供水")  # fmt: skip
    page = await printed(center, given, "opinion")
    for told in ("处理意见书", "“已解决”", "已恢复供水", "复查", "荣隆镇<br>"):
        assert told in page
    assert "依据" not in page, "what was not written is left out"


async def test_sealed_case_has_a_receipt_and_no_number_of_any_series(who: Who) -> None:
    inspector = await who("jiwei")
    ref = await (await who("gongnong")).registers(kind="accusation", title="检举")
    await inspector.does(f"/cases/{ref}/request-supplement", missing="时间")
    await inspector.does(f"/cases/{ref}/decline", reason="不属实", basis="条例")
    detail = await inspector.sees(f"/cases/{ref}")
    assert [paper["kind"] for paper in detail["papers"]] == ["receipt"]
    assert await printed(inspector, ref, "receipt")
