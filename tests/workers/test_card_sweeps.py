"""How the sweep issues cards: once, whoever else sweeps or works on the case, by the newest calendar, and never to be changed."""

import asyncio

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from app.auth.actor import SYSTEM, StaffActor
from app.cases import access
from app.cases.actions import judging
from app.db import transaction
from app.kinds import rescheduling
from tests.workers.carding import (
    BREAK,
    LATE,
    LOOK_AGAIN,
    MONDAY,
    UNCONSTRAINED,
    a_day_off,
    assert_records_hold,
    at,
    cards,
    day,
    registered,
    run,
    sweep,
)
from workers.deadlines import CardSweep


async def test_many_sweeps_at_once_issue_each_card_once(cadre: StaffActor) -> None:
    refs = [await registered(cadre, MONDAY, number) for number in range(40)]
    with at(day(11, 3)):
        await asyncio.gather(*(CardSweep().step() for _ in range(8)))
    assert [[card.level for card in await cards(ref)] for ref in refs] == [["yellow", "red"]] * 40
    await assert_records_hold()


async def test_case_somebody_works_on_is_left_for_the_next_look(cadre: StaffActor) -> None:
    busy, free = [await registered(cadre, MONDAY, number) for number in range(2)]
    async with transaction() as tx:
        await access.lock_case(tx, busy, by=SYSTEM)
        await sweep(day(9, 25))
        assert [len(await cards(ref)) for ref in (busy, free)] == [0, 1]
    await sweep(day(9, 25))
    assert len(await cards(busy)) == 1


async def test_one_case_that_cannot_be_carded_holds_up_no_other(cadre: StaffActor) -> None:
    refs = [await registered(cadre, MONDAY, number) for number in range(3)]
    await run(BREAK, ref=refs[0])
    work = CardSweep()
    with capture_logs() as logged:
        await sweep(day(9, 25, 8), work)
        await sweep(day(9, 25, 8), work)
    assert [len(await cards(ref)) for ref in refs] == [0, 1, 1]
    # Put aside, not tried at every look.
    assert [entry["event"] for entry in logged].count("not done") == 1


async def test_no_card_is_issued_by_a_calendar_that_has_been_changed_since(
    cadre: StaffActor,
) -> None:
    ref, other = [await registered(cadre, MONDAY, number) for number in range(2)]
    await a_day_off(cadre, day(9, 24).date())
    await sweep(LATE)
    assert await cards(ref) == []
    async with transaction() as tx:
        await rescheduling.reschedule(tx, now=day(9, 24))
    await sweep(LATE)
    assert [await cards(one) for one in (ref, other)] == [[], []]
    await sweep(day(9, 26, 1))
    assert [[card.level for card in await cards(one)] for one in (ref, other)] == [["yellow"]] * 2


async def test_what_ended_in_time_by_changed_calendar_earns_nothing_though_it_was_late_by_old(
    cadre: StaffActor,
) -> None:
    in_time, late = [await registered(cadre, MONDAY, number) for number in range(2)]
    await a_day_off(cadre, day(9, 24).date())
    for ref, moment in ((in_time, day(9, 25, 10)), (late, day(9, 26, 10))):
        async with transaction() as tx:
            await judging.escalate(tx, ref, by=cadre, finding="本级不能解决", now=moment)
    await sweep(day(9, 26, 11))
    assert [await cards(ref) for ref in (in_time, late)] == [[], []]
    async with transaction() as tx:
        assert await rescheduling.reschedule(tx, now=day(9, 26, 12)) > 0
    async with transaction() as tx:
        assert await rescheduling.remaining(tx) == 0
    await sweep(day(9, 26, 13))
    assert await cards(in_time) == []
    assert [(card.level, card.effective_at) for card in await cards(late)] == [("yellow", day(9, 26, 0))]  # fmt: skip
    await assert_records_hold()


async def test_database_refuses_a_second_card_for_the_same_limit_and_level(
    cadre: StaffActor,
) -> None:
    ref = await registered(cadre, MONDAY)
    await sweep(day(9, 25))
    await run(LOOK_AGAIN, ref=ref)
    with capture_logs() as logged:
        await sweep(day(9, 25))
    assert "UniqueViolationError" in {entry.get("error") for entry in logged}
    assert len(await cards(ref)) == 1
    # The control: without the constraint the same would have been a double.
    await run(UNCONSTRAINED)
    await sweep(day(9, 25))
    assert len(await cards(ref)) == 2


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM card",
        "TRUNCATE card CASCADE",
        "UPDATE card SET level = 'red'",
        "UPDATE card SET person_name = '别人'",
        "UPDATE card SET revoked_at = NULL",
    ],
)
async def test_card_is_never_changed_but_to_revoke_it_once(cadre: StaffActor, change: str) -> None:
    ref = await registered(cadre, MONDAY)
    await sweep(day(9, 25))
    await run(text("UPDATE card SET revoked_at = now()"))
    with pytest.raises(Exception, match="append-only"):
        await run(text(change))
    assert [card.level for card in await cards(ref)] == ["yellow"]
