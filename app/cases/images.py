"""From whatever a phone sends to a plain JPEG: turned upright, bounded, and rid of all that a camera adds. Pure.

Only the picture survives: it is painted anew, so places, names and foreign data after the image's end are gone.
"""

from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

MAX_BYTES = 10 * 2**20
# As much as the better phones take; more is a mistake or a bomb, known before anything is decoded.
MAX_PIXELS = 50_000_000
LONGEST_SIDE = 2048
_QUALITY = 85
_FORMATS = ("JPEG", "PNG", "WEBP")
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")

NOT_AN_IMAGE = "不是有效的照片，请重新拍摄或选择 JPEG、PNG、WebP 格式的照片"
HEIC = "暂不支持 HEIC 格式，请在相机设置中选“兼容性最佳”，或另存为 JPEG 后再上传"
TOO_MANY_PIXELS = "照片的像素过多，请缩小后再上传"

# Pillow's own guard looks at every frame and tile as well.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


class ImageRefused(ValueError):
    """The bytes cannot be taken as a photo; the text tells people why."""


@dataclass(frozen=True, slots=True)
class Picture:
    jpeg: bytes
    width: int
    height: int


def clean(sent: bytes) -> Picture:
    """Takes time and memory: to be called in a thread, few at once. Raises ImageRefused."""
    if sent[4:8] == b"ftyp" and sent[8:12] in _HEIC:
        raise ImageRefused(HEIC)
    try:
        painted = _painted(sent)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise ImageRefused(TOO_MANY_PIXELS) from bomb
    except ImageRefused:
        raise
    except Exception as unreadable:  # decoders given hostile bytes raise whatever they come upon
        raise ImageRefused(NOT_AN_IMAGE) from unreadable
    written = BytesIO()
    painted.save(written, "JPEG", quality=_QUALITY, optimize=True)
    return Picture(written.getvalue(), *painted.size)


def _painted(sent: bytes) -> Image.Image:
    with Image.open(BytesIO(sent), formats=_FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ImageRefused(TOO_MANY_PIXELS)
        # A JPEG can be decoded at a half or a quarter of its size: less memory, same result.
        image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        upright = ImageOps.exif_transpose(image)
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", upright.size, "white")
    if upright.has_transparency_data:
        layer = upright.convert("RGBA")
        canvas.paste(layer, mask=layer)
    else:
        canvas.paste(upright.convert("RGB"))
    return canvas
