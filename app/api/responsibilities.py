"""Over HTTP: the list of responsibilities (职责清单), which unit leads cases of a category."""

from typing import Annotated, Self

from fastapi import APIRouter, Path
from pydantic import Field

from app.directory import responsibilities
from app.directory.responsibilities import ResponsibleUnit
from app.directory.terms import Role
from app.errors import KeyReused, NothingChanged, NotPermitted, SignInRequired
from app.http.inputs import INT4_MAX, Input, UnitCode
from app.http.moments import At
from app.http.outputs import Output
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(prefix="/responsibilities", tags=["目录"], route_class=OneTransaction)


class ResponsibilityIn(Input):
    unit_code: UnitCode | None = Field(
        description="由哪个镇街或部门主办；为空则取消", examples=["500153D11"]
    )


class ResponsibilityOut(Output):
    category_id: int = Field(examples=[12])
    path: str = Field(
        description="分类；其下没有另行设定的分类也由该单位主办", examples=["城乡建设/市政建设"]
    )
    unit_code: str = Field(examples=["500153D11"])
    unit_name: str = Field(description="撤并的为承接的单位", examples=["县水务局"])
    set_at: At
    set_by: str = Field(examples=["谢文静"])


class ResponsibilitiesOut(Output):
    items: list[ResponsibilityOut] = Field(description="现行的，按分类排列")

    @classmethod
    def of(cls, found: list[ResponsibleUnit]) -> Self:
        return cls(
            items=[
                ResponsibilityOut(
                    category_id=one.category_id,
                    path=one.path,
                    unit_code=one.unit_code,
                    unit_name=one.unit_name,
                    set_at=one.set_at,
                    set_by=one.set_by,
                )
                for one in found
            ]
        )


@router.get(
    "",
    summary="职责清单",
    description="本县各分类的事由哪个单位主办。指挥中心交办时据此建议主办单位，先于以往办过的事。",
    responses=problems(SignInRequired),
)
async def show_responsibilities(tx: Tx, by: ByStaff) -> ResponsibilitiesOut:
    return ResponsibilitiesOut.of(await responsibilities.listed(tx, county_id=by.county_id))


@router.post(
    "/{category_id}",
    summary="设定一类事由谁主办",
    description="限指挥中心和系统管理员；每次设定都有记录。此前已交办的事不受影响。",
    responses=problems(SignInRequired, NotPermitted, NothingChanged, KeyReused),
)
async def assign_responsibility(
    category_id: Annotated[int, Path(ge=1, le=INT4_MAX, description="分类编号", examples=[12])],
    given: ResponsibilityIn,
    tx: Tx,
    by: ByStaff,
) -> ResponsibilitiesOut:
    if not (by.dispatches or by.role is Role.ADMINISTRATOR) or by.county_id is None:
        raise NotPermitted("职责清单由指挥中心和系统管理员设定。")
    found = await responsibilities.assign(
        tx,
        category_id,
        given.unit_code,
        county_id=by.county_id,
        staff_id=by.staff_id,
        now=await tx.now(),
    )
    return ResponsibilitiesOut.of(found)
