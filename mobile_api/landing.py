"""The citizens' pages as a browser first gets them, and the poster that leads to them. Mounted at /q and /t by qungong.asgi."""

import re
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, Final

import segno
from fastapi import APIRouter, FastAPI, Response
from fastapi import Path as PathParameter
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from markupsafe import Markup

from app.db import reading
from app.directory.poster_places import poster_place
from app.errors import NotFound
from app.http import problems
from app.http.problems import problems as documented
from app.http.shells import respond_shell, respond_worker, templates
from app.settings import settings
from mobile_api.places import PlaceOut

MOUNTED_AT: Final = "/q"
TRACKING_AT: Final = "/t"
_FACE: Final = "citizen"
FOLDER: Final = Path(__file__).parent / "templates"
_CODE: Final = re.compile(r"[0-9A-Z]{2,20}")
_POSTER_SECONDS: Final = 3600

Code = Annotated[str, PathParameter(description="单位代码", examples=["500153003007"])]


def _answers(media_type: str, what: str) -> dict[int | str, dict[str, Any]]:
    answers = documented(NotFound)
    answers[404]["content"]["text/html"] = {"schema": {"type": "string"}}
    answers[200] = {"description": what, "content": {media_type: {"schema": {"type": "string"}}}}
    return answers


def create_app() -> FastAPI:
    app = FastAPI(
        title="群工系统 扫码页面",
        version="1",
        description="海报上的二维码打开的页面，以及可以打印的海报。",
        servers=[{"url": MOUNTED_AT}],
        root_path_in_servers=False,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    app.add_api_route("/worker.js", service_worker, include_in_schema=False)
    for path, page, answered, summary in _PAGES:
        app.add_api_route(
            path,
            page,
            response_class=Response,
            responses=answered,
            summary=summary,
            description="公开，不用登录。",
            tags=["扫码"],
        )
    # A scanner may add a slash; what it opens is the same.
    app.add_api_route("/{unit_code}/", _without_slash, include_in_schema=False)
    problems.install(app, pages=True)
    return app


def create_tracking_app() -> FastAPI:
    """The progress page. Its HTML holds no case; its script asks the API."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    for path in ("/", "/{ref}"):
        app.add_api_route(path, tracking_page, include_in_schema=False)
    problems.install(app, pages=True)
    return app


async def service_worker() -> Response:
    """The citizens' service worker; its scope covers /q and /t."""
    return respond_worker(_FACE, scope="/")


# Beside the app: what is mounted at a path does not answer for the path alone.
bare = APIRouter(include_in_schema=False)


@bare.get(TRACKING_AT)
async def tracking_page() -> Response:
    return _respond_page("tracking.html", 200)


async def landing_page(unit_code: Code) -> Response:
    place = await _place(unit_code)
    if place is None:
        return _unknown()
    phone = place.public_phone or place.hotline
    return _respond_page(
        "landing.html",
        200,
        place=place,
        phone=phone and phone.removeprefix("+86"),
        written=place.model_dump_json(),
    )


async def _without_slash(unit_code: Code) -> Response:
    if not _CODE.fullmatch(unit_code):
        return _unknown()
    return RedirectResponse(f"{MOUNTED_AT}/{unit_code}", 308)


async def poster(unit_code: Code) -> Response:
    place = await _place(unit_code)
    if place is None:
        return _unknown()
    address = poster_address(place.code)
    sheet = templates(FOLDER).get_template("poster.svg")
    drawn = sheet.render(
        place=place,
        name_size=_size(20, place.name),
        parent_size=_size(10, place.parent or place.name),
        address=address,
        address_size=_size(5, address, per_letter=0.65),
        qr=_inline_qr(address),
    )
    return _file(drawn.encode(), "image/svg+xml", f"poster-{place.code}.svg")


async def qr_code(unit_code: Code) -> Response:
    place = await _place(unit_code)
    if place is None:
        return _unknown()
    drawn = BytesIO()
    segno.make(poster_address(place.code), error="q", micro=False).save(
        drawn, kind="png", scale=24, border=4
    )
    return _file(drawn.getvalue(), "image/png", f"qr-{place.code}.png")


async def _place(code: str) -> PlaceOut | None:
    if not _CODE.fullmatch(code):
        return None
    async with reading() as tx:
        found = await poster_place(tx, code)
    return None if found is None else PlaceOut.of(found)


def poster_address(unit_code: str) -> str:
    """What the QR code of a unit's poster says."""
    return f"{settings().public_url.rstrip('/')}{MOUNTED_AT}/{unit_code}"


def _size(wanted: float, words: str, *, per_letter: float = 1) -> float:
    """The wanted font size in millimetres, or the one that lets the words stay on the sheet."""
    return min(wanted, 176 / (per_letter * len(words)))


def _inline_qr(address: str) -> Markup:
    drawn = segno.make(address, error="q", micro=False).svg_inline(
        border=0, omitsize=True, svgclass=None, lineclass=None
    )
    return Markup(drawn)  # noqa: S704 - drawn by segno from an address of ours


def _unknown() -> Response:
    return _respond_page("unknown.html", 404)


def _respond_page(template: str, status: int, **values: object) -> Response:
    return respond_shell(template, status, face=_FACE, folder=FOLDER, **values)


def _file(content: bytes, media_type: str, name: str) -> Response:
    headers = {
        "Cache-Control": f"public, max-age={_POSTER_SECONDS}",
        "Content-Disposition": f'inline; filename="{name}"',
    }
    return Response(content, headers=headers, media_type=media_type)


def _operation_id(route: APIRoute) -> str:
    return route.name


_PAGES: Final = (
    ("/{unit_code}", landing_page, _answers("text/html", "扫码后的页面"), "扫码后的页面"),
    (
        "/{unit_code}/poster.svg",
        poster,
        _answers("image/svg+xml", "A4 海报"),
        "可打印的 A4 海报",
    ),
    ("/{unit_code}/qr.png", qr_code, _answers("image/png", "二维码图片"), "单独的二维码图片"),
)
