"""Over HTTP: looking at what a citizen answered, and who has looked. The rules are in app/evaluation/access_log.py."""

from typing import Annotated, Self

from fastapi import APIRouter, Depends, Query
from pydantic import BeforeValidator, Field

from app.directory.terms import Role
from app.errors import ActionNotAllowed, KeyReused, NotFound, NotPermitted, SignInRequired
from app.evaluation import access_log
from app.evaluation.access_log import Looked, Seen
from app.evaluation.terms import AnswerChannel, Value
from app.http.inputs import Input, Paragraphs, Ref, not_a_flag
from app.http.moments import At
from app.http.outputs import Output
from app.http.paging import VersionsQuery, page_of
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff, not_kept

router = APIRouter(prefix="/answers/looks", tags=["查看评价"], route_class=OneTransaction)


class LookIn(Input):
    ref: Ref = Field(description="哪一件事", examples=["500153-261122-48392017"])
    round: Annotated[int, BeforeValidator(not_a_flag), Field(ge=1, le=1000)] | None = Field(
        default=None, description="第几轮办理；不填为最近请群众评价的一轮", examples=[1]
    )
    reason: Paragraphs = Field(
        description="为什么要看：记录在案，供纪检监察机关和县领导查阅",
        examples=["群众来电称短信评价被人代答，核对原始评价。"],
    )


class LookOut(Output):
    """What was answered; all empty where nothing was."""

    number: int = Field(description="查看记录的编号", examples=[12])
    ref: str = Field(examples=["500153-261122-48392017"])
    round: int = Field(examples=[1])
    name: str | None = Field(description="谁的评价", examples=["王大爷"])
    asked_at: At | None = Field(description="还没有轮到问的为空")
    answered_at: At | None = Field(description="没有评价则为空")
    channel: AnswerChannel | None = Field(
        description="text 短信、page 网页、return_call 回访", examples=["text"]
    )
    evaluation: Value | None = Field(examples=["dissatisfied"])
    evaluation_label: str | None = Field(examples=["不满意"])
    remark: str | None = Field(description="群众的原话", examples=["水还是没有"])

    @classmethod
    def of(cls, looked: Looked) -> Self:
        return cls(
            number=looked.number,
            ref=looked.ref,
            round=looked.round,
            name=looked.name,
            asked_at=looked.asked_at,
            answered_at=looked.answered_at,
            channel=looked.channel,
            evaluation=looked.value,
            evaluation_label=None if looked.value is None else looked.value.chinese,
            remark=looked.remark,
        )


class LooksQuery(VersionsQuery):
    before: int | None = Field(
        default=None, ge=1, le=2**63 - 1, description="上一页的 next；不填为第一页"
    )


class SeenOut(Output):
    """Who looked, when and why; not what they saw."""

    number: int = Field(description="编号，逐条递增，不会有空号", examples=[12])
    at: At
    staff: str = Field(examples=["刘敏"])
    role: Role
    role_label: str = Field(examples=["督查员"])
    unit: str = Field(examples=["县指挥中心"])
    ref: str = Field(examples=["500153-261122-48392017"])
    title: str = Field(examples=["13至17栋没有饮用水"])
    round: int = Field(examples=[1])
    reason: str = Field(examples=["群众来电称短信评价被人代答，核对原始评价。"])

    @classmethod
    def of(cls, seen: Seen) -> Self:
        return cls(
            number=seen.number,
            at=seen.at,
            staff=seen.staff,
            role=seen.role,
            role_label=seen.role.chinese,
            unit=seen.unit,
            ref=seen.ref,
            title=seen.title,
            round=seen.round,
            reason=seen.reason,
        )


class LooksOut(Output):
    items: list[SeenOut]
    next: int | None = Field(description="下一页的 before；没有下一页则为空")


@router.post(
    "",
    summary="查看评价原文",
    description="看一件事的群众评价了什么。先记录在案，再显示：谁、什么岗位、何时、为什么；记录不能删改，事件的全程记录里没有。"
    "每看一次记一次，答复不为重发保留。仅县指挥中心的督查员；检举控告的，仅承办单位的督查员。参与办理的人不能看。",
    responses=problems(SignInRequired, NotPermitted, NotFound, ActionNotAllowed, KeyReused),
    dependencies=[Depends(not_kept)],
)
async def look(given: LookIn, tx: Tx, by: ByStaff) -> LookOut:
    return LookOut.of(
        await access_log.look(
            tx, given.ref, by=by, round_=given.round, reason=given.reason, now=await tx.now()
        )
    )


@router.get(
    "",
    summary="谁看过评价原文",
    description="最近的在前；不含评价本身。仅纪检监察机关的督查员和县领导（部门、镇街、村(社区)的除外）；检举控告的，仅承办单位的督查员。",
    responses=problems(SignInRequired, NotPermitted),
)
async def list_looks(asked: Annotated[LooksQuery, Query()], tx: Tx, by: ByStaff) -> LooksOut:
    found = await access_log.listed(tx, by=by, before=asked.before, most=asked.size + 1)
    shown, last = page_of(found, asked.size)
    return LooksOut(
        items=[SeenOut.of(one) for one in shown],
        next=None if last is None else last.number,
    )
