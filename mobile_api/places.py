"""The public facts of the unit on a poster: its name, place, number, and where a report goes. No sign-in."""

from typing import Annotated, Final, Self

from fastapi import APIRouter, Path, Response
from pydantic import Field

from app.db import reading
from app.directory.poster_places import TAKE_REPORTS, PosterPlace, poster_place
from app.directory.terms import UnitKind
from app.errors import NotFound
from app.http.inputs import UnitCode
from app.http.operations import Operation
from app.http.outputs import Output
from app.http.problems import problems

CACHED: Final = "public, max-age=300"

router = APIRouter(prefix="/places", tags=["公开"], route_class=Operation)


class PlaceOut(Output):
    code: str = Field(
        description="反映时填入 unit_code；单位合并后为承接单位的代码", examples=["500153003007"]
    )
    name: str = Field(examples=["工农茶叶产业社区"])
    kind: UnitKind
    kind_label: str = Field(examples=["村(社区)"])
    parent: str | None = Field(description="上一级", examples=["广顺街道"])
    township: str | None = Field(description="所在的镇街；只有村(社区)有", examples=["广顺街道"])
    county: str = Field(examples=["荣昌区"])
    public_phone: str | None = Field(
        description="公布的电话；没有公布的为空", examples=["+862300000001"]
    )
    contact_name: str | None = Field(
        description="公布的联系人；没有公布的为空", examples=["陈桂芳"]
    )
    hotline: str | None = Field(description="全县的热线；没有公布的为空", examples=["12345"])
    note: str | None = Field(
        description="不由本单位受理的，说明由谁受理；没有则为空",
        examples=["您反映的事由指挥中心受理，再交有关部门办理，办理的单位和进度都会告诉您。"],
    )

    @classmethod
    def of(cls, place: PosterPlace) -> Self:
        return cls(
            code=place.code,
            name=place.name,
            kind=place.kind,
            kind_label=place.kind.chinese,
            parent=place.parent,
            township=place.township,
            county=place.county,
            public_phone=place.public_phone,
            contact_name=place.contact_name,
            hotline=place.hotline,
            note=_note(place),
        )


@router.get(
    "/{code}",
    summary="海报上的单位",
    description="不用登录。村(社区)、镇街、部门、指挥中心和县都有；单位合并之后，旧海报显示承接的单位。可以缓存五分钟。",
    responses=problems(NotFound),
)
async def place(
    code: Annotated[UnitCode, Path(description="海报上的代码", examples=["500153003007"])],
    response: Response,
) -> PlaceOut:
    async with reading() as tx:
        found = await poster_place(tx, code)
    if found is None:
        raise NotFound
    response.headers["Cache-Control"] = CACHED
    return PlaceOut.of(found)


def _note(place: PosterPlace) -> str | None:
    if place.kind in TAKE_REPORTS:
        return None
    if place.taken_in_by is None:
        return "这里暂时不能受理，请到村(社区)或镇街反映。"
    return f"您反映的事由{place.taken_in_by}受理，再交有关单位办理，办理的单位和进度都会告诉您。"
