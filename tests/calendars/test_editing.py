"""A calendar in versions: what each says stays so, what says nothing new is refused."""

from collections.abc import Mapping
from datetime import date, datetime, time

import asyncpg
import pytest
from sqlalchemy import text

from app.calendars import editing, reading, seeding
from app.calendars.editing import Edited
from app.calendars.holidays import USUAL_BALANCE, balance, holidays, missing_holidays
from app.calendars.working_time import DEFAULT_HOURS, Day, Hours, Limit
from app.clock import SHANGHAI
from app.db import OWNER, Transaction, observers, transaction
from app.db import reading as only_reading
from app.errors import InvalidInput, NothingChanged

NOW = datetime(2026, 11, 22, 10, tzinfo=SHANGHAI)
OFF, WORKED = Day(working=False), Day(working=True)
FLOOD = date(2026, 8, 14)
NATIONAL = {date(2027, 10, day): Day(working=False, name="国庆节") for day in range(1, 8)}
YEAR_2027: Mapping[date, Day] = {
    date(2027, 1, 1): Day(working=False, name="元旦"),
    # New Year's Day of the moon is Saturday, 6 February.
    **{date(2027, 2, day): Day(working=False, name="春节") for day in (8, 9, 10)},
    date(2027, 4, 5): Day(working=False, name="清明节"),
    date(2027, 6, 9): Day(working=False, name="端午节"),
    date(2027, 9, 15): Day(working=False, name="中秋节"),
    date(2027, 5, 3): Day(working=False, name="劳动节"),
    date(2027, 10, 9): Day(working=True, name="国庆节调休"),
    **NATIONAL,
}


async def change(tx: Transaction, county_id: int, days: Mapping[date, Day]) -> Edited:
    edited = await editing.change_days(tx, county_id, days, reason="暴雨", staff_id=None, now=NOW)
    await tx.flush()
    return edited


async def publish(
    tx: Transaction, county_id: int, days: Mapping[date, Day] = YEAR_2027, year: int = 2027
) -> Edited:
    edited = await editing.publish_years(
        tx, county_id, {year: days}, source="国办发明电", staff_id=None, now=NOW
    )
    await tx.flush()
    return edited


async def test_county_without_calendar_has_one_of_which_everything_is_provisional(
    tx: Transaction, county_id: int
) -> None:
    calendar = await reading.calendar_of(tx, county_id)
    assert calendar.version == 0
    assert calendar.due(NOW, Limit.parse("1wd")).provisional


async def test_each_change_makes_a_version_and_older_ones_stay_as_they_were(
    tx: Transaction, county_id: int
) -> None:
    assert (await change(tx, county_id, {FLOOD: OFF})).version == 1
    assert (await change(tx, county_id, {FLOOD: WORKED})).version == 2
    hours = Hours(time(8), None, None, time(16))
    await editing.set_hours(tx, county_id, hours, reason="夏季", staff_id=None, now=NOW)
    await tx.flush()
    first, second, third = [
        await reading.calendar_of(tx, county_id, version) for version in (1, 2, 3)
    ]
    assert [one.works(FLOOD) for one in (first, second, third)] == [False, True, True]
    assert [one.hours for one in (first, second, third)] == [DEFAULT_HOURS, DEFAULT_HOURS, hours]
    assert (await reading.calendar_of(tx, county_id)).version == 3


async def test_half_day_is_read_back_as_it_was_said(tx: Transaction, county_id: int) -> None:
    half = Day(working=True, hours=Hours(time(8, 30), None, None, time(11)), name="三八节")
    await change(tx, county_id, {date(2026, 3, 6): half})
    assert (await reading.calendar_of(tx, county_id)).day(date(2026, 3, 6)) == half


async def test_published_year_is_no_longer_provisional(tx: Transaction, county_id: int) -> None:
    before = await reading.calendar_of(tx, county_id)
    await publish(tx, county_id)
    after = await reading.calendar_of(tx, county_id)
    asked = datetime(2027, 4, 30, 10, tzinfo=SHANGHAI), Limit.parse("1wd")
    assert before.due(*asked).provisional
    assert str(before.due(*asked).at)[:10] == "2027-05-03"
    assert not after.due(*asked).provisional
    assert str(after.due(*asked).at)[:10] == "2027-05-04"
    told = await reading.publication_of(tx, county_id, 2027)
    assert told is not None
    assert (told.at, told.source) == (NOW, "国办发明电")
    assert await reading.publication_of(tx, county_id, 2028) is None


async def test_what_county_changed_itself_stays_unless_announcement_names_it(
    tx: Transaction, county_id: int
) -> None:
    market = date(2027, 3, 15)
    await change(tx, county_id, {market: OFF, date(2027, 10, 1): OFF, date(2027, 10, 9): OFF})
    await publish(tx, county_id)
    calendar = await reading.calendar_of(tx, county_id)
    assert not calendar.works(market)
    assert calendar.works(date(2027, 10, 9))


async def test_holiday_said_before_its_year_is_published_is_off_afterwards_too(
    tx: Transaction, county_id: int
) -> None:
    await change(tx, county_id, {date(2027, 1, 1): Day(working=False, name="元旦")})
    await publish(tx, county_id)
    assert not (await reading.calendar_of(tx, county_id)).works(date(2027, 1, 1))


async def test_day_taken_for_a_holiday_may_be_said_to_be_worked(
    tx: Transaction, county_id: int
) -> None:
    new_year = date(2027, 1, 1)
    assert not (await reading.calendar_of(tx, county_id)).works(new_year)
    await change(tx, county_id, {new_year: WORKED})
    assert (await reading.calendar_of(tx, county_id)).works(new_year)


async def test_what_says_nothing_new_is_refused(tx: Transaction, county_id: int) -> None:
    await publish(tx, county_id)
    saturday, monday = date(2027, 3, 13), date(2027, 3, 15)
    for days in (
        {saturday: OFF},
        {monday: WORKED},
        {date(2027, 1, 1): YEAR_2027[date(2027, 1, 1)]},
    ):
        with pytest.raises(NothingChanged):
            await change(tx, county_id, days)
    with pytest.raises(NothingChanged):
        await publish(tx, county_id)
    with pytest.raises(NothingChanged):
        await editing.set_hours(tx, county_id, DEFAULT_HOURS, reason="-", staff_id=None, now=NOW)
    assert (await reading.calendar_of(tx, county_id)).version == 1


async def test_published_year_can_be_corrected(tx: Transaction, county_id: int) -> None:
    await publish(tx, county_id)
    corrected = {**YEAR_2027, date(2027, 10, 8): Day(working=False, name="国庆节")}
    assert await publish(tx, county_id, corrected) == Edited(2, 1, 0)


async def test_what_only_the_former_list_named_is_an_ordinary_day_again(
    tx: Transaction, county_id: int
) -> None:
    wrong, saturday, flood = date(2027, 10, 15), date(2027, 10, 9), date(2027, 8, 13)
    await publish(tx, county_id, {**YEAR_2027, wrong: OFF})
    await change(tx, county_id, {flood: OFF})
    without = {day: given for day, given in YEAR_2027.items() if day != saturday}
    assert await publish(tx, county_id, without) == Edited(3, 2, 0)
    calendar = await reading.calendar_of(tx, county_id)
    assert (calendar.works(wrong), calendar.works(saturday)) == (True, False)
    assert not calendar.works(flood), "what the county itself said stays"
    with pytest.raises(NothingChanged):
        await publish(tx, county_id, without)
    assert await publish(tx, county_id) == Edited(4, 1, 0)
    assert (await reading.calendar_of(tx, county_id)).works(saturday)


NEW_YEAR = {
    date(2026, 12, 26): Day(working=True, name="元旦调休"),
    date(2026, 12, 31): Day(working=False, name="元旦"),
}
YEAR_2026 = {
    **{date(2026, 2, day): OFF for day in (17, 18, 19)},
    **{date(2026, month, day): OFF for month, day in ((1, 1), (4, 6), (5, 1), (6, 19), (9, 25), (10, 1), (10, 2))},
}  # fmt: skip


async def test_december_before_is_said_with_the_year_and_not_published_by_it(
    tx: Transaction, county_id: int
) -> None:
    assert await publish(tx, county_id, {**YEAR_2027, **NEW_YEAR}) == Edited(1, 18, 0)
    calendar = await reading.calendar_of(tx, county_id)
    assert calendar.published == {2027}
    assert [calendar.works(day) for day in NEW_YEAR] == [True, False]


async def test_days_of_the_december_before_that_have_passed_are_counted(
    tx: Transaction, county_id: int
) -> None:
    await publish(tx, county_id)
    late = datetime(2027, 1, 4, 10, tzinfo=SHANGHAI)
    edited = await editing.publish_years(
        tx, county_id, {2027: {**YEAR_2027, **NEW_YEAR}}, source="更正", staff_id=None, now=late
    )
    assert edited == Edited(2, 2, 2)


async def test_december_before_takes_nothing_from_what_its_own_year_said(
    tx: Transaction, county_id: int
) -> None:
    flood, fair = date(2026, 8, 14), date(2026, 12, 4)
    await publish(tx, county_id, {**YEAR_2026, flood: OFF, fair: OFF}, 2026)
    assert await publish(tx, county_id, {**YEAR_2027, **NEW_YEAR}) == Edited(2, 18, 0, kept=(fair,))
    calendar = await reading.calendar_of(tx, county_id)
    assert not calendar.works(flood)
    assert not calendar.works(fair)


async def test_corrected_list_leaves_december_that_next_year_said_and_tells_so(
    tx: Transaction, county_id: int
) -> None:
    wrong = date(2026, 8, 14)
    await publish(tx, county_id, {**YEAR_2026, wrong: OFF}, 2026)
    await publish(tx, county_id, {**YEAR_2027, **NEW_YEAR})
    edited = await publish(tx, county_id, YEAR_2026, 2026)
    assert edited == Edited(3, 1, 1, kept=tuple(NEW_YEAR))
    calendar = await reading.calendar_of(tx, county_id)
    assert calendar.works(wrong)
    assert [calendar.works(day) for day in NEW_YEAR] == [True, False]
    again = {**YEAR_2026, date(2026, 12, 31): WORKED}
    assert await publish(tx, county_id, again, 2026) == Edited(4, 1, 0, kept=(min(NEW_YEAR),))


async def test_year_published_after_the_next_one_leaves_that_december_too(
    tx: Transaction, county_id: int
) -> None:
    sunday = {date(2026, 12, 27): Day(working=False, name="元旦")}
    await publish(tx, county_id, {**YEAR_2027, **NEW_YEAR, **sunday})
    assert (await publish(tx, county_id, YEAR_2026, 2026)).kept == tuple(NEW_YEAR)
    assert not (await reading.calendar_of(tx, county_id)).works(date(2026, 12, 31))


async def test_while_next_year_is_unknown_december_is_corrected_like_any_month(
    tx: Transaction, county_id: int
) -> None:
    await publish(tx, county_id, {**YEAR_2026, date(2026, 12, 31): OFF}, 2026)
    assert await publish(tx, county_id, YEAR_2026, 2026) == Edited(2, 1, 0)
    assert (await reading.calendar_of(tx, county_id)).works(date(2026, 12, 31))


async def test_of_two_lists_that_speak_of_a_december_the_later_years_holds(
    tx: Transaction, county_id: int
) -> None:
    last = date(2026, 12, 31)
    lists = {2027: {**YEAR_2027, **NEW_YEAR}, 2026: {**YEAR_2026, last: WORKED}}
    await editing.publish_years(tx, county_id, lists, source="-", staff_id=None, now=NOW)
    await tx.flush()
    assert not (await reading.calendar_of(tx, county_id)).works(last)


async def test_days_that_have_passed_may_be_changed_and_are_counted(
    tx: Transaction, county_id: int
) -> None:
    today, yesterday = date(2026, 11, 22), date(2026, 11, 21)
    changed = await change(tx, county_id, {FLOOD: OFF, yesterday: WORKED, today: WORKED})
    assert changed == Edited(version=1, days=3, past_days=1)


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        (date(2027, 1, 1), "元旦"),
        (date(2027, 2, 8), "春节"),
        (date(2027, 4, 5), "清明节"),
        (date(2027, 5, 3), "劳动节"),
        (date(2027, 6, 9), "端午节"),
        (date(2027, 9, 15), "中秋节"),
        (date(2027, 10, 1), "国庆节"),
    ],
)
async def test_year_without_a_yearly_holiday_is_not_published(
    tx: Transaction, county_id: int, missing: date, told: str
) -> None:
    days = {day: said for day, said in YEAR_2027.items() if day != missing}
    with pytest.raises(InvalidInput, match=f"安排中，{told}没有列为休息"):
        await publish(tx, county_id, days)
    with pytest.raises(InvalidInput, match=told):
        await publish(tx, county_id, {**days, missing: WORKED})


def _announced(year: int) -> dict[date, Day]:
    return {day: given for day, given in seeding.known_days().items() if day.year == year}


# Before 2008 the law gave other holidays.
@pytest.mark.parametrize("year", sorted(seeding.known_years() - {2004, 2005, 2006, 2007}))
def test_published_list_is_complete_and_balanced(year: int) -> None:
    listed = _announced(year)
    editing._require_complete(year, listed)
    assert balance(listed) in USUAL_BALANCE
    for name, days in holidays(year).items():
        around = range(min(days).toordinal() - 4, max(days).toordinal() + 5)
        without = {
            day: given
            for day, given in listed.items()
            if given.working or day.toordinal() not in around
        }
        assert name in missing_holidays(year, without)


async def test_list_without_make_up_days_is_published_with_a_warning(
    tx: Transaction, county_id: int
) -> None:
    whole = _announced(2026)
    off = {day: given for day, given in whole.items() if not given.working}
    plan = await editing.plan_years(tx, county_id, {2026: off})
    assert "2026 年工作日放假的天数减去周末补班的天数为 19，通常为 11 至 13" in plan.warnings[0]
    assert (await publish(tx, county_id, off, 2026)).warnings == plan.warnings
    assert (await publish(tx, county_id, whole, 2026)).warnings == ()


async def test_plan_tells_what_publishing_changes_and_changes_nothing(
    tx: Transaction, county_id: int
) -> None:
    await change(tx, county_id, {date(2027, 10, 1): NATIONAL[date(2027, 10, 1)]})
    plan = await editing.plan_years(tx, county_id, {2027: YEAR_2027})
    assert (await reading.calendar_of(tx, county_id)).version == 1
    assert (plan.fresh, plan.kept) == ((2027,), ())
    edited = await publish(tx, county_id)
    assert len(plan.changed) == edited.days == len(YEAR_2027) - 1
    again = await editing.plan_years(tx, county_id, {2027: YEAR_2027})
    assert (again.changed, again.fresh) == ({}, ())


async def test_day_of_another_year_and_a_year_beyond_are_refused(
    tx: Transaction, county_id: int
) -> None:
    with pytest.raises(InvalidInput, match="不在 2027 年"):
        await publish(tx, county_id, {**YEAR_2027, date(2028, 1, 3): OFF})
    with pytest.raises(InvalidInput, match="不在 2027 年"):
        await publish(tx, county_id, {**YEAR_2027, date(2026, 11, 30): OFF})
    with pytest.raises(InvalidInput, match="年份"):
        await change(tx, county_id, {date(1999, 12, 31): OFF})
    with pytest.raises(InvalidInput, match="没有填写"):
        await change(tx, county_id, {})


_TAMPERING = (
    "UPDATE calendar_day SET working = true",
    "DELETE FROM calendar_day",
    "UPDATE calendar_change SET reason = ''",
    "DELETE FROM calendar_year",
    "TRUNCATE calendar_day",
)


@pytest.mark.parametrize("statement", _TAMPERING)
async def test_database_refuses_to_change_what_a_version_said(
    tx: Transaction, county_id: int, statement: str
) -> None:
    await publish(tx, county_id)
    await tx.act_as(OWNER)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await tx.execute(text(statement))


async def test_version_read_before_costs_no_statement(county: None) -> None:
    assert county is None
    async with only_reading() as tx:
        sample = await tx.scalar(text("SELECT id FROM unit WHERE code = '500153'"))
        calendar = await reading.calendar_of(tx, sample)
        sent: list[str] = []
        observers.append(sent.append)
        try:
            again = await reading.calendar_of(tx, sample, calendar.version)
            assert sent == []
            reading.forget()
            await reading.calendar_of(tx, sample, calendar.version)
            assert len(sent) == 1
        finally:
            observers.remove(sent.append)
    assert again is calendar


async def test_version_that_was_undone_is_not_remembered(county: None) -> None:
    assert county is None

    async def edit_and_fail(day: date) -> None:
        async with transaction() as tx:
            sample = await tx.scalar(text("SELECT id FROM unit WHERE code = '500153'"))
            edited = await change(tx, sample, {day: OFF})
            found = await reading.calendar_of(tx, sample, edited.version)
            assert not found.works(day)
            raise LookupError

    for day in (date(2026, 7, 6), date(2026, 7, 7)):
        with pytest.raises(LookupError):
            await edit_and_fail(day)


async def test_version_that_never_was_is_not_taken_for_an_empty_one(
    tx: Transaction, county_id: int
) -> None:
    with pytest.raises(LookupError, match="no calendar of version 7"):
        await reading.calendar_of(tx, county_id, 7)
