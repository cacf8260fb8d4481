"""From a request to the actor: bearer token or cookie, checked against the database each time."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, cast

from fastapi import Depends, Header, Request

from app.auth import sessions
from app.auth.actor import CitizenActor, StaffActor
from app.auth.sessions import SignedIn
from app.errors import InvalidInput, KeyRequired, OtherPost, SignInRequired
from app.http.parameters import described_by
from app.http.transaction import Asked, Repeated, transaction_of
from app.http.visitor import cookie_name
from app.idempotency import request_digest

STAFF_COOKIE = "qungong_staff"
CITIZEN_COOKIE = "qungong_citizen"
_KEY = re.compile(r"[\x21-\x7e]{1,100}")
_POST = re.compile(r"[0-9]{1,10}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,100}")

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="同一操作重发时用同一个编号，只会生效一次。",
        examples=["5b0c6a52-report-1"],
    ),
]


ACTING_POST = "Acting-Post"
ActingPost = Annotated[
    int | None,
    Header(
        alias=ACTING_POST,
        description="页面上的岗位。登录已切换到本人的另一个岗位时，操作不生效，答 403 other-post。",
        examples=[12],
    ),
]


def _key(key: IdempotencyKey = None) -> None: ...


def _post(post: ActingPost = None) -> None: ...


reads_key = described_by(_key)
reads_key_and_post = described_by(_key, _post)


@reads_key_and_post
async def signed_in_staff(request: Request) -> SignedIn:
    return await _signed_in(request, STAFF_COOKIE, sessions.staff_by_token)


@reads_key
async def signed_in_citizen(request: Request) -> SignedIn:
    return await _signed_in(request, CITIZEN_COOKIE, sessions.citizen_by_token)


@reads_key_and_post
async def staff(request: Request) -> StaffActor:
    return cast("StaffActor", (await signed_in_staff(request)).actor)


@reads_key
async def citizen(request: Request) -> CitizenActor:
    return cast("CitizenActor", (await signed_in_citizen(request)).actor)


async def require_key(request: Request) -> None:
    """On phones every change carries a key: a weak network repeats requests by itself."""
    if request.method == "POST" and not request.headers.get("idempotency-key"):
        raise KeyRequired


def token_of(request: Request, cookie: str) -> str:
    """From the header, as of apps and scripts, or else from the cookie of a browser."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        token = bearer.strip()
    else:
        token = request.cookies.get(cookie_name(request, cookie), "")
    if not _TOKEN.fullmatch(token):
        raise SignInRequired
    return token


def checked_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidInput(
            mistakes=[{"where": "header.Idempotency-Key", "what": "须为 1 至 100 个可见的英文字符"}]
        )
    return key


async def _signed_in(
    request: Request, cookie: str, find: Callable[..., Awaitable[SignedIn]]
) -> SignedIn:
    """Several dependencies of one request may ask; the session is looked up once in a transaction."""
    known: dict[str, SignedIn] = request.state.signed_in
    if cookie not in known:
        key = checked_key(request)
        known[cookie] = await find(transaction_of(request), token_of(request, cookie), key=key)
        require_same_post(request, known[cookie])
        await _repeatable(request, known[cookie], key)
    return known[cookie]


def require_same_post(request: Request, signed_in: SignedIn) -> None:
    """Raises OtherPost where the page shows another post than the session acts in."""
    shown = request.headers.get(ACTING_POST)
    if shown is None or not isinstance(signed_in.actor, StaffActor):
        return
    if not _POST.fullmatch(shown):
        raise InvalidInput(mistakes=[{"where": f"header.{ACTING_POST}", "what": "须为岗位的编号"}])
    if int(shown) != signed_in.actor.post_id:
        raise OtherPost


async def _repeatable(request: Request, signed_in: SignedIn, key: str | None) -> None:
    request.state.who = signed_in.owner
    if key is None or request.method != "POST":
        return
    digest = request_digest(
        signed_in.acting, request.method, request.scope["path"], await request.body()
    )
    if signed_in.given is not None:
        raise Repeated(signed_in.given, digest)
    request.state.asked = Asked(signed_in.owner, key, digest)


SignedInStaff = Annotated[SignedIn, Depends(signed_in_staff)]
SignedInCitizen = Annotated[SignedIn, Depends(signed_in_citizen)]
ByStaff = Annotated[StaffActor, Depends(staff)]
ByCitizen = Annotated[CitizenActor, Depends(citizen)]


async def not_kept(request: Request, _by: ByStaff) -> None:
    """For operations whose answer must not lie about: sent again under its key, it is another request."""
    request.state.asked = None
