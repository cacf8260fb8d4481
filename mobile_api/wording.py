"""Makes a title from the first sentence of a report typed on a phone. Pure."""

import re
from typing import Annotated, Final

from pydantic import Field

from app.http.inputs import Line

LONGEST_TITLE: Final = 40
_UNTITLED: Final = "群众反映事项"
_SENTENCE_END = re.compile(r"[。！？；!?;\n\r]")
_HIDDEN = re.compile(r"[\u200b-\u200d\u2028\u2029\u2060\ufeff\u00ad]")


def title_of(body: str) -> str:
    """The first sentence, shortened where need be."""
    sentences = (_HIDDEN.sub("", part) for part in _SENTENCE_END.split(body))
    first = next((plain for part in sentences if (plain := " ".join(part.split()))), _UNTITLED)
    return first if len(first) <= LONGEST_TITLE else first[: LONGEST_TITLE - 1].rstrip() + "…"


def untitled(place: str, *, photos: bool) -> str:
    """The title of what was told without a word."""
    told = "照片反映" if photos else "语音反映"
    return f"{told}：{place}"[:LONGEST_TITLE] if place else told


Title = Annotated[
    Line | None,
    Field(description="标题；不填则取正文第一句", examples=["13至17栋三天没有自来水"]),
]
