"""Over HTTP: 催办 and 批示."""

from fastapi import APIRouter
from pydantic import Field

from app.api.step import CaseRef, Step, answers
from app.http.case_inputs import Press
from app.http.cases import CaseStateOut
from app.http.inputs import Input, Paragraphs
from app.http.transaction import OneTransaction
from app.supervision import pressing

router = APIRouter(prefix="/cases/{ref}", tags=["督办"], route_class=OneTransaction)


class Instruction(Input):
    instruction: Paragraphs = Field(description="批示", examples=["请荣隆镇今日内先送水上门。"])


@router.post(
    "/press",
    summary="催办",
    description="县领导或指挥中心催办，记录在案并计数；不改变期限。",
    responses=answers(),
)
async def press(ref: CaseRef, given: Press, step: Step) -> CaseStateOut:
    dossier = await pressing.press(step.tx, ref, by=step.by, note=given.note or "", now=step.now)
    return step.taken(dossier)


@router.post(
    "/instruct",
    summary="批示",
    description="县领导批示，办理各方可见，反映人不可见。",
    responses=answers(),
)
async def instruct(ref: CaseRef, given: Instruction, step: Step) -> CaseStateOut:
    dossier = await pressing.instruct(
        step.tx, ref, by=step.by, instruction=given.instruction, now=step.now
    )
    return step.taken(dossier)
