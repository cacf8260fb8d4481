"""What there is to see of a year, for the person who had it simulated. Counts what is in the database, and draws nothing."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from sqlalchemy import text

from app.cases.lifecycle import Phase
from app.clock import SHANGHAI
from app.db import Transaction

# Days to the last answer: of a case that was done again, the one that counted.
_CASES: Final = text("""
SELECT c.phase, count(*) AS cases FROM grievance c WHERE c.received_at >= :since AND c.received_at < :until GROUP BY c.phase
""")
_DAYS: Final = text("""
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a.days) AS median, avg(CAST(a.days > 15 AS int)) AS over_15,
  avg(CAST(a.days > 41 AS int)) AS over_41
FROM (
  SELECT extract(epoch FROM c.answered_at - c.received_at) / 86400 AS days FROM grievance c
  WHERE c.received_at >= :since AND c.received_at < :until AND c.answered_at IS NOT NULL
) a
""")
_CARDS: Final = text("""
SELECT count(*) FILTER (WHERE k.level = 'yellow') AS yellow, count(*) FILTER (WHERE k.level = 'red') AS red,
  count(k.revoked_at) AS revoked, count(DISTINCT k.unit_id) AS units
FROM card k JOIN grievance c ON c.id = k.matter_id WHERE c.received_at >= :since AND c.received_at < :until
""")


@dataclass(frozen=True, slots=True)
class Summary:
    """`median`, `over_15` and `over_41` are of the days to the answer; nothing where nothing was answered."""

    cases: dict[Phase, int]
    median: float | None
    over_15: float
    over_41: float
    yellow: int
    red: int
    revoked: int
    carded_units: int


async def of_year(tx: Transaction, year: int) -> Summary:
    """Of the cases that were told in that year."""
    since, until = (datetime.combine(date(one, 1, 1), time(), SHANGHAI) for one in (year, year + 1))
    cases = {Phase(row.phase): row.cases for row in await tx.all(_CASES, since=since, until=until)}
    days = (await tx.all(_DAYS, since=since, until=until))[0]
    cards = (await tx.all(_CARDS, since=since, until=until))[0]
    return Summary(
        cases={phase: cases[phase] for phase in Phase if phase in cases},
        median=days.median,
        over_15=float(days.over_15 or 0),
        over_41=float(days.over_41 or 0),
        yellow=cards.yellow,
        red=cards.red,
        revoked=cards.revoked,
        carded_units=cards.units,
    )
