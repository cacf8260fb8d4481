"""The released cells of a handling unit's evaluations, from their own table. Reads no survey."""

from datetime import date
from typing import Final

from msgspec import Struct

from app.auth.actor import StaffActor
from app.db import Transaction
from app.db.query import Query
from app.errors import NotPermitted
from app.reports.months import Month
from app.reports.suppression import Bound

_AFTER_ALL: Final = date(2200, 1, 1)


class Released(Struct, frozen=True):
    """A released cell. `joined`: together with the other small units of the township."""

    joined: bool
    evaluated: int
    bound: Bound
    favourable: int

    @property
    def told(self) -> str:
        """In words, for people."""
        if self.bound is Bound.AT_LEAST:
            share = f"满意率不低于{self.favourable}%"
        elif self.bound is Bound.AT_MOST:
            share = f"不满意不少于{100 - self.favourable}%"
        else:
            share = f"满意率{100 * self.favourable / self.evaluated:.1f}%"
        whose = "本镇街参评较少的单位合并：" if self.joined else ""
        return f"{whose}{share}（参评{self.evaluated}人）"


class MonthReleased(Struct, frozen=True):
    """A locked month; `cell` is empty where too few had answered for anything to be told."""

    month: Month
    cell: Released | None


class _OwnRow(Struct, frozen=True):
    month: date
    cell: Released | None


_OWN: Final = Query(
    _OwnRow,
    """
SELECT m.month, r.joined AS cell_joined, r.evaluated AS cell_evaluated, r.bound AS cell_bound, r.favourable AS cell_favourable
FROM month_end m LEFT JOIN released_satisfaction r ON r.unit_id = :unit_id AND r.month = m.month
WHERE m.county_id = :county_id AND m.month < :before ORDER BY m.month DESC LIMIT :most""",
)


async def own(
    tx: Transaction, *, by: StaffActor, before: Month | None, most: int
) -> list[MonthReleased]:
    """The asker's own unit's, the latest month first. Raises NotPermitted for those who act for no unit."""
    if not by.acts:
        raise NotPermitted("只有办理单位的人员可以查看本单位的评价反馈。")
    rows = await _OWN.all(
        tx,
        unit_id=by.unit_id,
        county_id=by.county_id,
        before=_AFTER_ALL if before is None else before.first,
        most=most,
    )
    return [MonthReleased(Month.starting(row.month), row.cell) for row in rows]
