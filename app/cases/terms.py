"""The words of a case: its phases, what is done to it, what somebody is to it, and what a decision brings. Pure."""

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


class Decision(StrEnum):
    """What is decided with an action and takes the case to another phase than the action otherwise does."""

    RETURN_AGREED = "return_agreed"
    ANSWER_NOT_UPHELD = "answer_not_upheld"

    @property
    def chinese(self) -> str:
        return _DECISIONS[self]


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
_DECISIONS = {
    Decision.RETURN_AGREED: "同意主办单位退回",
    Decision.ANSWER_NOT_UPHELD: "变更或撤销原处理意见",
}
