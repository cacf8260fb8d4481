"""Changes to a county's calendar: each makes one new version. Whose right it is, the caller asks.

What was computed with an older version is recomputed elsewhere: a deadline names the version it was computed with.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from msgspec import Struct
from sqlalchemy import text

from app.calendars import reading
from app.calendars.holidays import USUAL_BALANCE, balance, missing_holidays
from app.calendars.models import Calendar, CalendarChange, CalendarDay, CalendarYear
from app.calendars.working_time import (
    FIRST_YEAR,
    LAST_YEAR,
    SATURDAY,
    Day,
    Hours,
    WorkingCalendar,
    is_announced_with,
)
from app.clock import SHANGHAI
from app.db import Transaction
from app.db.query import Query
from app.errors import InvalidInput, NothingChanged

_BEGIN: Final = text(
    "INSERT INTO calendar (county_id, version) VALUES (:county_id, 0) ON CONFLICT DO NOTHING"
)
_LOCK: Final = Query(Calendar, "SELECT * FROM calendar WHERE county_id = :county_id FOR UPDATE")


class _AnnouncedDay(Struct, frozen=True):
    day: date


# Days that stand as a published list said, not as the county itself did since or before. With the December before a
# year, which the 31 days carry into it.
_ANNOUNCED: Final = Query(
    _AnnouncedDay,
    """
SELECT newest.day FROM (
  SELECT DISTINCT ON (d.day) d.day, h.publishes FROM calendar_day d
  JOIN calendar_change h ON h.county_id = d.county_id AND h.version = d.version
  WHERE d.county_id = :county_id
    AND (extract(year FROM d.day) = ANY(CAST(:years AS int[])) OR extract(year FROM d.day + 31) = ANY(CAST(:years AS int[])))
  ORDER BY d.day, d.version DESC
) newest WHERE newest.publishes ORDER BY newest.day
""",
)


@dataclass(frozen=True, slots=True)
class Edited:
    """The version made, how many days it changed, and how many of them lie before yesterday: deadlines long past move.

    `kept`: days of a December that differ from the week although the list does not name them. `warnings` as in Plan.
    """

    version: int
    days: int
    past_days: int
    kept: tuple[date, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What lists would change: the days as they would be, the years published for the first time, the days kept.

    `warnings` are Chinese sentences about lists that look incomplete.
    """

    changed: Mapping[date, Day]
    fresh: tuple[int, ...]
    kept: tuple[date, ...]
    warnings: tuple[str, ...]


async def change_days(
    tx: Transaction,
    county_id: int,
    days: Mapping[date, Day],
    *,
    reason: str,
    staff_id: int | None,
    now: datetime,
) -> Edited:
    """Say of days that they are worked, off or half; a year's being published stays as it is."""
    _require_known_years({day.year for day in days})
    head, calendar = await _lock(tx, county_id)
    changed = {
        day: given for day, given in days.items() if _differs(calendar, day, given, frozenset())
    }
    if not changed:
        raise NothingChanged
    return _next(tx, head, calendar.hours, changed, reason=reason, staff_id=staff_id, now=now)


async def plan_years(
    tx: Transaction, county_id: int, years: Mapping[int, Mapping[date, Day]]
) -> Plan:
    """What publishing these lists would change, to look at before it is done. Writes and locks nothing."""
    return await _plan(tx, await reading.calendar_of(tx, county_id), county_id, years)


async def publish_years(
    tx: Transaction,
    county_id: int,
    years: Mapping[int, Mapping[date, Day]],
    *,
    source: str,
    staff_id: int | None,
    now: datetime,
) -> Edited:
    """Take over what the state announced for whole years: the days that differ from the week, by year.

    Days the county itself had changed stay, unless the announcement names them. A year published before may be
    corrected this way: what only the former list named is an ordinary day again.

    A list may name days of the December before (`is_announced_with`): they take effect, and that year is neither
    published nor replaced by it. So of a December the lists of two years may speak. Once the later one is published,
    what neither this list nor the county itself says of it stays and is told (`kept`).
    """
    _require_known_years(years)
    head, calendar = await _lock(tx, county_id)
    plan = await _plan(tx, calendar, county_id, years)
    if not plan.changed and not plan.fresh:
        raise NothingChanged
    edited = _next(
        tx,
        head,
        calendar.hours,
        plan.changed,
        reason=source,
        publishes=True,
        staff_id=staff_id,
        now=now,
        kept=plan.kept,
        warnings=plan.warnings,
    )
    for year in plan.fresh:
        tx.add(
            CalendarYear(
                county_id=county_id,
                year=year,
                published_at=now,
                version=edited.version,
                source=source,
            )
        )
    return edited


async def _plan(
    tx: Transaction,
    calendar: WorkingCalendar,
    county_id: int,
    years: Mapping[int, Mapping[date, Day]],
) -> Plan:
    _require_known_years(years)
    for year, listed in years.items():
        _require_complete(year, listed)
    days = {day: given for year in sorted(years) for day, given in years[year].items()}
    published = frozenset(years)
    announced = await _ANNOUNCED.all(tx, county_id=county_id, years=sorted(published))
    unnamed = [row.day for row in announced if row.day not in days]
    shared = {day for day in unnamed if _is_of_next_year(day, calendar.published | published)}
    days |= {day: _ordinary(day) for day in unnamed if day not in shared}
    return Plan(
        changed=_changed(calendar, days, published),
        fresh=tuple(sorted(published - calendar.published)),
        kept=tuple(
            day for day in sorted(shared) if calendar.works(day) is not _ordinary(day).working
        ),
        warnings=_balance_warnings(years),
    )


def _is_of_next_year(day: date, published: Set[int]) -> bool:
    """Whether the day was announced with the year after it, which has been published."""
    return is_announced_with(day, day.year + 1) and day.year + 1 in published


def _changed(
    calendar: WorkingCalendar, days: Mapping[date, Day], published: frozenset[int]
) -> dict[date, Day]:
    return {
        day: given
        for day, given in sorted(days.items())
        if _differs(calendar, day, given, published)
    }


def _balance_warnings(years: Mapping[int, Mapping[date, Day]]) -> tuple[str, ...]:
    told = (_balance_warning(year, years[year]) for year in sorted(years))
    return tuple(one for one in told if one)


async def set_hours(
    tx: Transaction,
    county_id: int,
    hours: Hours,
    *,
    reason: str,
    staff_id: int | None,
    now: datetime,
) -> Edited:
    """The usual office hours; half days keep theirs."""
    head, calendar = await _lock(tx, county_id)
    if hours == calendar.hours:
        raise NothingChanged
    return _next(tx, head, hours, {}, reason=reason, staff_id=staff_id, now=now)


async def _lock(tx: Transaction, county_id: int) -> tuple[Calendar, WorkingCalendar]:
    await tx.execute(_BEGIN, county_id=county_id)
    head = await _LOCK.one(tx, county_id=county_id)
    return head, await reading.calendar_of(tx, county_id, head.version)


def _differs(calendar: WorkingCalendar, day: date, given: Day, published: frozenset[int]) -> bool:
    listed = calendar.days.get(day)
    if listed is not None:
        return listed != given
    # In a year that is not published, what is taken for granted now must still be said.
    settled = day.year in calendar.published or day.year in published
    return not settled or given != _ordinary(day)


def _ordinary(day: date) -> Day:
    return Day(day.weekday() < SATURDAY)


def _next(
    tx: Transaction,
    head: Calendar,
    hours: Hours,
    changed: Mapping[date, Day],
    *,
    reason: str,
    publishes: bool = False,
    staff_id: int | None,
    now: datetime,
    kept: tuple[date, ...] = (),
    warnings: tuple[str, ...] = (),
) -> Edited:
    head.version += 1
    tx.change(head)
    tx.add(
        CalendarChange(
            county_id=head.county_id,
            version=head.version,
            at=now,
            staff_id=staff_id,
            reason=reason,
            publishes=publishes,
            days=len(changed),
            opens=hours.opens,
            noon_from=hours.noon_from,
            noon_to=hours.noon_to,
            closes=hours.closes,
        )
    )
    for day, given in changed.items():
        tx.add(
            CalendarDay(
                county_id=head.county_id,
                day=day,
                version=head.version,
                working=given.working,
                opens=given.hours and given.hours.opens,
                closes=given.hours and given.hours.closes,
                name=given.name,
            )
        )
    yesterday = now.astimezone(SHANGHAI).date() - timedelta(days=1)
    past_days = sum(day < yesterday for day in changed)
    return Edited(head.version, len(changed), past_days, kept, warnings)


def _require_known_years(years: Mapping[int, object] | set[int]) -> None:
    if not years:
        raise InvalidInput("没有填写任何日期。")
    for year in years:
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise InvalidInput(f"年份应在 {FIRST_YEAR} 与 {LAST_YEAR} 之间。")


def _balance_warning(year: int, listed: Mapping[date, Day]) -> str | None:
    """A list without its make-up days, or with a week of them too many, gives far more or fewer days than the law does."""
    found = balance({day: given for day, given in listed.items() if day.year == year})
    if found in USUAL_BALANCE:
        return None
    return (
        f"{year} 年工作日放假的天数减去周末补班的天数为 {found}，通常为 11 至 13："
        "请核对补班日和放假日是否齐全。"
    )


def _require_complete(year: int, listed: Mapping[date, Day]) -> None:
    for day in listed:
        if not is_announced_with(day, year):
            raise InvalidInput(f"{day} 不在 {year} 年，也不在上一年 12 月。")
    if missing := missing_holidays(year, listed):
        raise InvalidInput(
            f"{year} 年的安排中，{'、'.join(missing)}没有列为休息：不像是完整的放假安排，没有发布。"
        )
