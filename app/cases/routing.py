"""Whose turn it is next. Pure: the tree's facts come in as values."""

from collections.abc import Collection
from dataclasses import dataclass

from app.directory.terms import UnitKind


@dataclass(frozen=True, slots=True)
class Place:
    """A unit as far as routing needs it."""

    unit_id: int
    name: str
    kind: UnitKind


@dataclass(frozen=True, slots=True)
class Desks:
    """The desks a new case may be put on."""

    asked: Place
    command_center: Place | None
    discipline: Place | None


def first_holder(desks: Desks, *, sealed: bool, seeing: Collection[int]) -> Place | None:
    """The unit that was asked takes the case in; an accusation goes past it to the discipline commission.

    Where the commission is accused, or nobody in it may see the accusation, it goes to the command center's supervisors.
    `seeing`: ids of the desks with somebody who may see it. None where there is nobody.
    """
    if not sealed:
        return desks.asked
    for desk in (desks.discipline, desks.command_center):
        if desk is not None and desk.unit_id in seeing:
            return desk
    return None
