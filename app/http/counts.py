"""How many cases each view of the inbox has, as both faces show it beside the view's name."""

from typing import Self

from pydantic import Field

from app.auth.actor import StaffActor
from app.cases import queries
from app.cases.queries import View
from app.db import Transaction
from app.http.outputs import Output


class ViewCount(Output):
    """One view and its count."""

    view: View
    label: str = Field(description="这一类的名称", examples=["待研判"])
    count: int = Field(description="多少件，最多数到 99", ge=0, le=queries.COUNTED, examples=[12])
    more: bool = Field(description="是否还有更多，显示为“99+”", examples=[False])


class Counts(Output):
    views: list[ViewCount]

    @classmethod
    async def of(cls, tx: Transaction, *, by: StaffActor) -> Self:
        found = await queries.counts(tx, by=by)
        return cls(
            views=[
                ViewCount(
                    view=view,
                    label=view.chinese,
                    count=min(count, queries.COUNTED),
                    more=count > queries.COUNTED,
                )
                for view, count in found.items()
            ]
        )
