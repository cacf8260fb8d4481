"""What of evaluations may be told, so that nobody learns who said what. Pure.

To the units that handled the cases: cells that are disjoint, and no total of theirs, so there is nothing to take a difference
of. Whoever knows the answers of some, of `known_at_most` people, can subtract them and still deduces nobody's. In the
county's own reports, where totals are told: not the few, nor what the few would follow from. Which cells there are follows
from how many answered, never from what they answered.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Final

from msgspec import Struct

# In the county's own reports, and until formula version 1 in what was released.
FEWEST: Final = 5
# Of fewer people nothing is released: with eleven, four known answers leave both answers possible for each of the others.
FEWEST_RELEASED: Final = 11
# Nobody may deduce anything from so many answers that they know, or from this share of a cell's.
_KNOWN: Final = 4
_KNOWN_OF: Final = 5
# Version 1: from how many answers on the ends of the scale are cut off how near to it.
_CUTS: Final = ((40, 95), (20, 90), (FEWEST, 80))


class Bound(StrEnum):
    """How a share is told: as it is, or only that it is so high or so low."""

    EXACT = "exact"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"


class Counted(Struct, frozen=True):
    """A unit's evaluations in a month, one a person. `township_id`: with whose units it is joined when they are too few.

    `voices`: who they are, so that eleven are eleven people however often one of them answers.
    """

    unit_id: int
    township_id: int | None
    voices: frozenset[str]
    favourable: int


class Cell(Struct, frozen=True):
    """What is told of these units together: how many people `evaluated` them. `favourable` is a count where the bound is exact, else a percentage."""

    unit_ids: tuple[int, ...]
    joined: bool
    evaluated: int
    bound: Bound
    favourable: int


def known_at_most(people: int) -> int:
    """How many people's answers a coalition may know without deducing another: four, or a fifth of the people if that is more."""
    return max(_KNOWN, people // _KNOWN_OF)


def told(evaluated: int, favourable: int, known: int) -> tuple[Bound, int] | None:
    """How a share is told where a coalition may know so many of the answers; None: not at all. ADR 0031 has the arithmetic.

    Both ends of the scale are cut off one count beyond what the coalition may know. So after it has subtracted its own answers,
    at least one favourable and one unfavourable answer remain possible. Percentages are rounded towards saying less.
    """
    low = known + 1
    high = evaluated - low
    if low >= high:
        return None
    if favourable >= high:
        return Bound.AT_LEAST, 100 * high // evaluated
    if favourable <= low:
        return Bound.AT_MOST, -(-100 * low // evaluated)
    return Bound.EXACT, favourable


def _told_by_cuts(evaluated: int, favourable: int, _known: int) -> tuple[Bound, int] | None:
    """Version 1, for the months that were locked by it: it said nothing of who knows some of the answers."""
    cut = next(percent for from_, percent in _CUTS if evaluated >= from_)
    share = Fraction(100 * favourable, evaluated)
    if share >= cut:
        return Bound.AT_LEAST, cut
    if share <= 100 - cut:
        return Bound.AT_MOST, 100 - cut
    return Bound.EXACT, favourable


class Disclosure(Struct, frozen=True):
    """From how many people on a cell is released, and how its share is told."""

    fewest: int
    told: Callable[[int, int, int], tuple[Bound, int] | None]


# By formula version: what was released with a month stays as it was.
DISCLOSURES: Final[Mapping[int, Disclosure]] = {
    1: Disclosure(FEWEST, _told_by_cuts),
    2: Disclosure(FEWEST_RELEASED, told),
}


def cells(counted: Iterable[Counted], rule: Disclosure) -> list[Cell]:
    """Units with enough answers stand alone; the others of a township are told together, if together they have enough."""
    alone: list[list[Counted]] = []
    joined: dict[int, list[Counted]] = {}
    for one in sorted(counted, key=lambda one: one.unit_id):
        if len(one.voices) >= rule.fewest:
            alone.append([one])
        elif one.township_id is not None:
            joined.setdefault(one.township_id, []).append(one)
    found = [_cell(units, rule, joined=False) for units in alone]
    found += [_cell(units, rule, joined=True) for _, units in sorted(joined.items())]
    return [cell for cell in found if cell is not None]


# A unit, or a person in it.
Whose = tuple[int, int | None]


def untold(among: Mapping[Whose, int]) -> frozenset[Whose]:
    """Whose counts among so many are not told beside the county's total, nor a person's beside their unit's.

    Those of few; and if what a total leaves over after all that is told would be few, the smallest of the others as well. Of
    the people of a unit that is not told, nobody's.
    """
    units = {whose: number for whose, number in among.items() if whose[1] is None}
    people: dict[int, dict[Whose, int]] = {}
    for whose, number in among.items():
        if whose[1] is not None:
            people.setdefault(whose[0], {})[whose] = number
    found = _untold(units, sum(units.values()))
    for unit_id, own in people.items():
        unit = (unit_id, None)
        found |= own.keys() if unit in found else _untold(own, units.get(unit, 0))
    return frozenset(found)


def _untold(parts: Mapping[Whose, int], total: int) -> set[Whose]:
    told = sorted(
        (number, str(whose), whose) for whose, number in parts.items() if number >= FEWEST
    )
    few = {whose for whose, number in parts.items() if 0 < number < FEWEST}
    # With what belongs to nobody among the parts.
    left = total - sum(number for number, _, _ in told)
    if told and 0 < left < FEWEST:
        few.add(told[0][2])
    return few


def _cell(units: Sequence[Counted], rule: Disclosure, *, joined: bool) -> Cell | None:
    """None where too few people are behind it. One person may have evaluated several units: a coalition knows all of that."""
    answers = Counter(voice for one in units for voice in one.voices)
    if len(answers) < rule.fewest:
        return None
    known = sum(number for _, number in answers.most_common(known_at_most(len(answers))))
    said = rule.told(answers.total(), sum(one.favourable for one in units), known)
    if said is None:
        return None
    unit_ids = tuple(one.unit_id for one in units)
    return Cell(unit_ids, joined, answers.total(), *said)
