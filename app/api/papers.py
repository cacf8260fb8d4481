"""Over HTTP: numbered papers as pages to print. What stands on them is the record's; nothing is decided here."""

from collections.abc import Iterator
from datetime import datetime
from html import escape
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from app.api.step import CaseRef
from app.cases import access, papers
from app.cases.papers import PaperInFull, PaperKind
from app.clock import SHANGHAI
from app.errors import NotFound, SignInRequired
from app.http.pages import page
from app.http.problems import problems
from app.http.transaction import OneTransaction, Tx
from app.http.who import ByStaff

router = APIRouter(prefix="/cases/{ref}/papers", tags=["文书"], route_class=OneTransaction)

PaperId = Annotated[UUID, Path(description="文书编号，见事件详情的 papers")]
# By kind: to whom it is addressed, what it says, and which text of its entry is quoted under which heading.
_WORDS: Final = {
    PaperKind.EXTENSION: (
        "反映人",
        "您反映的事项，经批准延长办理期限 {days} 个工作日，至 {until}。",
        ("延期理由", "reason"),
    ),
    PaperKind.SUPERVISION: (
        None,
        "对下列事项予以督办，请认真办理，并于 {until} 前书面回复。",
        ("督办要求", "demand"),
    ),
    PaperKind.LISTING: (
        None,
        "下列事项自即日起挂牌督办，请限期整改，办结后申请摘牌。",
        ("挂牌理由", "reason"),
    ),
}


@router.get(
    "/{paper_id}",
    response_class=HTMLResponse,
    summary="打印文书",
    description="一页 A4 的网页，可直接打印。内容取自全程记录。",
    responses={
        200: {"description": "文书", "content": {"text/html": {"schema": {"type": "string"}}}},
        **problems(SignInRequired, NotFound),
    },
)
async def show_paper(ref: CaseRef, paper_id: PaperId, tx: Tx, by: ByStaff) -> HTMLResponse:
    dossier = await access.get_case(tx, ref, by=by)
    paper = await papers.in_full(tx, dossier, paper_id)
    return page(f"{paper.county}{paper.kind.chinese}", "".join(_body(paper)))


def _body(paper: PaperInFull) -> Iterator[str]:
    addressed, words, (heading, field) = _WORDS[paper.kind]
    facts = {
        "days": str(paper.facts.get("days", "")),
        "until": _moment(paper.facts.get("until")),
    }
    yield f"<p>{escape(paper.name)}</p>"
    yield f"<p>{escape(addressed or paper.to or '')}：</p>"
    yield f"<p>{escape(words.format(**facts))}</p>"
    rows = (
        ("事件编号", paper.ref),
        ("事项", paper.title),
        ("登记时间", _day(paper.received_at)),
        ("承办单位", paper.to or ""),
        (heading, paper.texts.get(field) or "（已依法删除）"),
    )
    yield "<table>"
    for name, told in rows:
        lines = "<br>".join(escape(line) for line in told.splitlines())
        yield f"<tr><th>{escape(name)}</th><td>{lines}</td></tr>"
    yield "</table>"
    yield f"<p>{escape(paper.issued_by)}<br>{_day(paper.issued_at)}</p>"


def _moment(told: str | None) -> str:
    """A moment as the record has it, as the day it falls on here."""
    return "" if told is None else _day(datetime.fromisoformat(told))


def _day(moment: datetime) -> str:
    day = moment.astimezone(SHANGHAI)
    return f"{day.year}年{day.month}月{day.day}日"
