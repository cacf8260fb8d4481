"""Over HTTP: the photos of a case, for staff who may see the case."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from app.errors import NotFound, SignInRequired
from app.http.case_step import CaseRef
from app.http.photos import StoredPhoto, a_photo
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff
from app.matters import photos

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
    return StoredPhoto(await photos.open_photo(tx, ref, photo_id, by=by))
