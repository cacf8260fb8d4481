"""Cards on the village phone: the village's and the cadre's own, one in full, and the appeal against one."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from app.cards import appeals, card_lists
from app.cards.card_lists import Whose
from app.errors import (
    ActionNotAllowed,
    KeyRequired,
    KeyReused,
    NotFound,
    NotPermitted,
    SignInRequired,
)
from app.http.cards import CardDetail, CardId, Cards, NewAppeal, OwnCards
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import require_key
from mobile_api.cadre_sessions import ByCadre

router = APIRouter(
    prefix="/cadre/cards",
    tags=["红黄牌"],
    route_class=OneTransaction,
    dependencies=[Depends(require_key)],
)


class VillagesCards(OwnCards):
    whose: Literal[Whose.UNIT, Whose.ME] = Field(
        default=Whose.UNIT, description="unit 本村的、me 本人的", examples=["unit"]
    )


@router.get(
    "",
    summary="红黄牌列表",
    description="本村的或本人的，按生效时间，新的在前；按 next 翻页。",
    responses=problems(SignInRequired, NotPermitted),
)
async def cards(asked: Annotated[VillagesCards, Query()], tx: Tx, by: ByCadre) -> Cards:
    return Cards.of(
        await card_lists.page(
            tx, asked.whose, asked.filter(), by=by, cursor=asked.cursor, size=asked.size
        )
    )


@router.get(
    "/{card_id}",
    summary="一张牌",
    description="牌的缘由、申诉及裁定，可以申诉到何时。",
    responses=problems(SignInRequired, NotPermitted, NotFound),
)
async def card(card_id: CardId, tx: Tx, by: ByCadre) -> CardDetail:
    known = await card_lists.get_card(tx, card_id, by=by)
    return CardDetail.in_full(known, by=by, now=await tx.now())


@router.post(
    "/{card_id}/appeal",
    summary="申诉",
    description="本村或本人被发牌的，在发牌后 5 个工作日内申诉，只有一次，记录在案。",
    responses=problems(
        SignInRequired, NotPermitted, NotFound, ActionNotAllowed, KeyRequired, KeyReused
    ),
)
async def appeal_on_phone(card_id: CardId, given: NewAppeal, tx: Tx, by: ByCadre) -> CardDetail:
    now = await tx.now()
    known = await appeals.appeal(tx, card_id, by=by, ground=given.ground, now=now)
    return CardDetail.in_full(known, by=by, now=now)
