"""Over HTTP: texts that need a person: seen, sent again, or settled without sending. The rules are in app/texts."""

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from app.errors import ActionNotAllowed, KeyReused, NotFound, NotPermitted, SignInRequired
from app.http.inputs import Input, ShortText
from app.http.moments import At
from app.http.outputs import Output
from app.http.paging import page_of
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff
from app.matters import failed_texts
from app.matters.failed_texts import TextToSee, TurnSeen
from app.texts.outbox import MessageKind, MessageState, Why
from app.texts.terms import FollowedBy, kind_in_chinese, why_in_chinese

router = APIRouter(prefix="/texts", tags=["短信"], route_class=OneTransaction)

TextId = Annotated[UUID, Path(description="短信编号，见需人工处理的短信列表")]
_WHOSE = "仅县指挥中心；检举控告的，仅承办单位的督查员。号码只显示一部分，不显示短信内容。"


class TextsQuery(Input):
    after: UUID | None = Field(default=None, description="上一页的 next；不填为第一页")
    size: int = Field(default=50, ge=1, le=100, description="每页几条")


class TextItem(Output):
    """A text in the list; it names nobody and says nothing of what stood in it."""

    id: UUID
    kind: MessageKind
    kind_label: str = Field(examples=["办结答复"])
    state: MessageState
    why: Why | None
    why_label: str | None = Field(
        description="为什么没有送达", examples=["号码无法接收短信，请打电话告知"]
    )
    error: str | None = Field(description="服务商的错误代码", examples=["30005"])
    ref: str | None = Field(description="哪一件事", examples=["500153-261122-48392017"])
    number: str | None = Field(description="号码，隐去中间", examples=["139****1234"])
    attempts: int = Field(description="本次投递试过几次", examples=[1])
    turn: int = Field(description="第几次投递", examples=[1])
    created_at: At
    settled_at: At | None = Field(description="何时停止发送")
    may_resend: bool = Field(description="能否补发；退订、不是手机号码的不能")

    @classmethod
    def of(cls, seen: TextToSee) -> Self:
        return cls(**_shown(seen))


class TurnOut(Output):
    """One delivery of the text, as it ended, and what followed."""

    turn: int = Field(examples=[1])
    state: MessageState
    why_label: str | None = Field(examples=["已发出，未送达"])
    error: str | None = Field(examples=["30008"])
    attempts: int
    ended_at: At | None
    followed_by: FollowedBy
    followed_by_label: str = Field(examples=["人工补发"])
    at: At
    staff: str | None = Field(description="谁决定的；系统重试的为空", examples=["周启明"])
    unit: str | None = Field(examples=["荣昌区群工系统指挥中心"])
    reason: str | None = Field(description="理由", examples=["已核对号码，请再发一次。"])

    @classmethod
    def of(cls, seen: TurnSeen) -> Self:
        ended = seen.ended
        return cls(
            turn=ended.turn,
            state=ended.state,
            why_label=None if ended.why is None else why_in_chinese(ended.why),
            error=ended.error,
            attempts=ended.attempts,
            ended_at=ended.ended_at,
            followed_by=ended.followed_by,
            followed_by_label=ended.followed_by.chinese,
            at=ended.at,
            staff=seen.staff_name,
            unit=seen.unit_name,
            reason=seen.reason,
        )


class TextDetail(TextItem):
    turns: list[TurnOut] = Field(description="此前每次投递的结果和后来的处理，先前的在前")


class Texts(Output):
    items: list[TextItem]
    next: UUID | None = Field(description="下一页的 after；没有下一页则为空")


class Decision(Input):
    reason: ShortText = Field(description="理由，留存备查", examples=["已核对号码，请再发一次。"])


@router.get(
    "",
    summary="需人工处理的短信",
    description=f"系统发不出或没有送达、再试也无用的短信，先欠的在前。{_WHOSE}",
    responses=problems(SignInRequired, NotPermitted),
)
async def list_texts(asked: Annotated[TextsQuery, Query()], tx: Tx, by: ByStaff) -> Texts:
    found = await failed_texts.to_see_to(tx, by=by, after=asked.after, most=asked.size + 1)
    shown, last = page_of(found, asked.size)
    return Texts(
        items=[TextItem.of(one) for one in shown],
        next=None if last is None else last.id,
    )


@router.get(
    "/{text_id}",
    summary="一条短信的投递经过",
    description=f"为什么没有送达、此前每次投递的结果、由谁补发或处理。{_WHOSE}",
    responses=problems(SignInRequired, NotPermitted, NotFound),
)
async def show_text(text_id: TextId, tx: Tx, by: ByStaff) -> TextDetail:
    seen, turns = await failed_texts.get_text(tx, text_id, by=by)
    return TextDetail(**_shown(seen), turns=[TurnOut.of(one) for one in turns])


@router.post(
    "/{text_id}/resend",
    summary="补发短信",
    description="再投递一次，记下由谁、何时、为什么。此前的经过保留。验证码不能补发；退订的、不是手机号码的，请打电话。请人评价的，评价的时间过了就不能补发。"
    f"{_WHOSE}",
    responses=problems(SignInRequired, NotPermitted, NotFound, ActionNotAllowed, KeyReused),
)
async def resend_text(text_id: TextId, given: Decision, tx: Tx, by: ByStaff) -> TextItem:
    return TextItem.of(
        await failed_texts.resend(tx, text_id, by=by, reason=given.reason, now=await tx.now())
    )


@router.post(
    "/{text_id}/settle",
    summary="不再发送",
    description=f"已打电话告知，或不必再告知：不再发送，记下由谁、何时、为什么。{_WHOSE}",
    responses=problems(SignInRequired, NotPermitted, NotFound, ActionNotAllowed, KeyReused),
)
async def settle_text(text_id: TextId, given: Decision, tx: Tx, by: ByStaff) -> TextItem:
    return TextItem.of(
        await failed_texts.settle(tx, text_id, by=by, reason=given.reason, now=await tx.now())
    )


def _shown(seen: TextToSee) -> dict[str, Any]:
    return {
        "id": seen.id,
        "kind": seen.kind,
        "kind_label": kind_in_chinese(seen.kind),
        "state": seen.state,
        "why": seen.why,
        "why_label": None if seen.why is None else why_in_chinese(seen.why),
        "error": seen.error,
        "ref": seen.ref,
        "number": seen.number,
        "attempts": seen.attempts,
        "turn": seen.turn,
        "created_at": seen.created_at,
        "settled_at": seen.settled_at,
        "may_resend": seen.may_resend,
    }
