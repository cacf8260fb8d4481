"""The notices that staff see at sign-in and when they reopen the page: cards, stages about to be due, a missing calendar."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Self

from pydantic import Field

from app.auth.actor import StaffActor
from app.auth.posts import PostHeld
from app.auth.signing_in import StaffSignedIn
from app.calendars.reading import missing_years
from app.cards import card_lists, reminders
from app.cards.reminders import Reminder
from app.db import Transaction, reading
from app.directory.terms import Role, UnitKind
from app.http.cards import CardItem
from app.http.inputs import Identifier, Input
from app.http.moments import At
from app.http.outputs import Output
from app.limits.terms import Stage


class ChosenPost(Input):
    post_id: Identifier = Field(description="换到哪个岗位", examples=[12])


class ReminderOut(Output):
    """What is about to be due: a reminder, no card."""

    ref: str = Field(description="事件编号", examples=["500153-261122-48392017"])
    title: str = Field(examples=["13至17栋没有饮用水"])
    stage: Stage
    stage_label: str = Field(description="哪个环节", examples=["办理"])
    due_at: At = Field(description="到期的时间，过后发黄牌")

    @classmethod
    def of(cls, reminder: Reminder) -> Self:
        return cls(
            ref=reminder.ref,
            title=reminder.title,
            stage=reminder.stage,
            stage_label=reminder.stage.chinese,
            due_at=reminder.due_at,
        )


class AtSignIn(Output):
    """What the unit is shown whenever one of it signs in, or opens the page again."""

    cards: list[CardItem] = Field(
        description="本单位有效的红黄牌：三十天内发的，和申诉待裁定的；最多二十张，新的在前"
    )
    reminders: list[ReminderOut] = Field(
        description="本单位即将到期的环节（预警，不是牌）；最多二十个，先到期的在前"
    )


class CalendarWarning(Output):
    """A year that should be published by now and is not."""

    missing: list[int] = Field(description="尚未发布放假安排的年份", examples=[[2027]])
    told: str = Field(
        description="给人看的一句话",
        examples=[
            "2027年的放假安排尚未发布：落在这一年的期限都是暂定，发布之前到期也不发牌。"
            "国务院办公厅公布后，请系统管理员立即导入，届时自动重新计算。"
        ],
    )

    @classmethod
    def of(cls, missing: tuple[int, ...]) -> Self:
        years = "、".join(f"{year}年" for year in missing)
        return cls(
            missing=list(missing),
            told=f"{years}的放假安排尚未发布：落在{'这一年' if len(missing) == 1 else '这些年份'}的期限都是暂定，发布之前到期也不发牌。"
            "国务院办公厅公布后，请系统管理员立即导入，届时自动重新计算。",
        )


class AtDesk(AtSignIn):
    calendar_warning: CalendarWarning | None = Field(
        description="只给系统管理员、指挥中心和督查人员：当年，十一月一日起还有下一年，放假安排是否缺失；不缺则为空"
    )


def acting_as(post: PostHeld, *, staff_id: int, name: str) -> StaffActor:
    """The actor that a session in this post belongs to from its next request on."""
    return StaffActor(
        staff_id=staff_id,
        post_id=post.id,
        role=post.role,
        unit_id=post.unit_id,
        unit_kind=post.unit_kind,
        unit_name=post.unit_name,
        unit_code=post.unit_code,
        county_id=post.county_id,
        name=name,
    )


async def shown_at_sign_in(tx: Transaction, *, by: StaffActor, now: datetime) -> dict[str, Any]:
    """The fields of an AtSignIn."""
    cards = await card_lists.shown_at_sign_in(tx, by=by, now=now)
    due_soon = await reminders.about_to_be_due(tx, by=by, now=now)
    return {
        "cards": [CardItem.of(one) for one in cards],
        "reminders": [ReminderOut.of(one) for one in due_soon],
    }


async def shown_at_desk(tx: Transaction, *, by: StaffActor, now: datetime) -> dict[str, Any]:
    """The fields of an AtDesk."""
    missing: tuple[int, ...] = ()
    if by.county_id is not None and _answers_for_calendar(by):
        missing = await missing_years(tx, by.county_id, now=now)
    return {
        **await shown_at_sign_in(tx, by=by, now=now),
        "calendar_warning": CalendarWarning.of(missing) if missing else None,
    }


async def shown_to_whoever_signed_in(
    signed_in: StaffSignedIn, show: Callable[..., Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """What one of the two above shows somebody who has just signed in. Signing in has transactions of its own, and so has this."""
    session = signed_in.session
    assert session.staff_id is not None, "a session of staff"
    by = acting_as(signed_in.post, staff_id=session.staff_id, name=signed_in.name)
    async with reading() as tx:
        return await show(tx, by=by, now=session.created_at)


def _answers_for_calendar(by: StaffActor) -> bool:
    """Who publishes a year, and who answers for the cards that are not issued until then."""
    return (
        by.role in {Role.ADMINISTRATOR, Role.SUPERVISOR} or by.unit_kind is UnitKind.COMMAND_CENTER
    )
