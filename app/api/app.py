"""The staff's HTTP face: its parts put together. Mounted at /api/v1 by qungong.asgi."""

from typing import Any, Final

from fastapi import FastAPI
from typing_extensions import override

from app.api import (
    access_log,
    areas,
    attachments,
    calendars,
    cards,
    case_actions,
    cases,
    counts,
    directory,
    export,
    filing,
    head_approval,
    limits,
    listed,
    live,
    number_given,
    official_numbers,
    papers,
    phrases,
    pins,
    poster_contacts,
    reorganising,
    replies,
    reports,
    responsibilities,
    return_calls,
    search,
    sessions,
    similar,
    suggested_categories,
    suggestions,
    text_templates,
    texts,
    wall,
)
from app.errors import SignInRequired
from app.http import problems, reference
from app.http.body_limit import BodyLimit
from app.http.cross_site import CrossSiteGuard
from app.http.openapi import describe_refusals
from app.http.operations import add_routes
from app.http.who import STAFF_COOKIE

MOUNTED_AT: Final = "/api/v1"
_DESCRIPTION: Final = (
    "供村(社区)、镇街、部门、指挥中心和督查人员使用。先登录取得令牌，此后以 Bearer 令牌或 Cookie 访问。"
    "错误一律为 application/problem+json，detail 可直接显示给使用者。"
)
_PARTS: Final = (
    sessions, cases, attachments, filing, case_actions, papers,
    return_calls, replies, access_log, texts,
    directory, head_approval, poster_contacts, reorganising, official_numbers, calendars, limits, text_templates,
    cards, wall, listed, reports, live, counts, areas, similar, suggestions, suggested_categories, responsibilities, search, export, number_given, pins, phrases,
)  # fmt: skip
_TOKENS: Final = {
    "token": {"type": "http", "scheme": "bearer", "description": "登录后取得的令牌"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": f"__Host-{STAFF_COOKIE}"},
}


class _StaffApi(FastAPI):
    @override
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = describe_refusals(_with_sign_in(super().openapi()))
        return self.openapi_schema


def _with_sign_in(document: dict[str, Any]) -> dict[str, Any]:
    """An operation that can answer "sign in" is one to sign in for."""
    document["components"]["securitySchemes"] = _TOKENS
    for operation in (one for path in document["paths"].values() for one in path.values()):
        told = operation["responses"].get("401", {}).get("content", {})
        if any(SignInRequired.type in kind["examples"] for kind in told.values()):
            operation["security"] = [{name: []} for name in _TOKENS]
    return document


def create_app() -> FastAPI:
    app = _StaffApi(
        title="群工系统 接口",
        version="1",
        description=_DESCRIPTION,
        servers=[{"url": MOUNTED_AT}],
        root_path_in_servers=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    add_routes(app.router, *(part.router for part in _PARTS))
    reference.install(app)
    problems.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(CrossSiteGuard)
    return app
