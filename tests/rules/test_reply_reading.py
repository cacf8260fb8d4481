"""What may stand behind an answer by text: read where it agrees, left to people where it may not."""

import itertools
import unicodedata
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.evaluation import reply_phrases
from app.evaluation.reply_meanings import Reading, Sense
from app.evaluation.reply_parser import read_reply
from app.evaluation.terms import Value
from tests.rules.replies_as_written import BASICALLY, DISSATISFIED, GROUPS, SATISFIED, UNCLEAR
from tests.rules.replies_of_villagers import MORE_GROUPS

_TABLE = [
    pytest.param(text, value, id=f"{group}: {text}")
    for group, value, texts in (*GROUPS, *MORE_GROUPS)
    for text in texts.splitlines()
]
_READ_AS_SATISFIED = [
    text for _, value, texts in GROUPS if value is SATISFIED for text in texts.splitlines()
]


def replies_of(*groups: str) -> list[str]:
    return [text for group, _, texts in GROUPS if group in groups for text in texts.splitlines()]


@pytest.mark.parametrize(("text", "value"), _TABLE)
def test_reply_reads_as_it_is_meant_or_goes_to_people(text: str, value: Value | None) -> None:
    reading = read_reply(text)
    expected = (Sense.UNCLEAR, None) if value is UNCLEAR else (Sense.ANSWER, value)
    assert (reading.sense, reading.value) == expected


def test_why_somebody_is_dissatisfied_is_kept() -> None:
    reading = read_reply("不满意，请尽快来修，谢谢")
    assert reading == Reading(Sense.ANSWER, DISSATISFIED, "请尽快来修,谢谢")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 TD", SATISFIED),
        ("1TD", SATISFIED),
        ("1, td。", SATISFIED),
        ("满意，退订", SATISFIED),
        ("满意退订", SATISFIED),
        ("1 谢谢 退訂", SATISFIED),
        ("2，退订回T", BASICALLY),
        ("3，退订", DISSATISFIED),
        ("不满意，水还是没有，ＴＤ", DISSATISFIED),
        ("2号3，TD", DISSATISFIED),
        ("3，很好，TD", UNCLEAR),
        ("水还没来 退订", UNCLEAR),
        ("满意，退订谢谢", SATISFIED),
        ("3 水没来 TD谢谢", DISSATISFIED),
        ("满意 请退订", SATISFIED),
        ("满意请退订", SATISFIED),
        ("1，TD，不要再发了", SATISFIED),
        ("3，水没来，我要退订，谢谢！", DISSATISFIED),
        ("2 回复TD", BASICALLY),
        ("1，以后不要再发了，TD", SATISFIED),
    ],
)
def test_opting_out_behind_something_else_is_both(text: str, value: Value | None) -> None:
    reading = read_reply(text)
    assert (reading.value, reading.opts_out) == (value, True)


@pytest.mark.parametrize(
    "text",
    [
        "谢谢，TD",
        "退订，谢谢",
        "TD 谢谢",
        "TD谢谢",
        "TD，不要再发了",
        "TD 别再给我发短信了",
        "不要再发了 TD",
        "TD，莫再发了",
        "请退订",
        "請退訂",
        "我要退订",
        "我想退订，谢谢",
        "麻烦帮我退订一下",
        "要求退订！",
        "回复TD",
        "请回复TD",
        "回复 ＴＤ",
        "退订短信",
        "退订此短信",
        "短信退订",
        "退订评价短信",
        "T D",
        "T D，谢谢",
        "td。谢谢",
        "您好，退订",
        "你好，我要退订，谢谢",
        "取消订阅",
        "请取消订阅，谢谢",
        "退订吧",
        "退定",
        "退 订 谢谢",
        "please unsubscribe",
    ],
)
def test_opting_out_politely_is_opting_out(text: str) -> None:
    assert read_reply(text) == Reading(Sense.OPT_OUT)


@pytest.mark.parametrize(
    "text",
    [
        "1 不退订",
        "不要 退订",
        "1 T_T",
        "3，退订流量包没人管",
        "ATD",
        "不退订",
        "请不要退订",
        "我不要退订，谢谢",
        "退订了水费怎么办",
        "怎么退订",
        "怎么 退订",
        "如何 退订",
        "我没退订",
        "没有退订",
        "没有 退订",
        "TD是什么",
        "TD？",
        "1，退订？",
        "退订吗",
        "要不要退订",
        "退订了",
        "退订不了",
        "退订费谢谢",
        "退定金",
        "不要再发短信了",
        "我要退",
        "1，我不要退订",
        "有限公司LTD",
        "您反映的“路灯”（编号5）还等您评价：请直接回复1满意 2基本满意 3不满意，对办理单位保密。不想再收到，请回复TD。",
    ],
)
def test_what_only_speaks_of_opting_out_does_not(text: str) -> None:
    reading = read_reply(text)
    assert not reading.opts_out
    assert reading.sense is not Sense.OPT_OUT


# Letters of no word that may follow an answer.
_KNOWN = frozenset(Path(reply_phrases.__file__).read_text(encoding="utf-8"))
_UNKNOWN = st.text(
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5).filter(lambda one: one not in _KNOWN),
    min_size=1,
    max_size=6,
).filter(lambda words: not _KNOWN.intersection(unicodedata.normalize("NFKC", words)))
_MARK = st.sampled_from(["", " ", "，", "。", "！", "、", "\n", "（"])
_AGREEING = st.sampled_from(["", "谢谢", "水通了", "很好", "👍", "满意"])
_ANY = st.one_of(
    st.sampled_from([str(one.values[0]) for one in _TABLE]),
    st.lists(
        st.sampled_from(
            ["满意", "不满意", "基本满意", "1", "2", "3", "谢谢", "水", "没", "，", "！", "通了"]
        )
    ).map("".join),
)


@given(st.sampled_from(["1", "2", "满意", "基本满意", "一"]), _MARK, _AGREEING, _UNKNOWN, _MARK)
def test_unknown_remark_never_reads_as_satisfied(
    answer: str, mark: str, agreeing: str, unknown: str, last: str
) -> None:
    for remark in (agreeing + last + unknown, unknown + last + agreeing):
        assert read_reply(f"{answer}{mark}{remark}").value not in (SATISFIED, BASICALLY)


_NOT_MEANT = replies_of(
    "satisfied, and the trouble goes on",
    "satisfied, and it is not meant",
    "satisfied, and somebody else says so",
    "satisfied, and a sign that doubts it",
)


@given(st.sampled_from(_READ_AS_SATISFIED), _MARK, st.sampled_from(_NOT_MEANT))
def test_no_praise_makes_up_for_what_is_not_meant(praise: str, mark: str, doubt: str) -> None:
    for text in (praise + mark + doubt, doubt + mark + praise):
        assert read_reply(text).value is not SATISFIED


@given(st.sampled_from(["3", "不满意"]), st.sampled_from(["，", "。", "！"]), st.data())
def test_no_complaint_hides_that_all_is_said_to_be_well(
    answer: str, mark: str, data: st.DataObject
) -> None:
    well = data.draw(st.sampled_from(["水通了", "解决了", "很好", "谢谢你们", "没问题", "👍"]))
    complaint = data.draw(st.sampled_from(["水还是黄的", "没人来", "拖了半年", "态度不好"]))
    for one, other in itertools.permutations([well, complaint]):
        assert read_reply(mark.join([answer, one, other])).value is None


@given(st.text(st.characters(categories=["So"]), min_size=1, max_size=3), st.booleans())
def test_picture_never_makes_an_answer_another(pictures: str, before: bool) -> None:
    for answer, value in (("满意", SATISFIED), ("不满意", DISSATISFIED)):
        text = pictures + answer if before else answer + pictures
        assert read_reply(text).value in (value, None)


@given(_ANY)
def test_width_and_blanks_around_it_change_nothing(text: str) -> None:
    wide = "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)
    assert read_reply(wide) == read_reply(text)
    assert read_reply(f" \n{text}　\n") == read_reply(text)


_TRADITIONAL = str.maketrans(
    "满谢们来决态亮电气灯说还没问题热适干", "滿謝們來決態亮電氣燈說還沒問題熱適幹"
)


@given(_ANY)
def test_traditional_letters_change_nothing(text: str) -> None:
    assert read_reply(text.translate(_TRADITIONAL)) == read_reply(text)


@given(
    _ANY.filter(
        # Nor our own question sent back: it ends with 请回复TD itself.
        lambda text: (
            not text.rstrip("，！").endswith(tuple("不没别未要说")) and "基本满意 3" not in text
        )
    )
)
def test_opting_out_behind_it_leaves_the_answer_as_it_was(text: str) -> None:
    alone, both = read_reply(text), read_reply(f"{text}，TD")
    assert both.opts_out or both.sense is Sense.OPT_OUT
    assert (both.value, both.short_number) == (alone.value, alone.short_number)


_BITS = st.sampled_from("的我好没都大水很和村也1，谢不又")


# A pattern that tries everything anew would take years for these.
@settings(deadline=timedelta(seconds=3))
@given(_BITS, _BITS)
def test_reading_is_quick_whatever_is_written(one: str, other: str) -> None:
    for answer in ("1，", "3，", "不满意，", "3", "退订，"):
        assert read_reply(answer + (one + other) * 900 + "停").value is not SATISFIED
