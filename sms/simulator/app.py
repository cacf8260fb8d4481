"""The simulator as an ASGI application of its own: `uvicorn sms.simulator.app:app`, on 127.0.0.1 only."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response

from app.settings import Settings, settings
from sms.simulator import aliyun_api, control, twilio_api
from sms.simulator.state import SimulatorSettings, close_simulator, open_simulator

_PAGE: Final = Path(__file__).with_name("page")
# Whatever a text says, the page runs no script but its own.
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}


def create_app(account: Settings | None = None, own: SimulatorSettings | None = None) -> FastAPI:
    """Tests hand in their own settings; otherwise the environment's hold."""

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        app.state.simulator = open_simulator(account or settings(), own or SimulatorSettings())
        yield
        await close_simulator(app.state.simulator)

    made = FastAPI(title="短信模拟器", lifespan=running, docs_url=None, redoc_url=None)
    made.include_router(twilio_api.router)
    made.include_router(aliyun_api.router)
    made.include_router(control.router)
    for name in ("page.html", "page.js", "page.css", "icon.svg"):
        address = "/" if name == "page.html" else f"/{name}"
        made.add_api_route(address, _file(name), methods=["GET"], include_in_schema=False)
    return made


def _file(name: str) -> Callable[[], Awaitable[Response]]:
    content = (_PAGE / name).read_bytes()
    kind = _TYPES[name.rpartition(".")[2]]

    async def answer() -> Response:
        return Response(content, media_type=kind, headers=_HEADERS)

    return answer


app = create_app()
