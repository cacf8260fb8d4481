"""Following a case without signing in, by its number and secret code. The code is sent in a body: addresses end in logs."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BeforeValidator, Field, StringConstraints

from app.cases import timeline
from app.db import reading
from app.errors import NotFound, TooMany
from app.http.inputs import Input, Ref, plain
from app.http.operations import Operation
from app.http.problems import problems
from app.http.visitor import AddressKey
from mobile_api.rate_limits import Counted
from mobile_api.reports import ProgressOut

# Many phones of a village share an address. No single address can use up what one case may be asked for.
PER_ADDRESS: Final = 60
PER_CASE: Final = 120
_HEADERS: Final = {"Cache-Control": "no-store"}

router = APIRouter(tags=["公开"], route_class=Operation)


def _as_typed(code: Any) -> Any:
    """However it was copied: 7kq2 mxwa, ７ＫＱ２-ＭＸＷＡ."""
    written = plain(code)
    if not isinstance(written, str):
        return written
    return "".join(letter for letter in written.upper() if letter.isalnum())


class Tracked(Input):
    ref: Ref = Field(description="事件编号", examples=["500153-261122-48392017"])
    code: Annotated[
        str, BeforeValidator(_as_typed), StringConstraints(pattern=r"^[0-9A-Z]{8}$")
    ] = Field(
        description="查询码，8 位",
        examples=["7KQ2MXWA"],
        repr=False,
        json_schema_extra={"writeOnly": True},
    )


@router.post(
    "/track",
    response_model=ProgressOut,
    summary="凭编号和查询码查进度",
    description="不用登录。编号不存在与查询码不对，答复完全一样。每个地址每分钟 60 次，每件事每分钟 120 次。",
    responses=problems(NotFound, TooMany),
)
async def track(given: Tracked, request: Request, address_key: AddressKey) -> Response:
    await request.app.state.rate_limits.admit(
        Counted("track-address", address_key.hex(), PER_ADDRESS),
        Counted("track-case", given.ref, PER_CASE),
    )
    async with reading() as tx:
        told = await timeline.by_tracking_code(tx, given.ref, given.code)
    return Response(msgspec.json.encode(told), headers=_HEADERS, media_type="application/json")
