"""The application with photos decoded in the web process, whatever their size: the negative control, which must grow."""

from anyio import to_thread

from app.errors import InvalidInput
from app.matters import images, photos
from app.matters.attachments import Content, Media
from app.matters.pictures import ImageRefused
from qungong.asgi import app

__all__ = ["app"]
images.MAX_SIDE = images.MAX_PIXELS_DRAWN = images.MAX_PIXELS


async def _decoded_here(sent: bytes) -> Content:
    try:
        picture = await to_thread.run_sync(images.clean, sent)
    except ImageRefused as refused:
        raise InvalidInput from refused
    return Content(Media.JPEG, picture.jpeg, width=picture.width, height=picture.height)


photos.prepare = _decoded_here
