"""Puts the parts together into one application. Which parts, asgi.py says."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from fastapi import APIRouter, FastAPI
from servestatic import ServeStaticASGI
from starlette.routing import Mount, Router
from starlette.types import ASGIApp

from app.db import database
from app.http import problems
from app.http.operations import add_routes
from qungong import service_pages
from qungong.middleware import Edge

_NAMED_BY_CONTENT: Final = r"^.*-[0-9A-Za-z_-]{8}\.[a-z0-9]+$"


def compose(
    mounted: Mapping[str, FastAPI],
    routers: Iterable[APIRouter],
    files: Mapping[str, Path] = MappingProxyType({}),
) -> ASGIApp:
    """`mounted` and folders of `files` by the path they stand at; `routers` have theirs written in them."""
    rest = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    add_routes(rest.router, service_pages.router, *routers)
    problems.install(rest, pages=True)
    # Side by side: a part inside an application would pass that one's layers and its own.
    parts = [Mount(path, part) for path, part in mounted.items()]
    parts += [Mount(path, _files(path, folder, rest)) for path, folder in files.items()]
    parts.append(Mount("", rest))
    return Edge(Router(parts, lifespan=partial(_running, list(mounted.values()))))


def _files(path: str, folder: Path, otherwise: ASGIApp) -> ASGIApp:
    """Files whose names change with their content, kept by browsers for ever; compressed when they were built."""
    served: ASGIApp = ServeStaticASGI(
        otherwise,
        root=folder if folder.exists() else None,
        prefix=path,
        allow_all_origins=False,
        immutable_file_test=_NAMED_BY_CONTENT,
    )
    return served


@asynccontextmanager
async def _running(parts: Iterable[FastAPI], _router: object) -> AsyncIterator[None]:
    """Mounted applications are not told of start and end by the framework."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_disconnect)
        for part in parts:
            await stack.enter_async_context(part.router.lifespan_context(part))
        yield


async def _disconnect() -> None:
    await database().close()
