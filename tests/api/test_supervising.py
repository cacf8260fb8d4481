"""督办 and 挂牌: by whom, on what paper, with what limit, one at a time; and never about a sealed case."""

from datetime import timedelta

import pytest

from app.calendars.working_time import Limit
from tests.api.about_time import (
    as_the_reporter_reads,
    calendar,
    clock_of,
    led_by_the_township,
    led_by_the_village,
    refused,
    verifies,
)
from tests.api.actions import BODIES
from tests.api.conftest import Who

DEMAND = BODIES["supervise"] or {}
END = timedelta(seconds=1)


@pytest.mark.parametrize("account", ["zhihui", "ducha", "lingdao"])
async def test_supervised_unit_owes_a_reply_within_the_limit_it_was_given(
    who: Who, account: str
) -> None:
    supervisor, lead = await who(account), await who("ronglong")
    ref = await led_by_the_township(who)
    before = await clock_of(lead, ref, "handle")
    await supervisor.does(f"/cases/{ref}/supervise", demand="三日内恢复供水", days=3)
    owed = await clock_of(lead, ref, "supervised_reply")
    due = (await calendar(ref)).due(owed["started_at"], Limit.parse("3wd")).at
    assert due is not None
    assert (owed["unit"], owed["due_at"], owed["yellow_at"]) == ("荣隆镇", due, due + END)
    assert owed["limit"] == "3 个工作日"
    assert await clock_of(lead, ref, "handle") == before, "no other clock is touched"
    assert "上一次督办尚未回复" in await refused(supervisor, ref, "supervise")
    await lead.does(f"/cases/{ref}/reply-supervision", reply="昨晚恢复供水")
    ended = await clock_of(lead, ref, "supervised_reply")
    assert ended["ended_at"] is not None
    assert "只有被督办单位" in await refused(lead, ref, "reply-supervision")
    assert "supervise" in (await supervisor.sees(f"/cases/{ref}"))["actions"]
    assert await verifies(ref)


async def test_nobody_replies_for_the_unit_that_was_asked(who: Who) -> None:
    ref = await led_by_the_township(who)
    await (await who("lingdao")).does(f"/cases/{ref}/supervise", **DEMAND)
    for account in ("shuiwu", "zhihui", "ducha", "lingdao", "gongnong"):
        assert "只有被督办单位" in await refused(await who(account), ref, "reply-supervision")


async def test_unit_owes_the_reply_also_after_the_case_moved_on(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    await (await who("lingdao")).does(f"/cases/{ref}/supervise", **DEMAND)
    await cadre.does(f"/cases/{ref}/escalate", finding="社区无法解决")
    assert (await cadre.sees(f"/cases/{ref}"))["actions"] == [
        "add",
        "withdraw",
        "reply_supervision",
    ]
    await cadre.does(f"/cases/{ref}/reply-supervision", reply="已上报街道")


async def test_answer_to_the_reporter_is_a_reply_too(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await led_by_the_village(who)
    await (await who("lingdao")).does(f"/cases/{ref}/supervise", **DEMAND)
    await cadre.does(f"/cases/{ref}/answer", outcome="solved", answer="已恢复供水")
    assert (await clock_of(cadre, ref, "supervised_reply"))["ended_at"] is not None


@pytest.mark.parametrize("account", ["gongnong", "ronglong", "shuiwu", "jiwei"])
@pytest.mark.parametrize("action", ["supervise", "list", "unlist"])
async def test_nobody_else_supervises_or_lists(who: Who, account: str, action: str) -> None:
    ref = await led_by_the_township(who)
    assert "只有" in await refused(await who(account), ref, action)


async def test_dispatchers_supervise_and_do_not_list(who: Who) -> None:
    ref = await led_by_the_township(who)
    center = await who("zhihui")
    assert "只有指挥中心督查员、县领导可以挂牌督办" in await refused(center, ref, "list")
    assert "supervise" in (await center.sees(f"/cases/{ref}"))["actions"]


@pytest.mark.parametrize("account", ["ducha", "lingdao"])
async def test_case_is_listed_once_and_taken_off_again(who: Who, account: str) -> None:
    supervisor = await who(account)
    ref = await led_by_the_township(who)
    assert "事件没有挂牌" in await refused(supervisor, ref, "unlist")
    await supervisor.does(f"/cases/{ref}/list", reason="停水五日")
    listed = await supervisor.sees(f"/cases/{ref}")
    assert listed["listed_at"] == listed["timeline"][-1]["at"]
    assert [paper["label"] for paper in listed["papers"]] == ["受理回执", "交办单", "挂牌督办通知"]
    assert "事件已经挂牌" in await refused(supervisor, ref, "list")
    lead = await who("ronglong")
    await (await who("shuiwu")).does(f"/cases/{ref}/sign")
    await (await who("shuiwu")).does(f"/cases/{ref}/assist-answer", answer="已修复")
    await lead.does(f"/cases/{ref}/answer", outcome="solved", answer="已恢复供水")
    await supervisor.does(f"/cases/{ref}/unlist", reason="整改到位")
    assert (await supervisor.sees(f"/cases/{ref}"))["listed_at"] is None
    assert await verifies(ref)


async def test_reporter_reads_that_it_was_supervised_and_not_in_what_words(who: Who) -> None:
    leader = await who("lingdao")
    ref = await led_by_the_village(who)
    await leader.does(f"/cases/{ref}/supervise", **DEMAND)
    await (await who("gongnong")).does(f"/cases/{ref}/reply-supervision", reply="已送水")
    await leader.does(f"/cases/{ref}/list", reason="停水五日")
    told = (await as_the_reporter_reads(ref))[-2:]
    assert [entry["label"] for entry in told] == ["荣昌区已督办", "荣昌区已挂牌督办"]
    assert [entry["texts"] for entry in told] == [{}, {}]


@pytest.mark.parametrize("action", ["supervise", "list"])
async def test_sealed_case_is_neither_supervised_nor_listed(who: Who, action: str) -> None:
    inspector = await who("ducha")
    ref = await (await who("gongnong")).registers(
        kind="accusation", title="检举监察员", accused_code="500153JW", person=None
    )
    assert "保密事件" in await refused(inspector, ref, action)


@pytest.mark.parametrize("days", [0, 16, "3", 2.5, None])
async def test_so_many_days_cannot_be_given(who: Who, days: object) -> None:
    ref = await led_by_the_village(who)
    body = {**DEMAND, "days": days}
    assert (await (await who("lingdao")).post(f"/cases/{ref}/supervise", body)).status_code == 422


async def test_supervisors_are_offered_card_only_where_another_unit_could_earn_it(
    who: Who,
) -> None:
    inspector = await who("ducha")
    cadre, clerk = await who("gongnong"), await who("guangshun")
    ref = await cadre.registers()
    assert "card" in (await inspector.sees(f"/cases/{ref}"))["actions"]
    await cadre.does(f"/cases/{ref}/escalate", finding="社区无法解决")
    await clerk.does(f"/cases/{ref}/escalate", finding="街道无法解决")
    # Now it stands with the inspector's own unit.
    assert "card" not in (await inspector.sees(f"/cases/{ref}"))["actions"]
    for account in ("gongnong", "zhihui", "lingdao"):
        offered = set((await (await who(account)).sees(f"/cases/{ref}"))["actions"])
        assert not offered & {"card", "appeal", "decide_appeal", "remind", "reschedule", "reassign"}
