"""What is released tells nobody who said what: for any counts, and with every difference anybody could take."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.reports.suppression import (
    DISCLOSURES,
    FEWEST,
    FEWEST_RELEASED,
    Bound,
    Cell,
    Counted,
    Disclosure,
    Whose,
    known_at_most,
    untold,
)
from app.reports.suppression import cells as cells_by
from app.reports.suppression import told as told_to

RULE = DISCLOSURES[2]

_TOWNSHIPS = st.one_of(st.none(), st.integers(100, 102))


def cells(units: list[Counted]) -> list[Cell]:
    return cells_by(units, RULE)


def told(evaluated: int, favourable: int) -> tuple[Bound, int]:
    """Of people who answered once each."""
    said = told_to(evaluated, favourable, known_at_most(evaluated))
    assert said is not None
    return said


@st.composite
def _units(draw: st.DrawFn) -> list[Counted]:
    found = []
    for unit_id in range(draw(st.integers(0, 9))):
        evaluated = draw(st.integers(0, 48))
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
def test_nothing_is_told_of_fewer_than_eleven(units: list[Counted]) -> None:
    answered = {one.unit_id: len(one.voices) for one in units}
    for cell in cells(units):
        assert cell.evaluated == sum(answered[one] for one in cell.unit_ids)
        assert cell.evaluated >= FEWEST_RELEASED


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


@given(st.integers(FEWEST_RELEASED, 300))
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
def test_answer_of_whom_nothing_is_told_changes_nothing(
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
        (11, 11, (Bound.AT_LEAST, 54)),
        (11, 6, (Bound.AT_LEAST, 54)),
        (11, 5, (Bound.AT_MOST, 46)),
        (11, 0, (Bound.AT_MOST, 46)),
        (15, 10, (Bound.AT_LEAST, 66)),
        (15, 9, (Bound.EXACT, 9)),
        (15, 6, (Bound.EXACT, 6)),
        (15, 5, (Bound.AT_MOST, 34)),
        (20, 15, (Bound.AT_LEAST, 75)),
        (40, 31, (Bound.AT_LEAST, 77)),
        (40, 30, (Bound.EXACT, 30)),
        (40, 9, (Bound.AT_MOST, 23)),
    ],
)
def test_ends_of_the_scale_are_cut_off(
    evaluated: int, favourable: int, expected: tuple[Bound, int]
) -> None:
    assert told(evaluated, favourable) == expected


def test_small_villages_are_told_together_with_their_township_and_departments_with_nobody() -> None:
    found = cells(
        [
            people(1, 1, 7, 7),  # the township itself
            people(2, 1, 4, 1),
            people(3, 1, 13, 6),  # enough of its own
            people(4, 9, 10, 4),  # the only one of another township
            people(5, None, 10, 0),
            people(6, None, 12, 0),
        ]
    )
    assert [(one.unit_ids, one.joined, one.evaluated) for one in found] == [
        ((3,), False, 13),
        ((6,), False, 12),
        ((1, 2), True, 11),
    ]


def test_whoever_evaluates_several_units_of_township_is_one_of_eleven_once() -> None:
    busy, others = frozenset({"a", "b"}), [f"c{number}" for number in range(13)]
    first = Counted(1, 1, busy | set(others[:4]), 3)
    assert cells([first, Counted(2, 1, busy | set(others[4:8]), 3)]) == []
    # Eleven people; but four of them may have given six of the answers.
    assert cells([first, Counted(2, 1, busy | set(others[4:9]), 3)]) == []
    second, third = (
        Counted(2, 1, busy | set(others[4:8]), 3),
        Counted(3, 1, frozenset(others[8:]), 0),
    )
    [cell] = cells([first, second, third])
    assert (cell.unit_ids, cell.joined, cell.evaluated) == ((1, 2, 3), True, 17)
    assert (cell.bound, cell.favourable) == (Bound.AT_MOST, 42)


def deduced(people: int, months: int, rule: Disclosure, coalition: int) -> list[tuple[int, ...]]:
    """Every way in which a coalition of so many people knows of another person what they answered in a month.

    By enumeration: all answers of all people in all months that would have been told the same, and that agree with what the
    coalition knows. An answer is known where all of them have it alike.
    """
    told_alike: dict[tuple[tuple[Bound, int] | None, ...], list[int]] = {}
    whole = (1 << people) - 1
    for answers in range(1 << (people * months)):
        released = tuple(
            rule.told(people, ((answers >> (people * month)) & whole).bit_count(), coalition)
            for month in range(months)
        )
        told_alike.setdefault(released, []).append(answers)
    found = []
    for size in range(coalition + 1):
        for members in combinations(range(people), size):
            known = sum(1 << (one + people * month) for one in members for month in range(months))
            secret = ~known & ((1 << (people * months)) - 1)
            for released, alike in told_alike.items():
                if all(said is None for said in released):
                    continue
                always: dict[int, int] = {}
                ever: dict[int, int] = {}
                for answers in alike:
                    seen = answers & known
                    always[seen] = always.get(seen, secret) & answers
                    ever[seen] = ever.get(seen, 0) | answers
                if any(always[seen] & secret or ~ever[seen] & secret for seen in always):
                    found.append(members)
    return found


@pytest.mark.parametrize("people", [11, 12])
def test_no_coalition_deduces_an_answer_from_what_is_released(people: int) -> None:
    assert deduced(people, 1, RULE, known_at_most(people)) == []


def test_no_coalition_deduces_an_answer_from_two_months_in_sequence() -> None:
    """The same arithmetic with fewer people, all of whom answered in both months."""
    assert deduced(6, 2, RULE, 1) == []


def test_four_known_answers_of_five_told_the_fifth_by_the_rule_before() -> None:
    """What the enumeration is for: it finds what there was to find."""
    assert deduced(5, 1, DISCLOSURES[1], 4) != []
    assert deduced(5, 1, DISCLOSURES[1], 1) != []
    assert deduced(11, 1, DISCLOSURES[1], 4) != []


@pytest.mark.parametrize("people", range(FEWEST_RELEASED, 301))
def test_what_others_answered_stays_open_for_each_size_of_coalition(people: int) -> None:
    """By counting, as answers are exchangeable: a coalition that knows `c` favourable of `j` sees all the others alike only so."""
    by_told: dict[tuple[Bound, int], list[int]] = {}
    for favourable in range(people + 1):
        by_told.setdefault(told(people, favourable), []).append(favourable)
    for counts in by_told.values():
        for j in {0, 1, known_at_most(people) - 1, known_at_most(people)}:
            for c in range(j + 1):
                left = [one - c for one in counts if 0 <= one - c <= people - j]
                assert not left or (max(left) > 0 and min(left) < people - j)


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
