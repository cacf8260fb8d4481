"""Strict input: what is not expected is refused, and nothing that the database or a screen cannot bear gets in."""

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

INT4_MAX = 2**31 - 1
# Controls that reorder or hide text: a title must read as it was written.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ZERO_WIDTH = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad")
_LINE_BREAKS = frozenset("\n\r\t")


class Input(BaseModel):
    """Base of every request body."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, allow_inf_nan=False
    )


def _refuse(reason: str) -> PydanticCustomError:
    return PydanticCustomError("text", "{reason}", {"reason": reason})


def _storable(value: str) -> str:
    for letter in value:
        category = unicodedata.category(letter)
        if category == "Cs" or letter == "\x00":
            raise _refuse("含有无法保存的字符")
        if letter in _BIDI:
            raise _refuse("含有改变文字方向的隐藏字符")
        if category == "Cc" and letter not in _LINE_BREAKS:
            raise _refuse("含有控制字符")
    return value


def _single_line(value: str) -> str:
    _storable(value)
    if any(
        letter in _LINE_BREAKS or letter in _ZERO_WIDTH or letter in "\u2028\u2029"
        for letter in value
    ):
        raise _refuse("不能换行，也不能含有隐藏字符")
    return value


def not_a_flag(value: Any) -> Any:
    if isinstance(value, bool | str | float):
        raise _refuse("须为整数")
    return value


Line = Annotated[str, AfterValidator(_single_line), StringConstraints(min_length=1, max_length=100)]
Paragraphs = Annotated[
    str, AfterValidator(_storable), StringConstraints(min_length=1, max_length=5000)
]
ShortText = Annotated[
    str, AfterValidator(_storable), StringConstraints(min_length=1, max_length=1000)
]
# Where nothing need be said; a further constraint on the above would hold beside theirs, not instead.
OptionalLine = Annotated[str, AfterValidator(_single_line), StringConstraints(max_length=100)]
OptionalText = Annotated[str, AfterValidator(_storable), StringConstraints(max_length=1000)]
Identifier = Annotated[int, BeforeValidator(not_a_flag), Field(ge=1, le=INT4_MAX)]
UnitCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{2,20}$", max_length=20)]
Ref = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}-[0-9]{6}-[0-9]{8}$", max_length=22)]
# Bounded: the years at either end of the calendar cannot be read back from the database in another time zone.
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(2000, 1, 1, tzinfo=UTC), le=datetime(2100, 1, 1, tzinfo=UTC)),
]
