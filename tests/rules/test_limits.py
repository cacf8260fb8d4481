"""Which rule holds: the defaults for everything, a county's rules before them, the most specific first."""

from collections.abc import Iterator
from itertools import chain, combinations, product
from timeit import timeit
from typing import Any

import pytest

from app.calendars.working_time import Limit
from app.directory.terms import UnitKind
from app.limits.rules import DEFAULTS, NOTHING_SET, Measure, Place, Rule, RuleSet
from app.limits.terms import WITHOUT_CARDS, Kind, Stage

WATER, UTILITIES, CITY = 30, 20, 10
LINE = (WATER, UTILITIES, CITY)
SPECIFIC = Place(Stage.HANDLE, UnitKind.TOWNSHIP, Kind.HELP, WATER, urgent=True)


def rule(place: Place, limit: str = "7wd") -> Rule:
    return Rule.made(
        place, Measure(Limit.parse(limit), 0, Limit.parse("0wd"), Limit.parse("5wd")), "v1"
    )


def default(stage: Stage, kind: Kind = Kind.HELP, tier: UnitKind = UnitKind.TOWNSHIP, *, urgent: bool = False) -> Rule:  # fmt: skip
    return NOTHING_SET.of(stage, tier=tier, kind=kind, categories=(), urgent=urgent)


@pytest.mark.parametrize("stage", Stage)
def test_defaults_answer_every_question(stage: Stage) -> None:
    for tier, kind, urgent in product([*UnitKind, None], Kind, (False, True)):
        found = NOTHING_SET.of(stage, tier=tier, kind=kind, categories=LINE, urgent=urgent)
        assert found.stage is stage
        assert found.name.startswith(f"default/{stage}")


@pytest.mark.parametrize(
    ("tier", "usual"),
    [
        (UnitKind.VILLAGE, "2wd"),
        (UnitKind.TOWNSHIP, "3wd"),
        (UnitKind.COMMAND_CENTER, "1wd"),
        (UnitKind.DEPARTMENT, "3wd"),
        (UnitKind.DISCIPLINE, "3wd"),
        (UnitKind.COUNTY, "3wd"),
        (UnitKind.CITY, "3wd"),
        (UnitKind.PROVINCE, "3wd"),
    ],
)
def test_each_tier_judges_in_its_time_and_the_same_day_what_is_urgent(
    tier: UnitKind, usual: str
) -> None:
    assert str(default(Stage.JUDGE, tier=tier).limit) == usual
    assert str(default(Stage.JUDGE, tier=tier, urgent=True).limit) == "0wd"


@pytest.mark.parametrize(
    ("kind", "handle", "whole"),
    [
        (Kind.QUESTION, "3wd", "10wd"),
        (Kind.SUGGESTION, "5wd", "15wd"),
        (Kind.HELP, "10wd", "30wd"),
        (Kind.COMPLAINT, "10wd", "30wd"),
        (Kind.ACCUSATION, "10wd", "30wd"),
    ],
)
def test_how_long_handling_and_the_whole_case_take_depends_on_the_kind(
    kind: Kind, handle: str, whole: str
) -> None:
    assert str(default(Stage.HANDLE, kind).limit) == handle
    assert str(default(Stage.HANDLE, kind, urgent=True).limit) == "0wd"
    assert str(default(Stage.WHOLE, kind).limit) == whole
    assert str(default(Stage.WHOLE, kind, urgent=True).limit) == "5wd"


@pytest.mark.parametrize(
    ("stage", "limit"),
    [
        (Stage.SIGN, "1wd"),
        (Stage.ASSIST, "5wd"),
        (Stage.HAND_BACK_DECISION, "1wd"),
        (Stage.EXTENSION_DECISION, "1wd"),
        (Stage.WAIT_DECISION, "1wd"),
        (Stage.SUPERVISED_REPLY, "3wd"),
        (Stage.SUPPLEMENT, "15d"),
    ],
)
def test_other_stages_take_the_same_whatever_the_case(stage: Stage, limit: str) -> None:
    for urgent in (False, True):
        assert str(default(stage, urgent=urgent).limit) == limit


def test_one_is_reminded_earlier_longer_limit_and_of_same_day_not_at_all() -> None:
    told = {str(one.limit): one.remind_before for one in DEFAULTS.rules}
    assert told == {
        "0wd": 0, "1wd": 1, "2wd": 1, "3wd": 1, "5wd": 2, "10wd": 5, "15wd": 5, "30wd": 5, "15d": 5, "30d": 5, "60d": 5,
    }  # fmt: skip


def test_yellow_card_comes_when_it_is_due_and_red_one_5_working_days_later() -> None:
    for one in DEFAULTS.rules:
        assert str(one.yellow_after) == "0wd"
        expected = "1wd" if one.urgent else "5wd"
        assert one.red_after == (None if one.stage in WITHOUT_CARDS else Limit.parse(expected))


def test_rule_is_named_after_where_it_comes_from_and_its_place() -> None:
    assert default(Stage.JUDGE, tier=UnitKind.VILLAGE).name == "default/judge/village"
    assert default(Stage.HANDLE, urgent=True).name == "default/handle/help/urgent"
    assert rule(SPECIFIC).name == "v1/handle/category-30/help/urgent/township"
    assert rule(Place(Stage.HANDLE, urgent=False)).name == "v1/handle/ordinary"


def generalised() -> Iterator[Place]:
    """The place of SPECIFIC with every choice of its facts left open."""
    for tier, kind, category, urgent in product(
        (SPECIFIC.tier, None), (SPECIFIC.kind, None), (WATER, None), (True, None)
    ):
        yield Place(SPECIFIC.stage, tier, kind, category, urgent)


def weight(place: Place) -> tuple[bool, ...]:
    return (
        place.category_id is not None,
        place.kind is not None,
        place.urgent is not None,
        place.tier is not None,
    )


def answer(rules: tuple[Rule, ...], **different: Any) -> Rule:
    asked: dict[str, Any] = {
        "tier": UnitKind.TOWNSHIP, "kind": Kind.HELP, "categories": LINE, "urgent": True, **different
    }  # fmt: skip
    return RuleSet(1, rules).of(Stage.HANDLE, **asked)


def test_of_any_rules_that_match_category_weighs_most_then_kind_urgency_and_tier() -> None:
    every = [rule(place) for place in generalised()]
    assert len({weight(one.place) for one in every}) == 16
    for these in chain.from_iterable(combinations(every, many) for many in (1, 2, 3)):
        assert answer(these) is max(these, key=lambda one: weight(one.place))
    assert answer(tuple(every)).place == SPECIFIC


def test_nearer_category_beats_one_above_it_whatever_else_that_one_names() -> None:
    near = rule(Place(Stage.HANDLE, category_id=WATER))
    above = rule(SPECIFIC._replace(category_id=UTILITIES))
    top = rule(SPECIFIC._replace(category_id=CITY))
    assert answer((near, above, top)) is near
    assert answer((above, top)) is above
    assert answer((near, above, top), categories=(99, CITY)) is top


@pytest.mark.parametrize(
    "different",
    [
        {"tier": UnitKind.VILLAGE},
        {"tier": None},
        {"kind": Kind.QUESTION},
        {"categories": (CITY,)},
        {"urgent": False},
    ],
)
def test_rule_does_not_hold_where_the_case_differs_in_what_it_names(
    different: dict[str, Any],
) -> None:
    assert answer((rule(SPECIFIC),)).place == SPECIFIC
    assert answer((rule(SPECIFIC),), **different).name.startswith("default/")


def test_what_a_county_set_goes_before_the_defaults_however_general_it_is() -> None:
    general = rule(Place(Stage.HANDLE))
    assert answer((general,)) is general
    assert answer((general,), urgent=False) is general
    other = RuleSet(1, (general,)).of(
        Stage.JUDGE, tier=UnitKind.VILLAGE, kind=Kind.HELP, categories=LINE, urgent=False
    )
    assert other.name == "default/judge/village"


def test_two_rules_for_one_place_are_no_set() -> None:
    with pytest.raises(ValueError, match="two rules"):
        RuleSet(1, (rule(SPECIFIC), rule(SPECIFIC, "8wd")))


def test_answer_asked_for_again_does_not_depend_on_what_was_asked_in_between() -> None:
    rules = RuleSet(1, (rule(Place(Stage.HANDLE, category_id=WATER)), rule(SPECIFIC)))

    def ask(categories: tuple[int, ...], *, urgent: bool) -> str:
        return rules.of(
            Stage.HANDLE, tier=UnitKind.TOWNSHIP, kind=Kind.HELP, categories=categories, urgent=urgent
        ).name  # fmt: skip

    for _ in range(2):
        assert ask(LINE, urgent=True) == "v1/handle/category-30/help/urgent/township"
        assert ask(LINE, urgent=False) == "v1/handle/category-30"
        assert ask((CITY,), urgent=True) == "default/handle/help/urgent"
        assert ask((), urgent=False) == "default/handle/help"


def test_finding_the_rule_again_costs_a_few_microseconds() -> None:
    rules = RuleSet(1, tuple(rule(SPECIFIC._replace(category_id=one)) for one in range(1, 500)))

    def ask() -> Rule:
        return rules.of(
            Stage.HANDLE, tier=UnitKind.VILLAGE, kind=Kind.HELP, categories=LINE, urgent=False
        )

    ask()
    assert min(timeit(ask, number=1000) for _ in range(5)) < 0.02


def test_every_stage_and_kind_has_its_chinese_word() -> None:
    words = [one.chinese for one in (*Stage, *Kind)]
    assert len(set(words)) == len(words)
    assert all(word and not word.isascii() for word in words)
