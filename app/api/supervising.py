"""Over HTTP: 督办, 督办回复, 挂牌督办 and 摘牌."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BeforeValidator, Field

from app.api.step import CaseRef, Step, answers
from app.http.case_inputs import SupervisionReply
from app.http.cases import CaseStateOut
from app.http.inputs import Input, Paragraphs, ShortText, not_a_flag
from app.http.transaction import OneTransaction
from app.supervision import supervising

router = APIRouter(prefix="/cases/{ref}", tags=["督办"], route_class=OneTransaction)


class Supervision(Input):
    demand: Paragraphs = Field(
        description="督办要求", examples=["请三日内恢复供水，并书面说明停水原因。"]
    )
    days: Annotated[int, BeforeValidator(not_a_flag), Field(ge=1, le=15)] = Field(
        description="几个工作日内回复，1 至 15", examples=[3]
    )


class Listing(Input):
    reason: ShortText = Field(description="挂牌的理由", examples=["停水五日，涉及二百余户。"])


class Unlisting(Input):
    reason: ShortText = Field(description="摘牌的理由", examples=["已恢复供水，整改到位。"])


@router.post(
    "/supervise",
    summary="督办",
    description="县领导或指挥中心下达编号的督办单，被督办单位须在期限内回复；回复之前不再下达。",
    responses=answers(),
)
async def supervise(ref: CaseRef, given: Supervision, step: Step) -> CaseStateOut:
    dossier = await supervising.supervise(
        step.tx, ref, by=step.by, demand=given.demand, days=given.days, now=step.now
    )
    return step.taken(dossier)


@router.post(
    "/reply-supervision",
    summary="督办回复",
    description="被督办单位回复，督办期限到此为止。",
    responses=answers(),
)
async def reply_supervision(ref: CaseRef, given: SupervisionReply, step: Step) -> CaseStateOut:
    dossier = await supervising.reply_supervision(
        step.tx, ref, by=step.by, reply=given.reply, now=step.now
    )
    return step.taken(dossier)


@router.post(
    "/list",
    summary="挂牌督办",
    description="县领导或指挥中心督查员将事件公开挂牌；保密事件不挂牌。",
    responses=answers(),
)
async def list_publicly(ref: CaseRef, given: Listing, step: Step) -> CaseStateOut:
    dossier = await supervising.list_publicly(
        step.tx, ref, by=step.by, reason=given.reason, now=step.now
    )
    return step.taken(dossier)


@router.post(
    "/unlist",
    summary="摘牌",
    description="县领导或指挥中心督查员取消挂牌。",
    responses=answers(),
)
async def unlist(ref: CaseRef, given: Unlisting, step: Step) -> CaseStateOut:
    dossier = await supervising.unlist(step.tx, ref, by=step.by, reason=given.reason, now=step.now)
    return step.taken(dossier)
