"""The holidays that the state gives every year, and the days they fall on. Pure.

Source: 全国年节及纪念日放假办法 (State Council decree 270, last changed for 2025). How the days around them are swapped is
announced year by year and stands in the published lists only.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from chinese_calendar import get_solar_terms
from lunardate import LunarDate

from app.calendars.working_time import SATURDAY, Day

_FIXED: Final = {
    "元旦": ((1, 1),),
    "劳动节": ((5, 1),),
    "国庆节": ((10, 1), (10, 2), (10, 3)),
}
_LUNAR: Final = {
    "春节": ((1, 1), (1, 2), (1, 3)),
    "端午节": ((5, 5),),
    "中秋节": ((8, 15),),
}
_LAST_LUNAR_YEAR: Final = 2099
# A holiday on a weekend is made good within these days.
_MADE_GOOD: Final = timedelta(days=3)
# Weekdays off less weekend days worked: 11 by law until 2024, 13 since; 10 to 13 in all lists from 2008 on.
USUAL_BALANCE: Final = range(10, 15)


def holidays(year: int) -> Mapping[str, tuple[date, ...]]:
    """The days of each yearly holiday; those by the moon only up to 2099, where the table of lunar years ends."""
    found = {
        name: tuple(date(year, month, day) for month, day in days) for name, days in _FIXED.items()
    }
    if year <= _LAST_LUNAR_YEAR:
        found |= {
            name: tuple(LunarDate(year, month, day).to_solar_date() for month, day in days)
            for name, days in _LUNAR.items()
        }
        found["清明节"] = (get_solar_terms(date(year, 4, 3), date(year, 4, 7))[0][0],)
    return found


def missing_holidays(year: int, listed: Mapping[date, Day]) -> list[str]:
    """The yearly holidays that a list leaves out or calls worked, in the order of the year.

    `listed` holds the days that differ from the week. A holiday on a weekday must be off. One on a weekend must not be
    worked, and a day off must stand within three days of it.
    """
    off = {day for day, given in listed.items() if not given.working}
    named = sorted(holidays(year).items(), key=lambda one: one[1][0])
    return [name for name, days in named if not all(_is_given(day, off, listed) for day in days)]


def _is_given(holiday: date, off: set[date], listed: Mapping[date, Day]) -> bool:
    if holiday in off:
        return True
    if holiday.weekday() < SATURDAY or holiday in listed:
        return False
    return any(abs(day - holiday) <= _MADE_GOOD for day in off)


def balance(listed: Mapping[date, Day]) -> int:
    """Weekdays off less weekend days worked: about the number of days that the law gives."""
    return sum(
        (day.weekday() < SATURDAY and not given.working)
        - (day.weekday() >= SATURDAY and given.working)
        for day, given in listed.items()
    )
