"""Enumerations of delivery: error classes, follow-ups of an ended text, reasons for a pause. Pure."""

from enum import StrEnum
from typing import Final

from app.texts.outbox import MessageKind, Why


class ErrorClass(StrEnum):
    """Why a text was refused or not delivered, as far as it decides what happens next."""

    NUMBER_UNUSABLE = "number_unusable"
    OPTED_OUT = "opted_out"
    # The account, its credit or its sender: every further text would fare the same.
    ACCOUNT = "account"
    CONTENT = "content"
    # Words that the provider has to approve: it has not decided yet, or does not take them.
    TEMPLATE_PENDING = "template_pending"
    TEMPLATE_REJECTED = "template_rejected"
    TRANSIENT = "transient"
    # Not known, or not known to be one of the above.
    AMBIGUOUS = "ambiguous"


class FollowedBy(StrEnum):
    """What followed when a text had ended: the system tried again, a person had it sent again, or settled it otherwise."""

    RETRIED = "retried"
    RESENT = "resent"
    SETTLED = "settled"

    @property
    def chinese(self) -> str:
        return _FOLLOWED[self]


class PauseReason(StrEnum):
    """Why nothing is sent through a provider for the moment."""

    ACCOUNT = "account"
    UNREACHABLE = "unreachable"

    @property
    def chinese(self) -> str:
        return _PAUSES[self]


def why_in_chinese(why: Why) -> str:
    """What is wrong, and what the person who sees to the text can do about it."""
    return _WHYS[why]


def kind_in_chinese(kind: MessageKind) -> str:
    return _KINDS.get(kind, "短信")


_WHYS: Final = {
    Why.NUMBER_UNUSABLE: "号码无法接收短信，请核对号码或打电话告知",
    Why.NOT_TEXTABLE: "号码不是手机号码，请打电话告知",
    Why.OPTED_OUT: "对方已退订短信，请打电话告知",
    Why.CONTENT: "内容被服务商或运营商拦截，请打电话告知；屡次出现的，请告诉系统管理员",
    Why.REFUSED: "服务商不接收，请打电话告知；屡次出现的，请把错误代码告诉系统管理员",
    Why.TRIED_OUT: "多次发送未成功，可以稍后补发，急的请打电话告知",
    Why.NEVER_KNOWN: "是否已发出无法查明，再发可能重复，请先打电话问对方是否收到",
    Why.UNDELIVERED: "已发出，未送达，可以补发或打电话告知",
    Why.EXPIRED: "未能在有效时间内发出，仍需告知的，可以补发或打电话告知",
    Why.IDENTICAL: "刚给同一号码发过同样的内容，一般不必再发；确需再发的，可以补发",
    Why.OVER_LIMIT: "该号码当天短信已达上限，请打电话告知，或次日补发",
    Why.BROKEN: "短信内容无法生成，请打电话告知，并联系系统管理员",
    Why.TEMPLATE_PENDING: "短信模板还在等服务商审核，通过后可以补发，急的请打电话告知",
    Why.TEMPLATE_REJECTED: "短信模板没有通过服务商审核，请打电话告知，并请系统管理员处理模板",
}
_FOLLOWED: Final = {
    FollowedBy.RETRIED: "系统重试",
    FollowedBy.RESENT: "人工补发",
    FollowedBy.SETTLED: "人工处理，不再发送",
}
_PAUSES: Final = {
    PauseReason.ACCOUNT: "短信账户异常，请核对账户、余额、签名和发送号码",
    PauseReason.UNREACHABLE: "短信服务商无法连接，请检查网络和服务商的状态",
}
_KINDS: Final = {
    MessageKind.ONE_TIME_CODE: "验证码",
    MessageKind.RECEIPT: "受理回执",
    MessageKind.SUPPLEMENT_REQUESTED: "补正告知",
    MessageKind.DECLINED: "不予受理告知",
    MessageKind.WITHDRAWN: "撤回告知",
    MessageKind.MOVED: "转办告知",
    MessageKind.PROGRESS: "进展告知",
    MessageKind.ANSWERED: "办结答复",
    MessageKind.REWORKED: "重办告知",
    MessageKind.MERGED: "并案告知",
    MessageKind.EXTENDED: "延期告知",
    MessageKind.WAITING: "暂缓告知",
    MessageKind.SURVEY: "评价邀请",
    MessageKind.SURVEY_REMINDER: "评价提醒",
    MessageKind.STAFF_NOTICE: "工作提醒",
    MessageKind.STAFF_WORK: "新任务提醒",
    MessageKind.STAFF_PRESSED: "催办提醒",
    MessageKind.STAFF_DECISION: "审批提醒",
    MessageKind.STAFF_CALLS: "回访提醒",
    MessageKind.STAFF_RELIEVED: "任务调整提醒",
    MessageKind.REVIEW_ASKED: "复查复核受理告知",
    MessageKind.REVIEW_DECIDED: "复查复核决定告知",
}
