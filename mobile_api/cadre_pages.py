"""The cadres' app as a browser first gets it: its shell, its service worker and its manifest. Mounted at /m by qungong.asgi."""

import json
from typing import Final

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import RedirectResponse

from app.http import built_pages, problems
from app.http.shells import NOT_KEPT, respond_shell, respond_worker
from mobile_api.landing import FOLDER

MOUNTED_AT: Final = "/m"
_FACE: Final = "cadre"
_ICONS: Final = f"{built_pages.SERVED_AT}/{_FACE}"
_MANIFEST: Final = {
    "id": f"{MOUNTED_AT}/",
    "name": "群工系统",
    "short_name": "群工系统",
    "description": "登记、办理群众反映的事，没有网络也能用。",
    "lang": "zh-CN",
    "start_url": f"{MOUNTED_AT}/",
    "scope": f"{MOUNTED_AT}/",
    "display": "standalone",
    "orientation": "portrait",
    "background_color": "#f3f6f6",
    "theme_color": "#0b6663",
    "icons": [
        {"src": f"{_ICONS}/icon-192.png", "sizes": "192x192", "type": "image/png"},
        {"src": f"{_ICONS}/icon-512.png", "sizes": "512x512", "type": "image/png"},
        {
            "src": f"{_ICONS}/icon-maskable-512.png",
            "sizes": "512x512",
            "type": "image/png",
            "purpose": "maskable",
        },
    ],
    "shortcuts": [{"name": "代群众登记", "url": f"{MOUNTED_AT}/#/register"}],
}


def create_app() -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_api_route("/", shell, include_in_schema=False)
    app.add_api_route("/sw.js", service_worker, include_in_schema=False)
    app.add_api_route("/manifest.webmanifest", manifest, include_in_schema=False)
    problems.install(app, pages=True)
    return app


# Beside the app: what is mounted at a path does not answer for the path alone.
bare = APIRouter(include_in_schema=False)


async def shell() -> Response:
    return respond_shell("cadre.html", face=_FACE, folder=FOLDER)


@bare.get(MOUNTED_AT)
async def with_slash() -> Response:
    """The service worker's scope ends with a slash."""
    return RedirectResponse(f"{MOUNTED_AT}/", 308)


async def service_worker() -> Response:
    return respond_worker(_FACE, scope=f"{MOUNTED_AT}/")


async def manifest() -> Response:
    text = json.dumps(_MANIFEST, ensure_ascii=False)
    return Response(text, 200, {"Cache-Control": NOT_KEPT}, "application/manifest+json")
