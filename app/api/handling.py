"""Over HTTP: what lead and assistants do, up to the answer, and the archiving after it. The rules are in app/cases."""

from fastapi import APIRouter

from app.api.step import CaseRef, Step, answers
from app.cases.actions import closing, handling
from app.errors import AssistantsOpen
from app.http.case_inputs import Answer, AssistantsAnswer, Objection, Progress
from app.http.cases import CaseStateOut
from app.http.transaction import OneTransaction

router = APIRouter(prefix="/cases/{ref}", tags=["办理"], route_class=OneTransaction)


@router.post(
    "/sign",
    summary="签收",
    description="主办或协办单位签收自己的任务。期限从交办时起算，不因晚签收而延后。不需要请求内容。",
    responses=answers(),
)
async def sign(ref: CaseRef, step: Step) -> CaseStateOut:
    dossier = await handling.sign(step.tx, ref, by=step.by, now=step.now)
    return step.taken(dossier)


@router.post(
    "/hand-back",
    summary="申请退回",
    description="认为不属本单位职责的，在期限内说明理由，由指挥中心裁定；裁定之前照常计时。",
    responses=answers(),
)
async def hand_back(ref: CaseRef, given: Objection, step: Step) -> CaseStateOut:
    dossier = await handling.hand_back(step.tx, ref, by=step.by, reason=given.reason, now=step.now)
    return step.taken(dossier)


@router.post(
    "/progress",
    summary="进展",
    description="记录办理进展，可同时告知反映人。",
    responses=answers(),
)
async def progress(ref: CaseRef, given: Progress, step: Step) -> CaseStateOut:
    dossier = await handling.progress(
        step.tx,
        ref,
        by=step.by,
        report=given.report,
        tell_reporter=given.tell_reporter,
        now=step.now,
    )
    return step.taken(dossier)


@router.post(
    "/assist-answer",
    summary="协办答复",
    description="协办单位完成自己的任务并答复主办单位。",
    responses=answers(),
)
async def assist_answer(ref: CaseRef, given: AssistantsAnswer, step: Step) -> CaseStateOut:
    dossier = await handling.assist_answer(
        step.tx, ref, by=step.by, answer=given.answer, now=step.now
    )
    return step.taken(dossier)


@router.post(
    "/answer",
    summary="办结答复",
    description="主办单位答复反映人。协办单位全部答复或免予协办之后才能办结。",
    responses=answers(AssistantsOpen),
)
async def answer(ref: CaseRef, given: Answer, step: Step) -> CaseStateOut:
    dossier = await handling.answer(
        step.tx,
        ref,
        by=step.by,
        outcome=given.outcome,
        answer=given.answer,
        basis=given.basis or "",
        now=step.now,
    )
    return step.taken(dossier)


@router.post(
    "/close",
    summary="归档",
    description="指挥中心提前归档已办结的事件；否则由系统在评价期满后归档。不需要请求内容。",
    responses=answers(),
)
async def close(ref: CaseRef, step: Step) -> CaseStateOut:
    dossier = await closing.close(step.tx, ref, by=step.by, now=step.now)
    return step.taken(dossier)
