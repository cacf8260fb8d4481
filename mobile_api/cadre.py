"""What village cadres do on the village phone: type in what they were told, solve what the village can, hand up the rest."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field, StrictBool

from app.cases import access, queries
from app.cases.actions import (
    extending,
    filing,
    handling,
    judging,
    recategorising,
    reviewing,
    waiting,
)
from app.cases.actions.filing import Intake
from app.cases.models import Channel
from app.cases.queries import View
from app.errors import (
    AccusationOfOwnLine,
    AccusationUnconfirmed,
    ActionNotAllowed,
    AssistantsOpen,
    KeyRequired,
    KeyReused,
    NobodyMaySee,
    NotFound,
    NotPermitted,
    SignInRequired,
    TooMany,
)
from app.http import usage
from app.http.accusations import AccusationConfirmed, AccusationTakenOut, require_confirmation
from app.http.case_inputs import (
    Answer,
    AssistantsAnswer,
    ExtensionRequest,
    Finding,
    Objection,
    PersonIn,
    Progress,
    Reason,
    Resumption,
    ReviewRequest,
    SupervisionReply,
    Supplement,
    SupplementRequest,
    WaitRequest,
)
from app.http.cases import CaseDetail, CaseStateOut, Inbox, in_full, state_of
from app.http.correction import CorrectionIn
from app.http.inputs import Moment, Ref
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import require_key
from app.supervision import supervising
from mobile_api.cadre_sessions import ByCadre
from mobile_api.registering import ReceiptOut, Told
from mobile_api.reports import Cursor

router = APIRouter(
    prefix="/cadre/cases",
    tags=["村(社区)干部"],
    route_class=OneTransaction,
    dependencies=[Depends(require_key)],
)


_LOOK = problems(SignInRequired, NotPermitted, NotFound)
_ACT = problems(SignInRequired, NotPermitted, NotFound, ActionNotAllowed, KeyRequired, KeyReused)
_ANSWER = problems(
    SignInRequired, NotPermitted, NotFound, ActionNotAllowed, AssistantsOpen, KeyRequired, KeyReused
)


class OnBehalf(Told):
    person: PersonIn = Field(description="替谁反映")
    accusation_confirmed: AccusationConfirmed = False
    urgent: StrictBool = Field(default=False, description="紧急：当天研判、当天办理")
    occurred_at: Moment | None = Field(
        default=None,
        description="群众反映的时间；离线记下、事后上传时填写，时限从系统收到时起算",
        examples=["2026-11-20T09:30:00+08:00"],
    )


@router.post(
    "",
    status_code=201,
    summary="代群众登记",
    description="离线草稿用同一个 Idempotency-Key 重发，只登记一次。检举控告登记前须确认，"
    "答复中没有编号和查询码，只由短信发给反映人本人。",
    responses=problems(
        SignInRequired,
        NotPermitted,
        KeyRequired,
        KeyReused,
        AccusationUnconfirmed,
        AccusationOfOwnLine,
        NobodyMaySee,
        TooMany,
    ),
)
async def register(given: OnBehalf, tx: Tx, by: ByCadre) -> ReceiptOut | AccusationTakenOut:
    require_confirmation(given.kind, confirmed=given.accusation_confirmed)
    now = await tx.now()
    registered = await filing.register(
        tx,
        Intake(
            title=given.heading(),
            body=given.body,
            kind=given.kind,
            channel=Channel.CADRE,
            place=given.place or "",
            category_id=given.category_id,
            urgent=given.urgent,
            accused_code=given.accused_code,
            # A phone's clock may run ahead; nothing was told later than it arrived here.
            occurred_at=given.occurred_at and min(given.occurred_at, now),
            person=given.person.person(),
            photos=tuple(given.photos),
        ),
        by=by,
        now=now,
        counted=usage.by_staff(by, given.person.phone, given.kind),
    )
    if registered.case.sealed:
        return AccusationTakenOut.of(registered)
    return ReceiptOut.of(registered)


@router.get(
    "",
    response_model=Inbox,
    summary="本村的事",
    description="待研判、办理中、待签收、我协办、待审批、待回复(督办)、已办结；除已办结外，到期早的在前。",
    responses=problems(SignInRequired, NotPermitted),
)
async def inbox(
    tx: Tx,
    by: ByCadre,
    view: Annotated[View, Query(description="看哪一类")] = View.TO_JUDGE,
    cursor: Cursor = None,
) -> Response:
    page = await queries.inbox(tx, view, by=by, cursor=cursor)
    return Response(page, media_type="application/json")


@router.get(
    "/{ref}",
    summary="一件事的全部",
    description="现在的状态、全部记录和可以进行的操作。",
    responses=_LOOK,
)
async def case(ref: Ref, tx: Tx, by: ByCadre) -> CaseDetail:
    return await in_full(tx, await access.get_case(tx, ref, by=by), by=by)


@router.post("/{ref}/handle", summary="本村办理", description="能解决的，自己办。", responses=_ACT)
async def handle(ref: Ref, tx: Tx, by: ByCadre) -> CaseStateOut:
    now = await tx.now()
    dossier = await judging.handle(tx, ref, by=by, now=now)
    return state_of(dossier, by=by, now=now)


@router.post(
    "/{ref}/escalate",
    summary="上报",
    description="解决不了的，说明理由后交给镇街。",
    responses=_ACT,
)
async def escalate(ref: Ref, given: Finding, tx: Tx, by: ByCadre) -> CaseStateOut:
    now = await tx.now()
    dossier = await judging.escalate(tx, ref, by=by, finding=given.finding, now=now)
    return state_of(dossier, by=by, now=now)


@router.post(
    "/{ref}/request-supplement",
    summary="请群众补充",
    description="缺少的内容一次性告知，期间时限暂停。",
    responses=_ACT,
)
async def request_supplement(
    ref: Ref, given: SupplementRequest, tx: Tx, by: ByCadre
) -> CaseStateOut:
    now = await tx.now()
    dossier = await judging.request_supplement(tx, ref, by=by, missing=given.missing, now=now)
    return state_of(dossier, by=by, now=now)


@router.post(
    "/{ref}/recategorise",
    summary="改类",
    description="登记时选错了性质、分类或紧急程度的，说明理由后改正。期限不重新开始，也不会因此延后。",
    responses=_ACT,
)
async def recategorise(ref: Ref, given: CorrectionIn, tx: Tx, by: ByCadre) -> CaseStateOut:
    now = await tx.now()
    dossier = await recategorising.recategorise(
        tx, ref, given.correction(), by=by, reason=given.reason, now=now
    )
    return state_of(dossier, by=by, now=now)


@router.post("/{ref}/sign", summary="签收", description="签收交给本村的任务。", responses=_ACT)
async def sign(ref: Ref, tx: Tx, by: ByCadre) -> CaseStateOut:
    now = await tx.now()
    dossier = await handling.sign(tx, ref, by=by, now=now)
    return state_of(dossier, by=by, now=now)


@router.post(
    "/{ref}/progress",
    summary="报告进展",
    description="记下办到哪一步，可同时告诉群众。",
    responses=_ACT,
)
async def progress(ref: Ref, given: Progress, tx: Tx, by: ByCadre) -> CaseStateOut:
    now = await tx.now()
    dossier = await handling.progress(
        tx, ref, by=by, report=given.report, tell_reporter=given.tell_reporter, now=now
    )
    return state_of(dossier, by=by, now=now)


@router.post(
    "/{ref}/assist-answer",
    summary="协办答复",
    description="本村协办的部分办完后，答复主办单位。",
    responses=_ACT,
)
async def assist_answer(ref: Ref, given: AssistantsAnswer, tx: Tx, by: ByCadre) -> CaseStateOut:
    now = await tx.now()
    dossier = await handling.assist_answer(tx, ref, by=by, answer=given.answer, now=now)
    return state_of(dossier, by=by, now=now)


@router.post(
    "/{ref}/answer",
    summary="办结答复",
    description="把结果答复群众，系统随后请群众评价。",
    responses=_ANSWER,
)
async def answer(ref: Ref, given: Answer, tx: Tx, by: ByCadre) -> CaseStateOut:
    now = await tx.now()
    dossier = await handling.answer(
        tx,
        ref,
        by=by,
        outcome=given.outcome,
        answer=given.answer,
        basis=given.basis or "",
        now=now,
    )
    return state_of(dossier, by=by, now=now)


@router.post(
    "/{ref}/extend",
    summary="延期申请",
    description="本村主办的，在到期之前申请，每轮一次，由上一级审批；审批之前照常计时。",
    responses=_ACT,
)
async def extend(ref: Ref, given: ExtensionRequest, tx: Tx, by: ByCadre) -> CaseStateOut:
    now = await tx.now()
    dossier = await extending.extend(tx, ref, by=by, days=given.days, reason=given.reason, now=now)
    return state_of(dossier, by=by, now=now)


@router.post(
    "/{ref}/wait",
    summary="挂起申请",
    description="写明事由和复核日期，由上一级审批；同意之后暂停计时。",
    responses=_ACT,
)
async def wait(ref: Ref, given: WaitRequest, tx: Tx, by: ByCadre) -> CaseStateOut:
    now = await tx.now()
    dossier = await waiting.wait(
        tx, ref, by=by, why=given.why, reason=given.reason, until=given.until, now=now
    )
    return state_of(dossier, by=by, now=now)


@router.post(
    "/{ref}/resume",
    summary="恢复",
    description="不用再等了，提前恢复计时；到了复核日期，系统自动恢复。",
    responses=_ACT,
)
async def resume(ref: Ref, given: Resumption, tx: Tx, by: ByCadre) -> CaseStateOut:
    now = await tx.now()
    dossier = await waiting.resume(tx, ref, by=by, reason=given.note or "", now=now)
    return state_of(dossier, by=by, now=now)


@router.post(
    "/{ref}/reply-supervision",
    summary="督办回复",
    description="回复上级的督办单，督办期限到此为止。",
    responses=_ACT,
)
async def reply_supervision(ref: Ref, given: SupervisionReply, tx: Tx, by: ByCadre) -> CaseStateOut:
    now = await tx.now()
    dossier = await supervising.reply_supervision(tx, ref, by=by, reply=given.reply, now=now)
    return state_of(dossier, by=by, now=now)


@router.post(
    "/{ref}/hand-back",
    summary="申请退回",
    description="指挥中心交给本村、认为不属本村职责的，在期限内说明理由，由指挥中心裁定；裁定之前照常计时。",
    responses=_ACT,
)
async def hand_back(ref: Ref, given: Objection, tx: Tx, by: ByCadre) -> CaseStateOut:
    now = await tx.now()
    dossier = await handling.hand_back(tx, ref, by=by, reason=given.reason, now=now)
    return state_of(dossier, by=by, now=now)


@router.post(
    "/{ref}/supply",
    summary="代群众补正",
    description="本村登记的事，群众把缺少的内容告诉干部的，由干部代为补充，此后恢复计时。",
    responses=_ACT,
)
async def supply_for_reporter(ref: Ref, given: Supplement, tx: Tx, by: ByCadre) -> CaseStateOut:
    now = await tx.now()
    dossier = await filing.supply(tx, ref, by=by, supplement=given.supplement, now=now)
    return state_of(dossier, by=by, now=now)


@router.post(
    "/{ref}/object-refusal",
    summary="代群众提出异议",
    description="本村登记的事，群众不服不予受理的，由干部代为提出，转上一级研判；限一次。",
    responses=_ACT,
)
async def object_refusal_for_reporter(ref: Ref, given: Reason, tx: Tx, by: ByCadre) -> CaseStateOut:
    now = await tx.now()
    dossier = await filing.object_refusal(tx, ref, by=by, reason=given.reason, now=now)
    return state_of(dossier, by=by, now=now)


@router.post(
    "/{ref}/ask-review",
    summary="代群众申请复查",
    description="不服答复的，自答复之日起三十日内说明理由，由上一级复查；三十日内作出决定。",
    responses=_ACT,
)
async def ask_review_for_reporter(
    ref: Ref, given: ReviewRequest, tx: Tx, by: ByCadre
) -> CaseStateOut:
    now = await tx.now()
    dossier = await reviewing.ask_review(tx, ref, by=by, reason=given.reason, now=now)
    return state_of(dossier, by=by, now=now)


@router.post(
    "/{ref}/ask-reexamination",
    summary="代群众申请复核",
    description="不服复查意见的，自复查决定之日起三十日内说明理由，由再上一级复核；复核意见是最终意见。",
    responses=_ACT,
)
async def ask_reexamination_for_reporter(
    ref: Ref, given: ReviewRequest, tx: Tx, by: ByCadre
) -> CaseStateOut:
    now = await tx.now()
    dossier = await reviewing.ask_reexamination(tx, ref, by=by, reason=given.reason, now=now)
    return state_of(dossier, by=by, now=now)


@router.post(
    "/{ref}/withdraw",
    summary="代群众撤回",
    description="本村登记的事，群众不再反映的，由干部代为撤回；系统以短信告知群众。",
    responses=_ACT,
)
async def withdraw_for_reporter(ref: Ref, given: Reason, tx: Tx, by: ByCadre) -> CaseStateOut:
    now = await tx.now()
    dossier = await filing.withdraw(tx, ref, by=by, reason=given.reason, now=now)
    return state_of(dossier, by=by, now=now)
