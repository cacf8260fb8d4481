"""Normalises Chinese text from different keyboards and programs: Traditional characters, and invisible ones.

It compares and cleans; it does not judge whether a text may be stored.
"""

import re
import unicodedata
from functools import cache
from typing import Final

from opencc import OpenCC

# The blocks of Chinese characters, those for compatibility included.
_BLOCKS: Final = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x323B0))
# \v is the line break of Word, \f its page break; the others are the line breaks of Unicode.
_LINE_BREAKS: Final = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")
# Control characters, and what Unicode calls default-ignorable: zero-width and bidi marks, soft hyphens, fillers, tags. Not
# the variation selectors, which choose a glyph, nor the Mongolian vowel separator, which belongs to its word.
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\v\f\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff\ud800-\udfff]"
)
# After NFKC, which makes （ and ［ narrow.
_BRACKETS: Final = re.compile(
    r"\([^()]*+\)|\[[^\[\]]*+\]|【[^【】]*+】|〔[^〔〕]*+〕|〈[^〈〉]*+〉|《[^《》]*+》"
)
_JOINER: Final = "\u200d"
_EMOJI_STYLE: Final = "\ufe0f"


def to_simplified(text: str) -> str:
    """Each Traditional letter as its Simplified one, letter by letter, so that the length stays.

    For comparing and reading, not for showing: 乾 becomes 干 also in a name.
    """
    return text if text.isascii() else text.translate(_simplified())


def name_to_compare(name: str) -> str:
    """A person's name in the form in which its spellings are equal: 买买提·吐尔逊 and 买买提．吐尔逊, 張三（男） and 张三.

    For comparing only. Letters of any script and marks stay; width, case, dots, spaces and what stands in brackets do not
    count. A title such as 先生 stays: 张先生 and 张女士 are two people.
    """
    plain = to_simplified(unicodedata.normalize("NFKC", strip_invisible(name))).casefold()
    plain = unicodedata.normalize("NFKC", plain)
    return _letters(_BRACKETS.sub("", plain)) or _letters(plain) or "".join(plain.split())


def _letters(text: str) -> str:
    kept = "".join(letter for letter in text if unicodedata.category(letter)[0] in "LMN")
    return unicodedata.normalize("NFKC", kept)


def strip_invisible(text: str) -> str:
    """The text without letters that nobody sees; what breaks a line becomes a line feed. Tabs stay.

    A zero-width joiner stays where it makes one emoji of two.
    """
    if text.isascii() and text.isprintable():
        return text
    lines = _LINE_BREAKS.sub("\n", text)
    return _INVISIBLE.sub(_only_emoji_joiner, lines)


def _only_emoji_joiner(found: re.Match[str]) -> str:
    text, at = found.string, found.start()
    joins = (
        found[0] == _JOINER and _is_emoji(text[at - 1 : at]) and _is_emoji(text[at + 1 : at + 2])
    )
    return _JOINER if joins else ""


def _is_emoji(letter: str) -> bool:
    # Sk: the colours of skin.
    return bool(letter) and (letter == _EMOJI_STYLE or unicodedata.category(letter) in {"So", "Sk"})


@cache
def _simplified() -> dict[int, str]:
    letters = [chr(point) for first, last in _BLOCKS for point in range(first, last)]
    simplified = str(OpenCC("t2s").convert("\n".join(letters))).split("\n")
    table = {
        ord(old): new
        for old, new in zip(letters, simplified, strict=True)
        if new != old and len(new) == 1
    }
    # 薴 becomes 苧, which becomes 苎: what is simplified stays as it is.
    return {old: table.get(ord(new), new) for old, new in table.items()}
