"""How both faces show the cases on the public list (挂牌督办)."""

from typing import Annotated

from pydantic import Field, StringConstraints

from app.cards.public_list import PAGE
from app.http.inputs import Input
from app.http.moments import At
from app.http.outputs import Output
from app.limits.terms import Kind


class ListedCase(Output):
    """A case on the public list, without its title, which is in a citizen's words."""

    ref: str = Field(examples=["500153-261122-48392017"])
    kind: Kind
    category: str | None = Field(examples=["城乡建设/公用事业/供水"])
    village: str | None = Field(examples=["工农茶叶产业社区"])
    holder: str = Field(examples=["荣隆镇"])
    holder_code: str = Field(examples=["500153100"])
    listed_at: At
    received_at: At
    due_at: At
    stage_due_at: At | None
    overdue: bool


class ListedCases(Output):
    items: list[ListedCase]
    next: str | None = Field(description="下一页的 cursor；没有下一页则为空")


class ListedQuery(Input):
    cursor: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        default=None, description="上一页的 next；不填为第一页"
    )
    size: int = Field(default=PAGE, ge=1, le=100, description="每页几件")
