"""The texts people receive, as templates, and their length in segments. Pure: sends nothing, looks nothing up.

No text carries a link: the provider in mainland China refuses them, and people should not learn to follow links from
texts. So what somebody typed is also rid of links before it stands in a text to somebody else.
"""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from app.texts.outbox import MessageKind
from sms.gateway import Capabilities
from sms.links import without_links

# What a text is written for where nothing else is said: any words, and replies come back.
ANY_WORDS: Final = Capabilities(two_way=True, links=False, free_text=True)
# In UTF-16 code units. A text of several segments gives part of each to their numbering.
_WHOLE_IN_ONE: Final = 70
_EACH_OF_SEVERAL: Final = 67
_CUT: Final = "…"
_UNTITLED: Final = "有关事项"
_NOTHING: Final = "无"
_LONGEST_SIGNATURE: Final = 12
# Before the title, which a template need not be approved anew for: what tells this question from the person's others.
_NUMBERED: Final = "{short_number}号（回复请先写{short_number}号）：{title}"
# Said where a provider cuts what was written to a line: the person can read all of it.
_IN_FULL: Final = "（全文凭编号查询）"


class TextParameters(ValueError):
    """A template was not given what it needs: a mistake in the code that owed the text."""


class Rendered(Struct, frozen=True):
    body: str
    segments: int


class Template(Struct, frozen=True):
    """`exact` parameters stand as they are or not at all (a cut code is a wrong code); the others are shortened.

    Each number is the most UTF-16 units a parameter may take; `filler` takes what the rest leaves of `segments`.
    """

    words: str
    segments: int
    exact: Mapping[str, int]
    shortened: Mapping[str, int]
    filler: str | None = None
    # Instead, where no reply comes back; none: the same words, which ask for no reply.
    one_way: str | None = None

    def in_words(self, capabilities: Capabilities) -> str:
        """The words as this provider sends them, with `{parameters}`."""
        words = self.words if capabilities.two_way else self.one_way or self.words
        cut = capabilities.longest_value is not None and self.filler not in {None, "title"}
        return words + _IN_FULL if cut else words

    @property
    def parameters(self) -> frozenset[str]:
        return frozenset({*self.exact, *self.shortened, *([self.filler] if self.filler else [])})


def _template(
    words: str,
    *,
    segments: int,
    exact: Mapping[str, int] | None = None,
    shortened: Mapping[str, int] | None = None,
    filler: str | None = None,
    one_way: str | None = None,
) -> Template:
    return Template(
        words,
        segments,
        MappingProxyType(dict(exact or {})),
        MappingProxyType(dict(shortened or {})),
        filler,
        one_way,
    )


_REF = {"ref": 32}
_TITLE = {"title": 24}
_UNIT = {"unit": 24}

TEMPLATES: Final[Mapping[MessageKind, Template]] = MappingProxyType(
    {
        MessageKind.ONE_TIME_CODE: _template(
            "验证码{code}，5分钟内有效，仅用于登录。请勿告诉任何人，工作人员不会向您索取。",
            segments=1,
            exact={"code": 8},
        ),
        MessageKind.RECEIPT: _template(
            "您反映的“{title}”已受理，编号{ref}，查询码{code}，由{unit}首办并负责向您反馈。请保存编号和查询码，凭此可查询进展。",
            segments=3,
            exact={**_REF, "code": 16},
            shortened=_UNIT,
            filler="title",
        ),
        MessageKind.SUPPLEMENT_REQUESTED: _template(
            "您反映的“{title}”（编号{ref}）需一次补齐以下内容：{missing}。补齐后继续办理，等待期间不计入办理时间。",
            segments=4,
            exact=_REF,
            shortened=_TITLE,
            filler="missing",
        ),
        MessageKind.DECLINED: _template(
            "您反映的“{title}”（编号{ref}）经{unit}审查不予受理。理由：{reason}。如有异议，可凭编号向上一级提出。",
            segments=4,
            exact=_REF,
            shortened={**_TITLE, **_UNIT},
            filler="reason",
        ),
        MessageKind.WITHDRAWN: _template(
            "您反映的“{title}”（编号{ref}）已由{unit}登记为您要求撤回，不再办理。理由：{reason}。如果不是您的意思，请凭编号向上一级提出。",
            segments=4,
            exact=_REF,
            shortened={**_TITLE, **_UNIT},
            filler="reason",
        ),
        MessageKind.MOVED: _template(
            "您反映的“{title}”（编号{ref}）已转至{unit}办理，后续进展将继续告知您。",
            segments=2,
            exact=_REF,
            shortened=_UNIT,
            filler="title",
        ),
        MessageKind.PROGRESS: _template(
            "您反映的“{title}”（编号{ref}）有新进展。{unit}：{report}",
            segments=4,
            exact=_REF,
            shortened={**_TITLE, **_UNIT},
            filler="report",
        ),
        MessageKind.ANSWERED: _template(
            "您反映的“{title}”（编号{ref}）已由{unit}办结，结果：{outcome}。答复：{answer}",
            segments=5,
            exact=_REF,
            shortened={**_TITLE, **_UNIT, "outcome": 12},
            filler="answer",
        ),
        MessageKind.REWORKED: _template(
            "您反映的“{title}”（编号{ref}）经回访核实，已交{unit}重新办理，办结后将再次告知您。",
            segments=2,
            exact=_REF,
            shortened=_UNIT,
            filler="title",
        ),
        MessageKind.MERGED: _template(
            "您反映的“{title}”（编号{ref}）与同一事项合并办理，主办编号{primary}，办理结果将一并告知您。",
            segments=2,
            exact={**_REF, "primary": 32},
            filler="title",
        ),
        MessageKind.EXTENDED: _template(
            "您反映的“{title}”（编号{ref}）办理期限延长至{until}。理由：{reason}。延期告知书{paper}。",
            segments=4,
            exact={**_REF, "until": 12, "paper": 24},
            shortened=_TITLE,
            filler="reason",
        ),
        MessageKind.WAITING: _template(
            "您反映的“{title}”（编号{ref}）暂缓办理（{why}），{until}前复核，届时继续办理。理由：{reason}。",
            segments=4,
            exact={**_REF, "until": 12, "why": 12},
            shortened=_TITLE,
            filler="reason",
        ),
        MessageKind.REVIEW_ASKED: _template(
            "您对“{title}”（编号{ref}）的{what}申请已收到，由{unit}在{until}前作出决定并告知您。",
            segments=2,
            exact={**_REF, "until": 12, "what": 2},
            shortened=_UNIT,
            filler="title",
        ),
        MessageKind.REVIEW_DECIDED: _template(
            "您对“{title}”（编号{ref}）的{what}申请，{unit}决定：{decision}。理由：{reason}。{next}。",
            segments=5,
            exact={**_REF, "what": 2, "decision": 12, "next": 40},
            shortened={**_TITLE, **_UNIT},
            filler="reason",
        ),
        MessageKind.SURVEY: _template(
            "您反映的“{title}”（编号{ref}）已办结，您对办理是否满意？请直接回复数字：1满意 2基本满意 3不满意。"
            "您的评价对办理单位保密。",
            segments=2,
            exact=_REF,
            filler="title",
            one_way="您反映的“{title}”（编号{ref}）已办结，请评价是否满意：登录群工系统网页，或在县指挥中心电话回访时告知。"
            "本短信不能回复。您的评价对办理单位保密。",
        ),
        MessageKind.SURVEY_REMINDER: _template(
            "您反映的“{title}”（编号{ref}）还等您评价：请直接回复1满意 2基本满意 3不满意，对办理单位保密。"
            "不想再收到，请回复TD。",
            segments=2,
            exact=_REF,
            filler="title",
            one_way="您反映的“{title}”（编号{ref}）还等您评价：请登录群工系统网页评价是否满意，对办理单位保密。本短信不能回复。",
        ),
        MessageKind.STAFF_NOTICE: _template(
            "您或您所在单位有新的督办或红黄牌，或有事项即将到期，请登录群工系统查看办理。对红黄牌有异议的，请在发牌后5个工作日内申诉。",
            segments=2,
        ),
        MessageKind.STAFF_WORK: _template(
            "您所在单位有新交来的事项等待研判或签收，请登录群工系统查看办理。",
            segments=1,
        ),
        MessageKind.STAFF_PRESSED: _template(
            "您所在单位承办的事项有新的催办或批示，请登录群工系统查看办理。",
            segments=1,
        ),
        MessageKind.STAFF_DECISION: _template(
            "您所在单位有事项等待审批，请登录群工系统查看办理。",
            segments=1,
        ),
        MessageKind.STAFF_CALLS: _template(
            "您所在单位有群众等待电话回访，请登录群工系统查看办理。",
            segments=1,
        ),
        MessageKind.STAFF_RELIEVED: _template(
            "有事项已不再由您所在单位办理，请登录群工系统查看。",
            segments=1,
        ),
    }
)


def render(
    kind: MessageKind,
    params: Mapping[str, str],
    *,
    signature: str = "荣昌群工",
    capabilities: Capabilities = ANY_WORDS,
) -> Rendered:
    """The text as it goes out, never longer than its template's segments. Further parameters are ignored."""
    given = values(kind, params, signature=signature, capabilities=capabilities)
    body = signed(signature) + TEMPLATES[kind].in_words(capabilities).format_map(given)
    return Rendered(body, segments(body))


def values(
    kind: MessageKind,
    params: Mapping[str, str],
    *,
    signature: str = "荣昌群工",
    capabilities: Capabilities = ANY_WORDS,
) -> dict[str, str]:
    """What stands in the template's places: cleaned, and no longer than the text and the provider allow."""
    template = TEMPLATES.get(kind)
    if template is None:
        raise TextParameters(f"{kind} is no text")
    missing = template.parameters - params.keys()
    if missing:
        raise TextParameters(f"{kind} lacks {', '.join(sorted(missing))}")
    given = {name: cleaned(params[name]) for name in template.parameters}
    longest = capabilities.longest_value or _LONGEST_VALUE
    for name, most in template.exact.items():
        if not 0 < _units(given[name]) <= min(most, longest):
            raise TextParameters(f"{kind}: {name} must have 1 to {min(most, longest)} characters")
    given |= {
        name: shortened(given[name], min(most, longest))
        for name, most in template.shortened.items()
    }
    if "title" in given:
        given["title"] = _titled(given["title"], template, params, capabilities)
    if template.filler is not None:
        words = template.in_words(capabilities).format_map({**given, template.filler: ""})
        room = _room(signed(signature) + words, template.segments)
        given[template.filler] = shortened(given[template.filler], min(room, longest))
    if not capabilities.free_text:
        # An approved template with an empty place is refused.
        given = {name: value or _NOTHING for name, value in given.items()}
    return given


def _titled(
    title: str, template: Template, params: Mapping[str, str], capabilities: Capabilities
) -> str:
    title = title or _UNTITLED
    short_number = params.get("short_number")
    if short_number is None or template.one_way is None or not capabilities.two_way:
        return title
    return _NUMBERED.format(short_number=short_number, title=title)


def signed(signature: str) -> str:
    return f"【{shortened(cleaned(signature), _LONGEST_SIGNATURE)}】"


def segments(body: str) -> int:
    """How many messages the body is sent as, all of it in UCS-2. A pair of surrogates is never parted."""
    if _units(body) <= _WHOLE_IN_ONE:
        return 1
    count, room = 0, 0
    for character in body:
        size = _units(character)
        if size > room:
            count, room = count + 1, _EACH_OF_SEVERAL
        room -= size
    return count


def shortened(value: str, most: int) -> str:
    """`value`, cut to at most `most` UTF-16 units with an ellipsis where something is missing."""
    if _units(value) <= most:
        return value
    room = most - _units(_CUT)
    kept: list[str] = []
    for character in value:
        room -= _units(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + _CUT


_NO_LINK: Final = "（链接略）"
# The brackets mark who sends a text; what somebody typed must not look like a sender.
_BRACKETS: Final = str.maketrans({"【": "〔", "】": "〕"})
_SPACES: Final = re.compile(r"\s+")
# Control, format (bidi and zero-width among them), surrogate and private characters. Not the unassigned ones: Unicode
# goes on adding the rare characters of people's names.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co"})
# Letters and marks by category, nothing to the eye.
_BLANKS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# No text shows more of one parameter.
_LONGEST_VALUE: Final = 1000


def cleaned(value: str) -> str:
    """One line of visible characters, without links and without a sender's brackets."""
    line = _SPACES.sub(" ", value)
    seen = "".join(character for character in line if _visible(character))[:_LONGEST_VALUE]
    return _SPACES.sub(" ", without_links(seen, _NO_LINK).translate(_BRACKETS)).strip()


def _visible(character: str) -> bool:
    return unicodedata.category(character) not in _INVISIBLE and character not in _BLANKS


def _room(rest: str, count: int) -> int:
    """What `rest` leaves of so many segments."""
    # A segment may end one unit early so as not to part a pair.
    return (count * (_EACH_OF_SEVERAL - 1) if count > 1 else _WHOLE_IN_ONE) - _units(rest)


def _units(value: str) -> int:
    return len(value.encode("utf-16-le", "surrogatepass")) // 2
