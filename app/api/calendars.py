"""Over HTTP: the county's working calendar: everybody looks, the administrator edits."""

from collections import Counter
from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query
from pydantic import BeforeValidator, Field, StringConstraints

from app.auth.actor import StaffActor
from app.calendars import editing, importing, reading
from app.calendars.editing import Edited
from app.calendars.working_time import FIRST_YEAR, LAST_YEAR, Day, Hours
from app.directory.terms import Role
from app.errors import (
    InvalidInput,
    KeyReused,
    NotFound,
    NothingChanged,
    NotPermitted,
    SignInRequired,
)
from app.http.inputs import Input, Line, plain, storable
from app.http.moments import At
from app.http.outputs import Output
from app.http.paging import VersionsQuery, page_of
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(prefix="/calendar", tags=["日历"], route_class=OneTransaction)

Clock = Annotated[
    str,
    BeforeValidator(plain),
    StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5),
]
Year = Annotated[int, Path(ge=FIRST_YEAR, le=LAST_YEAR, description="年份", examples=[2026])]
AnyDay = Annotated[date, Field(ge=date(FIRST_YEAR, 1, 1), le=date(LAST_YEAR, 12, 31))]
Reason = Annotated[
    Line, Field(description="为什么变更，留在记录中", examples=["县政府通知：暴雨停工"])
]


class DayKind(StrEnum):
    OFF = "off"
    WORKING = "working"
    HALF = "half"


class SpecialDay(Input):
    """A day that differs from the week: off on a weekday, worked on a weekend, or half."""

    day: AnyDay = Field(description="日期", examples=["2026-10-01"])
    kind: DayKind = Field(description="off 休、working 班、half 半天", examples=["off"])
    name: Annotated[Line, StringConstraints(max_length=importing.LONGEST_NAME)] | None = Field(
        default=None, description="名称", examples=["国庆节"]
    )
    opens: Clock | None = Field(default=None, description="半天的上班时间", examples=["09:00"])
    closes: Clock | None = Field(default=None, description="半天的下班时间", examples=["12:00"])

    @classmethod
    def of(cls, day: date, given: Day) -> Self:
        kind = DayKind.HALF if given.hours else DayKind.WORKING if given.working else DayKind.OFF
        return cls(
            day=day,
            kind=kind,
            name=given.name or None,
            opens=given.hours and _written(given.hours.opens),
            closes=given.hours and _written(given.hours.closes),
        )

    def said(self) -> Day:
        half = self.kind is DayKind.HALF
        if half is (self.opens is None) or half is (self.closes is None):
            raise InvalidInput(f"{self.day}：半天须填写上班和下班时间，其他日子不填。")
        if self.opens is None or self.closes is None:
            return Day(self.kind is DayKind.WORKING, name=self.name or "")
        if self.opens >= self.closes:
            raise InvalidInput(f"{self.day}：上班时间须在下班时间之前。")
        return importing.half_day(_read(self.opens), _read(self.closes), self.name or "")


class OfficeHours(Input):
    opens: Clock = Field(description="上班", examples=["09:00"])
    noon_from: Clock | None = Field(default=None, description="午休开始", examples=["12:00"])
    noon_to: Clock | None = Field(default=None, description="午休结束", examples=["14:00"])
    closes: Clock = Field(description="下班", examples=["18:00"])

    @classmethod
    def of(cls, hours: Hours) -> Self:
        return cls(
            opens=_written(hours.opens),
            noon_from=hours.noon_from and _written(hours.noon_from),
            noon_to=hours.noon_to and _written(hours.noon_to),
            closes=_written(hours.closes),
        )


class NewHours(OfficeHours):
    reason: Reason

    def said(self) -> Hours:
        try:
            return Hours(
                _read(self.opens),
                None if self.noon_from is None else _read(self.noon_from),
                None if self.noon_to is None else _read(self.noon_to),
                _read(self.closes),
            )
        except ValueError as wrong:
            raise InvalidInput(str(wrong)) from wrong


class NewDays(Input):
    days: list[SpecialDay] = Field(
        min_length=1,
        max_length=400,
        description="每天一项；没有列出的日子不变",
        examples=[[{"day": "2026-08-14", "kind": "off", "name": "暴雨停工"}]],
    )
    reason: Reason


class NewYear(Input):
    text: Annotated[
        str, BeforeValidator(storable), StringConstraints(min_length=1, max_length=40_000)
    ] = Field(
        description="全年的休息日和补班日：CSV（date,kind,name，kind 为 休、班、半）或 iCal；上一年 12 月因元旦放假、补班的"
        "日子可一并列出。全部导入，或一天也不导入",
        examples=["date,kind,name\n2026-10-01,休,国庆节\n2026-10-10,班,国庆节调休"],
    )
    source: Annotated[Line, Field(description="依据", examples=["国办发明电〔2025〕7号"])]


class CalendarYear(Output):
    year: int = Field(examples=[2026])
    version: int = Field(description="日历的版本；0 为尚未建立", examples=[3])
    provisional: bool = Field(description="暂定：当年的放假安排尚未发布，只有日期固定的节假日")
    published_at: datetime | None
    source: str | None = Field(examples=["国办发明电〔2025〕7号"])
    hours: OfficeHours = Field(description="平常的上下班时间")
    days: list[SpecialDay] = Field(description="与周末、平日不同的日子，按日期排列")


class CalendarChange(Output):
    version: int = Field(examples=[4])
    at: At
    staff: str | None = Field(description="谁变更的；系统自带的为空", examples=["谢文静"])
    reason: str = Field(description="为什么，或发布的依据", examples=["县政府通知：暴雨停工"])
    publishes: bool = Field(description="是否为发布一年的放假安排")
    days: int = Field(description="改变了多少天", examples=[1])
    hours: OfficeHours = Field(description="此后平常的上下班时间")

    @classmethod
    def of(cls, change: reading.Change) -> Self:
        return cls(**change._asdict() | {"hours": OfficeHours.of(change.hours)})


class CalendarChanges(Output):
    items: list[CalendarChange]
    next: int | None = Field(description="下一页的 before；没有下一页则为空")


class NewVersion(Output):
    version: int = Field(description="新的版本", examples=[4])
    days: int = Field(description="改变了多少天", examples=[1])
    past_days: int = Field(
        description="其中多少天在昨天以前：已过去的日子改变，期限也会随之变化", examples=[0]
    )

    @classmethod
    def of(cls, edited: Edited) -> Self:
        return cls(version=edited.version, days=edited.days, past_days=edited.past_days)


class ListedYear(Output):
    """What of a list was not taken, and what looks wrong with it."""

    kept: list[date] = Field(
        description="清单没有列出、保持不变的 12 月日子，出自以前或相邻年份的安排；如有不对，可逐日变更",
        examples=[["2026-12-31"]],
    )
    passed_over: list[str] = Field(
        description="没有导入的日程：没有说明全天放假或上班，或者只有部分人放假",
        examples=[["妇女节（妇女放假半天）"]],
    )
    other_years: list[int] = Field(
        description="日程中另有这些年份的日子，没有导入", examples=[[2027]]
    )
    warnings: list[str] = Field(
        description="清单中可疑的地方，例如缺少补班日；不妨碍发布",
        examples=[
            [
                "2026 年工作日放假的天数减去周末补班的天数为 19，通常为 11 至 13：请核对补班日和放假日是否齐全。"
            ]
        ],
    )


class PublishedYear(ListedYear, NewVersion):
    pass


class PlannedYear(ListedYear):
    days: list[SpecialDay] = Field(
        description="发布后会改变的日子，按日期排列；working 也可能是恢复为平日"
    )


@router.get(
    "/years/{year}",
    summary="一年的日历",
    description="本县一年的休息日、补班日、半天和上下班时间。",
    responses=problems(SignInRequired, NotFound),
)
async def show_calendar_year(year: Year, tx: Tx, by: ByStaff) -> CalendarYear:
    county_id = _county(by)
    calendar = await reading.calendar_of(tx, county_id)
    publication = await reading.publication_of(tx, county_id, year)
    return CalendarYear(
        year=year,
        version=calendar.version,
        provisional=year not in calendar.published,
        published_at=publication and publication.at,
        source=publication and publication.source,
        hours=OfficeHours.of(calendar.hours),
        days=[
            SpecialDay.of(day, said)
            for day, said in sorted(calendar.days.items())
            if day.year == year
        ],
    )


@router.get(
    "/changes",
    summary="日历的变更",
    description="本县日历的各个版本，最近的在前：何时、谁、为什么、改变了多少天、此后的上下班时间。",
    responses=problems(SignInRequired, NotFound),
)
async def list_calendar_changes(
    asked: Annotated[VersionsQuery, Query()], tx: Tx, by: ByStaff
) -> CalendarChanges:
    found = await reading.changes_of(tx, _county(by), before=asked.before, most=asked.size + 1)
    shown, last = page_of(found, asked.size)
    return CalendarChanges(
        items=[CalendarChange.of(one) for one in shown],
        next=None if last is None else last.version,
    )


_EDITING = problems(SignInRequired, NotPermitted, NotFound, NothingChanged, KeyReused)


@router.post(
    "/days",
    summary="变更若干天",
    description="系统管理员改变若干天是否上班，例如停工、补班、半天。生成新的版本，未办结的期限随后重新计算。",
    responses=_EDITING,
)
async def change_calendar_days(given: NewDays, tx: Tx, by: ByStaff) -> NewVersion:
    county_id = _county(_administrator(by))
    twice = [day for day, times in Counter(one.day for one in given.days).items() if times > 1]
    if twice:
        raise InvalidInput(f"{'、'.join(map(str, twice[:5]))} 列了不止一次。")
    edited = await editing.change_days(
        tx,
        county_id,
        {one.day: one.said() for one in given.days},
        reason=given.reason,
        staff_id=by.staff_id,
        now=await tx.now(),
    )
    return NewVersion.of(edited)


@router.post(
    "/years/{year}",
    summary="发布一年的放假安排",
    description="系统管理员导入国务院公布的一年放假安排，这一年从此不再是暂定。已发布的年份可以这样更正。清单列出的上一年"
    " 12 月的日子同样生效，上一年的其他日子不变。",
    responses=_EDITING,
)
async def publish_calendar_year(year: Year, given: NewYear, tx: Tx, by: ByStaff) -> PublishedYear:
    county_id = _county(_administrator(by))
    listed = _list(given, year)
    edited = await editing.publish_years(
        tx,
        county_id,
        {year: listed.days},
        source=given.source,
        staff_id=by.staff_id,
        now=await tx.now(),
    )
    return PublishedYear(
        version=edited.version,
        days=edited.days,
        past_days=edited.past_days,
        kept=list(edited.kept),
        passed_over=list(listed.passed_over),
        other_years=sorted(listed.other_years),
        warnings=list(edited.warnings),
    )


@router.post(
    "/years/{year}/preview",
    summary="预览一年的放假安排",
    description="系统管理员在发布之前查看：哪些日子会改变，哪些日程没有导入，清单是否可疑。不改变任何内容。",
    responses=problems(SignInRequired, NotPermitted, NotFound),
)
async def preview_calendar_year(year: Year, given: NewYear, tx: Tx, by: ByStaff) -> PlannedYear:
    county_id = _county(_administrator(by))
    listed = _list(given, year)
    plan = await editing.plan_years(tx, county_id, {year: listed.days})
    return PlannedYear(
        days=[SpecialDay.of(day, said) for day, said in plan.changed.items()],
        kept=list(plan.kept),
        passed_over=list(listed.passed_over),
        other_years=sorted(listed.other_years),
        warnings=list(plan.warnings),
    )


@router.post(
    "/hours",
    summary="变更上下班时间",
    description="系统管理员改变平常的上下班时间和午休；半天仍按各自的时间。按小时计的期限随后重新计算。",
    responses=_EDITING,
)
async def set_office_hours(given: NewHours, tx: Tx, by: ByStaff) -> NewVersion:
    edited = await editing.set_hours(
        tx,
        _county(_administrator(by)),
        given.said(),
        reason=given.reason,
        staff_id=by.staff_id,
        now=await tx.now(),
    )
    return NewVersion.of(edited)


def _list(given: NewYear, year: int) -> importing.Reading:
    return importing.read(given.text.encode("utf-8", "replace"), year)


def _administrator(by: StaffActor) -> StaffActor:
    if by.role is not Role.ADMINISTRATOR:
        raise NotPermitted
    return by


def _county(by: StaffActor) -> int:
    """Above the counties there is no calendar."""
    if by.county_id is None:
        raise NotFound
    return by.county_id


def _read(clock: str) -> time:
    return time.fromisoformat(clock)


def _written(clock: time) -> str:
    return clock.strftime("%H:%M")
