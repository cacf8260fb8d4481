"""On phones: find cases by words, by number, or by the reporter's telephone number."""

from fastapi import APIRouter, Depends, Response

from app.errors import NotPermitted, SignInRequired
from app.http.problems import problems
from app.http.search import DESCRIPTION, SUMMARY, FoundCases, SearchWanted, find
from app.http.transaction import OneTransaction, Tx
from mobile_api.cadre_sessions import ByCadre, cadre_not_kept

# No key is asked for, and none is kept: nothing is changed.
router = APIRouter(
    prefix="/cadre/cases",
    tags=["干部"],
    route_class=OneTransaction,
    dependencies=[Depends(cadre_not_kept)],
)


@router.post(
    "/search",
    response_model=FoundCases,
    summary=SUMMARY,
    description=DESCRIPTION,
    responses=problems(SignInRequired, NotPermitted),
)
async def search(given: SearchWanted, tx: Tx, by: ByCadre) -> Response:
    return await find(given, tx, by)
