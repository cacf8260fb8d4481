"""Which of some cases tell something like a text that is being typed, and by which words. A hint for people. Pure."""

import math
from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar

from app.cases.similar_reports import comparable, pairs

Key = TypeVar("Key")
Pairs: TypeAlias = "array[int]"
# How much of the shorter of the two texts the shared words must make up, where a word that most cases have counts little.
_ENOUGH: Final = 0.25
# Fewer shared letters than this are chance.
_LEAST_LETTERS: Final = 3
_WORDS: Final = 4
_LONGEST_WORD: Final = 12


@dataclass(frozen=True, slots=True)
class Alike(Generic[Key]):
    """A case and the words that it shares with the text, the longest first, in Simplified letters."""

    key: Key
    score: float
    words: tuple[str, ...]


def pairs_of(text: str) -> Pairs:
    """The pairs of neighbouring letters of a text, as numbers that are good in this process."""
    return array("q", {hash(pair) for pair in pairs(comparable(text))})


def most_alike(text: str, others: Mapping[Key, Pairs], *, most: int) -> list[Alike[Key]]:
    """The best first."""
    asked = comparable(text)
    if len(asked) < _LEAST_LETTERS:
        return []
    own = {hash(pair) for pair in pairs(asked)}
    of_each = {key: own.intersection(other) for key, other in others.items()}
    known = Counter(pair for shared in of_each.values() for pair in shared)
    weights = {pair: math.log(1 + (1 + len(others)) / (1 + known[pair])) for pair in own}
    whole = sum(weights.values())
    found = []
    for key, shared in of_each.items():
        # What the case tells besides weighs as much as the average of what was typed.
        shorter = min(whole, len(others[key]) * whole / len(own))
        score = sum(weights[pair] for pair in shared) / shorter if shorter else 0
        if score < _ENOUGH:
            continue
        words = _words(asked, shared)
        if sum(map(len, words)) >= _LEAST_LETTERS:
            found.append(Alike(key, score, words[:_WORDS]))
    return sorted(found, key=lambda one: -one.score)[:most]


def _words(text: str, shared: set[int]) -> tuple[str, ...]:
    """Substrings of the text with all letter pairs in the shared set."""
    stretches, begin = [], 0
    for at in range(len(text)):
        if hash(text[at : at + 2]) not in shared:
            stretches.append(text[begin : at + 1])
            begin = at + 1
    known = dict.fromkeys(one[:_LONGEST_WORD] for one in stretches if len(one) > 1)
    return tuple(sorted(known, key=_by_length))


def _by_length(word: str) -> int:
    return -len(word)
