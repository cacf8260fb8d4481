"""Conditions of the actions on a case. Pure: app/cases/access.py and the actions find out which conditions hold."""

from enum import StrEnum
from typing import Final, NamedTuple


class Wording(NamedTuple):
    """A condition in words. People read `refusal` when the condition does not hold."""

    english: str
    chinese: str
    refusal: str


class Condition(StrEnum):
    NOT_WAITING = "not_waiting"
    WAITING_FOR_SUPPLEMENT = "waiting_for_supplement"
    NO_SUPPLEMENT_OUTSTANDING = "no_supplement_outstanding"
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
    ANOTHER_UNIT_LEADS = "another_unit_leads"
    NEW_LEAD_SETTLED = "new_lead_settled"
    PART_ASKED_BACK = "part_asked_back"
    PART_ASKED_BACK_BY_ANOTHER = "part_asked_back_by_another"
    PART_ASSISTS = "part_assists"
    PRIMARY_OPEN = "primary_open"
    GRANTED_BEFORE_DUE = "granted_before_due"
    GRANTED_BEFORE_END = "granted_before_end"
    FIRST_APPEAL = "first_appeal"
    CARD_OPEN_TO_APPEAL = "card_open_to_appeal"
    APPEAL_IN_TIME = "appeal_in_time"
    NO_PART_IN_CARD = "no_part_in_card"
    CARD_FOR_ANOTHER = "card_for_another"
    NO_PART_IN_ANSWER = "no_part_in_answer"

    @property
    def english(self) -> str:
        return _WORDINGS[self].english

    @property
    def chinese(self) -> str:
        return _WORDINGS[self].chinese

    @property
    def refusal(self) -> str:
        return _WORDINGS[self].refusal


_WORDINGS: Final = {
    Condition.NOT_WAITING: Wording(
        "The case is not waiting: no supplement is outstanding and it is not suspended.",
        "不在等待补正，也没有挂起",
        "正在等待补正，或已挂起",
    ),
    Condition.WAITING_FOR_SUPPLEMENT: Wording(
        "The reporter was asked for a supplement that has not come.",
        "正在等待反映人补正",
        "没有待补正的事项",
    ),
    Condition.NO_SUPPLEMENT_OUTSTANDING: Wording(
        "The reporter was asked for no supplement, or has brought it; what is missing is told in a supplement, which ends the wait.",
        "没有等待反映人补正",
        "正在等待补正，请把内容写在补充材料里",
    ),
    Condition.SUPPLEMENT_NOT_YET_ASKED: Wording(
        "The present holder has not asked for a supplement before: everything missing is told at once, once.",
        "当前承办单位还没有告知过补正事项（一次性告知）",
        "本单位已经一次性告知过补正事项",
    ),
    Condition.MAY_REFUSE: Wording(
        "The holder may decline: it is a township or above, not a village.",
        "承办单位是镇街及以上单位，可以不予受理",
        "村(社区)不得作出不予受理，请上报",
    ),
    Condition.HAS_NEXT_TIER: Wording(
        "There is a unit above the holder that can take the case.",
        "上一级有可以受理的单位",
        "没有上一级可以受理",
    ),
    Condition.HAS_LOWER_TIER: Wording(
        "There are units below the holder.",
        "承办单位有下级单位",
        "没有下级单位",
    ),
    Condition.NOT_DISPATCHED: Wording(
        "The command center did not assign the case to the present lead.",
        "不是指挥中心交办的事件",
        "指挥中心交办的事件应办理或申请退回",
    ),
    Condition.HELD_BY_COMMAND_CENTER: Wording(
        "The command center holds the case, and the actor belongs to it.",
        "事件在县指挥中心，操作人属于指挥中心",
        "事件不在指挥中心",
    ),
    Condition.OWN_ASSIGNMENT_OFFERED: Wording(
        "The actor's unit has a part that it has not signed for.",
        "本单位有待签收的任务",
        "没有待签收的任务",
    ),
    Condition.OWN_ASSIGNMENT_SIGNED: Wording(
        "The actor's unit has signed for its part.",
        "本单位已经签收",
        "请先签收",
    ),
    Condition.MAY_HAND_BACK: Wording(
        "Another unit gave the part, the window for objecting is open, and the unit has not objected yet.",
        "任务由别的单位交来，还在申请退回的期限内，且没有申请过",
        "已超过申请退回的期限，或已经申请",
    ),
    Condition.HAND_BACK_ASKED: Wording(
        "A unit has asked to hand back its part, and nobody has decided.",
        "有待裁定的退回申请",
        "没有待裁定的退回申请",
    ),
    Condition.HAND_BACK_ASKED_BY_ANOTHER: Wording(
        "At least one of the requests was made by a person other than the actor.",
        "退回申请中至少有一件不是本人提出的",
        "不能裁定本人提出的退回申请",
    ),
    Condition.NO_HAND_BACK_ASKED: Wording(
        "The lead has not asked to hand back, or that has been decided.",
        "主办单位没有待裁定的退回申请",
        "退回申请尚待裁定",
    ),
    Condition.ASSISTANT_OPEN: Wording(
        "At least one assistant has not answered.",
        "有尚未答复的协办单位",
        "没有未答复的协办单位",
    ),
    Condition.NO_ASSISTANT_OPEN: Wording(
        "Every assistant has answered or was excused.",
        "协办单位都已答复或免予协办",
        "协办单位尚未答复",
    ),
    Condition.HEAD_WHERE_REQUIRED: Wording(
        "Where a unit's answers need its head, the actor is the head.",
        "本单位的答复无须负责人作出，或操作人就是负责人",
        "本单位的答复须由单位负责人作出",
    ),
    Condition.PRESS_COOLED_DOWN: Wording(
        "A reporter's last press is longer ago than the cool-down; staff may press at any time.",
        "反映人距上次催办已满规定时间；工作人员不受此限",
        "距上次催办时间太短",
    ),
    Condition.NOT_REFUSED_TWICE: Wording(
        "The reporter has not objected to a refusal of this case before.",
        "还没有对不予受理提出过异议",
        "已经提出过异议",
    ),
    Condition.RETURN_CALL_FOUND_VALID: Wording(
        "A return call of this round found the complaint valid, and the resident agreed to a new round.",
        "本轮回访核实属实，并征得群众同意重办",
        "须经回访核实属实并征得群众同意后才能重办",
    ),
    Condition.FIRST_ROUND: Wording(
        "The case is in its first round.",
        "事件在第一轮办理中",
        "重办的事件已经单独答复过，不能再并案",
    ),
    Condition.BEFORE_DUE: Wording(
        "The handling stage is not overdue.",
        "办理期限未过",
        "办理期限已过，延期须在到期前申请",
    ),
    Condition.NO_EXTENSION_YET: Wording(
        "No extension was asked for or brought along by a merge in this round.",
        "本轮没有申请过延期，并入的事件也没有带来延期",
        "本轮已经申请过延期，或并入的事件已经延期，只能申请一次",
    ),
    Condition.HAS_DECIDER: Wording(
        "A unit can decide: the command center for what it gave, else the next tier.",
        "有可以审批的单位：指挥中心交办的为指挥中心，其余为上一级",
        "没有可以审批的上级单位",
    ),
    Condition.EXTENSION_ASKED: Wording(
        "A request for an extension is undecided.",
        "有待审批的延期申请",
        "没有待审批的延期申请",
    ),
    Condition.NO_EXTENSION_ASKED: Wording(
        "No request for an extension is undecided.",
        "没有待审批的延期申请",
        "延期申请尚待审批",
    ),
    Condition.EXTENSION_ASKED_BY_ANOTHER: Wording(
        "The request was made by a person other than the actor.",
        "延期申请不是本人提出的",
        "不能审批本人提出的延期申请",
    ),
    Condition.NO_WAIT_ASKED: Wording(
        "No request to suspend the case is undecided.",
        "没有待审批的挂起申请",
        "已有待审批的挂起申请",
    ),
    Condition.WAIT_ASKED: Wording(
        "A request to suspend the case is undecided.",
        "有待审批的挂起申请",
        "没有待审批的挂起申请",
    ),
    Condition.WAIT_ASKED_BY_ANOTHER: Wording(
        "The request was made by a person other than the actor.",
        "挂起申请不是本人提出的",
        "不能审批本人提出的挂起申请",
    ),
    Condition.STANDS_STILL: Wording(
        "The case is suspended; only the system ends the wait for a supplement.",
        "事件已经挂起；等待补正的，由系统到期恢复",
        "事件没有挂起",
    ),
    Condition.NOT_SEALED: Wording(
        "The case is not sealed.",
        "不是保密事件",
        "保密事件不下督办单，也不挂牌",
    ),
    Condition.NO_SUPERVISION_OPEN: Wording(
        "No demand is waiting for its reply.",
        "没有待回复的督办",
        "上一次督办尚未回复",
    ),
    Condition.SUPERVISION_OPEN: Wording(
        "A demand is waiting for its reply.",
        "有待回复的督办",
        "没有待回复的督办",
    ),
    Condition.LISTED: Wording(
        "The case is on the public list.",
        "事件已经挂牌",
        "事件没有挂牌",
    ),
    Condition.NOT_LISTED: Wording(
        "The case is not on the public list.",
        "事件没有挂牌",
        "事件已经挂牌",
    ),
    Condition.UNIT_TO_CARD: Wording(
        "A unit other than the actor's own has a part in the case.",
        "有本单位以外的单位参与办理",
        "没有可以发牌的单位",
    ),
    Condition.APPEAL_OPEN: Wording(
        "The card has an appeal that nobody has decided.",
        "这张牌有待裁定的申诉",
        "没有待裁定的申诉",
    ),
    Condition.ANSWERED_BY_ANOTHER: Wording(
        "In a new round, the actor did not answer the round before; or the command center approved that they answer again.",
        "重办的事，上一轮不是本人答复的，或县指挥中心已经同意由原答复人答复",
        "重办的事须由上一轮答复人以外的人答复，没有他人的，先报县指挥中心同意",
    ),
    Condition.NOBODY_JOINED: Wording(
        "No other case was merged into this one.",
        "没有别的事件并入这件事",
        "没有别的反映人并入这件事，否则继续办理",
    ),
    Condition.ANSWER_TO_APPROVE: Wording(
        "In a new round, nobody has approved yet, and the actor did not answer the round before.",
        "是重办的事，尚未同意过，且上一轮不是本人答复的",
        "不是重办的事，或已经同意，或上一轮正是本人答复的",
    ),
    Condition.NO_ACCUSATION: Wording(
        "The case is not an accusation.",
        "不是检举控告",
        "检举控告始终保密，不能改成其他性质；不属检举控告的，请不予受理或答复，并告知反映人另行登记",
    ),
    Condition.MAY_RECATEGORISE: Wording(
        "The command center did not assign the case, or the actor belongs to the command center.",
        "不是指挥中心交办的，或操作人属于指挥中心",
        "指挥中心交办的事件由指挥中心改类；认为类别不对的，请申请退回",
    ),
    Condition.NOT_UNDER_SUPERVISION: Wording(
        "No demand is waiting for its reply, and the case is not on the public list.",
        "没有待回复的督办，也没有挂牌",
        "督办尚未回复、或已挂牌督办的事件不能并入别的事件，请把别的事件并入这件，或先回复督办、摘牌",
    ),
    Condition.UNDER_COMMAND_CENTER: Wording(
        "The command center assigned the case or handles it itself.",
        "事件由县指挥中心交办或自行办理",
        "不是县指挥中心交办或自行办理的事件，请先由承办单位上报",
    ),
    Condition.REVIEW_IN_TIME: Wording(
        "At most 30 days have passed since the answer.",
        "答复之日起三十日内",
        "答复之日起三十日内才能申请复查，期限已过",
    ),
    Condition.NO_REVIEW_YET: Wording(
        "No review of this answer was asked for.",
        "这次答复还没有申请过复查",
        "这次答复已经申请过复查",
    ),
    Condition.HAS_REVIEWER: Wording(
        "A unit above the one that answered, or that reviewed, can review; it had no part in the round.",
        "有没有参与本轮办理的上一级复查、复核机关",
        "本县没有更高一级的复查、复核机关，请向上一级机关提出",
    ),
    Condition.REVIEW_ASKED: Wording(
        "A review was asked for and is undecided.",
        "有待决定的复查申请",
        "没有待决定的复查申请",
    ),
    Condition.REVIEWED: Wording(
        "The review has been decided.",
        "复查已经作出决定",
        "须先经复查，对复查意见不服的才能申请复核",
    ),
    Condition.REEXAMINATION_IN_TIME: Wording(
        "At most 30 days have passed since the review was decided.",
        "复查决定之日起三十日内",
        "复查决定之日起三十日内才能申请复核，期限已过",
    ),
    Condition.NO_REEXAMINATION_YET: Wording(
        "No re-examination was asked for.",
        "还没有申请过复核",
        "已经申请过复核；复核意见是最终意见，同一事实和理由不再受理",
    ),
    Condition.REEXAMINATION_ASKED: Wording(
        "A re-examination was asked for and is undecided.",
        "有待决定的复核申请",
        "没有待决定的复核申请",
    ),
    Condition.NO_REVIEW_OPEN: Wording(
        "No review or re-examination is undecided.",
        "没有待决定的复查、复核",
        "复查或复核尚未决定",
    ),
    Condition.REVIEWED_BY_ANOTHER: Wording(
        "The actor had no part in any round of the case.",
        "操作人没有参与过这件事的办理",
        "参与过这件事的人不能作出复查、复核决定，请由本机关其他人员决定",
    ),
    Condition.ANOTHER_UNIT_LEADS: Wording(
        "The command center does not name itself where it leads already.",
        "指挥中心已经主办的，交办给别的单位",
        "这件事已经由本单位主办，不能再交办给自己；请继续办理，或交办给别的单位",
    ),
    Condition.NEW_LEAD_SETTLED: Wording(
        "The new lead, where it assists already, has no undecided request to hand back.",
        "新主办单位原来协办的，没有待裁定的退回申请",
        "该单位的退回申请尚待裁定，请先裁定",
    ),
    Condition.PART_ASKED_BACK: Wording(
        "The named unit has asked to hand back its part, and nobody has decided.",
        "所选单位有待裁定的退回申请",
        "该单位没有待裁定的退回申请",
    ),
    Condition.PART_ASKED_BACK_BY_ANOTHER: Wording(
        "The named unit's request to hand back was not made by the actor.",
        "所选单位的退回申请不是本人提出的",
        "不能裁定本人提出的退回申请",
    ),
    Condition.PART_ASSISTS: Wording(
        "The named unit assists and has not answered.",
        "所选单位是尚未答复的协办单位",
        "该单位不是尚未答复的协办单位",
    ),
    Condition.PRIMARY_OPEN: Wording(
        "The other case is pending or being handled, and is sealed if and only if this one is.",
        "主件待研判或办理中，两件都保密或都不保密",
        "只能并入一件待研判或办理中的事件",
    ),
    Condition.GRANTED_BEFORE_DUE: Wording(
        "The extension is refused, or the handling stage is not overdue.",
        "不同意延期，或办理期限未过",
        "办理期限已过，不能再同意延期，只能不同意",
    ),
    Condition.GRANTED_BEFORE_END: Wording(
        "The request to wait is refused, or the review date that was asked for has not passed.",
        "不同意挂起，或所申请的复核日期未过",
        "所申请的复核日期已过，不能再同意，只能不同意",
    ),
    Condition.FIRST_APPEAL: Wording(
        "Nobody has appealed against the card before.",
        "这张牌还没有申诉过",
        "这张牌已经申诉过，只能申诉一次",
    ),
    Condition.CARD_OPEN_TO_APPEAL: Wording(
        "The card is not about a sealed case: nobody outside the unit may know of that.",
        "不是检举控告的牌（本单位以外没有人可以知道）",
        "检举控告的牌不能申诉：本单位以外没有人可以知道这件事",
    ),
    Condition.APPEAL_IN_TIME: Wording(
        "The window for appealing is open.",
        "还在申诉的期限内",
        "已超过申诉的期限",
    ),
    Condition.NO_PART_IN_CARD: Wording(
        "The actor is not the person carded, did not issue the card or appeal, and has no post in a unit that was carded or appealed.",
        "操作人与这张牌无关：不是被发牌人、发牌人或申诉人，也不在被发牌或申诉的单位任职",
        "须由与这张牌无关的督查员裁定：不是被发牌人、发牌人或申诉人，也不在被发牌或申诉的单位任职",
    ),
    Condition.CARD_FOR_ANOTHER: Wording(
        "The card is not for the actor or for a unit where the actor has a post.",
        "不是给本人或本人任职的单位发牌",
        "不能给本人或本人任职的单位发牌",
    ),
    Condition.NO_PART_IN_ANSWER: Wording(
        "The actor did not work on the round and has no post in a unit that did.",
        "操作人没有参与本轮办理，也不在办理单位任职",
        "本人参与办理，或在办理单位任职的，不能作出复查、复核决定，请由本机关其他人员决定",
    ),
}
