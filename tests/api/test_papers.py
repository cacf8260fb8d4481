"""文书: numbered without gaps for each county, kind and year, never changed, and printed from the record."""

import asyncio
import re
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text

from app import clock
from app.cases import access, papers
from app.cases.papers import PaperKind
from app.clock import process_now
from app.db import OWNER, Transaction, transaction
from tests.api.about_time import led_by_the_village
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
    return ref, (await by.sees(f"/cases/{ref}"))["papers"][0]


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


async def test_a_number_that_was_undone_is_given_out_again(
    tx: Transaction, staff: Staff, who: Who
) -> None:
    leader = await who("lingdao")
    ref, paper = await supervised(who, leader)
    before = int(_NUMBER.findall(paper["number"])[0])
    dossier = await access.lock_case(tx, ref, by=await staff("lingdao"))
    undone = await papers.issue(tx, dossier, PaperKind.SUPERVISION, await tx.now())
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
    issued = [await papers.issue(tx, dossier, kind, then) for kind in PaperKind]
    second = await papers.issue(tx, dossier, PaperKind.LISTING, then)
    assert [paper.name for paper in issued] == [
        f"荣{mark}〔{then.year}〕1号" for mark in ("延", "督", "挂")
    ]
    assert second.name == f"荣挂〔{then.year}〕2号"


async def test_a_paper_prints_what_the_record_says_and_runs_no_script(who: Who) -> None:
    leader = await who("lingdao")
    title = "<script>alert(1)</script>停水"
    ref = await led_by_the_village(who, title=title)
    await leader.does(f"/cases/{ref}/supervise", demand="<b>限期</b>恢复\n并说明", days=3)
    detail = await leader.sees(f"/cases/{ref}")
    (paper,) = detail["papers"]
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


async def test_a_paper_is_there_for_those_who_see_its_case_and_under_no_other_case(
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
        await tx.execute(
            text("""UPDATE event_text SET text = NULL WHERE field = 'demand'
                    AND case_id = (SELECT id FROM grievance WHERE ref = :ref)"""),
            ref=ref,
        )
    page = await leader.get(f"/cases/{ref}/papers/{paper['id']}")
    assert "三日内" not in page.text
    assert "（已依法删除）" in page.text


@pytest.mark.parametrize(
    "statement", ["UPDATE paper SET number = 99", "DELETE FROM paper", "TRUNCATE paper"]
)
async def test_the_database_refuses_to_change_a_paper(
    tx: Transaction, who: Who, statement: str
) -> None:
    await supervised(who, await who("lingdao"))
    await tx.act_as(OWNER)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await tx.execute(text(statement))
