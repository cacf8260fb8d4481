"""Strict input: what is not expected is refused; what is typed means what it means, and is stored as it was written."""

import re
import unicodedata
from datetime import UTC, datetime
from math import isfinite
from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from app.chinese_text import strip_invisible

INT4_MAX = 2**31 - 1
_LONGEST_TYPED = 200
_SPACE = re.compile(r"\s+")
_LINE_BREAK = re.compile(r"[\t\r\n]+")
_DASH = re.compile(r"[\u2010-\u2015\u2212\u30fc\u4e00\u2500\ufe58\ufe63\uff0d-]")
# What a sentence leaves behind a number that is copied out of it.
_AFTER_A_NUMBER = " \t\r\n,.;:、。，；："
_REF = re.compile(r"[0-9]{6}-[0-9]{6}-[0-9]{8}")
_REF_DIGITS = re.compile(r"([0-9]{6})-*([0-9]{6})-*([0-9]{8})")


class Input(BaseModel):
    """Base of every request body."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, allow_inf_nan=False
    )


def refusal(reason: str) -> PydanticCustomError:
    """A mistake told in these words."""
    return PydanticCustomError("text", "{reason}", {"reason": reason})


def storable(typed: Any) -> Any:
    """As it was written, without letters that nobody sees: programs and keyboards add them, and no writer knows."""
    return strip_invisible(typed).strip() if isinstance(typed, str) else typed


def _single_line(typed: Any) -> Any:
    """In one line: what breaks a line, as in a title pasted from Word, becomes a space."""
    if not isinstance(typed, str):
        return typed
    return _LINE_BREAK.sub(" ", strip_invisible(typed)).strip()


def plain(typed: Any) -> Any:
    """An identifier as it is stored, however it was typed: without width, spaces, and letters that nobody sees."""
    if not isinstance(typed, str) or len(typed) > _LONGEST_TYPED:
        return typed
    return _SPACE.sub("", unicodedata.normalize("NFKC", strip_invisible(typed)))


def _code(typed: Any) -> Any:
    written = plain(typed)
    return written.upper() if isinstance(written, str) else written


def _ref(typed: Any) -> Any:
    """E.g. ５００１５３－261122－48392017, 500153—261122—48392017, or its 20 digits, with a comma behind."""
    written = plain(typed)
    if not isinstance(written, str):
        return written
    found = _REF_DIGITS.fullmatch(_DASH.sub("-", written).strip(_AFTER_A_NUMBER))
    return "-".join(found.groups()) if found else typed


def as_ref(typed: str) -> str | None:
    """The reference, where what was typed is one and nothing else."""
    written = _ref(typed)
    return written if isinstance(written, str) and _REF.fullmatch(written) else None


def not_a_flag(value: Any) -> Any:
    if isinstance(value, bool | str | float):
        raise refusal("须为整数")
    return value


def not_a_number_in_words(value: Any) -> Any:
    if isinstance(value, bool | str) or (isinstance(value, float) and not isfinite(value)):
        raise refusal("须为数字")
    return value


Line = Annotated[
    str, BeforeValidator(_single_line), StringConstraints(min_length=1, max_length=100)
]
Paragraphs = Annotated[
    str, BeforeValidator(storable), StringConstraints(min_length=1, max_length=5000)
]
ShortText = Annotated[
    str, BeforeValidator(storable), StringConstraints(min_length=1, max_length=1000)
]
OptionalParagraphs = Annotated[str, BeforeValidator(storable), StringConstraints(max_length=5000)]
# Where nothing need be said; a further constraint on the above would hold beside theirs, not instead.
OptionalLine = Annotated[str, BeforeValidator(_single_line), StringConstraints(max_length=100)]
OptionalText = Annotated[str, BeforeValidator(storable), StringConstraints(max_length=1000)]
Identifier = Annotated[int, BeforeValidator(not_a_flag), Field(ge=1, le=INT4_MAX)]
UnitCode = Annotated[
    str, BeforeValidator(_code), StringConstraints(pattern=r"^[0-9A-Z]{2,20}$", max_length=20)
]
Ref = Annotated[
    str,
    BeforeValidator(_ref),
    StringConstraints(pattern=r"^[0-9]{6}-[0-9]{6}-[0-9]{8}$", max_length=22),
]
# Bounded: the years at either end of the calendar cannot be read back from the database in another time zone.
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(2000, 1, 1, tzinfo=UTC), le=datetime(2100, 1, 1, tzinfo=UTC)),
]
