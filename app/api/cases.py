"""Over HTTP: cases as staff see them, in lists and in full. What is done to them is in filing, judging, dispatching, handling."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field, StringConstraints

from app.api.step import ETAG, CaseRef, tag
from app.cases import access, queries
from app.cases.queries import PAGE, View
from app.errors import NotFound, SignInRequired
from app.http.cases import CaseDetail, Inbox, in_full
from app.http.inputs import Input
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(prefix="/cases", tags=["事件"], route_class=OneTransaction)


class InboxQuery(Input):
    view: View = Field(
        default=View.TO_JUDGE,
        description="to_judge 待研判、handling 办理中、to_sign 待签收、assisting 我协办、to_decide 待审批、to_reply 待回复(本单位被督办，事件移交后也在此列)、finished 已办结",
    )
    cursor: Annotated[str, StringConstraints(max_length=100)] | None = Field(
        default=None, description="上一页的 next；不填为第一页"
    )
    size: int = Field(default=PAGE, ge=1, le=100, description="每页几件")


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
    tag(response, dossier)
    return await in_full(tx, dossier, by=by)
