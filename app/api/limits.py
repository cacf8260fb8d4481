"""Over HTTP: the county's time limits: everybody looks and tries them out, the administrator edits."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BeforeValidator, Field, StringConstraints

from app.auth.actor import StaffActor
from app.calendars import reading as calendars
from app.calendars.working_time import BadLimit, Due, Limit
from app.directory.terms import Role, UnitKind
from app.errors import (
    InvalidInput,
    KeyReused,
    NotFound,
    NothingChanged,
    NotPermitted,
    SignInRequired,
)
from app.http.inputs import INT4_MAX, Identifier, Input, Line, Moment, plain
from app.http.moments import At
from app.http.outputs import Output
from app.http.paging import VersionsQuery, page_of
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff
from app.limits import editing, reading
from app.limits.rules import DEFAULTS, Measure, Place, Rule
from app.limits.terms import WITHOUT_CARDS, Kind, Stage

router = APIRouter(prefix="/limits", tags=["期限"], route_class=OneTransaction)

Short = Annotated[
    str, BeforeValidator(plain), StringConstraints(pattern=r"^[0-9]{1,4}(wd|wh|d)$", max_length=6)
]
Reason = Annotated[
    Line, Field(description="为什么变更，留在记录中", examples=["县政府办公会议纪要第 12 期"])
]


class RulePlace(Input):
    """What a rule speaks of. What is not filled in is "any"."""

    stage: Stage = Field(description="环节；whole 为全程", examples=["handle"])
    tier: UnitKind | None = Field(
        default=None, description="承办单位的类别；不填则不分层级", examples=["township"]
    )
    kind: Kind | None = Field(
        default=None, description="事件性质；不填则不分性质", examples=["complaint"]
    )
    category_id: Identifier | None = Field(
        default=None, description="分类，下级分类同样适用；不填则不分类别", examples=[101]
    )
    urgent: bool | None = Field(
        default=None,
        description="是否紧急；不填则紧急与否都适用，紧急事件原定的当日时限也随之改变",
        examples=[False],
    )

    def place(self) -> Place:
        return Place(self.stage, self.tier, self.kind, self.category_id, self.urgent)


class NewRule(RulePlace):
    limit: Short = Field(
        description="期限：5wd（工作日）、60d（自然日）或 4wh（工作小时）；0wd 为当日",
        examples=["7wd"],
    )
    remind_before: int = Field(
        default=0, ge=0, le=366, description="到期前几个工作日提醒；0 为不提醒", examples=[2]
    )
    yellow_after: Short = Field(
        default="0wd", description="逾期多久发黄牌；0wd 为一到期就发", examples=["0wd"]
    )
    red_after: Short | None = Field(
        default=None, description="逾期多久发红牌，从到期时起算；不填则不发", examples=["5wd"]
    )
    reason: Reason

    def measure(self) -> Measure:
        try:
            return Measure(
                Limit.parse(self.limit),
                self.remind_before,
                Limit.parse(self.yellow_after),
                None if self.red_after is None else Limit.parse(self.red_after),
            )
        except BadLimit as wrong:
            raise InvalidInput(str(wrong)) from wrong


class Withdrawal(RulePlace):
    reason: Reason


class RuleOut(Output):
    name: str = Field(description="规则的名称，记在事件上", examples=["v3/handle/complaint"])
    about: str = Field(description="适用于什么", examples=["办理 · 投诉 · 紧急"])
    told: str = Field(
        description="规则的内容",
        examples=["10 个工作日；到期前 5 个工作日提醒；到期发黄牌；逾期 5 个工作日发红牌"],
    )
    stage: Stage
    tier: UnitKind | None
    kind: Kind | None
    category_id: int | None = Field(examples=[101])
    urgent: bool | None
    limit: str = Field(examples=["10wd"])
    remind_before: int = Field(description="到期前几个工作日提醒；0 为不提醒", examples=[5])
    yellow_after: str | None = Field(
        description="从到期时起算；该环节不发牌则为空", examples=["0wd"]
    )
    red_after: str | None = Field(description="从到期时起算；不发则为空", examples=["5wd"])

    @classmethod
    def of(cls, rule: Rule, paths: Mapping[int, str]) -> Self:
        carded = rule.stage not in WITHOUT_CARDS
        return cls(
            name=rule.name,
            about=_about(rule, paths),
            told=_told(rule),
            stage=rule.stage,
            tier=rule.tier,
            kind=rule.kind,
            category_id=rule.category_id,
            urgent=rule.urgent,
            limit=str(rule.limit),
            remind_before=rule.remind_before,
            yellow_after=str(rule.yellow_after) if carded else None,
            red_after=None if rule.red_after is None else str(rule.red_after),
        )


class Limits(Output):
    version: int = Field(description="期限规则的版本；0 为从未变更", examples=[3])
    rules: list[RuleOut] = Field(
        description="本县自行设定的规则，优先于默认规则；其中最具体的适用：先看分类，再看性质、紧急、层级"
    )
    defaults: list[RuleOut] = Field(description="默认规则：本县没有设定时适用")


class LimitChange(Output):
    version: int = Field(examples=[4])
    at: At
    staff: str | None = Field(description="谁变更的", examples=["谢文静"])
    reason: str = Field(examples=["县政府办公会议纪要第 12 期"])
    withdrawn: bool = Field(description="撤销了这一条，而不是设定")
    rule: RuleOut

    @classmethod
    def of(cls, change: reading.Change, paths: Mapping[int, str]) -> Self:
        return cls(**change._asdict() | {"rule": RuleOut.of(change.rule, paths)})


class LimitChanges(Output):
    items: list[LimitChange]
    next: int | None = Field(description="下一页的 before；没有下一页则为空")


class RuleSaid(Output):
    version: int = Field(description="新的版本", examples=[4])
    rule: RuleOut


class RuleWithdrawn(Output):
    version: int = Field(description="新的版本", examples=[5])


class PreviewQuery(Input):
    stage: Stage = Field(description="环节；whole 为全程", examples=["handle"])
    tier: UnitKind | None = Field(default=None, description="承办单位的类别", examples=["township"])
    kind: Kind = Field(description="事件性质", examples=["complaint"])
    category_id: int | None = Field(
        default=None, ge=1, le=INT4_MAX, description="事件的分类", examples=[101]
    )
    urgent: bool = Field(default=False, description="是否紧急", examples=[False])
    received: Moment = Field(
        description="收到（移交）的时间，须带时区", examples=["2025-09-26T10:00:00+08:00"]
    )


class Preview(Output):
    rule: RuleOut = Field(description="适用的规则")
    version: int = Field(description="期限规则的版本", examples=[3])
    calendar_version: int = Field(description="日历的版本", examples=[4])
    provisional: bool = Field(description="暂定：涉及的年份尚未发布放假安排")
    remind: At | None = Field(description="提醒；不提醒，或提醒的时间早于收到，则为空")
    due: At = Field(description="到期")
    yellow: At | None = Field(description="黄牌；不发则为空")
    red: At | None = Field(description="红牌；不发则为空")


@router.get(
    "",
    summary="期限规则",
    description="本县现行的期限规则和默认规则：各环节多长，何时提醒，何时发黄牌、红牌。",
    responses=problems(SignInRequired, NotFound),
)
async def list_limits(tx: Tx, by: ByStaff) -> Limits:
    found = await reading.rules_of(tx, _county(by))
    paths = await reading.paths_of(tx, _categories(found.rules))
    return Limits(
        version=found.version,
        rules=[RuleOut.of(rule, paths) for rule in sorted(found.rules, key=_in_order)],
        defaults=[RuleOut.of(rule, paths) for rule in DEFAULTS.rules],
    )


@router.get(
    "/preview",
    summary="试算期限",
    description="按本县现行的规则和日历，某时收到的事件何时提醒、到期、发牌。只是试算，不改变任何事件。",
    responses=problems(SignInRequired, NotFound),
)
async def preview_limit(asked: Annotated[PreviewQuery, Query()], tx: Tx, by: ByStaff) -> Preview:
    county_id = _county(by)
    found = await reading.rules_of(tx, county_id)
    rule = found.of(
        asked.stage,
        tier=asked.tier,
        kind=asked.kind,
        categories=await reading.line_of(tx, asked.category_id),
        urgent=asked.urgent,
    )
    calendar = await calendars.calendar_of(tx, county_id)
    due = calendar.due(asked.received, rule.limit)
    assert due.at is not None, "without a pause every limit ends"
    remind = calendar.remind_at(due.at, rule.remind_before) if rule.remind_before else None
    carded = rule.stage not in WITHOUT_CARDS
    yellow = calendar.after(due.at, rule.yellow_after) if carded else None
    red = None if rule.red_after is None else calendar.after(due.at, rule.red_after)
    return Preview(
        rule=RuleOut.of(rule, await reading.paths_of(tx, _categories([rule]))),
        version=found.version,
        calendar_version=calendar.version,
        provisional=any(one is not None and one.provisional for one in (due, yellow, red)),
        remind=remind if remind is not None and remind > asked.received else None,
        due=due.at,
        yellow=_at(yellow),
        red=_at(red),
    )


@router.get(
    "/changes",
    summary="期限的变更",
    description="本县期限规则的各个版本，最近的在前：何时、谁、为什么、设定或撤销了哪一条。",
    responses=problems(SignInRequired, NotFound),
)
async def list_limit_changes(
    asked: Annotated[VersionsQuery, Query()], tx: Tx, by: ByStaff
) -> LimitChanges:
    found = await reading.changes_of(tx, _county(by), before=asked.before, most=asked.size + 1)
    shown, last = page_of(found, asked.size)
    paths = await reading.paths_of(tx, _categories(one.rule for one in shown))
    return LimitChanges(
        items=[LimitChange.of(one, paths) for one in shown],
        next=None if last is None else last.version,
    )


_EDITING = problems(SignInRequired, NotPermitted, NotFound, NothingChanged, KeyReused)


@router.post(
    "/rules",
    summary="设定期限",
    description="系统管理员为某环节设定期限，可限于某层级、性质、分类、紧急与否；原有的同一条由此代替。生成新的版本。",
    responses=_EDITING,
)
async def set_limit_rule(given: NewRule, tx: Tx, by: ByStaff) -> RuleSaid:
    county_id = _county(_administrator(by))
    said = await editing.set_rule(
        tx,
        county_id,
        given.place(),
        given.measure(),
        reason=given.reason,
        staff_id=by.staff_id,
        now=await tx.now(),
    )
    paths = await reading.paths_of(tx, _categories([said.rule]))
    return RuleSaid(version=said.version, rule=RuleOut.of(said.rule, paths))


@router.post(
    "/rules/withdraw",
    summary="撤销期限",
    description="系统管理员撤销本县设定的一条：此后按本县其他规则，没有则按默认规则。生成新的版本。",
    responses=_EDITING,
)
async def withdraw_limit_rule(given: Withdrawal, tx: Tx, by: ByStaff) -> RuleWithdrawn:
    version = await editing.withdraw_rule(
        tx,
        _county(_administrator(by)),
        given.place(),
        reason=given.reason,
        staff_id=by.staff_id,
        now=await tx.now(),
    )
    return RuleWithdrawn(version=version)


def _administrator(by: StaffActor) -> StaffActor:
    if by.role is not Role.ADMINISTRATOR:
        raise NotPermitted
    return by


def _county(by: StaffActor) -> int:
    """Above the counties there are no limits to set."""
    if by.county_id is None:
        raise NotFound
    return by.county_id


def _categories(rules: Iterable[Rule]) -> list[int]:
    return [rule.category_id for rule in rules if rule.category_id is not None]


def _in_order(rule: Rule) -> tuple[int, str]:
    return (list(Stage).index(rule.stage), rule.place.named(""))


def _at(due: Due | None) -> At | None:
    return None if due is None else due.at


def _about(rule: Rule, paths: Mapping[int, str]) -> str:
    named = [rule.stage.chinese]
    if rule.category_id is not None:
        named.append(paths[rule.category_id])
    if rule.kind is not None:
        named.append(rule.kind.chinese)
    if rule.urgent is not None:
        named.append("紧急" if rule.urgent else "不紧急")
    if rule.tier is not None:
        named.append(rule.tier.chinese)
    return " · ".join(named)


def _told(rule: Rule) -> str:
    told = ["当日" if str(rule.limit) == "0wd" else rule.limit.chinese]
    if rule.remind_before:
        told.append(f"到期前 {rule.remind_before} 个工作日提醒")
    if rule.stage in WITHOUT_CARDS:
        return "；".join((*told, "不发牌"))
    told.append(f"{_overdue(rule.yellow_after)}发黄牌")
    if rule.red_after is not None:
        told.append(f"{_overdue(rule.red_after)}发红牌")
    return "；".join(told)


def _overdue(limit: Limit) -> str:
    return f"逾期 {limit.chinese}" if limit.amount else "到期"
