"""What both faces ask of lists of cases, and the list that answers it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final

from fastapi import Response
from pydantic import Field, StringConstraints

from app.auth.actor import StaffActor
from app.cases import county_lists, queries
from app.cases.county_lists import Due, Filter
from app.cases.lifecycle import Phase
from app.cases.queries import PAGE, View
from app.db import Transaction
from app.errors import InvalidInput
from app.http.cards import ONE_DAY, AnyDay, begin
from app.http.inputs import INT4_MAX, Input, UnitCode
from app.limits.terms import Kind

Unit = Annotated[UnitCode | None, Field(default=None, examples=["500153100"])]


class Scope(StrEnum):
    """MINE: what the asker's unit has to do or did. COUNTY: all that the asker may see, with filters."""

    MINE = "mine"
    COUNTY = "county"


class InboxQuery(Input):
    scope: Scope = Field(
        default=Scope.MINE,
        description="mine 本岗位的、county 全县的（限县领导、指挥中心调度员和督查员）。以下筛选条件只用于 county，可以同时用几项",
    )
    view: View | None = Field(
        default=None,
        description="to_judge 待研判、handling 办理中、to_sign 待签收、assisting 协办未答复、to_decide 待审批、to_reply 待回复(被督办，事件移交后也在此列)、registered 我登记的，只用于 mine、finished 已办结；"
        "open 全部未办结，只用于 county。不填：mine 为 to_judge，county 为 open",
    )
    holder: Unit = Field(default=None, description="现在由哪个单位承办，含它承接的单位")
    lead: Unit = Field(default=None, description="由哪个单位主办")
    assistant: Unit = Field(default=None, description="由哪个单位协办")
    township: Unit = Field(
        default=None,
        description="事情发生在哪个镇街或村(社区)，含其下全部村(社区)",
        examples=["500153003"],
    )
    category_id: int | None = Field(
        default=None, ge=1, le=INT4_MAX, description="分类，含其下全部分类", examples=[12]
    )
    kind: Kind | None = Field(default=None, description="性质")
    phase: Phase | None = Field(default=None, description="阶段，须与所选视图相符")
    urgent: bool | None = Field(default=None, description="是否紧急")
    listed: bool | None = Field(default=None, description="是否挂牌督办")
    supervised: bool | None = Field(default=None, description="是否正在督办，尚未回复")
    due: Due | None = Field(
        default=None, description="overdue 当前环节已超期、soon 已经预警而尚未超期"
    )
    received_from: AnyDay | None = Field(
        default=None, description="哪一天起收到（含）", examples=["2026-11-01"]
    )
    received_to: AnyDay | None = Field(
        default=None, description="到哪一天止收到（含）", examples=["2026-11-30"]
    )
    due_from: AnyDay | None = Field(
        default=None, description="当前环节从哪一天起到期（含）", examples=["2026-11-01"]
    )
    due_to: AnyDay | None = Field(
        default=None, description="当前环节到哪一天止到期（含）", examples=["2026-11-30"]
    )
    cursor: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        default=None, description="上一页的 next；不填为第一页"
    )
    size: int = Field(default=PAGE, ge=1, le=100, description="每页几件")

    def own_view(self) -> View:
        """Raises InvalidInput for a view or a filter that only the county's lists have."""
        view = self.view or View.TO_JUDGE
        asked = [name for name in _FILTERS if getattr(self, name) is not None]
        if view not in queries.OWN_VIEWS:
            asked.append("view")
        if asked:
            raise _only_in(Scope.COUNTY, asked)
        return view

    def county_view(self) -> View:
        """Raises InvalidInput for a view that only one's own lists have."""
        view = self.view or View.OPEN
        if view not in county_lists.VIEWS:
            raise _only_in(Scope.MINE, ["view"])
        return view

    def filter(self) -> Filter:
        return Filter(
            **{name: getattr(self, name) for name in _FILTERS if name not in _DAYS},
            received_since=day_begins(self.received_from),
            received_until=day_ends(self.received_to),
            due_since=day_begins(self.due_from),
            due_until=day_ends(self.due_to),
        )


_OWN: Final = frozenset({"scope", "view", "cursor", "size"})
_DAYS: Final = frozenset({"received_from", "received_to", "due_from", "due_to"})
_FILTERS: Final = tuple(name for name in InboxQuery.model_fields if name not in _OWN)


def _only_in(scope: Scope, asked: list[str]) -> InvalidInput:
    what = f"只有 scope={scope} 时才能这样查"
    return InvalidInput(mistakes=[{"where": f"query.{name}", "what": what} for name in asked])


def day_begins(day: date | None) -> datetime | None:
    return None if day is None else begin(day)


def day_ends(day: date | None) -> datetime | None:
    return None if day is None else begin(day + ONE_DAY)


async def list_of(tx: Transaction, asked: InboxQuery, *, by: StaffActor) -> Response:
    """A page of what was asked for. Raises NotPermitted, InvalidInput."""
    if asked.scope is Scope.MINE:
        page = await queries.inbox(
            tx, asked.own_view(), by=by, cursor=asked.cursor, size=asked.size
        )
    else:
        page = await county_lists.county_page(
            tx,
            asked.county_view(),
            asked.filter(),
            by=by,
            cursor=asked.cursor,
            size=asked.size,
        )
    return Response(page, media_type="application/json")
