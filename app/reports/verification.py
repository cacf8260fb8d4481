"""Recomputes the digests of locked months and corrections, and counts months anew. Repairs nothing."""

from collections.abc import AsyncIterator
from typing import Any, Final

from sqlalchemy import text

from app.db import Transaction
from app.db.row_base import Found, Stored
from app.reports import closing, correcting, satisfaction
from app.reports.chain import correction_digest, month_digest
from app.reports.formulas import COUNTED_ALIKE
from app.reports.models import MonthCorrection, MonthEnd, SatisfactionCorrection
from app.reports.months import Month
from app.reports.suppression import DISCLOSURES, cells

_MONTHS: Final = text("SELECT * FROM month_end ORDER BY county_id, month")
_CHAIN: Final = text("SELECT * FROM month_correction ORDER BY county_id, seq")
_RELEASED: Final = text("""
SELECT unit_id, joined, evaluated, bound, favourable FROM released_satisfaction
WHERE county_id = :county_id AND month = :month""")
_HOW_MANY: Final = text("SELECT count(*) FROM month_end")


# How many months were looked at, and what is wrong with them, by ids and numbers alone.
Wrong = AsyncIterator[tuple[int, list[dict[str, Any]]]]


async def how_many(tx: Transaction) -> int:
    found: int = await tx.scalar(_HOW_MANY)
    return found


async def altered(tx: Transaction) -> Wrong:
    """Months and corrections that are not what was locked; a correction by its number."""
    previous: MonthEnd | None = None
    async for month in _all(tx):
        same = previous is not None and previous.county_id == month.county_id
        wrong = [what async for what in _wrong(tx, month, previous if same else None)]
        yield 1, [{**_named(month), "correction": None, "what": what} for what in wrong]
        previous = month
    for rows, kind in (
        (await tx.all(_CHAIN), MonthCorrection),
        (await satisfaction.chain(tx), SatisfactionCorrection),
    ):
        yield 0, _wrong_corrections(rows, kind)


async def miscounted(tx: Transaction) -> Wrong:
    """Where the record says another count than was locked and recounted; of months counted as they are now."""
    async for month in _all(tx):
        if month.formula_version not in COUNTED_ALIKE:
            continue
        found = await correcting.differences(tx, month)
        found |= await correcting.satisfaction_differences(tx, month)
        yield (
            1,
            [
                {
                    **_named(month),
                    "unit_id": whose[0],
                    "staff_id": whose[1],
                    "measure": measure.value,
                    "locked": known,
                    "counted": counted,
                }
                for (whose, measure), (known, counted, _) in sorted(found.items(), key=str)
            ],
        )


async def released_otherwise(tx: Transaction) -> Wrong:
    """Units to which something else was released than may be told of what was locked."""
    async for month in _all(tx):
        may_be = {
            unit_id: (cell.joined, cell.evaluated, cell.bound.value, cell.favourable)
            for cell in cells(
                await satisfaction.to_release(tx, month), DISCLOSURES[month.formula_version]
            )
            for unit_id in cell.unit_ids
        }
        was = {
            row.unit_id: (row.joined, row.evaluated, row.bound, row.favourable)
            for row in await tx.all(_RELEASED, county_id=month.county_id, month=month.month)
        }
        differ = {one for one in may_be.keys() | was.keys() if may_be.get(one) != was.get(one)}
        yield 1, [{**_named(month), "unit_id": unit_id} for unit_id in sorted(differ)]


async def _all(tx: Transaction) -> AsyncIterator[MonthEnd]:
    for row in await tx.all(_MONTHS):
        yield MonthEnd.read(row)


def _named(month: MonthEnd) -> dict[str, Any]:
    return {"county_id": month.county_id, "month": month.month}


async def _wrong(tx: Transaction, month: MonthEnd, before: MonthEnd | None) -> AsyncIterator[str]:
    if before is not None and Month.starting(before.month).next.first != month.month:
        yield "前一个月缺失"
    contents = await closing.contents(tx, month.county_id, month.month)
    if month_digest(month, b"" if before is None else before.digest, contents) != month.digest:
        yield "数字与锁定时的校验值不符"


def _wrong_corrections(rows: list[Found], kind: type[Stored]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    county_id, previous, expected = None, b"", 1
    for row in rows:
        if row.county_id != county_id:
            county_id, previous, expected = row.county_id, b"", 1
        if row.seq != expected or correction_digest(row, previous, kind.model_fields) != row.digest:
            found.append(
                {
                    "county_id": row.county_id,
                    "month": row.month,
                    "correction": row.seq,
                    "what": "更正缺失或与校验值不符",
                }
            )
        previous, expected = row.digest, row.seq + 1
    return found
