"""The lifecycle table: every allowed and every forbidden pair, and what people are told."""

import re
from dataclasses import dataclass
from itertools import product

import pytest

from app.cases.lifecycle import (
    RULES,
    Action,
    Condition,
    Decision,
    Phase,
    Rule,
    Situation,
    Standing,
    advance,
    allowed,
)
from app.errors import ActionNotAllowed, AssistantsOpen, NotPermitted

EVERYTHING_HOLDS = frozenset(Condition)
PERSONAL = frozenset(
    {Condition.NO_PART_IN_CARD, Condition.CARD_FOR_ANOTHER, Condition.NO_PART_IN_ANSWER}
)
CHINESE = re.compile("[一-鿿]")
BY_ACTION = {rule.action: rule for rule in RULES}


@dataclass
class Moving:
    phase: Phase


def test_every_action_but_registering_has_exactly_one_rule() -> None:
    assert [rule.action for rule in RULES] == [action for action in Action if action in BY_ACTION]
    assert set(BY_ACTION) == set(Action) - {Action.REGISTER}


@pytest.mark.parametrize("action", list(BY_ACTION))
def test_action_is_allowed_in_its_phases_to_its_people_and_nowhere_else(action: Action) -> None:
    rule = BY_ACTION[action]
    for phase, standing in product(Phase, Standing):
        case = Moving(phase)
        found = Situation(phase, frozenset({standing}), EVERYTHING_HOLDS)
        if phase in rule.phases and standing in rule.by:
            advance(case, action, found)
            assert case.phase is (rule.then or phase)
            assert (action in allowed(found)) is not bool(rule.unoffered)
        else:
            with pytest.raises(ActionNotAllowed) as refused:
                advance(case, action, found)
            assert case.phase is phase
            assert action not in allowed(found)
            assert refused.value.facts["allowed"] == allowed(found)


@pytest.mark.parametrize(
    ("rule", "missing"),
    [(rule, missing) for rule in RULES for missing in sorted(rule.when | rule.named)],
    ids=lambda value: getattr(value, "action", value),
)
def test_each_condition_of_an_action_is_needed(rule: Rule, missing: Condition) -> None:
    for phase, standing in product(rule.phases, rule.by):
        case = Moving(phase)
        found = Situation(phase, frozenset({standing}), EVERYTHING_HOLDS - {missing})
        with pytest.raises((ActionNotAllowed, AssistantsOpen, NotPermitted)) as refused:
            advance(case, rule.action, found)
        assert case.phase is phase
        assert isinstance(refused.value, NotPermitted) is (missing in PERSONAL)
        assert missing.refusal in str(refused.value) or isinstance(refused.value, AssistantsOpen)
        offered = missing in rule.named and not rule.unoffered
        assert (rule.action in allowed(found)) is offered


def test_conditions_an_action_does_not_name_do_not_matter() -> None:
    for rule in RULES:
        case = Moving(next(iter(rule.phases)))
        advance(case, rule.action, Situation(case.phase, rule.by, rule.when | rule.named))


def test_condition_of_the_case_is_told_before_one_of_what_is_named() -> None:
    """Also where that one would forbid the action to the person: the case's state is no secret to them."""
    for rule in RULES:
        for missing in rule.when - {Condition.NO_ASSISTANT_OPEN}:
            phase = next(iter(rule.phases))
            found = Situation(phase, rule.by, EVERYTHING_HOLDS - rule.named - {missing})
            with pytest.raises(ActionNotAllowed) as refused:
                advance(Moving(phase), rule.action, found)
            assert str(refused.value) == f"不能{rule.action.chinese}：{missing.refusal}。"


def test_every_condition_belongs_to_an_action_and_to_one_side_of_the_table() -> None:
    of_the_case = {one for rule in RULES for one in rule.when}
    of_the_named = {one for rule in RULES for one in rule.named}
    assert of_the_case | of_the_named == set(Condition)
    assert not of_the_case & of_the_named
    assert of_the_named >= PERSONAL


@pytest.mark.parametrize("decision", Decision)
def test_decision_takes_the_case_where_the_table_says(decision: Decision) -> None:
    rules = [rule for rule in RULES if decision in rule.instead]
    assert rules
    for rule in rules:
        for phase in rule.phases:
            case = Moving(phase)
            advance(case, rule.action, Situation(phase, rule.by, EVERYTHING_HOLDS), decision)
            assert case.phase is rule.instead[decision]


def test_decision_is_taken_by_no_action_that_does_not_name_it() -> None:
    for rule in RULES:
        for decision in set(Decision) - rule.instead.keys():
            phase = next(iter(rule.phases))
            case = Moving(phase)
            with pytest.raises(KeyError):
                advance(case, rule.action, Situation(phase, rule.by, EVERYTHING_HOLDS), decision)
            assert case.phase is phase


def test_action_kept_out_of_the_offer_says_why() -> None:
    kept = {rule.action for rule in RULES if rule.unoffered}
    assert kept == {Action.REWORK, Action.APPEAL, Action.DECIDE_APPEAL}
    everything = (allowed(Situation(one, frozenset(Standing), EVERYTHING_HOLDS)) for one in Phase)
    assert {action for some in everything for action in some} == set(BY_ACTION) - kept


def test_nobody_in_particular_may_do_nothing() -> None:
    assert all(allowed(Situation(phase, frozenset(), EVERYTHING_HOLDS)) == [] for phase in Phase)


def test_open_assistant_is_its_own_problem_so_that_page_can_offer_to_press_it() -> None:
    found = Situation(
        Phase.HANDLING, frozenset({Standing.LEAD}), EVERYTHING_HOLDS - {Condition.NO_ASSISTANT_OPEN}
    )
    with pytest.raises(AssistantsOpen):
        advance(Moving(Phase.HANDLING), Action.ANSWER, found)


def test_refusal_says_in_chinese_what_stands_in_the_way() -> None:
    with pytest.raises(ActionNotAllowed, match="已办结"):
        advance(
            Moving(Phase.ANSWERED),
            Action.ESCALATE,
            Situation(Phase.ANSWERED, frozenset({Standing.HOLDER}), EVERYTHING_HOLDS),
        )
    with pytest.raises(ActionNotAllowed, match="只有主办单位可以办结答复"):
        advance(
            Moving(Phase.HANDLING),
            Action.ANSWER,
            Situation(Phase.HANDLING, frozenset({Standing.ASSISTANT}), EVERYTHING_HOLDS),
        )


def test_what_has_ended_for_good_has_no_way_out() -> None:
    for phase in (Phase.WITHDRAWN, Phase.MERGED):
        left = allowed(Situation(phase, frozenset(Standing), EVERYTHING_HOLDS))
        assert all(BY_ACTION[action].then is None for action in left)


def test_only_what_clocks_earned_and_public_list_outlive_work_on_case() -> None:
    for phase in (Phase.WITHDRAWN, Phase.MERGED):
        left = allowed(Situation(phase, frozenset(Standing), EVERYTHING_HOLDS))
        assert left == [
            Action.UNLIST, Action.REMIND, Action.CARD, Action.RESCHEDULE, Action.REASSIGN, Action.ERASE,
        ]  # fmt: skip


def test_what_only_the_system_does_is_offered_to_nobody_else() -> None:
    people = frozenset(Standing) - {Standing.SYSTEM}
    for phase in Phase:
        offered = allowed(Situation(phase, people, EVERYTHING_HOLDS))
        assert not {Action.REMIND, Action.RESCHEDULE, Action.REASSIGN, Action.ERASE} & set(offered)


def test_card_is_offered_only_where_there_is_a_unit_to_card() -> None:
    supervisor = frozenset({Standing.SUPERVISOR})
    assert allowed(Situation(Phase.CLOSED, supervisor, frozenset())) == []
    some = frozenset({Condition.UNIT_TO_CARD})
    assert allowed(Situation(Phase.CLOSED, supervisor, some)) == [Action.CARD]


@pytest.mark.parametrize("words", [*Phase, *Action, *Standing, *Condition, *Decision])
def test_every_word_has_its_chinese(
    words: Phase | Action | Standing | Condition | Decision,
) -> None:
    assert CHINESE.search(words.chinese)


@pytest.mark.parametrize("condition", Condition)
def test_condition_is_explained_in_english_and_chinese(condition: Condition) -> None:
    assert condition.english.endswith(".")
    assert not CHINESE.search(condition.english)
    assert CHINESE.search(condition.refusal)
    assert condition.chinese != condition.refusal
