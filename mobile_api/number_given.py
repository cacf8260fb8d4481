"""On phones: what is known of a number before somebody is registered with it."""

from fastapi import APIRouter, Depends

from app.errors import NotPermitted, SignInRequired, TooMany
from app.http.case_inputs import PersonIn
from app.http.number_given import DESCRIPTION, SUMMARY, NumberGivenOut, look_up
from app.http.problems import problems
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
    "/number",
    summary=SUMMARY,
    description=DESCRIPTION,
    responses=problems(SignInRequired, NotPermitted, TooMany),
)
async def number(given: PersonIn, tx: Tx, by: ByCadre) -> NumberGivenOut:
    return await look_up(given, tx, by)
