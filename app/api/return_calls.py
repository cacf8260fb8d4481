"""Over HTTP: return calls. app/evaluation has the rules and decides which calls a person sees."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field, StrictBool
from typing_extensions import override

from app.errors import ActionNotAllowed, KeyReused, NotFound, NotPermitted, SignInRequired
from app.evaluation import return_calls
from app.evaluation.return_calls import CallToMake, Finding
from app.evaluation.terms import CallCause, CallResult, CallState, Value
from app.http.inputs import Input, OptionalText
from app.http.moments import At
from app.http.outputs import Output
from app.http.paging import page_of
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(tags=["回访"], route_class=OneTransaction)

CallId = Annotated[UUID, Path(description="回访编号，见回访列表")]


class CallsQuery(Input):
    after: UUID | None = Field(default=None, description="上一页的 next；不填为第一页")
    size: int = Field(default=50, ge=1, le=100, description="每页几件")


class CallItem(Output):
    """A call in the list; it names nobody. `unit` handled the case."""

    id: UUID
    ref: str = Field(examples=["500153-261122-48392017"])
    handled_ref: str = Field(
        description="在哪一件上办理：已并案的为主件，重办须在主件上进行",
        examples=["500153-261122-48392017"],
    )
    title: str = Field(examples=["13至17栋没有饮用水"])
    round: int = Field(examples=[1])
    unit: str = Field(examples=["荣隆镇"])
    cause: CallCause
    cause_label: str = Field(examples=["不满意"])
    state: CallState
    result: CallResult | None
    result_label: str | None = Field(examples=["反映属实"])
    consent: bool = Field(description="群众是否同意重办")
    tries: int = Field(description="已打过几次", examples=[0])
    created_at: At
    called_at: At | None

    @classmethod
    def of(cls, call: CallToMake) -> Self:
        return cls(**_shown(call))


class CallDetail(CallItem):
    """A call with whom to call and what they said: for the caller's eyes only."""

    name: str | None = Field(examples=["王大爷"])
    phone: str | None = Field(examples=["+8613983001234"])
    evaluation: Value | None
    evaluation_label: str | None = Field(examples=["不满意"])
    first_evaluation: Value | None = Field(
        description="群众一天之内更改过评价的，最初的评价；请问清更改的原因", examples=[None]
    )
    remark: str | None = Field(description="群众的原话", examples=["水还是没有"])
    note: str | None = Field(description="上次回访的记录", examples=["水压仍不足"])

    @override
    @classmethod
    def of(cls, call: CallToMake) -> Self:
        return cls(
            **_shown(call),
            name=call.name,
            phone=call.phone,
            evaluation=call.value,
            evaluation_label=None if call.value is None else call.value.chinese,
            first_evaluation=call.first_value,
            remark=call.remark,
            note=call.note,
        )


class Calls(Output):
    items: list[CallItem]
    next: UUID | None = Field(description="下一页的 after；没有下一页则为空")


class FindingIn(Input):
    result: CallResult = Field(
        description="valid 反映属实、unreasonable 诉求不合理、not_reached 未联系上（仍待回访）、evaluated 已评价、handler 确系经办人员本人（不作评价）",
        examples=["valid"],
    )
    consent: StrictBool = Field(default=False, description="群众是否同意重办", examples=[True])
    note: OptionalText = Field(
        default="", description="回访记录", examples=["五楼以上水压仍不足。"]
    )
    evaluation: Value | None = Field(
        default=None,
        description="群众在电话中的评价；群众自己已经评价过的不填",
        examples=[None],
    )


@router.get(
    "/return-calls",
    summary="回访列表",
    description="待回访的群众，先到的在前：评价不满意的，和无法短信评价的（没有号码、号码属于单位、多人共用或登记为经办人员的、已退订、未送达、读不明白）。仅县指挥中心；指挥中心自己办理的，仅其督查员；检举控告的，仅承办单位的督查员。参与办理的人看不到。",
    responses=problems(SignInRequired, NotPermitted),
)
async def list_calls(asked: Annotated[CallsQuery, Query()], tx: Tx, by: ByStaff) -> Calls:
    found = await return_calls.open_calls(tx, by=by, after=asked.after, most=asked.size + 1)
    shown, last = page_of(found, asked.size)
    return Calls(
        items=[CallItem.of(call) for call in shown],
        next=None if last is None else last.id,
    )


@router.get(
    "/return-calls/{call_id}",
    summary="回访详情",
    description="回访对象的姓名、电话和原话。仅县指挥中心；指挥中心自己办理的，仅其督查员；检举控告的，仅承办单位的督查员。参与办理的人看不到。",
    responses=problems(SignInRequired, NotPermitted, NotFound),
)
async def get_call(call_id: CallId, tx: Tx, by: ByStaff) -> CallDetail:
    return CallDetail.of(await return_calls.get_call(tx, call_id, by=by))


@router.post(
    "/return-calls/{call_id}/finding",
    summary="记录回访",
    description="未联系上的仍待回访，在规定天数（默认 3 天）都未联系上的，回访结束；其余为结论，不能再改。"
    "只有反映属实并征得同意，才能重办。",
    responses=problems(SignInRequired, NotPermitted, NotFound, ActionNotAllowed, KeyReused),
)
async def record_finding(call_id: CallId, given: FindingIn, tx: Tx, by: ByStaff) -> CallItem:
    call = await return_calls.record_finding(
        tx, call_id, Finding(**given.model_dump()), by=by, now=await tx.now()
    )
    return CallItem.of(call)


def _shown(call: CallToMake) -> dict[str, object]:
    return {
        "id": call.id,
        "ref": call.ref,
        "handled_ref": call.handled_ref,
        "title": call.title,
        "round": call.round,
        "unit": call.unit_name,
        "cause": call.cause,
        "cause_label": call.cause.chinese,
        "state": call.state,
        "result": call.result,
        "result_label": None if call.result is None else call.result.chinese,
        "consent": call.consent,
        "tries": call.tries,
        "created_at": call.created_at,
        "called_at": call.called_at,
    }
