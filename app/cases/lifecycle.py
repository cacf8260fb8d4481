"""The one table of what may be done to a case, from where, by whom and only when. Pure.

It feeds the check, the buttons (`actions` in every case answer), the 409's `allowed`, docs/lifecycle.md and the tests.
Only this module assigns a case's phase.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.errors import ActionNotAllowed, AssistantsOpen


class Phase(StrEnum):
    PENDING = "pending"
    HANDLING = "handling"
    ANSWERED = "answered"
    CLOSED = "closed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"

    @property
    def chinese(self) -> str:
        return _PHASES[self]


class Action(StrEnum):
    REGISTER = "register"
    REQUEST_SUPPLEMENT = "request_supplement"
    SUPPLY = "supply"
    DECLINE = "decline"
    OBJECT_REFUSAL = "object_refusal"
    HANDLE = "handle"
    ESCALATE = "escalate"
    SEND_DOWN = "send_down"
    DISPATCH = "dispatch"
    SIGN = "sign"
    HAND_BACK = "hand_back"
    SETTLE = "settle"
    PROGRESS = "progress"
    ASSIST_ANSWER = "assist_answer"
    EXCUSE = "excuse"
    ANSWER = "answer"
    REWORK = "rework"
    CLOSE = "close"
    PRESS = "press"
    INSTRUCT = "instruct"
    MERGE = "merge"
    WITHDRAW = "withdraw"
    EXTEND = "extend"
    DECIDE_EXTENSION = "decide_extension"
    WAIT = "wait"
    DECIDE_WAIT = "decide_wait"
    RESUME = "resume"
    SUPERVISE = "supervise"
    REPLY_SUPERVISION = "reply_supervision"
    LIST = "list"
    UNLIST = "unlist"
    REMIND = "remind"
    CARD = "card"
    APPEAL = "appeal"
    DECIDE_APPEAL = "decide_appeal"
    RESCHEDULE = "reschedule"
    REASSIGN = "reassign"

    @property
    def chinese(self) -> str:
        return _ACTIONS[self]


class Standing(StrEnum):
    """What somebody is to a case. One person may have several standings at once."""

    REPORTER = "reporter"
    ENTERER = "enterer"
    HOLDER = "holder"
    LEAD = "lead"
    ASSISTANT = "assistant"
    COMMAND_CENTER = "command_center"
    INSPECTOR = "inspector"
    LEADER = "leader"
    SYSTEM = "system"

    @property
    def chinese(self) -> str:
        return _STANDINGS[self]


class Condition(StrEnum):
    """Further facts an action may need; access.py finds which of them hold."""

    NOT_WAITING = "not_waiting"
    WAITING_FOR_SUPPLEMENT = "waiting_for_supplement"
    SUPPLEMENT_NOT_YET_ASKED = "supplement_not_yet_asked"
    MAY_REFUSE = "may_refuse"
    HAS_NEXT_TIER = "has_next_tier"
    HAS_LOWER_TIER = "has_lower_tier"
    NOT_DISPATCHED = "not_dispatched"
    HELD_BY_COMMAND_CENTER = "held_by_command_center"
    OWN_ASSIGNMENT_OFFERED = "own_assignment_offered"
    OWN_ASSIGNMENT_SIGNED = "own_assignment_signed"
    MAY_HAND_BACK = "may_hand_back"
    HAND_BACK_ASKED = "hand_back_asked"
    NO_HAND_BACK_ASKED = "no_hand_back_asked"
    ASSISTANT_OPEN = "assistant_open"
    NO_ASSISTANT_OPEN = "no_assistant_open"
    HEAD_WHERE_REQUIRED = "head_where_required"
    PRESS_COOLED_DOWN = "press_cooled_down"
    NOT_REFUSED_TWICE = "not_refused_twice"
    RETURN_CALL_FOUND_VALID = "return_call_found_valid"

    @property
    def chinese(self) -> str:
        return _CONDITIONS[self]


@dataclass(frozen=True, slots=True)
class Rule:
    """`then` None: the phase stays. Any one of `by` is enough; all of `when` must hold."""

    action: Action
    phases: frozenset[Phase]
    then: Phase | None
    by: frozenset[Standing]
    when: frozenset[Condition]


@dataclass(frozen=True, slots=True)
class Situation:
    """A case as one person finds it: all that the table looks at."""

    phase: Phase
    standings: frozenset[Standing]
    conditions: frozenset[Condition]


class HasPhase(Protocol):
    phase: Phase


def _rule(
    action: Action,
    phases: set[Phase],
    then: Phase | None,
    by: set[Standing],
    *when: Condition,
) -> Rule:
    return Rule(action, frozenset(phases), then, frozenset(by), frozenset(when))


_P, _S, _C = Phase, Standing, Condition
_OPEN = {_P.PENDING, _P.HANDLING}

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
        {_P.PENDING},
        _P.HANDLING,
        {_S.COMMAND_CENTER},
        _C.HELD_BY_COMMAND_CENTER,
        _C.NOT_WAITING,
    ),
    _rule(Action.SIGN, {_P.HANDLING}, None, {_S.LEAD, _S.ASSISTANT}, _C.OWN_ASSIGNMENT_OFFERED),
    _rule(Action.HAND_BACK, {_P.HANDLING}, None, {_S.LEAD, _S.ASSISTANT}, _C.MAY_HAND_BACK),
    _rule(Action.SETTLE, {_P.HANDLING}, None, {_S.COMMAND_CENTER}, _C.HAND_BACK_ASKED),
    _rule(Action.PROGRESS, {_P.HANDLING}, None, {_S.LEAD, _S.ASSISTANT}),
    _rule(Action.ASSIST_ANSWER, {_P.HANDLING}, None, {_S.ASSISTANT}, _C.OWN_ASSIGNMENT_SIGNED),
    _rule(Action.EXCUSE, {_P.HANDLING}, None, {_S.COMMAND_CENTER}, _C.ASSISTANT_OPEN),
    _rule(
        Action.ANSWER,
        {_P.HANDLING},
        _P.ANSWERED,
        {_S.LEAD},
        _C.OWN_ASSIGNMENT_SIGNED,
        _C.NO_ASSISTANT_OPEN,
        _C.NO_HAND_BACK_ASKED,
        _C.HEAD_WHERE_REQUIRED,
    ),
    _rule(
        Action.REWORK,
        {_P.ANSWERED, _P.CLOSED},
        _P.HANDLING,
        {_S.COMMAND_CENTER, _S.INSPECTOR},
        _C.RETURN_CALL_FOUND_VALID,
    ),
    _rule(Action.CLOSE, {_P.ANSWERED}, _P.CLOSED, {_S.SYSTEM, _S.COMMAND_CENTER}),
    _rule(
        Action.PRESS, _OPEN, None, {_S.LEADER, _S.COMMAND_CENTER, _S.REPORTER}, _C.PRESS_COOLED_DOWN
    ),
    _rule(Action.INSTRUCT, _OPEN | {_P.ANSWERED}, None, {_S.LEADER}),
    _rule(Action.MERGE, _OPEN, _P.MERGED, {_S.COMMAND_CENTER}),
    _rule(Action.WITHDRAW, _OPEN, _P.WITHDRAWN, {_S.REPORTER, _S.ENTERER}),
)
FIRST_PHASE = Phase.PENDING
_BY_ACTION = {rule.action: rule for rule in RULES}


def allowed(situation: Situation) -> list[Action]:
    """What may be done now, in the table's order."""
    return [rule.action for rule in RULES if not _obstacles(rule, situation)]


def advance(case: HasPhase, action: Action, situation: Situation) -> None:
    """Check the action against the table and move the case to its next phase.

    Raises ActionNotAllowed (with what is allowed instead) or AssistantsOpen; then nothing has changed.
    """
    rule = _BY_ACTION[action]
    obstacles = _obstacles(rule, situation)
    if obstacles == [Condition.NO_ASSISTANT_OPEN]:
        raise AssistantsOpen(allowed=allowed(situation))
    if obstacles:
        raise ActionNotAllowed(
            _said(action, situation, obstacles),
            action=action,
            phase=situation.phase,
            allowed=allowed(situation),
        )
    if rule.then is not None:
        case.phase = rule.then


def settle_agreed(case: HasPhase) -> None:
    """The command center agrees that the lead was wrongly assigned: the case is pending with it again."""
    case.phase = Phase.PENDING


def _obstacles(rule: Rule, situation: Situation) -> list[Phase | Standing | Condition]:
    if situation.phase not in rule.phases:
        return [situation.phase]
    if not rule.by & situation.standings:
        return sorted(rule.by)
    return sorted(rule.when - situation.conditions)


def _said(
    action: Action, situation: Situation, obstacles: list[Phase | Standing | Condition]
) -> str:
    if obstacles == [situation.phase]:
        return f"事件目前为“{situation.phase.chinese}”，不能{action.chinese}。请刷新后再操作。"
    if isinstance(obstacles[0], Standing):
        return f"只有{'、'.join(one.chinese for one in obstacles)}可以{action.chinese}。"
    return f"不能{action.chinese}：{'；'.join(one.chinese for one in obstacles)}。"


_PHASES = {
    Phase.PENDING: "待研判",
    Phase.HANDLING: "办理中",
    Phase.ANSWERED: "已办结",
    Phase.CLOSED: "已归档",
    Phase.DECLINED: "不予受理",
    Phase.WITHDRAWN: "已撤回",
    Phase.MERGED: "已并案",
}
_ACTIONS = {
    Action.REGISTER: "登记",
    Action.REQUEST_SUPPLEMENT: "补正告知",
    Action.SUPPLY: "补正",
    Action.DECLINE: "不予受理",
    Action.OBJECT_REFUSAL: "异议",
    Action.HANDLE: "本级办理",
    Action.ESCALATE: "上报",
    Action.SEND_DOWN: "退回下级",
    Action.DISPATCH: "交办",
    Action.SIGN: "签收",
    Action.HAND_BACK: "申请退回",
    Action.SETTLE: "裁定",
    Action.PROGRESS: "进展",
    Action.ASSIST_ANSWER: "协办答复",
    Action.EXCUSE: "免予协办",
    Action.ANSWER: "办结答复",
    Action.REWORK: "重办",
    Action.CLOSE: "归档",
    Action.PRESS: "催办",
    Action.INSTRUCT: "批示",
    Action.MERGE: "并案",
    Action.WITHDRAW: "撤回",
    Action.EXTEND: "延期申请",
    Action.DECIDE_EXTENSION: "延期审批",
    Action.WAIT: "挂起申请",
    Action.DECIDE_WAIT: "挂起审批",
    Action.RESUME: "恢复",
    Action.SUPERVISE: "督办",
    Action.REPLY_SUPERVISION: "督办回复",
    Action.LIST: "挂牌督办",
    Action.UNLIST: "摘牌",
    Action.REMIND: "预警",
    Action.CARD: "发牌",
    Action.APPEAL: "申诉",
    Action.DECIDE_APPEAL: "申诉裁定",
    Action.RESCHEDULE: "期限重算",
    Action.REASSIGN: "承接",
}
_STANDINGS = {
    Standing.REPORTER: "反映人",
    Standing.ENTERER: "登记单位",
    Standing.HOLDER: "当前承办单位",
    Standing.LEAD: "主办单位",
    Standing.ASSISTANT: "协办单位",
    Standing.COMMAND_CENTER: "县指挥中心",
    Standing.INSPECTOR: "密封事件承办单位的督查员",
    Standing.LEADER: "县领导",
    Standing.SYSTEM: "系统",
}
_CONDITIONS = {
    Condition.NOT_WAITING: "正在等待反映人补正",
    Condition.WAITING_FOR_SUPPLEMENT: "没有待补正的事项",
    Condition.SUPPLEMENT_NOT_YET_ASKED: "本单位已经一次性告知过补正事项",
    Condition.MAY_REFUSE: "村(社区)不得作出不予受理，请上报",
    Condition.HAS_NEXT_TIER: "没有上一级可以受理",
    Condition.HAS_LOWER_TIER: "没有下级单位",
    Condition.NOT_DISPATCHED: "指挥中心交办的事件应办理或申请退回",
    Condition.HELD_BY_COMMAND_CENTER: "事件不在指挥中心",
    Condition.OWN_ASSIGNMENT_OFFERED: "没有待签收的任务",
    Condition.OWN_ASSIGNMENT_SIGNED: "请先签收",
    Condition.MAY_HAND_BACK: "已超过申请退回的期限，或已经申请",
    Condition.HAND_BACK_ASKED: "没有待裁定的退回申请",
    Condition.NO_HAND_BACK_ASKED: "退回申请尚待裁定",
    Condition.ASSISTANT_OPEN: "没有未答复的协办单位",
    Condition.NO_ASSISTANT_OPEN: "协办单位尚未答复",
    Condition.HEAD_WHERE_REQUIRED: "本单位的答复须由单位负责人作出",
    Condition.PRESS_COOLED_DOWN: "距上次催办时间太短",
    Condition.NOT_REFUSED_TWICE: "已经提出过异议",
    Condition.RETURN_CALL_FOUND_VALID: "须经回访核实属实并征得群众同意后才能重办",
}
