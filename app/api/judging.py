"""Over HTTP: what the unit does whose turn it is to judge. The rules are in app/cases."""

from fastapi import APIRouter
from pydantic import Field

from app.api.step import CaseRef, Step, answers
from app.cases.actions import judging
from app.errors import AssistantsOpen
from app.http.case_inputs import Finding, SupplementRequest
from app.http.cases import CaseStateOut
from app.http.inputs import Input, Paragraphs, ShortText, UnitCode
from app.http.transaction import OneTransaction

router = APIRouter(prefix="/cases/{ref}", tags=["研判"], route_class=OneTransaction)


class Refusal(Input):
    reason: Paragraphs = Field(
        description="不予受理的理由", examples=["该事项已进入诉讼程序，应由法院处理。"]
    )
    basis: ShortText = Field(description="依据的法规条款", examples=["《信访工作条例》第二十八条"])


class SendingDown(Input):
    to_code: UnitCode = Field(description="下级单位的代码", examples=["500153003007"])
    reason: Paragraphs = Field(description="退回的理由", examples=["属社区职责，请就地办理。"])


@router.post(
    "/request-supplement",
    summary="补正告知",
    description="向反映人一次告知缺少的全部材料；补正之前暂停计时。每个承办单位只能告知一次。",
    responses=answers(),
)
async def request_supplement(ref: CaseRef, given: SupplementRequest, step: Step) -> CaseStateOut:
    dossier = await judging.request_supplement(
        step.tx, ref, by=step.by, missing=given.missing, now=step.now
    )
    return step.taken(dossier)


@router.post(
    "/decline",
    summary="不予受理",
    description="镇街及以上单位说明理由和依据后不予受理，反映人可以提出异议。",
    responses=answers(),
)
async def decline(ref: CaseRef, given: Refusal, step: Step) -> CaseStateOut:
    dossier = await judging.decline(
        step.tx, ref, by=step.by, reason=given.reason, basis=given.basis, now=step.now
    )
    return step.taken(dossier)


@router.post(
    "/handle",
    summary="本级办理",
    description="承办单位自行解决，成为主办单位。不需要请求内容。",
    responses=answers(),
)
async def handle(ref: CaseRef, step: Step) -> CaseStateOut:
    dossier = await judging.handle(step.tx, ref, by=step.by, now=step.now)
    return step.taken(dossier)


@router.post(
    "/escalate",
    summary="上报",
    description="本级不能解决的，写明核实情况后报上一级研判；已经退回过两次的，直接报县指挥中心。",
    responses=answers(AssistantsOpen),
)
async def escalate(ref: CaseRef, given: Finding, step: Step) -> CaseStateOut:
    dossier = await judging.escalate(step.tx, ref, by=step.by, finding=given.finding, now=step.now)
    return step.taken(dossier)


@router.post(
    "/send-down",
    summary="退回下级",
    description="交由能够解决的下级单位研判，须说明理由；次数记录在案。同一件事第二次退回的，交由县指挥中心决定由谁办理。",
    responses=answers(),
)
async def send_down(ref: CaseRef, given: SendingDown, step: Step) -> CaseStateOut:
    dossier = await judging.send_down(
        step.tx, ref, by=step.by, to_code=given.to_code, reason=given.reason, now=step.now
    )
    return step.taken(dossier)
