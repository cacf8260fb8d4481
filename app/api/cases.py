"""Over HTTP: cases as staff see them, in lists and in full. What is done to them is in filing, judging, dispatching, handling."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, StringConstraints

from app.api.step import ETAG, CaseRef, tag
from app.auth.actor import StaffActor
from app.cases import access, queries, timeline
from app.cases.deadlines import Kind
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action, Phase
from app.cases.models import AssignmentRole, AssignmentState, Channel, Waiting
from app.cases.queries import PAGE, View
from app.directory.terms import Role
from app.errors import NotFound, SignInRequired
from app.http.cases import CaseStateOut, state_of
from app.http.inputs import Input
from app.http.moments import At
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(prefix="/cases", tags=["事件"], route_class=OneTransaction)

_HAS_PART = frozenset({AssignmentState.OFFERED, AssignmentState.SIGNED, AssignmentState.ANSWERED})


class InboxQuery(Input):
    view: View = Field(
        default=View.TO_JUDGE,
        description="to_judge 待研判、handling 办理中、to_sign 待签收、assisting 我协办、finished 已办结",
    )
    cursor: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        default=None, description="上一页的 next；不填为第一页"
    )
    size: int = Field(default=PAGE, ge=1, le=100, description="每页几件")


class CaseItem(BaseModel):
    """A case in a list. `part` and `part_due_at` are the asker's own, in the views of what was assigned."""

    ref: str = Field(examples=["500153-261122-48392017"])
    title: str = Field(examples=["13至17栋没有饮用水"])
    kind: Kind
    phase: Phase
    urgent: bool
    sealed: bool
    waiting: Waiting | None
    holder: str = Field(examples=["荣隆镇"])
    village: str | None = Field(examples=["工农茶叶产业社区"])
    round: int
    returns: int
    presses: int
    received_at: At
    due_at: At
    stage_due_at: At | None
    overdue: bool
    part: AssignmentRole | None
    part_due_at: At | None


class Inbox(BaseModel):
    items: list[CaseItem]
    next: str | None = Field(description="下一页的 cursor；没有下一页则为空")


class Reporter(BaseModel):
    name: str | None = Field(examples=["王大爷"])
    phone: str | None = Field(examples=["+8613983001234"])


class Entry(BaseModel):
    """An entry of the record."""

    seq: int
    at: At
    action: Action
    label: str = Field(examples=["上报"])
    unit: str | None = Field(examples=["广顺街道"])
    staff: str | None = Field(examples=["周启明"])
    to: str | None = Field(description="交给了谁", examples=["荣隆镇"])
    public: bool = Field(description="反映人是否可见")
    texts: dict[str, str | None] = Field(description="所写的文字；依法删除后为空")
    data: dict[str, Any] = Field(description="其他事实，随操作而不同")


class CaseDetail(CaseStateOut):
    body: str | None
    place: str | None
    kind: Kind
    channel: Channel
    urgent: bool
    sealed: bool
    village: str | None
    category: str | None
    first_unit: str = Field(description="首问单位，负责告知反映人", examples=["工农茶叶产业社区"])
    entered_by_unit: str | None
    reporter: Reporter | None = Field(description="反映人；与办理无关的岗位不可见")
    received_at: At
    occurred_at: At | None
    answered_at: At | None
    closed_at: At | None
    photos: list[UUID] = Field(description="照片编号，见“事件的照片”")
    timeline: list[Entry]


@router.get(
    "",
    response_model=Inbox,
    summary="事件列表",
    description="按视图列出当前岗位的事件，最急的在前（已办结的，最新的在前）。不计总数，按 next 翻页。",
    responses=problems(SignInRequired),
)
async def list_cases(asked: Annotated[InboxQuery, Query()], tx: Tx, by: ByStaff) -> Response:
    page = await queries.inbox(tx, asked.view, by=by, cursor=asked.cursor, size=asked.size)
    return Response(page, media_type="application/json")


@router.get(
    "/{ref}",
    summary="事件详情",
    description="事件的内容、全部过程，以及您现在可以进行的操作（actions）。无权查看的事件与不存在的一样。",
    responses={200: {"headers": ETAG}, **problems(SignInRequired, NotFound)},
)
async def show_case(ref: CaseRef, tx: Tx, by: ByStaff, response: Response) -> CaseDetail:
    dossier = await access.get_case(tx, ref, by=by)
    told = await timeline.for_staff(tx, dossier, by=by, involved=_involved(dossier, by))
    tag(response, dossier)
    return _in_full(dossier, told, state_of(dossier, by=by, now=await tx.now()))


def _in_full(dossier: Dossier, told: dict[str, Any], state: CaseStateOut) -> CaseDetail:
    case = dossier.case
    return CaseDetail(
        **dict(state),
        **told,
        kind=case.kind,
        channel=case.channel,
        urgent=case.urgent,
        sealed=case.sealed,
        received_at=case.received_at,
        occurred_at=case.occurred_at,
        answered_at=case.answered_at,
        closed_at=case.closed_at,
    )


def _involved(dossier: Dossier, by: StaffActor) -> bool:
    """Who may learn the reporter's name and number: those who now work on the case, and whoever answers to them."""
    case = dossier.case
    if not (by.acts or (case.sealed and by.role is Role.SUPERVISOR)):
        return False
    parts = {part.unit_id for part in dossier.assignments if part.state in _HAS_PART}
    own = {case.holder_unit_id, case.entered_by_unit_id, case.first_unit_id} | parts
    return by.role is Role.DISPATCHER or by.unit_id in own
