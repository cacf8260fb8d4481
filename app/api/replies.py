"""Over HTTP: texts from citizens that the system could not read, and how people read them. The rules are in app/evaluation."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field, StringConstraints

from app.errors import (
    ActionNotAllowed,
    InvalidInput,
    KeyReused,
    NotFound,
    NotPermitted,
    SignInRequired,
)
from app.evaluation import manual_review
from app.evaluation.manual_review import Question, UnreadReply
from app.evaluation.terms import HandReading
from app.http.inputs import Input, Ref
from app.http.moments import At
from app.http.outputs import Output
from app.http.paging import page_of
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(prefix="/unread-replies", tags=["回访"], route_class=OneTransaction)

ReplyId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-Za-z_+-]{1,64}$", max_length=64),
    Path(description="短信编号，见待判读列表", examples=["SM5b0c6a52d41d8cd98f00b204e9800998"]),
]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEFORE_ALL = (_EPOCH, "")
_WHOSE = "仅县指挥中心；指挥中心办理过其事件的，仅其督查员；检举人的短信，仅承办其检举控告的督查员。参与办理的人和承办单位看不到。"


class RepliesQuery(Input):
    cursor: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        default=None, description="上一页的 next；不填为第一页"
    )
    size: int = Field(default=50, ge=1, le=100, description="每页几条")


class QuestionOut(Output):
    """A case whose reporter was asked how satisfied they are."""

    ref: str = Field(examples=["500153-261122-48392017"])
    title: str = Field(examples=["13至17栋没有饮用水"])
    round: int = Field(examples=[1])


class ReplyItem(Output):
    """A text in the list; it names nobody."""

    id: str = Field(examples=["SM5b0c6a52d41d8cd98f00b204e9800998"])
    received_at: At
    words: str = Field(description="群众的原话", examples=["水有了，就是水压不大"])
    about: QuestionOut | None = Field(description="系统认为说的是哪一件；没有待评价的事则为空")
    not_read: str | None = Field(
        description="系统没有判读的原因：没有文字、内容太长、未能及时判读；判读过而读不懂的为空",
        examples=["内容太长"],
    )


class Replies(Output):
    items: list[ReplyItem]
    next: str | None = Field(description="下一页的 cursor；没有下一页则为空")


class ReplyDetail(ReplyItem):
    """A text with whose it is and what it may answer: for the reader's eyes only."""

    name: str | None = Field(examples=["王大爷"])
    phone: str = Field(examples=["+8613983001234"])
    may_answer: list[QuestionOut] = Field(description="收到时可以评价、至今没有评价的事")
    handled_at: At | None = Field(description="何时判读；尚未判读则为空")


class ReadingIn(Input):
    reading: HandReading = Field(
        description="satisfied 满意、basically_satisfied 基本满意、dissatisfied 不满意、not_an_answer 不是评价、call_back 读不明白，电话回访、opted_out 退订，不愿再收评价短信",
        examples=["basically_satisfied"],
    )
    ref: Ref | None = Field(
        default=None,
        description="说的是哪一件，见 may_answer；不填为系统认为的那一件（about）。不是评价、退订的不填",
        examples=[None],
    )


class ReadingOut(Output):
    reading: HandReading
    reading_label: str = Field(examples=["基本满意"])
    answered: QuestionOut | None = Field(
        description="计为哪一件的评价；不是评价、退订，或此人已另有评价的，为空"
    )


@router.get(
    "",
    summary="待判读的短信",
    description=f"系统读不懂的群众短信，先到的在前。{_WHOSE}",
    responses=problems(SignInRequired, NotPermitted),
)
async def list_replies(asked: Annotated[RepliesQuery, Query()], tx: Tx, by: ByStaff) -> Replies:
    found = await manual_review.unread(
        tx, by=by, after=_read_cursor(asked.cursor), most=asked.size + 1
    )
    shown, last = page_of(found, asked.size)
    return Replies(
        items=[_item(one) for one in shown],
        next=None if last is None else _cursor(last),
    )


@router.get(
    "/{reply_id}",
    summary="一条短信",
    description=f"短信的原话、是谁发的，以及可能评价的是哪一件。{_WHOSE}",
    responses=problems(SignInRequired, NotPermitted, NotFound),
)
async def show_reply(reply_id: ReplyId, tx: Tx, by: ByStaff) -> ReplyDetail:
    reply, may_answer = await manual_review.get_reply(tx, reply_id, by=by)
    return ReplyDetail(
        **dict(_item(reply)),
        name=reply.name,
        phone=reply.phone,
        may_answer=[_question(one) for one in may_answer],
        handled_at=reply.handled_at,
    )


@router.post(
    "/{reply_id}/reading",
    summary="判读短信",
    description="判定是哪一种评价，或不是评价，或须电话回访，或是退订，只判一次，并记下由谁、何时判读。判读的是群众自己的话，计入评价；"
    "判为不满意的，进入回访。群众已另有评价的，以先作出的为准。判为退订的，与群众回复 TD 一样，自短信发出时起不再用短信请其评价，"
    f"未发出的评价短信、提醒不再发送，还没评价的转电话回访；此后群众已自行退订或恢复的，以后来的为准。{_WHOSE}",
    responses=problems(SignInRequired, NotPermitted, NotFound, ActionNotAllowed, KeyReused),
)
async def settle_reply(reply_id: ReplyId, given: ReadingIn, tx: Tx, by: ByStaff) -> ReadingOut:
    settled = await manual_review.settle(
        tx, reply_id, given.reading, ref=given.ref, by=by, now=await tx.now()
    )
    return ReadingOut(
        reading=settled.reading,
        reading_label=settled.reading.chinese,
        answered=None if settled.answered is None else _question(settled.answered),
    )


def _item(reply: UnreadReply) -> ReplyItem:
    return ReplyItem(
        id=reply.id,
        received_at=reply.received_at,
        words=reply.words,
        about=None if reply.about is None else _question(reply.about),
        not_read=None if reply.not_read is None else reply.not_read.chinese,
    )


def _question(question: Question) -> QuestionOut:
    return QuestionOut(ref=question.ref, title=question.title, round=question.round)


def _cursor(last: UnreadReply) -> str:
    return f"{(last.received_at - _EPOCH) // timedelta(microseconds=1)}~{last.id}"


def _read_cursor(cursor: str | None) -> tuple[datetime, str]:
    if cursor is None:
        return _BEFORE_ALL
    at, _, after = cursor.partition("~")
    try:
        moment = _EPOCH + timedelta(microseconds=int(at))
        after.encode("ascii")
    except (ValueError, OverflowError) as broken:
        raise _unknown_cursor() from broken
    if "\x00" in after or not _BEFORE_ALL[0] <= moment:
        raise _unknown_cursor()
    return moment, after


def _unknown_cursor() -> InvalidInput:
    return InvalidInput(mistakes=[{"where": "query.cursor", "what": "不是本列表给出的游标"}])
