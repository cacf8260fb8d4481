"""Sending photos and voice messages in and opening them, for citizens and staff. No connection to the database is held meanwhile."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import asyncpg
from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Query, Request
from msgspec import Struct
from pydantic import Field
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartParser
from starlette.responses import JSONResponse, Response

from app import idempotency
from app.auth import sessions
from app.auth.sessions import SignedIn
from app.cases import timeline
from app.db import reading, transaction
from app.errors import (
    InvalidInput,
    KeyRequired,
    KeyReused,
    NotFound,
    NotPermitted,
    SignInRequired,
    TooLarge,
    TooMany,
)
from app.http.attachments import (
    StoredAttachment,
    a_photo,
    a_voice,
    photo_for_staff,
    voice_for_staff,
)
from app.http.inputs import Ref
from app.http.operations import Operation
from app.http.outputs import Output
from app.http.problems import problems
from app.http.transaction import OneTransaction, Repeated, Tx
from app.http.who import (
    CITIZEN_COOKIE,
    STAFF_COOKIE,
    ByCitizen,
    checked_key,
    reads_key_and_post,
    require_key,
    require_same_post,
    token_of,
)
from app.identifiers import uuid7
from app.matters import attachments, photos, pictures, voices
from app.matters.attachments import Content
from mobile_api.cadre_sessions import ByCadre

# The file, and what multipart puts around it.
_AROUND: Final = 4096
LARGER: Final = {"/photos": pictures.MAX_BYTES + _AROUND, "/voices": voices.MAX_BYTES + _AROUND}
# Uploads in progress are spooled to disk: many arrive at once, and slowly.
MultiPartParser.spool_max_size = 64 * 1024

sending = APIRouter(tags=["照片和语音"], dependencies=[Depends(require_key)], route_class=Operation)
looking = APIRouter(tags=["照片和语音"], route_class=OneTransaction)
PhotoId = Annotated[UUID, Path(description="照片编号")]
VoiceId = Annotated[UUID, Path(description="语音编号")]


class PhotoOut(Output):
    id: UUID = Field(description="照片编号，登记或办理时填入 photos")
    width: int = Field(examples=[2048])
    height: int = Field(examples=[1536])


class VoiceOut(Output):
    id: UUID = Field(description="语音编号，登记时填入 voices")
    seconds: int = Field(description="多长，四舍五入，至少 1", examples=[23])


class _Kind(Struct, frozen=True):
    """What differs between photos and voice messages: the form's field, the most bytes, how they are checked and answered."""

    field: str
    most: int
    turn: Callable[[], AbstractAsyncContextManager[None]]
    prepare: Callable[[bytes], Awaitable[Content]]
    answer: Callable[[UUID, Content], Output]


async def _prepared(sent: bytes) -> Content:
    return await photos.prepare(sent)


async def _heard(sent: bytes) -> Content:
    return await to_thread.run_sync(voices.prepare, sent)


_PHOTO: Final = _Kind(
    "photo",
    pictures.MAX_BYTES,
    photos.turn,
    _prepared,
    lambda photo_id, content: PhotoOut(
        id=photo_id, width=content.width or 0, height=content.height or 0
    ),
)
_VOICE: Final = _Kind(
    "voice",
    voices.MAX_BYTES,
    nullcontext,
    _heard,
    lambda voice_id, content: VoiceOut(id=voice_id, seconds=content.seconds),
)


def _form(field: str, described: str, kinds: str) -> dict[str, Any]:
    sent = {"type": "string", "format": "binary", "description": described}
    schema = {"type": "object", "required": [field], "properties": {field: sent}}
    encoding = {field: {"contentType": kinds}}
    content = {"multipart/form-data": {"schema": schema, "encoding": encoding}}
    return {"requestBody": {"required": True, "content": content}}


SendingAs = Annotated[
    Literal["citizen", "staff"] | None,
    Query(
        alias="as",
        description="以谁的身份上传：citizen 群众，staff 干部。一部手机上两者都登录着时要写明；不填则先认群众",
    ),
]


@reads_key_and_post
async def _sender(request: Request, sending_as: SendingAs = None) -> SignedIn:
    """The signed-in citizen or member of staff, looked up before the upload is read."""
    key = checked_key(request)
    async with reading() as tx:
        if sending_as != "staff":
            try:
                citizen = token_of(request, CITIZEN_COOKIE)
                return await sessions.citizen_by_token(tx, citizen, key=key)
            except SignInRequired:
                if sending_as == "citizen":
                    raise
        staff = await sessions.staff_by_token(tx, token_of(request, STAFF_COOKIE), key=key)
        require_same_post(request, staff)
        return staff


@sending.post(
    "/photos",
    status_code=201,
    response_model=PhotoOut,
    summary="上传一张照片",
    description="群众和干部都可上传。只保留画面，拍摄地点等信息一律去除；两天内没有使用的会被删除。",
    responses=problems(SignInRequired, KeyRequired, KeyReused, TooLarge, TooMany),
    openapi_extra=_form(
        "photo",
        "一张照片，JPEG、PNG、WebP、HEIC 或 AVIF，不超过 10 MB",
        "image/jpeg, image/png, image/webp, image/heic, image/avif",
    ),
)
async def send_photo(request: Request, sender: Annotated[SignedIn, Depends(_sender)]) -> Response:
    return await _received(_PHOTO, request, sender)


@sending.post(
    "/voices",
    status_code=201,
    response_model=VoiceOut,
    summary="上传一段语音",
    description="群众和干部都可上传。最长 60 秒，不超过 1 MB，原样保存；两天内没有使用的会被删除。",
    responses=problems(SignInRequired, KeyRequired, KeyReused, TooLarge, TooMany),
    openapi_extra=_form(
        "voice",
        "一段语音，WebM 或 Ogg(Opus)，或 MP4(AAC)，不超过 1 MB",
        "audio/webm, audio/ogg, audio/mp4",
    ),
)
async def send_voice(request: Request, sender: Annotated[SignedIn, Depends(_sender)]) -> Response:
    return await _received(_VOICE, request, sender)


@looking.get(
    "/reports/{ref}/photos/{photo_id}",
    response_class=Response,
    summary="我的照片",
    description="我附上的照片，以及告知我的进展和答复中的照片。",
    responses=a_photo(SignInRequired, NotFound),
)
async def my_photo(ref: Ref, photo_id: PhotoId, tx: Tx, by: ByCitizen) -> Response:
    await timeline.require_shown_to_reporter(tx, ref, photo_id, citizen_id=by.citizen_id)
    return StoredAttachment(photo_id, await attachments.media_of(tx, photo_id))


@looking.get(
    "/reports/{ref}/voices/{voice_id}",
    response_class=Response,
    summary="我的语音",
    description="反映时附上的语音。",
    responses=a_voice(SignInRequired, NotFound),
)
async def my_voice(ref: Ref, voice_id: VoiceId, tx: Tx, by: ByCitizen) -> Response:
    await timeline.require_shown_to_reporter(
        tx, ref, voice_id, citizen_id=by.citizen_id, voice=True
    )
    return StoredAttachment(voice_id, await attachments.media_of(tx, voice_id))


@looking.get(
    "/cadre/cases/{ref}/photos/{photo_id}",
    response_class=Response,
    summary="一件事的照片",
    description="看得到这件事，就看得到它的照片。",
    responses=a_photo(SignInRequired, NotPermitted, NotFound),
)
async def case_photo(ref: Ref, photo_id: PhotoId, tx: Tx, by: ByCadre) -> Response:
    return await photo_for_staff(tx, ref, photo_id, by=by)


@looking.get(
    "/cadre/cases/{ref}/voices/{voice_id}",
    response_class=Response,
    summary="一件事的语音",
    description="看得到这件事，就听得到它的语音。",
    responses=a_voice(SignInRequired, NotPermitted, NotFound),
)
async def case_voice(ref: Ref, voice_id: VoiceId, tx: Tx, by: ByCadre) -> Response:
    return await voice_for_staff(tx, ref, voice_id, by=by)


async def _received(kind: _Kind, request: Request, sender: SignedIn) -> Response:
    key = checked_key(request) or ""  # never empty: it is required
    try:
        digest, content, attachment_id = await _taken_in(kind, request, sender)
    except Repeated as repeated:
        return repeated.respond()
    answer = kind.answer(attachment_id, content)
    response = JSONResponse(answer.model_dump(mode="json"), 201)
    stored = [(attachment_id, content.media)]
    await attachments.put(attachment_id, content)
    try:
        async with transaction() as tx:
            now = await tx.now()
            await attachments.keep(tx, attachment_id, content, by=sender.actor, now=now)
            tx.add(
                idempotency.given(
                    sender.owner, key, digest, response.status_code, bytes(response.body), now
                )
            )
    except asyncpg.IntegrityConstraintViolationError:
        await attachments.discard(stored)
        return await _answered_meanwhile(sender.owner, key, digest)
    except TooMany:
        await attachments.discard(stored)
        raise
    return response


async def _taken_in(kind: _Kind, request: Request, sender: SignedIn) -> tuple[bytes, Content, UUID]:
    """The request's digest, the content and its id. In memory only while it is its turn; counted before it is looked at."""
    async with request.form(max_files=1, max_fields=0) as form, kind.turn():
        sent = await _file(form, kind)
        # The boundary between a form's parts differs each time it is sent; the file does not.
        digest = idempotency.request_digest(sender.acting, "POST", request.url.path, sent)
        if sender.given is not None:
            raise Repeated(sender.given, digest)
        async with reading() as tx:
            now = await tx.now()
            await attachments.admit(tx, by=sender.actor, now=now)
        return digest, await kind.prepare(sent), uuid7(now)


async def _file(form: FormData, kind: _Kind) -> bytes:
    """The bytes decide what it is: phones label them as they like."""
    sent = form.get(kind.field)
    if not isinstance(sent, UploadFile):
        raise InvalidInput(mistakes=[{"where": f"body.{kind.field}", "what": "必填"}])
    read = await sent.read(kind.most + 1)
    if len(read) > kind.most:
        raise TooLarge
    return read


async def _answered_meanwhile(owner: str, key: str, digest: bytes) -> Response:
    """The same file, sent twice at once: the answer that its twin has got."""
    async with reading() as tx:
        given = await idempotency.find(tx, owner, key)
    assert given is not None, "only an answer under the same key can be in the way"
    return Repeated(given, digest).respond()
