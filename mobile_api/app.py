"""The phones' HTTP face: its parts put together. Mounted at /m/v1 by qungong.asgi."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI
from typing_extensions import override

from app.http import problems, reference
from app.http.body_limit import BodyLimit
from app.http.cross_site import CrossSiteGuard
from app.http.openapi import describe_refusals
from app.http.operations import add_routes
from app.matters import photos as photo_store
from app.settings import settings
from mobile_api import (
    attachments,
    cadre,
    cadre_areas,
    cadre_cards,
    cadre_counts,
    cadre_listed,
    cadre_live,
    cadre_phrases,
    cadre_pins,
    cadre_sessions,
    directory,
    document,
    number_given,
    places,
    reports,
    search,
    sign_in,
    similar,
    survey_texts,
    tracking,
)
from mobile_api.rate_limits import RateLimits

MOUNTED_AT: Final = "/m/v1"
_DESCRIPTION: Final = (
    "供群众和干部的手机使用。登录后以 Bearer 令牌或 Cookie 访问。手机网络会重复发送请求，"
    "所以登录之后每次提交都要带 Idempotency-Key，重发时用同一个。"
    "错误一律为 application/problem+json，detail 可直接显示给使用者。"
)


class _PhonesApi(FastAPI):
    @override
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = describe_refusals(document.complete(super().openapi()))
        return self.openapi_schema


def create_app() -> FastAPI:
    app = _PhonesApi(
        title="群工系统 手机接口",
        version="1",
        description=_DESCRIPTION,
        servers=[{"url": MOUNTED_AT}],
        root_path_in_servers=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_running,
    )
    app.state.rate_limits = RateLimits(settings().redis_url)
    add_routes(
        app.router,
        sign_in.router,
        attachments.looking,
        attachments.sending,
        reports.router,
        similar.for_citizens,
        similar.for_cadres,
        number_given.router,
        search.router,
        survey_texts.router,
        directory.router,
        cadre_sessions.router,
        cadre.router,
        cadre_cards.router,
        cadre_listed.router,
        cadre_live.router,
        cadre_pins.router,
        cadre_phrases.router,
        cadre_areas.router,
        cadre_counts.router,
        tracking.router,
        places.router,
    )
    reference.install(app)
    problems.install(app)
    app.add_middleware(BodyLimit, larger=attachments.LARGER)
    app.add_middleware(CrossSiteGuard, forms=frozenset(attachments.LARGER))
    return app


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    await app.state.rate_limits.open()
    yield
    await app.state.rate_limits.close()
    await photo_store.end_decoders()
