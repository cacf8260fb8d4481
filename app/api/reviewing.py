"""Over HTTP: 复查 and 复核, asked for the reporter and decided by the reviewing unit. What is to be decided stands in `to_decide`."""

from fastapi import APIRouter

from app.api.step import CaseRef, Step, answers
from app.cases.actions import reviewing
from app.errors import NotPermitted
from app.http.case_inputs import ReviewDecision, ReviewRequest
from app.http.cases import CaseStateOut
from app.http.transaction import OneTransaction

router = APIRouter(prefix="/cases/{ref}", tags=["复查和复核"], route_class=OneTransaction)


@router.post(
    "/ask-review",
    summary="代群众申请复查",
    description="本单位登记的事，群众不服答复的，自答复之日起三十日内代为申请，由上一级复查。",
    responses=answers(),
)
async def ask_review(ref: CaseRef, given: ReviewRequest, step: Step) -> CaseStateOut:
    return step.taken(
        await reviewing.ask_review(step.tx, ref, by=step.by, reason=given.reason, now=step.now)
    )


@router.post(
    "/decide-review",
    summary="复查决定",
    description="由复查机关三十日内作出，参与过办理的人不能决定；待决定的见“待审批”(view=to_decide)。出具复查意见书，短信告知反映人。",
    responses=answers(NotPermitted),
)
async def decide_review(ref: CaseRef, given: ReviewDecision, step: Step) -> CaseStateOut:
    dossier = await reviewing.decide_review(
        step.tx, ref, by=step.by, outcome=given.outcome, reason=given.reason, now=step.now
    )
    return step.taken(dossier)


@router.post(
    "/ask-reexamination",
    summary="代群众申请复核",
    description="群众不服复查意见的，自复查决定之日起三十日内代为申请，由再上一级复核。",
    responses=answers(),
)
async def ask_reexamination(ref: CaseRef, given: ReviewRequest, step: Step) -> CaseStateOut:
    dossier = await reviewing.ask_reexamination(
        step.tx, ref, by=step.by, reason=given.reason, now=step.now
    )
    return step.taken(dossier)


@router.post(
    "/decide-reexamination",
    summary="复核决定",
    description="由复核机关三十日内作出，是最终意见。出具复核意见书，短信告知反映人。",
    responses=answers(NotPermitted),
)
async def decide_reexamination(ref: CaseRef, given: ReviewDecision, step: Step) -> CaseStateOut:
    dossier = await reviewing.decide_reexamination(
        step.tx, ref, by=step.by, outcome=given.outcome, reason=given.reason, now=step.now
    )
    return step.taken(dossier)
