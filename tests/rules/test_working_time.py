"""When a limit ends: the field's check values, odd days and years, pauses, reminders, and how limits are written."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calendars.working_time import (
    MOST,
    BadLimit,
    Day,
    Due,
    Hours,
    Limit,
    LimitUnit,
    Pause,
    WorkingCalendar,
)
from app.clock import SHANGHAI

OFF, WORKED = Day(working=False), Day(working=True)
NOON = Hours(time(9), time(12), time(14), time(18))
MORNING = Day(working=True, hours=Hours(time(9), None, None, time(12)), name="半天")


def span(first: str, last: str, day: Day) -> Mapping[date, Day]:
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return {begin + timedelta(number): day for number in range((end - begin).days + 1)}


# The state's announcement for 2025 (国办发明电〔2024〕12号), of 2026 only the new year's days.
DAYS_2025: Final = {
    **span("2025-01-01", "2025-01-01", OFF),
    **span("2025-01-26", "2025-01-26", WORKED),
    **span("2025-01-28", "2025-02-04", OFF),
    **span("2025-02-08", "2025-02-08", WORKED),
    **span("2025-04-04", "2025-04-06", OFF),
    **span("2025-04-27", "2025-04-27", WORKED),
    **span("2025-05-01", "2025-05-05", OFF),
    **span("2025-05-31", "2025-06-02", OFF),
    **span("2025-09-28", "2025-09-28", WORKED),
    **span("2025-10-01", "2025-10-08", OFF),
    **span("2025-10-11", "2025-10-11", WORKED),
}
CALENDAR = WorkingCalendar(1, NOON, DAYS_2025, frozenset({2025}))
EMPTY = WorkingCalendar(0)


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=SHANGHAI)


def due(received: str, limit: str, *pauses: Pause, calendar: WorkingCalendar = CALENDAR) -> str:
    found = calendar.due(at(received), Limit.parse(limit), pauses)
    assert found.at is not None
    return found.at.strftime("%m-%d %H:%M:%S")


def end_of(day: str) -> str:
    return f"{day} 23:59:59"


@pytest.mark.parametrize(
    ("received", "limit", "day"),
    [
        ("2025-09-26T10:00", "5wd", "10-10"),
        ("2025-09-30T10:00", "3wd", "10-11"),
        ("2025-01-27T10:00", "3wd", "02-07"),
        ("2025-09-28T10:00", "1wd", "09-29"),
    ],
)
def test_fields_own_check_values_hold(received: str, limit: str, day: str) -> None:
    assert due(received, limit) == end_of(day)
    assert not CALENDAR.due(at(received), Limit.parse(limit)).provisional


@pytest.mark.parametrize(
    ("received", "counts_from"),
    [
        ("2025-09-26T07:10", "2025-09-26T09:00"),
        ("2025-09-26T10:00", "2025-09-26T10:00"),
        ("2025-09-26T13:00", "2025-09-26T13:00"),
        ("2025-09-26T18:00", "2025-09-26T18:00"),
        ("2025-09-26T18:00:01", "2025-09-28T09:00"),
        ("2025-09-27T10:00", "2025-09-28T09:00"),
        ("2025-10-03T23:00", "2025-10-09T09:00"),
    ],
)
def test_after_hours_and_on_days_off_it_counts_as_received_when_office_next_opens(
    received: str, counts_from: str
) -> None:
    assert CALENDAR.effective_receipt(at(received)) == at(counts_from)


def test_after_hours_the_next_working_day_is_day_zero() -> None:
    assert due("2025-09-26T17:59", "1wd") == end_of("09-28")
    assert due("2025-09-26T18:30", "1wd") == end_of("09-29")
    assert due("2025-09-26T18:30", "0wd") == end_of("09-28")


def test_received_on_a_holiday_is_received_on_the_first_working_day_after() -> None:
    assert due("2025-10-03T10:00", "1wd") == end_of("10-10")
    assert due("2025-10-03T10:00", "0wd") == end_of("10-09")


def test_received_on_a_worked_saturday_is_received_that_day() -> None:
    assert due("2025-10-11T10:00", "1wd") == end_of("10-13")


def test_calendar_days_run_through_holidays_whatever_the_hour_of_receipt() -> None:
    for received in ("2025-09-26T00:00", "2025-09-26T23:59:58"):
        assert due(received, "15d") == end_of("10-11")
        assert due(received, "0d") == end_of("09-26")
    assert due("2025-10-03T22:00", "60d") == end_of("12-02")


def test_day_is_shanghais_and_not_greenwichs() -> None:
    evening_in_greenwich = datetime(2025, 3, 3, 18, 0, tzinfo=UTC)
    found = CALENDAR.due(evening_in_greenwich, Limit.parse("0d"))
    assert found.at == at("2025-03-04T23:59:59")


def test_leap_days_are_days() -> None:
    leap = WorkingCalendar(1, NOON, {}, frozenset({2028, 2100}))
    assert due("2028-02-28T10:00", "1d", calendar=leap) == end_of("02-29")
    assert due("2028-02-28T10:00", "1wd", calendar=leap) == end_of("02-29")
    assert due("2100-02-26T10:00", "1wd", calendar=leap) == end_of("03-01")


def test_spring_festival_is_passed_over_in_hours_as_in_days() -> None:
    assert due("2025-01-27T16:00", "4wh") == "02-05 11:00:00"


def test_year_that_is_not_published_is_never_without_holidays() -> None:
    assert EMPTY.due(at("2026-12-31T10:00"), Limit.parse("1wd")) == Due(
        at("2027-01-04T23:59:59"), provisional=True
    )
    for day in ("2027-01-01", "2027-05-01", "2027-05-02", "2027-10-01", "2027-10-03"):
        assert not EMPTY.works(date.fromisoformat(day))
    # A Monday: only the state knows whether 3 May 2027 is off.
    assert EMPTY.works(date(2027, 5, 3))
    assert EMPTY.day(date(2027, 10, 1)).name == "国庆节"


def test_what_touches_an_unpublished_year_is_provisional_and_nothing_else() -> None:
    december = at("2025-12-24T10:00")
    assert not CALENDAR.due(december, Limit.parse("5wd")).provisional
    assert CALENDAR.due(december, Limit.parse("6wd")).provisional
    assert CALENDAR.due(at("2025-12-31T17:00"), Limit.parse("2wh")).provisional
    assert not CALENDAR.due(at("2025-12-31T17:00"), Limit.parse("1wh")).provisional
    # Received after the last office hour of the year, so counted from the next.
    assert CALENDAR.due(at("2025-12-31T19:00"), Limit.parse("0wd")).provisional
    # Calendar days do not ask which days are worked.
    assert not CALENDAR.due(december, Limit.parse("60d")).provisional


def test_year_made_public_settles_what_was_provisional() -> None:
    settled = WorkingCalendar(
        2, NOON, {**DAYS_2025, **span("2026-01-01", "2026-01-03", OFF)}, frozenset({2025, 2026})
    )
    assert settled.due(at("2025-12-31T10:00"), Limit.parse("1wd")) == Due(
        at("2026-01-05T23:59:59"), provisional=False
    )


def test_office_hours_leave_out_noon_and_end_exactly_at_a_close() -> None:
    assert due("2025-09-26T11:00", "2wh") == "09-26 15:00:00"
    assert due("2025-09-26T11:00", "1wh") == "09-26 12:00:00"
    assert due("2025-09-26T12:30", "1wh") == "09-26 15:00:00"
    assert due("2025-09-26T14:00", "4wh") == "09-26 18:00:00"
    assert due("2025-09-26T18:00", "1wh") == "09-28 10:00:00"
    assert due("2025-09-26T06:00", "1wh") == "09-26 10:00:00"
    assert due("2025-09-26T12:30", "0wh") == "09-26 12:30:00"
    assert due("2025-09-26T20:00", "0wh") == "09-28 09:00:00"


def test_half_days_are_worked_until_they_close() -> None:
    half = WorkingCalendar(1, NOON, {date(2025, 9, 26): MORNING}, frozenset({2025}))
    assert due("2025-09-26T11:00", "2wh", calendar=half) == "09-29 10:00:00"
    assert due("2025-09-26T12:00", "1wd", calendar=half) == end_of("09-29")
    assert due("2025-09-26T12:01", "1wd", calendar=half) == end_of("09-30")
    assert due("2025-09-25T11:00", "1wd", calendar=half) == end_of("09-26")


def test_shanghais_summer_time_does_not_move_office_hours_on_the_wall() -> None:
    # 4 May 1986: two o'clock became three. 14 September 1986: two o'clock became one.
    worked = {date(1986, 5, 4): WORKED, date(1986, 9, 14): WORKED}
    years = frozenset({1986})
    calendar = WorkingCalendar(1, NOON, worked, years)
    assert due("1986-05-03T23:00", "7wh", calendar=calendar) == "05-04 18:00:00"
    assert due("1986-09-13T23:00", "7wh", calendar=calendar) == "09-14 18:00:00"
    spring = calendar.due(at("1986-05-03T23:00"), Limit.parse("1wh")).at
    assert spring is not None
    assert spring.astimezone(UTC) == datetime(1986, 5, 4, 1, tzinfo=UTC)
    assert calendar.due(at("1986-05-04T01:00"), Limit.parse("0d")).at == datetime(
        1986, 5, 4, 14, 59, 59, tzinfo=UTC
    )


def test_hours_through_the_night_the_clock_changes_are_hours_that_passed() -> None:
    night = Hours(time(0), None, None, time(6))
    change = {date(1986, 5, 4): WORKED, date(1986, 9, 14): WORKED}
    calendar = WorkingCalendar(1, night, change, frozenset({1986}))
    # From midnight to six passed five hours in spring and seven in autumn.
    assert due("1986-05-04T00:00", "5wh", calendar=calendar) == "05-04 06:00:00"
    assert due("1986-09-14T00:00", "7wh", calendar=calendar) == "09-14 06:00:00"
    assert due("1986-05-04T01:00", "3wh", calendar=calendar) == "05-04 05:00:00"
    assert calendar.working_time_between(
        at("1986-05-04T00:00"), at("1986-05-04T23:00")
    ) == timedelta(hours=5)


def pause(since: str, to: str | None) -> Pause:
    return at(since), None if to is None else at(to)


def test_day_whose_end_lies_in_a_pause_does_not_count() -> None:
    assert due("2025-09-08T10:00", "3wd") == end_of("09-11")
    within_a_day = pause("2025-09-09T10:00", "2025-09-09T17:00")
    assert due("2025-09-08T10:00", "3wd", within_a_day) == end_of("09-11")
    overnight = pause("2025-09-09T10:00", "2025-09-10T09:00")
    assert due("2025-09-08T10:00", "3wd", overnight) == end_of("09-12")
    assert due("2025-09-08T10:00", "3wd", overnight, overnight, within_a_day) == end_of("09-12")
    assert due("2025-09-08T10:00", "3d", overnight) == end_of("09-12")


def test_pause_before_start_or_over_day_of_receipt_takes_nothing_twice() -> None:
    before = pause("2025-09-01T10:00", "2025-09-08T09:00")
    over_receipt = pause("2025-09-08T11:00", "2025-09-09T09:00")
    assert due("2025-09-08T10:00", "3wd", before, over_receipt) == end_of("09-11")


def test_what_is_due_the_same_day_is_not_due_in_a_pause() -> None:
    over_night = pause("2025-09-08T11:00", "2025-09-10T09:00")
    assert due("2025-09-08T10:00", "0wd", over_night) == end_of("09-10")
    assert due("2025-09-08T10:00", "0d", over_night) == end_of("09-10")


def test_paused_office_hours_are_not_used_up() -> None:
    an_hour = pause("2025-09-08T10:00", "2025-09-08T11:00")
    over_noon = pause("2025-09-08T11:30", "2025-09-08T14:30")
    assert due("2025-09-08T09:00", "2wh", an_hour) == "09-08 12:00:00"
    assert due("2025-09-08T09:00", "3wh", an_hour, over_noon, an_hour) == "09-08 16:00:00"
    assert due("2025-09-08T10:30", "0wh", an_hour) == "09-08 11:00:00"


@pytest.mark.parametrize("limit", ["0wd", "3wd", "3d", "5wh", "0wh"])
def test_while_the_clock_stands_still_nothing_is_due(limit: str) -> None:
    since_receipt = pause("2025-09-08T10:00", None)
    found = CALENDAR.due(at("2025-09-08T10:00"), Limit.parse(limit), [since_receipt])
    assert found == Due(None, provisional=False)


@pytest.mark.parametrize("limit", ["0wd", "3wd", "3d", "5wh", "0wh"])
def test_what_was_due_before_the_clock_stopped_stays_due(limit: str) -> None:
    later = pause("2025-09-20T10:00", None)
    assert due("2025-09-08T10:00", limit, later) == due("2025-09-08T10:00", limit)


@pytest.mark.parametrize(
    ("days", "reminded"),
    [(0, "2025-10-10T09:00"), (1, "2025-10-09T09:00"), (2, "2025-09-30T09:00"), (5, "2025-09-26T09:00")],
)  # fmt: skip
def test_reminder_comes_when_the_office_opens_some_working_days_before(
    days: int, reminded: str
) -> None:
    assert CALENDAR.remind_at(at("2025-10-10T23:59:59"), days) == at(reminded)


def test_reminder_of_a_day_off_comes_on_the_last_working_day_before() -> None:
    assert CALENDAR.remind_at(at("2025-10-04T23:59:59"), 0) == at("2025-09-30T09:00")
    assert CALENDAR.remind_at(at("2025-10-04T23:59:59"), 1) == at("2025-09-30T09:00")
    assert CALENDAR.remind_at(at("2025-10-04T23:59:59"), 2) == at("2025-09-29T09:00")


@pytest.mark.parametrize(
    ("further", "overdue"),
    [
        ("0wd", "2025-09-26T23:59:59"),
        ("0wh", "2025-09-26T23:59:59"),
        ("2wd", "2025-09-29T23:59:59"),
        ("5wd", "2025-10-10T23:59:59"),
        ("2d", "2025-09-28T23:59:59"),
        ("4wh", "2025-09-28T15:00"),
    ],
)
def test_long_overdue_is_overdue_by_a_further_limit(further: str, overdue: str) -> None:
    missed = at("2025-09-26T23:59:59")
    assert CALENDAR.after(missed, Limit.parse(further)) == Due(at(overdue), provisional=False)


def test_overdue_into_an_unpublished_year_is_provisional() -> None:
    assert CALENDAR.after(at("2025-12-30T23:59:59"), Limit.parse("2wd")).provisional
    assert CALENDAR.after(at("2025-12-30T23:59:59"), Limit.parse("9wh")).provisional
    assert not CALENDAR.after(at("2025-12-30T23:59:59"), Limit.parse("1wd")).provisional


def test_time_spent_is_office_hours() -> None:
    spent = CALENDAR.working_time_between
    assert spent(at("2025-09-26T11:00"), at("2025-09-28T10:00")) == timedelta(hours=6)
    assert spent(at("2025-10-01T00:00"), at("2025-10-08T23:00")) == timedelta()
    assert spent(at("2025-09-28T10:00"), at("2025-09-26T11:00")) == timedelta()


@given(st.sampled_from(LimitUnit), st.integers(0, MOST))
def test_limit_reads_as_it_is_written(unit: LimitUnit, amount: int) -> None:
    limit = Limit(amount, unit)
    assert Limit.parse(str(limit)) == limit


@pytest.mark.parametrize(
    "written",
    ["", "5", "wd", "-1wd", "+5wd", "5 wd", "5.5wd", "5WD", "５wd", "3661d", "9999999d", "5wd\n", "5w", "1e3d"],
)  # fmt: skip
def test_what_is_no_limit_is_refused_in_chinese(written: str) -> None:
    with pytest.raises(BadLimit, match="期限"):
        Limit.parse(written)


@pytest.mark.parametrize(
    "marks", [(9, 12, None, 18), (18, 12, 14, 9), (9, 14, 12, 18), (9, 9, 14, 18), (9, None, None, 9)]
)  # fmt: skip
def test_office_hours_out_of_order_are_refused(marks: Sequence[int | None]) -> None:
    with pytest.raises(ValueError, match="须"):
        Hours(*(None if mark is None else time(mark) for mark in marks))  # type: ignore[arg-type]  # also where an hour must stand
