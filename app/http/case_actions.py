"""The actions on a case, each declared once: what is sent, which use case it calls, and which faces offer it.

`mount` adds an operation for each action that a face offers. Registering a case and what is done to its cards are not here.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import APIRouter, Depends
from msgspec import Struct
from msgspec.structs import replace
from pydantic import BaseModel

from app.auth.actor import CitizenActor, StaffActor
from app.cards import pressing, supervising
from app.cases.actions import (
    closing,
    dispatching,
    extending,
    filing,
    handling,
    judging,
    recategorising,
    reviewing,
    waiting,
)
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action
from app.errors import (
    ActionNotAllowed,
    AssistantsOpen,
    KeyReused,
    NobodyMaySee,
    NotFound,
    NotPermitted,
    Problem,
    SignInRequired,
)
from app.evaluation import return_calls
from app.http.case_inputs import (
    NOTHING,
    Addition,
    Answer,
    Approval,
    AssistantsAnswer,
    CorrectionIn,
    Dispatch,
    Excuse,
    ExtensionDecision,
    ExtensionRequest,
    Finding,
    Instruction,
    LeadChange,
    Listing,
    Merge,
    MoreToTell,
    Nothing,
    Objection,
    Press,
    Progress,
    Reason,
    Refusal,
    Resumption,
    ReviewDecision,
    ReviewRequest,
    Rework,
    SendingDown,
    Settlement,
    Supervision,
    SupervisionReply,
    Supplement,
    SupplementRequest,
    Unlisting,
    WaitDecision,
    WaitRequest,
)
from app.http.case_step import CaseStep
from app.http.inputs import Input
from app.http.problems import problems

Given = TypeVar("Given", bound=Input)
Step = TypeVar("Step")
Handler = Callable[..., Coroutine[Any, Any, BaseModel]]

# Beside what an action's declaration and its face name.
_ANY_ACTION: Final = (SignInRequired, NotFound, ActionNotAllowed, NobodyMaySee, KeyReused)


class Words(Struct, frozen=True):
    """How one face calls an action. The operation's id in its OpenAPI document is the action's name unless given."""

    summary: str
    description: str
    tag: str = ""
    operation_id: str = ""


@dataclass(frozen=True, slots=True)
class StaffAction(Generic[Given]):
    """An action of staff. Words of `cadre` are for phones only; without them a phone calls it as a desk does."""

    action: Action
    takes: type[Given]
    perform: Callable[[CaseStep[StaffActor], Given], Awaitable[Dossier]]
    problems: tuple[type[Problem], ...] = ()
    desk: Words | None = None
    cadre: Words | None = None

    @property
    def on_phone(self) -> Words | None:
        if self.cadre is not None or self.desk is None:
            return self.cadre
        return replace(self.desk, tag="")


@dataclass(frozen=True, slots=True)
class SharedAction(StaffAction[Given]):
    """An action of the reporter; staff may take it too, such as the unit that entered the case for them."""

    perform: Callable[[CaseStep[StaffActor | CitizenActor], Given], Awaitable[Dossier]]
    reporter: Words = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Face(Generic[Step]):
    """What differs between faces: the words for an action, who takes the step (a FastAPI dependency), what is answered."""

    words: Callable[[StaffAction[Any]], Words | None]
    step: Callable[..., Awaitable[Step]]
    respond: Callable[[Step, Dossier], BaseModel]
    model: type[BaseModel]
    problems: tuple[type[Problem], ...]
    answer: Mapping[str, Any]


# Without a type of its own, so that each function is checked against what its own action takes.
_DECLARED: Final = (
    SharedAction(
        Action.SUPPLY,
        Supplement,
        lambda step, given: filing.supply(
            step.tx,
            step.ref,
            by=step.by,
            supplement=given.supplement,
            photos=given.photos,
            now=step.now,
        ),
        desk=Words("代为补正", "登记单位代反映人补充材料，此后恢复计时。", tag="登记"),
        cadre=Words(
            "代群众补正",
            "本单位登记的事，群众把缺少的内容告诉干部的，由干部代为补充，此后恢复计时。",
            operation_id="supply_for_reporter",
        ),
        reporter=Words("补充材料", "收到补正告知后，把缺少的一次说清楚。"),
    ),
    SharedAction(
        Action.ADD,
        MoreToTell,
        lambda step, given: filing.add(
            step.tx,
            step.ref,
            by=step.by,
            addition=given.addition,
            photos=given.photos,
            now=step.now,
        ),
        desk=Words(
            "代为补充说明",
            "反映人对未办结的事补充说明或照片，由登记单位代为记录；不影响期限，承办单位会看到有新情况。",
            tag="登记",
        ),
        cadre=Words(
            "代群众补充说明",
            "本单位登记的事，群众又有话说、有照片的，由干部代为补充；不影响期限。",
            operation_id="add_for_reporter",
        ),
        reporter=Words(
            "补充说明", "没有办结之前，随时可以补充一段话或照片；不影响办理期限，承办单位会看到。"
        ),
    ),
    SharedAction(
        Action.OBJECT_REFUSAL,
        Reason,
        lambda step, given: filing.object_refusal(
            step.tx, step.ref, by=step.by, reason=given.reason, now=step.now
        ),
        desk=Words(
            "代为提出异议",
            "反映人不服不予受理的，由登记单位代为提出，转上一级研判；限一次。",
            tag="登记",
        ),
        cadre=Words(
            "代群众提出异议",
            "本单位登记的事，群众不服不予受理的，由干部代为提出，转上一级研判；限一次。",
            operation_id="object_refusal_for_reporter",
        ),
        reporter=Words("对不予受理提出异议", "由上一级重新研判，只能提一次。"),
    ),
    SharedAction(
        Action.WITHDRAW,
        Reason,
        lambda step, given: filing.withdraw(
            step.tx, step.ref, by=step.by, reason=given.reason, now=step.now
        ),
        desk=Words("代为撤回", "反映人不再反映的，由登记单位代为撤回。", tag="登记"),
        cadre=Words(
            "代群众撤回",
            "本单位登记的事，群众不再反映的，由干部代为撤回；系统以短信告知群众。",
            operation_id="withdraw_for_reporter",
        ),
        reporter=Words("撤回", "问题已经解决或不再需要办理时撤回。"),
    ),
    StaffAction(
        Action.REQUEST_SUPPLEMENT,
        SupplementRequest,
        lambda step, given: judging.request_supplement(
            step.tx, step.ref, by=step.by, missing=given.missing, now=step.now
        ),
        desk=Words(
            "补正告知",
            "向反映人一次告知缺少的全部材料；补正之前暂停计时。每个承办单位只能告知一次。",
            tag="研判",
        ),
        cadre=Words("请群众补充", "缺少的内容一次性告知，期间时限暂停。"),
    ),
    StaffAction(
        Action.DECLINE,
        Refusal,
        lambda step, given: judging.decline(
            step.tx, step.ref, by=step.by, reason=given.reason, basis=given.basis, now=step.now
        ),
        desk=Words(
            "不予受理", "镇街及以上单位说明理由和依据后不予受理，反映人可以提出异议。", tag="研判"
        ),
    ),
    StaffAction(
        Action.HANDLE,
        Nothing,
        lambda step, _: judging.handle(step.tx, step.ref, by=step.by, now=step.now),
        desk=Words("本级办理", "承办单位自行解决，成为主办单位。不需要请求内容。", tag="研判"),
        cadre=Words("本级办理", "能解决的，自己办。"),
    ),
    StaffAction(
        Action.ESCALATE,
        Finding,
        lambda step, given: judging.escalate(
            step.tx, step.ref, by=step.by, finding=given.finding, now=step.now
        ),
        problems=(AssistantsOpen,),
        desk=Words(
            "上报",
            "本级不能解决的，写明核实情况后报上一级研判；已经退回过两次的，直接报县指挥中心。",
            tag="研判",
        ),
        cadre=Words("上报", "解决不了的，说明理由后交给上一级。"),
    ),
    StaffAction(
        Action.SEND_DOWN,
        SendingDown,
        lambda step, given: judging.send_down(
            step.tx, step.ref, by=step.by, to_code=given.to_code, reason=given.reason, now=step.now
        ),
        desk=Words(
            "退回下级",
            "交由能够解决的下级单位研判，须说明理由；次数记录在案。同一件事第二次退回的，交由县指挥中心决定由谁办理。",
            tag="研判",
        ),
    ),
    StaffAction(
        Action.RECATEGORISE,
        CorrectionIn,
        lambda step, given: recategorising.recategorise(
            step.tx, step.ref, given.correction(), by=step.by, reason=given.reason, now=step.now
        ),
        desk=Words(
            "改类",
            "登记时选错了性质、分类或紧急程度的，由承办的村(社区)、镇街或指挥中心改正；指挥中心交办的事件由指挥中心改。各期限仍从原来的起点计算，不重新开始：全程期限不会延后，当前环节只有指挥中心改类才可能延后；缩短的至少留出一个完整工作日。反映人能看到改成了什么，看不到理由。",
            tag="研判",
        ),
        cadre=Words(
            "改类",
            "登记时选错了性质、分类或紧急程度的，说明理由后改正。期限不重新开始，也不会因此延后。",
        ),
    ),
    StaffAction(
        Action.DISPATCH,
        Dispatch,
        lambda step, given: dispatching.dispatch(
            step.tx,
            step.ref,
            by=step.by,
            lead=given.lead.part(),
            assistants=given.parts(),
            note=given.note,
            now=step.now,
        ),
        desk=Words("交办", "指挥中心指定唯一的主办单位和若干协办单位，各有期限。", tag="交办"),
    ),
    StaffAction(
        Action.CHANGE_LEAD,
        LeadChange,
        lambda step, given: dispatching.change_lead(
            step.tx,
            step.ref,
            by=step.by,
            lead=given.lead.part(),
            reason=given.reason,
            note=given.note,
            now=step.now,
        ),
        desk=Words(
            "改派主办",
            "指挥中心说明理由后改由另一单位主办。原主办单位的期限到此为止，已经得的牌保留；新主办单位重新计算办理期限，全程期限和法定期限不变，不算退回。原主办单位尚待审批的延期、挂起申请不再审批；退回申请须先裁定。",
            tag="交办",
        ),
    ),
    StaffAction(
        Action.ADD_ASSISTANTS,
        Addition,
        lambda step, given: dispatching.add_assistants(
            step.tx, step.ref, by=step.by, assistants=given.parts(), note=given.note, now=step.now
        ),
        desk=Words(
            "增加协办",
            "指挥中心为正在办理的事件增加协办单位，各有任务和期限；指挥中心自行办理的也可以。不再需要的，免予协办。",
            tag="交办",
        ),
    ),
    StaffAction(
        Action.SETTLE,
        Settlement,
        lambda step, given: dispatching.settle(
            step.tx,
            step.ref,
            by=step.by,
            unit_code=given.unit_code,
            agreed=given.agreed,
            reason=given.reason,
            now=step.now,
        ),
        desk=Words(
            "裁定退回申请",
            "同意的，该单位的任务终止，主办单位退回的事件回到指挥中心；不同意的，继续办理。",
            tag="交办",
        ),
    ),
    StaffAction(
        Action.EXCUSE,
        Excuse,
        lambda step, given: dispatching.excuse(
            step.tx,
            step.ref,
            by=step.by,
            unit_code=given.unit_code,
            reason=given.reason,
            now=step.now,
        ),
        desk=Words("免予协办", "不再需要该协办单位答复，主办单位即可办结。", tag="交办"),
    ),
    StaffAction(
        Action.MERGE,
        Merge,
        lambda step, given: dispatching.merge(
            step.tx,
            step.ref,
            by=step.by,
            primary_ref=given.primary_ref,
            reason=given.reason,
            now=step.now,
        ),
        desk=Words(
            "并案",
            "并入反映同一问题的另一件；主件办结时，本件的反映人同样得到答复和回访。",
            tag="交办",
        ),
    ),
    StaffAction(
        Action.SIGN,
        Nothing,
        lambda step, _: handling.sign(step.tx, step.ref, by=step.by, now=step.now),
        desk=Words(
            "签收",
            "主办或协办单位签收自己的任务。期限从交办时起算，不因晚签收而延后。不需要请求内容。",
            tag="办理",
        ),
        cadre=Words("签收", "签收交给本单位的任务。"),
    ),
    StaffAction(
        Action.HAND_BACK,
        Objection,
        lambda step, given: handling.hand_back(
            step.tx, step.ref, by=step.by, reason=given.reason, now=step.now
        ),
        desk=Words(
            "申请退回",
            "认为不属本单位职责的，在期限内说明理由，由指挥中心裁定；裁定之前照常计时。",
            tag="办理",
        ),
        cadre=Words(
            "申请退回",
            "指挥中心交给本单位、认为不属本单位职责的，在期限内说明理由，由指挥中心裁定；裁定之前照常计时。",
        ),
    ),
    StaffAction(
        Action.PROGRESS,
        Progress,
        lambda step, given: handling.progress(
            step.tx,
            step.ref,
            by=step.by,
            report=given.report,
            tell_reporter=given.tell_reporter,
            photos=given.photos,
            now=step.now,
        ),
        desk=Words("进展", "记录办理进展，可同时告知反映人。", tag="办理"),
        cadre=Words("报告进展", "记下办到哪一步，可同时告诉群众。"),
    ),
    StaffAction(
        Action.ASSIST_ANSWER,
        AssistantsAnswer,
        lambda step, given: handling.assist_answer(
            step.tx, step.ref, by=step.by, answer=given.answer, photos=given.photos, now=step.now
        ),
        desk=Words("协办答复", "协办单位完成自己的任务并答复主办单位。", tag="办理"),
        cadre=Words("协办答复", "本单位协办的部分办完后，答复主办单位。"),
    ),
    StaffAction(
        Action.ANSWER,
        Answer,
        lambda step, given: handling.answer(
            step.tx,
            step.ref,
            by=step.by,
            outcome=given.outcome,
            answer=given.answer,
            basis=given.basis or "",
            photos=given.photos,
            now=step.now,
        ),
        problems=(AssistantsOpen,),
        desk=Words(
            "办结答复", "主办单位答复反映人。协办单位全部答复或免予协办之后才能办结。", tag="办理"
        ),
        cadre=Words("办结答复", "把结果答复群众，系统随后请群众评价。"),
    ),
    StaffAction(
        Action.CLOSE,
        Nothing,
        lambda step, _: closing.close(step.tx, step.ref, by=step.by, now=step.now),
        desk=Words(
            "归档",
            "指挥中心提前归档已办结的事件；否则由系统在评价期满后归档。不需要请求内容。",
            tag="办理",
        ),
    ),
    StaffAction(
        Action.EXTEND,
        ExtensionRequest,
        lambda step, given: extending.extend(
            step.tx, step.ref, by=step.by, days=given.days, reason=given.reason, now=step.now
        ),
        desk=Words(
            "延期申请",
            "主办单位在办理到期之前申请，每轮一次；由交办的指挥中心或上一级审批。审批之前照常计时。",
            tag="延期和挂起",
        ),
        cadre=Words(
            "延期申请", "本单位主办的，在到期之前申请，每轮一次，由上一级审批；审批之前照常计时。"
        ),
    ),
    StaffAction(
        Action.DECIDE_EXTENSION,
        ExtensionDecision,
        lambda step, given: extending.decide_extension(
            step.tx,
            step.ref,
            by=step.by,
            granted=given.granted,
            days=given.days,
            reason=given.reason,
            now=step.now,
        ),
        desk=Words(
            "延期审批",
            "由申请单位以外的单位、申请人以外的人审批。同意的，延长办理期限和全程期限，告知反映人；已经逾期的，只能不同意。",
            tag="延期和挂起",
        ),
    ),
    StaffAction(
        Action.WAIT,
        WaitRequest,
        lambda step, given: waiting.wait(
            step.tx,
            step.ref,
            by=step.by,
            why=given.why,
            reason=given.reason,
            until=given.until,
            now=step.now,
        ),
        desk=Words(
            "挂起申请",
            "承办单位说明事由和复核日期，由交办的指挥中心或上一级审批。审批之前照常计时。",
            tag="延期和挂起",
        ),
        cadre=Words("挂起申请", "写明事由和复核日期，由上一级审批；同意之后暂停计时。"),
    ),
    StaffAction(
        Action.DECIDE_WAIT,
        WaitDecision,
        lambda step, given: waiting.decide_wait(
            step.tx, step.ref, by=step.by, granted=given.granted, reason=given.reason, now=step.now
        ),
        desk=Words(
            "挂起审批",
            "由申请单位以外的单位、申请人以外的人审批。同意的，承办环节暂停计时至复核日期，告知反映人；全程期限不停。",
            tag="延期和挂起",
        ),
    ),
    StaffAction(
        Action.RESUME,
        Resumption,
        lambda step, given: waiting.resume(
            step.tx, step.ref, by=step.by, reason=given.note or "", now=step.now
        ),
        desk=Words(
            "恢复", "承办单位或审批单位提前恢复计时；到了复核日期，系统自动恢复。", tag="延期和挂起"
        ),
        cadre=Words("恢复", "不用再等了，提前恢复计时；到了复核日期，系统自动恢复。"),
    ),
    SharedAction(
        Action.PRESS,
        Press,
        lambda step, given: pressing.press(
            step.tx, step.ref, by=step.by, note=given.note or "", now=step.now
        ),
        desk=Words("催办", "县领导或指挥中心催办，记录在案并计数；不改变期限。", tag="督办"),
        cadre=Words(
            "催办",
            "县领导或指挥中心催办，记录在案并计数；不改变期限。",
            operation_id="press_as_staff",
        ),
        reporter=Words("催办", "24 小时内只能催办一次。"),
    ),
    StaffAction(
        Action.INSTRUCT,
        Instruction,
        lambda step, given: pressing.instruct(
            step.tx, step.ref, by=step.by, instruction=given.instruction, now=step.now
        ),
        desk=Words("批示", "县领导批示，办理各方可见，反映人不可见。", tag="督办"),
    ),
    StaffAction(
        Action.SUPERVISE,
        Supervision,
        lambda step, given: supervising.supervise(
            step.tx, step.ref, by=step.by, demand=given.demand, days=given.days, now=step.now
        ),
        desk=Words(
            "督办",
            "县领导或指挥中心下达编号的督办单，被督办单位须在期限内回复；回复之前不再下达。",
            tag="督办",
        ),
    ),
    StaffAction(
        Action.REPLY_SUPERVISION,
        SupervisionReply,
        lambda step, given: supervising.reply_supervision(
            step.tx, step.ref, by=step.by, reply=given.reply, now=step.now
        ),
        desk=Words("督办回复", "被督办单位回复，督办期限到此为止。", tag="督办"),
        cadre=Words("督办回复", "回复上级的督办单，督办期限到此为止。"),
    ),
    StaffAction(
        Action.LIST,
        Listing,
        lambda step, given: supervising.list_publicly(
            step.tx, step.ref, by=step.by, reason=given.reason, now=step.now
        ),
        desk=Words(
            "挂牌督办",
            "县领导或指挥中心督查员将事件公开挂牌；保密事件不挂牌。",
            tag="督办",
            operation_id="list_publicly",
        ),
    ),
    StaffAction(
        Action.UNLIST,
        Unlisting,
        lambda step, given: supervising.unlist(
            step.tx, step.ref, by=step.by, reason=given.reason, now=step.now
        ),
        desk=Words("摘牌", "县领导或指挥中心督查员取消挂牌。", tag="督办"),
    ),
    SharedAction(
        Action.ASK_REVIEW,
        ReviewRequest,
        lambda step, given: reviewing.ask_review(
            step.tx, step.ref, by=step.by, reason=given.reason, now=step.now
        ),
        desk=Words(
            "代群众申请复查",
            "本单位登记的事，群众不服答复的，自答复之日起三十日内代为申请，由上一级复查。",
            tag="复查和复核",
        ),
        cadre=Words(
            "代群众申请复查",
            "不服答复的，自答复之日起三十日内说明理由，由上一级复查；三十日内作出决定。",
            operation_id="ask_review_for_reporter",
        ),
        reporter=Words(
            "申请复查", "不服答复的，自答复之日起三十日内说明理由，由上一级复查；三十日内作出决定。"
        ),
    ),
    StaffAction(
        Action.DECIDE_REVIEW,
        ReviewDecision,
        lambda step, given: reviewing.decide_review(
            step.tx, step.ref, by=step.by, outcome=given.outcome, reason=given.reason, now=step.now
        ),
        problems=(NotPermitted,),
        desk=Words(
            "复查决定",
            "由复查机关三十日内作出，参与过办理的人不能决定；待决定的见“待审批”(view=to_decide)。出具复查意见书，短信告知反映人。",
            tag="复查和复核",
        ),
    ),
    SharedAction(
        Action.ASK_REEXAMINATION,
        ReviewRequest,
        lambda step, given: reviewing.ask_reexamination(
            step.tx, step.ref, by=step.by, reason=given.reason, now=step.now
        ),
        desk=Words(
            "代群众申请复核",
            "群众不服复查意见的，自复查决定之日起三十日内代为申请，由再上一级复核。",
            tag="复查和复核",
        ),
        cadre=Words(
            "代群众申请复核",
            "不服复查意见的，自复查决定之日起三十日内说明理由，由再上一级复核；复核意见是最终意见。",
            operation_id="ask_reexamination_for_reporter",
        ),
        reporter=Words(
            "申请复核",
            "不服复查意见的，自复查决定之日起三十日内说明理由，由再上一级复核；复核意见是最终意见。",
        ),
    ),
    StaffAction(
        Action.DECIDE_REEXAMINATION,
        ReviewDecision,
        lambda step, given: reviewing.decide_reexamination(
            step.tx, step.ref, by=step.by, outcome=given.outcome, reason=given.reason, now=step.now
        ),
        problems=(NotPermitted,),
        desk=Words(
            "复核决定",
            "由复核机关三十日内作出，是最终意见。出具复核意见书，短信告知反映人。",
            tag="复查和复核",
        ),
    ),
    StaffAction(
        Action.REWORK,
        Rework,
        lambda step, given: return_calls.rework(
            step.tx,
            step.ref,
            by=step.by,
            reason=given.reason,
            lead=None if given.lead is None else given.lead.part(),
            assistants=given.parts(),
            note=given.note,
            now=step.now,
        ),
        problems=(NotPermitted,),
        desk=Words(
            "重办",
            "回访属实并征得群众同意后，由原主办单位或另行指定的单位重新办理：新的一轮，重新计时、重新评价，并由上一轮答复人以外的人答复。",
            tag="回访",
        ),
    ),
    StaffAction(
        Action.APPROVE_ANSWER,
        Approval,
        lambda step, given: closing.approve_answer(
            step.tx, step.ref, by=step.by, reason=given.reason, now=step.now
        ),
        desk=Words(
            "同意由原答复人答复",
            "重办的事须由上一轮答复人以外的人答复；单位没有其他人的，由县指挥中心查看办理情况后同意，本轮有效。",
            tag="回访",
        ),
    ),
)
CASE_ACTIONS: Final[tuple[StaffAction[Any], ...]] = _DECLARED


def mount(router: APIRouter, face: Face[Any]) -> None:
    """Add `POST /{ref}/<action>` for each action that the face has words for."""
    for one in CASE_ACTIONS:
        words = face.words(one)
        if words is not None:
            router.add_api_route(
                f"/{{ref}}/{one.action.replace('_', '-')}",
                _handler(one, face),
                methods=["POST"],
                name=words.operation_id or one.action.value,
                summary=words.summary,
                description=words.description,
                tags=[words.tag] if words.tag else None,
                response_model=face.model,
                responses={
                    200: dict(face.answer),
                    **problems(*_ANY_ACTION, *face.problems, *one.problems),
                },
            )


def _handler(one: StaffAction[Any], face: Face[Any]) -> Handler:
    perform, respond = one.perform, face.respond

    async def with_input(step: Any, given: Any) -> BaseModel:
        return respond(step, await perform(step, given))

    async def without_input(step: Any) -> BaseModel:
        return respond(step, await perform(step, NOTHING))

    # FastAPI reads from a handler's annotations what to give it.
    stepping = Annotated[Any, Depends(face.step)]
    with_input.__annotations__ |= {"step": stepping, "given": one.takes}
    without_input.__annotations__ |= {"step": stepping}
    return without_input if one.takes is Nothing else with_input
