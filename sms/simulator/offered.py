"""How one may have the simulated provider behave from the page, and what the system does about it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from sms.simulator.behaviour import HONEST, Behaviour


@dataclass(frozen=True, slots=True)
class Offered:
    """`words` for the list; `then`: what one will see the system do."""

    words: str
    behaviour: Behaviour
    then: str = ""


def offered(*, aliyun: bool) -> Sequence[Offered]:
    """The honest one first. The codes are those that the provider would tell."""
    off, gone, account = (
        ("IS_CLOSE", "MOBILE_NOT_ON_SERVICE", "isv.OUT_OF_SERVICE")
        if aliyun
        else (30003, 30005, "20003")
    )
    return (
        Offered("正常", HONEST),
        Offered("繁忙（429）", Behaviour(too_many=1), "系统隔一会儿再试，间隔逐次加长。"),
        Offered(
            "已发送，却答错误（500）",
            Behaviour(error_accepted=1),
            "结果不明的不重发：系统凭回执或向服务商查询弄清结果。",
        ),
        Offered(
            "未发送，答错误（500）",
            Behaviour(error_not_accepted=1),
            "系统先向服务商查询，确实没有的才重发；验证码不重发。",
        ),
        Offered(
            "已发送，却迟迟不答",
            Behaviour(stall_accepted=1),
            "结果不明的不重发：系统凭回执或向服务商查询弄清结果。",
        ),
        Offered(
            "对方关机，未送达",
            Behaviour(undelivered=1, failure_code=off),
            "系统半小时后再发一次，仍未送达的由县指挥中心处理。",
        ),
        Offered(
            "空号，未送达",
            Behaviour(undelivered=1, failure_code=gone),
            "再发也无用，由县指挥中心打电话告知。",
        ),
        Offered(
            "账户异常，一律拒收",
            Behaviour(refused={str(account): 1}),
            "系统暂停发送，隔一会儿试发一条，账户恢复后接着发，一条不丢。",
        ),
        Offered(
            "回执重复且乱序",
            Behaviour(copies=5, reorder=True),
            "同一回执只算一次，状态只往前走。",
        ),
        Offered(
            "已送达，回执全部丢失",
            Behaviour(lost=True),
            "系统两小时后向服务商查询，不再发送。",
        ),
    )
