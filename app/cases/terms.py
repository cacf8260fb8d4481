"""The vocabulary of a case: phases, actions, standings and decisions, with their Chinese words. Pure."""

from enum import StrEnum
from typing import NamedTuple


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
    ADD = "add"
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
        return _ACTIONS[self].chinese

    @property
    def timeline_text(self) -> str:
        """A format string: what residents read in the timeline. Actions that are never public have one too, since rules change."""
        return _ACTIONS[self].timeline_text

    @property
    def names_a_unit(self) -> bool:
        """Whether the entry tells to whom the case went."""
        return "{to}" in self.timeline_text

    @property
    def reason_is_public(self) -> bool:
        """Residents may read the reason that staff wrote with the action."""
        return _ACTIONS[self].reason_is_public


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
    """Decisions that change the phase to which an action leads."""

    RETURN_AGREED = "return_agreed"
    ANSWER_NOT_UPHELD = "answer_not_upheld"

    @property
    def chinese(self) -> str:
        return _DECISIONS[self]


class _Words(NamedTuple):
    chinese: str
    timeline_text: str
    reason_is_public: bool = False


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
    Action.REGISTER: _Words("登记", "已登记，由{first}受理"),
    Action.REQUEST_SUPPLEMENT: _Words("补正告知", "{unit}请您补充材料"),
    Action.SUPPLY: _Words("补正", "您已补充材料"),
    Action.ADD: _Words("补充说明", "您补充了说明"),
    Action.DECLINE: _Words("不予受理", "{unit}决定不予受理", reason_is_public=True),
    Action.OBJECT_REFUSAL: _Words("异议", "您提出异议，已转{to}研判", reason_is_public=True),
    Action.HANDLE: _Words("本级办理", "{unit}开始办理"),
    Action.ESCALATE: _Words("上报", "{unit}已核实并上报{to}"),
    Action.SEND_DOWN: _Words("退回下级", "{unit}已转{to}办理"),
    Action.DISPATCH: _Words("交办", "{unit}已交{to}主办"),
    Action.SIGN: _Words("签收", "{unit}已签收"),
    Action.HAND_BACK: _Words("申请退回", "办理单位正在协调"),
    Action.SETTLE: _Words("裁定", "办理单位已协调"),
    Action.PROGRESS: _Words("进展", "{unit}通报办理进展"),
    Action.ASSIST_ANSWER: _Words("协办答复", "{unit}已协办答复"),
    Action.EXCUSE: _Words("免予协办", "办理单位已调整"),
    Action.ANSWER: _Words("办结答复", "{unit}已办结并答复"),
    Action.REWORK: _Words("重办", "经回访核实，已交{to}重新办理"),
    Action.CLOSE: _Words("归档", "事件已归档"),
    Action.PRESS: _Words("催办", "已催办"),
    Action.INSTRUCT: _Words("批示", "县领导作出批示"),
    Action.MERGE: _Words("并案", "已与相同事件合并办理"),
    Action.WITHDRAW: _Words("撤回", "您已撤回", reason_is_public=True),
    Action.EXTEND: _Words("延期申请", "{unit}申请延长办理期限"),
    Action.DECIDE_EXTENSION: _Words("延期审批", "{unit}已同意延长办理期限", reason_is_public=True),
    Action.WAIT: _Words("挂起申请", "{unit}申请暂缓办理"),
    Action.DECIDE_WAIT: _Words("挂起审批", "{unit}已同意暂缓办理", reason_is_public=True),
    Action.RESUME: _Words("恢复", "已恢复办理"),
    Action.SUPERVISE: _Words("督办", "{unit}已督办"),
    Action.REPLY_SUPERVISION: _Words("督办回复", "{unit}已回复督办"),
    Action.LIST: _Words("挂牌督办", "{unit}已挂牌督办"),
    Action.UNLIST: _Words("摘牌", "{unit}已摘牌"),
    Action.REMIND: _Words("预警", "系统已提醒办理单位"),
    Action.CARD: _Words("发牌", "已督促办理单位"),
    Action.APPEAL: _Words("申诉", "办理单位已说明情况"),
    Action.DECIDE_APPEAL: _Words("申诉裁定", "办理单位的说明已处理"),
    Action.RESCHEDULE: _Words("期限重算", "办理期限已按工作日历重新计算"),
    Action.REASSIGN: _Words("承接", "原单位撤并，由{to}承接"),
    Action.APPROVE_ANSWER: _Words("同意由原答复人答复", "办理单位已作安排"),
    Action.RECATEGORISE: _Words("改类", "{unit}调整了事件类别：{corrected}"),
    Action.CHANGE_LEAD: _Words("改派主办", "{unit}已改由{to}主办"),
    Action.ADD_ASSISTANTS: _Words("增加协办", "{unit}已增加协办单位"),
    Action.ERASE: _Words("删除文字", "已按规定删除这件事里的文字"),
    Action.ASK_REVIEW: _Words("申请复查", "您申请复查，由{to}复查", reason_is_public=True),
    Action.DECIDE_REVIEW: _Words(
        "复查决定", "{unit}复查决定：{decision}原处理意见", reason_is_public=True
    ),
    Action.ASK_REEXAMINATION: _Words("申请复核", "您申请复核，由{to}复核", reason_is_public=True),
    Action.DECIDE_REEXAMINATION: _Words(
        "复核决定", "{unit}复核决定：{decision}原处理意见", reason_is_public=True
    ),
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
