"""Voice messages: known by their bytes, a minute at most, played to those who may see the case and to nobody else."""

import asyncio
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app import clock
from app.cases.actions import erasing
from app.db import reading, transaction
from app.matters import attachments
from app.matters.voice_formats import BROKEN, EMPTY, NOT_A_VOICE, OTHER_FORMAT
from app.matters.voices import MAX_BYTES, TOO_LONG
from tests import faces, people
from tests.mobile.conftest import WATER, NewPhone, Phone, a_picture, a_recording
from tests.mobile.test_photos import stored

RECORDED = {
    "recorded.webm": "audio/webm",
    "recorded-live.webm": "audio/webm",
    "recorded.ogg": "audio/ogg",
    "recorded.m4a": "audio/mp4",
    "recorded-in-fragments.m4a": "audio/mp4",
}
_SILENCE = b"\xf8\xff\xfe"  # an Opus packet of 20 ms
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def ogg_page(number: int, granule: int, packets: list[bytes], flags: int = 0) -> bytes:
    lacing = bytes(len(one) for one in packets)
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, 7, number, 0, len(packets))
    blank = head + lacing + b"".join(packets)
    mirrored = zlib.crc32(blank.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    checksum = int(f"{mirrored:032b}"[::-1], 2)
    return blank[:22] + struct.pack("<I", checksum) + blank[26:]


def ogg(packets: int, *, granule: int = 0) -> bytes:
    """A recording of so many packets of 20 ms; each page says that it ends at `granule`."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48000, 0, 0)
    pages = [ogg_page(0, 0, [head], 2), ogg_page(1, 0, [b"OpusTags" + bytes(8)])]
    for number, first in enumerate(range(0, packets, 50), start=2):
        pages.append(ogg_page(number, granule, [_SILENCE] * min(50, packets - first)))
    return b"".join(pages)


@pytest.mark.parametrize(("name", "kind"), RECORDED.items(), ids=RECORDED)
async def test_voice_is_known_by_its_bytes_and_served_as_what_it_is(
    citizen: Phone, cadre: Phone, name: str, kind: str
) -> None:
    sent = await citizen.records(a_recording(name), type="text/html", name="voice.html")
    assert (sent.status_code, sent.json()["seconds"]) == (201, 1), sent.text
    voice = sent.json()["id"]
    ref = (await citizen.reports(voices=[voice]))["ref"]
    assert (await citizen.get(f"/reports/{ref}")).json()["voices"] == [{"id": voice, "seconds": 1}]
    for phone, path in ((citizen, f"/reports/{ref}"), (cadre, f"/cadre/cases/{ref}")):
        played = await phone.get(f"{path}/voices/{voice}")
        assert (played.status_code, played.content) == (200, a_recording(name))
        assert played.headers["content-type"] == kind
        assert played.headers["x-content-type-options"] == "nosniff"
        assert played.headers["content-disposition"] == "inline"
        assert played.headers["cache-control"] == "private, no-store"
        assert (await phone.get(f"{path}/photos/{voice}")).status_code == 404
    async with people.signed_in(faces.desk(), "guangshun") as desk:
        assert (await desk.get(f"/cases/{ref}/voices/{voice}")).status_code == 404
    async with people.signed_in(faces.desk(), "gongnong") as desk:
        assert (await desk.get(f"/cases/{ref}/voices/{voice}")).content == a_recording(name)
        assert (await desk.sees(f"/cases/{ref}"))["voices"] == [{"id": voice, "seconds": 1}]


async def test_part_of_a_voice_is_answered_where_a_part_is_asked_for(citizen: Phone) -> None:
    voice = await citizen.speaks(a_recording("recorded.m4a"))
    ref = (await citizen.reports(voices=[voice]))["ref"]
    whole, parts = a_recording("recorded.m4a"), {}
    for asked in ("bytes=0-1", "bytes=100-", "bytes=-10", "bytes=999999-", "bytes=5-1", "lines=1-2"):  # fmt: skip
        parts[asked] = await citizen.client.get(
            f"/m/v1/reports/{ref}/voices/{voice}", headers={"Range": asked}
        )
    answered = {asked: (one.status_code, one.content) for asked, one in parts.items()}
    assert answered == {
        "bytes=0-1": (206, whole[:2]),
        "bytes=100-": (206, whole[100:]),
        "bytes=-10": (206, whole[-10:]),
        "bytes=999999-": (200, whole),
        "bytes=5-1": (200, whole),
        "lines=1-2": (200, whole),
    }
    assert parts["bytes=0-1"].headers["content-range"] == f"bytes 0-1/{len(whole)}"


REFUSED = {
    "nothing": (b"", EMPTY),
    "noise": (bytes(range(256)) * 40, NOT_A_VOICE),
    "a photo": (a_picture(), NOT_A_VOICE),
    "an iPhone's photo": (b"\x00\x00\x00\x18ftypheic" + bytes(200), NOT_A_VOICE),
    "a page": (b"<!doctype html><script>alert(1)</script>", NOT_A_VOICE),
    "a container for films": (a_recording("matroska.webm"), NOT_A_VOICE),
    "a codec that phones do not play": (a_recording("opus-in-mp4.m4a"), OTHER_FORMAT),
    "no sound": (ogg(0), EMPTY),
    "a minute and two seconds": (ogg(62 * 50), TOO_LONG),
    "an hour in a page's own words": (ogg(50, granule=3600 * 48000), TOO_LONG),
    "half a file (webm)": (a_recording("recorded.webm")[:-100], BROKEN),
    "half a file (ogg)": (a_recording("recorded.ogg")[:-100], BROKEN),
    "half a file (mp4)": (a_recording("recorded-in-fragments.m4a")[:-100], BROKEN),
    "a changed byte": (ogg(50)[:200] + b"!" + ogg(50)[201:], BROKEN),
    "something behind it": (a_recording("recorded.ogg") + b"PK\x03\x04<script>", BROKEN),
}


@pytest.mark.parametrize(("sent", "why"), REFUSED.values(), ids=REFUSED)
async def test_what_is_no_voice_message_is_refused_in_words(
    citizen: Phone, media: Path, sent: bytes, why: str
) -> None:
    before = stored(media)
    answer = await citizen.records(sent)
    assert answer.status_code == 422, answer.text
    assert answer.json()["mistakes"] == [{"where": "body.voice", "what": why}]
    assert stored(media) == before


async def test_voice_of_61_seconds_is_taken_and_one_over_a_megabyte_is_not(citizen: Phone) -> None:
    assert (await citizen.records(ogg(61 * 50))).json()["seconds"] == 61
    assert (await citizen.records(bytes(MAX_BYTES + 10))).status_code == 413
    assert (await citizen.records(bytes(MAX_BYTES + 10_000))).status_code == 413


async def test_same_voice_sent_again_is_kept_once(citizen: Phone, media: Path) -> None:
    before = stored(media)
    answers = await asyncio.gather(
        *(citizen.records(a_recording(), key="voice-1") for _ in range(4))
    )
    assert {one.status_code for one in answers} == {201}
    assert len({one.content for one in answers}) == 1
    assert len(stored(media) - before) == 1
    assert (await citizen.records(a_recording(), key=None)).status_code == 403


async def test_voice_is_used_once_by_its_owner_and_never_as_a_photo(
    citizen: Phone, new_citizen: NewPhone
) -> None:
    voice, photo = await citizen.speaks(a_recording()), await citizen.sends(a_picture())
    report = {"unit_code": "500153003007", "body": WATER}
    wrong: tuple[tuple[Phone, dict[str, Any], str], ...] = (
        (await new_citizen(), {"voices": [voice]}, "body.voices"),
        (citizen, {"photos": [voice]}, "body.photos"),
        (citizen, {"voices": [photo]}, "body.voices"),
        (citizen, {"voices": [voice, voice]}, "body.voices"),
        (citizen, {"voices": [voice] * 4}, "body.voices"),
    )
    for phone, what, field in wrong:
        refused = await phone.post("/reports", **report, **what)
        assert refused.status_code == 422, (what, refused.text)
        assert refused.json()["mistakes"][0]["where"] == field
    await citizen.reports(voices=[voice], photos=[photo])
    again = await citizen.post("/reports", **report, voices=[voice])
    assert again.json()["mistakes"] == [
        {"where": "body.voices", "what": "语音不存在或已使用，请重新录制"}
    ]


async def test_report_without_a_word_is_named_for_what_it_brings(
    citizen: Phone, cadre: Phone
) -> None:
    photo, voice = await citizen.sends(a_picture()), await citizen.speaks(a_recording())
    spoken = await citizen.reports(body="", voices=[voice], place="13栋")
    shown = await citizen.post("/reports", unit_code="500153003007", photos=[photo])
    assert (spoken["title"], shown.json()["title"]) == ("语音反映：13栋", "照片反映")
    assert spoken["similar_open"] == shown.json()["similar_open"] == []
    more = await citizen.reports(body="", photos=[await citizen.sends(a_picture())])
    assert (more["title"], more["similar_open"]) == ("照片反映", [])
    case = (await cadre.get(f"/cadre/cases/{spoken['ref']}")).json()
    assert (case["body"], case["kind"]) == ("", "help")
    nothing = await citizen.post("/reports", unit_code="500153003007", body=" \u200b ")
    assert nothing.json()["mistakes"] == [
        {"where": "body.body", "what": "请写一句话，或者附上照片、语音"}
    ]
    spoken_to_cadre = await cadre.speaks(a_recording())
    typed = await cadre.post(
        "/cadre/cases", person={"name": "王大爷"}, voices=[spoken_to_cadre], occurred_at=None
    )
    assert (typed.status_code, typed.json()["title"]) == (201, "语音反映")


async def test_voice_of_a_sealed_case_is_heard_by_its_inspectors_alone(
    citizen: Phone, cadre: Phone, new_phone: NewPhone
) -> None:
    voice = await citizen.speaks(a_recording())
    ref = (await citizen.reports(kind="accusation", voices=[voice]))["ref"]
    hidden = await cadre.get(f"/cadre/cases/{ref}/voices/{voice}")
    absent = await cadre.get(f"/cadre/cases/500153-200101-00000000/voices/{voice}")
    assert hidden.status_code == 404
    assert hidden.content == absent.content
    assert (await (await new_phone()).get(f"/reports/{ref}/voices/{voice}")).status_code == 401
    async with people.signed_in(faces.desk(), "jiwei") as inspector:
        assert (await inspector.get(f"/cases/{ref}/voices/{voice}")).status_code == 200


async def test_voice_that_no_report_took_up_is_dropped_after_two_days(
    citizen: Phone, media: Path
) -> None:
    used, unused = await citizen.speaks(a_recording()), await citizen.speaks(a_recording())
    ref = (await citizen.reports(voices=[used]))["ref"]
    with clock.moved(attachments._KEPT_UNATTACHED):
        await attachments.drop_unattached()
    left = {one.stem for one in stored(media)}
    assert (used.replace("-", "") in left, unused.replace("-", "") in left) == (True, False)
    assert (await citizen.get(f"/reports/{ref}/voices/{used}")).status_code == 200


async def test_erased_case_has_neither_its_voice_nor_its_position(
    citizen: Phone, cadre: Phone, media: Path
) -> None:
    voice = await citizen.speaks(a_recording())
    position = {"latitude": 29.4, "longitude": 105.59, "accuracy_m": 12, "datum": "wgs84"}
    ref = (await citizen.reports(voices=[voice], position=position))["ref"]
    assert (await cadre.get(f"/cadre/cases/{ref}")).json()["position"] == position
    async with transaction() as tx:
        erased = await erasing.erase_texts(tx, ref, reason="依申请", now=await tx.now())
    await attachments.discard(erased.voices)
    case = (await cadre.get(f"/cadre/cases/{ref}")).json()
    assert (case["body"], case["position"]) == (None, None)
    assert (await cadre.get(f"/cadre/cases/{ref}/voices/{voice}")).status_code == 404
    assert (await citizen.get(f"/reports/{ref}/voices/{voice}")).status_code == 404
    assert voice.replace("-", "") not in {one.stem for one in stored(media)}
    async with reading() as tx:
        left = await tx.scalar(
            text("SELECT count(*) FROM record_text x JOIN grievance g ON g.id = x.matter_id WHERE g.ref = :ref AND x.field = 'position' AND x.text IS NOT NULL"),
            ref=ref,
        )  # fmt: skip
    assert left == 0
