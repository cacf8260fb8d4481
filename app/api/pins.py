"""Over HTTP: the administrator revokes a person's PINs, as when a phone is lost."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field, StringConstraints

from app import security_log
from app.auth import pins
from app.directory.terms import Role
from app.errors import KeyReused, NotPermitted, SignInRequired
from app.http.inputs import Input, Line
from app.http.outputs import Output
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.visitor import shown_address
from app.http.who import SignedInStaff, not_kept
from app.security_log import What

router = APIRouter(prefix="/pins", tags=["登录"], route_class=OneTransaction)


class WhosePins(Input):
    account: Annotated[Line, StringConstraints(max_length=40, strip_whitespace=True)] = Field(
        description="账号", examples=["gn_li"]
    )


class PinsRevoked(Output):
    revoked: int = Field(description="停用了几个 PIN", examples=[1])


@router.post(
    "/revoke",
    summary="停用某人的 PIN",
    description="仅系统管理员，本县的人员：在所有设备上停用，凭 PIN 的登录随即失效。手机遗失时使用。",
    responses=problems(SignInRequired, NotPermitted, KeyReused),
    dependencies=[Depends(not_kept)],
)
async def revoke_pins(
    given: WhosePins, request: Request, tx: Tx, signed_in: SignedInStaff
) -> PinsRevoked:
    by = signed_in.staff
    if by.role is not Role.ADMINISTRATOR:
        raise NotPermitted("仅系统管理员。")
    revoked = await pins.revoke_by_account(tx, given.account, county_id=by.county_id)
    security_log.record(
        What.PINS_REVOKED,
        address=shown_address(request),
        who=signed_in.owner,
        account=security_log.account_digest(given.account),
    )
    return PinsRevoked(revoked=revoked)
