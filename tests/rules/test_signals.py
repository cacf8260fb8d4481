"""Buck-passing as facts: each signal, and what only looks like one."""

from datetime import UTC, datetime, timedelta

import pytest

from app.calendars.seeding import known_calendar
from app.cards.signals import SHORTEST_FINDING, Entry, HolderStage, Signal, facts
from app.cases.lifecycle import Action
from app.clock import SHANGHAI

START = datetime(2026, 11, 2, 1, tzinfo=UTC)
CALENDAR = known_calendar()
VILLAGE, TOWNSHIP, CENTER, OFFICE = 1, 2, 3, 4
LONG = "本社区没有供水管网的检修设备和人员，需要县水务局处理"


def entries(
    *told: tuple[Action, int, int | None] | tuple[Action, int, int | None, str],
) -> list[Entry]:
    """Action, whose doing, to whom, and the finding; a day apart each."""
    return [
        Entry(
            seq=number,
            at=START + timedelta(days=number),
            action=one[0],
            unit_id=one[1],
            unit_code=str(one[1]),
            unit_name=f"单位{one[1]}",
            to_unit_id=one[2],
            finding=one[3] if len(one) > 3 else f"{LONG}{number}",
        )
        for number, one in enumerate(told, 1)
    ]


def signals(
    *told: tuple[Action, int, int | None] | tuple[Action, int, int | None, str],
) -> list[tuple[Signal, int]]:
    return [(fact.signal, fact.entry.seq) for fact in facts(entries(*told), [], CALENDAR)]


UP, DOWN, OVER, BACK, LONGER = (
    Action.ESCALATE,
    Action.SEND_DOWN,
    Action.DISPATCH,
    Action.SETTLE,
    Action.EXTEND,
)


def test_way_a_case_should_go_shows_nothing() -> None:
    assert signals((UP, VILLAGE, TOWNSHIP), (UP, TOWNSHIP, CENTER), (OVER, CENTER, OFFICE)) == []
    assert facts([], [], CALENDAR) == []


def test_every_return_shows() -> None:
    assert signals((UP, VILLAGE, TOWNSHIP), (DOWN, TOWNSHIP, VILLAGE)) == [(Signal.RETURNED, 2)]
    assert signals((OVER, CENTER, OFFICE), (BACK, OFFICE, CENTER), (OVER, CENTER, TOWNSHIP)) == [
        (Signal.RETURNED, 2)
    ]


def test_between_the_same_two_units_the_same_way_again_is_ping_pong() -> None:
    assert signals(
        (UP, VILLAGE, TOWNSHIP), (DOWN, TOWNSHIP, VILLAGE), (UP, VILLAGE, TOWNSHIP), (DOWN, TOWNSHIP, VILLAGE)
    ) == [
        (Signal.RETURNED, 2),
        (Signal.PING_PONG, 3),
        (Signal.RETURNED, 4),
        (Signal.PING_PONG, 4),
    ]  # fmt: skip
    assert (Signal.PING_PONG, 3) in signals(
        (OVER, CENTER, OFFICE), (BACK, OFFICE, CENTER), (OVER, CENTER, OFFICE)
    )


def test_center_that_leads_itself_again_plays_with_nobody() -> None:
    assert signals((OVER, CENTER, CENTER), (OVER, CENTER, CENTER)) == []


@pytest.mark.parametrize(
    ("finding", "empty"),
    [
        ("无法解决", True),
        ("水" * (SHORTEST_FINDING - 1), True),
        ("水" * SHORTEST_FINDING, False),
        ("水 。" * (SHORTEST_FINDING - 1), True),
        ("，" * 40, True),
        ("", True),
        (LONG, False),
    ],
)
def test_finding_that_is_too_short_has_no_substance(finding: str, empty: bool) -> None:
    assert signals((UP, VILLAGE, TOWNSHIP, finding)) == (
        [(Signal.EMPTY_FINDING, 1)] if empty else []
    )


def test_finding_that_was_written_before_has_no_substance() -> None:
    again = f" {LONG}。"
    assert signals((UP, VILLAGE, TOWNSHIP, LONG), (UP, TOWNSHIP, CENTER, again)) == [
        (Signal.EMPTY_FINDING, 2)
    ]


def test_finding_that_was_erased_is_not_judged() -> None:
    (told,) = entries((UP, VILLAGE, TOWNSHIP))
    erased = Entry(
        seq=1, at=told.at, action=UP, unit_id=VILLAGE, unit_code="1", unit_name="", finding=None
    )
    assert facts([erased, erased], [], CALENDAR) == []


def judged(
    limit: str,
    began: datetime,
    due: datetime,
    ended: datetime,
    *pauses: tuple[datetime, datetime | None],
) -> list[Signal]:
    """What shows of a village that escalated then."""
    (told,) = entries((UP, VILLAGE, TOWNSHIP))
    moved = Entry(
        seq=1, at=ended, action=UP, unit_id=VILLAGE, unit_code="1", unit_name="", finding=told.finding
    )  # fmt: skip
    stage = HolderStage(VILLAGE, limit, began, due, ended, list(pauses))
    return [fact.signal for fact in facts([moved], [stage], CALENDAR)]


def day(number: int, hour: int, minute: int = 0) -> datetime:
    """Of September 2025, a Monday being the 22nd; the offices are open from 9 to 12 and from 14 to 18."""
    return datetime(2025, 9, number, hour, minute, tzinfo=SHANGHAI)


# From Monday at ten until the end of Wednesday there are 20 office hours, the last two of them from four o'clock on.
@pytest.mark.parametrize(
    ("ended", "late"),
    [
        (day(22, 10), False),
        (day(24, 15, 59), False),
        (day(24, 16), True),
        (day(24, 23, 59), True),
        (day(25, 9), True),
    ],
)
def test_escalating_in_the_last_tenth_of_the_limit_or_after_it_is_late(
    ended: datetime, late: bool
) -> None:
    due = day(24, 23, 59)
    assert judged("2wd", day(22, 10), due, ended) == ([Signal.LATE_ESCALATION] if late else [])


def test_days_off_are_no_part_of_a_limit_in_working_days() -> None:
    """From Friday at ten over the weekend until the end of Tuesday: 20 hours again, though Monday is in the last half of the days."""
    due = day(23, 23, 59)
    assert judged("2wd", day(19, 10), due, day(23, 15, 59)) == []
    assert judged("2wd", day(19, 10), due, day(23, 16)) == [Signal.LATE_ESCALATION]


def test_limit_in_calendar_days_runs_by_day_and_night() -> None:
    due = day(30, 0)
    assert judged("10d", day(20, 0), due, day(28, 23, 59)) == []
    assert judged("10d", day(20, 0), due, day(29, 0)) == [Signal.LATE_ESCALATION]


def test_time_that_stood_still_is_no_part_of_the_limit() -> None:
    """As above, but for a wait from Tuesday morning to Thursday morning: the last two hours are Friday's."""
    due, waited = day(26, 23, 59), (day(23, 9), day(25, 9))
    assert judged("2wd", day(22, 10), due, day(26, 15, 59), waited) == []
    assert judged("2wd", day(22, 10), due, day(26, 16), waited) == [Signal.LATE_ESCALATION]


def test_what_another_unit_or_another_stage_took_is_not_escalating_units() -> None:
    (told,) = entries((UP, VILLAGE, TOWNSHIP))
    due = told.at + timedelta(minutes=1)
    others = HolderStage(TOWNSHIP, "2wd", START, due, told.at)
    before = HolderStage(VILLAGE, "2wd", START, due, told.at - timedelta(hours=1))
    standing_still = HolderStage(VILLAGE, "2wd", START, None, told.at)
    assert facts([told], [others, before, standing_still], CALENDAR) == []


def test_asking_for_longer_again_shows() -> None:
    assert signals((LONGER, OFFICE, None)) == []
    assert signals((LONGER, OFFICE, None), (LONGER, VILLAGE, None), (LONGER, OFFICE, None)) == [
        (Signal.REPEATED_EXTENSION, 3)
    ]


@pytest.mark.parametrize("signal", Signal)
def test_every_signal_has_its_chinese(signal: Signal) -> None:
    assert any("\u4e00" <= letter <= "\u9fff" for letter in signal.chinese)
