"""What citizens text back, as they write it."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.evaluation.reply_meanings import Reading, Sense
from app.evaluation.reply_parser import read_reply
from app.evaluation.terms import Value

SATISFIED, BASICALLY, DISSATISFIED = Value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", SATISFIED),
        ("2", BASICALLY),
        ("3", DISSATISFIED),
        ("１", SATISFIED),
        ("③", DISSATISFIED),
        ("1️⃣", SATISFIED),
        ("【3】", DISSATISFIED),
        ("3！！！", DISSATISFIED),
        (" 2 \n", BASICALLY),
        ("选1", SATISFIED),
        ("我选 2", BASICALLY),
        ("三", DISSATISFIED),
        ("1满意", SATISFIED),
        ("1、满意", SATISFIED),
        ("2基本满意", BASICALLY),
        ("3不满意", DISSATISFIED),
        ("3 非常不满意", DISSATISFIED),
        ("满意", SATISFIED),
        ("滿意", SATISFIED),
        ("满意！", SATISFIED),
        ("满意。谢谢", SATISFIED),
        ("满意谢谢", SATISFIED),
        ("满意了", SATISFIED),
        ("满\u200b意", SATISFIED),
        ("满意👍", SATISFIED),
        ("“满意”", SATISFIED),
        ("很满意", SATISFIED),
        ("非常满意，为你们点赞", SATISFIED),
        ("太满意了！", SATISFIED),
        ("我们很满意", SATISFIED),
        ("谢谢，满意", SATISFIED),
        ("您好！我满意", SATISFIED),
        ("基本满意", BASICALLY),
        ("基本上满意。", BASICALLY),
        ("基本滿意", BASICALLY),
        ("不满意", DISSATISFIED),
        ("不滿意！", DISSATISFIED),
        ("不满", DISSATISFIED),
        ("不太满意", DISSATISFIED),
        ("不是很满意", DISSATISFIED),
        ("很不满意", DISSATISFIED),
        ("一点都不满意！！", DISSATISFIED),
        ("不满意，不满意，很不满意", DISSATISFIED),
        ("我不满意", DISSATISFIED),
        ("还是不满意", DISSATISFIED),
        ("不怎么满意", DISSATISFIED),
        ("满意个啥", DISSATISFIED),
        ("满意个屁！水都没有", DISSATISFIED),
        ("3，三天了还没有水", DISSATISFIED),
        ("1。谢谢", SATISFIED),
        ("1谢谢", SATISFIED),
        ("1吧", SATISFIED),
        ("满 意", SATISFIED),
        ("满意满意！", SATISFIED),
        ("特别满意", SATISFIED),
        ("满意🌹", SATISFIED),
        ("妳们好！滿意", SATISFIED),
        ("2.基本满意", BASICALLY),
        ("不 满 意", DISSATISFIED),
        ("不\u200b满意", DISSATISFIED),
        ("不满意🙏", DISSATISFIED),
    ],
)
def test_clear_answer_is_read(text: str, value: Value) -> None:
    reading = read_reply(text)
    assert (reading.sense, reading.value) == (Sense.ANSWER, value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "？",
        "满意吗",
        "满意吗？",
        "满意？",
        "不满意？",
        "满意度太低",
        "满意才怪",
        "一般",
        "一般满意",
        "不是不满意",
        "没有不满意",
        "如果修好了就满意",
        "谈不上不满意",
        "怎么可能满意",
        "满意，但是他不满意",
        "不满意，上次很满意",
        "1，不满意",
        "3满意",
        "1满意 2基本满意 3不满意",
        "1满意2基本满意3不满意",
        "1或2",
        "1 2",
        "1、2",
        "1、2栋还没有水",
        "3.5",
        "11",
        "123",
        "4",
        "0",
        "1栋没水",
        "3楼的灯还没修",
        "2025年",
        "13800000001",
        "13",
        "1 3",
        "1/3",
        "还行",
        "不 满意",
        "不，满意",
        "满意 不",
        "满不满意",
        "满意是不可能的",
        "1，水还是没有",
        "1 不",
        "2，可是没解决",
        "满意，没什么说的",
        "1👎",
        "满意😡",
        "3👍",
        "👍",
        "假的满意",
        "1号楼没水",
        "2号",
        "一直没有水",
        "三天了还没来",
        "水还是没有",
        "你们什么时候来修？",
        "ńo",
        "\ud800",
        "满" * 5000,
    ],
)
def test_what_is_not_clear_is_not_guessed(text: str) -> None:
    reading = read_reply(text)
    assert (reading.sense, reading.value) == (Sense.UNCLEAR, None)


@pytest.mark.parametrize(
    "text", ["谢谢", "謝謝！", "非常感谢", "好的，谢谢", "收到", "辛苦了", "谢谢你们"]
)
def test_thanks_are_no_evaluation(text: str) -> None:
    assert read_reply(text) == Reading(Sense.THANKS)


@pytest.mark.parametrize(
    "text",
    ["TD", "td", "ＴＤ", "T", "退订", "退訂", "【退订】", "TD。", "t d", "TD退订", "退订回T"],
)
def test_opting_out_is_recognised(text: str) -> None:
    assert read_reply(text) == Reading(Sense.OPT_OUT)


@pytest.mark.parametrize("text", ["HF", "ｈｆ", "h f", "恢复", "恢復", "恢复订阅", "START"])
def test_wanting_to_be_asked_again_is_recognised(text: str) -> None:
    assert read_reply(text) == Reading(Sense.OPT_IN)


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("不满意，水还是没有", "水还是没有"),
        ("3，水還是沒有", "水还是没有"),
        ("3 水还是没有！", "水还是没有"),
        ("满意。谢谢你们", "谢谢你们"),
        ("满意", ""),
    ],
)
def test_what_follows_is_kept_as_the_remark(text: str, remark: str) -> None:
    assert read_reply(text).remark == remark


@pytest.mark.parametrize(
    ("text", "number", "value"),
    [
        ("2号满意", 2, SATISFIED),
        ("1 号满意", 1, SATISFIED),
        ("2号不满意", 2, DISSATISFIED),
        ("第1号：不满意", 1, DISSATISFIED),
        ("2號 3", 2, DISSATISFIED),
    ],
)
def test_short_number_names_one_of_several(text: str, number: int, value: Value) -> None:
    reading = read_reply(text)
    assert (reading.short_number, reading.value) == (number, value)


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    reading = read_reply(text)
    assert (reading.value is not None) == (reading.sense is Sense.ANSWER)


@given(
    st.text(alphabet="不没未无难别", min_size=1, max_size=3),
    st.sampled_from(["", "很", "太", "是", "算"]),
)
def test_negated_satisfied_is_never_read_as_satisfied(negation: str, degree: str) -> None:
    assert read_reply(f"{negation}{degree}满意").value not in (SATISFIED, BASICALLY)


# What people write around it, by the piece; none ends or begins so that it makes another word of the negation.
_PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "满意",
                "滿意",
                "基本满意",
                "很满意",
                "1",
                "１",
                "2",
                "①",
                "谢谢",
                "水",
                "我",
                "的",
                "了",
                "吧",
                "，",
                "。",
                "！",
                " ",
                "\n",
                "👍",
                "\u200b",
            ]
        ),
        st.text(max_size=3),
    ),
    max_size=5,
).map("".join)
_NEGATIONS = st.sampled_from(
    ["不", "没", "沒", "未", "无", "否", "勿", "莫", "冇", "唔", "難", "难", "没有", "不是", "并非"]
)


@given(_PIECES, _NEGATIONS, _PIECES)
def test_whatever_surrounds_it_a_negation_is_never_read_as_satisfied(
    before: str, negation: str, after: str
) -> None:
    # 无比, 非常 and 不错 deny nothing.
    assume(not after.startswith(("比", "常", "错")))
    assert read_reply(before + negation + after).value not in (SATISFIED, BASICALLY)


@given(
    st.lists(st.sampled_from("123１２３"), min_size=2, max_size=6),
    st.sampled_from(["", " ", "、", "，", ".", "-"]),
)
def test_several_digits_are_no_choice(digits: list[str], between: str) -> None:
    assert read_reply(between.join(digits)).value is None
