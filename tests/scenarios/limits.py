"""The model's limits: when one ends and what cards it earns, from nothing but a list of holidays.

Imports nothing of the application: what is compared with it is not what it is made of.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, timezone
from functools import cache

from chinese_calendar import is_workday as is_listed_as_workday

SHANGHAI = timezone(timedelta(hours=8))
RED_AFTER, URGENT_RED_AFTER = 5, 1
# Those that count every day, and with the whole case's those that give no cards.
BY_CALENDAR = ("supplement", "waiting", "inform", "statutory")
WITHOUT_CARDS = (*BY_CALENDAR, "whole")
# Before that nobody is carded: whoever asked in time may still be waiting for the answer.
HEARD = timedelta(seconds=10)
CLOSES, END, SECOND, DAY = time(18), time(23, 59, 59), timedelta(seconds=1), timedelta(days=1)

# From the day on which the clock began to stand still until the day on which it went on.
Still = list[tuple[date, date | None]]
Card = tuple[str, str, str, datetime]


@cache
def is_workday(day: date) -> bool:
    return bool(is_listed_as_workday(day))


def days_after(day: date, days: int, still: Still, *, every_day: bool = False) -> datetime | None:
    """The end of the so-manieth day after this one; nothing while it stands still before then.

    The same day, with no days, unless it ends while the clock stands still: then the first that does not.
    """
    if not days:
        stands = _standing_until(day, still)
        if None in stands:
            return None
        days += bool(stands)
    while days:
        day += DAY
        if not (every_day or is_workday(day)):
            continue
        stands = _standing_until(day, still)
        if None in stands:
            return None
        days -= not stands
    return datetime.combine(day, END, tzinfo=SHANGHAI)


def _standing_until(day: date, still: Still) -> list[date | None]:
    """Until when it stands still at the end of that day, if it does."""
    return [until for since, until in still if since <= day and (until is None or day < until)]


def end_after(moment: datetime, days: int, still: Still, *, every_day: bool = False) -> datetime | None:  # fmt: skip
    """The end of the so-manieth day after receipt, Asia/Shanghai; after hours is the next working day."""
    day, late = moment.date(), moment.time() > CLOSES
    while not every_day and (late or not is_workday(day)):
        day, late = day + DAY, False
    return days_after(day, days, still, every_day=every_day)


@dataclass
class Run:
    """A limit that somebody has; `more` are days that were granted."""

    stage: str
    unit: str
    since: datetime
    days: int
    still: Still = field(default_factory=list)
    more: int = 0
    red_after: int = RED_AFTER
    ended: datetime | None = None
    held: datetime | None = None
    carded: set[str] = field(default_factory=set)

    def due(self) -> datetime | None:
        every_day = self.stage in BY_CALENDAR
        due = end_after(self.since, self.days, self.still, every_day=every_day)
        if due is None or not self.more:
            return due
        return days_after(due.date(), self.more, self.still, every_day=every_day)

    def if_days_were(self, days: int, now: datetime) -> datetime:
        """When it would be due, if it went on today where it stands still."""
        still: Still = [(since, until or now.date()) for since, until in self.still]
        due = replace(self, days=days, still=still).due()
        assert due is not None
        return due

    def card_at(self, level: str) -> datetime | None:
        due = self.due()
        if due is not None and level == "red":
            due = days_after(due.date(), self.red_after, self.still)
        return due and due + SECOND

    def overdue(self, now: datetime) -> bool:
        due = self.due()
        return due is not None and now > due

    def cards(self, now: datetime) -> list[Card]:
        """What it has earned by now and not yet got; what ended in time, or was objected to by then, earns nothing."""
        earned = list[Card]()
        for level in ("yellow", "red"):
            at = self.card_at(level)
            in_time = at is None or any(until is not None and until < at for until in (self.ended, self.held))  # fmt: skip
            if level not in self.carded and at is not None and not in_time and at <= now - HEARD:
                self.carded.add(level)
                earned.append((self.stage, self.unit, level, at))
        return earned
