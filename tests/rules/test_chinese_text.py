"""Traditional letters and letters that nobody sees."""

import sys
import unicodedata

import pytest

from app.chinese_text import strip_invisible, to_simplified

# Format characters that are seen, or that belong to the word they stand in.
_SEEN_OR_NEEDED = {"\u180e", *map(chr, (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2))}


@pytest.mark.parametrize(
    ("written", "simplified"),
    [
        ("張三", "张三"),
        ("廣順", "广顺"),
        ("裡面的燈還沒裝", "里面的灯还没装"),
        ("裏面說話", "里面说话"),
        ("憂鬱的烏龜", "忧郁的乌龟"),
        ("後來后來", "后来后来"),
        ("买买提·吐尔逊", "买买提·吐尔逊"),
        ("已经是简体", "已经是简体"),
        ("plain letters", "plain letters"),
        ("", ""),
        ("金凜", "金凛"),
    ],
)
def test_traditional_letters_become_simplified(written: str, simplified: str) -> None:
    assert to_simplified(written) == simplified


def test_to_simplified_keeps_the_length_of_every_letter() -> None:
    assert all(len(to_simplified(chr(point))) == 1 for point in range(sys.maxunicode + 1))


def test_to_simplified_changes_nothing_a_second_time() -> None:
    changed = {to_simplified(chr(point)) for point in range(0x3400, 0x323B0)}
    assert [letter for letter in changed if to_simplified(letter) != letter] == []


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("\u202d13800000000\u202c", "13800000000"),
        ("张\u200b三", "张三"),
        ("软\u00ad连字符", "软连字符"),
        ("\ufeff开头", "开头"),
        ("第一行\x0b第二行", "第一行\n第二行"),
        ("第一页\x0c第二页", "第一页\n第二页"),
        ("一\r\n二\r三\u2028四\u2029五\x85六", "一\n二\n三\n四\n五\n六"),
        ("一\t二\n三", "一\t二\n三"),
        ("铃\x07声\x00", "铃声"),
        ("\u3164\u2800", ""),
        ("落单\ud800的", "落单的"),
        ("修好了👍🏽", "修好了👍🏽"),
        ("👩\u200d⚕️来了", "👩\u200d⚕️来了"),
        ("🏳️\u200d🌈", "🏳️\u200d🌈"),
        ("👨🏽\u200d🌾", "👨🏽\u200d🌾"),
        ("字\u200d字", "字字"),
        ("👍\u200d", "👍"),
        ("\u200d👍", "👍"),
        ("ᠮᠣᠩᠭᠣᠯ", "ᠮᠣᠩᠭᠣᠯ"),
        ("葛\U000e0100城", "葛\U000e0100城"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_invisible_letters_are_stripped_and_the_rest_stays(written: str, left: str) -> None:
    assert strip_invisible(written) == left


def test_every_invisible_letter_is_stripped() -> None:
    kept = {
        letter
        for letter in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(letter) in {"Cc", "Cf", "Cs"} and letter in strip_invisible(letter)
    }
    assert {one for one in kept if ord(one) < 0x11000} - _SEEN_OR_NEEDED == {"\t", "\n"}
