"""Over HTTP: the administrator ends a unit. The system hands over its open work; this page tells nothing of the cases."""

from datetime import date
from typing import Annotated, Self

from fastapi import APIRouter, Path
from pydantic import Field

from app.auth.actor import StaffActor
from app.directory import queries, units
from app.directory.terms import Role
from app.directory.units import Ending
from app.errors import InvalidInput, KeyReused, NotFound, NotPermitted, SignInRequired
from app.http.inputs import Input, UnitCode
from app.http.moments import At
from app.http.outputs import Output
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(prefix="/units/{code}/end", tags=["目录"], route_class=OneTransaction)

Code = Annotated[UnitCode, Path(description="单位代码", examples=["500153003999"])]


class UnitEnd(Input):
    successor: UnitCode | None = Field(
        default=None,
        description="承接单位，须为同一县同类的单位；不填则由上一级承接，还有下级单位的必须填",
        examples=["500153003007"],
    )
    last_day: date = Field(
        description="最后有效日，不晚于今天；岗位同日终止", examples=["2026-11-24"]
    )


class EndingOut(Output):
    """How a unit ended. Nothing is said of its cases."""

    code: str = Field(examples=["500153003999"])
    name: str = Field(examples=["旧社区"])
    last_day: date
    successor: str | None = Field(description="承接单位；为空则由上一级承接")
    successor_name: str | None = Field(examples=["工农茶叶产业社区"])
    handed_over_at: At | None = Field(description="未了事项已全部交接的时间；尚未完成则为空")

    @classmethod
    def of(cls, ending: Ending) -> Self:
        return cls(
            code=ending.code,
            name=ending.name,
            last_day=ending.last_day,
            successor=ending.successor,
            successor_name=ending.successor_name,
            handed_over_at=ending.handed_over_at,
        )


@router.post(
    "",
    summary="撤销单位",
    description="系统管理员撤销(合并、更名)一个单位。最后有效日过后，未办结的事件、任务、期限和待审批的事项自动由承接单位接着办，期限不重新起算；红黄牌仍记在原单位名下，计入承接单位。",
    responses=problems(SignInRequired, NotPermitted, NotFound, KeyReused),
)
async def end_unit(code: Code, given: UnitEnd, tx: Tx, by: ByStaff) -> EndingOut:
    county_id = _county(by)
    unit = await queries.unit_by_code(tx, code)
    if unit is not None and unit.county_id != county_id:
        raise NotFound
    if unit is None:
        # Raises what is to be said of a unit that has ended already.
        await _seen(tx, code, county_id)
    if given.successor == code:
        raise InvalidInput("承接单位不能是本单位。")
    await units.end_unit(
        tx, code, successor=given.successor, last_day=given.last_day, staff_id=by.staff_id
    )
    await tx.flush()
    return await _seen(tx, code, county_id)


@router.get(
    "",
    summary="单位撤销后的交接",
    description="已撤销的单位由谁承接，未了事项是否已全部交接。",
    responses=problems(SignInRequired, NotPermitted, NotFound),
)
async def show_ending(code: Code, tx: Tx, by: ByStaff) -> EndingOut:
    return await _seen(tx, code, _county(by))


async def _seen(tx: Tx, code: str, county_id: int) -> EndingOut:
    found = await units.ending(tx, code)
    if found is None or found.county_id != county_id:
        raise NotFound
    return EndingOut.of(found)


def _county(by: StaffActor) -> int:
    if by.role is not Role.ADMINISTRATOR or by.county_id is None:
        raise NotPermitted
    return by.county_id
