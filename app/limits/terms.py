"""The words of the limits: what a case is about, and which clock runs. Pure."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a case is about; it decides how long handling may take. ACCUSATION (检举控告) is always sealed."""

    QUESTION = "question"
    SUGGESTION = "suggestion"
    HELP = "help"
    COMPLAINT = "complaint"
    ACCUSATION = "accusation"

    @property
    def chinese(self) -> str:
        return _KINDS[self]


class Stage(StrEnum):
    """What a clock measures. SUPPLEMENT is the reporter's time and WAITING what was agreed to wait for, not the unit's.

    WHOLE is the whole case, by the county's promise; INFORM and STATUTORY are what the law gives for it, and run beside.
    REVIEW (复查) and REEXAMINATION (复核) are the reviewing unit's, after the answer.
    """

    JUDGE = "judge"
    SUPPLEMENT = "supplement"
    SIGN = "sign"
    HANDLE = "handle"
    ASSIST = "assist"
    HAND_BACK_DECISION = "hand_back_decision"
    EXTENSION_DECISION = "extension_decision"
    WAIT_DECISION = "wait_decision"
    SUPERVISED_REPLY = "supervised_reply"
    WAITING = "waiting"
    WHOLE = "whole"
    INFORM = "inform"
    STATUTORY = "statutory"
    REVIEW = "review"
    REEXAMINATION = "reexamination"

    @property
    def chinese(self) -> str:
        return _STAGES[self]


# The same everywhere: no county sets them.
OF_THE_LAW: Final = frozenset({Stage.INFORM, Stage.STATUTORY, Stage.REVIEW, Stage.REEXAMINATION})
# Nobody's stage: no unit holds it alone, so no unit gets a card for it.
WITHOUT_CARDS: Final = frozenset(
    {Stage.SUPPLEMENT, Stage.WAITING, Stage.WHOLE, Stage.INFORM, Stage.STATUTORY}
)
# Of an answered case: the next tier, or the one above it, looks at what was answered.
OF_REVIEWS: Final = frozenset({Stage.REVIEW, Stage.REEXAMINATION})

_KINDS: Final = {
    Kind.QUESTION: "咨询",
    Kind.SUGGESTION: "建议",
    Kind.HELP: "求助",
    Kind.COMPLAINT: "投诉",
    Kind.ACCUSATION: "检举控告",
}
_STAGES: Final = {
    Stage.JUDGE: "研判",
    Stage.SUPPLEMENT: "补正",
    Stage.SIGN: "签收",
    Stage.HANDLE: "办理",
    Stage.ASSIST: "协办答复",
    Stage.HAND_BACK_DECISION: "退回裁定",
    Stage.EXTENSION_DECISION: "延期审批",
    Stage.WAIT_DECISION: "挂起审批",
    Stage.SUPERVISED_REPLY: "督办回复",
    Stage.WAITING: "挂起",
    Stage.WHOLE: "全程",
    Stage.INFORM: "法定告知",
    Stage.STATUTORY: "法定办理",
    Stage.REVIEW: "复查",
    Stage.REEXAMINATION: "复核",
}
