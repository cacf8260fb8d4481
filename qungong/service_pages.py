"""The server's own pages: liveness, readiness, what a problem means, and where to go."""

import asyncio
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import asyncpg
import redis.asyncio
from fastapi import APIRouter, Header
from fastapi.responses import HTMLResponse, JSONResponse, Response
from redis.exceptions import RedisError
from sqlalchemy import text

from app import errors
from app.calendars.reading import outlook
from app.db import NotPrepared, reading
from app.errors import NotFound, Problem, Unavailable
from app.http.pages import page
from app.settings import settings
from app.texts.stats import Pace, pace
from sms.providers import capabilities
from sms.templates import unapproved

# Asked every few seconds by whoever watches, so in one statement.
_HELD_BACK = text("""
SELECT EXISTS (SELECT 1 FROM sweep_pulse WHERE held_since IS NOT NULL) AS cards_held,
  EXISTS (SELECT 1 FROM sms_channel WHERE provider = :provider AND paused_since IS NOT NULL) AS texts_paused
""")
router = APIRouter(include_in_schema=False)

_MIGRATIONS = Path(__file__).resolve().parents[1] / "alembic" / "versions"
_MIGRATED_TO = text("SELECT version_num FROM alembic_version")
_PATIENCE_SECONDS = 2
_ICON = Path(__file__).with_name("data").joinpath("icon.svg").read_bytes()


class _Place(NamedTuple):
    """What the front page leads to."""

    address: str
    name: str
    about: str


@router.get("/health")
async def health() -> JSONResponse:
    """The process lives, whatever else is away; whether a calendar is missing, cards are held, texts are paused, late or lack approval, a worker is silent."""
    calendar, (sweep, texts), going = await asyncio.gather(_calendar(), _held_back(), _pace())
    if texts is not None and going is not None:
        texts |= {"late": going.late, "oldest_overdue_seconds": round(going.overdue)}
    warned = (
        sweep == "held"
        or (going and (going.silent or going.late))
        or (calendar and calendar["missing"])
        or (texts and (texts["paused"] or texts["unapproved"]))
    )
    status = "warning" if warned else "ok"
    return JSONResponse(
        {
            "status": status,
            "calendar": calendar,
            "sweep": sweep,
            "texts": texts,
            "workers": _workers(going),
        }
    )


@router.get("/ready")
async def ready() -> JSONResponse:
    """Whether requests can be served. Without Redis they can: it only rings the bell.

    So they can without workers, or while texts are late: that is said, and takes no web process out of service.
    """
    database, bell, going = await asyncio.gather(_database(), _redis(), _pace())
    if database != "ok":
        raise Unavailable(retry_after=2, database=database, redis=bell)
    late = {"texts": "late" if going.late else "ok"} if going else {}
    return JSONResponse(
        {"status": "ok", "database": database, "redis": bell, "workers": _workers(going)} | late
    )


@router.get("/problems/{kind}")
async def explain_problem(kind: str, accept: Annotated[str, Header()] = "") -> Response:
    """What the `type` of a problem leads to: a page for people, JSON for programs."""
    known = _kinds().get(kind)
    if known is None:
        raise NotFound
    if "text/html" not in accept:
        return JSONResponse(
            {
                "type": f"/problems/{known.type}",
                "title": known.title,
                "status": known.status,
                "detail": known.detail,
            }
        )
    code = f"{known.status} {known.type}"
    return page("problem.html", title=known.title, told=known.detail, code=code)


@router.get("/favicon.ico")
async def icon() -> Response:
    """Browsers ask for it by themselves, for every page."""
    headers = {"Cache-Control": "public, max-age=86400"}
    return Response(_ICON, headers=headers, media_type="image/svg+xml")


@router.get("/")
async def where_to_go() -> HTMLResponse:
    simulator = settings().sms_api_url
    places = [
        _Place("/desk/", "工作台", "指挥中心、镇街、部门在电脑上研判、交办、查找"),
        _Place("/m/", "办理页", "村(社区)干部、工作人员和领导在手机上办理"),
        _Place("/api/v1/docs", "工作人员接口", "村(社区)、镇街、部门、指挥中心、督查"),
        _Place("/m/v1/docs", "手机接口", "群众扫码反映、查看进度；村(社区)干部随手登记"),
    ]
    if simulator and settings().environment == "local":
        told = "样例县的短信都到这里，可以代群众回复"
        places.append(_Place(simulator, "短信模拟器", told))
    return page("front.html", title="群工系统", places=places)


@cache
def _kinds() -> Mapping[str, type[Problem]]:
    return {kind.type: kind for kind in errors.kinds()}


async def _database() -> str:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), reading() as tx:
            migrated_to = await tx.scalar(_MIGRATED_TO)
    except NotPrepared:
        return "not migrated"
    except (asyncpg.PostgresError, OSError):
        return "unreachable"
    newest = await asyncio.to_thread(_newest_migration)
    return "ok" if migrated_to == newest else "not migrated"


async def _calendar() -> dict[str, Any] | None:
    """The years published; nothing where the database cannot be asked, which is for /ready to say."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), reading() as tx:
            found = await outlook(tx)
    except (asyncpg.PostgresError, OSError):
        return None
    return {"published_to": found.published_to, "missing": list(found.missing)}


async def _held_back() -> tuple[str | None, dict[str, Any] | None]:
    """Whether cards are held (`qungong sweep`), texts are paused (`qungong sms status`), or lack approval (`… templates`)."""
    provider = settings().sms_provider
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), reading() as tx:
            found = (await tx.all(_HELD_BACK, provider=provider))[0]
            lacking = await unapproved(tx, provider, capabilities())
    except (asyncpg.PostgresError, OSError):
        return None, None
    texts = {"provider": provider, "paused": found.texts_paused, "unapproved": lacking}
    return "held" if found.cards_held else "ok", texts


async def _pace() -> Pace | None:
    """Whether the workers go round and texts go out; nothing where the database cannot be asked."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), reading() as tx:
            return await pace(tx)
    except (NotPrepared, asyncpg.PostgresError, OSError):
        return None


def _workers(found: Pace | None) -> dict[str, str]:
    return (
        {name: "silent" if name in found.silent else "ok" for name in found.heard} if found else {}
    )


async def _redis() -> str:
    client: Any = redis.asyncio.from_url(  # type: ignore[no-untyped-call]  # redis leaves it untyped
        settings().redis_url,
        socket_timeout=_PATIENCE_SECONDS,
        socket_connect_timeout=_PATIENCE_SECONDS,
    )
    try:
        await client.ping()
    except (RedisError, OSError):
        return "unreachable"
    finally:
        await client.aclose()
    return "ok"


@cache
def _newest_migration() -> str:
    """By its number: Alembic, which would know it too, takes long to load."""
    return max(path.name.partition("_")[0] for path in _MIGRATIONS.glob("[0-9]*.py"))
