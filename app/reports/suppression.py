"""What of evaluations may be told, so that nobody learns who said what. Pure.

To the units that handled the cases: cells that are disjoint, and no total of theirs, so there is nothing to take a difference
of. In the county's own reports, where totals are told: not the few, nor what the few would follow from. Both follow from
how many answered, never from what they answered.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

FEWEST: Final = 5
# From how many answers on the ends of the scale are cut off how near to it: always at least two counts lie behind a
# bound, from twenty answers on three.
_CUTS: Final = ((40, 95), (20, 90), (FEWEST, 80))


class Bound(StrEnum):
    """How a share is told: as it is, or only that it is so high or so low."""

    EXACT = "exact"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"


@dataclass(frozen=True, slots=True)
class Counted:
    """A unit's evaluations in a month, one a person. `township_id`: with whose units it is joined when they are too few.

    `voices`: who they are, so that the five are five people however often one of them answers.
    """

    unit_id: int
    township_id: int | None
    voices: frozenset[str]
    favourable: int


@dataclass(frozen=True, slots=True)
class Cell:
    """What is told of these units together: how many people `evaluated` them. `favourable` is a count where the bound is exact, else a percentage."""

    unit_ids: tuple[int, ...]
    joined: bool
    evaluated: int
    bound: Bound
    favourable: int


def cells(counted: Iterable[Counted]) -> list[Cell]:
    """Units with enough answers stand alone; the others of a township are told together, if together they have enough."""
    alone: list[Cell] = []
    joined: dict[int, list[Counted]] = {}
    for one in sorted(counted, key=lambda one: one.unit_id):
        if len(one.voices) >= FEWEST:
            alone.append(_cell([one], joined=False))
        elif one.township_id is not None:
            joined.setdefault(one.township_id, []).append(one)
    together = (
        _cell(small, joined=True)
        for _, small in sorted(joined.items())
        if len(frozenset[str]().union(*(one.voices for one in small))) >= FEWEST
    )
    return [*alone, *together]


def told(evaluated: int, favourable: int) -> tuple[Bound, int]:
    """How a share of at least FEWEST answers is told; the ends are cut off, so that it never says that all said the same."""
    cut = next(percent for from_, percent in _CUTS if evaluated >= from_)
    share = Fraction(100 * favourable, evaluated)
    if share >= cut:
        return Bound.AT_LEAST, cut
    if share <= 100 - cut:
        return Bound.AT_MOST, 100 - cut
    return Bound.EXACT, favourable


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


def _cell(units: Sequence[Counted], *, joined: bool) -> Cell:
    evaluated = sum(len(one.voices) for one in units)
    bound, favourable = told(evaluated, sum(one.favourable for one in units))
    return Cell(tuple(one.unit_id for one in units), joined, evaluated, bound, favourable)
