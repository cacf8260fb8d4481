"""Texts that make a backtracking pattern work hard, made from the pattern's own alternatives.

Each thing that a pattern may repeat is repeated, alone and in pairs, behind what leads to it, and then broken off.
"""

import random
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from re import _constants as op  # type: ignore[attr-defined, unused-ignore]  # no other way to the tree of a pattern
from re import _parser  # type: ignore[attr-defined, unused-ignore]  # as above
from typing import Any, Final

_SAMPLES: Final = "不字a1 ，\n!T满3_?-.:/"
_TAILS: Final = ("", "不", "?")
_REPEATS: Final = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)
_ONE_LETTER: Final = (op.ANY, op.IN, op.NOT_LITERAL)
_ALTERNATIVES_AT_MOST, _PAIRS_AT_MOST = 400, 60


@dataclass(frozen=True, slots=True)
class Attack:
    """`piece` again and again behind `lead`, broken off by `tail`."""

    lead: str
    piece: str
    tail: str

    def text(self, letters: int) -> str:
        return self.lead + self.piece * max(1, letters // len(self.piece)) + self.tail


def attacks(pattern: re.Pattern[Any], *, most: int, seed: int = 1) -> list[Attack]:
    """At most so many attacks, chosen by chance where there are more."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    tree = _parser.parse(pattern.pattern, pattern.flags)
    everything = ("", list(dict.fromkeys(piece for piece in _pieces(tree) if piece)))
    found: dict[Attack, None] = {}
    for lead, alternatives in [*_repeated(tree, ""), everything]:
        pairs = [one + other for one in alternatives for other in alternatives if one != other]
        chosen = chance.sample(pairs, min(len(pairs), _PAIRS_AT_MOST))
        for piece in (*alternatives, *chosen):
            found |= {
                Attack(start, piece, tail): None
                for start in dict.fromkeys((lead, ""))
                for tail in _TAILS
            }
    return chance.sample(list(found), min(len(found), most))


def has_possessive_group(pattern: re.Pattern[Any]) -> bool:
    """Whether more than a single letter is repeated by a possessive quantifier."""
    return _has_possessive_group(_parser.parse(pattern.pattern, pattern.flags))


def _has_possessive_group(tree: Any) -> bool:
    return any(
        (kind is op.POSSESSIVE_REPEAT and not _is_one_letter(value[2]))
        or any(_has_possessive_group(below) for below in _below(kind, value))
        for kind, value in tree
    )


def _is_one_letter(tree: Any) -> bool:
    return len(tree) == 1 and tree[0][0] in (op.LITERAL, *_ONE_LETTER)


def seconds(work: Callable[[], object], *, limit: float) -> float:
    """How much time of the processor it takes; infinity where it was broken off after so much.

    Only in the main thread: `re` looks for signals while it matches.
    """

    def break_off(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, break_off)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit)
    began = time.thread_time()
    try:
        work()
    except TimeoutError:
        return _FOR_EVER
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return time.thread_time() - began


def worse_than_linear(
    work: Callable[[Any], object], attack: Attack, *, letters: int, binary: bool
) -> str | None:
    """What is wrong where four times the text takes far more than four times as long; None where it does not."""

    def took(length: int, times: int) -> float:
        text: Any = attack.text(length)
        given = text.encode("utf-8") if binary else text
        return min(seconds(lambda: work(given), limit=_LIMIT) for _ in range(times))

    short, long = 0.0, took(4 * letters, 1)
    for times in (3, 9, 27):
        if long < _UNNOTICED:
            return None
        if long == _FOR_EVER:
            return f"{attack}: {4 * letters} letters take longer than {_LIMIT} s"
        short, long = took(letters, times), min(long, took(4 * letters, times))
        if long <= _FACTOR * 4 * short:
            return None
        if long > _CERTAIN:
            break
    return f"{attack}: {letters} letters {short * 1000:.2f} ms, {4 * letters} letters {long * 1000:.2f} ms"


# Shorter than this, and it is the clock that is measured.
_UNNOTICED: Final = 0.0002
_FACTOR: Final = 2.0
# So long that no noise of the machine makes it.
_CERTAIN: Final = 0.02
# Of the processor's time: so a pattern that backtracks without end fails quickly.
_LIMIT: Final = 0.5
_FOR_EVER: Final = float("inf")


def _repeated(tree: Any, lead: str) -> Iterator[tuple[str, list[str]]]:
    """What may be repeated in the tree, with what leads to it."""
    for kind, value in tree:
        if kind in _REPEATS and value[1] > 3:
            yield lead, [piece for piece in _sequences(value[2]) if piece]
        for below in _below(kind, value):
            yield from _repeated(below, lead)
        lead += _alternatives(kind, value)[0]


def _pieces(tree: Any) -> Iterator[str]:
    """Whatever any part of the tree may match."""
    for kind, value in tree:
        yield from _alternatives(kind, value)
        for below in _below(kind, value):
            yield from _sequences(below)
            yield from _pieces(below)


def _below(kind: Any, value: Any) -> Sequence[Any]:
    if kind in _REPEATS:
        return [value[2]]
    if kind is op.BRANCH:
        return list(value[1])
    if kind is op.SUBPATTERN:
        return [value[3]]
    if kind is op.ATOMIC_GROUP:
        return [value]
    return [value[1]] if kind in (op.ASSERT, op.ASSERT_NOT) else []


def _sequences(tree: Any) -> list[str]:
    """Some texts that the sequence matches: the first of each part, and once each of the others."""
    parts = [_alternatives(kind, value) for kind, value in tree]
    first = [part[0] for part in parts]
    varied = (
        "".join([*first[:place], other, *first[place + 1 :]])
        for place, part in enumerate(parts)
        for other in part[1:]
    )
    return list(dict.fromkeys(["".join(first), *islice(varied, _ALTERNATIVES_AT_MOST)]))


def _alternatives(kind: Any, value: Any) -> list[str]:
    if kind is op.LITERAL:
        return [chr(value)]
    if kind in _ONE_LETTER:
        return _letters(kind, value)
    if kind in _REPEATS:
        least, _, body = value
        return ["", *_sequences(body)] if least == 0 else [one * least for one in _sequences(body)]
    if kind in (op.ASSERT, op.ASSERT_NOT):
        return [""]
    below = [text for one in _below(kind, value) for text in _sequences(one)]
    return list(dict.fromkeys(below))[:_ALTERNATIVES_AT_MOST] or [""]


def _letters(kind: Any, value: Any) -> list[str]:
    listed = value if kind is op.IN else []
    named = [chr(one) for what, one in listed if what is op.LITERAL][:3]
    named += [chr(one[0]) for what, one in listed if what is op.RANGE][:2]
    fitting = [letter for letter in (*named, *_SAMPLES) if _fits(letter, kind, value)]
    return fitting[:4] or ["?"]


def _fits(letter: str, kind: Any, value: Any) -> bool:
    if kind is op.ANY:
        return letter != "\n"
    if kind is op.NOT_LITERAL:
        return letter != chr(value)
    negated = any(what is op.NEGATE for what, _ in value)
    return negated is not any(_is_one_of(letter, what, one) for what, one in value)


def _is_one_of(letter: str, what: Any, one: Any) -> bool:
    if what is op.LITERAL:
        return bool(ord(letter) == one)
    if what is op.RANGE:
        return bool(one[0] <= ord(letter) <= one[1])
    if what is not op.CATEGORY:
        return False
    name = str(one)
    is_in = {
        "DIGIT": letter.isdecimal(),
        "SPACE": letter.isspace(),
        "WORD": letter.isalnum() or letter == "_",
    }[name.rsplit("_", 1)[-1]]
    return is_in is not ("NOT" in name)
