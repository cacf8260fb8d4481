"""Time limits and when they end: working days, calendar days and office hours, Asia/Shanghai. Pure; knows no table.

Everything is recomputed from what happened (received, paused), never added on to an earlier result. ADR 0011 says
what counts as receipt and why a day ends at midnight.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final, Self

from msgspec import Struct
from typing_extensions import override

from app.clock import SHANGHAI

# From when the clock stood still until when it ran again; None while it still stands.
Pause = tuple[datetime, datetime | None]
END_OF_DAY: Final = time(23, 59, 59)
MOST: Final = 3660
# Between these years calendars are published.
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2100
_ONE_DAY: Final = timedelta(days=1)
_DECEMBER: Final = 12
SATURDAY: Final = 5
# Statutory holidays with a fixed date (全国年节及纪念日放假办法): all that is known of a year not yet published.
_FIXED_HOLIDAYS: Final = {
    (1, 1): "元旦",
    (5, 1): "劳动节",
    (5, 2): "劳动节",
    (10, 1): "国庆节",
    (10, 2): "国庆节",
    (10, 3): "国庆节",
}


def is_announced_with(day: date, year: int) -> bool:
    """Whether it may stand in the state's list of that year: its days, and those around its New Year in December before."""
    return day.year == year or (day.year, day.month) == (year - 1, _DECEMBER)


class LimitUnit(StrEnum):
    WORKING_DAYS = "working_days"
    CALENDAR_DAYS = "calendar_days"
    WORKING_HOURS = "working_hours"

    @property
    def short(self) -> str:
        return _SHORT[self]

    @property
    def chinese(self) -> str:
        return _CHINESE[self]


class BadLimit(ValueError):
    """What was given is no time limit; says so in Chinese."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A time limit; 0 is the same day, or with hours the same moment."""

    amount: int
    unit: LimitUnit

    def __post_init__(self) -> None:
        if not 0 <= self.amount <= MOST:
            raise BadLimit(f"期限的数值应在 0 与 {MOST} 之间。")

    @classmethod
    def parse(cls, written: str) -> Self:
        """From the short form; raises BadLimit."""
        found = _WRITTEN.fullmatch(written)
        if found is None:
            raise BadLimit(
                "期限应写作数字加单位：5wd（工作日）、60d（自然日）或 4wh（工作小时），不能有小数和空格。"
            )
        return cls(int(found["amount"]), _BY_SHORT[found["unit"]])

    @property
    def chinese(self) -> str:
        return f"{self.amount} 个{self.unit.chinese}"

    @override
    def __str__(self) -> str:
        return f"{self.amount}{self.unit.short}"


@dataclass(frozen=True, slots=True)
class Hours:
    """Office hours of a day, by the clock on the wall; without a noon break both of its ends are None."""

    opens: time
    noon_from: time | None
    noon_to: time | None
    closes: time

    def __post_init__(self) -> None:
        marks = [self.opens, *filter(None, (self.noon_from, self.noon_to)), self.closes]
        if (self.noon_from is None) is not (self.noon_to is None):
            raise ValueError("午休的开始和结束须同时填写。")
        if any(earlier >= later for earlier, later in pairwise(marks)):
            raise ValueError("上班、午休、下班的时间须依次在后。")

    @property
    def spans(self) -> tuple[tuple[time, time], ...]:
        if self.noon_from is None or self.noon_to is None:
            return ((self.opens, self.closes),)
        return ((self.opens, self.noon_from), (self.noon_to, self.closes))


DEFAULT_HOURS: Final = Hours(time(9), time(12), time(14), time(18))


@dataclass(frozen=True, slots=True)
class Day:
    """A day that is said to be worked or off; half days (半天) have hours of their own, without a noon break."""

    working: bool
    hours: Hours | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if self.hours is not None and (not self.working or self.hours.noon_from is not None):
            raise ValueError("半天是上班的日子，没有午休。")


class Due(Struct, frozen=True):
    """When a limit ends: never, as it looks (None), while the clock stands still with time left.

    Provisional (暂定) while it rests on a year whose calendar is not published.
    """

    at: datetime | None
    provisional: bool


@dataclass(frozen=True, slots=True, eq=False)
class WorkingCalendar:
    """A county's calendar as of a version. `days` lists what is not an ordinary weekday or weekend."""

    version: int
    hours: Hours = DEFAULT_HOURS
    days: Mapping[date, Day] = field(default_factory=dict)
    published: frozenset[int] = frozenset()
    # Where limits without pauses end: the calendar never changes, and many begin on the same day.
    _ends: dict[tuple[date, Limit], datetime | None] = field(
        init=False, repr=False, default_factory=dict
    )

    def works(self, day: date) -> bool:
        listed = self.days.get(day)
        if listed is not None:
            return listed.working
        if day.weekday() >= SATURDAY:
            return False
        return day.year in self.published or (day.month, day.day) not in _FIXED_HOLIDAYS

    def day(self, day: date) -> Day:
        """What kind of day it is, whether listed or not."""
        listed = self.days.get(day)
        if listed is not None:
            return listed
        named = "" if day.year in self.published else _FIXED_HOLIDAYS.get((day.month, day.day), "")
        return Day(self.works(day), name=named)

    def hours_on(self, day: date) -> Hours:
        """Office hours, if the day is worked."""
        listed = self.days.get(day)
        return self.hours if listed is None or listed.hours is None else listed.hours

    def next_working_day(self, day: date) -> date:
        """The first after this one."""
        day += _ONE_DAY
        while not self.works(day):
            day += _ONE_DAY
        return day

    def working_day_before(self, day: date, number: int) -> date:
        """So many working days before; with 0 the day itself, or the last working day before it."""
        while number or not self.works(day):
            day -= _ONE_DAY
            if number and self.works(day):
                number -= 1
        return day

    def effective_receipt(self, received: datetime) -> datetime:
        """When something counts as received: at once in office hours and at noon, else when the office opens next."""
        local = received.astimezone(SHANGHAI)
        today = local.date()
        if self.works(today):
            hours = self.hours_on(today)
            if local.time() < hours.opens:
                return _at(today, hours.opens)
            if local.time() <= hours.closes:
                return local
        opening = self.next_working_day(today)
        return _at(opening, self.hours_on(opening).opens)

    def due(self, received: datetime, limit: Limit, pauses: Sequence[Pause] = ()) -> Due:
        """When a limit that began with `received` ends.

        Days end at their last second; a day counts unless the clock stands still at its end. Hours are office hours.
        """
        if limit.unit is LimitUnit.WORKING_HOURS:
            at = self._after_hours(received, limit.amount, pauses)
            return self._resting_on(received, at)
        if limit.unit is LimitUnit.CALENDAR_DAYS:
            first = received.astimezone(SHANGHAI).date()
            # Whether days are worked does not matter here, so nothing can be provisional.
            return Due(self._after_days(first, limit, pauses), provisional=False)
        first = self.effective_receipt(received).date()
        return self._resting_on(received, self._after_days(first, limit, pauses))

    def after(self, due_at: datetime, limit: Limit, pauses: Sequence[Pause] = ()) -> Due:
        """When something due at `due_at` is overdue by a further limit; by 0, at the due time itself."""
        if limit.amount == 0:
            return Due(due_at, provisional=False)
        if limit.unit is LimitUnit.WORKING_HOURS:
            return self._resting_on(due_at, self._after_hours(due_at, limit.amount, pauses))
        at = self._after_days(due_at.astimezone(SHANGHAI).date(), limit, pauses)
        if limit.unit is LimitUnit.CALENDAR_DAYS:
            return Due(at, provisional=False)
        return self._resting_on(due_at, at)

    def remind_at(self, due_at: datetime, days_before: int) -> datetime:
        """When the office opens so many working days before the due day. May lie before the start."""
        day = self.working_day_before(due_at.astimezone(SHANGHAI).date(), days_before)
        return _at(day, self.hours_on(day).opens)

    def working_time_between(self, begin: datetime, end: datetime) -> timedelta:
        """Office hours from one moment to another; nothing if the other is earlier."""
        spent = timedelta()
        for opens, closes in self._spans(begin):
            if opens >= end:
                break
            spent += max(min(closes, end) - max(opens, begin), timedelta())
        return spent

    def rests_on_unpublished(self, first: date, last: date) -> bool:
        """Whether a year from the one day to the other is not published."""
        return any(year not in self.published for year in range(first.year, last.year + 1))

    def _resting_on(self, begin: datetime, at: datetime | None) -> Due:
        if at is None:
            return Due(None, provisional=False)
        first = begin.astimezone(SHANGHAI).date()
        return Due(at, self.rests_on_unpublished(first, at.date()))

    def _after_days(self, day: date, limit: Limit, pauses: Sequence[Pause]) -> datetime | None:
        """The end of the last day; `day` is day 0. With 0 days it is day 0 that must not end in a pause."""
        if pauses:
            return self._count_days(day, limit, pauses)
        asked = (day, limit)
        if asked not in self._ends:
            self._ends[asked] = self._count_days(day, limit, pauses)
        return self._ends[asked]

    def _count_days(self, day: date, limit: Limit, pauses: Sequence[Pause]) -> datetime | None:
        every_day = limit.unit is LimitUnit.CALENDAR_DAYS
        left = limit.amount
        end = _at(day, END_OF_DAY)
        if left == 0:
            runs = _running_from(end, pauses)
            if runs is None or runs is end:
                return runs
            left = 1
        while left:
            day += _ONE_DAY
            if every_day or self.works(day):
                end = _at(day, END_OF_DAY)
                runs = _running_from(end, pauses)
                if runs is None:
                    return None
                left -= runs is end
        return end

    def _after_hours(
        self, begin: datetime, amount: int, pauses: Sequence[Pause]
    ) -> datetime | None:
        """The moment at which so many office hours have run."""
        if amount == 0:
            return self._first_running(begin, pauses)
        left = timedelta(hours=amount)
        # In UTC: differences of local times are differences on the wall's clock, wrong where summer time begins or ends.
        begin = begin.astimezone(UTC)
        paused = [(since.astimezone(UTC), to and to.astimezone(UTC)) for since, to in pauses]
        for opens, closes in self._spans(begin):
            at: datetime | None = max(opens, begin)
            while (at := _running_from(at, paused)) is not None and at < closes:
                until = min((since for since, _ in paused if at < since < closes), default=closes)
                if until - at >= left:
                    return (at + left).astimezone(SHANGHAI)
                left -= until - at
                at = until
            if at is None:
                return None
        raise AssertionError("unreachable: working days never end")

    def _first_running(self, begin: datetime, pauses: Sequence[Pause]) -> datetime | None:
        at = self.effective_receipt(begin)
        while (runs := _running_from(at, pauses)) is not at:
            if runs is None:
                return None
            at = self.effective_receipt(runs)
        return at

    def _spans(self, begin: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The office hours from the day of `begin` on, in UTC, without end."""
        day = begin.astimezone(SHANGHAI).date()
        if not self.works(day):
            day = self.next_working_day(day)
        while True:
            for opens, closes in self.hours_on(day).spans:
                yield _at(day, opens).astimezone(UTC), _at(day, closes).astimezone(UTC)
            day = self.next_working_day(day)


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, SHANGHAI)


def _running_from(moment: datetime | None, pauses: Sequence[Pause]) -> datetime | None:
    """The first moment from this one on at which the clock runs: itself, if it does; None if a pause has no end."""
    inside = True
    while inside and moment is not None:
        inside = False
        for since, to in pauses:
            if since <= moment and (to is None or moment < to):
                moment, inside = to, True
                break
    return moment


_SHORT: Final = {
    LimitUnit.WORKING_DAYS: "wd",
    LimitUnit.CALENDAR_DAYS: "d",
    LimitUnit.WORKING_HOURS: "wh",
}
_CHINESE: Final = {
    LimitUnit.WORKING_DAYS: "工作日",
    LimitUnit.CALENDAR_DAYS: "自然日",
    LimitUnit.WORKING_HOURS: "工作小时",
}
_BY_SHORT: Final = {short: unit for unit, short in _SHORT.items()}
# ASCII digits only, and few of them: int() would take ５ and a million digits as well.
_WRITTEN: Final = re.compile(r"(?P<amount>[0-9]{1,6})(?P<unit>wd|wh|d)")
