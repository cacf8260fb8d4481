"""Photos: only the picture is kept, only what is a picture is taken, and only once and by whom it belongs to."""

import asyncio
import os
import secrets
import stat
import struct
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import text

from app import clock
from app.db import reading, transaction
from app.identifiers import uuid7
from app.matters import attachments, photos
from app.matters.pictures import HEIC, MAX_BYTES, TOO_MANY_PIXELS
from qungong.dev.sample import PASSWORD
from tests.mobile.conftest import WATER, NewPhone, Phone, a_picture


def stored(media: Path) -> set[Path]:
    return {one for one in media.rglob("*") if one.is_file()} if media.exists() else set()


async def rows() -> int:
    async with reading() as tx:
        return int(await tx.scalar(text("SELECT count(*) FROM attachment")))


def png_claiming(width: int, height: int) -> bytes:
    """A small file that says it is an enormous picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def with_gps() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "SecretPhone"
    exif[0x0112] = 6  # to be turned by 90 degrees
    exif.get_ifd(0x8825).update({1: "N", 2: (29.0, 24.0, 36.0), 3: "E", 4: (105.0, 35.0, 40.0)})
    return a_picture(600, 400, exif=exif, comment=b"SecretComment")


async def test_place_and_camera_are_taken_out_and_the_picture_is_turned_upright(
    citizen: Phone,
) -> None:
    sent = with_gps()
    assert Image.open(BytesIO(sent)).getexif().get_ifd(0x8825)
    answer = await citizen.send(sent)
    assert (answer.status_code, answer.json()["width"], answer.json()["height"]) == (201, 400, 600)
    photo = answer.json()["id"]
    ref = (await citizen.reports(photos=[photo]))["ref"]
    assert (await citizen.get(f"/reports/{ref}")).json()["photos"] == [photo]
    seen = await citizen.get(f"/reports/{ref}/photos/{photo}")
    assert seen.headers["content-type"] == "image/jpeg"
    assert seen.headers["cache-control"] == "private, no-store"
    with Image.open(BytesIO(seen.content)) as kept:
        assert (kept.format, kept.size, dict(kept.getexif())) == ("JPEG", (400, 600), {})
    assert b"Secret" not in seen.content
    assert b"Exif" not in seen.content


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
async def test_what_phones_take_besides_jpeg_is_kept_as_jpeg(citizen: Phone, kind: str) -> None:
    answer = await citizen.send(a_picture(kind=kind), type=f"image/{kind.lower()}")
    assert answer.status_code == 201


async def test_large_picture_is_made_smaller(citizen: Phone) -> None:
    answer = await citizen.send(a_picture(5000, 3000))
    assert (answer.json()["width"], answer.json()["height"]) == (2048, 1229)


async def test_what_is_appended_to_a_picture_is_not_kept(citizen: Phone) -> None:
    """Motion photos of good phones carry a film after the image, so this is no reason to refuse one."""
    photo = await citizen.sends(a_picture() + b"PK\x03\x04<script>SecretTail</script>")
    ref = (await citizen.reports(photos=[photo]))["ref"]
    seen = await citizen.get(f"/reports/{ref}/photos/{photo}")
    assert b"SecretTail" not in seen.content


REFUSED = {
    "a bomb": (png_claiming(30000, 30000), "image/png"),
    "a small bomb": (png_claiming(8000, 8000), "image/png"),
    "a truncated picture": (a_picture(600, 400)[:-2000], "image/jpeg"),
    "a drawing with scripts": (
        b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        "image/svg+xml",
    ),
    "a drawing that says it is a picture": (
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "image/png",
    ),
    "a script that is a picture too": (b"GIF89a/*" + bytes(20) + b"*/=alert(1)//", "image/gif"),
    "a script that says it is a picture": (
        b"GIF89a/*" + bytes(20) + b"*/=alert(1)//",
        "image/jpeg",
    ),
    "a document before a picture": (b"%PDF-1.7\n" + a_picture(), "image/jpeg"),
    "a page": (b"<!doctype html><title>x</title>", "text/html"),
    "an iPhone's own format": (b"\x00\x00\x00\x18ftypheic" + bytes(200), "image/heic"),
    "an iPhone's format unnamed": (b"\x00\x00\x00\x18ftypheic" + bytes(200), "image/jpeg"),
    "a moving picture": (a_picture(kind="GIF"), "image/jpeg"),
    "a picture for printing": (a_picture(kind="TIFF"), "image/jpeg"),
    "nothing": (b"", "image/jpeg"),
    "noise": (bytes(range(256)) * 40, "image/jpeg"),
}


@pytest.mark.parametrize(("sent", "kind"), REFUSED.values(), ids=REFUSED)
async def test_what_is_no_photo_is_refused_and_nothing_is_stored(
    citizen: Phone, media: Path, sent: bytes, kind: str
) -> None:
    before = stored(media), await rows()
    answer = await citizen.send(sent, type=kind)
    assert answer.status_code == 422, answer.text
    assert answer.json()["mistakes"][0]["where"] == "body.photo"
    assert (stored(media), await rows()) == before


async def test_bytes_decide_what_a_photo_is_whatever_its_label(citizen: Phone) -> None:
    for label in ("text/html", "image/heic", "application/x-anything"):
        assert (await citizen.send(a_picture(), type=label)).status_code == 201
    heic = await citizen.send(b"\x00\x00\x00\x18ftypheic" + bytes(200), type="image/jpeg")
    assert (heic.status_code, heic.json()["mistakes"][0]["what"]) == (422, HEIC)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
async def test_whole_picture_of_too_many_pixels_is_refused(citizen: Phone) -> None:
    written = BytesIO()
    Image.new("1", (8000, 8000)).save(written, "PNG")
    answer = await citizen.send(written.getvalue(), type="image/png")
    assert (answer.status_code, answer.json()["mistakes"][0]["what"]) == (422, TOO_MANY_PIXELS)


async def test_what_has_announced_itself_too_large_is_not_read_and_all_else_only_up_to_limit(
    citizen: Phone,
) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield bytes(64 * 1024)

    headers = {"Content-Type": "application/json", "Idempotency-Key": "long"}
    for announced, at_most in (({"Content-Length": "9999999"}, 0), ({}, 3)):
        answer = await citizen.client.post(
            "/m/v1/reports", content=endless(), headers=headers | announced
        )
        assert (answer.status_code, answer.headers["content-type"]) == (
            413,
            "application/problem+json",
        )
        assert read <= at_most


async def test_photo_files_are_readable_by_the_server_alone(citizen: Phone, media: Path) -> None:
    before = os.umask(0o000)
    try:
        await citizen.sends(a_picture())
    finally:
        os.umask(before)
    assert open_to_others(media) == []


def open_to_others(folder: Path) -> list[Path]:
    return [one for one in (folder, *folder.rglob("*")) if stat.S_IMODE(one.stat().st_mode) & 0o077]


async def test_too_large_a_file_is_refused_before_it_is_read(citizen: Phone, media: Path) -> None:
    before = stored(media), await rows()
    answer = await citizen.send(bytes(MAX_BYTES + 10_000))
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")

    async def slowly() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'
        for _ in range(200):
            yield bytes(64 * 1024)

    unannounced = await citizen.client.post(
        "/m/v1/photos",
        content=slowly(),
        headers={"Content-Type": "multipart/form-data; boundary=x", "Idempotency-Key": "long"},
    )
    assert unannounced.status_code == 413
    assert (stored(media), await rows()) == before


async def test_request_that_is_no_form_is_refused(citizen: Phone) -> None:
    for body, kind in (
        (b"{}", "application/json"),
        (b"x", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary=y"),
        (a_picture(), "image/jpeg"),
    ):
        answer = await citizen.client.post(
            "/m/v1/photos", content=body, headers={"Content-Type": kind, "Idempotency-Key": "k"}
        )
        assert answer.status_code in {400, 415, 422}, (kind, answer.text)


async def test_whoever_has_not_signed_in_sends_nothing(new_phone: NewPhone, media: Path) -> None:
    before = stored(media)
    assert (await (await new_phone()).send(a_picture())).status_code == 401
    assert stored(media) == before


async def test_same_photo_sent_again_is_kept_once(citizen: Phone, media: Path) -> None:
    files, found = stored(media), await rows()
    answers = await asyncio.gather(*(citizen.send(a_picture(), key="photo-1") for _ in range(4)))
    assert {one.status_code for one in answers} == {201}
    assert len({one.content for one in answers}) == 1
    assert (len(stored(media) - files), await rows() - found) == (1, 1)
    other = await citizen.send(a_picture(61, 40), key="photo-1")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    # A form of another site could send as much, with the cookie.
    assert (await citizen.send(a_picture(), key=None)).status_code == 403


async def test_photo_is_used_once_by_its_owner_and_at_most_nine(
    citizen: Phone, new_citizen: NewPhone
) -> None:
    photo = await citizen.sends(a_picture())
    report = {"unit_code": "500153003007", "body": WATER, "kind": "help"}
    other = await new_citizen()
    assert (await other.post("/reports", **report, photos=[photo])).status_code == 422
    assert (await citizen.post("/reports", **report, photos=[photo, photo])).status_code == 422
    await citizen.reports(photos=[photo])
    assert (await citizen.post("/reports", **report, photos=[photo])).status_code == 422
    nobodys = "0197f000-0000-7000-8000-000000000000"
    assert (await citizen.post("/reports", **report, photos=[nobodys])).status_code == 422
    many = [f"0197f000-0000-7000-8000-{number:012d}" for number in range(10)]
    too_many = await citizen.post("/reports", **report, photos=many)
    assert too_many.json()["mistakes"][0] == {"where": "body.photos", "what": "项数过多，最多 9 项"}


async def test_photo_is_seen_by_staff_who_see_the_case_and_by_nobody_else(
    citizen: Phone, cadre: Phone
) -> None:
    photo = await citizen.sends(a_picture())
    ref = (await citizen.reports(photos=[photo]))["ref"]
    sealed_photo = await citizen.sends(a_picture())
    sealed = (await citizen.reports(kind="accusation", photos=[sealed_photo]))["ref"]
    assert (await cadre.get(f"/cadre/cases/{ref}/photos/{photo}")).status_code == 200
    hidden = await cadre.get(f"/cadre/cases/{sealed}/photos/{sealed_photo}")
    wrong_case = await cadre.get(f"/cadre/cases/{ref}/photos/{sealed_photo}")
    absent = await cadre.get(f"/cadre/cases/500153-200101-00000000/photos/{photo}")
    assert hidden.status_code == 404
    assert hidden.content == wrong_case.content == absent.content


async def test_whoever_only_sends_photos_is_stopped(new_citizen: NewPhone, media: Path) -> None:
    citizen = await new_citizen()
    await citizen.sends(a_picture())
    async with transaction() as tx:
        await tx.execute(
            text("""
            INSERT INTO attachment SELECT gen_random_uuid(), citizen_id, NULL, NULL, 1, 1, 1, now(), '', '', 'image/jpeg', NULL
            FROM (SELECT citizen_id FROM attachment ORDER BY created_at DESC LIMIT 1) p, generate_series(1, 39)
            """)
        )
    before = stored(media)
    assert (await citizen.send(a_picture())).status_code == 429
    assert stored(media) == before


async def test_photos_that_no_report_took_up_are_dropped_after_two_days(
    citizen: Phone, media: Path
) -> None:
    used, unused = await citizen.sends(a_picture()), await citizen.sends(a_picture())
    ref = (await citizen.reports(photos=[used]))["ref"]
    names = {one.stem for one in stored(media)}
    assert unused.replace("-", "") in names
    with clock.moved(attachments._KEPT_UNATTACHED):
        assert await attachments.drop_unattached() >= 1
    left = {one.stem for one in stored(media)}
    assert unused.replace("-", "") not in left
    assert (await citizen.get(f"/reports/{ref}/photos/{used}")).status_code == 200


async def test_files_whose_row_never_came_are_dropped_after_a_day(
    citizen: Phone, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "_LISTED_AT_ONCE", 2)
    used, unused = await citizen.sends(a_picture()), await citizen.sends(a_picture())
    ref = (await citizen.reports(photos=[used]))["ref"]
    async with reading() as tx:
        now = await tx.now()
    picture = await photos.prepare(a_picture())
    # As if the process had been killed between the bytes and the commit; five in one folder.
    left_over = [UUID(int=uuid7(now).int & ~0xFF | 7) for _ in range(5)]
    for photo in left_over:
        await attachments.put(photo, picture)
    foreign = [media / "photos" / "07" / name for name in ("README", f"{left_over[0].hex}.png")]
    for path in foreign:
        path.write_text("not ours")
    kept = stored(media) - {
        path for path in stored(media) if path.stem in {one.hex for one in left_over}
    }

    async def dropped_in(age: timedelta) -> int:
        hours = [age + timedelta(hours=hour) for hour in range(24)]
        return sum([await dropped_at(moment) for moment in hours])

    async def dropped_at(moment: timedelta) -> int:
        with clock.moved(moment):
            return await attachments.drop_without_row()

    assert await dropped_in(-timedelta(hours=1)) == 0
    assert await dropped_in(attachments._ROW_EXPECTED) == len(left_over)
    assert stored(media) == kept | set(foreign)
    assert {UUID(used).hex, UUID(unused).hex} <= {path.stem for path in kept}
    assert (await citizen.get(f"/reports/{ref}/photos/{used}")).status_code == 200


async def test_photo_is_sent_as_staff_from_a_phone_that_is_signed_in_as_both(
    new_citizen: NewPhone,
) -> None:
    """A cadre who tried the citizens' page on the village's phone registers with photos all the same."""
    phone = await new_citizen()
    signed_in = await phone.post("/cadre/sign-in", key=None, account="gongnong", password=PASSWORD)
    assert signed_in.status_code == 201
    told: dict[str, Any] = {"body": WATER, "kind": "help", "person": {"name": "王大爷"}}
    for sending_as, expected in (("staff", 201), ("citizen", 422)):
        sent = await phone.client.post(
            f"/m/v1/photos?as={sending_as}",
            files={"photo": ("a.jpg", a_picture(), "image/jpeg")},
            headers={"Idempotency-Key": secrets.token_hex(8)},
        )
        assert sent.status_code == 201, sent.text
        registered = await phone.post("/cadre/cases", **told, photos=[sent.json()["id"]])
        assert registered.status_code == expected, registered.text
