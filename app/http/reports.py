"""How locked figures are told over HTTP. Computes nothing; hides what the rules of app/reports/formulas.py hide."""

from typing import Self

from pydantic import Field

from app.directory.terms import UnitKind
from app.http.moments import At
from app.http.outputs import Output
from app.reports.formulas import SATISFACTION, WORK, Measure, RateName, Share, Untold
from app.reports.formulas import Counts as Counted
from app.reports.models import CorrectionCause, MonthEnd
from app.reports.months import Month
from app.reports.reading import Figure
from app.reports.released import MonthReleased
from app.reports.satisfaction import CorrectionRow
from app.reports.suppression import Bound


class MonthOut(Output):
    month: str = Field(examples=["2025-06"])
    label: str = Field(examples=["2025年6月"])
    formula_version: int = Field(description="按第几版公式核算", examples=[1])
    cutoff_at: At = Field(description="此后发生的不再计入")
    locked_at: At
    corrections: int | None = Field(
        default=None, description="锁定后的更正；未统计的为空", examples=[0]
    )

    @classmethod
    def of(cls, month: MonthEnd, corrections: int | None = None) -> Self:
        known = Month.starting(month.month)
        return cls(
            month=str(known),
            label=known.chinese,
            formula_version=month.formula_version,
            cutoff_at=month.cutoff_at,
            locked_at=month.locked_at,
            corrections=corrections,
        )


class Counts(Output):
    """What was done. Each is defined in docs/formulas.md."""

    taken_in: int = Field(description="登记件数", examples=[12])
    given: int = Field(description="主办件数", examples=[9])
    answered: int = Field(description="办结件数", examples=[8])
    pending: int = Field(description="月末在办", examples=[3])
    assisted: int = Field(description="协办答复", examples=[2])
    response_due: int = Field(description="应响应", examples=[20])
    response_in_time: int = Field(description="按时响应", examples=[19])
    handling_due: int = Field(description="应办结", examples=[9])
    handling_in_time: int = Field(description="按时办结", examples=[8])
    assist_due: int = Field(description="应协办答复", examples=[2])
    assist_in_time: int = Field(description="按时协办答复", examples=[2])
    passed: int = Field(description="经手件次", examples=[21])
    returned: int = Field(description="退回件次", examples=[1])
    rounds: int = Field(description="评判轮次", examples=[8])
    reworked: int = Field(description="重办件数", examples=[1])
    yellow: int = Field(description="黄牌总数", examples=[2])
    yellow_net: int = Field(description="有效黄牌", examples=[1])
    red: int = Field(description="红牌总数", examples=[0])
    red_net: int = Field(description="有效红牌", examples=[0])

    @classmethod
    def of(cls, counts: Counted) -> Self:
        return cls(**{one.value: counts.get(one, 0) for one in WORK})


class Evaluations(Output):
    """How people evaluated; where fewer than five did, or theirs would follow from it, not what they said."""

    asked: int = Field(description="请评人次", examples=[10])
    evaluated: int = Field(description="参评人次；没有回音的是单独一类", examples=[8])
    satisfied: int | None = Field(
        description="满意；少于5件的、可由此推出少于5件的，不显示", examples=[6]
    )
    basically_satisfied: int | None = Field(description="基本满意；同上", examples=[1])
    excluded: int | None = Field(description="剔除人次；同上，按请评人次", examples=[0])

    @classmethod
    def of(cls, counts: Counted, untold: Untold) -> Self:
        return cls(
            **{one.value: None if one in untold else counts.get(one, 0) for one in SATISFACTION}
        )


class RateOut(Output):
    name: RateName
    label: str = Field(examples=["按时办结率"])
    numerator: int | None = Field(
        description="分子；少于5件或可由此推出、会显出谁评了什么的，为空", examples=[8]
    )
    denominator: int = Field(description="分母", examples=[9])
    percent: float | None = Field(description="没有分母或不显示的，为空", examples=[88.9])
    told: str = Field(description="供显示", examples=["88.9%"])
    rank: int | None = Field(description="同类单位中的名次；不足五件的不排名", examples=[3])

    @classmethod
    def of(cls, share: Share) -> Self:
        return cls(
            name=share.rate.name,
            label=share.rate.chinese,
            numerator=share.numerator,
            denominator=share.denominator,
            percent=share.percent,
            told=share.told,
            rank=share.rank,
        )


class _Figure(Output):
    corrected: bool = Field(description="锁定后有没有更正；数字已含更正", examples=[False])
    counts: Counts
    evaluations: Evaluations | None = Field(description="仅督查员、县领导可见")
    rates: list[RateOut]


class UnitFigure(_Figure):
    unit_code: str = Field(examples=["500153100"])
    unit: str = Field(description="锁定时的名称", examples=["荣隆镇"])
    kind: UnitKind
    kind_label: str = Field(examples=["镇街"])

    @classmethod
    def of(cls, figure: Figure, *, evaluations: bool) -> Self:
        return cls(
            unit_code=figure.unit_code,
            unit=figure.unit_name,
            kind=figure.unit_kind,
            kind_label=figure.unit_kind.chinese,
            **_shown(figure, evaluations=evaluations),
        )


class PersonFigure(_Figure):
    person_id: int = Field(examples=[7])
    person: str = Field(description="锁定时的姓名", examples=["刘德荣"])

    @classmethod
    def of(cls, figure: Figure, *, evaluations: bool) -> Self:
        assert figure.staff_id is not None, "a person's"
        return cls(
            person_id=figure.staff_id,
            person=figure.person_name or "",
            **_shown(figure, evaluations=evaluations),
        )


class CorrectionOut(Output):
    seq: int = Field(description="第几条更正", examples=[1])
    unit_code: str = Field(examples=["500153100"])
    unit: str = Field(examples=["荣隆镇"])
    person: str | None = Field(description="个人的；单位的为空", examples=[None])
    measure: Measure | None = Field(description="评价的更正不列，下同")
    measure_label: str = Field(examples=["有效黄牌"])
    old: int | None = Field(examples=[1])
    new: int | None = Field(examples=[0])
    cause: CorrectionCause
    cause_label: str = Field(examples=["截止后撤销的牌"])
    reason: str = Field(examples=["申诉成立，牌已撤销。"])
    by: str | None = Field(description="系统自行更正的为空", examples=["贺敏"])
    at: At

    @classmethod
    def of(cls, row: CorrectionRow) -> Self:
        return cls(
            seq=row.seq,
            unit_code=row.unit_code,
            unit=row.unit_name,
            person=row.person_name,
            measure=row.measure,
            measure_label="评价" if row.measure is None else row.measure.chinese,
            old=row.old,
            new=row.new,
            cause=row.cause,
            cause_label=row.cause.chinese,
            reason=row.reason,
            by=row.by_name,
            at=row.at,
        )


class ReleasedOut(Output):
    month: str = Field(examples=["2025-06"])
    released: bool = Field(description="有没有反馈；参评太少的没有", examples=[True])
    joined: bool | None = Field(description="是否为本镇街参评较少的单位合并", examples=[False])
    evaluated: int | None = Field(
        description="参评人数：一人多件的，以最后一次评价计；已决定重办的不计", examples=[12]
    )
    bound: Bound | None = Field(
        description="exact 满意（含基本满意）的人数；at_least 满意率不低于、at_most 不高于百分之几"
    )
    favourable: int | None = Field(description="人数或百分比，见 bound", examples=[80])
    told: str = Field(description="供显示", examples=["满意率不低于80%（参评12人）"])

    @classmethod
    def of(cls, one: MonthReleased) -> Self:
        cell = one.cell
        return cls(
            month=str(one.month),
            released=cell is not None,
            joined=None if cell is None else cell.joined,
            evaluated=None if cell is None else cell.evaluated,
            bound=None if cell is None else cell.bound,
            favourable=None if cell is None else cell.favourable,
            told="参评太少，不反馈" if cell is None else cell.told,
        )


def _shown(figure: Figure, *, evaluations: bool) -> dict[str, object]:
    return {
        "corrected": figure.corrected,
        "counts": Counts.of(figure.counts),
        "evaluations": Evaluations.of(figure.counts, figure.untold) if evaluations else None,
        "rates": [RateOut.of(one) for one in figure.shares],
    }
