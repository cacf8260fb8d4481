"""The member of staff who has signed in on a phone: who that is and what is to be seen first, and signing out again."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from app.auth import posts, sessions
from app.auth.actor import StaffActor
from app.auth.posts import PostHeld
from app.db import Transaction
from app.directory.terms import Role
from app.errors import KeyReused, NotFound, NotPermitted, SignInRequired
from app.http.at_sign_in import ChosenPost, acting_as, shown_at_sign_in
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.visitor import forget
from app.http.who import STAFF_COOKIE, SignedInStaff, not_kept, reads_key_and_post, staff
from mobile_api.sign_in import Cadre, CadrePost

_AT_A_DESK: Final = "系统管理员不查看、不办理事件，请使用工作台。"
router = APIRouter(prefix="/cadre", tags=["干部"], route_class=OneTransaction)


@reads_key_and_post
async def cadre(request: Request) -> StaffActor:
    """All staff who may see a case at a desk. What each may do is for the rules of the case."""
    by = await staff(request)
    if by.role is Role.ADMINISTRATOR:
        raise NotPermitted(_AT_A_DESK)
    return by


ByCadre = Annotated[StaffActor, Depends(cadre)]


async def cadre_not_kept(request: Request, _by: ByCadre) -> None:
    """As who.not_kept."""
    request.state.asked = None


@router.get(
    "/me",
    summary="当前登录的干部",
    description="本人与岗位，本单位的红黄牌和即将到期的环节。每次打开页面时显示。",
    responses=problems(SignInRequired, NotPermitted),
)
async def cadre_me(tx: Tx, by: ByCadre) -> Cadre:
    held = await posts.held(tx, by.staff_id)
    post = posts.chosen(held, by.post_id)
    if post is None:  # it ended since the session was looked up
        raise SignInRequired
    return await _shown(tx, held, post, by=by)


@router.post(
    "/post",
    summary="切换岗位",
    description="此后的操作以所选岗位进行，从下一次请求起生效。",
    responses=problems(SignInRequired, NotPermitted, NotFound, KeyReused),
    # The answer would be kept for the post that was left; sent again, it comes to the same.
    dependencies=[Depends(not_kept)],
)
async def switch_cadre_post(
    given: ChosenPost, tx: Tx, signed_in: SignedInStaff, by: ByCadre
) -> Cadre:
    held = await posts.switch(tx, signed_in.session_id, staff_id=by.staff_id, post_id=given.post_id)
    post = posts.chosen(held, given.post_id)
    if post is None:  # it ended since the posts were looked up
        raise SignInRequired
    if post.role is Role.ADMINISTRATOR:
        raise NotPermitted(_AT_A_DESK)
    acting = acting_as(post, staff_id=by.staff_id, name=by.name)
    return await _shown(tx, held, post, by=acting)


@router.delete(
    "/sessions/current",
    status_code=204,
    summary="干部退出登录",
    description="令牌立即失效。单位共用的手机，用完请退出。",
    responses=problems(SignInRequired),
)
async def sign_out_cadre(
    request: Request, response: Response, tx: Tx, signed_in: SignedInStaff
) -> None:
    await sessions.revoke(tx, signed_in.session_id, by=signed_in)
    forget(request, response, STAFF_COOKIE)


async def _shown(tx: Transaction, held: list[PostHeld], post: PostHeld, *, by: StaffActor) -> Cadre:
    return Cadre(
        name=by.name,
        post=CadrePost.of(post),
        posts=[CadrePost.of(one) for one in held],
        **await shown_at_sign_in(tx, by=by, now=await tx.now()),
    )
