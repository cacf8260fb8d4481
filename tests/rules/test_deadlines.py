"""What comes of a clock and when: from its start, limit, pauses and extension by the calendar, and from nothing else."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.calendars.seeding import known_calendar
from app.calendars.working_time import Limit, WorkingCalendar
from app.clock import SHANGHAI
from app.directory.terms import UnitKind
from app.limits.rules import AT_ONCE, URGENT_LONG_OVERDUE, Measure, Place, Rule
from app.limits.terms import Stage
from app.matters import deadlines
from app.matters.deadlines import (
    Step,
    due_steps,
    pause,
    paused_time,
    remeasure,
    resume,
    retime,
    set_next,
)

KNOWN = known_calendar()
SECOND = timedelta(seconds=1)


@dataclass
class Clock:
    """What a clock row has, without a table."""

    started_at: datetime
    limit: str = "3wd"
    stage: Stage = Stage.JUDGE
    rule: str = "default/judge"
    remind_before: int = 1
    yellow_after: str = "0wd"
    red_after: str | None = "5wd"
    calendar_version: int = 0
    pauses: str = "[]"
    extension: str | None = None
    due_at: datetime | None = None
    provisional: bool = False
    certain_steps: int = 3
    remind_at: datetime | None = None
    yellow_at: datetime | None = None
    red_at: datetime | None = None
    ended_at: datetime | None = None
    held_at: datetime | None = None
    steps: int = 0
    next_at: datetime | None = None
    calendar: WorkingCalendar = field(default=KNOWN, repr=False)

    def __post_init__(self) -> None:
        retime(self, self.calendar)


def at(month: int, day: int, hour: int = 10, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2025, month, day, hour, minute, second, tzinfo=SHANGHAI)


def last_second(month: int, day: int) -> datetime:
    return at(month, day, 23, 59, 59)


def urgent(written: str = "0wd") -> Rule:
    """What is urgent: long overdue after a day."""
    place = Place(Stage.JUDGE, urgent=True)
    return Rule.made(place, Measure(Limit.parse(written), 0, AT_ONCE, URGENT_LONG_OVERDUE), "v1")


def test_over_national_holiday_reminder_yellow_and_red_fall_where_they_must() -> None:
    clock = Clock(at(9, 26), limit="5wd")
    assert clock.due_at == last_second(10, 10)
    # Saturday 11 October is worked: the fifth working day after the due day is Thursday 16.
    assert (clock.yellow_at, clock.red_at) == (at(10, 11, 0), at(10, 17, 0))
    assert clock.remind_at == at(10, 9, 9)
    assert clock.next_at == clock.remind_at


def test_last_second_of_the_last_day_is_in_time_and_the_next_is_not() -> None:
    for ended, earned in (
        (last_second(10, 10), []),
        (last_second(10, 10) + timedelta(milliseconds=999), []),
        (at(10, 11, 0), [(Step.YELLOW, at(10, 11, 0))]),
    ):
        clock = Clock(at(9, 26), limit="5wd", ended_at=ended)
        assert due_steps(clock, at(12, 1)) == earned, ended


def test_stage_ended_late_still_gets_what_it_had_earned_and_no_more() -> None:
    clock = Clock(at(9, 26), limit="5wd", ended_at=at(10, 13))
    assert clock.next_at == clock.yellow_at
    assert due_steps(clock, at(12, 1)) == [(Step.YELLOW, at(10, 11, 0))]
    clock.steps = Step.YELLOW + 1
    set_next(clock)
    assert clock.next_at is None


def test_after_outage_both_cards_are_due_with_their_own_moments_and_reminder_is_not() -> None:
    clock = Clock(at(9, 26), limit="5wd")
    assert due_steps(clock, at(11, 1)) == [
        (Step.YELLOW, at(10, 11, 0)),
        (Step.RED, at(10, 17, 0)),
    ]


def test_what_was_done_is_not_due_again() -> None:
    clock = Clock(at(9, 26), limit="5wd", steps=Step.YELLOW + 1)
    assert due_steps(clock, at(11, 1)) == [(Step.RED, at(10, 17, 0))]
    clock.steps = Step.RED + 1
    set_next(clock)
    assert (clock.next_at, due_steps(clock, at(11, 1))) == (None, [])


def test_while_it_stands_still_nothing_comes_and_afterwards_days_are_given_back() -> None:
    clock = Clock(at(3, 3), limit="3wd")
    pause(clock, at(3, 4))
    retime(clock, KNOWN)
    assert (clock.due_at, clock.next_at, due_steps(clock, at(4, 1))) == (None, None, [])
    resume(clock, at(3, 7))
    retime(clock, KNOWN)
    # 4, 5 and 6 March ended while it stood still: the three days are 7, 10 and 11.
    assert clock.due_at == last_second(3, 11)
    assert paused_time(clock, at(4, 1)) == timedelta(days=3)


def test_pausing_twice_is_one_pause_and_going_on_twice_one_going_on() -> None:
    clock = Clock(at(3, 3))
    for moment in (at(3, 4), at(3, 5)):
        pause(clock, moment)
    for moment in (at(3, 6), at(3, 7)):
        resume(clock, moment)
    assert paused_time(clock, at(4, 1)) == timedelta(days=2)


def test_extension_begins_where_the_limit_ends() -> None:
    clock = Clock(at(3, 3), limit="3wd", extension="5wd")
    assert clock.due_at == last_second(3, 13)


def test_limit_that_rests_on_unpublished_year_is_never_carded_before_it_is_published() -> None:
    clock = Clock(at(12, 30), limit="3wd", calendar=WorkingCalendar(1, published=frozenset({2025})))
    assert clock.provisional
    assert clock.due_at is not None
    assert clock.next_at is None
    retime(clock, WorkingCalendar(2, published=frozenset({2025, 2026})))
    assert (clock.provisional, clock.next_at is None) == (False, False)


def test_what_is_certain_of_limit_comes_although_rest_waits_for_calendar() -> None:
    clock = Clock(at(12, 22), limit="3wd", calendar=WorkingCalendar(1, published=frozenset({2025})))
    assert (clock.due_at, clock.provisional) == (last_second(12, 25), True)
    assert clock.next_at == clock.remind_at == at(12, 24, 9)
    assert [step for step, _ in due_steps(clock, at(12, 31, 23))] == [Step.YELLOW]
    clock.steps = 2
    retime(clock, clock.calendar)
    assert clock.red_at is not None
    assert (clock.next_at, due_steps(clock, clock.red_at)) == (None, [])
    retime(clock, WorkingCalendar(2, published=frozenset({2025, 2026})))
    assert (clock.provisional, clock.next_at == clock.red_at) == (False, True)


def test_reminder_is_not_given_before_the_stage_began() -> None:
    assert Clock(at(3, 3), limit="1wd").remind_at is None
    assert Clock(at(3, 3, 8), limit="1wd").remind_at == at(3, 3, 9)
    assert Clock(at(3, 3), limit="10wd", remind_before=0).remind_at is None


MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2026, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds of a strategy that adds the zone


@given(MOMENTS, st.integers(0, 30), st.lists(st.integers(1, 10**6), max_size=6), st.integers(0, 9))
def test_however_often_it_stands_still_the_moments_keep_their_order(
    start: datetime, days: int, marks: list[int], extension: int
) -> None:
    clock = Clock(start, limit=f"{days}wd", extension=f"{extension}wd")
    without, moment = clock.due_at, start
    for number, seconds in enumerate(marks):
        moment += timedelta(seconds=seconds)
        (pause, resume)[number % 2](clock, moment)
        retime(clock, KNOWN)
    if clock.due_at is None:
        assert len(marks) % 2
        return
    assert without is not None
    assert start < clock.due_at >= without
    assert clock.yellow_at == clock.due_at + SECOND
    if clock.red_at is None:
        assert len(marks) % 2, "only while it stands still is there no red to come"
    else:
        assert clock.red_at > clock.yellow_at
    assert clock.remind_at is None or start < clock.remind_at < clock.due_at


@given(MOMENTS, st.integers(0, 20), st.integers(-5, 40), st.integers(0, 60))
def test_card_is_due_exactly_when_the_stage_outlasted_its_moment(
    start: datetime, days: int, ended_after: int, looked_after: int
) -> None:
    clock = Clock(start, limit=f"{days}wd")
    assert clock.due_at is not None
    clock.ended_at = max(start, clock.due_at + timedelta(days=ended_after))
    now = clock.due_at + timedelta(days=looked_after)
    for step, moment in ((Step.YELLOW, clock.yellow_at), (Step.RED, clock.red_at)):
        assert moment is not None
        earned = moment <= now and clock.ended_at >= moment
        assert ((step, moment) in due_steps(clock, now)) is earned


def test_each_day_of_the_survey_window_is_whole() -> None:
    assert deadlines.survey_window_ends(at(9, 26), 7) == last_second(10, 3)


def test_only_a_village_may_not_refuse() -> None:
    assert [kind for kind in UnitKind if not deadlines.may_refuse(kind)] == [UnitKind.VILLAGE]


def test_limits_of_one_clock_are_in_the_form_that_is_read_again() -> None:
    assert [str(Limit.parse(one)) for one in ("0wd", "15d", "4wh")] == ["0wd", "15d", "4wh"]


def test_by_another_rule_a_clock_counts_from_where_it_began() -> None:
    clock = Clock(at(9, 26), limit="10wd")
    remeasure(clock, urgent("5wd"), KNOWN, at(9, 28), may_be_later=False)
    assert (clock.started_at, clock.limit, clock.rule) == (at(9, 26), "5wd", "v1/judge/urgent")
    assert (clock.due_at, clock.red_at) == (last_second(10, 10), at(10, 12, 0))
    assert clock.remind_at is None


def test_who_gets_less_time_keeps_a_full_working_day_or_what_there_was() -> None:
    for now, due in (
        # Friday noon: Sunday 28 September is worked.
        (at(9, 26, 12), last_second(9, 28)),
        # After hours it is as on the next working day's morning.
        (at(9, 26, 18, 0, 1), last_second(9, 29)),
        # On the eve of the holiday the next working day is after it.
        (at(9, 30), last_second(10, 9)),
    ):
        clock = Clock(at(9, 26), limit="10wd")
        remeasure(clock, urgent(), KNOWN, now, may_be_later=False)
        assert clock.due_at == due, now
        assert clock.rule == f"recategorised/{clock.limit}"
    clock = Clock(at(9, 26), limit="1wd")
    remeasure(clock, urgent(), KNOWN, at(9, 28), may_be_later=False)
    assert (clock.due_at, clock.rule) == (last_second(9, 28), "default/judge")


def test_more_time_is_given_only_by_who_may_and_not_beyond_what_was_given_for_this_case() -> None:
    for rule, later in (("default/judge", True), ("recategorised/3wd", True), ("given/3wd", False)):
        clock = Clock(at(9, 26), limit="3wd", rule=rule)
        remeasure(clock, urgent("5wd"), KNOWN, at(9, 28), may_be_later=False)
        assert clock.due_at == last_second(9, 30)
        remeasure(clock, urgent("5wd"), KNOWN, at(9, 28), may_be_later=True)
        assert (clock.due_at == last_second(10, 10)) is later, rule


def test_what_was_missed_stays_missed() -> None:
    clock = Clock(at(9, 26), limit="1wd")
    for written in ("0wd", "10wd"):
        remeasure(clock, urgent(written), KNOWN, at(9, 29, 0), may_be_later=True)
        assert clock.due_at == last_second(9, 28)


LIMITS = st.builds("{}{}".format, st.integers(0, 30), st.sampled_from(("wd", "d", "wh")))


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2025, 6, 1)),  # noqa: DTZ001 - Shanghai's, below
    LIMITS,
    LIMITS,
    st.lists(st.integers(0, 400), max_size=5),
    st.integers(0, 1000),
    st.sampled_from((None, "3wd")),
)
def test_another_rule_never_gives_holder_more_and_takes_nobody_their_last_working_day(
    start: datetime, had: str, has: str, turns: list[int], passed: int, extension: str | None
) -> None:
    start = start.replace(tzinfo=SHANGHAI)
    clock = Clock(start, limit=had, extension=extension)
    now = start
    for number, hours in enumerate(turns):
        now += timedelta(hours=hours)
        (resume if number % 2 else pause)(clock, now)
        retime(clock, KNOWN)
    now += timedelta(hours=passed)
    before, one_day = due_if_it_went_on(clock, now), KNOWN.due(now, Limit.parse("1wd")).at
    missed = deadlines.overdue(clock, now)
    remeasure(clock, urgent(has), KNOWN, now, may_be_later=False)
    after = due_if_it_went_on(clock, now)
    assert one_day is not None
    assert after == before if missed else min(before, one_day) <= after <= before
    assert (clock.started_at, clock.extension) == (start, extension)


def due_if_it_went_on(clock: Clock, now: datetime) -> datetime:
    other = replace(clock)
    resume(other, now)
    retime(other, KNOWN)
    assert other.due_at is not None
    return other.due_at
