"""How both faces show cards to staff: in a list, in full, and in red at sign-in."""

from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from app.auth.actor import StaffActor
from app.auth.posts import PostHeld
from app.auth.signing_in import StaffSignedIn
from app.db import reading
from app.http.moments import At
from app.limits.terms import Stage
from app.supervision import listing
from app.supervision.listing import AppealState, SeenCard
from app.supervision.models import CardCause, CardLevel


class CardItem(BaseModel):
    """A card in a list. `unit`, `person` and `post` are as they were when it was issued."""

    id: UUID
    ref: str = Field(description="事件编号", examples=["500153-261122-48392017"])
    title: str | None = Field(
        description="事件的标题；已看不到该事件的人为空", examples=["13至17栋没有饮用水"]
    )
    level: CardLevel
    level_label: str = Field(examples=["黄牌"])
    cause: CardCause
    cause_label: str = Field(examples=["超期"])
    stage: Stage | None = Field(description="超期的环节")
    stage_label: str | None = Field(examples=["研判"])
    unit_code: str = Field(examples=["500153003"])
    unit: str = Field(examples=["广顺街道"])
    person_id: int | None = Field(description="个人的编号，用于查其全部的牌", examples=[12])
    person: str | None = Field(examples=["周启明"])
    post: str | None = Field(examples=["群工办干事"])
    due_at: At | None = Field(description="错过的期限")
    effective_at: At = Field(description="生效的时间，即超期的时刻")
    issued_at: At
    standing: bool = Field(description="是否有效：撤销的牌不计入净数")
    revoked_at: At | None
    appeal: AppealState
    appeal_label: str = Field(examples=["未申诉"])

    @classmethod
    def of(cls, seen: SeenCard) -> Self:
        return cls(**shown(seen))


def shown(seen: SeenCard) -> dict[str, Any]:
    """The fields of a CardItem."""
    card = seen.card
    return {
        "id": card.id,
        "ref": seen.ref,
        "title": seen.title,
        "level": card.level,
        "level_label": card.level.chinese,
        "cause": card.cause,
        "cause_label": card.cause.chinese,
        "stage": card.stage,
        "stage_label": None if card.stage is None else card.stage.chinese,
        "unit_code": seen.unit_code,
        "unit": card.unit_name,
        "person_id": card.staff_id,
        "person": card.person_name,
        "post": card.post_title,
        "due_at": card.due_at,
        "effective_at": card.effective_at,
        "issued_at": card.issued_at,
        "standing": card.revoked_at is None,
        "revoked_at": card.revoked_at,
        "appeal": seen.state,
        "appeal_label": seen.state.chinese,
    }


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


async def cards_at_sign_in(signed_in: StaffSignedIn) -> list[CardItem]:
    """What is shown in red to whoever has just signed in. Signing in has transactions of its own, and so has this."""
    session = signed_in.session
    assert session.staff_id is not None, "a session of staff"
    by = acting_as(signed_in.post, staff_id=session.staff_id, name=signed_in.name)
    async with reading() as tx:
        found = await listing.shown_at_sign_in(tx, by=by, now=session.created_at)
    return [CardItem.of(one) for one in found]
