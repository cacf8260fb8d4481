"""What of a month's evaluations may be told to the units that handled the cases, so that nobody learns who said what. Pure.

Cells are disjoint and no total of theirs is ever told: there is nothing to take a difference of. Which units are joined
follows from how many answered, never from what they answered.
"""

from collections.abc import Iterable, Sequence
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
    """A unit's evaluations in a month. `township_id`: with whose units it is joined when there are too few, if with any."""

    unit_id: int
    township_id: int | None
    evaluated: int
    favourable: int


@dataclass(frozen=True, slots=True)
class Cell:
    """What is told of these units together. `favourable` is a count where the bound is exact, else a percentage."""

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
        if one.evaluated >= FEWEST:
            alone.append(_cell([one], joined=False))
        elif one.township_id is not None:
            joined.setdefault(one.township_id, []).append(one)
    together = (
        _cell(small, joined=True)
        for _, small in sorted(joined.items())
        if sum(one.evaluated for one in small) >= FEWEST
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


def _cell(units: Sequence[Counted], *, joined: bool) -> Cell:
    evaluated = sum(one.evaluated for one in units)
    bound, favourable = told(evaluated, sum(one.favourable for one in units))
    return Cell(tuple(one.unit_id for one in units), joined, evaluated, bound, favourable)
