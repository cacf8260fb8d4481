"""待审批: what is asked of a unit stands in a list of its own, with a limit that gives a card to whoever lets it pass."""

from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from sqlalchemy import text

from app.calendars.working_time import Limit
from app.db import reading
from tests import people
from tests.api.about_time import calendar, clock_of, led_by_the_township, led_by_the_village
from tests.api.actions import BODIES
from tests.api.conftest import Who
from tests.cards import at, swept
from tests.people import Person

_CARD = text("""
SELECT k.level, k.stage, u.code, k.effective_at FROM card k JOIN unit u ON u.id = k.unit_id
JOIN grievance c ON c.id = k.matter_id WHERE c.ref = :ref AND k.stage = 'wait_decision'
""")


async def asks(person: Person, ref: str, action: str) -> None:
    await person.does(f"/cases/{ref}/{action}", **(BODIES[action] or {}))


async def owed(person: Person) -> dict[str, Any]:
    page = await person.sees("/cases", view="to_decide", size=100)
    return {one["ref"]: one for one in page["items"]}


async def test_what_is_asked_for_is_listed_for_whoever_decides_until_it_is_decided(
    who: Who,
) -> None:
    lead, center = await who("ronglong"), await who("zhihui")
    extending, waiting, returning = [await led_by_the_township(who) for _ in range(3)]
    await asks(lead, extending, "extend")
    await asks(lead, waiting, "wait")
    await asks(lead, returning, "hand-back")
    found = await owed(center)
    assert {ref: found[ref]["to_decide"] for ref in (extending, waiting, returning)} == {
        extending: "extension_decision",
        waiting: "wait_decision",
        returning: "hand_back_decision",
    }
    decision = await clock_of(center, waiting, "wait_decision")
    assert (await owed(center))[waiting]["part_due_at"] == decision["due_at"].isoformat()
    assert not {extending, waiting, returning} & (await owed(lead)).keys()
    await center.does(f"/cases/{extending}/decide-extension", granted=False, reason="理由不充分")
    await center.does(f"/cases/{waiting}/decide-wait", granted=True, reason="列入管网改造")
    await center.does(
        f"/cases/{returning}/settle", unit_code="500153100", agreed=False, reason="属本镇"
    )
    assert not {extending, waiting, returning} & (await owed(center)).keys()


async def test_what_two_requests_were_made_about_is_listed_once(who: Who) -> None:
    cadre, clerk = await who("gongnong"), await who("guangshun")
    ref = await led_by_the_village(who)
    await asks(cadre, ref, "extend")
    await asks(cadre, ref, "wait")
    page = await clerk.sees("/cases", view="to_decide", size=100)
    (one,) = [item for item in page["items"] if item["ref"] == ref]
    assert one["to_decide"] == "extension_decision"


async def test_list_goes_on_page_by_page(who: Who) -> None:
    cadre, clerk = await who("gongnong"), await who("guangshun")
    asked = set()
    for _ in range(3):
        ref = await led_by_the_village(who)
        await asks(cadre, ref, "wait")
        asked.add(ref)
    page = await clerk.sees("/cases", view="to_decide", size=1)
    found = [one["ref"] for one in page["items"]]
    while page["next"] is not None:
        page = await clerk.sees("/cases", view="to_decide", size=1, cursor=page["next"])
        found += [one["ref"] for one in page["items"]]
    assert asked <= set(found)
    assert len(found) == len(set(found))


async def test_what_moves_on_is_no_longer_to_be_decided(who: Who) -> None:
    cadre, clerk = await who("gongnong"), await who("guangshun")
    ref = await led_by_the_village(who)
    await asks(cadre, ref, "wait")
    await cadre.does(f"/cases/{ref}/answer", outcome="solved", answer="已恢复供水")
    assert ref not in await owed(clerk)


async def test_who_does_not_decide_about_waiting_in_time_is_carded(who: Who, api: FastAPI) -> None:
    lead = await who("ronglong")
    ref = await led_by_the_township(who)
    await asks(lead, ref, "wait")
    decision = await clock_of(lead, ref, "wait_decision")
    assert decision["unit"] == "荣昌区群工系统指挥中心"
    days = await calendar(ref)
    assert decision["due_at"] == days.due(decision["started_at"], Limit.parse("1wd")).at
    moment = await swept(ref, stage="wait_decision")
    async with reading() as tx:
        (card,) = await tx.all(_CARD, ref=ref)
    assert (card.level, card.code) == ("yellow", "500153ZH")
    assert card.effective_at == decision["due_at"] + timedelta(seconds=1)
    with at(moment):
        async with people.signed_in(api, "zhihui") as center:
            await center.does(f"/cases/{ref}/decide-wait", granted=False, reason="不属长期项目")
            assert (await clock_of(center, ref, "wait_decision"))["ended_at"] is not None
