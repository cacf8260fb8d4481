"""What the name of an event in a holiday feed says of its day. Pure; `importing` reads the feed.

Only known shapes are read: a holiday, words for off or worked, and what feeds put around them. A name with anything else
in it, as 退休干部座谈会 or 值班：张三, says nothing.
"""

import re
import unicodedata
from datetime import date
from enum import Enum, auto
from typing import Final


class DayWord(Enum):
    """BOTH: the name says off and worked of the same day. SWAPPED (调休): two days changed places, either may be meant."""

    OFF = auto()
    WORKING = auto()
    SWAPPED = auto()
    BOTH = auto()


_LONGEST: Final = 100
_HOLIDAY: Final = (
    r"元旦节?|新年|春节|除夕|大年(?:初[一二三四五六七]|三十)|(?:农历)?正月初[一二三四五六七]|清明节?|国际劳动节|五一(?:国际)?(?:劳动)?节?|劳动节"
    r"|端[午阳]节?|中秋节?|国庆节?|十一(?=国庆|长假|假期|黄金周)"
    r"|(?:中国人民)?抗(?:日|战)(?:战争)?(?:暨世界反法西斯战争)?胜利(?:[\d一二三四五六七八九十]+周年)?纪念日"
)
# By law for some of the people only; a day off for all where another holiday is named too.
_FOR_SOME: Final = r"(?:国际)?(?:劳动)?妇女节|三八(?:妇女)?节?|(?:五四)?青年节|五四|(?:国际)?儿童节|六一(?:儿童)?节?|(?:八一)?建军节|(?:藏历|古尔邦|开斋|肉孜)节?"
_OFF: Final = r"(?:放|休)假|休息|公休|补休|连休|休"
_WORKED: Final = r"(?:补|调)?班|上班|工作日"
# Names the days around a holiday: 春节假期 is off, 春节假期补班 is worked.
_SPAN: Final = r"(?:小?长)?假期|小?长假|黄金周|(?:法定)?节假日|假日?"
_AROUND: Final = r"节日|法定|国家|全国|中国|官方|全体|统一|安排|正常|第[\d一二三四五六七八九十]+天|[共放休][\d一二三四五六七八九十]+天|\d{4}年?|至|的|日|天|周[一二三四五六日]|星期[一二三四五六日天]"
_WORD: Final = re.compile(
    rf"(?P<holiday>{_HOLIDAY})|(?P<some>{_FOR_SOME})|(?P<swapped>调休)|(?P<off>{_OFF})|(?P<span>{_SPAN})"
    rf"|(?P<worked>{_WORKED})|{_AROUND}|[\W_]"
)
# Not the whole day, or no day off at all.
_NOTHING: Final = re.compile(r"半天|半日|不放假|不休|不上班|不调休|照常")
# 2月14日（周六）、2月28日上班: what is said of other days, up to the next mark.
_OF_DAYS: Final = re.compile(
    r"(?:\d{4}年)?\d{1,2}(?:月\d{1,2}[日号]?|[./]\d{1,2})[^,;。()\]】|]*(?:\([^()]{1,6}\)[^,;。()\]】|]*){0,4}"
)
_ANY_DATE: Final = re.compile(r"(?:\d{4}年)?\d{1,2}(?:月\d{1,2}[日号]?|[./]\d{1,2})|\d{1,2}[日号]")
_DATE: Final = re.compile(r"(\d{1,2})[月./](\d{1,2})")


def day_word(name: str, first_day: date | None) -> DayWord | None:
    """What the name says of its day or days; None where it is no known shape, no whole day off, or a mere festival.

    `first_day` is the event's own: words about it count, words about other dates do not.
    """
    plain = unicodedata.normalize("NFKC", name[:_LONGEST])
    if _NOTHING.search(plain):
        return None
    kinds = _kinds(_OF_DAYS.sub(lambda one: _if_own(one[0], first_day), plain))
    if kinds is None or ("some" in kinds and "holiday" not in kinds):
        return None
    return _read(kinds)


def _kinds(plain: str) -> set[str] | None:
    """Which kinds of word the name is made of; None if a word in it is not known."""
    kinds, at = set(), 0
    while at < len(plain):
        found = _WORD.match(plain, at)
        if found is None:
            return None
        kinds.add(found.lastgroup or "around")
        at = found.end()
    return kinds


def _read(kinds: set[str]) -> DayWord | None:
    if "worked" in kinds:
        return DayWord.BOTH if "off" in kinds else DayWord.WORKING
    if "off" in kinds or "span" in kinds:
        return DayWord.OFF
    return DayWord.SWAPPED if "swapped" in kinds else None


def _if_own(written: str, first_day: date | None) -> str:
    """A clause about dates: its words without the dates where it speaks of the event's own day, else nothing."""
    dates = {(int(month), int(day)) for month, day in _DATE.findall(written)}
    if first_day is None or (first_day.month, first_day.day) not in dates:
        return " "
    return _ANY_DATE.sub(" ", written)
