"""Phrases (常用语) on a phone: those of the unit and of the person."""

from fastapi import APIRouter, Depends

from app import phrases
from app.errors import KeyRequired, KeyReused, NotFound, NotPermitted, SignInRequired
from app.http.phrases import NewPhrase, PhraseId, PhraseOut, Phrases, told
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import require_key
from mobile_api.cadre_sessions import ByCadre

router = APIRouter(
    prefix="/cadre/phrases",
    tags=["干部"],
    route_class=OneTransaction,
    dependencies=[Depends(require_key)],
)


@router.get(
    "",
    summary="常用语",
    description="本人的和本单位共用的。",
    responses=problems(SignInRequired, NotPermitted),
)
async def phrases_of_cadre(tx: Tx, by: ByCadre) -> Phrases:
    return await Phrases.of(tx, by=by)


@router.post(
    "",
    status_code=201,
    summary="添加常用语",
    description="本人的或本单位共用的，各最多 50 条，每条最多 500 字。",
    responses=problems(SignInRequired, NotPermitted, KeyRequired, KeyReused),
)
async def add_phrase_of_cadre(given: NewPhrase, tx: Tx, by: ByCadre) -> PhraseOut:
    return told(await phrases.add(tx, given.text, given.whose, by=by))


@router.delete(
    "/{phrase_id}",
    status_code=204,
    summary="删除常用语",
    description="本人的，或本单位共用的。",
    responses=problems(SignInRequired, NotPermitted, NotFound),
)
async def remove_phrase_of_cadre(phrase_id: PhraseId, tx: Tx, by: ByCadre) -> None:
    await phrases.remove(tx, phrase_id, by=by)
