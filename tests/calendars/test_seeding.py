"""The years the library knows, in every county, once."""

from datetime import date, datetime, timedelta

from chinese_calendar import is_workday
from sqlalchemy import text

from app.calendars import editing, reading, seeding
from app.calendars.working_time import Day, Hours
from app.clock import SHANGHAI
from app.db import Transaction

NOW = datetime(2026, 11, 22, 10, tzinfo=SHANGHAI)
_POST = text("""
INSERT INTO post (staff_id, unit_id, role, title, valid_from)
SELECT min(id), :county_id, 'administrator', '', DATE '2026-01-01' FROM staff
""")
_OTHERS = text("SELECT count(*) FROM calendar_day WHERE county_id <> :county_id")


def test_it_says_of_every_day_what_the_library_says() -> None:
    known, day = seeding.known_calendar(), date(2004, 1, 1)
    while day <= date(2026, 12, 31):
        assert known.works(day) is is_workday(day), day
        day += timedelta(days=1)


async def test_new_county_gets_every_known_year_in_one_version(
    tx: Transaction, county_id: int
) -> None:
    assert await seeding.seed_all(tx, NOW) >= 1
    calendar = await reading.calendar_of(tx, county_id)
    assert calendar.version == 1
    assert calendar.published == seeding.known_years()
    assert calendar.days == seeding.known_days()
    assert calendar.hours == seeding.known_calendar().hours


async def test_seeding_again_changes_nothing(tx: Transaction, county_id: int) -> None:
    await seeding.seed_all(tx, NOW)
    others = await tx.scalar(_OTHERS, county_id=county_id)
    assert await seeding.seed_all(tx, NOW) == 0
    await seeding.seed(tx, [county_id], NOW)
    assert (await reading.calendar_of(tx, county_id)).version == 1
    assert await tx.scalar(_OTHERS, county_id=county_id) == others


async def test_of_more_counties_than_can_be_at_work_only_those_with_staff_are_seeded(
    tx: Transaction, county_id: int
) -> None:
    await seeding.seed_all(tx, NOW, most=0)  # other tests' counties
    assert (await reading.calendar_of(tx, county_id)).version == 0
    await tx.execute(_POST, county_id=county_id)
    assert await seeding.seed_all(tx, NOW, most=0) == 1
    assert (await reading.calendar_of(tx, county_id)).published == seeding.known_years()


async def test_seeding_leaves_alone_what_the_county_said_itself(
    tx: Transaction, county_id: int
) -> None:
    own, hours = date(2026, 10, 1), Hours(datetime.min.time(), None, None, datetime.max.time())
    worked = Day(working=True, name="抢险")
    await editing.change_days(tx, county_id, {own: worked}, reason="-", staff_id=None, now=NOW)
    await tx.flush()
    await editing.set_hours(tx, county_id, hours, reason="-", staff_id=None, now=NOW)
    await tx.flush()
    await seeding.seed_all(tx, NOW)
    calendar = await reading.calendar_of(tx, county_id)
    assert (calendar.version, calendar.hours, calendar.day(own)) == (3, hours, worked)
    assert calendar.published == seeding.known_years()
    assert not calendar.works(date(2026, 10, 2))


async def test_year_published_by_hand_is_not_seeded_over(tx: Transaction, county_id: int) -> None:
    spring = [date(2026, 2, day) for day in (17, 18, 19)]
    national = [date(2026, 10, day) for day in (1, 2)]
    one_day = [date(2026, *day) for day in ((1, 1), (4, 6), (5, 1), (6, 19), (9, 25))]
    holidays = [*one_day, *spring, *national]
    listed = {day: Day(working=False, name="县里说") for day in holidays}
    await editing.publish_years(
        tx, county_id, {2026: listed}, source="县政府", staff_id=None, now=NOW
    )
    await tx.flush()
    await seeding.seed_all(tx, NOW)
    calendar = await reading.calendar_of(tx, county_id)
    assert {day for day in calendar.days if day.year == 2026} == set(holidays)
    assert calendar.published == seeding.known_years()


async def test_december_before_a_year_is_seeded_with_it(tx: Transaction, county_id: int) -> None:
    """A county that published 2018 from a list has the days before the New Year 2019 nonetheless."""
    own = {day: one for day, one in seeding.known_days().items() if day.year == 2018}
    december = {day: one for day, one in own.items() if day.month == 12}
    listed = {day: one for day, one in own.items() if day not in december}
    await editing.publish_years(
        tx, county_id, {2018: listed}, source="国办发明电", staff_id=None, now=NOW
    )
    await tx.flush()
    await seeding.seed_all(tx, NOW)
    calendar = await reading.calendar_of(tx, county_id)
    assert [calendar.days[day] for day in december] == list(december.values())
    assert len(december) == 3
