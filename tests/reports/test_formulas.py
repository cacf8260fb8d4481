"""What follows from counts: shares, ranks among equals, and what is not told because of whom it would tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reports import formulas
from app.reports.formulas import (
    ALL_TOLD,
    OF_WORK,
    RATES,
    SATISFACTION,
    Measure,
    RateName,
    of_few,
    ranked,
    shares,
)

_NUMBERS = st.integers(0, 12)


def rate(name: RateName, counts: formulas.Counts) -> formulas.Share:
    return next(one for one in shares(counts, of_few(counts)) if one.rate.name is name)


def test_satisfied_and_basically_satisfied_count_among_those_who_answered_not_among_all_asked() -> (
    None
):
    counts = {
        Measure.ASKED: 20,
        Measure.EVALUATED: 10,
        Measure.SATISFIED: 6,
        Measure.BASICALLY_SATISFIED: 3,
    }
    assert rate(RateName.SATISFACTION, counts).told == "90.0%"
    assert rate(RateName.PARTICIPATION, counts).told == "50.0%"


def test_no_answer_at_all_is_no_rate_and_never_satisfied() -> None:
    found = rate(RateName.SATISFACTION, {Measure.ASKED: 7})
    assert (found.numerator, found.denominator, found.percent, found.told) == (0, 0, None, "–")


@pytest.mark.parametrize(("evaluated", "few"), [(1, True), (4, True), (5, False)])
def test_of_fewer_than_five_evaluations_nothing_is_told_but_how_many(
    evaluated: int, few: bool
) -> None:
    counts = {Measure.ASKED: 9, Measure.EVALUATED: evaluated, Measure.SATISFIED: 1}
    found = rate(RateName.SATISFACTION, counts)
    assert (found.numerator is None, found.told == formulas.FEW_TOLD) == (few, few)
    assert (found.percent is None) == few
    assert (Measure.SATISFIED in of_few(counts)) == few
    assert Measure.EVALUATED not in of_few(counts)


def test_what_few_would_follow_from_is_neither_told_nor_ranked_and_does_not_say_that_it_is_few() -> (
    None
):
    counts = {Measure.EVALUATED: 8, Measure.SATISFIED: 8}
    held_back = frozenset({Measure.SATISFIED, Measure.BASICALLY_SATISFIED})
    (rate_,) = [one for one in RATES if one.name is RateName.SATISFACTION]
    first, second = ranked([(counts, held_back), (counts, ALL_TOLD)], [rate_])
    assert (first[0].numerator, first[0].rank, first[0].told) == (None, None, "不单列")
    assert (second[0].numerator, second[0].rank) == (8, 1)


def test_units_with_fewer_than_five_cases_are_not_ranked_and_equals_share_rank() -> None:
    units = [
        {Measure.HANDLING_DUE: due, Measure.HANDLING_IN_TIME: in_time}
        for due, in_time in ((4, 4), (5, 4), (10, 8), (10, 10), (20, 1))
    ]
    found = ranked(
        [(one, ALL_TOLD) for one in units], [one for one in RATES if one.name is RateName.ON_TIME]
    )
    assert [one[0].rank for one in found] == [None, 2, 2, 1, 4]


def test_where_less_is_better_the_lowest_is_first() -> None:
    units = [{Measure.PASSED: 10, Measure.RETURNED: returned} for returned in (3, 0, 1)]
    found = ranked(
        [(one, ALL_TOLD) for one in units], [one for one in RATES if one.name is RateName.RETURNS]
    )
    assert [one[0].rank for one in found] == [3, 1, 2]


def test_nothing_of_work_tells_how_people_evaluated() -> None:
    for one in OF_WORK:
        assert not set(one.numerator + one.denominator) & set(SATISFACTION)
    assert {one.name for one in RATES} - {one.name for one in OF_WORK} == {
        RateName.SATISFACTION,
        RateName.PARTICIPATION,
        RateName.EXCLUSION,
    }


@given(st.lists(st.dictionaries(st.sampled_from(list(Measure)), _NUMBERS), max_size=6))
def test_total_is_the_sum_of_its_parts(units: list[dict[Measure, int]]) -> None:
    summed = formulas.total(units)
    for measure in Measure:
        assert summed[measure] == sum(one.get(measure, 0) for one in units)
