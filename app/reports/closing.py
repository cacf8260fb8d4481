"""The month end: counts a county's month, releases what handling units may learn, and locks it; in one transaction, once.

What is counted follows from the record, the month and its cut-off alone: run late, twice or by two at once, it is the same.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final

from msgspec import Struct
from sqlalchemy import text

from app.clock import SHANGHAI
from app.db import Transaction
from app.db.query import Query
from app.errors import InvalidInput
from app.reports import counting, satisfaction
from app.reports.chain import month_digest
from app.reports.formulas import VERSION
from app.reports.models import MonthEnd, ReleasedSatisfaction
from app.reports.months import HEARD, Month, due
from app.reports.suppression import DISCLOSURES, Cell, cells

# One after the other, also with what corrects a month.
_LOCK: Final = text("SELECT true FROM unit WHERE id = :county_id FOR NO KEY UPDATE")
_TRY: Final = text("SELECT true FROM unit WHERE id = :county_id FOR NO KEY UPDATE SKIP LOCKED")


class _CountyRow(Struct, frozen=True):
    county_id: int


_COUNTIES: Final = Query(
    _CountyRow,
    """
SELECT DISTINCT u.county_id FROM post p JOIN unit u ON u.id = p.unit_id WHERE u.county_id IS NOT NULL ORDER BY 1""",
)
_COUNTY: Final = text("SELECT id FROM unit WHERE code = :code AND kind = 'county'")


class _LastMonth(Struct, frozen=True):
    month: date
    digest: bytes


_LAST: Final = Query(
    _LastMonth,
    """
SELECT month, digest FROM month_end WHERE county_id = :county_id ORDER BY month DESC LIMIT 1""",
)
_ONE: Final = Query(
    MonthEnd, "SELECT * FROM month_end WHERE county_id = :county_id AND month = :month"
)
_FIRST_CASE: Final = text("SELECT min(received_at) FROM matter_facts WHERE county_id = :county_id")
# A limit that ran out in the month and that nobody has looked at yet would still earn its card.
_NOT_SWEPT: Final = text("""
SELECT EXISTS (SELECT FROM clock WHERE next_at < :ends AND county_id = :county_id)""")
_CONTENT_OF: Final = """
SELECT coalesce(string_agg(CAST(jsonb_strip_nulls(to_jsonb(f)) AS text), E'\n' ORDER BY {order}), '')
FROM {table} f WHERE f.county_id = :county_id AND f.month = :month"""
_CONTENTS: Final = tuple(
    text(_CONTENT_OF.format(table=table, order=order))
    for table, order in (
        ("month_figure", "f.unit_id, f.staff_id NULLS FIRST"),
        ("month_sealed", "f.unit_id"),
        ("released_satisfaction", "f.unit_id"),
    )
)
Tell = Callable[[str], None]


class NotYet(RuntimeError):
    """The month cannot be locked yet; says in Chinese why and until when."""


def _tell_nobody(_what: str) -> None:
    """For who does not watch."""


async def counties(tx: Transaction) -> list[int]:
    """Those in which anybody works."""
    return [row.county_id for row in await _COUNTIES.all(tx)]


async def county_of(tx: Transaction, code: str | None) -> int:
    """By its code or, where only one county works here, without. Raises InvalidInput."""
    if code is not None:
        found: int | None = await tx.scalar(_COUNTY, code=code)
        known = [] if found is None else [found]
    else:
        known = await counties(tx)
    if len(known) != 1:
        raise InvalidInput("没有这个县，或不止一个县：请用 --county 写明县的代码。")
    return known[0]


async def open_months(
    tx: Transaction, county_id: int, *, now: datetime, closing_day: int
) -> list[Month]:
    """The months that may be locked now and are not, in order; from the first one in which there was a case."""
    first = await _first_open(tx, county_id)
    return [] if first is None else list(due(first, now, closing_day))


async def months_through(
    tx: Transaction, county_id: int, month: Month, *, now: datetime, closing_day: int
) -> list[Month]:
    """What is to be locked before and with a month; nothing where it is locked. Raises NotYet, or InvalidInput."""
    if await locked(tx, county_id, month) is not None:
        return []
    found = await open_months(tx, county_id, now=now, closing_day=closing_day)
    if month in found:
        return [one for one in found if one <= month]
    first = await _first_open(tx, county_id)
    if first is None or month < first:
        raise InvalidInput(f"{month.chinese}还没有事件，不用月结。")
    when = (month.cutoff(closing_day) + HEARD).astimezone(SHANGHAI)
    raise NotYet(f"{month.chinese}要到{when:%Y年%m月%d日 %H:%M}以后才能月结：那时评价已截止。")


async def locked(tx: Transaction, county_id: int, month: Month) -> MonthEnd | None:
    return await _ONE.one_or_none(tx, county_id=county_id, month=month.first)


async def one_at_a_time(tx: Transaction, county_id: int) -> None:
    """Until the transaction ends, nobody else locks or corrects a month of the county."""
    await tx.execute(_LOCK, county_id=county_id)


async def close_month(
    tx: Transaction,
    county_id: int,
    month: Month,
    *,
    now: datetime,
    closing_day: int,
    wait: bool = True,
    tell: Tell = _tell_nobody,
) -> MonthEnd | None:
    """Lock the month; its cut-off is that of the closing day, whenever this runs. None: somebody else has, or is at it.

    Raises NotYet while limits that ran out in it have not been looked at.
    """
    if wait:
        await one_at_a_time(tx, county_id)
    elif not await tx.scalar(_TRY, county_id=county_id):
        return None
    # A statement of its own, after the lock: it sees what whoever had it has done.
    last = await _LAST.one_or_none(tx, county_id=county_id)
    if last is not None and last.month >= month.first:
        return None
    if await tx.scalar(_NOT_SWEPT, ends=month.ends, county_id=county_id):
        raise NotYet(f"{month.chinese}还有到期的时限没有巡查，红黄牌未齐：后台进程巡查后再月结。")
    done = MonthEnd(
        county_id=county_id,
        month=month.first,
        formula_version=VERSION,
        begins_at=month.begins,
        ends_at=month.ends,
        cutoff_at=month.cutoff(closing_day),
        locked_at=now,
        digest=b"",
    )
    await _write(tx, done, tell)
    tell("封存 · locking")
    previous = b"" if last is None else last.digest
    done.digest = month_digest(done, previous, await contents(tx, county_id, done.month))
    tx.add(done)
    await tx.flush()
    return done


async def contents(tx: Transaction, county_id: int, month: date) -> list[str]:
    """Everything that was counted and released, as the digest covers it."""
    public = [await tx.scalar(one, county_id=county_id, month=month) for one in _CONTENTS]
    return [*public, await satisfaction.content(tx, county_id, month)]


async def _write(tx: Transaction, month: MonthEnd, tell: Tell) -> None:
    tell("核算办理 · counting the work")
    await counting.write(tx, month)
    tell("核算评价 · counting the evaluations")
    await satisfaction.write(tx, month)
    tell("反馈单位 · releasing")
    counted = await satisfaction.to_release(tx, month)
    _release(tx, month, cells(counted, DISCLOSURES[month.formula_version]))
    await tx.flush()


def _release(tx: Transaction, month: MonthEnd, found: Sequence[Cell]) -> None:
    for cell in found:
        for unit_id in cell.unit_ids:
            tx.add(
                ReleasedSatisfaction(
                    unit_id=unit_id,
                    month=month.month,
                    county_id=month.county_id,
                    joined=cell.joined,
                    evaluated=cell.evaluated,
                    bound=cell.bound,
                    favourable=cell.favourable,
                )
            )


async def _first_open(tx: Transaction, county_id: int) -> Month | None:
    last = await _LAST.one_or_none(tx, county_id=county_id)
    if last is not None:
        return Month.starting(last.month).next
    first: datetime | None = await tx.scalar(_FIRST_CASE, county_id=county_id)
    return None if first is None else Month.of(first)
