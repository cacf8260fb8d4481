"""The years that the library chinesecalendar knows, as the state announced them. A start: the tables are the truth."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Final

from chinese_calendar import constants
from msgspec import Struct
from sqlalchemy import text

from app.calendars.working_time import DEFAULT_HOURS, Day, WorkingCalendar
from app.db import Transaction
from app.db.query import Query

SOURCE: Final = "国务院办公厅放假安排（随系统更新）"
# A county's years are some 800 rows: the whole country would be more rows than units.
MOST_IDLE: Final = 200
# Well within the time that a statement may take, also on a machine that has much else to do.
_AT_ONCE: Final = 10
_NAMES: Final = {holiday.value: holiday.chinese for holiday in constants.Holiday}
# A county nobody has edited while this runs; one that is being edited is waited for.
_LOCK: Final = text("""
SELECT c.county_id FROM calendar c WHERE c.county_id = ANY(CAST(:counties AS integer[])) ORDER BY c.county_id FOR UPDATE
""")


class _LackingCounty(Struct, frozen=True):
    id: int
    at_work: bool | None


_COUNTIES: Final = Query(
    _LackingCounty,
    """
SELECT u.id, u.id IN (SELECT o.county_id FROM post p JOIN unit o ON o.id = p.unit_id WHERE p.valid_to IS NULL) AS at_work
FROM unit u WHERE u.kind = 'county' AND (u.valid_to IS NULL OR u.valid_to >= CAST(:today AS date))
  AND (SELECT count(*) FROM calendar_year y WHERE y.county_id = u.id AND y.year = ANY(CAST(:years AS smallint[]))) < :known
ORDER BY u.id
""",
)
_BEGIN: Final = text("""
INSERT INTO calendar (county_id, version)
SELECT id, 0 FROM unnest(CAST(:counties AS integer[])) AS c(id) ON CONFLICT DO NOTHING
""")
# One version for all the years a county lacks, with what was announced of the December before each of them. Days it
# had changed itself stay as they are.
_SEED: Final = text("""
WITH lacking AS (
  SELECT c.county_id, c.version + 1 AS version, n.year
  FROM calendar c CROSS JOIN unnest(CAST(:years AS smallint[])) AS n(year)
  WHERE c.county_id = ANY(CAST(:counties AS integer[]))
    AND NOT EXISTS (SELECT FROM calendar_year y WHERE y.county_id = c.county_id AND y.year = n.year)
), published AS (
  INSERT INTO calendar_year (county_id, year, published_at, version, source)
  SELECT county_id, year, CAST(:now AS timestamptz), version, CAST(:source AS text) FROM lacking
), said AS (
  INSERT INTO calendar_day (county_id, day, version, working, name)
  SELECT DISTINCT l.county_id, g.day, l.version, g.working, g.name
  FROM lacking l JOIN unnest(CAST(:days AS date[]), CAST(:working AS boolean[]), CAST(:names AS text[])) AS g(day, working, name)
    ON l.year IN (EXTRACT(year FROM g.day), EXTRACT(year FROM g.day + 31))
  WHERE NOT EXISTS (SELECT FROM calendar_day d WHERE d.county_id = l.county_id AND d.day = g.day)
  RETURNING county_id
), counted AS (SELECT county_id, count(*) AS days FROM said GROUP BY county_id
), raised AS (
  UPDATE calendar c SET version = l.version
  FROM (SELECT DISTINCT county_id, version FROM lacking) l WHERE c.county_id = l.county_id
  RETURNING c.county_id, c.version
)
INSERT INTO calendar_change (county_id, version, at, reason, publishes, days, opens, noon_from, noon_to, closes)
SELECT r.county_id, r.version, CAST(:now AS timestamptz), CAST(:source AS text), true, coalesce(n.days, 0),
  coalesce(b.opens, CAST(:opens AS time)), CASE WHEN b.version IS NULL THEN CAST(:noon_from AS time) ELSE b.noon_from END,
  CASE WHEN b.version IS NULL THEN CAST(:noon_to AS time) ELSE b.noon_to END, coalesce(b.closes, CAST(:closes AS time))
FROM raised r LEFT JOIN counted n ON n.county_id = r.county_id
  LEFT JOIN calendar_change b ON b.county_id = r.county_id AND b.version = r.version - 1
""")


@cache
def known_days() -> Mapping[date, Day]:
    """Every day that differs from the week, with its name."""
    off = {day: Day(working=False, name=_NAMES[name]) for day, name in constants.holidays.items()}
    worked = {
        day: Day(working=True, name=f"{_NAMES[name]}调休")
        for day, name in constants.workdays.items()
    }
    return off | worked


@cache
def known_years() -> frozenset[int]:
    """Years whose list is complete: the National Day closes it."""
    return frozenset(day.year for day in constants.holidays if (day.month, day.day) == (10, 1))


@cache
def known_calendar() -> WorkingCalendar:
    """What the library knows, for questions asked without a county."""
    return WorkingCalendar(0, DEFAULT_HOURS, known_days(), known_years())


async def seed_all(tx: Transaction, now: datetime, *, most: int = MOST_IDLE) -> int:
    """Give every county the years known here that it has not published; returns how many counties got any.

    Where more than `most` lack some, as after the import of a whole country, only those with staff get theirs.
    """
    years = sorted(known_years())
    lacking = await _COUNTIES.all(tx, years=years, known=len(years))
    counties = [row.id for row in lacking if row.at_work or len(lacking) <= most]
    if counties:
        await seed(tx, counties, now)
    return len(counties)


async def seed(tx: Transaction, counties: list[int], now: datetime) -> None:
    """Seeding again changes nothing."""
    days = sorted(known_days().items())
    await tx.execute(_BEGIN, counties=counties)
    await tx.execute(_LOCK, counties=counties)
    for start in range(0, len(counties), _AT_ONCE):
        await tx.execute(
            _SEED,
            counties=counties[start : start + _AT_ONCE],
            years=sorted(known_years()),
            days=[day for day, _ in days],
            working=[given.working for _, given in days],
            names=[given.name for _, given in days],
            now=now,
            source=SOURCE,
            opens=DEFAULT_HOURS.opens,
            noon_from=DEFAULT_HOURS.noon_from,
            noon_to=DEFAULT_HOURS.noon_to,
            closes=DEFAULT_HOURS.closes,
        )
