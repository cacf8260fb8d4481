"""Over HTTP: what is known of a number before somebody is registered with it."""

from fastapi import APIRouter, Depends

from app.errors import NotPermitted, SignInRequired, TooMany
from app.http.case_inputs import PersonIn
from app.http.number_given import DESCRIPTION, SUMMARY, NumberGivenOut, look_up
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff, not_kept

router = APIRouter(
    prefix="/cases",
    tags=["登记"],
    route_class=OneTransaction,
    dependencies=[Depends(not_kept)],
)


@router.post(
    "/number",
    summary=SUMMARY,
    description=DESCRIPTION,
    responses=problems(SignInRequired, NotPermitted, TooMany),
)
async def number(given: PersonIn, tx: Tx, by: ByStaff) -> NumberGivenOut:
    return await look_up(given, tx, by)
