"""Over HTTP: open cases that resemble a text under entry."""

from fastapi import APIRouter, Depends

from app.cases import similar_cases
from app.errors import SignInRequired
from app.http.problems import problems
from app.http.similar import SimilarCases, SimilarWanted
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff, not_kept

# What people type while they type it is not kept for another answer.
router = APIRouter(
    prefix="/cases",
    tags=["事件"],
    route_class=OneTransaction,
    dependencies=[Depends(not_kept)],
)


@router.post(
    "/similar",
    summary="附近相近的事",
    description="登记之前，按所填内容在同一村(社区)、镇街未办结的事件中找相近的，最多 5 件，只有本人可以看到的；不保存所填内容。",
    responses=problems(SignInRequired),
)
async def similar(given: SimilarWanted, tx: Tx, by: ByStaff) -> SimilarCases:
    return SimilarCases.of(
        await similar_cases.nearby(tx, given.text(), code=given.village_code, by=by)
    )
