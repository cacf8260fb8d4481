"""Puts the parts together into one application. Which parts, asgi.py says."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from app.db import database
from app.http import problems
from qungong import service_pages
from qungong.edge import Edge


def compose(mounted: Mapping[str, FastAPI], routers: Iterable[APIRouter]) -> ASGIApp:
    """`mounted` by the path they stand at; `routers` have theirs written in them."""
    root = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=partial(_running, list(mounted.values())),
    )
    for router in (service_pages.router, *routers):
        root.include_router(router)
    for path, part in mounted.items():
        root.mount(path, part)
    problems.install(root, pages=True)
    return Edge(root)


@asynccontextmanager
async def _running(parts: Iterable[FastAPI], _root: FastAPI) -> AsyncIterator[None]:
    """Mounted applications are not told of start and end by the framework."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_disconnect)
        for part in parts:
            await stack.enter_async_context(part.router.lifespan_context(part))
        yield


async def _disconnect() -> None:
    await database().close()
