"""The lifecycle table: every allowed and every forbidden pair, and what people are told."""

from dataclasses import dataclass
from itertools import product

import pytest

from app.cases.lifecycle import (
    RULES,
    Action,
    Condition,
    Phase,
    Rule,
    Situation,
    Standing,
    advance,
    allowed,
)
from app.errors import ActionNotAllowed, AssistantsOpen

EVERYTHING_HOLDS = frozenset(Condition)
BY_ACTION = {rule.action: rule for rule in RULES}


@dataclass
class Moving:
    phase: Phase


def test_every_action_but_registering_has_exactly_one_rule() -> None:
    assert [rule.action for rule in RULES] == [action for action in Action if action in BY_ACTION]
    assert set(BY_ACTION) == set(Action) - {Action.REGISTER}


@pytest.mark.parametrize("action", list(BY_ACTION))
def test_an_action_is_allowed_in_its_phases_to_its_people_and_nowhere_else(action: Action) -> None:
    rule = BY_ACTION[action]
    for phase, standing in product(Phase, Standing):
        case = Moving(phase)
        found = Situation(phase, frozenset({standing}), EVERYTHING_HOLDS)
        if phase in rule.phases and standing in rule.by:
            advance(case, action, found)
            assert case.phase is (rule.then or phase)
            assert action in allowed(found)
        else:
            with pytest.raises(ActionNotAllowed) as refused:
                advance(case, action, found)
            assert case.phase is phase
            assert action not in allowed(found)
            assert refused.value.facts["allowed"] == allowed(found)


@pytest.mark.parametrize(
    ("rule", "missing"),
    [(rule, missing) for rule in RULES for missing in sorted(rule.when)],
    ids=lambda value: getattr(value, "action", value),
)
def test_each_condition_of_an_action_is_needed(rule: Rule, missing: Condition) -> None:
    for phase, standing in product(rule.phases, rule.by):
        case = Moving(phase)
        with pytest.raises((ActionNotAllowed, AssistantsOpen)) as refused:
            advance(
                case,
                rule.action,
                Situation(phase, frozenset({standing}), EVERYTHING_HOLDS - {missing}),
            )
        assert case.phase is phase
        assert missing.chinese in str(refused.value) or isinstance(refused.value, AssistantsOpen)


def test_conditions_an_action_does_not_name_do_not_matter() -> None:
    for rule in RULES:
        case = Moving(next(iter(rule.phases)))
        advance(case, rule.action, Situation(case.phase, rule.by, rule.when))


def test_nobody_in_particular_may_do_nothing() -> None:
    assert all(allowed(Situation(phase, frozenset(), EVERYTHING_HOLDS)) == [] for phase in Phase)


def test_an_open_assistant_is_its_own_problem_so_that_the_page_can_offer_to_press_it() -> None:
    found = Situation(
        Phase.HANDLING, frozenset({Standing.LEAD}), EVERYTHING_HOLDS - {Condition.NO_ASSISTANT_OPEN}
    )
    with pytest.raises(AssistantsOpen):
        advance(Moving(Phase.HANDLING), Action.ANSWER, found)


def test_a_refusal_says_in_chinese_what_stands_in_the_way() -> None:
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


def test_only_what_clocks_earned_and_the_public_list_outlive_the_work_on_a_case() -> None:
    for phase in (Phase.WITHDRAWN, Phase.MERGED):
        left = allowed(Situation(phase, frozenset(Standing), EVERYTHING_HOLDS))
        assert left == [
            Action.UNLIST, Action.REMIND, Action.CARD, Action.APPEAL, Action.DECIDE_APPEAL, Action.RESCHEDULE, Action.REASSIGN, Action.ERASE,
        ]  # fmt: skip


def test_what_only_the_system_does_is_offered_to_nobody_else() -> None:
    people = frozenset(Standing) - {Standing.SYSTEM}
    for phase in Phase:
        offered = allowed(Situation(phase, people, EVERYTHING_HOLDS))
        assert not {Action.REMIND, Action.RESCHEDULE, Action.REASSIGN, Action.ERASE} & set(offered)


def test_cards_and_appeals_are_offered_only_where_there_is_something_to_do() -> None:
    supervisor = frozenset({Standing.SUPERVISOR})
    assert allowed(Situation(Phase.CLOSED, supervisor, frozenset())) == []
    some = frozenset({Condition.UNIT_TO_CARD, Condition.APPEAL_OPEN})
    assert allowed(Situation(Phase.CLOSED, supervisor, some)) == [
        Action.CARD,
        Action.DECIDE_APPEAL,
    ]


@pytest.mark.parametrize("words", [*Phase, *Action, *Standing, *Condition])
def test_every_word_has_its_chinese(words: Phase | Action | Standing | Condition) -> None:
    assert any("\u4e00" <= letter <= "\u9fff" for letter in words.chinese)
