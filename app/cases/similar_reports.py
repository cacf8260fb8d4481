"""Whether two reports tell the same, by their words alone. A hint for people: it decides nothing and refuses nothing. Pure."""

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct

from app.chinese_text import to_simplified

# Of the pairs of letters in both texts, how many must be in either: with the same title, and with another.
_ENOUGH_UNDER_ONE_TITLE: Final = 0.6
_ENOUGH: Final = 0.8
# What is compared of a long text; the beginning tells what it is about.
_COMPARED: Final = 1000


class SimilarReport(Struct, frozen=True):
    """An open case of the same person that tells the same."""

    ref: str
    title: str
    received_at: datetime


class OpenReport(Struct, frozen=True):
    """An open case that a new one is compared with. `body` is None once erased."""

    ref: str
    title: str
    received_at: datetime
    body: str | None


def similar_ones(
    title: str, body: str, open_cases: Iterable[OpenReport]
) -> tuple[SimilarReport, ...]:
    """Those that tell the same."""
    return tuple(
        SimilarReport(one.ref, one.title, one.received_at)
        for one in open_cases
        if is_similar(title, body, one.title, one.body or "")
    )


def is_similar(title: str, body: str, other_title: str, other_body: str) -> bool:
    one, other = comparable(body), comparable(other_body)
    same_title = comparable(title) == comparable(other_title)
    if not one or not other:
        return same_title
    return _alike(one, other) >= (_ENOUGH_UNDER_ONE_TITLE if same_title else _ENOUGH)


def _alike(one: str, other: str) -> float:
    """Dice's coefficient of the pairs of neighbouring letters, 0 to 1."""
    mine, theirs = pairs(one), pairs(other)
    return 2 * len(mine & theirs) / (len(mine) + len(theirs))


def pairs(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(max(1, len(text) - 1))}


def comparable(text: str) -> str:
    """The beginning of the text without spaces, punctuation, case, width and Traditional letters."""
    return fold(text[:_COMPARED])


def fold(text: str) -> str:
    """The text without spaces, punctuation, case, width and Traditional letters."""
    folded = to_simplified(unicodedata.normalize("NFKC", text)).casefold()
    return "".join(letter for letter in folded if letter.isalnum())
