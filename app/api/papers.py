"""Over HTTP: numbered papers as pages to print. How they are drawn is in app/http; nothing is decided here."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from app.cases import access
from app.errors import NotFound, SignInRequired
from app.http.case_step import CaseRef
from app.http.papers import PRINTED, drawn
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff
from app.matters import papers

router = APIRouter(prefix="/cases/{ref}/papers", tags=["文书"], route_class=OneTransaction)

PaperId = Annotated[UUID, Path(description="文书编号，见事件详情的 papers")]


@router.get(
    "/{paper_id}",
    response_class=HTMLResponse,
    summary="打印文书",
    description="一页 A4 的网页，可直接打印。内容取自全程记录。",
    responses={**PRINTED, **problems(SignInRequired, NotFound)},
)
async def show_paper(ref: CaseRef, paper_id: PaperId, tx: Tx, by: ByStaff) -> HTMLResponse:
    dossier = await access.get_case(tx, ref, by=by)
    return drawn(await papers.in_full(tx, dossier.matter, paper_id))
