"""Staff sign in and out, see where they are signed in, and choose the post they act in."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from msgspec.structs import replace
from pydantic import ConfigDict, Field, StringConstraints

from app.auth import posts, sessions, signing_in
from app.auth.posts import PostHeld
from app.auth.signing_in import StaffSignedIn
from app.db import Transaction
from app.directory.terms import Role, UnitKind
from app.errors import KeyReused, NotFound, NotPermitted, SignInRequired, TooMany, WrongCredentials
from app.http.at_sign_in import (
    AtDesk,
    ChosenPost,
    acting_as,
    shown_at_desk,
    shown_to_whoever_signed_in,
)
from app.http.inputs import Identifier, Input, Line
from app.http.operations import Operation, add_routes
from app.http.outputs import Output
from app.http.problems import problems
from app.http.secret import Password
from app.http.transaction import OneTransaction, Tx
from app.http.visitor import SignInPlace, forget, note_sign_in, remember, remember_device
from app.http.who import STAFF_COOKIE, ByStaff, SignedInStaff, not_kept

# Signing in has transactions of its own, and its answer holds a token, which is never kept to be given again.
_signing_in = APIRouter(prefix="/sessions", tags=["登录"], route_class=Operation)
_signed_in = APIRouter(prefix="/sessions", tags=["登录"], route_class=OneTransaction)

Account = Annotated[
    Line,
    StringConstraints(max_length=40, strip_whitespace=True),
    Field(description="账号", examples=["gs_zhang"]),
]


class SignIn(Input):
    account: Account
    password: Password = Field(examples=["not-a-real-password"])
    post_id: Identifier | None = Field(
        default=None, description="一人多岗时以哪个岗位登录；不填则为任职最早的", examples=[12]
    )
    device: Annotated[Line, StringConstraints(max_length=60)] | None = Field(
        default=None, description="设备名称，便于日后辨认", examples=["值班室电脑"]
    )


class Unit(Output):
    code: str = Field(examples=["500153003"])
    name: str = Field(examples=["广顺街道"])
    kind: UnitKind
    kind_name: str = Field(examples=["镇街"])


class County(Output):
    code: str = Field(examples=["500153"])
    name: str = Field(examples=["荣昌区"])


class Post(Output):
    """A post with its unit; `county` is empty above the counties."""

    id: int = Field(examples=[12])
    role: Role
    role_name: str = Field(examples=["镇街工作人员"])
    title: str = Field(description="职务", examples=["信访专干"])
    unit: Unit
    county: County | None

    @classmethod
    def of(cls, post: PostHeld) -> Self:
        county = None
        if post.county_code is not None and post.county_name is not None:
            county = County(code=post.county_code, name=post.county_name)
        return cls(
            id=post.id,
            role=post.role,
            role_name=post.role.chinese,
            title=post.title,
            unit=Unit(
                code=post.unit_code,
                name=post.unit_name,
                kind=post.unit_kind,
                kind_name=post.unit_kind.chinese,
            ),
            county=county,
        )


class Me(AtDesk):
    """The person, the post acted in, all posts held today, and what the unit is to see first."""

    name: str = Field(examples=["张敏"])
    post: Post
    posts: list[Post]


class NewSession(Me):
    token: str = Field(
        description="令牌，只给这一次；浏览器已存入 Cookie，不必保存",
        examples=["not-a-real-token-aaaaaaaaaaaaaaaaaaaaaaaaaa"],
    )
    session_id: UUID
    expires_at: datetime

    @classmethod
    def of(cls, signed_in: StaffSignedIn, shown: dict[str, Any]) -> Self:
        return cls(
            token=signed_in.token,
            session_id=signed_in.session.id,
            expires_at=signed_in.session.expires_at,
            name=signed_in.name,
            post=Post.of(signed_in.post),
            posts=[Post.of(post) for post in signed_in.posts],
            **shown,
        )


class Session(Output):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    device: str = Field(examples=["值班室电脑"])
    unit_name: str | None = Field(examples=["广顺街道"])
    role: Role | None
    created_at: datetime
    expires_at: datetime
    current: bool = Field(description="是否为本次登录")


class Sessions(Output):
    sessions: list[Session]


@_signing_in.post(
    "",
    status_code=201,
    summary="工作人员登录",
    description="账号加密码登录。返回令牌，同时写入 HttpOnly Cookie，并列出本单位的红黄牌和即将到期的环节，提醒缺失的日历。多次输错密码，再试须等待，一次比一次久，最长五分钟；以前登录过的设备不受别人影响。",
    responses=problems(WrongCredentials, NotPermitted, TooMany),
)
async def sign_in(
    given: SignIn, request: Request, response: Response, place: SignInPlace
) -> NewSession:
    request.state.account = given.account
    signed_in = await signing_in.sign_in(
        given.account,
        given.password,
        place=replace(place, name=given.device or place.name),
        post_id=given.post_id,
    )
    remember(request, response, STAFF_COOKIE, signed_in.token, signed_in.session)
    remember_device(request, response, signed_in.device)
    note_sign_in(request, signed_in.session)
    return NewSession.of(signed_in, await shown_to_whoever_signed_in(signed_in, shown_at_desk))


@_signed_in.get(
    "",
    summary="我的登录",
    description="列出本人当前有效的登录，最近的在前。",
    responses=problems(SignInRequired),
)
async def list_sessions(tx: Tx, signed_in: SignedInStaff) -> Sessions:
    found = await sessions.listed(tx, signed_in)
    return Sessions(sessions=[Session.model_validate(one) for one in found])


@_signed_in.get(
    "/me",
    summary="当前登录人",
    description="本人、当前岗位与全部岗位，本单位的红黄牌和即将到期的环节，以及缺失的日历。",
    responses=problems(SignInRequired),
)
async def me(tx: Tx, by: ByStaff) -> Me:
    held = await posts.held(tx, by.staff_id)
    return await _me(tx, by.name, by.post_id, by.staff_id, held)


@_signed_in.post(
    "/current/post",
    summary="切换岗位",
    description="此后的操作以所选岗位进行，从下一次请求起生效。",
    responses=problems(SignInRequired, NotPermitted, NotFound, KeyReused),
    # The answer would be kept for the post that was left; sent again, it comes to the same.
    dependencies=[Depends(not_kept)],
)
async def switch_post(given: ChosenPost, tx: Tx, signed_in: SignedInStaff, by: ByStaff) -> Me:
    held = await posts.switch(tx, signed_in.session_id, staff_id=by.staff_id, post_id=given.post_id)
    return await _me(tx, by.name, given.post_id, by.staff_id, held)


@_signed_in.delete(
    "/current",
    status_code=204,
    summary="退出登录",
    description="令牌立即失效。",
    responses=problems(SignInRequired),
)
async def sign_out(request: Request, response: Response, tx: Tx, signed_in: SignedInStaff) -> None:
    await sessions.revoke(tx, signed_in.session_id, by=signed_in)
    forget(request, response, STAFF_COOKIE)


@_signed_in.delete(
    "/{session_id}",
    status_code=204,
    summary="注销某次登录",
    description="注销本人在其他设备上的登录，立即失效。",
    responses=problems(SignInRequired, NotFound),
)
async def revoke(
    session_id: Annotated[UUID, Path(description="登录编号，见“我的登录”")],
    tx: Tx,
    signed_in: SignedInStaff,
) -> None:
    await sessions.revoke(tx, session_id, by=signed_in)


async def _me(tx: Transaction, name: str, post_id: int, staff_id: int, held: list[PostHeld]) -> Me:
    post = posts.chosen(held, post_id)
    if post is None:  # it ended since the session was looked up
        raise SignInRequired
    by = acting_as(post, staff_id=staff_id, name=name)
    return Me(
        name=name,
        post=Post.of(post),
        posts=[Post.of(one) for one in held],
        **await shown_at_desk(tx, by=by, now=await tx.now()),
    )


router = APIRouter()
add_routes(router, _signing_in, _signed_in)
