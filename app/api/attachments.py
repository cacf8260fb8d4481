"""Over HTTP: the photos and voice messages of a case, for staff who may see the case."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from app.errors import NotFound, SignInRequired
from app.http.attachments import a_photo, a_voice, photo_for_staff, voice_for_staff
from app.http.case_step import CaseRef
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(prefix="/cases", tags=["事件"], route_class=OneTransaction)


@router.get(
    "/{ref}/photos/{photo_id}",
    response_class=Response,
    summary="事件的照片",
    description="看得到事件，就看得到它的照片；照片编号见事件详情的 photos。",
    responses=a_photo(SignInRequired, NotFound),
)
async def show_photo(
    ref: CaseRef, photo_id: Annotated[UUID, Path(description="照片编号")], tx: Tx, by: ByStaff
) -> Response:
    return await photo_for_staff(tx, ref, photo_id, by=by)


@router.get(
    "/{ref}/voices/{voice_id}",
    response_class=Response,
    summary="事件的语音",
    description="看得到事件，就听得到它的语音；语音编号见事件详情的 voices。",
    responses=a_voice(SignInRequired, NotFound),
)
async def show_voice(
    ref: CaseRef, voice_id: Annotated[UUID, Path(description="语音编号")], tx: Tx, by: ByStaff
) -> Response:
    return await voice_for_staff(tx, ref, voice_id, by=by)
