"""待回复: whoever was supervised finds the case in a list of its own until it has replied, wherever the case has gone."""

from tests.api.about_time import clock_of, led_by_the_township, led_by_the_village
from tests.api.actions import BODIES
from tests.api.conftest import Who

VIEWS = ("to_judge", "handling", "to_sign", "assisting", "to_decide", "finished")


async def at_the_township(who: Who) -> str:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/escalate", finding="社区无法解决")
    return ref


async def test_who_passed_a_supervised_case_on_finds_it_until_it_has_replied(who: Who) -> None:
    clerk, leader = await who("guangshun"), await who("lingdao")
    ref = await at_the_township(who)
    assert ref not in await clerk.lists("to_reply")
    await leader.does(f"/cases/{ref}/supervise", demand="一日内书面回复", days=1)
    await clerk.does(f"/cases/{ref}/escalate", finding="街道无法解决")
    for view in VIEWS:
        assert ref not in await clerk.lists(view)
    due = (await clock_of(clerk, ref, "supervised_reply"))["due_at"].isoformat()
    listed = (await clerk.items("to_reply"))[ref]
    assert (listed["part_due_at"], listed["to_decide"]) == (due, None)
    assert listed["supervised"] == {"unit": "广顺街道", "due_at": due}
    # It is nobody else's to reply.
    for account in ("gongnong", "zhihui", "ducha", "lingdao", "shuiwu"):
        assert ref not in await (await who(account)).lists("to_reply")
    await clerk.does(f"/cases/{ref}/reply-supervision", reply="已上报指挥中心")
    assert ref not in await clerk.lists("to_reply")


async def test_wherever_supervised_case_is_listed_it_says_who_owes_reply_and_by_when(
    who: Who,
) -> None:
    lead, helper = await who("ronglong"), await who("shuiwu")
    center, leader = await who("zhihui"), await who("lingdao")
    ref = await led_by_the_township(who)
    everywhere = ((lead, "handling"), (helper, "assisting"), (center, "handling"), (leader, "handling"))  # fmt: skip
    for person, view in everywhere:
        assert (await person.items(view))[ref]["supervised"] is None
    await center.does(f"/cases/{ref}/supervise", **(BODIES["supervise"] or {}))
    due = (await clock_of(lead, ref, "supervised_reply"))["due_at"].isoformat()
    for person, view in (*everywhere, (lead, "to_reply")):
        shown = (await person.items(view))[ref]["supervised"]
        assert shown == {"unit": "荣隆镇", "due_at": due}
    await lead.does(f"/cases/{ref}/reply-supervision", reply="昨晚恢复供水")
    for person, view in everywhere:
        assert (await person.items(view))[ref]["supervised"] is None


async def test_what_is_answered_owes_no_reply(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await led_by_the_village(who)
    await (await who("lingdao")).does(f"/cases/{ref}/supervise", **(BODIES["supervise"] or {}))
    assert ref in await cadre.lists("to_reply")
    await cadre.does(f"/cases/{ref}/answer", outcome="solved", answer="已恢复供水")
    assert ref not in await cadre.lists("to_reply")


async def test_replies_are_listed_by_when_they_are_due_page_by_page(who: Who) -> None:
    cadre, leader = await who("gongnong"), await who("lingdao")
    owed = {}
    for days in (9, 2, 5):
        ref = await cadre.registers()
        await leader.does(f"/cases/{ref}/supervise", demand="请书面回复", days=days)
        owed[ref] = days
    page = await cadre.sees("/cases", view="to_reply", size=1)
    found = [one["ref"] for one in page["items"]]
    while page["next"] is not None:
        page = await cadre.sees("/cases", view="to_reply", size=1, cursor=page["next"])
        found += [one["ref"] for one in page["items"]]
    assert len(found) == len(set(found))
    assert [owed[ref] for ref in found if ref in owed] == [2, 5, 9]
