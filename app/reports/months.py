"""A month as reports know it: when it begins and ends in Shanghai, and from when on it may be locked. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Self

from typing_extensions import override

from app.clock import SHANGHAI
from app.errors import InvalidInput

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2099
# A fact that was asked for before the cut-off may be written a little after it: nobody is counted before all are heard.
HEARD: Final = timedelta(minutes=10)
_WRITTEN: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    year: int
    number: int

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """The month in which a moment lies, in Shanghai."""
        there = moment.astimezone(SHANGHAI)
        return cls(there.year, there.month)

    @classmethod
    def starting(cls, day: date) -> Self:
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, written: str) -> Self:
        """Such as 2025-06. Raises InvalidInput for what is none."""
        found = _WRITTEN.fullmatch(written)
        if found is None or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
            raise InvalidInput(
                "月份须写作 2025-06 这样的形式。",
                mistakes=[{"where": "month", "what": "须为年-月，例如 2025-06"}],
            )
        return cls(int(found[1]), int(found[2]))

    @override
    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    @property
    def chinese(self) -> str:
        return f"{self.year}年{self.number}月"

    @property
    def first(self) -> date:
        """Its first day: how it stands in the tables."""
        return date(self.year, self.number, 1)

    @property
    def next(self) -> "Month":
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def begins(self) -> datetime:
        return datetime.combine(self.first, time(), SHANGHAI)

    @property
    def ends(self) -> datetime:
        """The first moment that is no longer in it."""
        return self.next.begins

    def cutoff(self, closing_day: int) -> datetime:
        """What happened from here on is no longer taken into the month: the begin of the closing day, a month later."""
        return datetime.combine(self.next.first.replace(day=closing_day), time(), SHANGHAI)


def due(after: Month, now: datetime, closing_day: int) -> Iterator[Month]:
    """The months from `after` on (itself included) that may be locked now, in order."""
    month = after
    while month.cutoff(closing_day) + HEARD <= now:
        yield month
        month = month.next
