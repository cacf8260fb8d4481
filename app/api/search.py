"""Over HTTP: find cases by words, by number, or by the reporter's telephone number."""

from fastapi import APIRouter, Depends, Response

from app.cases.search import of_same_reporter
from app.errors import SignInRequired
from app.http.case_step import CaseRef
from app.http.problems import problems
from app.http.search import DESCRIPTION, SUMMARY, FoundCases, SearchWanted, find, respond
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff, not_kept

router = APIRouter(
    prefix="/cases", tags=["事件"], route_class=OneTransaction, dependencies=[Depends(not_kept)]
)


@router.post(
    "/search",
    response_model=FoundCases,
    summary=SUMMARY,
    description=DESCRIPTION,
    responses=problems(SignInRequired),
)
async def search(given: SearchWanted, tx: Tx, by: ByStaff) -> Response:
    return await find(given, tx, by)


@router.get(
    "/{ref}/same-reporter",
    response_model=FoundCases,
    summary="同一号码反映过的事",
    description="用这件事的反映人的电话号码反映过的其他事，新的在前，最多 10 件。限指挥中心，以及首问、登记的单位；其他人看到的是空的。",
    responses=problems(SignInRequired),
)
async def same_reporter(ref: CaseRef, tx: Tx, by: ByStaff) -> Response:
    return respond(await of_same_reporter(tx, ref, by=by))
