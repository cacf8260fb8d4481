"""Reading what a citizen texted back. Pure, and careful: what is not clear is never guessed.

`不满意` contains `满意`, `不太满意` is not `满意`, and a thank-you is no evaluation. So only known ways of saying it
count, and only at the start; whatever follows is kept as the person's remark. What may follow, reply_phrases.py says: behind
满意 only what agrees, so `1，水又停了` is for people to read, and behind 不满意 nothing that says all is well.
"""

import re
import unicodedata

from msgspec.structs import replace

from app.chinese_text import to_simplified
from app.evaluation.reply_meanings import NotRead, Reading, Sense
from app.evaluation.reply_phrases import agreed_remark, doubted, says_all_is_well
from app.evaluation.terms import Value

# What no table of Traditional letters has: the Japanese letter, the you of women, and the tent that is typed for an account.
_OTHER_SPELLINGS = str.maketrans("満妳帐", "满你账")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Mn", "Me"})
# Ten parts of 67 letters: the longest text that a phone sends in one piece.
LONGEST = 670

# Opting out, with the courtesies around it: 请退订, 我要退订此短信, TD，不要再发了. Nothing else may stand there, so that
# 不退订, 怎么退订 and 退订了水费怎么办 say something else.
_SEND_NO_MORE = (
    r"(?>(?:以后|今后|请|麻烦|拜托|求|我|[您你]们?){0,8})(?:不要|不用|不必|不想|不需要|无需|别|莫|勿)(?>(?:再|在|给我们?|跟我|向我|老是?|天天|一直|乱){0,8})"
    r"(?:来?(?:发|打扰|打搅|骚扰|烦|收|推送)|来)(?>(?:到|给|送|来|我们?|[您你]们|[这此]些?|[这此]种|[这此]类|这样|的|短信|信息|消息|[了啊啦吧哈]){0,8})"
)
_ASKING = r"(?:请|麻烦(?:[您你]们?)?|拜托|[帮给]我们?|我们?|本人|想要?|要求?|申请|需要|希望|同意|确认|回复?|发送?|直接|短信|[您你]们?好|please|pls)"
_OUT = r"(?:退[订定](?:请?回复?)?(?:TD?)?|TD|STOP|UNSUBSCRIBE|取消订阅)"
_BEFORE_OUT = rf"(?:{_SEND_NO_MORE}[\W_]*+)?(?>(?:{_ASKING}[^\S\n]*+){{0,5}})"
_BEHIND_OUT = (
    rf"(?>(?:{_SEND_NO_MORE}|(?:非常|十分)?(?:感谢|谢谢|多谢|谢了|谢)(?:[您你]们?|大家)?|(?:麻烦|辛苦|拜托)(?:[您你]们?)?了?|一下|即可"
    r"|[这此]个?|[这此][类种]|[本该]|所有|全部|[您你]们的?|评价|满意度|调查|回访|推送|短信|信息|消息|通知|服务|thanks?|thank you|thx|please|pls|me"
    r"|[吧啊嘛哈哦呀]|[^\w?]|_)*)"
)
_OPT_OUT = re.compile(rf"{_BEFORE_OUT}(?>(?:{_OUT}|T|CANCEL|QUIT)+){_BEHIND_OUT}", re.IGNORECASE)
# Sent back whole, our own text asks nobody out, though it ends with 请回复TD.
_QUESTION_QUOTED = re.compile("1满意2基本满意3不满意")
_OPT_IN = re.compile(r"(?:HF|START|恢复|恢复订阅|恢复短信|重新订阅)", re.IGNORECASE)
# The same as the last words behind anything else. Not T, which ends T_T, nor 不要 退订 and 怎么 退订.
_OPT_OUT_LAST = re.compile(
    r"(?:(?<![不没别未要说\W_])(?:(?=[^\S\n]*[^\w\s])|(?<!没有)(?<!怎么)(?<!怎样)(?<!如何)(?<!咋个))[\W_]++|(?<=[123满意]))"
    rf"({_BEFORE_OUT}(?>(?:{_OUT}(?>(?:[^\w?]|_)*)){{1,6}}){_BEHIND_OUT})$",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"(?>(?:(?:非常|十分|太|多)?(?:感谢|谢谢|谢了|多谢)(?:您们|你们|大家|政府|领导|您|你)?|好的?|收到|知道了|辛苦了?|[您你]们?好|大家好|ok|thanks?|thank you|[了啊呀哈嗯])+)",
    re.IGNORECASE,
)
_WHO = r"(?:我们?|本人|群众|大家)?(?:表示|觉得|选择?)?"
_VERIES = r"很|非常|十分|特别|相当|实在|真的?|极其?|完全|都|挺"
_VERY = rf"(?:{_VERIES}|太)?"
_PARTICLES = r"(?:[了的啊呀哦呢吧啦哒嘛]|哈(?!哈))*"
# What is counted behind a number: 3 楼漏水, 3 天就修好了 and 不满 3 天 choose nothing. But 3 楼道没灯, 3 天天停水, 3 根本没来.
_COUNTED = (
    r"(?!组[织长]|处[理处]|根本|条[件条]|楼[道梯顶]|天[天气黑花亮桥然窗线]|个个|个人[认觉意感建]|家[家里中门]|村[村里上干民支委长主]|社[区保会]|队长"
    r"|号[称码]|年[年底]|月月|日[日子]|次次|层层|户户|分[不配]|座[位机谈]|周[围边]|位[置于]|名[义单字额]|台[阶风账]|段时)"
    r"(?:[栋幢楼号组队社村户家巷层座年月周日天点分秒次遍个条处盏根元块米吨斤亩位名颗棵辆台桶段]|单元|小[时区组队]|大队|星[期级]?|礼拜|公里|标段"
    r"|[口头只](?=[井人牛羊猪鸡鸭鹅])|人(?![都也影家们工员])|[百千万](?=[元块多斤亩]))"
)
_HOUSE = r"(?:[栋幢楼组社村队层座]|号楼|单元|小区)"
# 满意吧 and 满意呢 ask, as 满意嘛 does here; 太满意 alone is what is left of 不太满意.
_SATISFIED = rf"{_WHO}(?:{_VERIES}|太(?=(?:满意)+[了啦]))?(?:满意)+(?:[得的]很|极了)?(?:[了的啊呀哦啦哒]|哈(?!哈))*(?![吧呢嘛])"
_BASICALLY = (
    rf"{_WHO}(?:基本上?|大致|大体上?|总体上?|整体上?|还?比较|还算)(?:还|是|都)?满意{_PARTICLES}"
)
# 满意个啥 before 满意. Nothing may follow but a particle: 不满意度 and 不满意谈不上 say something else.
_WAYS = {
    Value.DISSATISFIED: re.compile(
        rf"{_WHO}(?:还是?|仍然?|依然|一点[都也]?|根本|并|就是?)?{_VERY}"
        r"(?:不(?:太|大|很|怎么|够|算|能|是很|是太|是十分|是非常|十分|非常)?满意(?:得很|极了)?|没有?满意|无法满意|[谈说称]不上满意"
        rf"|不满(?!\s*[\d一二两三四五六七八九十半几]+\s*个?{_COUNTED})){_PARTICLES}(?=$|\W|谢谢|感谢)"
        r"|满意(?:个[啥屁鬼毛头球]|个?(?:锤子|铲铲)|什么|啥)"
    ),
    Value.BASICALLY_SATISFIED: re.compile(_BASICALLY),
    Value.SATISFIED: re.compile(_SATISFIED),
}
# The number of the answer itself may stand behind it once more: 满意（1）.
_AGREED = {
    Value.SATISFIED: re.compile(
        agreed_remark(rf"{_SATISFIED}|(?<!\w)[1一](?!\w)", mildly=False), re.IGNORECASE
    ),
    Value.BASICALLY_SATISFIED: re.compile(
        agreed_remark(rf"{_BASICALLY}|(?<!\w)[2二](?!\w)", mildly=True), re.IGNORECASE
    ),
}
_DIGITS = dict(zip("123一二三", [*Value, *Value], strict=True))
# 1栋没水, 3.5 and 1、2 choose nothing: after the digit comes the end, a mark and then no digit, or the words themselves.
_CHOICE = re.compile(
    r"(?:我?选择?|回复|答)?[\W_]*([123一二三])[^\S\n]?[吧哈啊哦]?(?=$|[\W_]+(?!\d|[一二三](?:\W|$))|谢谢|感谢|辛苦|(?:我|很|非常|基本|不)?.{0,2}满意)"
)
# A number of a house as well: 3#楼, 3（栋）, 3#没水, 3-二单元, and the first of 3，四栋.
_COUNTS = re.compile(
    rf"[\s、.·~/#()\[\]{{}}【】〔〕<>《》“”\"'–—-]*{_COUNTED}|\s*#\W*\w|[\W_]*(?:[栋幢]|号楼|单元(?![楼门里内]))"
    rf"|\s*[-–—/]\s*[一二两三四五六七八九十]|[\s、,./]*[一二三四五六七八九十]+\s*{_HOUSE}"
)
_THANKED = re.compile(r"谢|辛苦|thank", re.IGNORECASE)
# Another number behind 3: a second choice, or the second of several complaints of which 3 was the first.
_ANOTHER_NUMBER = re.compile(
    r"(?:(?<![^\W_])|[选是改成回复])(?:(?!3(?!\d))\d{1,3}|[一二])(?![^\W_])|\d[、.)](?!\d)"
)
_SHORT_NUMBER = re.compile(r"第?\s*(\d{1,3})\s*号[\W_]*(?=\w)")
_SPACED_OUT = re.compile(
    r"(?<=(?<![^\W\d_])[\u4e00-\u9fff])[^\S\n]+(?=[\u4e00-\u9fff](?![^\W\d_]))"
)
# What goes before 不满意 at the end. A condition, a choice or the word of another makes it somebody else's, or another day's.
_COMPLAINS = re.compile(
    r"没[有得]?(?:人|水|电|气|网|来|修|解决|处理|动静|结果|效果|管|用|信号)|没得|还是(?:老样子|一样|堵|漏|停|坏|黑|臭|吵|脏|没)|不(?:管|理|来|修|解决|处理|通|亮|行)"
    r"|又(?:停|坏|堵|漏|断|黑|臭)了?|推来推去|踢皮球|敷衍|态度(?:很|太|极)?差|拖了?(?:很久|太久)|太慢|等了(?:很久|太久)"
)
_SAID_BY_OTHERS = re.compile(
    r"如果|要是|假如|不然|否则|再不|要不|除非|的话|就怕|万一|说|讲|问|认为|以为|担心|邻居|别人|人家|(?<!没)有人|[他她]|大家|\d|(?<!\w)[一二三](?!\w)|谢|感谢|选|为什么|怎么|是不是|难道|谁|不是|不会|不能|别"
)
_SPEAKS_OF_IT = re.compile(r"满意|不满")
_GAPS = re.compile(r"[\W_]+")
_CLAUSES = re.compile(r"([\W_]+)")


def read_reply(given: str) -> Reading:
    """What a citizen's text says, if it says anything clearly."""
    words = _plain(given) if len(given) <= LONGEST else given
    # Some letters are several when they are made ordinary.
    if len(words) > LONGEST:
        return Reading(Sense.UNCLEAR, not_read=NotRead.TOO_LONG)
    if not words.strip():
        return Reading(Sense.UNCLEAR, not_read=NotRead.NO_WORDS)
    run_together = _GAPS.sub("", words)
    if _QUESTION_QUOTED.search(run_together):
        return _said(words)
    if "?" not in words and _OPT_OUT.fullmatch(run_together):
        return Reading(Sense.OPT_OUT)
    if _OPT_IN.fullmatch(run_together):
        return Reading(Sense.OPT_IN)
    last = _OPT_OUT_LAST.search(words)
    if last is None:
        return _said(words)
    before = _said(words[: last.start(1)])
    if before.sense is Sense.THANKS:
        return Reading(Sense.OPT_OUT)
    return replace(before, opts_out=True)


def _said(words: str) -> Reading:
    first, rest = _without_courtesies(words)
    courtesies = words[: len(words) - len(first + rest)]
    if not first:
        return Reading(Sense.THANKS if _bare(words) else Sense.UNCLEAR)
    numbered = _SHORT_NUMBER.match(first + rest)
    about = (first + rest)[numbered.end() if numbered else 0 :]
    reading = _evaluation(about)
    if _unsure(reading, words, courtesies, about):
        reading = Reading(Sense.UNCLEAR)
    return replace(reading, short_number=int(numbered[1])) if numbered else reading


def _unsure(reading: Reading, words: str, before: str, about: str) -> bool:
    """Whether what stands around the answer leaves it in doubt: a sign, #3 for a house, 谢谢，3 as little as 3，谢谢."""
    if before.rstrip().endswith("#") and about[:1] in _DIGITS:
        return True
    if reading.value in _AGREED:
        return doubted(words)
    return _bare(about) in _DIGITS and _THANKED.search(before) is not None


def _plain(given: str) -> str:
    """Full-width and circled digits, Traditional letters and invisible ones made ordinary."""
    folded = unicodedata.normalize("NFKC", given)
    seen = "".join(
        one for one in folded if one in "\n\t" or unicodedata.category(one) not in _INVISIBLE
    )
    return _SPACED_OUT.sub("", to_simplified(seen).translate(_OTHER_SPELLINGS))


def _bare(words: str) -> str:
    """Without marks and blanks at the edges."""
    begun = words[_edge(words) :]
    return begun[: len(begun) - _edge(begun[::-1])]


def _edge(words: str) -> int:
    found = _GAPS.match(words)
    return found.end() if found else 0


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
        return _verdict_at_the_end(words)
    if not _plainly_meant(words, rest, value) or (chosen is not None and _COUNTS.match(rest)):
        return Reading(Sense.UNCLEAR)
    said_again = _WAYS[value].match(_bare(rest))
    return Reading(
        Sense.ANSWER, value, _bare(_bare(rest)[said_again.end() :] if said_again else rest)
    )


def _verdict_at_the_end(words: str) -> Reading:
    """What the last clause says, where all before it goes with that and says nothing of satisfaction: 水通了，满意."""
    clauses = [one for one in _GAPS.split(words) if one]
    last = clauses[-1] if len(clauses) > 1 else ""
    before = words[: words.rfind(last)] if last else ""
    if not last or "?" in words or _SPEAKS_OF_IT.search(before):
        return Reading(Sense.UNCLEAR)
    for value, way in _WAYS.items():
        if way.fullmatch(last) and _goes_with(value, before):
            return Reading(Sense.ANSWER, value, _bare(before))
    return Reading(Sense.UNCLEAR)


def _goes_with(value: Value, before: str) -> bool:
    if value in _AGREED:
        return _AGREED[value].fullmatch(before) is not None
    return (
        _COMPLAINS.search(before) is not None
        and _SAID_BY_OTHERS.search(before) is None
        and not says_all_is_well(before, before)
    )


def _plainly_meant(words: str, rest: str, value: Value) -> bool:
    """Whether what follows leaves it at that: not 满意，但是他不满意; not 1，水又停了; not 3，水通了."""
    if value in _AGREED:
        return _AGREED[value].fullmatch(rest) is not None
    asked_back = _CLAUSES.match(rest)
    speaking_of_it = [one for one in _CLAUSES.split(rest) if _SPEAKS_OF_IT.search(one)]
    return not (
        (asked_back and "?" in asked_back[0])
        or _ANOTHER_NUMBER.search(rest)
        or not all(_WAYS[value].match(one) for one in speaking_of_it)
        or says_all_is_well(words, rest)
    )
