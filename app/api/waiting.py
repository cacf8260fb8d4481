"""Over HTTP: 挂起申请, 挂起审批 and 恢复."""

from fastapi import APIRouter
from pydantic import Field, StrictBool

from app.api.step import CaseRef, Step, answers
from app.cases.actions import waiting
from app.http.case_inputs import Resumption, WaitRequest
from app.http.cases import CaseStateOut
from app.http.inputs import Input, ShortText
from app.http.transaction import OneTransaction

router = APIRouter(prefix="/cases/{ref}", tags=["延期和挂起"], route_class=OneTransaction)


class WaitDecision(Input):
    granted: StrictBool = Field(description="是否同意", examples=[True])
    reason: ShortText = Field(
        description="审批意见，留存备查；告知反映人的是申请挂起的理由",
        examples=["情况属实，同意。"],
    )


@router.post(
    "/wait",
    summary="挂起申请",
    description="承办单位说明事由和复核日期，由交办的指挥中心或上一级审批。审批之前照常计时。",
    responses=answers(),
)
async def wait(ref: CaseRef, given: WaitRequest, step: Step) -> CaseStateOut:
    dossier = await waiting.wait(
        step.tx,
        ref,
        by=step.by,
        why=given.why,
        reason=given.reason,
        until=given.until,
        now=step.now,
    )
    return step.taken(dossier)


@router.post(
    "/decide-wait",
    summary="挂起审批",
    description="由申请单位以外的单位、申请人以外的人审批。同意的，承办环节暂停计时至复核日期，告知反映人；全程期限不停。",
    responses=answers(),
)
async def decide_wait(ref: CaseRef, given: WaitDecision, step: Step) -> CaseStateOut:
    dossier = await waiting.decide_wait(
        step.tx, ref, by=step.by, granted=given.granted, reason=given.reason, now=step.now
    )
    return step.taken(dossier)


@router.post(
    "/resume",
    summary="恢复",
    description="承办单位或审批单位提前恢复计时；到了复核日期，系统自动恢复。",
    responses=answers(),
)
async def resume(ref: CaseRef, given: Resumption, step: Step) -> CaseStateOut:
    dossier = await waiting.resume(step.tx, ref, by=step.by, reason=given.note or "", now=step.now)
    return step.taken(dossier)
