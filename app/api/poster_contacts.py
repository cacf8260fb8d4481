"""Over HTTP: the administrator sets the number and the person that the page of a unit's poster shows."""

from typing import Annotated, Self

from fastapi import APIRouter, Path
from pydantic import Field, StringConstraints

from app.directory import poster_places
from app.directory.poster_places import Contact
from app.directory.terms import Role
from app.errors import KeyReused, NotFound, NotPermitted, SignInRequired
from app.http.inputs import Input, Line, UnitCode
from app.http.moments import At
from app.http.outputs import Output
from app.http.phone import PublicNumber
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(prefix="/units/{code}/poster-contact", tags=["目录"], route_class=OneTransaction)

Code = Annotated[UnitCode, Path(description="单位代码", examples=["500153003007"])]


class PosterContactIn(Input):
    public_phone: PublicNumber | None = Field(
        default=None,
        description="公布的电话：手机、固定电话或 12345 这样的热线；不填则不公布",
        examples=["12345"],
    )
    contact_name: Annotated[Line, StringConstraints(max_length=40)] | None = Field(
        default=None, description="公布的联系人；不填则不公布", examples=["陈桂芳"]
    )


class PosterContactChange(Output):
    public_phone: str | None = Field(examples=["12345"])
    contact_name: str | None = Field(examples=["陈桂芳"])
    decided_at: At
    decided_by: str = Field(examples=["谢文静"])


class PosterContactOut(Output):
    code: str = Field(examples=["500153003007"])
    name: str = Field(examples=["工农茶叶产业社区居民委员会"])
    public_phone: str | None = Field(description="现在公布的电话", examples=["12345"])
    contact_name: str | None = Field(description="现在公布的联系人", examples=["陈桂芳"])
    changes: list[PosterContactChange] = Field(description="历次设定，新的在前，最多一百条")

    @classmethod
    def of(cls, contact: Contact) -> Self:
        return cls(
            code=contact.unit.code,
            name=contact.unit.name,
            public_phone=contact.unit.public_phone,
            contact_name=contact.unit.contact_name,
            changes=[
                PosterContactChange(
                    public_phone=one.public_phone,
                    contact_name=one.contact_name,
                    decided_at=one.decided_at,
                    decided_by=one.decided_by,
                )
                for one in contact.changes
            ],
        )


@router.get(
    "",
    summary="海报上的联系方式",
    description="该单位海报的页面上公布的电话和联系人，以及历次设定。限系统管理员和全县岗位。",
    responses=problems(SignInRequired, NotPermitted, NotFound),
)
async def show_poster_contact(code: Code, tx: Tx, by: ByStaff) -> PosterContactOut:
    if not (by.role is Role.ADMINISTRATOR or by.sees_county) or by.county_id is None:
        raise NotPermitted
    found = await poster_places.show(tx, code, county_id=by.county_id, now=await tx.now())
    return PosterContactOut.of(found)


@router.post(
    "",
    summary="设定海报上的联系方式",
    description="系统管理员设定该单位海报的页面上公布的电话和联系人，记录在案；五分钟之内生效。",
    responses=problems(SignInRequired, NotPermitted, NotFound, KeyReused),
)
async def set_poster_contact(
    code: Code, given: PosterContactIn, tx: Tx, by: ByStaff
) -> PosterContactOut:
    if by.role is not Role.ADMINISTRATOR or by.county_id is None:
        raise NotPermitted
    published = await poster_places.publish(
        tx,
        code,
        public_phone=given.public_phone,
        contact_name=given.contact_name,
        county_id=by.county_id,
        staff_id=by.staff_id,
        now=await tx.now(),
    )
    return PosterContactOut.of(published)
