"""Over HTTP: find cases by words, by number, or by the reporter's telephone number."""

from fastapi import APIRouter, Depends

from app.errors import SignInRequired
from app.http.problems import problems
from app.http.search import DESCRIPTION, SUMMARY, FoundCases, SearchWanted, find
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff, not_kept

router = APIRouter(
    prefix="/cases", tags=["事件"], route_class=OneTransaction, dependencies=[Depends(not_kept)]
)


@router.post(
    "/search", summary=SUMMARY, description=DESCRIPTION, responses=problems(SignInRequired)
)
async def search(given: SearchWanted, tx: Tx, by: ByStaff) -> FoundCases:
    return await find(given, tx, by)
