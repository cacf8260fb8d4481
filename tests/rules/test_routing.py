"""Whose turn it is when a case is new."""

from app.cases.routing import Desks, Place, first_holder
from app.directory.terms import UnitKind

VILLAGE = Place(1, "村", UnitKind.VILLAGE)
CENTER = Place(2, "指挥中心", UnitKind.COMMAND_CENTER)
DISCIPLINE = Place(3, "纪委监委", UnitKind.DISCIPLINE)
DESKS = Desks(VILLAGE, CENTER, DISCIPLINE)


BOTH = {CENTER.unit_id, DISCIPLINE.unit_id}


def test_unit_that_was_asked_takes_the_case_in() -> None:
    assert first_holder(DESKS, sealed=False, seeing=set()) is VILLAGE


def test_accusation_goes_past_unit_that_was_asked_to_discipline_commission() -> None:
    assert first_holder(DESKS, sealed=True, seeing=BOTH) is DISCIPLINE


def test_accusation_goes_to_a_desk_where_somebody_may_see_it_or_to_none() -> None:
    assert first_holder(DESKS, sealed=True, seeing={CENTER.unit_id}) is CENTER
    assert first_holder(DESKS, sealed=True, seeing={DISCIPLINE.unit_id}) is DISCIPLINE
    assert first_holder(DESKS, sealed=True, seeing=set()) is None
