"""Whose turn it is next. Pure: the tree's facts come in as values."""

from collections.abc import Collection

from msgspec import Struct

from app.directory.terms import UnitKind


class Place(Struct, frozen=True):
    """A unit as far as routing needs it."""

    unit_id: int
    name: str
    kind: UnitKind


class Desks(Struct, frozen=True):
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
