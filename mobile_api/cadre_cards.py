"""Cards on phones: in lists, one in full, issued for irregular handling, appealed against and decided."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.cards import appeals, card_lists, irregular_cards
from app.errors import (
    ActionNotAllowed,
    Changed,
    KeyRequired,
    KeyReused,
    NotFound,
    NotPermitted,
    SignInRequired,
)
from app.http.cards import CardDetail, CardId, Cards, CardsQuery, Decision, NewAppeal, NewCard
from app.http.case_step import ETAG, CaseRef
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import require_key
from mobile_api.cadre_sessions import ByCadre
from mobile_api.cadre_step import Step

router = APIRouter(
    prefix="/cadre",
    tags=["红黄牌"],
    route_class=OneTransaction,
    dependencies=[Depends(require_key)],
)
_ACTED = problems(SignInRequired, NotPermitted, NotFound, ActionNotAllowed, KeyRequired, KeyReused)


@router.get(
    "/cards",
    summary="红黄牌列表",
    description="按生效时间，新的在前；不计总数，按 next 翻页。全县的，限县领导、指挥中心调度员和督查员。",
    responses=problems(SignInRequired, NotPermitted),
)
async def cards(asked: Annotated[CardsQuery, Query()], tx: Tx, by: ByCadre) -> Cards:
    return await asked.page(tx, by=by)


@router.get(
    "/cards/{card_id}",
    summary="一张牌",
    description="牌的缘由、申诉及裁定，可以申诉到何时。无权查看的牌与不存在的一样。",
    responses=problems(SignInRequired, NotPermitted, NotFound),
)
async def card(card_id: CardId, tx: Tx, by: ByCadre) -> CardDetail:
    known = await card_lists.get_card(tx, card_id, by=by)
    return CardDetail.in_full(known, by=by, now=await tx.now())


@router.post(
    "/cases/{ref}/card",
    status_code=201,
    summary="发牌",
    description="督查员对违规办理的单位（和个人）发牌，写明情形，记录在案。不能给本人或本人任职的单位发。",
    responses={
        201: {"headers": ETAG},
        **problems(
            SignInRequired,
            NotPermitted,
            NotFound,
            ActionNotAllowed,
            Changed,
            KeyRequired,
            KeyReused,
        ),
    },
)
async def issue_card_on_phone(ref: CaseRef, given: NewCard, step: Step) -> CardDetail:
    dossier, known = await irregular_cards.issue(
        step.tx, ref, by=step.by, **given.model_dump(), now=step.now
    )
    step.respond(dossier)
    return CardDetail.in_full(known, by=step.by, now=step.now)


@router.post(
    "/cards/{card_id}/appeal",
    summary="申诉",
    description="被发牌的单位或本人在发牌后 5 个工作日内申诉，只有一次，记录在案。",
    responses=_ACTED,
)
async def appeal_on_phone(card_id: CardId, given: NewAppeal, tx: Tx, by: ByCadre) -> CardDetail:
    now = await tx.now()
    known = await appeals.appeal(tx, card_id, by=by, ground=given.ground, now=now)
    return CardDetail.in_full(known, by=by, now=now)


@router.post(
    "/cards/{card_id}/decide-appeal",
    summary="裁定申诉",
    description="由与这张牌无关的督查员裁定：不是被发牌人、发牌人或申诉人，也不在被发牌或申诉的单位任职（生效时在被发牌单位任职的也不行）。写明理由，记录在案；成立的，牌即撤销。",
    responses=_ACTED,
)
async def decide_appeal_on_phone(
    card_id: CardId, given: Decision, tx: Tx, by: ByCadre
) -> CardDetail:
    now = await tx.now()
    known = await appeals.decide(
        tx, card_id, by=by, upheld=given.upheld, reason=given.reason, now=now
    )
    return CardDetail.in_full(known, by=by, now=now)
