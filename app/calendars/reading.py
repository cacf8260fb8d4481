"""A county's calendar as of a version, kept in the process once read: a version never changes."""

from collections import OrderedDict
from datetime import date, datetime, time
from typing import Final, NamedTuple

from msgspec import Struct
from sqlalchemy import text

from app.calendars.working_time import Day, Hours, WorkingCalendar
from app.clock import SHANGHAI
from app.db import Transaction
from app.db.query import Query
from app.settings import settings

_KEPT: Final = 256
# The state announces a year in November of the one before.
_WARN_FROM: Final = 11
_VERSION: Final = text("SELECT version FROM calendar WHERE county_id = :county_id")


class _ChangedDay(Struct, frozen=True):
    day: date
    working: bool
    opens: time | None
    closes: time | None
    name: str


class _CalendarRow(Struct, frozen=True):
    """A version of a calendar, with one of the days that differ from the week; without, where there is none."""

    usually_opens: time
    noon_from: time | None
    noon_to: time | None
    usually_closes: time
    ours: bool
    years: list[int] | None
    changed: _ChangedDay | None


# Of each day what its greatest version up to this one says. `ours`: made by this transaction, which may yet be undone.
_CALENDAR: Final = Query(
    _CalendarRow,
    """
SELECT c.opens AS usually_opens, c.noon_from, c.noon_to, c.closes AS usually_closes,
  (c.xmin = CAST(pg_current_xact_id_if_assigned() AS xid)) IS TRUE AS ours,
  (SELECT array_agg(y.year) FROM calendar_year y WHERE y.county_id = c.county_id AND y.version <= c.version) AS years,
  d.day AS changed_day, d.working AS changed_working, d.opens AS changed_opens, d.closes AS changed_closes, d.name AS changed_name
FROM calendar_change c LEFT JOIN LATERAL (
  SELECT DISTINCT ON (day) day, working, opens, closes, name FROM calendar_day
  WHERE county_id = c.county_id AND version <= c.version ORDER BY day, version DESC
) d ON true
WHERE c.county_id = :county_id AND c.version = :version
""",
)


class Publication(NamedTuple):
    at: datetime
    source: str


_PUBLICATION: Final = Query(
    Publication,
    """
SELECT published_at AS at, source FROM calendar_year WHERE county_id = :county_id AND year = :year
""",
)
_YEARS: Final = text("""
SELECT array_agg(year) FROM calendar_year WHERE county_id = :county_id AND year IN (:this_year, :next_year)
""")


class _PublishedYears(Struct, frozen=True):
    now: datetime
    years: list[int] | None


# Counties at work: those with staff. Found from the posts, so that a country of empty counties costs nothing.
_PUBLISHED: Final = Query(
    _PublishedYears,
    """
SELECT now() AS now, (SELECT array_agg(y.year) FROM calendar_year y WHERE y.county_id = c.id) AS years
FROM unit c WHERE c.id IN (SELECT o.county_id FROM post p JOIN unit o ON o.id = p.unit_id WHERE p.valid_to IS NULL)
""",
)


class Change(NamedTuple):
    """A version: who made it (nobody: the system itself), and the office hours from it on."""

    version: int
    at: datetime
    staff: str | None
    reason: str
    publishes: bool
    days: int
    hours: Hours


_CHANGES: Final = Query(
    Change,
    """
SELECT c.version, c.at, s.name AS staff, c.reason, c.publishes, c.days, c.opens AS hours_opens, c.noon_from AS hours_noon_from,
  c.noon_to AS hours_noon_to, c.closes AS hours_closes
FROM calendar_change c LEFT JOIN staff s ON s.id = c.staff_id
WHERE c.county_id = :county_id AND c.version < :before ORDER BY c.version DESC LIMIT :most
""",
)
_AFTER_ALL: Final = 2**31 - 1
_known: "OrderedDict[tuple[str, int, int], WorkingCalendar]" = OrderedDict()


class Outlook(NamedTuple):
    """The last year published in every county at work, and the years that should be and are not."""

    published_to: int | None
    missing: tuple[int, ...]


async def calendar_of(
    tx: Transaction, county_id: int, version: int | None = None
) -> WorkingCalendar:
    """As of that version, or as it stands; version 0, of which every year is provisional, where there is none.

    Where the version is given and was read before, the database is not asked.
    """
    if version is None:
        version = await tx.scalar(_VERSION, county_id=county_id) or 0
    if version == 0:
        return WorkingCalendar(0)
    key = (settings().database_url, county_id, version)
    if (known := _known.get(key)) is not None:
        _known.move_to_end(key)
        return known
    rows = await _CALENDAR.all(tx, county_id=county_id, version=version)
    if not rows:
        raise LookupError(f"county {county_id} has no calendar of version {version}")
    calendar = _read(version, rows)
    if not rows[0].ours:
        _known[key] = calendar
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return calendar


async def publication_of(tx: Transaction, county_id: int, year: int) -> Publication | None:
    """When a year's calendar became known here, and from where; nothing while it is provisional."""
    return await _PUBLICATION.one_or_none(tx, county_id=county_id, year=year)


async def changes_of(
    tx: Transaction, county_id: int, *, before: int | None, most: int
) -> list[Change]:
    """The versions, the newest first, from before that one on."""
    return await _CHANGES.all(tx, county_id=county_id, before=before or _AFTER_ALL, most=most)


async def missing_years(tx: Transaction, county_id: int, *, now: datetime) -> tuple[int, ...]:
    """The years that should be published in this county and are not: this year, and from 1 November the next."""
    today = now.astimezone(SHANGHAI).date()
    published = await tx.scalar(
        _YEARS, county_id=county_id, this_year=today.year, next_year=today.year + 1
    )
    return tuple(year for year in _needed(today) if year not in (published or ()))


async def outlook(tx: Transaction) -> Outlook:
    """What is missing in any county at work, as `missing_years` has it. One statement."""
    rows = await _PUBLISHED.all(tx)
    if not rows:
        return Outlook(None, ())
    tx.began(rows[0].now)
    today = (await tx.now()).astimezone(SHANGHAI).date()
    by_county = [frozenset(row.years or ()) for row in rows]
    everywhere = frozenset.intersection(*by_county)
    return Outlook(
        max(everywhere, default=None),
        tuple(year for year in _needed(today) if year not in everywhere),
    )


def forget() -> None:
    """Where the same process turns to another database at the same address: tests."""
    _known.clear()


def _needed(today: date) -> tuple[int, ...]:
    """The years whose days off should be known by then."""
    return (today.year, today.year + 1) if today.month >= _WARN_FROM else (today.year,)


def _read(version: int, rows: list[_CalendarRow]) -> WorkingCalendar:
    first = rows[0]
    return WorkingCalendar(
        version,
        Hours(first.usually_opens, first.noon_from, first.noon_to, first.usually_closes),
        {
            day.day: Day(day.working, _half(day.opens, day.closes), day.name)
            for row in rows
            if (day := row.changed) is not None
        },
        frozenset(first.years or ()),
    )


def _half(opens: time | None, closes: time | None) -> Hours | None:
    return None if opens is None or closes is None else Hours(opens, None, None, closes)
