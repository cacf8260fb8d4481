"""Citizens' operations on their own reports: register, follow, add, object, press, withdraw, evaluate."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from app.auth.actor import CitizenActor
from app.cases import access, queries, timeline
from app.cases.actions import filing
from app.cases.actions.filing import Intake
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action, Phase
from app.cases.models import Channel, Waiting
from app.errors import (
    ActionNotAllowed,
    KeyRequired,
    KeyReused,
    NobodyMaySee,
    NotFound,
    SignInRequired,
    TooMany,
)
from app.evaluation import receiving
from app.evaluation.terms import ReplyEffect, Value
from app.http import case_actions, usage
from app.http.attached import PositionOut, VoiceRef
from app.http.case_actions import Face, SharedAction
from app.http.case_step import CaseRef, CaseStep
from app.http.cases import PaperOut
from app.http.inputs import Input, Ref, ShortText, UnitCode
from app.http.moments import At
from app.http.outputs import Output
from app.http.papers import PRINTED, drawn
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx, transaction_of
from app.http.usage import ActingCitizen, acting_citizen
from app.http.visitor import AddressKey
from app.http.who import ByCitizen, reads_key, require_key
from app.matters import papers
from mobile_api.registering import ReceiptOut, Told

router = APIRouter(
    prefix="/reports",
    tags=["群众：我的反映"],
    route_class=OneTransaction,
    dependencies=[Depends(require_key)],
)
_LOOK = problems(SignInRequired, NotFound)
_ACT = problems(
    SignInRequired, NotFound, ActionNotAllowed, NobodyMaySee, KeyRequired, KeyReused, TooMany
)

_THANKS = "感谢您的评价，承办单位看不到是谁评价的。"
_NOT_COUNTED = "已经收到。这个号码是承办单位的人员、单位或多人共用的，从这里作出的评价不计入统计。"
Cursor = Annotated[str | None, Query(max_length=80, description="上一页答复中的 next，第一页不填")]


class Report(Told):
    unit_code: UnitCode = Field(
        description="海报上的代码：向哪个村(社区)、镇街或指挥中心反映；部门或县的海报，由县指挥中心受理",
        examples=["500153003007"],
    )


class Evaluation(Input):
    value: Value = Field(
        description="satisfied 满意，basically_satisfied 基本满意，dissatisfied 不满意",
        examples=["satisfied"],
    )
    remark: ShortText | None = Field(default=None, description="补充说明，承办单位看不到")


class ReportItem(Output):
    ref: str = Field(examples=["500153-261122-48392017"])
    title: str = Field(examples=["13至17栋三天没有自来水"])
    phase: Phase
    merged: bool = Field(description="是否已与相同事件合并办理；合并的，进展是合并后的")
    holder: str = Field(description="现在由谁办", examples=["荣隆镇"])
    waiting: Waiting | None
    received_at: At
    answered_at: At | None


class ReportPage(Output):
    items: list[ReportItem]
    next: str | None = Field(description="下一页的游标；没有下一页为 null")


class StepOut(Output):
    at: At
    action: Action
    label: str = Field(description="办到哪一步", examples=["荣隆镇已签收"])
    unit: str | None = Field(examples=["荣隆镇"])
    texts: dict[str, str | None] = Field(
        description="告诉您的或您说的话；已删除的为 null", examples=[{"report": "已找到漏点"}]
    )
    photos: list[UUID] = Field(
        description="照片编号，见“我的照片”；凭查询码查询的没有", examples=[[]]
    )


class ReviewOut(Output):
    """What may be asked of the answer next, or what is being decided."""

    open: Literal["review", "reexamination"] | None = Field(
        description="正在办理的：review 复查、reexamination 复核", examples=[None]
    )
    may_ask: Literal["review", "reexamination"] | None = Field(
        description="可以申请的：review 复查、reexamination 复核", examples=["review"]
    )
    until: At | None = Field(description="在什么时间以前申请")


class NextOut(Output):
    """What is to happen next."""

    what: str = Field(examples=["荣隆镇办理并答复您"])
    by: At | None = Field(description="这一步何时到期；期限暂停时为空")
    answer_by: At | None = Field(description="整件事最迟何时答复；期限暂停时为空")


class ProgressOut(Output):
    """A case in citizens' words."""

    ref: str = Field(examples=["500153-261122-48392017"])
    title: str = Field(examples=["13至17栋三天没有自来水"])
    phase: Phase
    phase_label: str = Field(examples=["办理中"])
    merged: bool = Field(
        description="是否已与相同事件合并办理；合并的，阶段、承办单位、过程和结果都是合并后的",
        examples=[False],
    )
    waiting: Waiting | None
    holder: str = Field(description="现在由谁办", examples=["荣隆镇"])
    first_unit: str = Field(description="首问单位，负责向您反馈", examples=["工农茶叶产业社区"])
    received_at: At
    answered_at: At | None
    outcome: str | None = Field(examples=["已解决"])
    timeline: list[StepOut]
    review: ReviewOut | None = Field(description="能否申请复查、复核；还没有答复的为空")
    next: NextOut | None = Field(description="下一步由谁做什么、什么时候以前；已有结果的为空")


class ReportOut(ProgressOut):
    body: str | None = Field(description="您反映的内容")
    photos: list[UUID] = Field(description="反映时附上的照片编号")
    voices: list[VoiceRef] = Field(description="反映时附上的语音")
    confidential: bool = Field(description="您要求保密：承办单位不知道是谁反映的")
    position: PositionOut | None = Field(description="您填的位置；没有填的、已删除的为空")
    papers: list[PaperOut] = Field(
        description="给您的文书：受理回执、补正、延期、不予受理告知书和处理意见书，复查、复核意见书"
    )
    actions: list[Action] = Field(
        description="您现在可以进行的操作；操作的地址是它的名称，下划线换成短横线"
    )


class ReportStateOut(Output):
    ref: str = Field(examples=["500153-261122-48392017"])
    phase: Phase
    phase_label: str = Field(examples=["待研判"])
    waiting: Waiting | None
    holder: str = Field(examples=["广顺街道"])
    actions: list[Action] = Field(
        description="您现在可以进行的操作；操作的地址是它的名称，下划线换成短横线"
    )


class EvaluationOut(Output):
    """`until` is empty before the question was asked, also where it may be answered already."""

    until: At | None = Field(description="评价截止时间；还没有请您评价时为 null")
    value: Value | None = Field(description="您的评价；没有评价时为 null")
    open: bool = Field(description="现在可以评价，或更改评价")
    changeable_until: At | None = Field(description="已经评价的，可以更改到什么时候")


class ThanksOut(Output):
    told: str = Field(examples=["感谢您的评价，承办单位看不到是谁评价的。"])


@reads_key
async def _step(request: Request, ref: CaseRef) -> CaseStep[CitizenActor]:
    by, tx = await acting_citizen(request), transaction_of(request)
    return CaseStep(tx, ref, by, await tx.now())


def _respond(step: CaseStep[CitizenActor], dossier: Dossier) -> ReportStateOut:
    case = dossier.case
    return ReportStateOut(
        ref=case.ref,
        phase=case.phase,
        phase_label=case.phase.chinese,
        waiting=case.waiting,
        holder=dossier.holder.name,
        actions=access.actions(dossier, step.by, step.now),
    )


REPORTERS: Final = Face(
    words=lambda one: one.reporter if isinstance(one, SharedAction) else None,
    step=_step,
    respond=_respond,
    model=ReportStateOut,
    problems=(KeyRequired, TooMany),
    answer={"description": "操作后的事件"},
)


@router.post(
    "",
    status_code=201,
    summary="反映一件事",
    description="登记后由海报所在单位研判。检举控告保密办理，不经过被检举控告的单位。",
    responses=problems(SignInRequired, KeyRequired, KeyReused, NobodyMaySee, TooMany),
)
async def report(given: Report, tx: Tx, by: ByCitizen, address_key: AddressKey) -> ReceiptOut:
    registered = await filing.register(
        tx,
        Intake(
            title=given.heading(),
            body=given.body,
            kind=given.kind,
            channel=Channel.POSTER,
            asked_code=given.unit_code,
            place=given.place or "",
            category_id=given.category_id,
            accused_code=given.accused_code,
            photos=tuple(given.photos),
            voices=tuple(given.voices),
            position=given.place_on_map(),
            confidential=given.confidential,
        ),
        by=by,
        now=await tx.now(),
        counted=usage.by_citizen(by, address_key),
    )
    return ReceiptOut.of(registered)


@router.get(
    "",
    response_model=ReportPage,
    summary="我反映过的事",
    description="最近的在前，每页 50 件。",
    responses=problems(SignInRequired),
)
async def my_reports(tx: Tx, by: ByCitizen, cursor: Cursor = None) -> Response:
    return _json(await queries.mine(tx, by=by, cursor=cursor))


@router.get(
    "/{ref}",
    response_model=ReportOut,
    summary="办到哪一步了",
    description="全部公开的办理过程，以及您现在可以做什么。与相同事件合并办理的，凭主办编号也能查到。",
    responses=_LOOK,
)
async def my_report(ref: Ref, tx: Tx, by: ByCitizen) -> dict[str, Any]:
    try:
        dossier = await access.get_case(tx, ref, by=by)
    except NotFound:
        # The number of a case that the citizen's own was joined to.
        told = await timeline.for_joined_reporter(tx, ref, citizen_id=by.citizen_id)
        return told | {"actions": []}
    told = await timeline.for_reporter(tx, ref, citizen_id=by.citizen_id)
    return told | {"actions": access.actions(dossier, by, await tx.now())}


@router.get(
    "/{ref}/papers/{paper_id}",
    response_class=HTMLResponse,
    summary="给我的文书",
    description="一页可以打印或保存的网页，见 papers。",
    responses={**PRINTED, **_LOOK},
)
async def my_paper(
    ref: Ref,
    paper_id: Annotated[UUID, Path(description="文书编号，见“办到哪一步了”的 papers")],
    tx: Tx,
    by: ByCitizen,
) -> HTMLResponse:
    dossier = await access.get_case(tx, ref, by=by)
    return drawn(await papers.in_full(tx, dossier.matter, paper_id, reporter=True))


case_actions.mount(router, REPORTERS)


@router.get(
    "/{ref}/evaluation",
    summary="我的评价",
    description="只有本人看得到。",
    responses=_LOOK,
)
async def my_evaluation(ref: Ref, tx: Tx, by: ByCitizen) -> EvaluationOut:
    now = await tx.now()
    own = await receiving.own_survey(tx, ref, by=by, now=now)
    if own is None:
        return EvaluationOut(until=None, value=None, open=False, changeable_until=None)
    answer = own.own_answer()
    return EvaluationOut(
        until=own.survey.window_ends_at,
        value=None if answer is None else answer.value,
        open=own.heard_on_page(now),
        changeable_until=None if answer is None else own.correctable_until(),
    )


@router.post(
    "/{ref}/evaluate",
    summary="评价办理结果",
    description="办结后请您评价；24 小时之内可以更改，以最后一次为准。承办单位看不到是谁评价的。",
    responses=_ACT,
)
async def evaluate(ref: Ref, given: Evaluation, tx: Tx, by: ActingCitizen) -> ThanksOut:
    effect = await receiving.evaluate(
        tx, ref, by=by, value=given.value, remark=given.remark or "", now=await tx.now()
    )
    return ThanksOut(told=_NOT_COUNTED if effect is ReplyEffect.DISCOUNTED else _THANKS)


def _json(made_by_the_database: str) -> Response:
    return Response(made_by_the_database, media_type="application/json")
