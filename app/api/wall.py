"""HTTP endpoint of the wall screen. Its content comes from app/cards/wall.py."""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from app.cards import wall
from app.cards.models import CardCause, CardLevel
from app.errors import NotPermitted, SignInRequired
from app.http.listed import ListedCase
from app.http.moments import At
from app.http.outputs import Output
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff
from app.limits.terms import Stage

router = APIRouter(prefix="/wall", tags=["大屏"], route_class=OneTransaction)


class WallCard(Output):
    id: UUID
    level: CardLevel
    cause: CardCause
    stage: Stage | None
    unit: str = Field(examples=["广顺街道"])
    unit_code: str = Field(examples=["500153003"])
    person: str | None = Field(description="被发牌的工作人员", examples=["周启明"])
    post: str | None = Field(examples=["群工办干事"])
    due_at: At | None
    effective_at: At


class WallUnit(Output):
    unit: str = Field(examples=["广顺街道"])
    unit_code: str = Field(examples=["500153003"])
    cases: int = Field(description="当前环节已超期的事件", examples=[2])


class Wall(Output):
    cards: list[WallCard] = Field(description="最新的、有效的牌")
    listed: list[ListedCase] = Field(description="挂牌督办的事件，最新的在前")
    overdue: list[WallUnit] = Field(description="有超期事件的单位，多的在前")


@router.get(
    "",
    response_model=Wall,
    summary="大屏",
    description="全县最新的红黄牌、挂牌督办的事件、各单位超期的事件数。没有群众的信息，也没有保密的事件。限县领导、指挥中心调度员和督查员。",
    responses=problems(SignInRequired, NotPermitted),
)
async def show_wall(tx: Tx, by: ByStaff) -> Response:
    return Response(await wall.feed(tx, by=by, now=await tx.now()), media_type="application/json")
