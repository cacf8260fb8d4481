"""Photos and voice messages of a matter: kept, taken up by an entry of the record, opened by those who may see the matter.

The bytes stand in the media store before their row is committed: a row without its bytes cannot be. What bytes are good
is for photos.py and voices.py.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

import obstore
from anyio import to_thread
from msgspec import Struct
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url
from sqlalchemy import CheckConstraint, Index, Text, text
from sqlmodel import Field

from app import usage
from app.auth.actor import CitizenActor, StaffActor, owner_of
from app.db import Transaction, reading, transaction
from app.db.query import Query, columns
from app.db.row_base import MOMENT, Stored, one_of
from app.errors import InvalidInput, NotFound, TooMany, Unavailable
from app.identifiers import uuid7
from app.matters.visibility import VISIBLE_TO_STAFF, viewer
from app.settings import settings
from app.usage import Counted, Purpose

MAX_PHOTOS: Final = 9
MAX_VOICES: Final = 3
# The most unused attachments of one person in a day.
_UNATTACHED_A_DAY = 40
_KEPT_UNATTACHED = timedelta(days=2)
# A row comes within seconds after its bytes, or never: the process was killed in between.
_ROW_EXPECTED = timedelta(days=1)
_FOLDERS = [f"{number:02x}" for number in range(256)]
_LISTED_AT_ONCE = 500


class Media(StrEnum):
    """What the bytes are; served as this."""

    JPEG = "image/jpeg"
    WEBM = "audio/webm"
    OGG = "audio/ogg"
    MP4 = "audio/mp4"


VOICES: Final = frozenset(Media) - {Media.JPEG}
# Where the bytes of each stand in the media store.
_NAMES: Final = {
    Media.JPEG: ("photos", "jpg"),
    Media.WEBM: ("voices", "webm"),
    Media.OGG: ("voices", "ogg"),
    Media.MP4: ("voices", "m4a"),
}
_MEDIA: Final = {name: media for media, name in _NAMES.items()}
_ROOTS: Final = ("photos", "voices")


class Content(Struct, frozen=True):
    """Checked content: a photo with width and height, or a voice message with its length."""

    media: Media
    data: bytes
    width: int | None = None
    height: int | None = None
    milliseconds: int | None = None

    @property
    def seconds(self) -> int:
        return _seconds(self.milliseconds)


class Attachment(Stored, table=True):
    """A photo or voice message somebody sent in; its bytes are in the media store under a name made from `id` and `media`.

    `matter_id` is empty until an entry takes it up.
    """

    __tablename__ = "attachment"
    __table_args__ = (
        one_of("media", Media),
        CheckConstraint(
            "(citizen_id IS NULL) <> (staff_id IS NULL)", name="attachment_of_one_person"
        ),
        CheckConstraint(
            "CASE WHEN media = 'image/jpeg' THEN num_nulls(width, height) = 0 AND milliseconds IS NULL "
            "ELSE num_nonnulls(width, height) = 0 AND milliseconds > 0 END",
            name="attachment_measured",
        ),
        Index("attachment_by_matter", "matter_id", postgresql_where=text("matter_id IS NOT NULL")),
        Index("attachment_unattached", "created_at", postgresql_where=text("matter_id IS NULL")),
    )
    CHANGING: ClassVar[tuple[str, ...]] = ("matter_id",)
    SEALED: ClassVar[tuple[str, ...]] = (
        "id", "citizen_id", "staff_id", "media", "width", "height", "milliseconds", "size", "digest", "created_at",
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    citizen_id: UUID | None = Field(default=None, foreign_key="citizen.id")
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    matter_id: UUID | None = Field(default=None, foreign_key="matter.id")
    width: int | None = None
    height: int | None = None
    size: int
    created_at: datetime = Field(sa_type=MOMENT)
    # SHA-256 of the bytes in the media store.
    digest: bytes
    # Keyed digest over the SEALED columns (app/db/row_base.py).
    seal: bytes = b""
    media: Media = Field(sa_type=Text)
    # How long a voice message is.
    milliseconds: int | None = None

    @property
    def seconds(self) -> int:
        return _seconds(self.milliseconds)


def _seconds(milliseconds: int | None) -> int:
    """Of a voice message, at least one."""
    assert milliseconds is not None, "of a voice message"
    return max(1, round(milliseconds / 1000))


class Taken(Struct, frozen=True):
    """What an entry takes up, in the order that was asked for."""

    photos: Sequence[Attachment] = ()
    voices: Sequence[Attachment] = ()

    def attach(self, tx: Transaction, matter_id: UUID) -> dict[str, Any]:
        """Make all of it the matter's; returns what the entry tells of it."""
        for one in (*self.photos, *self.voices):
            one.matter_id = matter_id
            tx.change(one)
        told: dict[str, Any] = {}
        if self.photos:
            told["photos"] = [one.id for one in self.photos]
        if self.voices:
            told["voices"] = [{"id": one.id, "seconds": one.seconds} for one in self.voices]
        return told


class _Row(Struct, frozen=True):
    id: UUID
    media: Media


_NOT_THERE: Final = {
    "photos": "照片不存在或已使用，请重新上传",
    "voices": "语音不存在或已使用，请重新录制",
}
_OWN = "(citizen_id = CAST(:citizen_id AS uuid) OR staff_id = CAST(:staff_id AS int))"
_CLAIM = Query(
    Attachment,
    f"SELECT {columns('a', Attachment)} FROM attachment a WHERE id = ANY(CAST(:ids AS uuid[])) AND matter_id IS NULL AND {_OWN} ORDER BY id FOR UPDATE",  # noqa: S608 - our own text
)
_LATELY = text(
    f"SELECT count(*) FROM attachment WHERE matter_id IS NULL AND created_at > :since AND {_OWN}"  # noqa: S608 - our own text
)
_OPEN_FOR_STAFF = Query(
    _Row,
    f"""
SELECT a.id, a.media FROM attachment a JOIN matter_facts c ON c.id = a.matter_id
WHERE c.ref = :ref AND a.id = :attachment_id AND {VISIBLE_TO_STAFF}""",  # noqa: S608 - our own text
)
_BY_ID = Query(_Row, "SELECT id, media FROM attachment WHERE id = :attachment_id")
_FORGET = Query(
    _Row,
    """
DELETE FROM attachment WHERE id IN (
  SELECT id FROM attachment WHERE matter_id IS NULL AND created_at < :before LIMIT 500 FOR UPDATE SKIP LOCKED)
RETURNING id, media""",
)
_NAMED = Query(_Row, "SELECT id, media FROM attachment WHERE id = ANY(CAST(:ids AS uuid[]))")


async def admit(tx: Transaction, *, by: CitizenActor | StaffActor, now: datetime) -> None:
    """Counts an upload before it is decoded. Raises TooMany."""
    staff = isinstance(by, StaffActor)
    purpose = Purpose.PHOTOS_OF_STAFF if staff else Purpose.PHOTOS_OF_RESIDENT
    await usage.count(tx, Counted(purpose, owner_of(by)), now=now)
    await _require_few_unattached(tx, by=by, now=now)


async def put(attachment_id: UUID, content: Content) -> None:
    """Into the media store. Raises Unavailable when it is away."""
    name = _name(attachment_id, content.media)
    try:
        await obstore.put_async(_store(), name, content.data, mode="create")
        await to_thread.run_sync(_hide, name)
    except (BaseError, OSError) as away:
        raise Unavailable("照片、语音暂时无法保存，请稍后再试。", retry_after=10) from away


async def keep(
    tx: Transaction,
    attachment_id: UUID,
    content: Content,
    *,
    by: CitizenActor | StaffActor,
    now: datetime,
) -> None:
    """The row of a stored attachment. Raises TooMany for a person with too many unused ones."""
    await _require_few_unattached(tx, by=by, now=now)
    tx.add(
        Attachment(
            id=attachment_id,
            media=content.media,
            width=content.width,
            height=content.height,
            milliseconds=content.milliseconds,
            size=len(content.data),
            digest=sha256(content.data).digest(),
            created_at=now,
            citizen_id=by.citizen_id if isinstance(by, CitizenActor) else None,
            staff_id=by.staff_id if isinstance(by, StaffActor) else None,
        )
    )


async def _require_few_unattached(
    tx: Transaction, *, by: CitizenActor | StaffActor, now: datetime
) -> None:
    lately = await tx.scalar(_LATELY, since=now - timedelta(days=1), **_owner(by))
    if lately >= _UNATTACHED_A_DAY:
        raise TooMany("上传的照片、语音过多，请先提交反映的事项。", retry_after=3600)


async def claim(
    tx: Transaction,
    *,
    photos: Sequence[UUID],
    voices: Sequence[UUID] = (),
    by: CitizenActor | StaffActor,
) -> Taken:
    """Locks the attachments that an action names. Raises InvalidInput for one that is not the actor's or is in use."""
    if not (photos or voices):
        return Taken()
    rows = {row.id: row for row in await _CLAIM.all(tx, ids=[*photos, *voices], **_owner(by))}
    found = {
        "photos": [rows[one] for one in photos if one in rows and rows[one].media not in VOICES],
        "voices": [rows[one] for one in voices if one in rows and rows[one].media in VOICES],
    }
    mistakes = [
        {"where": f"body.{field}", "what": _NOT_THERE[field]}
        for field, asked in (("photos", photos), ("voices", voices))
        if len(found[field]) != len(asked)
    ]
    if mistakes:
        raise InvalidInput(mistakes=mistakes)
    return Taken(**found)


async def open_for_staff(
    tx: Transaction, ref: str, attachment_id: UUID, *, by: StaffActor
) -> Media:
    """What the bytes are. Raises NotFound for what is not there or not the actor's to see."""
    found = await _OPEN_FOR_STAFF.one_or_none(
        tx, ref=ref, attachment_id=attachment_id, **viewer(by)
    )
    if found is None:
        raise NotFound
    return found.media


async def media_of(tx: Transaction, attachment_id: UUID) -> Media:
    """For attachments of an entry that the actor reads. Raises NotFound after erasure."""
    found = await _BY_ID.one_or_none(tx, attachment_id=attachment_id)
    if found is None:
        raise NotFound
    return found.media


async def load(attachment_id: UUID, media: Media) -> bytes:
    """The bytes, once they were opened; needs no connection to the database, so none should be held meanwhile."""
    try:
        stored = await obstore.get_async(_store(), _name(attachment_id, media))
        return bytes(await stored.bytes_async())
    except FileNotFoundError as gone:
        raise NotFound from gone
    except BaseError as away:
        raise Unavailable("照片、语音暂时无法读取，请稍后再试。", retry_after=10) from away


async def drop_unattached() -> int:
    """What no entry took up; returns how many. The row goes first: a file left over is found below."""
    async with transaction() as tx:
        dropped = await _FORGET.all(tx, before=await tx.now() - _KEPT_UNATTACHED)
    await discard([(row.id, row.media) for row in dropped])
    return len(dropped)


async def drop_without_row() -> int:
    """Files that no row names; returns how many. At each hour of the day another part of the folders, so all in a day."""
    async with reading() as tx:
        now = await tx.now()
    dropped = 0
    for root in _ROOTS:
        for folder in _FOLDERS[now.hour :: 24]:
            listed = obstore.list(_store(), f"{root}/{folder}/", chunk_size=_LISTED_AT_ONCE)
            async for page in listed:
                left_over = await _without_row(one["path"] for one in page)
                await discard(left_over)
                dropped += len(left_over)
    return dropped


async def _without_row(paths: Iterable[str]) -> list[tuple[UUID, Media]]:
    """Skips files with other names than attachments have."""
    async with reading() as tx:
        newest = uuid7(await tx.now() - _ROW_EXPECTED)
        found = (_named(path) for path in paths)
        old = {one[0]: one[1] for one in found if one is not None and one[0] < newest}
        named = {row.id for row in await _NAMED.all(tx, ids=list(old))}
    return sorted((one, media) for one, media in old.items() if one not in named)


async def discard(left_over: Sequence[tuple[UUID, Media]]) -> None:
    """Remove bytes that have no row."""
    for attachment_id, media in left_over:
        try:
            await obstore.delete_async(_store(), _name(attachment_id, media))
        except FileNotFoundError:
            continue


def _owner(by: CitizenActor | StaffActor) -> dict[str, UUID | int | None]:
    if isinstance(by, StaffActor):
        return {"citizen_id": None, "staff_id": by.staff_id}
    return {"citizen_id": by.citizen_id, "staff_id": None}


def _name(attachment_id: UUID, media: Media) -> str:
    # By the random end of the id, so that a folder holds few; its beginning is the time.
    root, ending = _NAMES[media]
    return f"{root}/{attachment_id.hex[-2:]}/{attachment_id.hex}.{ending}"


def _named(path: str) -> tuple[UUID, Media] | None:
    stem, _, ending = path.rpartition("/")[2].rpartition(".")
    media = _MEDIA.get((path.partition("/")[0], ending))
    try:
        found = UUID(stem)
    except ValueError:
        return None
    return (found, media) if media is not None and _name(found, media) == path else None


def _store() -> ObjectStore:
    return _store_at(settings().media_store_url)


@cache
def _store_at(url: str) -> ObjectStore:
    folder = _folder_at(url)
    if folder is None:
        return from_url(url)
    _make_private(folder)
    return LocalStore(folder)


def _folder_at(url: str) -> Path | None:
    """The folder of a store on this machine."""
    return Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None


def _make_private(folder: Path) -> None:
    """Readable by the server's user alone, also an older folder; independent of the umask."""
    folder.mkdir(parents=True, exist_ok=True)
    for root in _ROOTS:
        for one in (folder, *folder.glob(root), *folder.glob(f"{root}/??")):
            one.chmod(0o700)


def _hide(name: str) -> None:
    """The store writes as the umask says."""
    folder = _folder_at(settings().media_store_url)
    if folder is not None:
        file = folder / name
        file.chmod(0o600)
        for one in (file.parent, file.parent.parent):
            one.chmod(0o700)
