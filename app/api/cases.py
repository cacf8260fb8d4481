"""Over HTTP: cases as staff see them, in lists and in full. What is done to them is in case_actions."""

from typing import Annotated

from fastapi import APIRouter, Response

from app.cases import access
from app.errors import NotFound, NotPermitted, SignInRequired
from app.http.case_lists import InboxQuery, list_of
from app.http.case_step import ETAG, CaseRef, tag
from app.http.cases import CaseDetail, Inbox, in_full
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff
from app.http.whole_query import whole_query

router = APIRouter(prefix="/cases", tags=["事件"], route_class=OneTransaction)


@router.get(
    "",
    response_model=Inbox,
    summary="事件列表",
    description="默认按视图列出当前岗位的事件；scope=county 列出全县的，可按单位、地域、分类、时间等筛选。"
    "最急的在前（已办结的，最新的在前）。不计总数，按 next 翻页，翻页时其他条件不变。",
    responses=problems(SignInRequired, NotPermitted),
)
async def list_cases(
    tx: Tx, by: ByStaff, asked: Annotated[InboxQuery, whole_query(InboxQuery)]
) -> Response:
    return await list_of(tx, asked, by=by)


@router.get(
    "/{ref}",
    summary="事件详情",
    description="事件的内容、全部过程，以及您现在可以进行的操作（actions）。无权查看的事件与不存在的一样。",
    responses={200: {"headers": ETAG}, **problems(SignInRequired, NotFound)},
)
async def show_case(ref: CaseRef, tx: Tx, by: ByStaff, response: Response) -> CaseDetail:
    dossier = await access.get_case(tx, ref, by=by)
    tag(response, dossier)
    return await in_full(tx, dossier, by=by)
