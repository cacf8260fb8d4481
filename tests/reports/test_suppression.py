"""What is released tells nobody who said what: for any counts, and with every difference anybody could take."""

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reports.suppression import FEWEST, Bound, Cell, Counted, Whose, cells, told, untold

_TOWNSHIPS = st.one_of(st.none(), st.integers(100, 102))


@st.composite
def _units(draw: st.DrawFn) -> list[Counted]:
    found = []
    for unit_id in range(draw(st.integers(0, 9))):
        evaluated = draw(st.integers(0, 24))
        found.append(people(unit_id, draw(_TOWNSHIPS), evaluated, draw(st.integers(0, evaluated))))
    return found


def people(unit_id: int, township_id: int | None, evaluated: int, favourable: int) -> Counted:
    """So many, of whom nobody evaluated another unit."""
    voices = frozenset(f"{unit_id}/{number}" for number in range(evaluated))
    return Counted(unit_id, township_id, voices, favourable)


def possible(cell: Cell) -> list[int]:
    """All counts of favourable answers with which exactly this would have been told."""
    return [
        favourable
        for favourable in range(cell.evaluated + 1)
        if told(cell.evaluated, favourable) == (cell.bound, cell.favourable)
    ]


@given(_units())
def test_nothing_is_told_of_fewer_than_five(units: list[Counted]) -> None:
    answered = {one.unit_id: len(one.voices) for one in units}
    for cell in cells(units):
        assert cell.evaluated == sum(answered[one] for one in cell.unit_ids) >= FEWEST


@given(_units())
def test_no_difference_of_what_is_told_isolates_anybody(units: list[Counted]) -> None:
    """Cells share no unit, so a sum of some less a sum of others is never about fewer people than one cell."""
    found = cells(units)
    for one, other in combinations(found, 2):
        assert not set(one.unit_ids) & set(other.unit_ids)


@given(_units())
def test_whoever_answered_may_have_answered_either_way_for_all_that_is_told(
    units: list[Counted],
) -> None:
    for cell in cells(units):
        counts = possible(cell)
        assert any(count > 0 for count in counts)
        assert any(count < cell.evaluated for count in counts)
        if cell.bound is Bound.EXACT:
            assert counts == [cell.favourable]
            assert 0 < cell.favourable < cell.evaluated
        else:
            assert len(counts) >= 2


@given(st.integers(FEWEST, 300))
def test_unanimity_is_never_told_apart_from_one_dissent(evaluated: int) -> None:
    assert told(evaluated, evaluated) == told(evaluated, evaluated - 1)
    assert told(evaluated, 0) == told(evaluated, 1)


@given(_units(), st.data())
def test_which_units_are_told_of_follows_from_how_many_answered_and_not_from_what(
    units: list[Counted], data: st.DataObject
) -> None:
    others = [
        replace(one, favourable=data.draw(st.integers(0, len(one.voices))))
        for one in units
    ]  # fmt: skip
    shape = [(one.unit_ids, one.joined, one.evaluated) for one in cells(units)]
    assert [(one.unit_ids, one.joined, one.evaluated) for one in cells(others)] == shape


@given(_units(), st.data())
def test_an_answer_of_whom_nothing_is_told_changes_nothing(
    units: list[Counted], data: st.DataObject
) -> None:
    before = cells(units)
    told_of = {unit_id for cell in before for unit_id in cell.unit_ids}
    others = [
        one
        if one.unit_id in told_of
        else replace(one, favourable=data.draw(st.integers(0, len(one.voices))))
        for one in units
    ]  # fmt: skip
    assert cells(others) == before


@pytest.mark.parametrize(
    ("evaluated", "favourable", "expected"),
    [
        (5, 5, (Bound.AT_LEAST, 80)),
        (5, 4, (Bound.AT_LEAST, 80)),
        (5, 3, (Bound.EXACT, 3)),
        (5, 2, (Bound.EXACT, 2)),
        (5, 1, (Bound.AT_MOST, 20)),
        (5, 0, (Bound.AT_MOST, 20)),
        (20, 17, (Bound.EXACT, 17)),
        (20, 18, (Bound.AT_LEAST, 90)),
        (40, 37, (Bound.EXACT, 37)),
        (40, 40, (Bound.AT_LEAST, 95)),
        (40, 2, (Bound.AT_MOST, 5)),
    ],
)
def test_the_ends_of_the_scale_are_cut_off(
    evaluated: int, favourable: int, expected: tuple[Bound, int]
) -> None:
    assert told(evaluated, favourable) == expected


def test_small_villages_are_told_together_with_their_township_and_departments_with_nobody() -> None:
    found = cells(
        [
            people(1, 1, 3, 3),  # the township itself
            people(2, 1, 2, 1),
            people(3, 1, 7, 3),  # enough of its own
            people(4, 9, 4, 4),  # the only one of another township
            people(5, None, 4, 0),
            people(6, None, 6, 0),
        ]
    )
    assert [(one.unit_ids, one.joined, one.evaluated) for one in found] == [
        ((3,), False, 7),
        ((6,), False, 6),
        ((1, 2), True, 5),
    ]


def test_whoever_evaluates_several_units_of_a_township_is_one_of_the_five_once() -> None:
    busy = frozenset({"a", "b"})
    assert cells([Counted(1, 1, busy | {"c"}, 2), Counted(2, 1, busy | {"d"}, 2)]) == []
    [cell] = cells([Counted(1, 1, busy | {"c"}, 2), Counted(2, 1, busy | {"d", "e"}, 2)])
    assert (cell.unit_ids, cell.joined) == ((1, 2), True)


@st.composite
def _among(draw: st.DrawFn) -> dict[Whose, int]:
    """Units with their people; some of a unit's answers belong to nobody in it."""
    found: dict[Whose, int] = {}
    for unit_id in range(draw(st.integers(0, 6))):
        own = draw(st.lists(st.integers(0, 9), max_size=4))
        found |= {(unit_id, staff_id): number for staff_id, number in enumerate(own)}
        found[unit_id, None] = sum(own) + draw(st.sampled_from((0, 0, 1, 6)))
    return found


@given(_among())
def test_no_total_less_all_that_is_told_of_its_parts_is_of_few(among: dict[Whose, int]) -> None:
    held_back = untold(among)
    told_of = {whose: number for whose, number in among.items() if whose not in held_back}
    units = {whose: number for whose, number in told_of.items() if whose[1] is None}
    assert not any(0 < number < FEWEST for number in told_of.values())
    county = sum(number for whose, number in among.items() if whose[1] is None)
    # Where the county's total itself is of few, it is not told either.
    if county >= FEWEST:
        assert not 0 < county - sum(units.values()) < FEWEST
    for unit, number in units.items():
        people = [
            other
            for whose, other in told_of.items()
            if whose[0] == unit[0] and whose[1] is not None
        ]
        if any(people):
            assert not 0 < number - sum(people) < FEWEST


@given(_among())
def test_of_a_unit_that_is_not_told_no_person_is(among: dict[Whose, int]) -> None:
    held_back = untold(among)
    for whose in among:
        assert whose[1] is None or (whose[0], None) not in held_back or whose in held_back


def test_as_little_as_can_be_is_held_back() -> None:
    assert untold({(1, None): 9, (2, None): 6, (3, None): 0}) == frozenset()
    assert untold({(1, None): 9, (2, None): 6, (3, None): 2}) == {(2, None), (3, None)}
    assert untold({(1, None): 9, (3, None): 2, (4, None): 3}) == {(3, None), (4, None)}
    assert untold({(1, None): 9, (1, 7): 8, (1, 8): 1}) == {(1, 7), (1, 8)}
