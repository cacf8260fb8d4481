"""The words of a case: its phases, what is done to it, what somebody is to it, and what an action may need. Pure."""

from enum import StrEnum


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
    APPROVE_ANSWER = "approve_answer"
    RECATEGORISE = "recategorise"
    CHANGE_LEAD = "change_lead"
    ADD_ASSISTANTS = "add_assistants"
    ERASE = "erase"
    ASK_REVIEW = "ask_review"
    DECIDE_REVIEW = "decide_review"
    ASK_REEXAMINATION = "ask_reexamination"
    DECIDE_REEXAMINATION = "decide_reexamination"

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
    NEXT_TIER = "next_tier"
    SUPERVISOR = "supervisor"
    CENTER_SUPERVISOR = "center_supervisor"
    SUPERVISED = "supervised"
    CARDED_UNIT = "carded_unit"
    REVIEWER = "reviewer"
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
    HAND_BACK_ASKED_BY_ANOTHER = "hand_back_asked_by_another"
    NO_HAND_BACK_ASKED = "no_hand_back_asked"
    ASSISTANT_OPEN = "assistant_open"
    NO_ASSISTANT_OPEN = "no_assistant_open"
    HEAD_WHERE_REQUIRED = "head_where_required"
    PRESS_COOLED_DOWN = "press_cooled_down"
    NOT_REFUSED_TWICE = "not_refused_twice"
    RETURN_CALL_FOUND_VALID = "return_call_found_valid"
    FIRST_ROUND = "first_round"
    BEFORE_DUE = "before_due"
    NO_EXTENSION_YET = "no_extension_yet"
    HAS_DECIDER = "has_decider"
    EXTENSION_ASKED = "extension_asked"
    NO_EXTENSION_ASKED = "no_extension_asked"
    EXTENSION_ASKED_BY_ANOTHER = "extension_asked_by_another"
    NO_WAIT_ASKED = "no_wait_asked"
    WAIT_ASKED = "wait_asked"
    WAIT_ASKED_BY_ANOTHER = "wait_asked_by_another"
    STANDS_STILL = "stands_still"
    NOT_SEALED = "not_sealed"
    NO_SUPERVISION_OPEN = "no_supervision_open"
    SUPERVISION_OPEN = "supervision_open"
    LISTED = "listed"
    NOT_LISTED = "not_listed"
    UNIT_TO_CARD = "unit_to_card"
    APPEAL_OPEN = "appeal_open"
    ANSWERED_BY_ANOTHER = "answered_by_another"
    NOBODY_JOINED = "nobody_joined"
    ANSWER_TO_APPROVE = "answer_to_approve"
    NO_ACCUSATION = "no_accusation"
    MAY_RECATEGORISE = "may_recategorise"
    NOT_UNDER_SUPERVISION = "not_under_supervision"
    UNDER_COMMAND_CENTER = "under_command_center"
    REVIEW_IN_TIME = "review_in_time"
    NO_REVIEW_YET = "no_review_yet"
    HAS_REVIEWER = "has_reviewer"
    REVIEW_ASKED = "review_asked"
    REVIEWED = "reviewed"
    REEXAMINATION_IN_TIME = "reexamination_in_time"
    NO_REEXAMINATION_YET = "no_reexamination_yet"
    REEXAMINATION_ASKED = "reexamination_asked"
    NO_REVIEW_OPEN = "no_review_open"
    REVIEWED_BY_ANOTHER = "reviewed_by_another"

    @property
    def chinese(self) -> str:
        return _CONDITIONS[self]


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
    Action.APPROVE_ANSWER: "同意由原答复人答复",
    Action.RECATEGORISE: "改类",
    Action.CHANGE_LEAD: "改派主办",
    Action.ADD_ASSISTANTS: "增加协办",
    Action.ERASE: "删除文字",
    Action.ASK_REVIEW: "申请复查",
    Action.DECIDE_REVIEW: "复查决定",
    Action.ASK_REEXAMINATION: "申请复核",
    Action.DECIDE_REEXAMINATION: "复核决定",
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
    Standing.NEXT_TIER: "负责审批的上级单位",
    Standing.SUPERVISOR: "督查员",
    Standing.CENTER_SUPERVISOR: "指挥中心督查员",
    Standing.SUPERVISED: "被督办单位",
    Standing.CARDED_UNIT: "被发牌单位",
    Standing.REVIEWER: "复查、复核机关",
    Standing.SYSTEM: "系统",
}
_CONDITIONS = {
    Condition.NOT_WAITING: "正在等待补正，或已挂起",
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
    Condition.HAND_BACK_ASKED_BY_ANOTHER: "不能裁定本人提出的退回申请",
    Condition.NO_HAND_BACK_ASKED: "退回申请尚待裁定",
    Condition.ASSISTANT_OPEN: "没有未答复的协办单位",
    Condition.NO_ASSISTANT_OPEN: "协办单位尚未答复",
    Condition.HEAD_WHERE_REQUIRED: "本单位的答复须由单位负责人作出",
    Condition.PRESS_COOLED_DOWN: "距上次催办时间太短",
    Condition.NOT_REFUSED_TWICE: "已经提出过异议",
    Condition.FIRST_ROUND: "重办的事件已经单独答复过，不能再并案",
    Condition.RETURN_CALL_FOUND_VALID: "须经回访核实属实并征得群众同意后才能重办",
    Condition.BEFORE_DUE: "办理期限已过，延期须在到期前申请",
    Condition.NO_EXTENSION_YET: "本轮已经申请过延期，或并入的事件已经延期，只能申请一次",
    Condition.HAS_DECIDER: "没有可以审批的上级单位",
    Condition.EXTENSION_ASKED: "没有待审批的延期申请",
    Condition.NO_EXTENSION_ASKED: "延期申请尚待审批",
    Condition.EXTENSION_ASKED_BY_ANOTHER: "不能审批本人提出的延期申请",
    Condition.NO_WAIT_ASKED: "已有待审批的挂起申请",
    Condition.WAIT_ASKED: "没有待审批的挂起申请",
    Condition.WAIT_ASKED_BY_ANOTHER: "不能审批本人提出的挂起申请",
    Condition.STANDS_STILL: "事件没有挂起",
    Condition.NOT_SEALED: "保密事件不下督办单，也不挂牌",
    Condition.NO_SUPERVISION_OPEN: "上一次督办尚未回复",
    Condition.NOBODY_JOINED: "没有别的反映人并入这件事，否则继续办理",
    Condition.SUPERVISION_OPEN: "没有待回复的督办",
    Condition.LISTED: "事件没有挂牌",
    Condition.NOT_LISTED: "事件已经挂牌",
    Condition.UNIT_TO_CARD: "没有可以发牌的单位",
    Condition.APPEAL_OPEN: "没有待裁定的申诉",
    Condition.ANSWERED_BY_ANOTHER: "重办的事须由上一轮答复人以外的人答复，没有他人的，先报县指挥中心同意",
    Condition.ANSWER_TO_APPROVE: "不是重办的事，或已经同意，或上一轮正是本人答复的",
    Condition.NO_ACCUSATION: "检举控告始终保密，不能改成其他性质；不属检举控告的，请不予受理或答复，并告知反映人另行登记",
    Condition.MAY_RECATEGORISE: "指挥中心交办的事件由指挥中心改类；认为类别不对的，请申请退回",
    Condition.NOT_UNDER_SUPERVISION: "督办尚未回复、或已挂牌督办的事件不能并入别的事件，请把别的事件并入这件，或先回复督办、摘牌",
    Condition.UNDER_COMMAND_CENTER: "不是县指挥中心交办或自行办理的事件，请先由承办单位上报",
    Condition.REVIEW_IN_TIME: "答复之日起三十日内才能申请复查，期限已过",
    Condition.NO_REVIEW_YET: "这次答复已经申请过复查",
    Condition.HAS_REVIEWER: "本县没有更高一级的复查、复核机关，请向上一级机关提出",
    Condition.REVIEW_ASKED: "没有待决定的复查申请",
    Condition.REVIEWED: "须先经复查，对复查意见不服的才能申请复核",
    Condition.REEXAMINATION_IN_TIME: "复查决定之日起三十日内才能申请复核，期限已过",
    Condition.NO_REEXAMINATION_YET: "已经申请过复核；复核意见是最终意见，同一事实和理由不再受理",
    Condition.REEXAMINATION_ASKED: "没有待决定的复核申请",
    Condition.NO_REVIEW_OPEN: "复查或复核尚未决定",
    Condition.REVIEWED_BY_ANOTHER: "参与过这件事的人不能作出复查、复核决定，请由本机关其他人员决定",
}
