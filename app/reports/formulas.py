"""What is counted and which rates follow from it, as one table. Pure; docs/formulas.md is generated from it.

Whoever changes what a count or a rate means raises VERSION: a locked month keeps the version it was counted by.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

# 2: what handling units are told of their evaluations (suppression.py); the counts and rates are those of 1.
VERSION: Final = 2
# Months of these versions are counted alike, so they can be counted anew.
COUNTED_ALIKE: Final = frozenset({1, 2})
# With fewer, nothing is ranked, and no share of evaluations is told.
FEW: Final = 5
FEW_TOLD: Final = f"少于{FEW}件"
# Of enough, but from the total less this the few would follow.
UNTOLD_TOLD: Final = "不单列"


class Measure(StrEnum):
    """A count of what was done, for a unit or a person in a month. Its column has the same name."""

    TAKEN_IN = "taken_in"
    GIVEN = "given"
    ANSWERED = "answered"
    PENDING = "pending"
    ASSISTED = "assisted"
    RESPONSE_DUE = "response_due"
    RESPONSE_IN_TIME = "response_in_time"
    HANDLING_DUE = "handling_due"
    HANDLING_IN_TIME = "handling_in_time"
    ASSIST_DUE = "assist_due"
    ASSIST_IN_TIME = "assist_in_time"
    PASSED = "passed"
    RETURNED = "returned"
    ROUNDS = "rounds"
    REWORKED = "reworked"
    YELLOW = "yellow"
    YELLOW_NET = "yellow_net"
    RED = "red"
    RED_NET = "red_net"
    ASKED = "asked"
    EVALUATED = "evaluated"
    SATISFIED = "satisfied"
    BASICALLY_SATISFIED = "basically_satisfied"
    EXCLUDED = "excluded"

    @property
    def chinese(self) -> str:
        return _MEASURES[self][0]

    @property
    def counts(self) -> str:
        """Exactly what, and in which month."""
        return _MEASURES[self][1]


# How people evaluated: kept apart, in the schema of the surveys.
SATISFACTION: Final = (
    Measure.ASKED,
    Measure.EVALUATED,
    Measure.SATISFIED,
    Measure.BASICALLY_SATISFIED,
    Measure.EXCLUDED,
)
WORK: Final = tuple(one for one in Measure if one not in SATISFACTION)
# What stands at a month's end; a year has what its last month has, not the sum.
STOCKS: Final = frozenset({Measure.PENDING})

Counts = Mapping[Measure, int]
# The counts that are not told, because they would tell who said what.
Untold = frozenset[Measure]
ALL_TOLD: Final[Untold] = frozenset()


class RateName(StrEnum):
    RESPONSE = "response"
    RESOLUTION = "resolution"
    ON_TIME = "on_time"
    ASSIST_ON_TIME = "assist_on_time"
    SATISFACTION = "satisfaction"
    PARTICIPATION = "participation"
    EXCLUSION = "exclusion"
    RETURNS = "returns"
    REWORK = "rework"


class Rate(Struct, frozen=True):
    """A share: the sum of some counts among the sum of others. `falls`: the lower, the better."""

    name: RateName
    chinese: str
    numerator: tuple[Measure, ...]
    denominator: tuple[Measure, ...]
    falls: bool = False
    # Beside others, but no merit or fault of the unit's.
    ranked: bool = True

    @property
    def formula(self) -> str:
        """As people write it."""
        above, below = (
            "＋".join(one.chinese for one in part) for part in (self.numerator, self.denominator)
        )
        return f"（{above}）÷（{below}）"

    def of(self, counts: Counts) -> tuple[int, int]:
        return (
            sum(counts.get(one, 0) for one in self.numerator),
            sum(counts.get(one, 0) for one in self.denominator),
        )


class Share(Struct, frozen=True):
    """A rate of somebody's; without numerator where that would tell who said what.

    `rank` counts from 1 among units of the same kind; empty where there are too few cases to compare.
    """

    rate: Rate
    numerator: int | None
    denominator: int
    rank: int | None = None

    @property
    def percent(self) -> float | None:
        if self.numerator is None or self.denominator == 0:
            return None
        return round(100 * self.numerator / self.denominator, 1)

    @property
    def told(self) -> str:
        """For tables."""
        if self.numerator is None:
            return told_instead(self.denominator)
        return "–" if self.percent is None else f"{self.percent:.1f}%"


_M: Final = Measure
RATES: Final = (
    Rate(RateName.RESPONSE, "及时响应率", (_M.RESPONSE_IN_TIME,), (_M.RESPONSE_DUE,)),
    Rate(RateName.RESOLUTION, "办结率", (_M.ANSWERED,), (_M.ANSWERED, _M.PENDING)),
    Rate(RateName.ON_TIME, "按时办结率", (_M.HANDLING_IN_TIME,), (_M.HANDLING_DUE,)),
    Rate(RateName.ASSIST_ON_TIME, "协办按时率", (_M.ASSIST_IN_TIME,), (_M.ASSIST_DUE,)),
    Rate(RateName.SATISFACTION, "满意率", (_M.SATISFIED, _M.BASICALLY_SATISFIED), (_M.EVALUATED,)),
    Rate(RateName.PARTICIPATION, "参评率", (_M.EVALUATED,), (_M.ASKED,), ranked=False),
    Rate(RateName.EXCLUSION, "剔除率", (_M.EXCLUDED,), (_M.ASKED,), ranked=False),
    Rate(RateName.RETURNS, "退回率", (_M.RETURNED,), (_M.PASSED,), falls=True),
    Rate(RateName.REWORK, "重办率", (_M.REWORKED,), (_M.ROUNDS,), falls=True),
)  # fmt: skip
# What tells who said what where it is counted among few.
AMONG: Final[Mapping[Measure, Measure]] = {
    _M.SATISFIED: _M.EVALUATED,
    _M.BASICALLY_SATISFIED: _M.EVALUATED,
    _M.EXCLUDED: _M.ASKED,
}
OF_WORK: Final = tuple(
    rate for rate in RATES if set(rate.numerator + rate.denominator) <= set(WORK)
)


def shares(counts: Counts, untold: Untold, rates: Iterable[Rate] = RATES) -> list[Share]:
    """Without ranks: those need others to compare with."""
    return [_share(rate, counts, untold) for rate in rates]


def ranked(
    everybody: Sequence[tuple[Counts, Untold]], rates: Sequence[Rate] = RATES
) -> list[list[Share]]:
    """The shares of units of one kind, each ranked among all that have enough cases; equals share a rank."""
    found = [shares(counts, untold, rates) for counts, untold in everybody]
    for place, rate in enumerate(rates):
        if rate.ranked:
            _rank(rate, place, found)
    return found


def of_few(counts: Counts) -> Untold:
    """What is not told of these counts because fewer than FEW people are behind it."""
    return frozenset(one for one, among in AMONG.items() if 0 < counts.get(among, 0) < FEW)


def told_instead(among: int) -> str:
    """What stands, for people, where a count among so many is not told."""
    return FEW_TOLD if among < FEW else UNTOLD_TOLD


def total(everybody: Iterable[Counts]) -> dict[Measure, int]:
    summed = dict.fromkeys(Measure, 0)
    for counts in everybody:
        for measure, number in counts.items():
            summed[measure] += number
    return summed


def _share(rate: Rate, counts: Counts, untold: Untold) -> Share:
    numerator, denominator = rate.of(counts)
    return Share(rate, None if untold.intersection(rate.numerator) else numerator, denominator)


def _rank(rate: Rate, place: int, found: list[list[Share]]) -> None:
    def merit(share: Share) -> float | None:
        if share.numerator is None or share.denominator < FEW:
            return None
        part = share.numerator / share.denominator
        return -part if rate.falls else part

    merits = [merit(one[place]) for one in found]
    best_first = sorted((one for one in merits if one is not None), reverse=True)
    for row, own in zip(found, merits, strict=True):
        if own is not None:
            row[place] = replace(row[place], rank=best_first.index(own) + 1)


_MEASURES: Final[Mapping[Measure, tuple[str, str]]] = {
    _M.TAKEN_IN: ("登记件数", "当月登记、以本单位为首问单位的事件；记在登记人名下，群众自己登记的只记单位"),
    _M.GIVEN: ("主办件数", "当月交给本单位主办、或由本单位自行办理的任务；重办另算一件"),
    _M.ANSWERED: ("办结件数", "当月由本单位作为主办作出办结答复的任务，每一轮各算一件；记在答复人名下"),
    _M.PENDING: ("月末在办", "月末时刻由本单位主办、尚未了结的任务；记在签收人名下"),
    _M.ASSISTED: ("协办答复", "当月由本单位作出协办答复的任务；记在答复人名下"),
    _M.RESPONSE_DUE: ("应响应", "当月见分晓的研判、签收时限：按时由本单位研判、签收的，算在作出的那个月；逾期的，算在逾期的那个月，只算一次。被撤回、并案、改派等不由本单位了结的，不算，但改派之前已经逾期的算在原主办单位。只记单位"),
    _M.RESPONSE_IN_TIME: ("按时响应", "其中按时的"),
    _M.HANDLING_DUE: ("应办结", "当月见分晓的办理时限，算法同上：按时由本单位答复或上报的，和当月逾期的。等群众补正、获准挂起的时间不计入时限；准予延期的，按延期后的时限。记在签收人名下，没有的记在答复人名下"),
    _M.HANDLING_IN_TIME: ("按时办结", "其中按时的"),
    _M.ASSIST_DUE: ("应协办答复", "当月见分晓的协办时限，算法同上"),
    _M.ASSIST_IN_TIME: ("按时协办答复", "其中按时的"),
    _M.PASSED: ("经手件次", "当月在本单位结束的研判、办理、协办环节，不论怎样结束"),
    _M.RETURNED: ("退回件次", "其中退回下级的，和本单位申请退回、获准的"),
    _M.ROUNDS: ("评判轮次", "当月由本单位答复的轮次，和当月决定重办的、由本单位答复过的轮次；同一轮只算一次"),
    _M.REWORKED: ("重办件数", "其中当月决定重办的；记在上一轮答复的单位和答复人名下"),
    _M.YELLOW: ("黄牌", "当月生效的黄牌，撤销的也算；单位、个人按牌上所记"),
    _M.YELLOW_NET: ("有效黄牌", "其中到截止时刻没有撤销的"),
    _M.RED: ("红牌", "当月生效的红牌，撤销的也算"),
    _M.RED_NET: ("有效红牌", "其中到截止时刻没有撤销的"),
    _M.ASKED: ("请评人次", "评价期在当月结束的评价邀请，记在作出那一轮答复的单位和答复人名下；并入的事件随主件"),
    _M.EVALUATED: ("参评人次", "其中到截止时刻已作评价、且没有剔除的。没有回音是单独一类，既不算满意，也不算不满意"),
    _M.SATISFIED: ("满意", "其中评价为满意的"),
    _M.BASICALLY_SATISFIED: ("基本满意", "其中评价为基本满意的"),
    _M.EXCLUDED: ("剔除人次", "请评人次中，到截止时刻由县指挥中心决定剔除的（写明理由，记录在案）"),
}  # fmt: skip
