"""Which refused requests go into the security log, and what is said of them: never what was asked for."""

from typing import Final

from fastapi import Request

from app import security_log
from app.errors import (
    CrossSite,
    NotFound,
    NotPermitted,
    Problem,
    SignInRequired,
    TooMany,
    WrongCode,
    WrongCredentials,
    WrongPin,
)
from app.http.visitor import shown_address
from app.security_log import What

_KINDS: Final = {
    WrongCredentials: What.WRONG_PASSWORD,
    WrongCode: What.WRONG_CODE,
    WrongPin: What.WRONG_PIN,
    TooMany: What.SLOWED,
    NotPermitted: What.REFUSED,
    CrossSite: What.REFUSED,
    SignInRequired: What.REFUSED,
    NotFound: What.REFUSED,
}


def note(request: Request, problem: Problem) -> None:
    """Who asked stands in the request's state, where a sign-in or a webhook left it."""
    what = _KINDS.get(type(problem))
    if what is None or not _worth_a_line(request, problem):
        return
    account = getattr(request.state, "account", None)
    security_log.record(
        what,
        address=shown_address(request),
        who=getattr(request.state, "who", None),
        account=None if account is None else security_log.account_digest(account),
        method=request.method,
        route=getattr(request.scope.get("route"), "path", None),
        status=problem.status,
        problem=problem.type,
    )


def _worth_a_line(request: Request, problem: Problem) -> bool:
    """Not everybody who has yet to sign in, and not every stranger's mistyped address."""
    if isinstance(problem, SignInRequired):
        return "authorization" in request.headers or "qungong_" in request.headers.get("cookie", "")
    if isinstance(problem, NotFound):
        return hasattr(request.state, "who")
    return True
