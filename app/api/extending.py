"""Over HTTP: 延期申请 and 延期审批."""

from fastapi import APIRouter
from pydantic import Field, StrictBool

from app.api.step import CaseRef, Step, answers
from app.cases.actions import extending
from app.http.case_inputs import Days, ExtensionRequest
from app.http.cases import CaseStateOut
from app.http.inputs import Input, ShortText
from app.http.transaction import OneTransaction

router = APIRouter(prefix="/cases/{ref}", tags=["延期和挂起"], route_class=OneTransaction)


class ExtensionDecision(Input):
    granted: StrictBool = Field(description="是否同意", examples=[True])
    days: Days | None = Field(
        default=None,
        description="同意延长几个工作日；不填为所申请的天数，不能多于它",
        examples=[5],
    )
    reason: ShortText = Field(
        description="审批意见，留存备查；告知反映人的是申请延期的理由",
        examples=["情况属实，同意。"],
    )


@router.post(
    "/extend",
    summary="延期申请",
    description="主办单位在办理到期之前申请，每轮一次；由交办的指挥中心或上一级审批。审批之前照常计时。",
    responses=answers(),
)
async def extend(ref: CaseRef, given: ExtensionRequest, step: Step) -> CaseStateOut:
    dossier = await extending.extend(
        step.tx, ref, by=step.by, days=given.days, reason=given.reason, now=step.now
    )
    return step.taken(dossier)


@router.post(
    "/decide-extension",
    summary="延期审批",
    description="由申请单位以外的单位、申请人以外的人审批。同意的，延长办理期限和全程期限，告知反映人；已经逾期的，只能不同意。",
    responses=answers(),
)
async def decide_extension(ref: CaseRef, given: ExtensionDecision, step: Step) -> CaseStateOut:
    dossier = await extending.decide_extension(
        step.tx,
        ref,
        by=step.by,
        granted=given.granted,
        days=given.days,
        reason=given.reason,
        now=step.now,
    )
    return step.taken(dossier)
