"""Signing in on phones: citizens with a one-time code, cadres with account and password."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from msgspec.structs import replace
from pydantic import ConfigDict, Field, StringConstraints

from app.auth import codes, sessions, signing_in
from app.auth.devices import Device
from app.auth.posts import PostHeld
from app.auth.signing_in import StaffSignedIn
from app.directory.terms import Role
from app.errors import NotFound, NotPermitted, SignInRequired, TooMany, WrongCode, WrongCredentials
from app.http.at_sign_in import AtSignIn, shown_at_sign_in, shown_to_whoever_signed_in
from app.http.inputs import Identifier, Input, Line, UnitCode
from app.http.moments import At
from app.http.operations import Operation, add_routes
from app.http.outputs import Output
from app.http.phone import Phone
from app.http.problems import problems
from app.http.secret import OneTimeCode, Password
from app.http.transaction import OneTransaction, Tx
from app.http.visitor import SignInPlace, forget, note_sign_in, remember, remember_device
from app.http.who import CITIZEN_COOKIE, STAFF_COOKIE, SignedInCitizen

router = APIRouter(tags=["登录"], route_class=OneTransaction)
# These have transactions of their own, and their answers hold a token, which is never kept to be given again.
_signing_in = APIRouter(tags=["登录"], route_class=Operation)

DeviceName = Annotated[Line, StringConstraints(max_length=60)]


class CodeWanted(Input):
    phone: Phone


class CodeOwed(Output):
    """The same for every number, known or not."""

    valid_seconds: int = Field(description="验证码多少秒内有效", examples=[300])
    again_after_seconds: int = Field(description="多少秒后可以重新获取", examples=[60])


class CodeTyped(Input):
    phone: Phone
    code: OneTimeCode
    village: UnitCode | None = Field(
        default=None, description="海报上的村(社区)代码，首次登录时记下", examples=["500153003001"]
    )
    device: DeviceName | None = Field(default=None, description="设备名称", examples=["我的手机"])


class CadreSignIn(Input):
    account: Annotated[Line, StringConstraints(max_length=40, strip_whitespace=True)] = Field(
        description="账号", examples=["gn_li"]
    )
    password: Password = Field(examples=["not-a-real-password"])
    post_id: Identifier | None = Field(
        default=None, description="一人多岗时以哪个岗位登录；不填则为任职最早的", examples=[12]
    )
    device: DeviceName | None = Field(default=None, description="设备名称", examples=["村里的手机"])


class NewSession(Output):
    token: str = Field(
        description="令牌，只给这一次；浏览器已存入 Cookie，不必保存",
        examples=["not-a-real-token-aaaaaaaaaaaaaaaaaaaaaaaaaa"],
    )
    session_id: UUID
    expires_at: At


class CadrePost(Output):
    id: int = Field(examples=[12])
    role: Role
    role_name: str = Field(examples=["村(社区)干部"])
    unit_code: str = Field(examples=["500153003001"])
    unit_name: str = Field(examples=["工农茶叶产业社区"])

    @classmethod
    def of(cls, post: PostHeld) -> Self:
        return cls(
            id=post.id,
            role=post.role,
            role_name=post.role.chinese,
            unit_code=post.unit_code,
            unit_name=post.unit_name,
        )


class Cadre(AtSignIn):
    """The cadre, the post acted in, all posts held today, what the village is to see in red and what is about to be due."""

    name: str = Field(examples=["李琴"])
    post: CadrePost
    posts: list[CadrePost]


class NewCadreSession(NewSession, Cadre):
    """The same with the token of the new session."""


class Session(Output):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    device: str = Field(examples=["我的手机"])
    created_at: At
    expires_at: At
    current: bool = Field(description="是否为本次登录")


class Sessions(Output):
    sessions: list[Session]


@router.post(
    "/sign-up/code",
    status_code=202,
    summary="获取验证码",
    description="向手机发送 6 位验证码，这台设备之前取得的随即作废。是否注册过都一样答复。",
    responses=problems(TooMany),
)
async def ask_for_code(
    given: CodeWanted, tx: Tx, request: Request, response: Response, place: SignInPlace
) -> CodeOwed:
    device = place.device if place.device.token else Device.new()
    await codes.ask(tx, given.phone, address_key=place.address_key, device=device)
    remember_device(request, response, device)
    return CodeOwed(
        valid_seconds=int(codes.VALID.total_seconds()),
        again_after_seconds=int(codes.PER_PHONE_AND_PLACE[0].within.total_seconds()),
    )


@_signing_in.post(
    "/sign-up/verify",
    status_code=201,
    summary="用验证码登录",
    description="验证码只能用一次，输错 5 次即作废；在别的设备上输错，不影响取得它的设备。首次登录即注册，并记下海报所在的村(社区)。",
    responses=problems(WrongCode, TooMany),
)
async def verify_code(
    given: CodeTyped, request: Request, response: Response, place: SignInPlace
) -> NewSession:
    signed_in = await codes.redeem(
        given.phone,
        given.code,
        village_code=given.village,
        place=replace(place, name=given.device or place.name),
    )
    remember(request, response, CITIZEN_COOKIE, signed_in.token, signed_in.session)
    remember_device(request, response, signed_in.device)
    note_sign_in(request, signed_in.session)
    return NewSession(
        token=signed_in.token,
        session_id=signed_in.session.id,
        expires_at=signed_in.session.expires_at,
    )


@_signing_in.post(
    "/cadre/sign-in",
    status_code=201,
    summary="干部登录",
    description="账号加密码登录，并列出本单位的红黄牌和即将到期的环节。多次输错密码，再试须等待，一次比一次久，最长五分钟；以前登录过的设备不受别人影响。",
    responses=problems(WrongCredentials, NotPermitted, TooMany),
)
async def sign_in_cadre(
    given: CadreSignIn,
    request: Request,
    response: Response,
    place: SignInPlace,
) -> NewCadreSession:
    request.state.account = given.account
    signed_in = await signing_in.sign_in(
        given.account,
        given.password,
        place=replace(place, name=given.device or place.name),
        post_id=given.post_id,
    )
    return await cadre_signed_in(request, response, signed_in)


async def cadre_signed_in(
    request: Request, response: Response, signed_in: StaffSignedIn
) -> NewCadreSession:
    """What is answered and left with the browser, however the session began."""
    remember(request, response, STAFF_COOKIE, signed_in.token, signed_in.session)
    remember_device(request, response, signed_in.device)
    note_sign_in(request, signed_in.session)
    return NewCadreSession(
        token=signed_in.token,
        session_id=signed_in.session.id,
        expires_at=signed_in.session.expires_at,
        name=signed_in.name,
        post=CadrePost.of(signed_in.post),
        posts=[CadrePost.of(post) for post in signed_in.posts],
        **await shown_to_whoever_signed_in(signed_in, shown_at_sign_in),
    )


@router.get(
    "/sessions",
    summary="我的登录",
    description="列出本人当前有效的登录，最近的在前。",
    responses=problems(SignInRequired),
)
async def list_sessions(tx: Tx, signed_in: SignedInCitizen) -> Sessions:
    found = await sessions.listed(tx, signed_in)
    return Sessions(sessions=[Session.model_validate(one) for one in found])


@router.delete(
    "/sessions/current",
    status_code=204,
    summary="退出登录",
    description="令牌立即失效。",
    responses=problems(SignInRequired),
)
async def sign_out(
    request: Request, response: Response, tx: Tx, signed_in: SignedInCitizen
) -> None:
    await sessions.revoke(tx, signed_in.session_id, by=signed_in)
    forget(request, response, CITIZEN_COOKIE)


@router.delete(
    "/sessions/{session_id}",
    status_code=204,
    summary="注销某次登录",
    description="注销本人在其他设备上的登录，立即失效。",
    responses=problems(SignInRequired, NotFound),
)
async def revoke(
    session_id: Annotated[UUID, Path(description="登录编号，见“我的登录”")],
    tx: Tx,
    signed_in: SignedInCitizen,
) -> None:
    await sessions.revoke(tx, session_id, by=signed_in)


add_routes(router, _signing_in)
