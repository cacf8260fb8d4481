"""Shell page of the desk. Mounted at /desk by qungong.asgi."""

from typing import Final

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import RedirectResponse

from app.http import problems
from app.http.shells import respond_shell

MOUNTED_AT: Final = "/desk"


def create_app() -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_api_route("/", shell, include_in_schema=False)
    problems.install(app, pages=True)
    return app


# Beside the app: what is mounted at a path does not answer for the path alone.
bare = APIRouter(include_in_schema=False)


async def shell() -> Response:
    return respond_shell("desk.html", face="desk")


@bare.get(MOUNTED_AT)
async def with_slash() -> Response:
    return RedirectResponse(f"{MOUNTED_AT}/", 308)
