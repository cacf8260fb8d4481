"""The page at /docs: Swagger UI over the interface's own OpenAPI document, from assets that are installed with us.

Beside it stands the document itself, at /openapi.json. Nothing is loaded from another host.
"""

from functools import partial
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request, Response
from swagger_ui_bundle import swagger_ui_path

from app.errors import NotFound
from app.http.openapi import MadeOnce, Prepared, prepared_document, respond_document
from app.http.pages import page

_ASSETS: Final = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "start.js": "text/javascript; charset=utf-8",
}
# The content security policy allows no script inside a page. Swagger UI has a dark theme, and does not choose it by itself.
_START: Final = """\
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  filter: true,
  validatorUrl: null,
});
"""
_CACHED: Final = {"Cache-Control": "public, max-age=86400"}


def install(app: FastAPI) -> None:
    """Adds `/docs`, its assets and `/openapi.json`, which are no operations of the interface itself. Each is made once."""
    document = prepared_document(app.openapi)
    assets = {name: MadeOnce(partial(_prepared, name)) for name in _ASSETS}

    async def send_document(request: Request) -> Response:
        return await respond_document(request, document)

    async def send_reference(request: Request) -> Response:
        return page("reference.html", title=app.title, about=app.description)

    async def send_asset(request: Request) -> Response:
        asset = assets.get(request.path_params["name"])
        if asset is None:
            raise NotFound
        return (await asset.get()).respond(request, **_CACHED)

    app.add_route("/openapi.json", send_document, include_in_schema=False)
    app.add_route("/docs", send_reference, include_in_schema=False)
    app.add_route("/docs/{name}", send_asset, include_in_schema=False)


def _prepared(name: str) -> Prepared:
    content = _START.encode() if name == "start.js" else (Path(swagger_ui_path) / name).read_bytes()
    return Prepared.of(content, _ASSETS[name])
