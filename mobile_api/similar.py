"""On phones: open cases like what is being typed. For a cadre those nearby; for a citizen the citizen's own, since no title is public."""

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from app.cases import similar_cases
from app.errors import NotPermitted, SignInRequired
from app.http.inputs import Input, UnitCode
from app.http.problems import problems
from app.http.similar import SimilarCases, SimilarWanted, Typed
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByCitizen
from mobile_api.cadre_sessions import ByCadre, cadre_not_kept

# No key is asked for, and none is kept: nothing is changed, and what people type while they type it is not stored.
for_cadres = APIRouter(prefix="/cadre/cases", tags=["干部"], route_class=OneTransaction)
for_citizens = APIRouter(prefix="/reports", tags=["群众：我的反映"], route_class=OneTransaction)


class SimilarReportWanted(Input):
    unit_code: UnitCode = Field(
        description="海报上的代码：向哪个单位反映", examples=["500153003007"]
    )
    body: Typed


async def _citizen_not_kept(request: Request, _by: ByCitizen) -> None:
    request.state.asked = None


@for_cadres.post(
    "/similar",
    summary="附近相近的事",
    description="登记之前，按所填内容在同一村(社区)、镇街未办结的事件中找相近的，最多 5 件，只有本单位可以看到的；不保存所填内容。",
    responses=problems(SignInRequired, NotPermitted),
    dependencies=[Depends(cadre_not_kept)],
)
async def similar_for_cadre(given: SimilarWanted, tx: Tx, by: ByCadre) -> SimilarCases:
    return SimilarCases.of(
        await similar_cases.nearby(tx, given.text(), code=given.village_code, by=by)
    )


@for_citizens.post(
    "/similar",
    summary="我反映过的相近的事",
    description="提交之前，按所填内容在本人反映过、还没有办结的事中找相近的，最多 5 件。别人反映的事不公开，不会列出。",
    responses=problems(SignInRequired),
    dependencies=[Depends(_citizen_not_kept)],
)
async def similar_reports(given: SimilarReportWanted, tx: Tx, by: ByCitizen) -> SimilarCases:
    return SimilarCases.of(await similar_cases.own(tx, given.body, code=given.unit_code, by=by))
