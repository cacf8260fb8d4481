"""A photo that was sent in: cleaned in another process, or refused in words."""

from contextlib import AbstractAsyncContextManager

from app.errors import InvalidInput
from app.matters.attachments import Content, Media
from app.matters.photo_decoders import Decoders
from app.matters.pictures import ImageRefused

_DECODERS = Decoders()


async def prepare(sent: bytes) -> Content:
    """The picture alone. Raises InvalidInput for what is no photo, Unavailable when too many wait."""
    try:
        picture = await _DECODERS.clean(sent)
    except ImageRefused as refused:
        raise InvalidInput(mistakes=[{"where": "body.photo", "what": str(refused)}]) from refused
    return Content(Media.JPEG, picture.jpeg, width=picture.width, height=picture.height)


def turn() -> AbstractAsyncContextManager[None]:
    """A place among those that wait for a decoder. Raises Unavailable when too many do."""
    return _DECODERS.turn()


async def end_decoders() -> None:
    """When the server ends; the next photo would start them again."""
    await _DECODERS.close()
