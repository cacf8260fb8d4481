"""Over HTTP: 改类. The rules are in app/cases."""

from fastapi import APIRouter

from app.api.step import CaseRef, Step, answers
from app.cases.actions import recategorising
from app.http.cases import CaseStateOut
from app.http.correction import CorrectionIn
from app.http.transaction import OneTransaction

router = APIRouter(prefix="/cases/{ref}", tags=["研判"], route_class=OneTransaction)


@router.post(
    "/recategorise",
    summary="改类",
    description=(
        "登记时选错了性质、分类或紧急程度的，由承办的村(社区)、镇街或指挥中心改正；指挥中心交办的事件由指挥中心改。"
        "各期限仍从原来的起点计算，不重新开始：全程期限不会延后，当前环节只有指挥中心改类才可能延后；"
        "缩短的至少留出一个完整工作日。反映人能看到改成了什么，看不到理由。"
    ),
    responses=answers(),
)
async def recategorise(ref: CaseRef, given: CorrectionIn, step: Step) -> CaseStateOut:
    dossier = await recategorising.recategorise(
        step.tx, ref, given.correction(), by=step.by, reason=given.reason, now=step.now
    )
    return step.taken(dossier)
