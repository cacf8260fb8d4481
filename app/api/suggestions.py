"""Over HTTP: suggested lead units for a case that is about to be dispatched."""

from typing import Self

from fastapi import APIRouter
from pydantic import Field

from app.cases import suggested_leads
from app.cases.suggested_leads import NamedUnit, Nearest, SuggestedLead
from app.errors import NotFound, NotPermitted, SignInRequired
from app.http.case_step import CaseRef
from app.http.moments import At
from app.http.outputs import Output
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(prefix="/cases", tags=["事件"], route_class=OneTransaction)


class SuggestedUnit(Output):
    unit_code: str = Field(examples=["500153D11"])
    unit_name: str = Field(examples=["县水务局"])

    @classmethod
    def of(cls, unit: NamedUnit) -> Self:
        return cls(unit_code=unit.code, unit_name=unit.name)


class NearestCase(Output):
    ref: str = Field(examples=["500153-261122-48392017"])
    title: str = Field(examples=["13至17栋没有饮用水"])
    outcome_label: str = Field(description="怎样办结的", examples=["已解决"])

    @classmethod
    def of(cls, case: Nearest) -> Self:
        label = "" if case.outcome is None else case.outcome.chinese
        return cls(ref=case.ref, title=case.title, outcome_label=label)


class Suggestion(Output):
    """A suggested lead unit with the reason."""

    unit_code: str = Field(examples=["500153D11"])
    unit_name: str = Field(examples=["县水务局"])
    reason: str = Field(
        description="给人看的一句话", examples=["近一年相近的 20 件中，17 件由县水务局主办"]
    )
    assistants: list[SuggestedUnit] = Field(description="这些事里，多半由谁协办")
    open: int = Field(description="该单位正在主办多少件", ge=0, examples=[12])
    overdue: int = Field(description="其中已超期多少件", ge=0, examples=[1])
    sign_due_at: At | None = Field(description="现在交办的话，签收到何时为止")
    handle_due_at: At | None = Field(description="现在交办的话，办结到何时为止")
    nearest: list[NearestCase] = Field(description="最相近的，都已办结", max_length=3)

    @classmethod
    def of(cls, lead: SuggestedLead) -> Self:
        return cls(
            unit_code=lead.code,
            unit_name=lead.name,
            reason=lead.reason,
            assistants=[SuggestedUnit.of(one) for one in lead.assistants],
            open=lead.open,
            overdue=lead.overdue,
            sign_due_at=lead.sign_due_at,
            handle_due_at=lead.handle_due_at,
            nearest=[NearestCase.of(one) for one in lead.nearest],
        )


class Suggestions(Output):
    leads: list[Suggestion] = Field(
        description="最可能的在前；没有相近的事则为空", max_length=suggested_leads.MOST
    )


@router.get(
    "/{ref}/suggestions",
    summary="建议由谁主办",
    description="从全县近一年已办结的事件中找相近的，看多半由谁主办、谁协办；只供参考，由指挥中心决定。与评价无关。",
    responses=problems(SignInRequired, NotPermitted, NotFound),
)
async def suggest(ref: CaseRef, tx: Tx, by: ByStaff) -> Suggestions:
    found = await suggested_leads.suggest_leads(tx, ref, by=by, now=await tx.now())
    return Suggestions(leads=[Suggestion.of(one) for one in found])
