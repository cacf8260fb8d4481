"""Refuses changes that another site has a browser ask for: cookies go along by themselves, whoever wrote the page.

Webhooks are not behind this: providers sign, or know a secret.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import CrossSite, NotJson, Problem
from app.http import refusals
from app.http.problems import respond
from app.settings import settings

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_SAME_ORIGIN: Final = "same-origin"
# "none": the person themselves, not a page.
_OWN_SITES: Final = frozenset({_SAME_ORIGIN, "none"})
# A page of another site cannot send these without asking us first, and we allow nobody.
_NOT_SENT_BY_FORMS: Final = ("authorization", "idempotency-key", "if-match", "x-requested-with")


class CrossSiteGuard:
    """Middleware. `forms` are the application's paths that take a form instead of JSON."""

    def __init__(self, app: ASGIApp, forms: frozenset[str] = frozenset()) -> None:
        self._app = app
        self._forms = forms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE:
            refused = self._refusal(scope)
            if refused is not None:
                refusals.note(Request(scope), refused)
                await respond(refused)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        if not _from_own_page(scope, headers):
            return CrossSite()
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        is_json = kind == "application/json"
        if _has_body(headers) and not is_json and not self._takes_form(scope, kind):
            return NotJson()
        if "cookie" not in headers or is_json or scope["method"] != "POST":
            return None
        return None if any(name in headers for name in _NOT_SENT_BY_FORMS) else CrossSite()

    def _takes_form(self, scope: Scope, kind: str) -> bool:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        return path in self._forms and kind == "multipart/form-data"


def _from_own_page(scope: Scope, headers: Headers) -> bool:
    """Whether the browser says that a page of ours asks; what says neither is no browser of the last years."""
    site = headers.get("sec-fetch-site", "").lower()
    if site and site not in _OWN_SITES:
        return False
    origin = headers.get("origin")
    # The browser itself compares addresses as the person sees them, which a proxy may have rewritten for us.
    return origin is None or site == _SAME_ORIGIN or origin.lower() in _own_origins(scope, headers)


def _own_origins(scope: Scope, headers: Headers) -> set[str]:
    public = urlsplit(settings().public_url)
    asked_at = f"{scope.get('scheme', 'http')}://{headers.get('host', '')}"
    return {f"{public.scheme}://{public.netloc}".lower(), asked_at.lower()}


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0").strip() != "0"
