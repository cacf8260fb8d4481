"""A photo or voice message as an answer: read from the media store only when the database's connection has been given back."""

import re
from typing import Any, Final
from uuid import UUID

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from app.auth.actor import StaffActor
from app.db import Transaction
from app.errors import NotFound, Problem
from app.http.problems import problems
from app.matters import attachments
from app.matters.attachments import VOICES, Media

_RANGE: Final = re.compile(r"bytes=([0-9]{0,12})-([0-9]{0,12})")


class StoredAttachment(Response):
    """An attachment that the actor may see. Not cached: phones are shared, and cases move on.

    A part is answered where a part is asked for: an iPhone plays nothing else.
    """

    def __init__(self, attachment_id: UUID, media: Media) -> None:
        self._id, self._media = attachment_id, media
        super().__init__(
            media_type=media.value,
            headers={
                "Accept-Ranges": "bytes",
                "Cache-Control": "private, no-store",
                "Content-Disposition": "inline",
                "Content-Security-Policy": "default-src 'none'",
                "X-Content-Type-Options": "nosniff",
            },
        )

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        whole = await attachments.load(self._id, self._media)
        part = _part(Headers(scope=scope).get("range", ""), len(whole))
        if part is not None:
            self.status_code = 206
            self.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(whole)}"
        self.body = whole if part is None else whole[part.start : part.stop]
        self.headers["Content-Length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


async def photo_for_staff(
    tx: Transaction, ref: str, photo_id: UUID, *, by: StaffActor
) -> StoredAttachment:
    """Raises NotFound for what is not there, not the actor's to see, or no photo."""
    return _answer(photo_id, await attachments.open_for_staff(tx, ref, photo_id, by=by), photo=True)


async def voice_for_staff(
    tx: Transaction, ref: str, voice_id: UUID, *, by: StaffActor
) -> StoredAttachment:
    """Raises NotFound for what is not there, not the actor's to see, or no voice message."""
    return _answer(
        voice_id, await attachments.open_for_staff(tx, ref, voice_id, by=by), photo=False
    )


def _answer(attachment_id: UUID, media: Media, *, photo: bool) -> StoredAttachment:
    if (media not in VOICES) is not photo:
        raise NotFound
    return StoredAttachment(attachment_id, media)


def _part(asked: str, length: int) -> range | None:
    """The bytes of a range such as `bytes=0-1`; None where there is none that can be answered, and all is."""
    found = _RANGE.fullmatch(asked)
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        part = range(max(0, length - int(found[2])), length)
    else:
        part = range(int(found[1]), min(length, int(found[2] or length) + 1))
    return part or None


def a_photo(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of an operation that answers with a photo."""
    return _answers("照片", (Media.JPEG,), kinds)


def a_voice(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of an operation that answers with a voice message."""
    return _answers("语音", sorted(VOICES), kinds)


def _answers(
    what: str, media: tuple[Media, ...] | list[Media], kinds: tuple[type[Problem], ...]
) -> dict[int | str, dict[str, Any]]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    content = {one.value: binary for one in media}
    return {
        200: {"description": what, "content": content},
        206: {"description": f"{what}的一段", "content": content},
        **problems(*kinds),
    }
