"""What is sent with an action on a case: one model per action, the same on both faces. Knows no rule."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictBool

from app.cases.actions.filing import PersonHelped
from app.cases.models import Outcome, ReviewOutcome, Waiting
from app.http.inputs import Input, Line, OptionalText, Paragraphs, ShortText, not_a_flag
from app.http.phone import ContactNumber

Days = Annotated[int, BeforeValidator(not_a_flag), Field(ge=1, le=30)]


class PersonIn(Input):
    """The resident that staff register a case for."""

    name: Line = Field(description="反映人姓名", examples=["王大爷"], repr=False)
    phone: ContactNumber | None = Field(
        default=None,
        description="反映人自己的号码，用于告知进展和回访；没有手机的可填固定电话或不填，不要填干部的号码",
        examples=["13983001234"],
        repr=False,
    )

    def person(self) -> PersonHelped:
        return PersonHelped(self.name, self.phone)


class Supplement(Input):
    supplement: Paragraphs = Field(
        description="补充的内容", examples=["房屋编号为13栋2单元，11月19日起停水。"]
    )


class Reason(Input):
    """Why the reporter objects to a refusal, or takes a case back."""

    reason: Paragraphs = Field(description="反映人的理由", examples=["问题并未解决，请上级研判。"])


class ReviewRequest(Input):
    reason: Paragraphs = Field(
        description="为什么不服", examples=["答复说已修好，五楼以上仍没有水。"]
    )


class ReviewDecision(Input):
    outcome: ReviewOutcome = Field(
        description="upheld 维持，changed 变更，revoked 撤销；变更、撤销的，由原承办单位重新办理",
        examples=["upheld"],
    )
    reason: Paragraphs = Field(
        description="理由，写入意见书并告知反映人", examples=["经现场核实，水压已达标准。"]
    )


class Press(Input):
    note: OptionalText | None = Field(
        default=None,
        description="催办的话，反映人也能看到；可不填",
        examples=["群众生活受影响，请尽快恢复。"],
    )


class SupplementRequest(Input):
    missing: Paragraphs = Field(
        description="缺少的全部材料，一次告知",
        examples=["请补充：一、房屋编号；二、停水起始时间。"],
    )


class Finding(Input):
    finding: Paragraphs = Field(
        description="核实情况，以及本级为何不能解决",
        examples=["已到现场核实，供水主管在荣隆镇，街道无法协调。"],
    )


class Objection(Input):
    reason: Paragraphs = Field(description="申请退回的理由", examples=["该路段不在本镇辖区。"])


class Progress(Input):
    report: Paragraphs = Field(description="办理到什么程度", examples=["已找到漏点，正在抢修。"])
    tell_reporter: StrictBool = Field(
        default=False, description="是否同时告知反映人（短信，并在进度中显示）", examples=[True]
    )


class AssistantsAnswer(Input):
    answer: Paragraphs = Field(description="协办结果，仅办理各方可见", examples=["管网已修复。"])


class Answer(Input):
    outcome: Outcome = Field(
        description="solved 已解决，explained 政策解释，partly_solved 部分解决，passed_on 转有权机关",
        examples=["solved"],
    )
    answer: Paragraphs = Field(
        description="给反映人的答复", examples=["13至17栋已于今日18时恢复供水。"]
    )
    basis: OptionalText | None = Field(
        default=None, description="政策依据，可不填", examples=["《城市供水条例》第二十二条"]
    )


class ExtensionRequest(Input):
    days: Days = Field(description="申请延长几个工作日，1 至 30", examples=[5])
    reason: ShortText = Field(
        description="为什么需要延期", examples=["主管更换须停水施工，要避开高考。"]
    )


class WaitRequest(Input):
    why: Literal[Waiting.OUTSIDE_AUTHORITY, Waiting.SUSPENDED] = Field(
        description="outside_authority 等待县外机关办理、suspended 列为长期项目",
        examples=["outside_authority"],
    )
    reason: ShortText = Field(description="为什么须等待", examples=["须由市水利局批准取水口。"])
    until: date = Field(
        description="复核日期；等待县外机关的最多 30 个工作日，长期项目最多 60 个工作日",
        examples=["2026-12-18"],
    )


class Resumption(Input):
    note: OptionalText | None = Field(
        default=None, description="说明，可不填", examples=["市水利局已批准。"]
    )


class SupervisionReply(Input):
    reply: Paragraphs = Field(
        description="督办回复，仅办理各方可见", examples=["主管已更换，昨晚恢复供水。"]
    )
