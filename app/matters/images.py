"""From whatever a phone sends to a plain JPEG: turned upright, bounded, and rid of all that a camera adds. Pure.

Only the picture survives: it is painted anew, so places, names and foreign data after the image's end are gone. As
`python -m app.matters.images` it is the process that photo_decoders.py starts: the web process decodes nothing itself.
"""

import ctypes
import json
import os
import resource
import signal
import sys
import warnings
from io import BytesIO
from typing import BinaryIO, Final

import pi_heif
from PIL import Image

from app.matters.pictures import HEIC, NOT_AN_IMAGE, TOO_MANY_PIXELS, ImageRefused, Picture

# As much as the better phones take; more is a mistake or a bomb, known before anything is decoded.
MAX_PIXELS = 50_000_000
# Formats that no camera takes photos in, and that need their whole size in memory, some of them three times.
MAX_PIXELS_DRAWN = 25_000_000
# A panorama is long; a picture of one column costs a hundred times what its pixels cost.
MAX_SIDE = 16_384
LONGEST_SIDE = 2048
_QUALITY = 85
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF")
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")
_ORIENTATION = 0x0112
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow's own guard looks at every frame and tile as well.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def clean(sent: bytes) -> Picture:
    """Takes time and memory: to be called in a process that is bounded in both. Raises ImageRefused."""
    try:
        painted = _painted(sent)
    except (Image.DecompressionBombError, MemoryError) as bomb:
        raise ImageRefused(TOO_MANY_PIXELS) from bomb
    except ImageRefused:
        raise
    except Exception as unreadable:  # decoders given hostile bytes raise whatever they come upon
        heic = sent[4:8] == b"ftyp" and sent[8:12] in _HEIC
        raise ImageRefused(HEIC if heic else NOT_AN_IMAGE) from unreadable
    written = BytesIO()
    painted.save(written, "JPEG", quality=_QUALITY, optimize=True)
    return Picture(written.getvalue(), *painted.size)


def _painted(sent: bytes) -> Image.Image:
    with Image.open(BytesIO(sent), formats=_FORMATS) as image:
        most = MAX_PIXELS_DRAWN if image.format in ("PNG", "WEBP") else MAX_PIXELS
        if image.width * image.height > most or max(image.size) > MAX_SIDE:
            raise ImageRefused(TOO_MANY_PIXELS)
        turned = _UPRIGHT.get(_orientation(image))
        # A JPEG can be decoded at a half or a quarter of its size: less memory, same result.
        image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        image.load()
        shown = _in_eight_bits(image)
        shown.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    if turned is not None:
        shown = shown.transpose(turned)
    canvas = Image.new("RGB", shown.size, "white")
    canvas.paste(shown.convert("RGB"), mask=shown.getchannel("A") if shown.mode == "RGBA" else None)
    return canvas


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """As RGB, RGBA or L; a palette cannot be made smaller well, and 16 bits of grey would be cut off, not scaled."""
    if image.mode.startswith("I"):
        # A transparent grey is told in 16 bits as well.
        image.info.pop("transparency", None)
        return image.point(lambda grey: grey * (1 / 256)).convert("L")
    if image.mode in ("RGB", "RGBA", "L") and "transparency" not in image.info:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # what a camera writes beside a good picture may be anything
        return 1


def main() -> None:
    """Answers one photo after the other until standard input ends. Arguments: bytes of memory, seconds of CPU each."""
    memory, seconds = int(sys.argv[1]), int(sys.argv[2])
    _die_with_parent()
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is for the server, which then closes our input
    warnings.simplefilter("ignore")
    pi_heif.options.DECODE_THREADS = 1
    pi_heif.register_heif_opener()
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    given, answers = sys.stdin.buffer, sys.stdout.buffer
    while sent := _read(given):
        used = resource.getrusage(resource.RUSAGE_SELF)
        allowed = int(used.ru_utime + used.ru_stime) + seconds + 1
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))
        _answer(answers, sent)


def _read(given: BinaryIO) -> bytes:
    """A photo, its length before it; empty at the end."""
    length = int.from_bytes(given.read(4))
    return given.read(length)


def _answer(answers: BinaryIO, sent: bytes) -> None:
    """A line that says what it is, and the JPEG if it is one."""
    try:
        picture = clean(sent)
    except ImageRefused as refused:
        told: dict[str, object] = {"refused": str(refused)}
        body = b""
    else:
        told = {"width": picture.width, "height": picture.height}
        body = picture.jpeg
    head = json.dumps(told | {"bytes": len(body)}).encode()
    answers.write(head + b"\n" + body)
    answers.flush()


def _die_with_parent() -> None:
    """However the server dies; where the kernel cannot, the end of standard input says it."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)  # PR_SET_PDEATHSIG
        if os.getppid() != parent or parent == 1:
            sys.exit(0)


if __name__ == "__main__":
    main()
