"""Photos of a matter: kept, taken up by a registration, opened by those who may see the matter.

The bytes stand in the media store before their row is committed: a row without its bytes cannot be.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit
from uuid import UUID

import obstore
from anyio import to_thread
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url
from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from app import usage
from app.auth.actor import CitizenActor, StaffActor, owner_of
from app.db import Transaction, reading, transaction
from app.db.row_base import MOMENT, Stored
from app.errors import InvalidInput, NotFound, TooMany, Unavailable
from app.identifiers import uuid7
from app.matters.photo_decoders import Decoders
from app.matters.pictures import ImageRefused, Picture
from app.matters.visibility import VISIBLE_TO_CITIZEN, VISIBLE_TO_STAFF, viewer
from app.settings import settings
from app.usage import Counted, Purpose

MAX_PHOTOS = 9
# What somebody may have sent in a day without having registered anything with it.
_UNATTACHED_A_DAY = 40
_KEPT_UNATTACHED = timedelta(days=2)
# A row comes within seconds after its bytes, or never: the process was killed in between.
_ROW_EXPECTED = timedelta(days=1)
_FOLDERS = [f"{number:02x}" for number in range(256)]
_LISTED_AT_ONCE = 500
_DECODERS = Decoders()


class Photo(Stored, table=True):
    """A photo somebody sent in; its bytes are in the media store under a name made from `id` (app/matters/photos.py).

    `matter_id` is empty until a registration takes the photo up.
    """

    __tablename__ = "photo"
    __table_args__ = (
        CheckConstraint("(citizen_id IS NULL) <> (staff_id IS NULL)", name="photo_of_one_person"),
        Index("photo_by_matter", "matter_id", postgresql_where=text("matter_id IS NOT NULL")),
        Index("photo_unattached", "created_at", postgresql_where=text("matter_id IS NULL")),
    )
    CHANGING: ClassVar[tuple[str, ...]] = ("matter_id",)
    SEALED: ClassVar[tuple[str, ...]] = (
        "id", "citizen_id", "staff_id", "width", "height", "size", "digest", "created_at",
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    citizen_id: UUID | None = Field(default=None, foreign_key="citizen.id")
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    matter_id: UUID | None = Field(default=None, foreign_key="matter.id")
    width: int
    height: int
    size: int
    created_at: datetime = Field(sa_type=MOMENT)
    # SHA-256 of the bytes in the media store.
    digest: bytes
    # Keyed digest over the SEALED columns (app/db/row_base.py).
    seal: bytes = b""


_OWN = "(citizen_id = CAST(:citizen_id AS uuid) OR staff_id = CAST(:staff_id AS int))"
_CLAIM = text(
    f"SELECT * FROM photo WHERE id = ANY(CAST(:ids AS uuid[])) AND matter_id IS NULL AND {_OWN} ORDER BY id FOR UPDATE"  # noqa: S608 - our own text
)
_LATELY = text(
    f"SELECT count(*) FROM photo WHERE matter_id IS NULL AND created_at > :since AND {_OWN}"  # noqa: S608 - our own text
)
_OPEN = "SELECT ph.id FROM photo ph JOIN matter_facts c ON c.id = ph.matter_id WHERE c.ref = :ref AND ph.id = :photo_id AND "
_OPEN_FOR_STAFF = text(_OPEN + VISIBLE_TO_STAFF)
_OPEN_FOR_CITIZEN = text(_OPEN + VISIBLE_TO_CITIZEN)
_FORGET = text("""
DELETE FROM photo WHERE id IN (
  SELECT id FROM photo WHERE matter_id IS NULL AND created_at < :before LIMIT 500 FOR UPDATE SKIP LOCKED)
RETURNING id
""")
_NAMED = text("SELECT id FROM photo WHERE id = ANY(CAST(:ids AS uuid[]))")


async def admit(tx: Transaction, *, by: CitizenActor | StaffActor, now: datetime) -> None:
    """Count a photo before anything is done with it. Raises TooMany."""
    staff = isinstance(by, StaffActor)
    purpose = Purpose.PHOTOS_OF_STAFF if staff else Purpose.PHOTOS_OF_RESIDENT
    await usage.count(tx, Counted(purpose, owner_of(by)), now=now)
    await _require_few_unattached(tx, by=by, now=now)


async def prepare(sent: bytes) -> Picture:
    """The picture alone, from another process. Raises InvalidInput for what is no photo, Unavailable when too many wait."""
    try:
        return await _DECODERS.clean(sent)
    except ImageRefused as refused:
        raise InvalidInput(mistakes=[{"where": "body.photo", "what": str(refused)}]) from refused


def turn() -> AbstractAsyncContextManager[None]:
    """A place among those that wait for a decoder. Raises Unavailable when too many do."""
    return _DECODERS.turn()


async def end_decoders() -> None:
    """When the server ends; the next photo would start them again."""
    await _DECODERS.close()


async def put(photo_id: UUID, picture: Picture) -> None:
    """Into the media store. Raises Unavailable when it is away."""
    try:
        await obstore.put_async(_store(), _name(photo_id), picture.jpeg, mode="create")
        await to_thread.run_sync(_hide, photo_id)
    except (BaseError, OSError) as away:
        raise Unavailable("照片暂时无法保存，请稍后再试。", retry_after=10) from away


async def keep(
    tx: Transaction,
    photo_id: UUID,
    picture: Picture,
    *,
    by: CitizenActor | StaffActor,
    now: datetime,
) -> None:
    """The row of a photo whose bytes are stored. Raises TooMany for somebody who sends and never registers."""
    await _require_few_unattached(tx, by=by, now=now)
    tx.add(
        Photo(
            id=photo_id,
            width=picture.width,
            height=picture.height,
            size=len(picture.jpeg),
            digest=sha256(picture.jpeg).digest(),
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
        raise TooMany("上传的照片过多，请先提交反映的事项。", retry_after=3600)


async def claim(
    tx: Transaction, ids: Sequence[UUID], *, by: CitizenActor | StaffActor
) -> list[Photo]:
    """Lock photos that a registration names. Raises InvalidInput for what is not the actor's or is in use already."""
    if not ids:
        return []
    rows = await tx.all(_CLAIM, ids=list(ids), **_owner(by))
    if len(rows) != len(ids):
        raise InvalidInput(
            mistakes=[{"where": "body.photos", "what": "照片不存在或已使用，请重新上传"}]
        )
    return [Photo.read(row) for row in rows]


def attach(tx: Transaction, taken_up: Sequence[Photo], matter_id: UUID) -> None:
    for photo in taken_up:
        photo.matter_id = matter_id
        tx.change(photo)


async def open_photo(
    tx: Transaction, ref: str, photo_id: UUID, *, by: StaffActor | CitizenActor
) -> UUID:
    """The photo of a matter that the actor may see. Raises NotFound for what is not there or not the actor's."""
    if isinstance(by, StaffActor):
        found = await tx.scalar(_OPEN_FOR_STAFF, ref=ref, photo_id=photo_id, **viewer(by))
    else:
        found = await tx.scalar(
            _OPEN_FOR_CITIZEN, ref=ref, photo_id=photo_id, citizen_id=by.citizen_id
        )
    if found is None:
        raise NotFound
    return photo_id


async def load(photo_id: UUID) -> bytes:
    """The JPEG, once it was opened; needs no connection to the database, so none should be held meanwhile."""
    try:
        stored = await obstore.get_async(_store(), _name(photo_id))
        return bytes(await stored.bytes_async())
    except FileNotFoundError as gone:
        raise NotFound from gone
    except BaseError as away:
        raise Unavailable("照片暂时无法读取，请稍后再试。", retry_after=10) from away


async def drop_unattached() -> int:
    """Photos that no registration took up; returns how many. The row goes first: a file left over is found below."""
    async with transaction() as tx:
        dropped = await tx.all(_FORGET, before=await tx.now() - _KEPT_UNATTACHED)
    await discard([row.id for row in dropped])
    return len(dropped)


async def drop_without_row() -> int:
    """Files that no row names; returns how many. At each hour of the day another part of the folders, so all in a day."""
    async with reading() as tx:
        now = await tx.now()
    dropped = 0
    for folder in _FOLDERS[now.hour :: 24]:
        listed = obstore.list(_store(), f"photos/{folder}/", chunk_size=_LISTED_AT_ONCE)
        async for page in listed:
            left_over = await _without_row(one["path"] for one in page)
            await discard(left_over)
            dropped += len(left_over)
    return dropped


async def _without_row(paths: Iterable[str]) -> list[UUID]:
    """Whatever is not named as we name photos is not ours to judge."""
    async with reading() as tx:
        newest = uuid7(await tx.now() - _ROW_EXPECTED)
        old = {one for path in paths if (one := _photo_id(path)) is not None and one < newest}
        named = {row.id for row in await tx.all(_NAMED, ids=list(old))}
    return sorted(old - named)


async def discard(photo_ids: Sequence[UUID]) -> None:
    """Remove the bytes of photos that have no row."""
    for photo_id in photo_ids:
        try:
            await obstore.delete_async(_store(), _name(photo_id))
        except FileNotFoundError:
            continue


def _owner(by: CitizenActor | StaffActor) -> dict[str, UUID | int | None]:
    if isinstance(by, StaffActor):
        return {"citizen_id": None, "staff_id": by.staff_id}
    return {"citizen_id": by.citizen_id, "staff_id": None}


def _name(photo_id: UUID) -> str:
    # By the random end of the id, so that a folder holds few; its beginning is the time.
    return f"photos/{photo_id.hex[-2:]}/{photo_id.hex}.jpg"


def _photo_id(path: str) -> UUID | None:
    try:
        found = UUID(path.rpartition("/")[2].removesuffix(".jpg"))
    except ValueError:
        return None
    return found if _name(found) == path else None


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
    """Nobody else of this machine looks in, whatever the umask is; an older folder is closed too."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in (folder, *folder.glob("photos"), *folder.glob("photos/??")):
        one.chmod(0o700)


def _hide(photo_id: UUID) -> None:
    """The store writes as the umask says."""
    folder = _folder_at(settings().media_store_url)
    if folder is not None:
        file = folder / _name(photo_id)
        file.chmod(0o600)
        for one in (file.parent, file.parent.parent):
            one.chmod(0o700)
