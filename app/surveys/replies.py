"""Reading what a citizen texted back. Pure, and careful: what is not clear is never guessed.

`不满意` contains `满意`, `不太满意` is not `满意`, and a thank-you is no evaluation. So only known ways of saying it
count, and only at the start; whatever follows is kept as the person's remark. Where anything in the text denies, the
person is never read as satisfied, were it only `1，水还是没有`.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class Value(StrEnum):
    """How satisfied a person is. No answer is not among them: it is a class of its own."""

    SATISFIED = "satisfied"
    BASICALLY_SATISFIED = "basically_satisfied"
    DISSATISFIED = "dissatisfied"

    @property
    def chinese(self) -> str:
        return {"satisfied": "满意", "basically_satisfied": "基本满意", "dissatisfied": "不满意"}[
            self
        ]


class Sense(StrEnum):
    ANSWER = "answer"
    THANKS = "thanks"
    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Reading:
    """`value` is set for an ANSWER only. `short_number`: which of several open surveys the person named."""

    sense: Sense
    value: Value | None = None
    remark: str = ""
    short_number: int | None = None


_TRADITIONAL = str.maketrans(
    "滿謝沒還訂號對們訊個嗎麼說話覺啟無難別復選擇項評價並從妳",
    "满谢没还订号对们讯个吗么说话觉启无难别复选择项评价并从你",
)
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Mn", "Me"})
_LONGEST = 2000

_OPT_OUT = re.compile(
    r"(?:TD|T|STOP|UNSUBSCRIBE|CANCEL|QUIT|退订|取消订阅)+|退订(?:请?回复?)?TD?", re.IGNORECASE
)
_OPT_IN = re.compile(r"(?:HF|START|恢复|恢复订阅|恢复短信|重新订阅)", re.IGNORECASE)
# Whatever denies, wherever it stands: then nobody is read as satisfied. What only sounds like it is taken out before.
_NEGATION = re.compile(r"[不没未无非否别勿莫冇唔弗毋甭假难哪]|才怪|个[啥屁鬼]")
_NO_NEGATION = re.compile(r"非常|特别|无比")
_AGAINST = frozenset("👎😡😠🤬😤😞😢😭😩💔❌✖🙁☹")
_IN_FAVOUR = frozenset("👍👏🌹")
_COURTESY = re.compile(
    r"(?:(?:非常|十分|太|多)?(?:感谢|谢谢|谢了|多谢)(?:您们|你们|大家|政府|领导|您|你)?|好的?|收到|知道了|辛苦了?|[您你]们?好|大家好|ok|thanks?|thank you|[了啊呀哈嗯])+",
    re.IGNORECASE,
)
# 比较满意 and 还算满意 lie between two answers, so they are none. Nothing may follow but a particle: 满意度太低 and
# 满意吗 say something else.
_WHO = r"(?:我们?|本人|群众|大家)?(?:表示|觉得|选择?)?"
_VERY = r"(?:很|非常|十分|特别|相当|实在|真的?|太|极其?|完全|都|挺)?"
_END = r"(?:了|的|啊|呀|哦|呢|吧|哈|啦|哒|嘛)*(?=$|\W|谢谢|感谢)"
_WAYS = {
    Value.SATISFIED: re.compile(rf"{_WHO}{_VERY}(?:满意)+{_END}"),
    Value.BASICALLY_SATISFIED: re.compile(
        rf"{_WHO}(?:基本上?|大致|大体上?)(?:还|是|都)?满意{_END}"
    ),
    Value.DISSATISFIED: re.compile(
        rf"{_WHO}(?:还是?|仍然?|依然|一点[都也]?|根本|并|就是?)?{_VERY}"
        rf"(?:不(?:太|大|很|怎么|够|算|能|是很|是太|是|十分|非常)?满意|没有?满意|无法满意|不满){_END}"
        r"|满意(?:个[啥屁鬼毛头球]|个?锤子|什么|啥)"
    ),
}
_DIGITS = dict(zip("123一二三", [*Value, *Value], strict=True))
# 1栋没水, 3.5 and 1、2 choose nothing: after the digit comes the end, a mark and then no digit, or the words themselves.
_CHOICE = re.compile(
    r"(?:我?选择?|回复|答)?[\W_]*([123一二三])[吧哈啊哦]?(?=$|[\W_]+(?!\d|[一二三](?:\W|$))|谢谢|感谢|(?:我|很|非常|基本|不)?.{0,2}满意)"
)
_SHORT_NUMBER = re.compile(r"第?\s*(\d{1,3})\s*号[\W_]*(?=\w)")
_SPACED_OUT = re.compile(
    r"(?<=(?<![^\W\d_])[\u4e00-\u9fff])[^\S\n]+(?=[\u4e00-\u9fff](?![^\W\d_]))"
)
_SPEAKS_OF_IT = re.compile(r"满意|不满")
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_GAPS = re.compile(r"[\W_]+")
_CLAUSES = re.compile(r"([\W_]+)")


def read_reply(given: str) -> Reading:
    """What a citizen's text says, if it says anything clearly."""
    words = _plain(given)
    run_together = _GAPS.sub("", words)
    if _OPT_OUT.fullmatch(run_together):
        return Reading(Sense.OPT_OUT)
    if _OPT_IN.fullmatch(run_together):
        return Reading(Sense.OPT_IN)
    first, rest = _without_courtesies(words)
    if not first:
        return Reading(Sense.THANKS if _bare(words) else Sense.UNCLEAR)
    numbered = _SHORT_NUMBER.match(first + rest)
    if numbered is None:
        return _evaluation(first + rest)
    reading = _evaluation((first + rest)[numbered.end() :])
    return Reading(reading.sense, reading.value, reading.remark, int(numbered[1]))


def _plain(given: str) -> str:
    """Full-width and circled digits, Traditional letters and invisible ones made ordinary."""
    folded = unicodedata.normalize("NFKC", given[:_LONGEST])
    seen = "".join(
        one for one in folded if one in "\n\t" or unicodedata.category(one) not in _INVISIBLE
    )
    return _SPACED_OUT.sub("", seen.translate(_TRADITIONAL))


def _bare(words: str) -> str:
    return _EDGES.sub("", words)


def _without_courtesies(words: str) -> tuple[str, str]:
    """The first clause that says something, and all that follows it."""
    parts = _CLAUSES.split(words)
    while parts and (not parts[0].strip() or _COURTESY.fullmatch(parts[0])):
        parts = parts[2:]
    return (parts[0], "".join(parts[1:])) if parts else ("", "")


def _evaluation(words: str) -> Reading:
    chosen = _CHOICE.match(words)
    spoken = next(
        ((value, found) for value, way in _WAYS.items() if (found := way.match(words))), None
    )
    if chosen is not None:
        value, rest = _DIGITS[chosen[1]], words[chosen.end() :]
    elif spoken is not None:
        value, rest = spoken[0], words[spoken[1].end() :]
    else:
        return Reading(Sense.UNCLEAR)
    asked_back = _CLAUSES.match(rest)
    if (asked_back and "?" in asked_back[0]) or _contradicts(words, rest, value):
        return Reading(Sense.UNCLEAR)
    said_again = _WAYS[value].match(_bare(rest))
    return Reading(
        Sense.ANSWER, value, _bare(_bare(rest)[said_again.end() :] if said_again else rest)
    )


def _contradicts(words: str, rest: str, value: Value) -> bool:
    """Whether it denies what it says, or goes on to say otherwise: 满意，但是他不满意; 1，水还是没有."""
    if value is Value.DISSATISFIED:
        if _IN_FAVOUR.intersection(words):
            return True
    elif _NEGATION.search(_NO_NEGATION.sub("", words)) or _AGAINST.intersection(words):
        return True
    return any(
        not _WAYS[value].match(clause)
        for clause in _CLAUSES.split(rest)
        if _SPEAKS_OF_IT.search(clause)
    )
