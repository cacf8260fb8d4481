"""How much a request may send, told before it is read. Answers with a problem, where the framework's own limit does not."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import TooLarge
from app.http.problems import respond

# The longest text people may send is 5,000 letters, of at most 12 bytes each in JSON.
TEXT = 128 * 1024


class BodyLimit:
    """Middleware. `larger` names the application's paths that may receive more, and how much."""

    def __init__(self, app: ASGIApp, larger: dict[str, int] | None = None) -> None:
        self._app = app
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        limit = self._larger.get(path, TEXT)
        if _announced(scope) > limit:
            await respond(TooLarge())(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                # The framework passes on its own exception alone; any other one would become "unreadable".
                raise HTTPException(TooLarge.status)
            return message

        await self._app(scope, counted, send)


def _announced(scope: Scope) -> int:
    told = Headers(scope=scope).get("content-length", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 20 else 0
