"""PINs on a phone that several people share: setting one, who can unlock the phone, unlocking and locking it."""

from typing import Self
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ConfigDict, Field

from app import security_log
from app.auth import pins, sessions
from app.auth.pins import Holder
from app.errors import KeyRequired, NotPermitted, SignInRequired, TooMany, WrongPin
from app.http.inputs import Input
from app.http.moments import At
from app.http.operations import Operation, add_routes
from app.http.outputs import Output
from app.http.problems import problems
from app.http.secret import Pin
from app.http.transaction import OneTransaction, Tx
from app.http.visitor import SignInPlace, forget, shown_address
from app.http.who import STAFF_COOKIE, SignedInStaff, require_key
from app.security_log import What
from mobile_api.cadre_sessions import ByCadre
from mobile_api.sign_in import NewCadreSession, cadre_signed_in

_TAG = "干部：共用手机"
router = APIRouter(prefix="/cadre", tags=[_TAG], route_class=OneTransaction)
# Unlocking has transactions of its own, and its answer holds a token.
_unlocking = APIRouter(prefix="/cadre", tags=[_TAG], route_class=Operation)


class NewPin(Input):
    pin: Pin


class PinSet(Output):
    until: At = Field(description="到什么时候有效；再次用密码登录即延长")


class HolderOut(Output):
    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="解锁时填写")
    name: str = Field(examples=["李琴"])
    locked: bool = Field(description="已连续输错 5 次，须用密码登录", examples=[False])


class Holders(Output):
    holders: list[HolderOut] = Field(description="可以在这台设备上用 PIN 登录的人")

    @classmethod
    def of(cls, found: list[Holder]) -> Self:
        return cls(holders=[HolderOut.model_validate(one) for one in found])


class Unlocking(Input):
    id: UUID = Field(description="谁，见“谁可以解锁”")
    pin: Pin


async def _not_kept(request: Request, _by: ByCadre) -> None:
    """What came with a PIN is not stored in any form."""
    request.state.asked = None


@router.post(
    "/pin",
    status_code=201,
    summary="设置 PIN",
    description="在这台设备上用密码登录之后设置，30 天内凭 PIN 登录这台设备；再设即更换。太简单的不收。",
    responses=problems(SignInRequired, NotPermitted, KeyRequired),
    dependencies=[Depends(require_key), Depends(_not_kept)],
)
async def set_pin(
    given: NewPin, request: Request, tx: Tx, signed_in: SignedInStaff, place: SignInPlace
) -> PinSet:
    until = await pins.set_pin(tx, given.pin, by=signed_in, place=place)
    security_log.record(What.PIN_SET, address=shown_address(request), who=signed_in.owner)
    return PinSet(until=until)


@router.delete(
    "/pin",
    status_code=204,
    summary="停用 PIN",
    description="本人在所有设备上的 PIN 立即停用，其他设备上凭 PIN 的登录随即失效。",
    responses=problems(SignInRequired, NotPermitted),
)
async def revoke_pin(request: Request, tx: Tx, signed_in: SignedInStaff, _by: ByCadre) -> None:
    await pins.revoke_own(tx, by=signed_in)
    security_log.record(What.PINS_REVOKED, address=shown_address(request), who=signed_in.owner)


@router.get(
    "/pins",
    summary="谁可以解锁",
    description="在这台设备上设置了 PIN 的人，只有姓名；不必登录，没有在这台设备上登录过的为空。",
)
async def pin_holders(tx: Tx, place: SignInPlace) -> Holders:
    return Holders.of(await pins.holders(tx, place))


@_unlocking.post(
    "/unlock",
    status_code=201,
    summary="用 PIN 登录",
    description="与密码登录相同，操作记在本人名下。连续输错 5 次，须用密码登录。错误的原因不分别说明。",
    responses=problems(WrongPin, TooMany),
)
async def unlock(
    given: Unlocking, request: Request, response: Response, place: SignInPlace
) -> NewCadreSession:
    return await cadre_signed_in(
        request, response, await pins.unlock(given.id, given.pin, place=place)
    )


@router.post(
    "/lock",
    status_code=204,
    summary="锁定",
    description="这次登录立即失效，手机留给下一个人；凭 PIN 或密码再登录。",
    responses=problems(SignInRequired, KeyRequired),
    dependencies=[Depends(require_key)],
)
async def lock(request: Request, response: Response, tx: Tx, signed_in: SignedInStaff) -> None:
    await sessions.revoke(tx, signed_in.session_id, by=signed_in)
    forget(request, response, STAFF_COOKIE)


add_routes(router, _unlocking)
