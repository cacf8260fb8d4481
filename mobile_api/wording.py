"""What people write on a phone: one text, from whose first sentence a title is made. Pure."""

import re
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.http.inputs import Line
from app.matters.photos import MAX_PHOTOS

LONGEST_TITLE: Final = 40
_UNTITLED: Final = "群众反映事项"
_SENTENCE_END = re.compile(r"[。！？；!?;\n\r]")
_HIDDEN = re.compile(r"[\u200b-\u200d\u2028\u2029\u2060\ufeff\u00ad]")


def title_of(body: str) -> str:
    """The first sentence, shortened where need be."""
    sentences = (_HIDDEN.sub("", part) for part in _SENTENCE_END.split(body))
    first = next((plain for part in sentences if (plain := " ".join(part.split()))), _UNTITLED)
    return first if len(first) <= LONGEST_TITLE else first[: LONGEST_TITLE - 1].rstrip() + "…"


def _each_once(ids: list[UUID]) -> list[UUID]:
    if len(set(ids)) != len(ids):
        raise PydanticCustomError("text", "{reason}", {"reason": "同一张照片只能使用一次"})
    return ids


Title = Annotated[
    Line | None,
    Field(description="标题；不填则取正文第一句", examples=["13至17栋三天没有自来水"]),
]
Photos = Annotated[
    list[UUID],
    Field(
        max_length=MAX_PHOTOS,
        description="照片编号，先逐张上传；最多 9 张，按此顺序显示",
        examples=[[]],
    ),
    AfterValidator(_each_once),
]
