"""On a phone: how many cases each view of the inbox has."""

from fastapi import APIRouter

from app.errors import NotPermitted, SignInRequired
from app.http.counts import Counts
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from mobile_api.cadre_sessions import ByCadre

router = APIRouter(prefix="/cadre", tags=["干部"], route_class=OneTransaction)


@router.get(
    "/counts",
    summary="各类有多少件",
    description="本单位各类事件的件数，与列表同一口径；每类最多数到 99，更多的 more 为 true。",
    responses=problems(SignInRequired, NotPermitted),
)
async def counts_for_cadre(tx: Tx, by: ByCadre) -> Counts:
    return await Counts.of(tx, by=by)
