"""The inputs of actions on a case: one model per action, the same on every face. Knows no rule."""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, StrictBool

from app.cases.actions.dispatching import MOST_ASSISTANTS, Part
from app.cases.actions.recategorising import Correction
from app.cases.models import Outcome, ReviewOutcome, Waiting
from app.cases.number_given import PersonHelped
from app.http.attached import Photos
from app.http.inputs import (
    Identifier,
    Input,
    Line,
    OptionalParagraphs,
    OptionalText,
    Paragraphs,
    Ref,
    ShortText,
    UnitCode,
    not_a_flag,
)
from app.http.phone import ContactNumber
from app.limits.terms import Kind

Days = Annotated[int, BeforeValidator(not_a_flag), Field(ge=1, le=30)]


class Nothing(Input):
    """Of an action that needs no more than its name."""


NOTHING: Final = Nothing()


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
    photos: Photos = Field(default_factory=list)


class MoreToTell(Input):
    addition: OptionalParagraphs = Field(
        default="",
        description="补充的话；附上照片的可不填",
        examples=["今天早上水又停了，12栋也没有水。"],
    )
    photos: Photos = Field(default_factory=list)


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
        default=False,
        description="是否同时告知反映人（短信，并在进度中显示，照片也一样）",
        examples=[True],
    )
    photos: Photos = Field(default_factory=list)


class AssistantsAnswer(Input):
    answer: Paragraphs = Field(
        description="协办结果，连同照片仅办理各方可见", examples=["管网已修复。"]
    )
    photos: Photos = Field(default_factory=list)


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
    photos: Photos = Field(default_factory=list)


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


class Refusal(Input):
    reason: Paragraphs = Field(
        description="不予受理的理由", examples=["该事项已进入诉讼程序，应由法院处理。"]
    )
    basis: ShortText = Field(description="依据的法规条款", examples=["《信访工作条例》第二十八条"])


class SendingDown(Input):
    to_code: UnitCode = Field(description="下级单位的代码", examples=["500153003007"])
    reason: Paragraphs = Field(description="退回的理由", examples=["属社区职责，请就地办理。"])


class PartIn(Input):
    unit_code: UnitCode = Field(description="单位代码", examples=["500153100"])
    task: OptionalText = Field(default="", description="该单位的任务", examples=["恢复供水"])
    days: int | None = Field(
        default=None,
        strict=True,
        ge=1,
        le=60,
        description="几日内完成；不填则按规定的期限",
        examples=[7],
    )

    def part(self) -> Part:
        return Part(self.unit_code, self.task, self.days)


class Dispatch(Input):
    lead: PartIn = Field(description="主办单位，有且只有一个，可以是县内任何单位")
    assistants: list[PartIn] = Field(
        default=[],
        max_length=MOST_ASSISTANTS,
        description="协办单位",
        examples=[[{"unit_code": "500153D11", "task": "检修管网", "days": 5}]],
    )
    note: OptionalText = Field(default="", description="交办意见", examples=["一周内办结"])

    def parts(self) -> list[Part]:
        return [one.part() for one in self.assistants]


class LeadChange(Input):
    lead: PartIn = Field(description="改由哪个单位主办，可以是县内任何单位")
    reason: Paragraphs = Field(
        description="改派的理由，办理各方可见，反映人不可见",
        examples=["主管权属已移交县水务局，改由其主办。"],
    )
    note: OptionalText = Field(default="", description="交办意见", examples=["一周内办结"])


class Addition(Input):
    assistants: list[PartIn] = Field(
        min_length=1,
        max_length=MOST_ASSISTANTS,
        description="新增的协办单位，各有任务和期限",
        examples=[[{"unit_code": "500153D11", "task": "检修管网", "days": 5}]],
    )
    note: OptionalText = Field(default="", description="交办意见", examples=["协助查清漏点"])

    def parts(self) -> list[Part]:
        return [one.part() for one in self.assistants]


class Settlement(Input):
    unit_code: UnitCode = Field(description="申请退回的单位", examples=["500153100"])
    agreed: StrictBool = Field(description="是否同意退回", examples=[True])
    reason: Paragraphs = Field(
        description="裁定的理由", examples=["管网权属县水务局，改由其主办。"]
    )


class Excuse(Input):
    unit_code: UnitCode = Field(description="免予协办的单位", examples=["500153D11"])
    reason: Paragraphs = Field(description="理由", examples=["主办单位已自行修复，不再需要协办。"])


class Merge(Input):
    primary_ref: Ref = Field(description="并入哪一件", examples=["500153-261122-48392018"])
    reason: Paragraphs = Field(description="理由", examples=["同一小区同一次停水。"])


class ExtensionDecision(Input):
    granted: StrictBool = Field(description="是否同意", examples=[True])
    days: Days | None = Field(
        default=None,
        description="同意延长几个工作日；不填为所申请的天数，不能多于它",
        examples=[5],
    )
    reason: ShortText = Field(
        description="审批意见，留存备查；告知反映人的是申请延期的理由",
        examples=["情况属实，同意。"],
    )


class WaitDecision(Input):
    granted: StrictBool = Field(description="是否同意", examples=[True])
    reason: ShortText = Field(
        description="审批意见，留存备查；告知反映人的是申请挂起的理由",
        examples=["情况属实，同意。"],
    )


class Instruction(Input):
    instruction: Paragraphs = Field(description="批示", examples=["请荣隆镇今日内先送水上门。"])


class Supervision(Input):
    demand: Paragraphs = Field(
        description="督办要求", examples=["请三日内恢复供水，并书面说明停水原因。"]
    )
    days: Annotated[int, BeforeValidator(not_a_flag), Field(ge=1, le=15)] = Field(
        description="几个工作日内回复，1 至 15", examples=[3]
    )


class Listing(Input):
    reason: ShortText = Field(description="挂牌的理由", examples=["停水五日，涉及二百余户。"])


class Unlisting(Input):
    reason: ShortText = Field(description="摘牌的理由", examples=["已恢复供水，整改到位。"])


class Rework(Input):
    reason: Paragraphs = Field(description="重办的理由", examples=["经回访，五楼以上仍没有水。"])
    lead: PartIn | None = Field(
        default=None,
        description="改由哪个单位主办；不填则由原主办单位重新办理。保密事件不能另行指定",
        examples=[{"unit_code": "500153D11", "task": "更换主管", "days": 7}],
    )
    assistants: list[PartIn] = Field(
        default=[],
        max_length=MOST_ASSISTANTS,
        description="这一轮的协办单位",
        examples=[[{"unit_code": "500153100", "task": "配合停水"}]],
    )
    note: OptionalText = Field(default="", description="交办意见", examples=["一周内办结"])

    def parts(self) -> list[Part]:
        return [one.part() for one in self.assistants]


class Approval(Input):
    reason: Paragraphs = Field(
        description="为什么同意，查看了什么",
        examples=["社区只有一名干部。已查看现场照片，五楼水压正常。"],
    )


class CorrectionIn(Input):
    kind: Kind | None = Field(
        default=None,
        description="改成什么性质：question 咨询，suggestion 建议，help 求助，complaint 投诉；不填则不变。检举控告不能改成，也不能改掉",
        examples=["complaint"],
    )
    category_id: Identifier | None = Field(
        default=None, description="改成哪个分类；不填则不变", examples=[101]
    )
    urgent: StrictBool | None = Field(
        default=None, description="改为紧急或不紧急；不填则不变", examples=[True]
    )
    reason: ShortText = Field(
        description="为什么要改，仅办理各方可见", examples=["群众反映的是物业服务，不是供水"]
    )

    def correction(self) -> Correction:
        return Correction(self.kind, self.category_id, self.urgent)
