"""Over HTTP: what the command center decides about a case. The rules are in app/cases."""

from fastapi import APIRouter
from pydantic import Field, StrictBool

from app.api.step import CaseRef, Step, answers
from app.cases.actions import dispatching
from app.cases.actions.dispatching import MOST_ASSISTANTS, Part
from app.http.cases import CaseStateOut
from app.http.inputs import Input, OptionalText, Paragraphs, Ref, UnitCode
from app.http.transaction import OneTransaction

router = APIRouter(prefix="/cases/{ref}", tags=["交办"], route_class=OneTransaction)

Task = OptionalText


class PartIn(Input):
    unit_code: UnitCode = Field(description="单位代码", examples=["500153100"])
    task: Task = Field(default="", description="该单位的任务", examples=["恢复供水"])
    days: int | None = Field(
        default=None,
        strict=True,
        ge=1,
        le=60,
        description="几日内完成；不填则按规定的期限",
        examples=[7],
    )

    def part(self) -> Part:
        return Part(self.unit_code, self.task, self.days)


class Dispatch(Input):
    lead: PartIn = Field(description="主办单位，有且只有一个，可以是县内任何单位")
    assistants: list[PartIn] = Field(
        default=[],
        max_length=MOST_ASSISTANTS,
        description="协办单位",
        examples=[[{"unit_code": "500153D11", "task": "检修管网", "days": 5}]],
    )
    note: Task = Field(default="", description="交办意见", examples=["一周内办结"])


class LeadChange(Input):
    lead: PartIn = Field(description="改由哪个单位主办，可以是县内任何单位")
    reason: Paragraphs = Field(
        description="改派的理由，办理各方可见，反映人不可见",
        examples=["主管权属已移交县水务局，改由其主办。"],
    )
    note: Task = Field(default="", description="交办意见", examples=["一周内办结"])


class Addition(Input):
    assistants: list[PartIn] = Field(
        min_length=1,
        max_length=MOST_ASSISTANTS,
        description="新增的协办单位，各有任务和期限",
        examples=[[{"unit_code": "500153D11", "task": "检修管网", "days": 5}]],
    )
    note: Task = Field(default="", description="交办意见", examples=["协助查清漏点"])


class Settlement(Input):
    unit_code: UnitCode = Field(description="申请退回的单位", examples=["500153100"])
    agreed: StrictBool = Field(description="是否同意退回", examples=[True])
    reason: Paragraphs = Field(
        description="裁定的理由", examples=["管网权属县水务局，改由其主办。"]
    )


class Excuse(Input):
    unit_code: UnitCode = Field(description="免予协办的单位", examples=["500153D11"])
    reason: Paragraphs = Field(description="理由", examples=["主办单位已自行修复，不再需要协办。"])


class Merge(Input):
    primary_ref: Ref = Field(description="并入哪一件", examples=["500153-261122-48392018"])
    reason: Paragraphs = Field(description="理由", examples=["同一小区同一次停水。"])


@router.post(
    "/dispatch",
    summary="交办",
    description="指挥中心指定唯一的主办单位和若干协办单位，各有期限。",
    responses=answers(),
)
async def dispatch(ref: CaseRef, given: Dispatch, step: Step) -> CaseStateOut:
    dossier = await dispatching.dispatch(
        step.tx,
        ref,
        by=step.by,
        lead=given.lead.part(),
        assistants=[assistant.part() for assistant in given.assistants],
        note=given.note,
        now=step.now,
    )
    return step.taken(dossier)


@router.post(
    "/change-lead",
    summary="改派主办",
    description="指挥中心说明理由后改由另一单位主办。原主办单位的期限到此为止，已经得的牌保留；新主办单位重新计算办理期限，全程期限和法定期限不变，不算退回。原主办单位尚待审批的延期、挂起申请不再审批；退回申请须先裁定。",
    responses=answers(),
)
async def change_lead(ref: CaseRef, given: LeadChange, step: Step) -> CaseStateOut:
    dossier = await dispatching.change_lead(
        step.tx,
        ref,
        by=step.by,
        lead=given.lead.part(),
        reason=given.reason,
        note=given.note,
        now=step.now,
    )
    return step.taken(dossier)


@router.post(
    "/add-assistants",
    summary="增加协办",
    description="指挥中心为正在办理的事件增加协办单位，各有任务和期限；指挥中心自行办理的也可以。不再需要的，免予协办。",
    responses=answers(),
)
async def add_assistants(ref: CaseRef, given: Addition, step: Step) -> CaseStateOut:
    dossier = await dispatching.add_assistants(
        step.tx,
        ref,
        by=step.by,
        assistants=[assistant.part() for assistant in given.assistants],
        note=given.note,
        now=step.now,
    )
    return step.taken(dossier)


@router.post(
    "/settle",
    summary="裁定退回申请",
    description="同意的，该单位的任务终止，主办单位退回的事件回到指挥中心；不同意的，继续办理。",
    responses=answers(),
)
async def settle(ref: CaseRef, given: Settlement, step: Step) -> CaseStateOut:
    dossier = await dispatching.settle(
        step.tx,
        ref,
        by=step.by,
        unit_code=given.unit_code,
        agreed=given.agreed,
        reason=given.reason,
        now=step.now,
    )
    return step.taken(dossier)


@router.post(
    "/excuse",
    summary="免予协办",
    description="不再需要该协办单位答复，主办单位即可办结。",
    responses=answers(),
)
async def excuse(ref: CaseRef, given: Excuse, step: Step) -> CaseStateOut:
    dossier = await dispatching.excuse(
        step.tx, ref, by=step.by, unit_code=given.unit_code, reason=given.reason, now=step.now
    )
    return step.taken(dossier)


@router.post(
    "/merge",
    summary="并案",
    description="并入反映同一问题的另一件；主件办结时，本件的反映人同样得到答复和回访。",
    responses=answers(),
)
async def merge(ref: CaseRef, given: Merge, step: Step) -> CaseStateOut:
    dossier = await dispatching.merge(
        step.tx, ref, by=step.by, primary_ref=given.primary_ref, reason=given.reason, now=step.now
    )
    return step.taken(dossier)
