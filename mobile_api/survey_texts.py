"""Whether a citizen is asked by text how satisfied they are: looked at, and chosen, by the citizen alone."""

from fastapi import APIRouter, Depends
from pydantic import Field, StrictBool

from app.errors import KeyRequired, KeyReused, SignInRequired
from app.evaluation import receiving
from app.http.inputs import Input
from app.http.outputs import Output
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByCitizen, require_key

router = APIRouter(
    prefix="/survey-texts",
    tags=["群众：我的反映"],
    route_class=OneTransaction,
    dependencies=[Depends(require_key)],
)


class Choice(Input):
    wanted: StrictBool = Field(description="是否用短信请您评价", examples=[True])


class ChoiceOut(Output):
    wanted: bool = Field(description="是否用短信请您评价；办理进展的短信不受影响", examples=[True])


@router.get(
    "",
    summary="评价短信",
    description="是否用短信请您评价。回复 TD 退订、HF 恢复，也在这里显示。",
    responses=problems(SignInRequired),
)
async def survey_texts(tx: Tx, by: ByCitizen) -> ChoiceOut:
    return ChoiceOut(wanted=await receiving.wants_texts(tx, by=by))


@router.post(
    "",
    summary="退订或恢复评价短信",
    description="退订之后不再用短信请您评价，也不提醒；您仍可以在这里评价，或由电话回访。办理进展的短信照常。",
    responses=problems(SignInRequired, KeyRequired, KeyReused),
)
async def choose_survey_texts(given: Choice, tx: Tx, by: ByCitizen) -> ChoiceOut:
    await receiving.choose_texts(tx, by=by, wanted=given.wanted, now=await tx.now())
    return ChoiceOut(wanted=given.wanted)
