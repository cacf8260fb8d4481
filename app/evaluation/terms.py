"""Terms of evaluation: how an answer came, why one does not count, what a reply did, why and how a person is called. Pure."""

from enum import StrEnum


class Value(StrEnum):
    """How satisfied a person is. No answer is not among them: it is a class of its own."""

    SATISFIED = "satisfied"
    BASICALLY_SATISFIED = "basically_satisfied"
    DISSATISFIED = "dissatisfied"

    @property
    def chinese(self) -> str:
        return {"satisfied": "满意", "basically_satisfied": "基本满意", "dissatisfied": "不满意"}[
            self
        ]


class AnswerChannel(StrEnum):
    TEXT = "text"
    PAGE = "page"
    RETURN_CALL = "return_call"


class Discount(StrEnum):
    """Why an answer does not count. CORRECTED: the person said something else within the day, and that counts."""

    UNIT_NUMBER = "unit_number"
    OWN_CASE = "own_case"
    SHARED_NUMBER = "shared_number"
    CORRECTED = "corrected"


class ReplyEffect(StrEnum):
    """What a text from a citizen did. UNCLEAR and NOT_ASKED are for people to read."""

    ANSWERED = "answered"
    THANKS = "thanks"
    OPTED_OUT = "opted_out"
    UNCLEAR = "unclear"
    NOT_ASKED = "not_asked"
    CORRECTED = "corrected"
    REPEATED = "repeated"
    DISCOUNTED = "discounted"
    OPTED_IN = "opted_in"


class HandReading(StrEnum):
    """How staff read a reply that the system could not: a value, none, that one must call and ask, that they opt out."""

    SATISFIED = "satisfied"
    BASICALLY_SATISFIED = "basically_satisfied"
    DISSATISFIED = "dissatisfied"
    NOT_AN_ANSWER = "not_an_answer"
    CALL_BACK = "call_back"
    OPTED_OUT = "opted_out"

    @property
    def value_read(self) -> Value | None:
        none = (HandReading.NOT_AN_ANSWER, HandReading.CALL_BACK, HandReading.OPTED_OUT)
        return None if self in none else Value(self)

    @property
    def about_a_case(self) -> bool:
        return self not in (HandReading.NOT_AN_ANSWER, HandReading.OPTED_OUT)

    @property
    def chinese(self) -> str:
        value = self.value_read
        if value is not None:
            return value.chinese
        return {
            "not_an_answer": "不是评价",
            "call_back": "读不明白，回访",
            "opted_out": "退订",
        }[self]


class CallCause(StrEnum):
    """DISSATISFIED stays what it is whatever the person says later; all others could not be asked by text."""

    DISSATISFIED = "dissatisfied"
    NO_NUMBER = "no_number"
    UNIT_NUMBER = "unit_number"
    SHARED_NUMBER = "shared_number"
    OWN_CASE = "own_case"
    OPTED_OUT = "opted_out"
    UNDELIVERED = "undelivered"
    UNREAD = "unread"

    @property
    def chinese(self) -> str:
        return {
            "dissatisfied": "不满意",
            "no_number": "没有号码",
            "unit_number": "单位或工作人员的号码",
            "shared_number": "多人共用的号码",
            "own_case": "登记为经办人员本人的号码",
            "opted_out": "已退订评价短信",
            "undelivered": "评价短信未送达",
            "unread": "回复读不明白",
        }[self]


class CallState(StrEnum):
    OPEN = "open"
    DONE = "done"


class CallResult(StrEnum):
    """NOT_REACHED leaves the call open until it was tried often enough. EVALUATED: only the evaluation was taken.

    HANDLER: the number is the handler's own indeed, who rates no own work.
    """

    VALID = "valid"
    UNREASONABLE = "unreasonable"
    NOT_REACHED = "not_reached"
    EVALUATED = "evaluated"
    HANDLER = "handler"

    @property
    def chinese(self) -> str:
        return {
            "valid": "反映属实",
            "unreasonable": "诉求不合理",
            "not_reached": "未联系上",
            "evaluated": "已评价",
            "handler": "确系经办人员本人",
        }[self]
