"""预警 at sign-in: what a unit is about to miss, for that unit alone, and of sealed cases for those alone who see them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI

from qungong.dev.sample import PASSWORD
from tests import people
from tests.api.conftest import Who
from tests.cards import at, reminded
from tests.people import Person

# A Monday of a month that no other test's limits run in.
AUGUST = datetime(2025, 8, 4, 2, tzinfo=UTC)
EVERYBODY = ("gongnong", "guangshun", "guangshun_head", "ronglong", "shuiwu", "zhihui", "ducha", "jiwei", "lingdao", "admin")  # fmt: skip


async def reminders_of(person: Person, ref: str) -> list[dict[str, Any]]:
    shown = (await person.sees("/sessions/me"))["reminders"]
    return [one for one in shown if one["ref"] == ref]


async def test_unit_is_shown_what_it_is_about_to_miss_and_nobody_else_is(
    who: Who, api: FastAPI
) -> None:
    everybody = {account: await who(account) for account in EVERYBODY}
    with at(AUGUST):
        ref = await everybody["gongnong"].registers()
    remind_at, _ = await reminded(ref)
    with at(remind_at):
        shown = {account: await reminders_of(person, ref) for account, person in everybody.items()}
        async with people.visitor(api) as somebody:
            session = await somebody.does("/sessions", account="gongnong", password=PASSWORD)
    assert [account for account, found in shown.items() if found] == ["gongnong"]
    (reminder,) = shown["gongnong"]
    assert reminder == {
        "ref": ref, "title": people.WATER["title"], "stage": "judge", "stage_label": "研判",
        "due_at": "2025-08-06T23:59:59+08:00",
    }  # fmt: skip
    assert reminder in session["reminders"]


async def test_reminder_goes_with_the_stage_and_comes_for_parts_too(
    who: Who,
) -> None:
    cadre, clerk, center, water, lead = [
        await who(one) for one in ("gongnong", "guangshun", "zhihui", "shuiwu", "ronglong")
    ]
    with at(AUGUST):
        ref = await cadre.registers()
        await cadre.does(f"/cases/{ref}/escalate", finding="社区没有供水设备，无法解决停水问题。")
        await clerk.does(f"/cases/{ref}/escalate", finding="街道没有供水设备，无法解决停水问题。")
        await center.does(
            f"/cases/{ref}/dispatch",
            lead={"unit_code": "500153100", "task": "恢复供水"},
            assistants=[{"unit_code": "500153D11", "task": "查管网"}],
        )
        for person in (water, lead):
            await person.does(f"/cases/{ref}/sign")
        await lead.does(f"/cases/{ref}/extend", days=3, reason="要换水泵")
    assist, _ = await reminded(ref, stage="assist")
    handle, due = await reminded(ref, stage="handle")
    assert assist < handle
    with at(assist):
        found = [await reminders_of(person, ref) for person in (cadre, clerk, water, lead)]
    assert [[one["stage"] for one in shown] for shown in found] == [[], [], ["assist"], []]
    with at(handle):
        assert [one["stage"] for one in await reminders_of(lead, ref)] == ["handle"]
    with at(AUGUST):
        await water.does(f"/cases/{ref}/assist-answer", answer="管网没有问题")
    with at(assist):
        assert await reminders_of(water, ref) == []
    # What is over is no longer about to be.
    with at(due + timedelta(seconds=1)):
        assert await reminders_of(lead, ref) == []


async def test_reminder_of_a_sealed_case_is_there_for_those_alone_who_see_it(
    who: Who, colleague: Person
) -> None:
    """Not even for the head of the commission that holds it, who is no supervisor."""
    everybody = {account: await who(account) for account in EVERYBODY} | {"colleague": colleague}
    with at(AUGUST):
        sealed = {"kind": "accusation", "title": "检举", "person": None}
        ref = await everybody["gongnong"].registers(**sealed)
    remind_at, _ = await reminded(ref)
    with at(remind_at):
        shown = [
            account for account, person in everybody.items() if await reminders_of(person, ref)
        ]
    assert shown == ["jiwei"]
