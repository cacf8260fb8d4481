"""Over HTTP: which words of the text messages the provider has approved. The administrator looks and notes."""

from typing import Annotated, Self

from fastapi import APIRouter, Path
from pydantic import BeforeValidator, Field, StringConstraints

from app.auth.actor import StaffActor
from app.directory.terms import Role
from app.errors import KeyReused, NotFound, NothingChanged, NotPermitted, SignInRequired
from app.http.inputs import INT4_MAX, Input, Line, plain
from app.http.moments import At
from app.http.outputs import Output
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff
from app.settings import settings
from app.texts import approvals
from app.texts.approvals import Approval, TextTemplate

router = APIRouter(prefix="/sms/templates", tags=["短信模板"], route_class=OneTransaction)

TemplateId = Annotated[
    int, Path(ge=1, le=INT4_MAX, description="模板编号，见模板列表", examples=[7])
]
Code = Annotated[
    str,
    BeforeValidator(plain),
    StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,60}$", max_length=60),
    Field(description="服务商给的模板 CODE", examples=["SMS_154950909"]),
]
Reason = Annotated[Line, Field(description="原因", examples=["变量“report”未说明用途"])]


class ApprovedTemplate(Input):
    template_code: Code


class RejectedTemplate(Input):
    reason: Reason


class TextTemplateOut(Output):
    id: int = Field(examples=[7])
    kind: str = Field(description="哪一种短信", examples=["progress"])
    words: str = Field(
        description="报审的内容，不含签名；${…} 为变量",
        examples=["您反映的“${title}”（编号${ref}）有新进展。${unit}：${report}"],
    )
    current: bool = Field(description="现在用的内容；不是现用的留作记录，改回来时仍然有效")
    approval: Approval = Field(description="审核状态", examples=["approved"])
    approval_label: str = Field(examples=["已通过"])
    template_code: str | None = Field(description="服务商给的模板 CODE", examples=["SMS_154950909"])
    reason: str = Field(description="未通过或撤回的原因", examples=[""])
    changed_at: At

    @classmethod
    def of(cls, template: TextTemplate) -> Self:
        assert template.id is not None, "it was read from the database"
        return cls(
            **{name: getattr(template, name) for name in _SHOWN},
            id=template.id,
            approval_label=template.approval.chinese,
        )


_SHOWN = ("kind", "words", "current", "approval", "template_code", "reason", "changed_at")


class TextTemplates(Output):
    provider: str = Field(description="现用的短信服务商", examples=["aliyun"])
    templates: list[TextTemplateOut] = Field(
        description="该服务商的模板，现用的在前；不需要报审模板的服务商没有"
    )


@router.get(
    "",
    summary="短信模板",
    description="现用服务商的短信模板和审核状态。没有通过审核的短信不会发出，会转人工处理。",
    responses=problems(SignInRequired, NotPermitted),
)
async def list_text_templates(tx: Tx, by: ByStaff) -> TextTemplates:
    _administrator(by)
    provider = settings().sms_provider
    found = await approvals.listed(tx, provider)
    return TextTemplates(provider=provider, templates=[TextTemplateOut.of(one) for one in found])


_NOTING = problems(SignInRequired, NotPermitted, NotFound, NothingChanged, KeyReused)


@router.post(
    "/{template_id}/approve",
    summary="登记模板已通过",
    description="服务商审核通过后，登记它给的模板 CODE；此后这种短信用该模板发出。",
    responses=_NOTING,
)
async def approve_text_template(
    template_id: TemplateId, given: ApprovedTemplate, tx: Tx, by: ByStaff
) -> TextTemplateOut:
    staff_id = _administrator(by).staff_id
    return TextTemplateOut.of(
        await approvals.approve(
            tx, template_id, given.template_code, staff_id=staff_id, now=await tx.now()
        )
    )


@router.post(
    "/{template_id}/reject",
    summary="登记模板未通过",
    description="服务商审核未通过，登记原因；这种短信不会发出。",
    responses=_NOTING,
)
async def reject_text_template(
    template_id: TemplateId, given: RejectedTemplate, tx: Tx, by: ByStaff
) -> TextTemplateOut:
    staff_id = _administrator(by).staff_id
    return TextTemplateOut.of(
        await approvals.reject(tx, template_id, given.reason, staff_id=staff_id, now=await tx.now())
    )


@router.post(
    "/{template_id}/withdraw",
    summary="撤回模板",
    description="模板在服务商处失效或要重新报审时撤回：回到待审核，重新登记通过之前不会发出。",
    responses=_NOTING,
)
async def withdraw_text_template(
    template_id: TemplateId, given: RejectedTemplate, tx: Tx, by: ByStaff
) -> TextTemplateOut:
    staff_id = _administrator(by).staff_id
    return TextTemplateOut.of(
        await approvals.withdraw(
            tx, template_id, given.reason, staff_id=staff_id, now=await tx.now()
        )
    )


def _administrator(by: StaffActor) -> StaffActor:
    if by.role is not Role.ADMINISTRATOR:
        raise NotPermitted
    return by
