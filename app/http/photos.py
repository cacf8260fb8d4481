"""A photo as an answer: read from the media store only when the database's connection has been given back."""

from typing import Any
from uuid import UUID

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from app.errors import Problem
from app.http.problems import problems
from app.matters import photos


class StoredPhoto(Response):
    """What open_photo() allowed to be seen. Never kept: the phone may be the village's, and the case may be moved on."""

    media_type = "image/jpeg"

    def __init__(self, photo_id: UUID | None = None) -> None:
        self._photo_id = photo_id
        super().__init__(
            headers={
                "Cache-Control": "private, no-store",
                "Content-Security-Policy": "default-src 'none'",
                "X-Content-Type-Options": "nosniff",
            }
        )

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._photo_id is not None, "a photo is answered only once it was opened"
        self.body = await photos.load(self._photo_id)
        self.headers["Content-Length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


def a_photo(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of an operation that answers with a photo."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"description": "照片", "content": {"image/jpeg": binary}}, **problems(*kinds)}
