"""The list of cases under public supervision (挂牌督办) on a phone."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.cards import public_list
from app.errors import NotPermitted, SignInRequired
from app.http.listed import ListedCases, ListedQuery
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from mobile_api.cadre_sessions import ByCadre

router = APIRouter(prefix="/cadre/listed-cases", tags=["干部"], route_class=OneTransaction)


@router.get(
    "",
    response_model=ListedCases,
    summary="挂牌督办的事件",
    description="全县挂牌督办、尚未办结的事件，新挂的在前。没有群众的信息，也没有保密的事件。",
    responses=problems(SignInRequired, NotPermitted),
)
async def listed_cases(asked: Annotated[ListedQuery, Query()], tx: Tx, by: ByCadre) -> Response:
    page = await public_list.listed_page(
        tx, by=by, now=await tx.now(), cursor=asked.cursor, size=asked.size
    )
    return Response(page, media_type="application/json")
