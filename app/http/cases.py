"""How both faces show a case to staff: in a list, in full, and after something was done to it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.auth.actor import Actor, StaffActor
from app.cases import access, timeline
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action, Phase
from app.cases.models import Channel, Outcome, Waiting
from app.db import Transaction
from app.directory.terms import Role
from app.http.attached import PositionOut, VoiceRef
from app.http.moments import At
from app.http.outputs import Output
from app.limits.terms import Kind, Stage
from app.matters.papers import PaperKind
from app.matters.parts import AssignmentRole, AssignmentState

_HAS_PART = frozenset({AssignmentState.OFFERED, AssignmentState.SIGNED, AssignmentState.ANSWERED})


class SupervisedOut(Output):
    """A demand (督办) that has not been replied to."""

    unit: str = Field(description="由谁回复；事件移交后仍由该单位回复", examples=["广顺街道"])
    due_at: At = Field(description="回复何时到期，过后发黄牌")


class SimilarOut(Output):
    """An open case of the same person that tells the same."""

    model_config = ConfigDict(from_attributes=True)

    ref: str = Field(examples=["500153-261122-48392017"])
    title: str = Field(examples=["13至17栋没有饮用水"])
    received_at: At


SimilarOpen = Annotated[
    list[SimilarOut],
    Field(
        description="同一反映人此前反映过、还没有办结的相同或相近的事；如是重复提交，请撤回本件，只凭原编号查询"
    ),
]


class NewsOut(Output):
    """What the holder has not acted on yet."""

    what: Literal["given", "pressed", "instructed", "added"] = Field(
        description="given 新交来、pressed 被催办、instructed 有批示、added 反映人补充了说明；承办单位办理之后不再显示"
    )
    by: Role | Literal["reporter", "system"] = Field(
        description="由谁：岗位，或 reporter 反映人、system 系统", examples=["leader"]
    )
    at: At


class CaseItem(Output):
    """A case in a list. `part` and `part_due_at` are the asker's own, in the views of what was assigned or asked."""

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
    overdue: bool = Field(description="当前环节已超期；暂停期间不算")
    part: AssignmentRole | None = Field(description="本单位的任务：主办或协办")
    part_due_at: At | None = Field(description="本单位的任务、审批或督办回复何时到期")
    to_decide: Stage | None = Field(
        description="待审批的是什么：hand_back_decision 退回、extension_decision 延期、wait_decision 挂起、review 复查、reexamination 复核"
    )
    news: list[NewsOut] = Field(description="承办单位尚未处理的新情况，早的在前")
    supervised: SupervisedOut | None = Field(description="正在督办，尚未回复；没有则为空")


class Inbox(Output):
    items: list[CaseItem]
    next: str | None = Field(description="下一页的 cursor；没有下一页则为空")


class Reporter(Output):
    name: str | None = Field(examples=["王大爷"])
    phone: str | None = Field(examples=["+8613983001234"])


class Entry(Output):
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
    photos: list[UUID] = Field(description="照片编号，按上传的人排的顺序")
    data: dict[str, Any] = Field(description="其他事实，随操作而不同")


class PartOut(Output):
    """A unit's part in the present round."""

    unit: str = Field(examples=["县水务局"])
    role: AssignmentRole
    state: AssignmentState
    due_at: At
    signed_at: At | None
    hand_back_asked: bool


class ClockOut(Output):
    """A limit that runs or ran. The moments are those it is computed to have now."""

    stage: Stage
    stage_label: str = Field(examples=["办理"])
    unit: str = Field(description="这个环节由谁负责", examples=["荣隆镇"])
    round: int
    started_at: At
    due_at: At | None = Field(description="到期；暂停期间为空")
    remind_at: At | None = Field(description="预警")
    yellow_at: At | None = Field(description="黄牌；不发牌的环节为期满")
    red_at: At | None = Field(description="红牌；不发红牌则为空")
    rule: str = Field(description="所依据的规则", examples=["default/handle/help"])
    limit: str = Field(examples=["10 个工作日"])
    extension: str | None = Field(description="批准的延期", examples=["5 个工作日"])
    provisional: bool = Field(description="暂定：涉及放假安排尚未公布的年份")
    paused: bool = Field(description="是否正在暂停")
    held_at: At | None = Field(
        description="何时申请退回：裁定之前到期不发牌，不同意退回的补发，同意的不发"
    )
    ended_at: At | None


class PaperOut(Output):
    """A numbered paper; its page is under its id."""

    id: UUID
    kind: PaperKind
    label: str = Field(examples=["督办单"])
    number: str = Field(examples=["荣督〔2026〕12号"])
    issued_at: At


class CaseStateOut(Output):
    """Where a case stands, and what the asker may do with it now."""

    ref: str = Field(examples=["500153-261122-48392017"])
    title: str
    phase: Phase
    phase_label: str = Field(examples=["办理中"])
    holder: str = Field(examples=["荣隆镇"])
    waiting: Waiting | None
    stage: Stage | None
    stage_due_at: At | None
    due_at: At
    round: int
    returns: int
    presses: int
    outcome: Outcome | None
    parts: list[PartOut]
    actions: list[Action] = Field(
        description="您现在可以进行的操作；操作的地址是它的名称，下划线换成短横线，如 hand_back 为 …/hand-back"
    )
    version: int = Field(description="记录的条数，用于 If-Match")


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
    confidential: bool = Field(
        description="反映人要求保密：只有首问单位、登记单位和指挥中心知道是谁反映的"
    )
    reporter: Reporter | None = Field(
        description="反映人；与办理无关的岗位不可见，保密的，承办单位也不可见"
    )
    received_at: At
    occurred_at: At | None
    answered_at: At | None
    closed_at: At | None
    statutory_due_at: At = Field(description="法定期限")
    waiting_since: At | None
    wait_asked_at: At | None = Field(description="挂起申请待审批")
    extension_asked_at: At | None = Field(description="延期申请待审批")
    extended: bool = Field(description="本轮的延期申请已有结论，或并入的事件已经延期")
    listed_at: At | None = Field(description="挂牌督办")
    paused_hours: float = Field(description="承办环节累计暂停的小时数", examples=[26.5])
    clocks: list[ClockOut] = Field(description="全部期限，先开始的在前")
    papers: list[PaperOut] = Field(description="已经编号发出的文书")
    photos: list[UUID] = Field(description="登记时附上的照片编号，见“事件的照片”")
    voices: list[VoiceRef] = Field(description="登记时附上的语音，见“事件的语音”")
    position: PositionOut | None = Field(description="位置；没有填的、已删除的为空")
    timeline: list[Entry]


async def in_full(tx: Transaction, dossier: Dossier, *, by: StaffActor) -> CaseDetail:
    case = dossier.case
    told = await timeline.for_staff(
        tx, dossier, by=by, involved=_involved(dossier, by), trusted=_trusted(dossier, by)
    )
    return CaseDetail(
        **dict(state_of(dossier, by=by, now=await tx.now())),
        **told,
        kind=case.kind,
        channel=case.channel,
        urgent=case.urgent,
        sealed=case.sealed,
        received_at=case.received_at,
        occurred_at=case.occurred_at,
        answered_at=case.answered_at,
        closed_at=case.closed_at,
        statutory_due_at=case.statutory_due_at,
        waiting_since=case.waiting_since,
        wait_asked_at=case.wait_asked_at,
        extension_asked_at=case.extension_asked_at,
        extended=case.extended,
        listed_at=case.listed_at,
    )


def _trusted(dossier: Dossier, by: StaffActor) -> bool:
    """Who may learn them of a confidential case: the first unit, which informs the person, who entered it, and the command center."""
    if not by.acts:
        return False
    return by.dispatches or by.unit_id in {dossier.enterer_id, dossier.first_id}


def _involved(dossier: Dossier, by: StaffActor) -> bool:
    """Who may learn the reporter's name and number: those who now work on the case, and whoever answers to them."""
    case = dossier.case
    if not (by.acts or (case.sealed and by.role is Role.SUPERVISOR)):
        return False
    parts = {part.unit_id for part in dossier.assignments if part.state in _HAS_PART}
    own = {case.holder_unit_id, dossier.enterer_id, dossier.first_id} | parts
    return by.dispatches or by.unit_id in own


def state_of(dossier: Dossier, *, by: Actor, now: datetime) -> CaseStateOut:
    case = dossier.case
    return CaseStateOut(
        ref=case.ref,
        title=case.title,
        phase=case.phase,
        phase_label=case.phase.chinese,
        holder=dossier.holder.name,
        waiting=case.waiting,
        stage=case.stage,
        stage_due_at=case.stage_due_at,
        due_at=case.due_at,
        round=case.round,
        returns=case.returns,
        presses=case.presses,
        outcome=case.outcome,
        parts=_parts(dossier),
        actions=access.actions(dossier, by, now),
        version=dossier.matter.head_seq,
    )


def _parts(dossier: Dossier) -> list[PartOut]:
    """The lead first; ids made in the same millisecond are in no order."""
    named = [(part, dossier.unit_names[part.unit_id]) for part in dossier.assignments]
    named.sort(key=lambda one: (one[0].role != AssignmentRole.LEAD, one[0].assigned_at, one[1]))
    return [
        PartOut(
            unit=unit,
            role=part.role,
            state=part.state,
            due_at=part.due_at,
            signed_at=part.signed_at,
            hand_back_asked=part.hand_back_asked_at is not None
            and part.hand_back_settled_at is None,
        )
        for part, unit in named
        if part.round == dossier.case.round
    ]
