"""The one table of what may be done to a case, from where, by whom and only when. Pure.

It feeds the check, the buttons (`actions` in every case answer), the 409's `allowed`, docs/lifecycle.md and the tests.
Only this module assigns a case's phase. Its vocabulary is in terms.py and conditions.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NoReturn, Protocol

from msgspec import Struct

from app.cases.conditions import Condition
from app.cases.terms import Action, Decision, Phase, Standing
from app.errors import ActionNotAllowed, AssistantsOpen, NotPermitted

__all__ = [
    "FIRST_PHASE",
    "RULES",
    "Action",
    "Condition",
    "Decision",
    "HasPhase",
    "Phase",
    "Rule",
    "Situation",
    "Standing",
    "advance",
    "allowed",
]


@dataclass(frozen=True, slots=True)
class Rule:
    """One action. `then` None: the phase stays. The actor needs one standing of `by`; all of `when` and `named` must hold.

    `named`: conditions on objects that the request names, such as another case, a unit or a card. They are checked when the
    request arrives; `actions` ignores them. `instead`: the phase to which a decision leads. `unoffered`: the reason why
    `actions` never contains the action. Actions of the system alone need no reason.
    """

    action: Action
    phases: frozenset[Phase]
    then: Phase | None
    by: frozenset[Standing]
    when: frozenset[Condition]
    named: frozenset[Condition] = frozenset()
    instead: Mapping[Decision, Phase] = field(default_factory=dict)
    unoffered: str = ""


class Situation(Struct, frozen=True):
    """A case as one person finds it: all that the table looks at."""

    phase: Phase
    standings: frozenset[Standing]
    conditions: frozenset[Condition]


Obstacle = Phase | Standing | Condition


class HasPhase(Protocol):
    phase: Phase


def _rule(
    action: Action,
    phases: set[Phase],
    then: Phase | None,
    by: set[Standing],
    *when: Condition,
    named: set[Condition] | None = None,
    instead: dict[Decision, Phase] | None = None,
    unoffered: str = "",
) -> Rule:
    return Rule(
        action,
        frozenset(phases),
        then,
        frozenset(by),
        frozenset(when),
        frozenset(named or ()),
        instead or {},
        unoffered,
    )


_P, _S, _C = Phase, Standing, Condition
_OPEN = {_P.PENDING, _P.HANDLING}
_DONE = {_P.ANSWERED, _P.CLOSED}
# What a clock earned is earned, whatever became of the case since.
_ANY = set(Phase)

# register has no row: it makes the case, and anybody who may register may do it.
RULES: tuple[Rule, ...] = (
    _rule(
        Action.REQUEST_SUPPLEMENT,
        {_P.PENDING},
        None,
        {_S.HOLDER},
        _C.NOT_WAITING,
        _C.SUPPLEMENT_NOT_YET_ASKED,
    ),
    _rule(Action.SUPPLY, {_P.PENDING}, None, {_S.REPORTER, _S.ENTERER}, _C.WAITING_FOR_SUPPLEMENT),
    _rule(Action.ADD, _OPEN, None, {_S.REPORTER, _S.ENTERER}, _C.NO_SUPPLEMENT_OUTSTANDING),
    _rule(Action.DECLINE, {_P.PENDING}, _P.DECLINED, {_S.HOLDER}, _C.MAY_REFUSE),
    _rule(
        Action.OBJECT_REFUSAL,
        {_P.DECLINED},
        _P.PENDING,
        {_S.REPORTER, _S.ENTERER},
        _C.HAS_NEXT_TIER,
        _C.NOT_REFUSED_TWICE,
    ),
    _rule(Action.HANDLE, {_P.PENDING}, _P.HANDLING, {_S.HOLDER}, _C.NOT_WAITING),
    _rule(
        Action.ESCALATE,
        _OPEN,
        _P.PENDING,
        {_S.HOLDER},
        _C.HAS_NEXT_TIER,
        _C.NOT_DISPATCHED,
        _C.NOT_WAITING,
        _C.NO_ASSISTANT_OPEN,
    ),
    _rule(
        Action.SEND_DOWN, {_P.PENDING}, _P.PENDING, {_S.HOLDER}, _C.HAS_LOWER_TIER, _C.NOT_WAITING
    ),
    _rule(
        Action.DISPATCH,
        # Also what it had taken on itself: else nobody could pass on what turns out to be a department's.
        _OPEN,
        _P.HANDLING,
        {_S.COMMAND_CENTER},
        _C.HELD_BY_COMMAND_CENTER,
        _C.NOT_WAITING,
        named={_C.ANOTHER_UNIT_LEADS},
    ),
    _rule(Action.SIGN, {_P.HANDLING}, None, {_S.LEAD, _S.ASSISTANT}, _C.OWN_ASSIGNMENT_OFFERED),
    _rule(Action.HAND_BACK, {_P.HANDLING}, None, {_S.LEAD, _S.ASSISTANT}, _C.MAY_HAND_BACK),
    _rule(
        Action.SETTLE,
        {_P.HANDLING},
        None,
        {_S.COMMAND_CENTER},
        _C.HAND_BACK_ASKED,
        _C.HAND_BACK_ASKED_BY_ANOTHER,
        named={_C.PART_ASKED_BACK, _C.PART_ASKED_BACK_BY_ANOTHER},
        instead={Decision.RETURN_AGREED: _P.PENDING},
    ),
    _rule(Action.PROGRESS, {_P.HANDLING}, None, {_S.LEAD, _S.ASSISTANT}),
    _rule(Action.ASSIST_ANSWER, {_P.HANDLING}, None, {_S.ASSISTANT}, _C.OWN_ASSIGNMENT_SIGNED),
    _rule(
        Action.EXCUSE,
        {_P.HANDLING},
        None,
        {_S.COMMAND_CENTER},
        _C.ASSISTANT_OPEN,
        named={_C.PART_ASSISTS, _C.PART_ASKED_BACK_BY_ANOTHER},
    ),
    _rule(
        Action.ANSWER,
        {_P.HANDLING},
        _P.ANSWERED,
        {_S.LEAD},
        _C.OWN_ASSIGNMENT_SIGNED,
        _C.NO_ASSISTANT_OPEN,
        _C.NO_HAND_BACK_ASKED,
        _C.HEAD_WHERE_REQUIRED,
        _C.ANSWERED_BY_ANOTHER,
    ),
    _rule(
        Action.REWORK,
        {_P.ANSWERED, _P.CLOSED},
        _P.HANDLING,
        {_S.COMMAND_CENTER, _S.CENTER_SUPERVISOR, _S.INSPECTOR},
        _C.RETURN_CALL_FOUND_VALID,
        _C.NO_REVIEW_OPEN,
        named={_C.NO_PART_IN_ANSWER},
        unoffered="It follows a return call, and would tell how the resident evaluated; the list of return calls offers it.",
    ),
    _rule(Action.CLOSE, {_P.ANSWERED}, _P.CLOSED, {_S.SYSTEM, _S.COMMAND_CENTER}),
    _rule(
        Action.PRESS, _OPEN, None, {_S.LEADER, _S.COMMAND_CENTER, _S.REPORTER}, _C.PRESS_COOLED_DOWN
    ),
    _rule(Action.INSTRUCT, _OPEN | {_P.ANSWERED}, None, {_S.LEADER}),
    _rule(
        Action.MERGE,
        _OPEN,
        _P.MERGED,
        {_S.COMMAND_CENTER},
        _C.FIRST_ROUND,
        _C.NOT_UNDER_SUPERVISION,
        named={_C.PRIMARY_OPEN},
    ),
    # Where others joined it, it is no longer one person's to take back.
    _rule(Action.WITHDRAW, _OPEN, _P.WITHDRAWN, {_S.REPORTER, _S.ENTERER}, _C.NOBODY_JOINED),
    _rule(
        Action.EXTEND,
        {_P.HANDLING},
        None,
        {_S.LEAD},
        _C.OWN_ASSIGNMENT_SIGNED,
        _C.NOT_WAITING,
        _C.BEFORE_DUE,
        _C.NO_EXTENSION_YET,
        _C.HAS_DECIDER,
    ),
    _rule(
        Action.DECIDE_EXTENSION,
        {_P.HANDLING},
        None,
        {_S.NEXT_TIER},
        _C.EXTENSION_ASKED,
        _C.EXTENSION_ASKED_BY_ANOTHER,
        named={_C.GRANTED_BEFORE_DUE},
    ),
    _rule(Action.WAIT, _OPEN, None, {_S.HOLDER}, _C.NOT_WAITING, _C.NO_WAIT_ASKED, _C.HAS_DECIDER),
    _rule(
        Action.DECIDE_WAIT,
        _OPEN,
        None,
        {_S.NEXT_TIER},
        _C.WAIT_ASKED,
        _C.WAIT_ASKED_BY_ANOTHER,
        _C.NO_EXTENSION_ASKED,
        _C.NOT_WAITING,
        named={_C.GRANTED_BEFORE_END},
    ),
    _rule(Action.RESUME, _OPEN, None, {_S.HOLDER, _S.NEXT_TIER, _S.SYSTEM}, _C.STANDS_STILL),
    _rule(
        Action.SUPERVISE,
        _OPEN,
        None,
        {_S.LEADER, _S.COMMAND_CENTER, _S.CENTER_SUPERVISOR},
        _C.NOT_SEALED,
        _C.NO_SUPERVISION_OPEN,
    ),
    _rule(Action.REPLY_SUPERVISION, _OPEN, None, {_S.SUPERVISED}, _C.SUPERVISION_OPEN),
    _rule(
        Action.LIST, _OPEN, None, {_S.LEADER, _S.CENTER_SUPERVISOR}, _C.NOT_SEALED, _C.NOT_LISTED
    ),
    _rule(Action.UNLIST, _ANY, None, {_S.LEADER, _S.CENTER_SUPERVISOR}, _C.LISTED),
    _rule(Action.REMIND, _ANY, None, {_S.SYSTEM}),
    _rule(
        Action.CARD,
        _ANY,
        None,
        {_S.SYSTEM, _S.SUPERVISOR},
        _C.UNIT_TO_CARD,
        named={_C.CARD_FOR_ANOTHER},
    ),
    _rule(
        Action.APPEAL,
        _ANY,
        None,
        {_S.CARDED_UNIT},
        named={_C.FIRST_APPEAL, _C.CARD_OPEN_TO_APPEAL, _C.APPEAL_IN_TIME},
        unoffered="It is about a card, not about the case: `may_appeal` of the card tells.",
    ),
    _rule(
        Action.DECIDE_APPEAL,
        _ANY,
        None,
        {_S.SUPERVISOR},
        named={_C.APPEAL_OPEN, _C.NO_PART_IN_CARD},
        unoffered="It is about a card, not about the case: `may_decide` of the card tells.",
    ),
    _rule(Action.RESCHEDULE, _ANY, None, {_S.SYSTEM}),
    _rule(Action.REASSIGN, _ANY, None, {_S.SYSTEM}),
    _rule(
        Action.APPROVE_ANSWER,
        {_P.HANDLING},
        None,
        {_S.COMMAND_CENTER, _S.CENTER_SUPERVISOR},
        _C.ANSWER_TO_APPROVE,
    ),
    _rule(
        Action.RECATEGORISE,
        _OPEN,
        None,
        {_S.HOLDER, _S.COMMAND_CENTER},
        _C.NO_ACCUSATION,
        _C.MAY_RECATEGORISE,
    ),
    # What the lead asked for lapses; but an objection is decided first: it is counted, and never by who made it.
    _rule(
        Action.CHANGE_LEAD,
        {_P.HANDLING},
        None,
        {_S.COMMAND_CENTER},
        _C.UNDER_COMMAND_CENTER,
        _C.NOT_WAITING,
        _C.NO_HAND_BACK_ASKED,
        named={_C.NEW_LEAD_SETTLED},
    ),
    # Assistants are let go by `excuse`.
    _rule(
        Action.ADD_ASSISTANTS,
        {_P.HANDLING},
        None,
        {_S.COMMAND_CENTER},
        _C.UNDER_COMMAND_CENTER,
    ),
    # On a lawful request, by whoever runs the system (`qungong erase`).
    _rule(Action.ERASE, _ANY, None, {_S.SYSTEM}),
    _rule(
        Action.ASK_REVIEW,
        _DONE,
        None,
        {_S.REPORTER, _S.ENTERER},
        _C.REVIEW_IN_TIME,
        _C.NO_REVIEW_YET,
        _C.HAS_REVIEWER,
    ),
    _rule(
        Action.DECIDE_REVIEW,
        _DONE,
        None,
        {_S.REVIEWER},
        _C.REVIEW_ASKED,
        _C.REVIEWED_BY_ANOTHER,
        named={_C.NO_PART_IN_ANSWER},
        instead={Decision.ANSWER_NOT_UPHELD: _P.HANDLING},
    ),
    _rule(
        Action.ASK_REEXAMINATION,
        _DONE,
        None,
        {_S.REPORTER, _S.ENTERER},
        _C.REVIEWED,
        _C.REEXAMINATION_IN_TIME,
        _C.NO_REEXAMINATION_YET,
        _C.HAS_REVIEWER,
    ),
    _rule(
        Action.DECIDE_REEXAMINATION,
        _DONE,
        None,
        {_S.REVIEWER},
        _C.REEXAMINATION_ASKED,
        _C.REVIEWED_BY_ANOTHER,
        named={_C.NO_PART_IN_ANSWER},
        instead={Decision.ANSWER_NOT_UPHELD: _P.HANDLING},
    ),
)
FIRST_PHASE = Phase.PENDING
_BY_ACTION = {rule.action: rule for rule in RULES}


# Conflicts of interest. The actor gets a 403 for them; for all other conditions a 409.
_PERSONAL: Final = frozenset({_C.NO_PART_IN_CARD, _C.CARD_FOR_ANOTHER, _C.NO_PART_IN_ANSWER})


def allowed(situation: Situation) -> list[Action]:
    """What may be done now, in the table's order."""
    return [rule.action for rule in RULES if not rule.unoffered and not _obstacles(rule, situation)]


def advance(
    case: HasPhase, action: Action, situation: Situation, decision: Decision | None = None
) -> None:
    """Check the action against the table and move the case to its next phase.

    Raises ActionNotAllowed (with what is allowed instead), AssistantsOpen or NotPermitted; then nothing has changed.
    """
    rule = _BY_ACTION[action]
    obstacles = _obstacles(rule, situation) or sorted(rule.named - situation.conditions)
    if obstacles == [Condition.NO_ASSISTANT_OPEN]:
        raise AssistantsOpen(allowed=allowed(situation))
    if obstacles:
        _refuse(action, situation, obstacles)
    if decision is not None:
        case.phase = rule.instead[decision]
    elif rule.then is not None:
        case.phase = rule.then


def _obstacles(rule: Rule, situation: Situation) -> list[Obstacle]:
    if situation.phase not in rule.phases:
        return [situation.phase]
    if not rule.by & situation.standings:
        return sorted(rule.by)
    return sorted(rule.when - situation.conditions)


def _refuse(action: Action, situation: Situation, obstacles: list[Obstacle]) -> NoReturn:
    personal = [one for one in obstacles if one in _PERSONAL]
    if personal:
        raise NotPermitted(f"{_refusals(personal)}。")
    if obstacles == [situation.phase]:
        told = f"事件目前为“{situation.phase.chinese}”，不能{action.chinese}。请刷新后再操作。"
    elif isinstance(obstacles[0], Standing):
        told = f"只有{'、'.join(one.chinese for one in obstacles)}可以{action.chinese}。"
    else:
        told = f"不能{action.chinese}：{_refusals(obstacles)}。"
    raise ActionNotAllowed(told, action=action, phase=situation.phase, allowed=allowed(situation))


def _refusals(obstacles: list[Obstacle]) -> str:
    return "；".join(one.refusal for one in obstacles if isinstance(one, Condition))
