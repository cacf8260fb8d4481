"""What a report may name: the county's units, of which one may be accused, and the categories."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.db import Transaction
from app.directory import queries
from app.errors import NotFound, NotPermitted, SignInRequired
from app.http.directory import Category, NamedUnits, Units
from app.http.inputs import UnitCode
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByCitizen
from mobile_api.cadre_sessions import ByCadre

router = APIRouter(tags=["目录"], route_class=OneTransaction)


class UnitsOfPoster(NamedUnits):
    unit_code: UnitCode = Field(description="海报上的代码", examples=["500153003007"])


@router.get(
    "/units",
    response_model=Units,
    summary="可以填写的单位",
    description="海报所在县的单位，按代码排列；检举控告时用来填写 accused_code。",
    responses=problems(SignInRequired, NotFound),
)
async def units_of_county(
    asked: Annotated[UnitsOfPoster, Query()], tx: Tx, _by: ByCitizen
) -> Response:
    county_id = await queries.county_of(tx, asked.unit_code)
    if county_id is None:
        raise NotFound
    return await _units(tx, asked, county_id)


@router.get(
    "/categories",
    response_model=list[Category],
    summary="分类目录",
    description="三级分类，整棵树；反映时可选任何一级作为 category_id。",
    responses=problems(SignInRequired),
)
async def categories(tx: Tx, _by: ByCitizen) -> Response:
    return Response(await queries.category_tree(tx), media_type="application/json")


@router.get(
    "/cadre/units",
    response_model=Units,
    summary="本县的单位",
    description="按代码排列；代群众登记检举控告时用来填写 accused_code。",
    responses=problems(SignInRequired, NotPermitted),
)
async def units_for_cadres(asked: Annotated[NamedUnits, Query()], tx: Tx, by: ByCadre) -> Response:
    return await _units(tx, asked, by.county_id)


@router.get(
    "/cadre/categories",
    response_model=list[Category],
    summary="分类目录，干部用",
    description="三级分类，整棵树；代群众登记时可选任何一级作为 category_id。",
    responses=problems(SignInRequired, NotPermitted),
)
async def categories_for_cadres(tx: Tx, _by: ByCadre) -> Response:
    return Response(await queries.category_tree(tx), media_type="application/json")


async def _units(tx: Transaction, asked: NamedUnits, county_id: int | None) -> Response:
    found = await queries.search_units(
        tx, county_id=county_id, named=asked.named, after=asked.after, limit=asked.size
    )
    return Response(found, media_type="application/json")
