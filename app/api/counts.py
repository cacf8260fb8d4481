"""Over HTTP: how many cases each view of the inbox has."""

from fastapi import APIRouter

from app.errors import SignInRequired
from app.http.counts import Counts
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(tags=["事件"], route_class=OneTransaction)


@router.get(
    "/counts",
    summary="各类有多少件",
    description="“事件列表”各类的件数，与列表同一口径；每类最多数到 99，更多的 more 为 true。",
    responses=problems(SignInRequired),
)
async def counts(tx: Tx, by: ByStaff) -> Counts:
    return await Counts.of(tx, by=by)
