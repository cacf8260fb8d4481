"""The phones' stream of what changed for the cadre's unit."""

from fastapi import APIRouter, Response

from app.errors import NotPermitted
from app.http import live
from app.http.live import LastEventId
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import SignedInStaff
from mobile_api.cadre_sessions import ByCadre

router = APIRouter(prefix="/cadre", tags=["干部"], route_class=OneTransaction)


@router.get(
    "/live",
    response_class=Response,
    summary="实时变化",
    description=live.DESCRIPTION,
    responses={**live.RESPONSES, **problems(NotPermitted)},
)
async def changes_for_cadre(
    tx: Tx, signed_in: SignedInStaff, by: ByCadre, last: LastEventId = None
) -> Response:
    return await live.respond(tx, signed_in.session_id, by=by, last=last)
