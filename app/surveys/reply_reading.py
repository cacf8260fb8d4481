"""What a reply was read as, and the fixed lines of the process that reads. No rules of reading: those compile large patterns.

So a process that only asks for a reading, or keeps one, does not compile them.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.surveys.terms import Value

READY: Final = b"ready\n"


class Sense(StrEnum):
    ANSWER = "answer"
    THANKS = "thanks"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    UNCLEAR = "unclear"


class NotRead(StrEnum):
    """Why a text was not even read: it is for people, whatever it says."""

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


@dataclass(frozen=True, slots=True)
class Reading:
    """`value` is set for an ANSWER only. `short_number`: which of several open surveys the person named.

    `opts_out`: it ends with TD, behind whatever else it says. `not_read` goes with UNCLEAR only.
    """

    sense: Sense
    value: Value | None = None
    remark: str = ""
    short_number: int | None = None
    opts_out: bool = False
    not_read: NotRead | None = None


TOO_SLOW: Final = Reading(Sense.UNCLEAR, not_read=NotRead.TOO_SLOW)
