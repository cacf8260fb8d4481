"""Staff's operations on phones: register cases, look at them, and act on them (app/http/case_actions.py)."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response
from fastapi.responses import HTMLResponse
from pydantic import Field, StrictBool

from app.cases import access
from app.cases.actions import filing
from app.cases.actions.filing import Intake
from app.errors import (
    AccusationOfOwnLine,
    AccusationUnconfirmed,
    Changed,
    KeyRequired,
    KeyReused,
    NobodyMaySee,
    NotFound,
    NotPermitted,
    SignInRequired,
    TooMany,
)
from app.http import case_actions, usage
from app.http.accusations import AccusationConfirmed, AccusationTakenOut, require_confirmation
from app.http.case_actions import Face
from app.http.case_inputs import PersonIn
from app.http.case_lists import InboxQuery, list_of
from app.http.case_step import CASE_AFTER_ACTION, ETAG, CaseRef, StaffStep, tag
from app.http.cases import CaseDetail, CaseStateOut, Inbox, in_full
from app.http.inputs import Moment, UnitCode
from app.http.papers import PRINTED, drawn
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import require_key
from app.http.whole_query import whole_query
from app.matters import papers
from mobile_api.cadre_sessions import ByCadre
from mobile_api.cadre_step import step_on_phone
from mobile_api.registering import ReceiptOut, Told

router = APIRouter(
    prefix="/cadre/cases",
    tags=["干部"],
    route_class=OneTransaction,
    dependencies=[Depends(require_key)],
)


_LOOK = problems(SignInRequired, NotPermitted, NotFound)


ON_THE_PHONE: Final = Face(
    words=lambda one: one.on_phone,
    step=step_on_phone,
    respond=StaffStep.respond,
    model=CaseStateOut,
    problems=(NotPermitted, Changed, KeyRequired),
    answer=CASE_AFTER_ACTION,
)


class OnBehalf(Told):
    person: PersonIn = Field(description="替谁反映")
    village_code: UnitCode | None = Field(
        default=None,
        description="事情所在的村(社区)；由本村登记的可不填",
        examples=["500153003007"],
    )
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
            channel=filing.channel_of(by),
            place=given.place or "",
            village_code=given.village_code,
            category_id=given.category_id,
            urgent=given.urgent,
            accused_code=given.accused_code,
            # A phone's clock may run ahead; nothing was told later than it arrived here.
            occurred_at=given.occurred_at and min(given.occurred_at, now),
            person=given.person.person(),
            photos=tuple(given.photos),
            voices=tuple(given.voices),
            position=given.place_on_map(),
            confidential=given.confidential,
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
    summary="事件列表",
    description="默认按视图列出当前岗位的事件；scope=county 列出全县的，可按单位、地域、分类、时间等筛选。"
    "最急的在前（已办结的，最新的在前）。不计总数，按 next 翻页，翻页时其他条件不变。",
    responses=problems(SignInRequired, NotPermitted),
)
async def inbox(
    tx: Tx, by: ByCadre, asked: Annotated[InboxQuery, whole_query(InboxQuery)]
) -> Response:
    return await list_of(tx, asked, by=by)


@router.get(
    "/{ref}",
    summary="一件事的全部",
    description="现在的状态、全部记录和可以进行的操作。",
    responses={200: {"headers": ETAG}, **_LOOK},
)
async def case(ref: CaseRef, tx: Tx, by: ByCadre, response: Response) -> CaseDetail:
    dossier = await access.get_case(tx, ref, by=by)
    tag(response, dossier)
    return await in_full(tx, dossier, by=by)


@router.get(
    "/{ref}/papers/{paper_id}",
    response_class=HTMLResponse,
    summary="打印文书",
    description="一页 A4 的网页，可以打印或保存；编号见“一件事的全部”的 papers。",
    responses={**PRINTED, **_LOOK},
)
async def case_paper(
    ref: CaseRef,
    paper_id: Annotated[UUID, Path(description="文书编号，见“一件事的全部”的 papers")],
    tx: Tx,
    by: ByCadre,
) -> HTMLResponse:
    dossier = await access.get_case(tx, ref, by=by)
    return drawn(await papers.in_full(tx, dossier.matter, paper_id))


case_actions.mount(router, ON_THE_PHONE)
