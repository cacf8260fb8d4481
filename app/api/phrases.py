"""Over HTTP: phrases (常用语) of the unit and of the person."""

from fastapi import APIRouter

from app import phrases
from app.errors import KeyReused, NotFound, NotPermitted, SignInRequired
from app.http.phrases import NewPhrase, PhraseId, PhraseOut, Phrases, told
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(prefix="/phrases", tags=["常用语"], route_class=OneTransaction)


@router.get(
    "",
    summary="常用语",
    description="本人的和本单位共用的。",
    responses=problems(SignInRequired),
)
async def list_phrases(tx: Tx, by: ByStaff) -> Phrases:
    return await Phrases.of(tx, by=by)


@router.post(
    "",
    status_code=201,
    summary="添加常用语",
    description="本人的或本单位共用的，各最多 50 条，每条最多 500 字。",
    responses=problems(SignInRequired, NotPermitted, KeyReused),
)
async def add_phrase(given: NewPhrase, tx: Tx, by: ByStaff) -> PhraseOut:
    return told(await phrases.add(tx, given.text, given.whose, by=by))


@router.delete(
    "/{phrase_id}",
    status_code=204,
    summary="删除常用语",
    description="本人的，或本单位共用的。",
    responses=problems(SignInRequired, NotFound),
)
async def remove_phrase(phrase_id: PhraseId, tx: Tx, by: ByStaff) -> None:
    await phrases.remove(tx, phrase_id, by=by)
