"""The staff's HTTP face: its parts put together. Mounted at /api/v1 by qungong.asgi."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.api import cases, directory, dispatching, filing, handling, judging, pressing, sessions
from app.http import problems, reference
from app.http.body_limit import BodyLimit
from app.http.who import STAFF_COOKIE

MOUNTED_AT: Final = "/api/v1"
MOST_BYTES: Final = 1 << 20
_DESCRIPTION: Final = (
    "供村(社区)、镇街、部门、指挥中心和督查人员使用。先登录取得令牌，此后以 Bearer 令牌或 Cookie 访问。"
    "错误一律为 application/problem+json，detail 可直接显示给使用者。"
)
_TOKENS: Final = {
    "token": {"type": "http", "scheme": "bearer", "description": "登录后取得的令牌"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": STAFF_COOKIE},
}
_OPEN_TO_ALL: Final = frozenset({"sign_in"})


class _StaffApi(FastAPI):
    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        document["components"]["securitySchemes"] = _TOKENS
        document["security"] = [{name: []} for name in _TOKENS]
        for operation in (one for path in document["paths"].values() for one in path.values()):
            if operation["operationId"] in _OPEN_TO_ALL:
                operation["security"] = []
        return document


def create_app() -> FastAPI:
    app = _StaffApi(
        title="群工系统 接口",
        version="1",
        description=_DESCRIPTION,
        servers=[{"url": MOUNTED_AT}],
        root_path_in_servers=False,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    for part in (sessions, cases, filing, judging, dispatching, handling, pressing, directory):
        app.include_router(part.router)
    reference.install(app)
    problems.install(app)
    app.add_middleware(BodyLimit, most=MOST_BYTES)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
