"""The texts: always within their segments, complete, of one line, and without links whatever people typed."""

import ast
import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.texts.outbox import MessageKind
from sms.gateway import Capabilities
from sms.texts import (
    ANY_WORDS,
    TEMPLATES,
    TextParameters,
    cleaned,
    render,
    segments,
    shortened,
    signed,
    values,
)

ROOT = Path(__file__).parents[2]
TEXTS = sorted(TEMPLATES)
GIVEN = {
    "title": "工农茶叶产业社区13至17栋停水",
    "ref": "500153-261122-48392017",
    "primary": "500153-261122-00000001",
    "unit": "广顺街道",
    "code": "ABCD2345",
    "report": "已查明主管破裂，预计周五恢复供水",
    "answer": "主管已更换，供水恢复",
    "missing": "停水的楼栋和开始停水的日期",
    "reason": "所反映事项正在法院审理",
    "outcome": "已解决",
    "until": "2026年12月30日",
    "paper": "荣延〔2026〕12号",
    "why": "等待县外机关办理",
    "what": "复查",
    "decision": "维持原处理意见",
    "next": "不服的，可在2026年12月30日前申请复核",
}
anything = st.text(max_size=400)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def test_every_message_that_is_a_text_has_a_template() -> None:
    assert set(TEMPLATES) == set(MessageKind) - {MessageKind.SURVEY_OWED}


@pytest.mark.parametrize("kind", TEXTS)
def test_what_was_given_stands_in_the_text_under_the_countys_signature(kind: MessageKind) -> None:
    body = render(kind, GIVEN, signature="荣昌群工").body
    assert body.startswith("【荣昌群工】")
    assert "{" not in body
    for name in TEMPLATES[kind].parameters:
        assert GIVEN[name] in body


@pytest.mark.parametrize("kind", TEXTS)
@given(
    given_values=st.fixed_dictionaries(
        dict.fromkeys(
            ("title", "unit", "report", "answer", "missing", "reason", "outcome"), anything
        )
    ),
    signature=anything,
)
def test_text_keeps_its_limit_whatever_is_put_into_it(
    kind: MessageKind, given_values: dict[str, str], signature: str
) -> None:
    exact = {name: "8" * most for name, most in TEMPLATES[kind].exact.items()}
    rendered = render(kind, {**given_values, **exact}, signature=signature)
    assert rendered.segments == segments(rendered.body) <= TEMPLATES[kind].segments
    for value in exact.values():
        assert value in rendered.body


@pytest.mark.parametrize("kind", [kind for kind in TEXTS if TEMPLATES[kind].filler])
@pytest.mark.parametrize("letter", ["水", "𠮷", "a"])
def test_long_parameter_is_cut_with_an_ellipsis_and_leaves_the_rest_whole(
    kind: MessageKind, letter: str
) -> None:
    template = TEMPLATES[kind]
    assert template.filler is not None
    rendered = render(kind, {**GIVEN, template.filler: letter * 900})
    assert letter + "…" in rendered.body
    assert rendered.body.endswith(template.words.rpartition("}")[2])
    assert rendered.segments == template.segments


@pytest.mark.parametrize("kind", [kind for kind in TEXTS if TEMPLATES[kind].filler])
def test_even_with_everything_else_at_its_longest_something_of_words_remains(
    kind: MessageKind,
) -> None:
    template = TEMPLATES[kind]
    longest = {name: "8" * most for name, most in template.exact.items()} | dict.fromkeys(
        template.shortened, "字" * 99
    )
    body = render(kind, {**longest, str(template.filler): "水" * 99}, signature="县" * 99).body
    assert "水" * 10 + "…" in body or "水" * 99 in body


@pytest.mark.parametrize("kind", TEXTS)
def test_text_lacking_a_parameter_is_refused(kind: MessageKind) -> None:
    for name in TEMPLATES[kind].parameters:
        with pytest.raises(TextParameters, match=name):
            render(kind, {other: value for other, value in GIVEN.items() if other != name})


_OWE: Final[Mapping[str, set[str]]] = {
    "announce": set(),
    "tell": {"ref", "title"},
    "tell_all": {"ref", "title"},
}


def owed() -> Iterator[tuple[str, str, set[str]]]:
    """Where a text is owed, which, and the parameters handed along; telling adds the case's own."""
    for folder in ("app", "workers"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call) or ast.unparse(node.func) not in _OWE:
                    continue
                given = {keyword.arg for keyword in node.keywords if keyword.arg}
                added = _OWE[ast.unparse(node.func)]
                for argument in node.args:
                    owner, _, kind = ast.unparse(argument).partition(".")
                    if owner == "MessageKind" and kind != "SURVEY_OWED":
                        yield f"{path.name}:{node.lineno}", kind, given | added


def test_whoever_owes_a_text_hands_along_what_its_template_needs() -> None:
    found = list(owed())
    assert {kind for _, kind, _ in found} >= {"ONE_TIME_CODE", "RECEIPT", "MOVED", "ANSWERED"}
    for where, kind, given_names in found:
        assert TEMPLATES[MessageKind[kind]].parameters <= given_names, where


@pytest.mark.parametrize("code", ["", "   ", "1234567890", "\u200b"])
def test_code_is_never_cut_or_left_out(code: str) -> None:
    with pytest.raises(TextParameters, match="code"):
        render(MessageKind.ONE_TIME_CODE, {"code": code})


def test_what_is_no_text_is_not_rendered() -> None:
    with pytest.raises(TextParameters):
        render(MessageKind.SURVEY_OWED, GIVEN)


def test_survey_says_what_to_answer() -> None:
    body = render(MessageKind.SURVEY, GIVEN).body
    assert "1满意 2基本满意 3不满意" in body


def test_case_without_a_title_is_told_without_one() -> None:
    assert "您反映的“有关事项”" in render(MessageKind.MOVED, {**GIVEN, "title": "\u200b "}).body


@pytest.mark.parametrize("kind", TEXTS)
def test_braces_in_what_people_wrote_stay_braces(kind: MessageKind) -> None:
    assert render(kind, {**GIVEN, "title": "{unit}{0}", "report": "{}"}).segments >= 1


@pytest.mark.parametrize(
    "link",
    [
        "http://evil.example/x",
        "HTTPS://evil.example",
        "www.evil.example",
        "evil.com",
        "evil.com.cn/a?b=c",
        "a.b-c.cn:8080/x",
        "ev\u200bil.com",
        "javascript://x",
        "weixin://dl/x",
    ],
)
def test_no_text_carries_a_link(link: str) -> None:
    body = render(MessageKind.PROGRESS, {**GIVEN, "report": f"请看{link}，谢谢"}).body
    assert "（链接略）" in body
    assert not re.search(r"evil|://|www|\.c", body, re.IGNORECASE)


def test_numbers_and_abbreviations_are_not_taken_for_links() -> None:
    plain = "水压0.35MPa，13-17栋，2025.6.1起，电话023-46731234，约3.5米，A.B两区"
    assert cleaned(plain) == plain


def test_what_people_wrote_cannot_pose_as_another_sender() -> None:
    body = render(
        MessageKind.PROGRESS, {**GIVEN, "report": "【中国银行】您的账户异常"}, signature="【某】"
    ).body
    assert body.count("【") == body.count("】") == 1


@given(st.text())
def test_cleaned_words_are_one_visible_line(text: str) -> None:
    line = cleaned(text)
    assert line == line.strip()
    assert not {unicodedata.category(letter) for letter in line} & {
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Zl",
        "Zp",
    }
    assert "  " not in line
    line.encode("utf-8")


@pytest.mark.parametrize(
    "hidden", ["\u200b", "\u202e", "\u2066", "\ufeff", "\x00", "\u3164", "\ud800", "\u00ad"]
)
def test_what_cannot_be_seen_is_left_out(hidden: str) -> None:
    assert cleaned(f"满{hidden}意") == "满意"


def test_lines_and_tabs_become_one_blank() -> None:
    assert cleaned(" 一\r\n二\t\u3000三\u2028四 ") == "一 二 三 四"


@pytest.mark.parametrize(
    ("body", "count"),
    [("", 1), ("水" * 70, 1), ("水" * 71, 2), ("水" * 134, 2), ("水" * 135, 3), ("𠮷" * 35, 1), ("𠮷" * 36, 2), ("𠮷" * 66, 2), ("𠮷" * 67, 3)],
)  # fmt: skip
def test_segments_are_counted_as_networks_count_them(body: str, count: int) -> None:
    assert segments(body) == count


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_shortened_never_exceeds_and_never_invents(text: str, most: int) -> None:
    cut = shortened(text, most)
    assert units(cut) <= most
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))


def test_signature_is_the_countys() -> None:
    assert signed("荣昌群工") == "【荣昌群工】"
    assert units(signed("县" * 50)) <= 14


DOMESTIC = Capabilities(two_way=True, links=False, free_text=False, longest_value=35)


@pytest.mark.parametrize("kind", [MessageKind.SURVEY, MessageKind.SURVEY_REMINDER])
@pytest.mark.parametrize("can", [ANY_WORDS, DOMESTIC], ids=["any words", "approved words"])
def test_where_several_questions_are_open_reply_is_to_begin_with_number(
    kind: MessageKind, can: Capabilities
) -> None:
    longest = GIVEN | {"title": "水" * 200, "ref": "5" * 32, "short_number": "123"}
    told = values(kind, longest, capabilities=can)["title"]
    assert told.startswith("123号（回复请先写123号）：水水水水")
    assert render(kind, longest, capabilities=can).segments <= TEMPLATES[kind].segments
    no_title = values(kind, GIVEN | {"title": "", "short_number": "2"}, capabilities=can)
    assert no_title["title"] == "2号（回复请先写2号）：有关事项"


def test_no_number_is_told_where_no_reply_comes_back_or_is_asked_for() -> None:
    numbered = GIVEN | {"short_number": "2"}
    one_way = Capabilities(two_way=False, links=False, free_text=True)
    for kind, can in ((MessageKind.SURVEY, one_way), (MessageKind.ANSWERED, ANY_WORDS)):
        assert values(kind, numbered, capabilities=can)["title"].startswith("工农茶叶")
