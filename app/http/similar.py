"""Compares a report with open cases while it is typed, for both faces. The text travels in the body, never in an address."""

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from app.cases.similar_cases import MOST, SimilarCase
from app.http.inputs import Input, OptionalLine, Paragraphs, UnitCode
from app.http.moments import At

Typed = Annotated[
    Paragraphs,
    Field(description="正在填写的内容", examples=["17栋又没有自来水了"]),
]


class SimilarWanted(Input):
    body: Typed
    place: OptionalLine | None = Field(
        default=None, description="地点，可不填", examples=["13至17栋"]
    )
    village_code: UnitCode | None = Field(
        default=None,
        description="在哪个村(社区)或镇街；不填则为本单位",
        examples=["500153003007"],
    )

    def text(self) -> str:
        return f"{self.body} {self.place or ''}"


class SimilarCaseOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    ref: str = Field(examples=["500153-261122-48392017"])
    title: str = Field(examples=["13至17栋没有饮用水"])
    received_at: At
    holder: str = Field(description="现在由谁办", examples=["荣隆镇"])
    reporters: int = Field(description="已有多少人反映，含并入的", ge=1, examples=[3])
    why: list[str] = Field(
        description="与所填内容相同的词，长的在前，简体", examples=[["自来水", "17栋"]]
    )


class SimilarCases(BaseModel):
    items: list[SimilarCaseOut] = Field(description="最相近的在前", max_length=MOST)

    @classmethod
    def of(cls, found: Iterable[SimilarCase]) -> Self:
        return cls(items=[SimilarCaseOut.model_validate(one) for one in found])
