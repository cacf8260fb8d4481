"""Over HTTP: locked months and years, their corrections, what is released to handling units, and exclusions."""

import asyncio
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from app.auth.actor import StaffActor
from app.directory.terms import UnitKind
from app.errors import (
    ActionNotAllowed,
    KeyReused,
    NotFound,
    NothingChanged,
    NotPermitted,
    SignInRequired,
)
from app.http.inputs import Input, ShortText, UnitCode
from app.http.moments import At
from app.http.outputs import Output
from app.http.paging import page_of
from app.http.problems import problems
from app.http.reports import (
    CorrectionOut,
    Counts,
    Evaluations,
    MonthOut,
    PersonFigure,
    RateOut,
    ReleasedOut,
    UnitFigure,
)
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff
from app.reports import correcting, exclusions, reading, released
from app.reports.months import FIRST_YEAR, LAST_YEAR, Month
from app.reports.reading import Report
from app.reports.workbook import MEDIA_TYPE, workbook

router = APIRouter(tags=["月结与考核"], route_class=OneTransaction)

MonthCode = Annotated[
    str, Path(description="月份", examples=["2025-06"], pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")
]
Year = Annotated[int, Path(description="年份", ge=FIRST_YEAR, le=LAST_YEAR, examples=[2025])]
Code = Annotated[UnitCode, Path(description="单位代码", examples=["500153100"])]
MonthCursor = Annotated[
    str | None,
    Field(
        default=None,
        pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$",
        description="上一页的 next；不填为第一页",
    ),
]


class MonthsQuery(Input):
    before: MonthCursor = None
    size: int = Field(default=24, ge=1, le=100, description="每页几个月")

    @property
    def month(self) -> Month | None:
        return None if self.before is None else Month.parse(self.before)


class UnitsQuery(Input):
    kind: UnitKind | None = Field(default=None, description="只看某一类单位")
    after: UnitCode | None = Field(default=None, description="上一页的 next；不填为第一页")
    size: int = Field(default=50, ge=1, le=300, description="每页几个单位")


class Months(Output):
    items: list[MonthOut]
    next: str | None = Field(description="下一页的 before；没有下一页则为空", examples=[None])


class CountyReport(Output):
    """All units that had anything to do with cases, with the county's total."""

    months: list[MonthOut] = Field(description="所含的、已锁定的月份")
    counts: Counts = Field(description="全县合计")
    evaluations: Evaluations | None = Field(description="全县的评价；仅督查员、县领导可见")
    rates: list[RateOut]
    sealed: "SealedOut | None" = Field(description="本单位承办的保密件；仅其督查员可见")
    units: list[UnitFigure]
    next: str | None = Field(description="下一页的 after；没有下一页则为空", examples=[None])


class SealedOut(Output):
    taken_in: int = Field(examples=[1])
    answered: int = Field(examples=[0])


class UnitReport(Output):
    """A unit's figures; its people's for its head and those who look over the county."""

    months: list[MonthOut]
    unit: UnitFigure | None = Field(description="没有办理过的，为空")
    people: list[PersonFigure]


class Releases(Output):
    items: list[ReleasedOut]
    next: str | None = Field(description="下一页的 before；没有下一页则为空", examples=[None])


class NewCorrection(Input):
    reason: ShortText = Field(
        description="为什么要重新核算", examples=["工作日历补录了放假调休，时限重算。"]
    )


class Corrections(Output):
    items: list[CorrectionOut]


class Corrected(Output):
    corrections: int = Field(description="更正了几个数字", examples=[2])


class NewExclusion(Input):
    reason: ShortText = Field(description="剔除的理由", examples=["诉求已依法办结，回访时坚持要求法外补偿。"])  # fmt: skip


class ExclusionOut(Output):
    month: str = Field(description="不再计入哪个月", examples=["2025-06"])


class ExclusionsQuery(Input):
    after: UUID | None = Field(default=None, description="上一页的 next；不填为第一页")
    size: int = Field(default=50, ge=1, le=100, description="每页几条")


class ExcludedOut(Output):
    ref: str = Field(examples=["500153-261122-48392017"])
    round: int = Field(description="第几轮办理", examples=[1])
    unit: str = Field(description="作出那一轮答复的单位", examples=["荣隆镇"])
    reason: str = Field(examples=["诉求已依法办结。"])
    decided_by: str = Field(examples=["罗晓燕"])
    decided_at: At

    @classmethod
    def of(cls, one: exclusions.Excluded) -> Self:
        return cls(
            ref=one.ref,
            round=one.round,
            unit=one.unit_name,
            reason=one.reason,
            decided_by=one.decided_by,
            decided_at=one.decided_at,
        )


class Excluded(Output):
    items: list[ExcludedOut]
    next: UUID | None = Field(description="下一页的 after；没有下一页则为空", examples=[None])


_READ = problems(SignInRequired, NotPermitted, NotFound)
_WORKBOOK = {
    200: {"description": "工作簿", "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}},
    **problems(SignInRequired, NotPermitted, NotFound),
}  # fmt: skip


@router.get(
    "/reports/months",
    summary="月结列表",
    description="已锁定的月份，新的在前。",
    responses=problems(SignInRequired, NotPermitted),
)
async def list_months(asked: Annotated[MonthsQuery, Query()], tx: Tx, by: ByStaff) -> Months:
    found = await reading.months(tx, by=by, before=asked.month, most=asked.size + 1)
    shown = [MonthOut.of(month, corrections) for month, corrections in found[: asked.size]]
    return Months(items=shown, next=shown[-1].month if len(found) > asked.size else None)


@router.get(
    "/reports/months/{month}.xlsx",
    response_class=Response,
    summary="月报工作簿",
    description="全县一个月的数字，按单位、按个人，附更正与口径说明。限县领导、指挥中心调度员和督查员；调度员的没有评价。",
    responses=_WORKBOOK,
)
async def month_workbook(month: MonthCode, tx: Tx, by: ByStaff) -> Response:
    wanted = Month.parse(month)
    return await _workbook(tx, by, wanted, wanted, f"{wanted.chinese}群工月报")


@router.get(
    "/reports/months/{month}",
    summary="全县月报",
    description="各单位一个月的数字与比率，同类单位排名；不足五件的不排名，参评不足五件的不显示满意率。限县领导、指挥中心调度员和督查员；评价仅督查员、县领导可见。",
    responses=_READ,
)
async def show_month(
    month: MonthCode, asked: Annotated[UnitsQuery, Query()], tx: Tx, by: ByStaff
) -> CountyReport:
    wanted = Month.parse(month)
    report = await _county(tx, by, wanted, wanted, people=False)
    told = await reading.sealed(tx, wanted, by=by)
    sealed = None if told is None else SealedOut(taken_in=told.taken_in, answered=told.answered)
    return _page(report, asked, sealed)


@router.get(
    "/reports/months/{month}/units/{code}",
    summary="单位月报",
    description="一个单位一个月的数字与比率。办理单位只能看本单位的，没有评价；个人的，限单位负责人和全县岗位。",
    responses=_READ,
)
async def show_unit_month(month: MonthCode, code: Code, tx: Tx, by: ByStaff) -> UnitReport:
    wanted = Month.parse(month)
    return _of_unit(await reading.unit(tx, code, wanted, wanted, by=by))


@router.get(
    "/reports/months/{month}/corrections",
    summary="锁定后的更正",
    description="锁定的数字不改，更正另记：改什么、为什么、谁改、原数与新数。限全县岗位；评价的更正仅督查员可见，只列单位、原因和经办人，不列改了哪一项、原数与新数（查看评价须写明理由、记录在案）。",
    responses=_READ,
)
async def list_corrections(month: MonthCode, tx: Tx, by: ByStaff) -> Corrections:
    reading.require_county_wide(by)
    wanted, county_id = Month.parse(month), reading.require_any(by)
    found = await reading.corrections(
        tx,
        county_id,
        wanted,
        wanted,
        evaluations=await reading.oversees_evaluations(tx, by),
    )
    return Corrections(items=[CorrectionOut.of(one) for one in found])


@router.post(
    "/reports/months/{month}/corrections",
    status_code=201,
    summary="更正已锁定的月份",
    description="按记录重新核算（截止时刻不变），与锁定的不同之处逐项记为更正。不能自行填写数字；已反馈给单位的评价不变。仅督查员，部门、镇街和村(社区)的除外。",
    responses=problems(SignInRequired, NotPermitted, NotFound, NothingChanged, KeyReused),
)
async def correct_month(month: MonthCode, given: NewCorrection, tx: Tx, by: ByStaff) -> Corrected:
    done = await correcting.recount(
        tx, Month.parse(month), by=by, reason=given.reason, now=await tx.now()
    )
    return Corrected(corrections=done)


@router.get(
    "/reports/months/{month}/exclusions",
    summary="剔除的评价",
    description="评价期在当月结束、由指挥中心决定剔除的评价及其理由；本人参与办理的不列。仅督查员，部门、镇街和村(社区)的除外。",
    responses=problems(SignInRequired, NotPermitted),
)
async def list_exclusions(
    month: MonthCode, asked: Annotated[ExclusionsQuery, Query()], tx: Tx, by: ByStaff
) -> Excluded:
    found = await exclusions.of_month(
        tx, Month.parse(month), by=by, after=asked.after, most=asked.size + 1
    )
    shown, last = page_of(found, asked.size)
    return Excluded(
        items=[ExcludedOut.of(one) for one in shown], next=None if last is None else last.call_id
    )


@router.post(
    "/return-calls/{call_id}/exclude",
    status_code=201,
    summary="剔除评价",
    description="经回访核实诉求不合理的，在当月评价截止之前决定不计入满意率，写明理由，记录在案；剔除率随满意率公布。仅县指挥中心的调度员和督查员；指挥中心办理的，仅其督查员；参与办理的人不能。",
    responses=problems(SignInRequired, NotPermitted, NotFound, ActionNotAllowed, KeyReused),
)
async def exclude_evaluation(
    call_id: Annotated[UUID, Path(description="回访编号，见回访列表")],
    given: NewExclusion,
    tx: Tx,
    by: ByStaff,
) -> ExclusionOut:
    month = await exclusions.exclude(tx, call_id, by=by, reason=given.reason, now=await tx.now())
    return ExclusionOut(month=str(month))


@router.get(
    "/reports/years/{year}.xlsx",
    response_class=Response,
    summary="年度考核工作簿",
    description="同月报工作簿，为全年已锁定月份的合计。",
    responses=_WORKBOOK,
)
async def year_workbook(year: Year, tx: Tx, by: ByStaff) -> Response:
    return await _workbook(tx, by, Month(year, 1), Month(year, 12), f"{year}年群工考核")


@router.get(
    "/reports/years/{year}",
    summary="年度考核",
    description="只由已锁定的月份合计：分子、分母分别相加（月末在办取最后一个月的），牌有总数与净数。权限同月报。",
    responses=_READ,
)
async def show_year(
    year: Year, asked: Annotated[UnitsQuery, Query()], tx: Tx, by: ByStaff
) -> CountyReport:
    report = await _county(tx, by, Month(year, 1), Month(year, 12), people=False)
    return _page(report, asked, None)


@router.get(
    "/reports/years/{year}/units/{code}",
    summary="单位年度考核",
    description="一个单位及其个人全年已锁定月份的合计。权限同单位月报。",
    responses=_READ,
)
async def show_unit_year(year: Year, code: Code, tx: Tx, by: ByStaff) -> UnitReport:
    return _of_unit(await reading.unit(tx, code, Month(year, 1), Month(year, 12), by=by))


@router.get(
    "/reports/satisfaction",
    summary="本单位的评价反馈",
    description="月结时反馈给办理单位的满意情况，此后不再变动。参评不足11人的（一人多件只算一人），与本镇街同样情况的单位合并；仍不足的不反馈。多数人意见一致的只说明不低于或不少于多少：已知其中四人或五分之一的人怎么评价，也推不出别人的。",
    responses=problems(SignInRequired, NotPermitted),
)
async def own_satisfaction(asked: Annotated[MonthsQuery, Query()], tx: Tx, by: ByStaff) -> Releases:
    found = await released.own(tx, by=by, before=asked.month, most=asked.size + 1)
    shown = [ReleasedOut.of(one) for one in found[: asked.size]]
    return Releases(items=shown, next=shown[-1].month if len(found) > asked.size else None)


async def _county(tx: Tx, by: StaffActor, first: Month, last: Month, *, people: bool) -> Report:
    reading.require_county_wide(by)
    return await reading.county(
        tx,
        reading.require_any(by),
        first,
        last,
        evaluations=await reading.sees_evaluations(tx, by),
        people=people,
    )


def _page(report: Report, asked: UnitsQuery, sealed: SealedOut | None) -> CountyReport:
    """Ranks are among all of a kind, whatever is on the page."""
    units = [
        one
        for one in report.units
        if asked.kind in (None, one.unit_kind) and one.unit_code > (asked.after or "")
    ]
    shown = units[: asked.size]
    return CountyReport(
        months=[MonthOut.of(one) for one in report.months],
        counts=Counts.of(report.total),
        evaluations=Evaluations.of(report.total, report.total_untold)
        if report.evaluations
        else None,
        rates=[RateOut.of(one) for one in report.total_shares],
        sealed=sealed,
        units=[UnitFigure.of(one, evaluations=report.evaluations) for one in shown],
        next=shown[-1].unit_code if len(units) > asked.size else None,
    )


def _of_unit(report: Report) -> UnitReport:
    units = [UnitFigure.of(one, evaluations=report.evaluations) for one in report.units]
    return UnitReport(
        months=[MonthOut.of(one) for one in report.months],
        unit=units[0] if units else None,
        people=[PersonFigure.of(one, evaluations=report.evaluations) for one in report.people],
    )


async def _workbook(tx: Tx, by: StaffActor, first: Month, last: Month, title: str) -> Response:
    report = await _county(tx, by, first, last, people=True)
    found = await reading.corrections(
        tx, report.months[0].county_id, first, last, evaluations=False
    )
    made = await asyncio.to_thread(workbook, title, report, found)
    span = str(first) if first == last else str(first.year)
    return Response(
        made,
        media_type=MEDIA_TYPE,
        headers={
            "Content-Disposition": f'attachment; filename="qungong-{span}.xlsx"',
            "Cache-Control": "no-store",
        },
    )
