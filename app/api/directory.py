"""Over HTTP: look-ups for forms: units of the asker's county, and the categories."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from app.directory import queries
from app.directory.terms import UnitKind
from app.errors import NotFound, SignInRequired
from app.http.directory import Category, Units
from app.http.inputs import Input, Line, UnitCode
from app.http.outputs import Output
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(tags=["目录"], route_class=OneTransaction)


class UnitQuery(Input):
    parent: UnitCode | None = Field(default=None, description="上级单位的代码")
    kind: UnitKind | None = Field(default=None, description="单位类别")
    named: Line | None = Field(default=None, description="名称中的字")
    after: UnitCode | None = Field(default=None, description="上一页的 next；不填为第一页")
    size: int = Field(default=50, ge=1, le=200, description="每页几个")


class UnitOut(Output):
    code: str = Field(examples=["500153100"])
    name: str = Field(examples=["荣隆镇"])
    short_name: str | None = Field(examples=["荣隆镇"])
    kind: UnitKind
    kind_label: str = Field(examples=["镇街"])


@router.get(
    "/units",
    response_model=Units,
    summary="查找单位",
    description="本县现有的单位，按代码排列；条件可以组合。",
    responses=problems(SignInRequired),
)
async def list_units(asked: Annotated[UnitQuery, Query()], tx: Tx, by: ByStaff) -> Response:
    found = await queries.search_units(
        tx,
        county_id=by.county_id,
        parent=asked.parent,
        kind=asked.kind,
        named=asked.named,
        after=asked.after,
        limit=asked.size,
    )
    return Response(found, media_type="application/json")


@router.get(
    "/units/{code}",
    summary="一个单位",
    description="按代码查本县现有的单位。",
    responses=problems(SignInRequired, NotFound),
)
async def show_unit(
    code: Annotated[UnitCode, Path(description="单位代码", examples=["500153100"])],
    tx: Tx,
    by: ByStaff,
) -> UnitOut:
    unit = await queries.unit_by_code(tx, code)
    if unit is None or by.county_id not in (None, unit.county_id):
        raise NotFound
    return UnitOut(
        code=unit.code,
        name=unit.name,
        short_name=unit.short_name,
        kind=unit.kind,
        kind_label=unit.kind.chinese,
    )


@router.get(
    "/categories",
    response_model=list[Category],
    summary="分类目录",
    description="三级分类，整棵树。登记时可选任何一级。",
    responses=problems(SignInRequired),
)
async def list_categories(tx: Tx, _by: ByStaff) -> Response:
    return Response(await queries.category_tree(tx), media_type="application/json")
