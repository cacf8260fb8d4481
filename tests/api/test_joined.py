"""并案: what becomes of a case that others joined concerns them all, and is no longer one person's to take back."""

from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app import clock
from app.calendars.working_time import Limit
from app.db import transaction
from tests import people
from tests.api.about_time import calendar, clock_of, led_by_the_village, refused, verifies
from tests.api.actions import BODIES
from tests.api.conftest import Who
from tests.people import Person
from tests.surveys.conftest import new_phone

_TOLD = text("""
SELECT m.kind, array_agg(g.ref ORDER BY g.ref) AS refs FROM outbox_message m JOIN grievance g ON g.id = m.matter_id
WHERE g.ref = ANY(:refs) AND m.kind NOT IN ('receipt', 'merged', 'survey_owed') GROUP BY m.kind
""")


async def three(cadre: Person, center: Person) -> list[str]:
    """The primary case, one that joined it, and one that had joined that one."""
    primary, between, last = [
        await cadre.registers(person={"name": "王大爷", "phone": new_phone()}) for _ in range(3)
    ]
    await center.does(f"/cases/{last}/merge", primary_ref=between, reason="同一件事")
    await center.does(f"/cases/{between}/merge", primary_ref=primary, reason="同一件事")
    return [primary, between, last]


async def told(refs: list[str]) -> dict[str, list[str]]:
    async with transaction() as tx:
        return {row.kind: row.refs for row in await tx.all(_TOLD, refs=refs)}


async def test_everybody_who_joined_is_told_what_the_reporter_is_told(who: Who) -> None:
    cadre, clerk, center = await who("gongnong"), await who("guangshun"), await who("zhihui")
    refs = await three(cadre, center)
    primary = refs[0]
    await cadre.does(f"/cases/{primary}/escalate", finding="社区无法解决")
    await clerk.does(f"/cases/{primary}/handle")
    await clerk.does(f"/cases/{primary}/progress", report="已找到漏点", tell_reporter=True)
    await clerk.does(f"/cases/{primary}/extend", days=5, reason="须停水施工")
    await center.does(f"/cases/{primary}/decide-extension", granted=True, reason="避开高考")
    everybody = sorted(refs)
    assert await told(refs) == dict.fromkeys(("moved", "progress", "extended"), everybody)


async def test_everybody_who_joined_is_told_that_it_was_declined(who: Who) -> None:
    cadre, clerk, center = await who("gongnong"), await who("guangshun"), await who("zhihui")
    refs = await three(cadre, center)
    await cadre.does(f"/cases/{refs[0]}/escalate", finding="社区无法解决")
    await clerk.does(f"/cases/{refs[0]}/decline", reason="已进入诉讼", basis="《信访工作条例》")
    assert (await told(refs))["declined"] == sorted(refs)


async def test_what_others_joined_is_not_one_persons_to_withdraw(who: Who) -> None:
    cadre, center = await who("gongnong"), await who("zhihui")
    refs = await three(cadre, center)
    refused = await cadre.post(f"/cases/{refs[0]}/withdraw", {"reason": "已自行解决"})
    assert refused.status_code == 409
    assert "并入" in refused.json()["detail"]
    assert "withdraw" not in (await cadre.sees(f"/cases/{refs[0]}"))["actions"]
    alone = await cadre.registers()
    assert "withdraw" in (await cadre.sees(f"/cases/{alone}"))["actions"]


@pytest.mark.parametrize(
    ("pressed", "released"),
    [("list", ("lingdao", "unlist")), ("supervise", ("gongnong", "reply-supervision"))],
)
async def test_what_is_supervised_or_listed_is_lost_by_no_merging(
    who: Who, pressed: str, released: tuple[str, str]
) -> None:
    cadre, center, leader = await who("gongnong"), await who("zhihui"), await who("lingdao")
    watched, plain, later = [await led_by_the_village(who) for _ in range(3)]
    await leader.does(f"/cases/{watched}/{pressed}", **(BODIES[pressed] or {}))
    told = await refused(center, watched, "merge", primary_ref=plain)
    assert "请把别的事件并入这件，或先回复督办、摘牌" in told
    assert "merge" not in (await center.sees(f"/cases/{watched}"))["actions"]
    # The other way round all stays as it was.
    before = await cadre.sees(f"/cases/{watched}")
    await center.does(f"/cases/{plain}/merge", primary_ref=watched, reason="同一件事")
    after = await cadre.sees(f"/cases/{watched}")
    assert (after["listed_at"], after["clocks"]) == (before["listed_at"], before["clocks"])
    account, release = released
    await (await who(account)).does(f"/cases/{watched}/{release}", **(BODIES[release] or {}))
    await center.does(f"/cases/{watched}/merge", primary_ref=later, reason="同一件事")


async def promised(person: Person, ref: str) -> tuple[str, str]:
    """Until when the whole case has time, and the extension in it."""
    clocks = (await person.sees(f"/cases/{ref}"))["clocks"]
    (one,) = (one for one in clocks if one["stage"] == "whole" and one["ended_at"] is None)
    return one["due_at"], one["extension"]


async def extended_before(who: Who, api: FastAPI, *, asked: bool) -> tuple[str, str]:
    """A case that was granted five days more, and one that was told 20 days later; `asked`: the later one asks for more too."""
    cadre, clerk = await who("gongnong"), await who("guangshun")
    first = await led_by_the_village(who)
    await cadre.does(f"/cases/{first}/extend", days=5, reason="等材料")
    await clerk.does(f"/cases/{first}/decide-extension", granted=True, reason="同意")
    with clock.moved(timedelta(days=20)):
        async with people.signed_in(api, "gongnong") as then:
            second = await then.registers()
            await then.does(f"/cases/{second}/handle")
            if asked:
                await then.does(f"/cases/{second}/extend", days=3, reason="等材料")
    return first, second


async def test_what_a_joined_case_was_extended_by_counts_as_the_one_extension(
    who: Who, api: FastAPI
) -> None:
    cadre = await who("gongnong")
    first, second = await extended_before(who, api, asked=False)
    before = await promised(cadre, first)
    with clock.moved(timedelta(days=20)):
        async with (
            people.signed_in(api, "gongnong") as then,
            people.signed_in(api, "zhihui") as center,
        ):
            await center.does(f"/cases/{first}/merge", primary_ref=second, reason="同一件事")
            assert await promised(then, second) == before
            assert before[1] == "5 个工作日"
            assert "只能申请一次" in await refused(then, second, "extend")
            assert (await then.sees(f"/cases/{second}"))["extended"] is True
    assert await verifies(second)


async def test_what_is_granted_moves_no_time_sooner_that_joined_case_brought_along(
    who: Who, api: FastAPI
) -> None:
    """It was asked for before the other case joined: the stage gets it, the whole case has had its own."""
    first, second = await extended_before(who, api, asked=True)
    with clock.moved(timedelta(days=20)):
        async with (
            people.signed_in(api, "guangshun") as clerk,
            people.signed_in(api, "zhihui") as center,
        ):
            await center.does(f"/cases/{first}/merge", primary_ref=second, reason="同一件事")
            before, handle = await promised(clerk, second), await clock_of(clerk, second, "handle")
            await clerk.does(f"/cases/{second}/decide-extension", granted=True, reason="同意")
            assert await promised(clerk, second) == before
            longer = await clock_of(clerk, second, "handle")
            days = await calendar(second)
            assert longer["due_at"] == days.after(handle["due_at"], Limit.parse("3wd")).at
    assert await verifies(second)
