"""Over HTTP: numbers of open cases by township and village."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.errors import NotPermitted, SignInRequired
from app.http.areas import Areas, AreasQuery
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(tags=["事件"], route_class=OneTransaction)


@router.get(
    "/areas",
    summary="各地未办结的事件",
    description="全县各镇街，或一个镇街各村(社区)，未办结的有多少件，其中超期、紧急、挂牌的多少；与“事件列表”scope=county、township 同一口径。限县领导、指挥中心调度员和督查员。",
    responses=problems(SignInRequired, NotPermitted),
)
async def list_areas(asked: Annotated[AreasQuery, Query()], tx: Tx, by: ByStaff) -> Areas:
    return await Areas.of(tx, asked.within, by=by)
