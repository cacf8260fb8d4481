"""Whose turn it is when a case is new."""

from app.cases.routing import Desks, Place, first_holder
from app.directory.terms import UnitKind

VILLAGE = Place(1, "村", UnitKind.VILLAGE)
CENTER = Place(2, "指挥中心", UnitKind.COMMAND_CENTER)
DISCIPLINE = Place(3, "纪委监委", UnitKind.DISCIPLINE)
DESKS = Desks(VILLAGE, CENTER, DISCIPLINE)


def test_the_unit_that_was_asked_takes_the_case_in() -> None:
    assert first_holder(DESKS, sealed=False, accused_unit_id=None) is VILLAGE


def test_an_accusation_goes_past_the_unit_that_was_asked_to_the_discipline_commission() -> None:
    assert first_holder(DESKS, sealed=True, accused_unit_id=VILLAGE.unit_id) is DISCIPLINE


def test_an_accusation_never_reaches_the_unit_it_accuses() -> None:
    assert first_holder(DESKS, sealed=True, accused_unit_id=DISCIPLINE.unit_id) is CENTER
    assert first_holder(DESKS, sealed=True, accused_unit_id=CENTER.unit_id) is DISCIPLINE
