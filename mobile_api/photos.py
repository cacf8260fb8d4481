"""Sending photos in and looking at them, for citizens and staff. No connection to the database is held meanwhile."""

from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Path, Request
from pydantic import Field
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartParser
from starlette.responses import JSONResponse, Response

from app import idempotency
from app.auth import sessions
from app.auth.sessions import SignedIn
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
from app.http.inputs import Ref
from app.http.operations import Operation
from app.http.outputs import Output
from app.http.photos import StoredPhoto, a_photo
from app.http.problems import problems
from app.http.transaction import OneTransaction, Repeated, Tx
from app.http.who import (
    CITIZEN_COOKIE,
    STAFF_COOKIE,
    ByCitizen,
    checked_key,
    reads_key,
    require_key,
    token_of,
)
from app.identifiers import uuid7
from app.matters import photos
from app.matters.pictures import MAX_BYTES, Picture
from mobile_api.cadre_sessions import ByCadre

# The image, and what multipart puts around it.
MAX_UPLOAD = MAX_BYTES + 4096
# A photo on its way in lies on the disk: many arrive at once, and slowly.
MultiPartParser.spool_max_size = 64 * 1024

sending = APIRouter(
    prefix="/photos", tags=["照片"], dependencies=[Depends(require_key)], route_class=Operation
)
looking = APIRouter(tags=["照片"], route_class=OneTransaction)
PhotoId = Annotated[UUID, Path(description="照片编号")]


class PhotoOut(Output):
    id: UUID = Field(description="照片编号，登记时填入 photos")
    width: int = Field(examples=[2048])
    height: int = Field(examples=[1536])


_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["photo"],
                    "properties": {
                        "photo": {
                            "type": "string",
                            "format": "binary",
                            "description": "一张照片，JPEG、PNG、WebP、HEIC 或 AVIF，不超过 10 MB",
                        }
                    },
                },
                "encoding": {
                    "photo": {
                        "contentType": "image/jpeg, image/png, image/webp, image/heic, image/avif"
                    }
                },
            }
        },
    }
}


@reads_key
async def _sender(request: Request) -> SignedIn:
    """Whoever is signed in on this phone; known before the image is read."""
    key = checked_key(request)
    async with reading() as tx:
        try:
            citizen = token_of(request, CITIZEN_COOKIE)
            return await sessions.citizen_by_token(tx, citizen, key=key)
        except SignInRequired:
            staff = token_of(request, STAFF_COOKIE)
            return await sessions.staff_by_token(tx, staff, key=key)


@sending.post(
    "",
    status_code=201,
    response_model=PhotoOut,
    summary="上传一张照片",
    description="群众和干部都可上传。只保留画面，拍摄地点等信息一律去除；两天内没有用于登记的会被删除。",
    responses=problems(SignInRequired, KeyRequired, KeyReused, TooLarge, TooMany),
    openapi_extra=_FORM,
)
async def send_photo(request: Request, sender: Annotated[SignedIn, Depends(_sender)]) -> Response:
    asked_with = checked_key(request) or ""  # never empty: it is required
    try:
        digest, picture, photo_id = await _taken_in(request, sender)
    except Repeated as repeated:
        return repeated.respond()
    answer = PhotoOut(id=photo_id, width=picture.width, height=picture.height)
    response = JSONResponse(answer.model_dump(mode="json"), 201)
    await photos.put(photo_id, picture)
    try:
        async with transaction() as tx:
            now = await tx.now()
            await photos.keep(tx, photo_id, picture, by=sender.actor, now=now)
            tx.add(
                idempotency.given(
                    sender.owner,
                    asked_with,
                    digest,
                    response.status_code,
                    bytes(response.body),
                    now,
                )
            )
    except asyncpg.IntegrityConstraintViolationError:
        await photos.discard([photo_id])
        return await _answered_meanwhile(sender.owner, asked_with, digest)
    except TooMany:
        await photos.discard([photo_id])
        raise
    return response


@looking.get(
    "/reports/{ref}/photos/{photo_id}",
    response_class=Response,
    summary="我的照片",
    description="反映时附上的照片。",
    responses=a_photo(SignInRequired, NotFound),
)
async def my_photo(ref: Ref, photo_id: PhotoId, tx: Tx, by: ByCitizen) -> Response:
    return StoredPhoto(await photos.open_photo(tx, ref, photo_id, by=by))


@looking.get(
    "/cadre/cases/{ref}/photos/{photo_id}",
    response_class=Response,
    summary="一件事的照片",
    description="看得到这件事，就看得到它的照片。",
    responses=a_photo(SignInRequired, NotPermitted, NotFound),
)
async def case_photo(ref: Ref, photo_id: PhotoId, tx: Tx, by: ByCadre) -> Response:
    return StoredPhoto(await photos.open_photo(tx, ref, photo_id, by=by))


async def _taken_in(request: Request, sender: SignedIn) -> tuple[bytes, Picture, UUID]:
    """The request's digest, the picture and its id. In memory only while it is this photo's turn; counted before it is decoded."""
    async with request.form(max_files=1, max_fields=0) as form, photos.turn():
        sent = await _image(form)
        # The boundary between a form's parts differs each time it is sent; the image does not.
        digest = idempotency.request_digest(sender.acting, "POST", request.url.path, sent)
        if sender.given is not None:
            raise Repeated(sender.given, digest)
        async with reading() as tx:
            now = await tx.now()
            await photos.admit(tx, by=sender.actor, now=now)
        return digest, await photos.prepare(sent), uuid7(now)


async def _image(form: FormData) -> bytes:
    """The bytes decide what it is: phones label them as they like."""
    sent = form.get("photo")
    if not isinstance(sent, UploadFile):
        raise InvalidInput(mistakes=[{"where": "body.photo", "what": "必填"}])
    image = await sent.read(MAX_BYTES + 1)
    if len(image) > MAX_BYTES:
        raise TooLarge
    return image


async def _answered_meanwhile(owner: str, key: str, digest: bytes) -> Response:
    """The same photo, sent twice at once: the answer that its twin has got."""
    async with reading() as tx:
        given = await idempotency.find(tx, owner, key)
    assert given is not None, "only an answer under the same key can be in the way"
    return Repeated(given, digest).respond()
