"""Types for the meaning of a reply, and the fixed answers of the reading process.

The rules of the parser are elsewhere: they compile large patterns, which other processes do not need.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from app.evaluation.terms import Value

READY: Final = b"ready\n"


class Sense(StrEnum):
    ANSWER = "answer"
    THANKS = "thanks"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    UNCLEAR = "unclear"


class NotRead(StrEnum):
    """Why the parser did not try to read a text. A person reads it."""

    NO_WORDS = "no_words"
    TOO_LONG = "too_long"
    TOO_SLOW = "too_slow"

    @property
    def chinese(self) -> str:
        return {
            "no_words": "没有文字，可能是彩信",
            "too_long": "内容太长",
            "too_slow": "未能在规定时间内判读",
        }[self]


class Reading(Struct, frozen=True):
    """`value` is set for an ANSWER only. `short_number`: the open survey that the person named.

    `opts_out`: the text ends with TD after other words. `not_read` is set for UNCLEAR only.
    """

    sense: Sense
    value: Value | None = None
    remark: str = ""
    short_number: int | None = None
    opts_out: bool = False
    not_read: NotRead | None = None


TOO_SLOW: Final = Reading(Sense.UNCLEAR, not_read=NotRead.TOO_SLOW)
