"""Numbers of open cases by place, as both faces show them."""

from typing import Self

from pydantic import Field

from app.auth.actor import StaffActor
from app.cases import area_counts
from app.cases.area_counts import Area
from app.db import Transaction
from app.directory.terms import UnitKind
from app.http.inputs import Input, UnitCode
from app.http.outputs import Output


class AreasQuery(Input):
    within: UnitCode | None = Field(
        default=None,
        description="在哪个镇街以内，分到村(社区)；不填为全县，分到镇街",
        examples=["500153003"],
    )


class AreaOut(Output):
    """A township or a village with its open cases."""

    code: str = Field(examples=["500153003"])
    name: str = Field(examples=["广顺街道"])
    kind: UnitKind
    open: int = Field(description="未办结多少件", ge=0, examples=[12])
    overdue: int = Field(description="其中当前环节已超期的", ge=0, examples=[1])
    urgent: int = Field(description="其中紧急的", ge=0, examples=[0])
    listed: int = Field(description="其中挂牌督办的", ge=0, examples=[0])

    @classmethod
    def of(cls, area: Area) -> Self:
        return cls(
            code=area.code,
            name=area.name,
            kind=area.kind,
            open=area.open,
            overdue=area.overdue,
            urgent=area.urgent,
            listed=area.listed,
        )


class Areas(Output):
    items: list[AreaOut]

    @classmethod
    async def of(cls, tx: Transaction, within: str | None, *, by: StaffActor) -> Self:
        found = await area_counts.count_by_area(tx, within=within, by=by)
        return cls(items=[AreaOut.of(one) for one in found])
