"""What a village's QR poster leads to, and the poster itself. Mounted at /q by qungong.asgi; works without scripts."""

import re
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, Final

import segno
from fastapi import FastAPI, Response
from fastapi import Path as PathParameter
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy import text

from app.db import reading
from app.directory.queries import carried_on_by
from app.errors import NotFound
from app.http import problems
from app.http.problems import problems as documented
from app.settings import settings

MOUNTED_AT: Final = "/q"
_HERE: Final = Path(__file__).parent
_CODE: Final = re.compile(r"[0-9A-Z]{2,20}")
_FILES: Final = {
    "landing.css": "text/css; charset=utf-8",
    "landing.js": "text/javascript; charset=utf-8",
}
_CONTENT: Final = {name: (_HERE / "static" / name).read_bytes() for name in _FILES}
_VERSION: Final = sha256(b"".join(_CONTENT.values())).hexdigest()[:12]
# Everything of its own, nothing from elsewhere: a poster is scanned on old phones and slow networks.
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_POSTER_SECONDS: Final = 3600
_templates: Final = Environment(
    loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined
)

# A poster outlives its village: after a merger it speaks for the successor. Read at most every few minutes by a browser.
_VILLAGE = text(f"""
SELECT v.code, v.short_name AS name, parent.name AS township
FROM unit v JOIN unit parent ON parent.id = v.parent_id
WHERE v.id = {carried_on_by("code = :code AND kind = 'village'")} AND (v.valid_to IS NULL OR v.valid_to >= CURRENT_DATE)
""")  # noqa: S608 - constants of our own

Code = Annotated[str, PathParameter(description="村(社区)代码", examples=["500153003007"])]


@dataclass(frozen=True, slots=True)
class Village:
    code: str
    name: str
    township: str

    @property
    def address(self) -> str:
        return f"{settings().public_url.rstrip('/')}{MOUNTED_AT}/{self.code}"


def _answers(media_type: str, what: str) -> dict[int | str, dict[str, Any]]:
    answers = documented(NotFound)
    answers[404]["content"]["text/html"] = {"schema": {"type": "string"}}
    answers[200] = {"description": what, "content": {media_type: {"schema": {"type": "string"}}}}
    return answers


def create_app() -> FastAPI:
    app = FastAPI(
        title="群工系统 扫码页面",
        version="1",
        description="村(社区)海报上的二维码打开的页面，以及可以打印的海报。",
        servers=[{"url": MOUNTED_AT}],
        root_path_in_servers=False,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
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
    app.add_api_route("/static/{name}", _static, include_in_schema=False)
    # A scanner may add a slash; what it opens is the same.
    app.add_api_route("/{village_code}/", _without_slash, include_in_schema=False)
    problems.install(app, pages=True)
    return app


async def landing_page(village_code: Code) -> Response:
    village = await _village(village_code)
    if village is None:
        return _unknown()
    shown = _templates.get_template("landing.html").render(village=village, version=_VERSION)
    return _html(shown, 200, "public, max-age=300")


async def _without_slash(village_code: Code) -> Response:
    if not _CODE.fullmatch(village_code):
        return _unknown()
    return RedirectResponse(f"{MOUNTED_AT}/{village_code}", 308)


async def poster(village_code: Code) -> Response:
    village = await _village(village_code)
    if village is None:
        return _unknown()
    drawn = _templates.get_template("poster.svg").render(
        village=village,
        name_size=_size(20, village.name),
        township_size=_size(10, village.township),
        address_size=_size(5, village.address, per_letter=0.65),
        qr=_inline_qr(village.address),
    )
    return _file(drawn.encode(), "image/svg+xml", f"poster-{village.code}.svg")


async def qr_code(village_code: Code) -> Response:
    village = await _village(village_code)
    if village is None:
        return _unknown()
    drawn = BytesIO()
    segno.make(village.address, error="q", micro=False).save(drawn, kind="png", scale=24, border=4)
    return _file(drawn.getvalue(), "image/png", f"qr-{village.code}.png")


async def _static(name: str) -> Response:
    if name not in _FILES:
        return _unknown()
    headers = _HEADERS | {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(_CONTENT[name], headers=headers, media_type=_FILES[name])


async def _village(code: str) -> Village | None:
    if not _CODE.fullmatch(code):
        return None
    async with reading() as tx:
        row = await tx.one_or_none(_VILLAGE, code=code)
    return None if row is None else Village(row.code, row.name, row.township)


def _size(wanted: float, words: str, *, per_letter: float = 1) -> float:
    """The wanted font size in millimetres, or the one that lets the words stay on the sheet."""
    return min(wanted, 176 / (per_letter * len(words)))


def _inline_qr(address: str) -> Markup:
    drawn = segno.make(address, error="q", micro=False).svg_inline(
        border=0, omitsize=True, svgclass=None, lineclass=None
    )
    return Markup(drawn)  # noqa: S704 - drawn by segno from an address of ours


def _unknown() -> Response:
    shown = _templates.get_template("unknown.html").render(version=_VERSION)
    return _html(shown, 404, "no-store")


def _html(shown: str, status: int, cached: str) -> Response:
    headers = _HEADERS | {"Cache-Control": cached}
    return Response(shown, status, headers, "text/html; charset=utf-8")


def _file(content: bytes, media_type: str, name: str) -> Response:
    headers = _HEADERS | {
        "Cache-Control": f"public, max-age={_POSTER_SECONDS}",
        "Content-Disposition": f'inline; filename="{name}"',
    }
    return Response(content, headers=headers, media_type=media_type)


def _operation_id(route: APIRoute) -> str:
    return route.name


_PAGES: Final = (
    ("/{village_code}", landing_page, _answers("text/html", "扫码后的页面"), "扫码后的页面"),
    (
        "/{village_code}/poster.svg",
        poster,
        _answers("image/svg+xml", "A4 海报"),
        "可打印的 A4 海报",
    ),
    ("/{village_code}/qr.png", qr_code, _answers("image/png", "二维码图片"), "单独的二维码图片"),
)
