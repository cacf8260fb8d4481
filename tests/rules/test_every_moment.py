"""What must hold of limits for every moment at which something is received, and whatever pauses there are."""

from datetime import UTC, datetime, timedelta

from hypothesis import assume, example, given
from hypothesis import strategies as st

from app.calendars.working_time import (
    Due,
    Limit,
    LimitUnit,
    Pause,
)
from app.clock import SHANGHAI
from tests.rules.test_working_time import CALENDAR, at

MOMENTS = st.datetimes(datetime(2024, 12, 1), datetime(2026, 2, 1)).map(  # noqa: DTZ001 - bounds of a strategy that adds the zone
    lambda wall: wall.replace(tzinfo=SHANGHAI)
)


LIMITS = st.builds(Limit, st.integers(0, 40), st.sampled_from(LimitUnit))


LENGTHS = st.one_of(
    st.none(), st.timedeltas(timedelta(0), timedelta(days=30)), st.timedeltas(timedelta(0), timedelta(hours=9))
)  # fmt: skip


@st.composite
def _pause(draw: st.DrawFn) -> Pause:
    since, length = draw(MOMENTS), draw(LENGTHS)
    return since, None if length is None else since + length


PAUSES = st.lists(_pause(), max_size=4)


NEVER = datetime.max.replace(tzinfo=UTC)


def moment(found: Due) -> datetime:
    return NEVER if found.at is None else found.at


@given(MOMENTS, MOMENTS, LIMITS, PAUSES)
def test_what_is_received_later_is_never_due_earlier(
    one: datetime, other: datetime, limit: Limit, pauses: list[Pause]
) -> None:
    first, second = sorted((one, other))
    assert moment(CALENDAR.due(first, limit, pauses)) <= moment(CALENDAR.due(second, limit, pauses))


@given(MOMENTS, LIMITS, PAUSES)
def test_longer_limit_never_ends_earlier(
    received: datetime, limit: Limit, pauses: list[Pause]
) -> None:
    longer = Limit(limit.amount + 1, limit.unit)
    assert moment(CALENDAR.due(received, limit, pauses)) <= moment(
        CALENDAR.due(received, longer, pauses)
    )


@given(MOMENTS, LIMITS, PAUSES, _pause())
def test_further_pause_never_makes_it_due_earlier(
    received: datetime, limit: Limit, pauses: list[Pause], further: Pause
) -> None:
    for ended in (CALENDAR.due, CALENDAR.after):
        assert moment(ended(received, limit, pauses)) <= moment(
            ended(received, limit, [*pauses, further])
        )


@given(MOMENTS, LIMITS, PAUSES)
def test_pauses_mean_the_same_in_any_order(
    received: datetime, limit: Limit, pauses: list[Pause]
) -> None:
    assert CALENDAR.due(received, limit, pauses) == CALENDAR.due(received, limit, pauses[::-1])


@given(MOMENTS, LIMITS)
@example(at("2025-09-26T23:59:58"), Limit(0, LimitUnit.CALENDAR_DAYS))
def test_nothing_is_due_before_the_second_it_was_received_in(
    received: datetime, limit: Limit
) -> None:
    assert moment(CALENDAR.due(received, limit)) >= received.replace(microsecond=0)


@given(MOMENTS, st.integers(1, 60))
def test_limit_in_hours_takes_that_many_office_hours(received: datetime, hours: int) -> None:
    ended = moment(CALENDAR.due(received, Limit(hours, LimitUnit.WORKING_HOURS)))
    assert CALENDAR.working_time_between(received, ended) == timedelta(hours=hours)


@given(MOMENTS, st.integers(0, 60))
def test_limit_in_working_days_ends_with_a_working_day_and_has_that_many(
    received: datetime, days: int
) -> None:
    ended = moment(CALENDAR.due(received, Limit(days, LimitUnit.WORKING_DAYS))).date()
    first = CALENDAR.effective_receipt(received).date()
    counted = [first + timedelta(number + 1) for number in range((ended - first).days)]
    assert sum(map(CALENDAR.works, counted)) == days
    assert CALENDAR.works(ended)


@given(MOMENTS, st.integers(0, 10))
def test_reminder_comes_before_what_is_due(received: datetime, days: int) -> None:
    ended = moment(CALENDAR.due(received, Limit(3, LimitUnit.WORKING_DAYS)))
    reminded = CALENDAR.remind_at(ended, days)
    assume(days)
    assert CALENDAR.due(reminded, Limit(days, LimitUnit.WORKING_DAYS)).at == ended


@given(MOMENTS, MOMENTS, MOMENTS)
def test_time_spent_adds_up(one: datetime, other: datetime, third: datetime) -> None:
    begin, middle, end = sorted((one, other, third))
    spent = CALENDAR.working_time_between
    assert spent(begin, middle) + spent(middle, end) == spent(begin, end)
