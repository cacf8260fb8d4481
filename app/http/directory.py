"""How both faces list units and categories, for whoever fills in a form."""

from pydantic import Field

from app.directory.terms import UnitKind
from app.http.inputs import Input, Line, UnitCode
from app.http.outputs import Output


class UnitItem(Output):
    code: str = Field(examples=["500153003007"])
    name: str = Field(examples=["工农茶叶产业社区"])
    short_name: str | None = Field(examples=["工农茶叶产业社区"])
    kind: UnitKind
    parent: str | None = Field(description="上级单位的代码", examples=["500153003"])


class Units(Output):
    items: list[UnitItem]
    next: str | None = Field(description="下一页的 after；没有下一页则为空")


class Category(Output):
    id: int = Field(description="登记时的 category_id", examples=[101])
    name: str = Field(examples=["供水"])
    path: str = Field(examples=["城乡建设/公用事业/供水"])
    children: list["Category"] = Field(default=[], description="下一级；第三级没有")


class NamedUnits(Input):
    """Units by a part of their name."""

    named: Line | None = Field(default=None, description="名称中的字", examples=["水务"])
    after: UnitCode | None = Field(default=None, description="上一页的 next；不填为第一页")
    size: int = Field(default=50, ge=1, le=200, description="每页几个")
