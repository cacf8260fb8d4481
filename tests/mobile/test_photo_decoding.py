"""Decoding photos, in processes of their own: what is taken, how it looks afterwards, and what it may cost."""

import asyncio
import base64
import os
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytest_asyncio
from PIL import Image

from app.errors import Unavailable
from app.matters import photo_decoders
from app.matters.photo_decoders import Decoders
from app.matters.pictures import (
    HEIC,
    NOT_AN_IMAGE,
    TOO_LABORIOUS,
    TOO_MANY_PIXELS,
    ImageRefused,
    Picture,
)
from tests.mobile.conftest import a_picture

# 64 × 48, red on the left, blue on the right, by libheif.
HEIC_PHOTO = base64.b85decode(
    "0000SW^{RQXk}?*00000ZE0pPXk}?*ZE0a<0004fZDn*}000000000XXk=`10000000000aA{+70000000000000"
    "0000000B57=IV*mgE07O6l0RRC200001p#T8@00000003bC001LtX>Mi!000000RR916=`l}WdZ;I000310BCk&F"
    "#rGn01j|zbZr0t000010002}X>f9I0002pX>en20001XXm(>m0RwOV0058x000009`FGC{rLC*01pFT0096PKmiN"
    "^|NjGU00093kN^M!000939=ZZRVE_RDDnbDP18@KU0|1Z!00RI30{|YNAb|yz>g1-mxCm%4AOHXZ10VnZ0{|gn00"
    "967L;=Bbz=;3=025<xY;ta6Y<K_x01W^JfB*mh6lrsCWdHyG00000KmY&$KmY&$C}V74Z~y=RKmY&$0RR91FaQ7m"
    "0RR91000000{{R2@Bjb+0ssI25O8UDX#fBK00RgJ2mk;87-?{AVE_OC000000RRC7fdT^sga7~lX>DX-bN~PVT_^"
    "#s6M*$6fj|G?rAPm|)_8so4KY9d^Ts3k2C@I*^>=Oq9g8RoCy7K;c#iH^%M{icQnTC&m7}ZDYQ2+aQvMTY|KKCSc"
    "po4`-Y2oXJW<<vzgq9AGL$Ydhi("
)
RED, BLUE, WHITE, GREY = (200, 30, 30), (30, 30, 200), (255, 255, 255), (128, 128, 128)


@pytest_asyncio.fixture
async def decoders() -> AsyncIterator[Decoders]:
    made = Decoders()
    yield made
    await made.close()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, bits: int, colour: int, pixels: bytes, *before: bytes) -> bytes:
    """A PNG from its rows, each with its filter byte; `before` are chunks that stand before the pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(pixels, 9))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(before) + data + chunk(b"IEND", b"")


def rows(row: bytes, height: int) -> bytes:
    return (b"\0" + row) * height


def column_bomb() -> bytes:
    """A column of 49 million pixels: 95 KB that used to cost 1.7 GB."""
    return png(1, 49_000_000, 8, 0, bytes(98_000_000))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    written = BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def two_halves(mode: str = "RGB") -> Image.Image:
    image = Image.new("RGB", (64, 48), RED)
    image.paste(BLUE, (32, 0, 64, 48))
    return image.convert(mode)


def jpeg_claiming(width: int, height: int) -> bytes:
    whole = bytearray(a_picture())
    at = whole.index(b"\xff\xc0") + 5
    whole[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(whole)


async def seen(decoders: Decoders, sent: bytes) -> Image.Image:
    picture = await decoders.clean(sent)
    image = Image.open(BytesIO(picture.jpeg))
    assert (image.format, image.mode, image.size) == (
        "JPEG",
        "RGB",
        (picture.width, picture.height),
    )
    return image


def near(image: Image.Image, at: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    found = image.getpixel(at)
    assert isinstance(found, tuple)
    return all(abs(one - other) < 24 for one, other in zip(found, colour, strict=True))


# --- How it looks ---------------------------------------------------------------------------------------------------


async def test_sixteen_bits_of_grey_are_scaled(decoders: Decoders) -> None:
    ramp = b"".join(struct.pack(">H", level * 1024) for level in range(64))
    image = await seen(decoders, png(64, 48, 16, 0, rows(ramp, 48)))
    assert [near(image, (x, 20), (x * 4,) * 3) for x in (2, 20, 32, 60)] == [True] * 4


async def test_sixteen_bits_of_colour_are_scaled(decoders: Decoders) -> None:
    row = struct.pack(">HHH", *(level * 257 for level in RED)) * 32
    row += struct.pack(">HHH", *(level * 257 for level in BLUE)) * 32
    image = await seen(decoders, png(64, 48, 16, 2, rows(row, 48)))
    assert near(image, (8, 20), RED)
    assert near(image, (56, 20), BLUE)


async def test_sixteen_bits_of_grey_with_transparency_are_scaled(decoders: Decoders) -> None:
    row = struct.pack(">HH", 0x8080, 0xFFFF) * 64
    image = await seen(decoders, png(64, 48, 16, 4, rows(row, 48)))
    assert near(image, (8, 20), GREY)


async def test_transparent_palette_shows_white(decoders: Decoders) -> None:
    palette = chunk(b"PLTE", bytes([*RED, *BLUE])) + chunk(b"tRNS", b"\x00\xff")
    image = await seen(decoders, png(64, 48, 8, 3, rows(b"\0" * 32 + b"\1" * 32, 48), palette))
    assert near(image, (8, 20), WHITE)
    assert near(image, (56, 20), BLUE)


async def test_photo_for_printing_keeps_its_colours(decoders: Decoders) -> None:
    """CMYK with Adobe's marker, whose inks are stored inverted."""
    sent = saved(two_halves("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in sent
    image = await seen(decoders, sent)
    assert near(image, (8, 20), RED)
    assert near(image, (56, 20), BLUE)


@pytest.mark.parametrize("turned", range(1, 9))
async def test_photo_is_turned_upright(decoders: Decoders, turned: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    image = await seen(decoders, saved(two_halves(), "JPEG", exif=exif, quality=95))
    size = (64, 48) if turned < 5 else (48, 64)
    first, last = {
        1: (RED, BLUE), 2: (BLUE, RED), 3: (BLUE, RED), 4: (RED, BLUE),
        5: (RED, BLUE), 6: (RED, BLUE), 7: (BLUE, RED), 8: (BLUE, RED),
    }[turned]  # fmt: skip
    assert image.size == size
    assert near(image, (4, 4), first)
    assert near(image, (size[0] - 4, size[1] - 4), last)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_broken_exif_is_dropped_and_the_picture_kept(decoders: Decoders, kind: str) -> None:
    garbage = b"Exif\0\0" + b"garbage" * 9
    image = await seen(decoders, saved(two_halves(), kind, exif=garbage, quality=90))
    assert near(image, (8, 20), RED)


async def test_exif_chunk_of_garbage_is_dropped(decoders: Decoders) -> None:
    row = bytes(RED) * 64
    image = await seen(decoders, png(64, 48, 8, 2, rows(row, 48), chunk(b"eXIf", b"garbage")))
    assert near(image, (8, 20), RED)


@pytest.mark.parametrize(
    "made", [lambda: HEIC_PHOTO, lambda: saved(two_halves(), "AVIF", quality=95)]
)
async def test_what_iphones_take_becomes_a_jpeg(
    decoders: Decoders, made: Callable[[], bytes]
) -> None:
    image = await seen(decoders, made())
    assert image.size == (64, 48)
    assert near(image, (8, 20), RED)
    assert near(image, (56, 20), BLUE)


async def test_photo_of_several_pictures_keeps_the_first(decoders: Decoders) -> None:
    sent = saved(two_halves(), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 48))])
    assert near(await seen(decoders, sent), (8, 20), RED)


# --- What is refused ------------------------------------------------------------------------------------------------


def text_bomb(kind: bytes) -> bytes:
    """A text of 200 MB, compressed."""
    body = zlib.compress(bytes(200_000_000))
    before = b"Comment\0\0" if kind == b"zTXt" else b"Comment\0\1\0\0\0"
    return png(64, 48, 8, 2, rows(bytes(RED) * 64, 48), chunk(kind, before + body))


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a column of pixels": (column_bomb, TOO_MANY_PIXELS),
    "a row of pixels": (lambda: png(49_000_000, 1, 8, 0, bytes(49_000_001)), TOO_MANY_PIXELS),
    "a strip of few pixels": (lambda: png(20_000, 1, 8, 0, bytes(20_001)), TOO_MANY_PIXELS),
    "a JPEG of the greatest size": (lambda: jpeg_claiming(65_500, 65_500), TOO_MANY_PIXELS),
    "a drawing too large": (lambda: png(6000, 6000, 1, 0, bytes(751 * 6000)), TOO_MANY_PIXELS),
    "a text bomb": (lambda: text_bomb(b"zTXt"), NOT_AN_IMAGE),
    "a text bomb in all languages": (lambda: text_bomb(b"iTXt"), NOT_AN_IMAGE),
    "a truncated photo": (lambda: a_picture(600, 400)[:-2000], NOT_AN_IMAGE),
    "a truncated drawing": (lambda: a_picture(600, 400, kind="PNG")[:-200], NOT_AN_IMAGE),
    "a moving picture": (lambda: a_picture(kind="GIF"), NOT_AN_IMAGE),
    "a scan": (lambda: a_picture(kind="TIFF"), NOT_AN_IMAGE),
    "an iPhone's photo that is broken": (lambda: HEIC_PHOTO[:-60], HEIC),
    "what only says it is an iPhone's": (lambda: b"\0\0\0\x18ftypheic" + bytes(200), HEIC),
    "a film of an iPhone": (lambda: b"\0\0\0\x18ftypqt  " + bytes(200), NOT_AN_IMAGE),
    "nothing": (lambda: b"", NOT_AN_IMAGE),
}  # fmt: skip


@pytest.mark.parametrize(("made", "told"), REFUSED.values(), ids=REFUSED)
async def test_what_is_no_fit_photo_is_refused_at_little_cost(
    decoders: Decoders, made: Callable[[], bytes], told: str
) -> None:
    sent = made()
    with pytest.raises(ImageRefused) as refused:
        await decoders.clean(sent)
    assert str(refused.value) == told
    for process in decoders.processes():
        assert peak_megabytes(process) < 200


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
async def test_of_thousands_of_frames_only_the_first_is_decoded(
    decoders: Decoders, kind: str
) -> None:
    frames = [Image.new("RGB", (200, 200), (number % 256, 0, 0)) for number in range(2000)]
    sent = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    assert (await decoders.clean(sent)).width == 200
    assert peak_megabytes(decoders.processes()[0]) < 200


# --- What it may cost -----------------------------------------------------------------------------------------------


def peak_megabytes(process: int | str = "self") -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def peak_begun_anew() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return peak_megabytes()


def environment_of(process: int) -> bytes:
    return Path(f"/proc/{process}/environ").read_bytes()


def bounded(patch: pytest.MonkeyPatch, *, megabytes: int = 768, seconds: int = 15) -> None:
    given = SimpleNamespace(photo_memory_mb=megabytes, photo_cpu_seconds=seconds)
    patch.setattr(photo_decoders, "settings", lambda: given)


def a_large_drawing() -> bytes:
    return saved(Image.linear_gradient("L").resize((6000, 4100)).convert("RGBA"), "PNG")


async def test_bomb_costs_the_web_process_no_memory(decoders: Decoders) -> None:
    sent = [column_bomb(), a_large_drawing()]
    before = peak_begun_anew()
    for one in sent * 2:
        await asyncio.gather(*(decoders.clean(one) for _ in range(4)), return_exceptions=True)
    assert peak_megabytes() - before < 20
    assert all(peak_megabytes(process) < 500 for process in decoders.processes())


async def test_photo_that_needs_too_much_memory_is_refused(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(monkeypatch, megabytes=250)
    with pytest.raises(ImageRefused, match=TOO_MANY_PIXELS):
        await decoders.clean(a_large_drawing())
    assert (await decoders.clean(a_picture())).width == 60


async def test_photo_that_takes_too_much_time_is_refused(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(monkeypatch, seconds=0)
    noise = saved(Image.effect_noise((4900, 4900), 90).convert("RGBA"), "PNG", compress_level=1)

    async def decode_several() -> None:
        """Each may take until the next whole second of its process: on a fast machine one of a few does not end before."""
        for _ in range(12):
            await decoders.clean(noise)

    with pytest.raises(ImageRefused, match=TOO_LABORIOUS):
        await decode_several()
    # The process that takes its place has the usual time again.
    bounded(monkeypatch)
    assert (await decoders.clean(a_picture())).width == 60


async def test_where_the_machine_is_too_busy_people_are_asked_to_come_again(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_decoders, "_WALL_SECONDS", 0.01)
    with pytest.raises(Unavailable) as busy:
        await decoders.clean(a_large_drawing())
    assert busy.value.retry_after
    assert decoders.processes() == []


async def test_two_are_decoded_at_once_and_a_long_queue_is_told_to_come_again(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_decoders, "WAITING", 3)
    monkeypatch.setattr(photo_decoders, "PATIENCE_SECONDS", 170)
    sent = a_large_drawing()

    async def send() -> Picture:
        async with decoders.turn():
            return await decoders.clean(sent)

    answers = await asyncio.gather(*(send() for _ in range(8)), return_exceptions=True)
    assert len(decoders.processes()) == 2
    assert sum(isinstance(one, Unavailable) for one in answers) == 3
    assert sum(not isinstance(one, BaseException) for one in answers) == 5


async def test_waiting_for_a_turn_is_bounded(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_decoders, "PATIENCE_SECONDS", 0.01)
    sent = a_large_drawing()
    answers = await asyncio.gather(
        *(decoders.clean(sent) for _ in range(3)), return_exceptions=True
    )
    assert sum(isinstance(one, Unavailable) for one in answers) == 1


async def test_killed_decoder_is_started_again(decoders: Decoders) -> None:
    await decoders.clean(a_picture())
    [process] = decoders.processes()
    os.kill(process, signal.SIGKILL)
    # They take turns: the one that lost its process is asked too.
    for _ in range(photo_decoders.AT_ONCE):
        assert (await decoders.clean(a_picture())).width == 60
    assert process not in decoders.processes()
    assert len(decoders.processes()) == photo_decoders.AT_ONCE


async def test_decoder_killed_at_work_does_its_work_again(decoders: Decoders) -> None:
    asked = asyncio.create_task(decoders.clean(a_large_drawing()))
    async with asyncio.timeout(20):
        while not (found := decoders.processes()):  # noqa: ASYNC110 - a process says nothing as it starts
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    os.kill(found[0], signal.SIGKILL)
    assert (await asked).width == 2048


async def test_idle_decoder_ends(decoders: Decoders, monkeypatch: pytest.MonkeyPatch) -> None:
    assert decoders.processes() == []
    monkeypatch.setattr(photo_decoders, "IDLE_SECONDS", 0.05)
    await decoders.clean(a_picture())
    async with asyncio.timeout(5):
        while decoders.processes():  # noqa: ASYNC110 - a process says nothing as it ends
            await asyncio.sleep(0.02)


_SERVER = """
import asyncio, os, signal, sys
from app.matters.photo_decoders import Decoders
async def main():
    decoders = Decoders()
    await decoders.clean(sys.stdin.buffer.read())
    [decoder] = decoders.processes()
    if sys.argv[1] == "at work":
        os.kill(decoder, signal.SIGSTOP)
    print(decoder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


@pytest.mark.parametrize("decoder_is", ["waiting", "at work"])
async def test_decoder_dies_with_the_process_it_serves(decoder_is: str) -> None:
    """One that waits sees its input end; one at work, here stopped in the middle of it, sees nothing."""
    done = subprocess.run(  # noqa: ASYNC221 - nothing else runs here
        [sys.executable, "-c", _SERVER, decoder_is],
        input=a_picture(),
        capture_output=True,
        check=False,
    )
    [decoder] = done.stdout.split()
    assert done.returncode == -signal.SIGKILL
    async with asyncio.timeout(5):
        while alive(int(decoder)):  # noqa: ASYNC110 - a process says nothing as it ends
            await asyncio.sleep(0.02)


def alive(process: int) -> bool:
    try:
        return "Z (zombie)" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


async def test_decoder_knows_no_secret(decoders: Decoders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "not for those who read pictures")
    await decoders.clean(a_picture())
    [process] = decoders.processes()
    assert b"SECRET_KEY" not in environment_of(process)
