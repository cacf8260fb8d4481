"""Changes to a county's limits: each makes one new version. Whose right it is, the caller asks.

What was given by an older version stays as promised: a case names the rule and the version it was given.
"""

from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text

from app.calendars.working_time import Limit, LimitUnit
from app.db import Transaction
from app.db.query import Query
from app.errors import InvalidInput, NothingChanged
from app.limits import reading
from app.limits.models import LimitChange, LimitRule, LimitSet
from app.limits.rules import Measure, Place, Rule, RuleSet
from app.limits.terms import OF_THE_LAW, WITHOUT_CARDS

LONGEST: Final = Limit(366, LimitUnit.CALENDAR_DAYS)
# Limits of different units compared: in fortieths of a calendar day, the working week being five days of eight hours.
_FORTIETHS: Final = {
    LimitUnit.CALENDAR_DAYS: 40,
    LimitUnit.WORKING_DAYS: 56,
    LimitUnit.WORKING_HOURS: 7,
}
_BEGIN: Final = text(
    "INSERT INTO limit_set (county_id, version) VALUES (:county_id, 0) ON CONFLICT DO NOTHING"
)
_LOCK: Final = Query(LimitSet, "SELECT * FROM limit_set WHERE county_id = :county_id FOR UPDATE")


class Said(NamedTuple):
    """The version made, and the rule as it is kept on cases."""

    version: int
    rule: Rule


async def set_rule(
    tx: Transaction,
    county_id: int,
    place: Place,
    measure: Measure,
    *,
    reason: str,
    staff_id: int | None,
    now: datetime,
) -> Said:
    """Say what holds for a place, which may be what the defaults say: it then stays so if they change."""
    _require_sound(place, measure)
    if place.category_id is not None and not await reading.line_of(tx, place.category_id):
        raise InvalidInput("没有这个分类。")
    head, rules = await _lock(tx, county_id)
    known = rules.at(place)
    if known is not None and known.measure == measure:
        raise NothingChanged
    _next(tx, head, place, measure, withdrawn=False)
    _because(tx, head, reason, staff_id, now)
    return Said(head.version, Rule.made(place, measure, f"v{head.version}"))


async def withdraw_rule(
    tx: Transaction,
    county_id: int,
    place: Place,
    *,
    reason: str,
    staff_id: int | None,
    now: datetime,
) -> int:
    """From the version returned on, the place has no rule of its own: less specific ones hold, or the defaults."""
    head, rules = await _lock(tx, county_id)
    known = rules.at(place)
    if known is None:
        raise NothingChanged("本县没有为此设定过期限，没有可撤销的。")
    _next(tx, head, place, known.measure, withdrawn=True)
    _because(tx, head, reason, staff_id, now)
    return head.version


async def _lock(tx: Transaction, county_id: int) -> tuple[LimitSet, RuleSet]:
    await tx.execute(_BEGIN, county_id=county_id)
    head = await _LOCK.one(tx, county_id=county_id)
    return head, await reading.rules_of(tx, county_id, head.version)


def _next(
    tx: Transaction, head: LimitSet, place: Place, measure: Measure, *, withdrawn: bool
) -> None:
    head.version += 1
    tx.change(head)
    tx.add(
        LimitRule(
            county_id=head.county_id,
            version=head.version,
            stage=place.stage,
            tier=place.tier,
            kind=place.kind,
            category_id=place.category_id,
            urgent=place.urgent,
            limit=str(measure.limit),
            remind_before=measure.remind_before,
            yellow_after=str(measure.yellow_after),
            red_after=None if measure.red_after is None else str(measure.red_after),
            withdrawn=withdrawn,
        )
    )


def _because(
    tx: Transaction, head: LimitSet, reason: str, staff_id: int | None, now: datetime
) -> None:
    tx.add(
        LimitChange(
            county_id=head.county_id,
            version=head.version,
            at=now,
            staff_id=staff_id,
            reason=reason,
        )
    )


def _require_sound(place: Place, measure: Measure) -> None:
    if place.stage in OF_THE_LAW:
        raise InvalidInput(f"{place.stage.chinese}期限由法规规定，本县不能另行设定。")
    uncarded = place.stage in WITHOUT_CARDS
    if uncarded and place.tier is not None:
        raise InvalidInput(f"{place.stage.chinese}期限不属于哪一级单位，不分层级。")
    if uncarded and measure.red_after is not None:
        raise InvalidInput(f"{place.stage.chinese}期限不发牌，不填红牌。")
    for limit in filter(None, (measure.limit, measure.yellow_after, measure.red_after)):
        if _length(limit) > _length(LONGEST):
            raise InvalidInput(f"{limit.chinese}太长：最长 {LONGEST.chinese}。")
    if measure.red_after is not None and _length(measure.red_after) <= _length(
        measure.yellow_after
    ):
        raise InvalidInput("红牌须晚于黄牌。")
    # A limit of one day may be reminded of on the day before it ends: when the office opens next.
    reminded = Limit(measure.remind_before, LimitUnit.WORKING_DAYS)
    if _length(reminded) > _length(measure.limit):
        raise InvalidInput("提醒的提前量不能超过期限本身。")


def _length(limit: Limit) -> int:
    return limit.amount * _FORTIETHS[limit.unit]
