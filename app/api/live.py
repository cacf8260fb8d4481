"""The desk's stream of what changed for the asker's unit."""

from fastapi import APIRouter, Response

from app.http import live
from app.http.live import LastEventId
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff, SignedInStaff

router = APIRouter(tags=["事件"], route_class=OneTransaction)


@router.get(
    "/live",
    response_class=Response,
    summary="实时变化",
    description=live.DESCRIPTION,
    responses=live.RESPONSES,
)
async def changes(
    tx: Tx, signed_in: SignedInStaff, by: ByStaff, last: LastEventId = None
) -> Response:
    return await live.respond(tx, signed_in.session_id, by=by, last=last)
