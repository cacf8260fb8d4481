"""Renders a numbered paper as one A4 page, from the words in the record. Decides nothing."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from fastapi.responses import HTMLResponse
from msgspec import Struct

from app.cases.models import Outcome, ReviewOutcome
from app.clock import SHANGHAI
from app.http.pages import page
from app.matters.papers import TO_REPORTER, PaperInFull, PaperKind

PRINTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "文书", "content": {"text/html": {"schema": {"type": "string"}}}}
}


class _Form(Struct, frozen=True):
    """What a kind of paper says, and which texts of its entry are quoted under which headings; what was not written is left out."""

    says: str
    quotes: tuple[tuple[str, str], ...]
    ends: str = ""
    # Instead, where it goes to assistants alone.
    says_to_assistants: str = ""


_FORMS: Final = {
    PaperKind.RECEIPT: _Form(
        "您反映的事项已经登记受理。凭事件编号和登记时告知的查询码，可以随时查询办理进展。",
        (("反映内容", "body"), ("地点", "place")),
    ),
    PaperKind.SUPPLEMENT: _Form(
        "您反映的事项还缺少下列材料，请于 {until} 前一次补齐。",
        (("需要补正", "missing"),),
        "补正期间，办理期限暂停计算。",
    ),
    PaperKind.REFUSAL: _Form(
        "您反映的事项，经审查，决定不予受理。",
        (("理由", "reason"), ("依据", "basis")),
        "对本决定不服的，可以提出异议一次，由上一级重新研判。",
    ),
    PaperKind.EXTENSION: _Form(
        "您反映的事项，经批准延长办理期限 {days} 个工作日，至 {until}。",
        (("延期理由", "reason"),),
    ),
    PaperKind.OPINION: _Form(
        "您反映的事项已经办结，办理结果为{outcome}，现将处理意见告知如下。",
        (("处理意见", "answer"), ("依据", "basis")),
        "对处理意见不服的，可以自收到之日起三十日内{by}请求上一级复查。",
    ),
    PaperKind.REVIEW: _Form(
        "您对处理意见不服，申请复查。经复查，决定{decision}原处理意见。",
        (("理由", "reason"),),
        "{next}",
    ),
    PaperKind.REEXAMINATION: _Form(
        "您对复查意见不服，申请复核。经复核，决定{decision}原处理意见。",
        (("理由", "reason"),),
        "{next}",
    ),
    PaperKind.TRANSFER: _Form("现将下列事项转由你单位研判办理。", (("转办理由", "reason"),)),
    PaperKind.DISPATCH: _Form(
        "现将下列事项交由你单位主办，请于 {until} 前办结，并答复反映人。",
        (("交办要求", "note"),),
        says_to_assistants="现将下列事项交由你单位协办，请按期答复主办单位。",
    ),
    PaperKind.SUPERVISION: _Form(
        "对下列事项予以督办，请认真办理，并于 {until} 前书面回复。", (("督办要求", "demand"),)
    ),
    PaperKind.LISTING: _Form(
        "下列事项自即日起挂牌督办，请限期整改，办结后申请摘牌。", (("挂牌理由", "reason"),)
    ),
}


def drawn(paper: PaperInFull) -> HTMLResponse:
    """The page, ready to be printed."""
    form = _FORMS[paper.kind]
    outcome = paper.facts.get("outcome")
    facts = {
        "days": str(paper.facts.get("days", "")),
        "until": _moment(paper.facts.get("until")),
        "outcome": "" if outcome is None else f"“{Outcome(outcome).chinese}”",
        **_of_reviews(paper),
    }
    says = form.says if paper.to is not None else form.says_to_assistants or form.says
    return page(
        "paper.html",
        title=f"{paper.county}{paper.kind.chinese}",
        name=paper.name,
        addressee="反映人" if paper.kind in TO_REPORTER else _addressee(paper),
        says=says.format(**facts),
        rows=[(heading, told.splitlines()) for heading, told in _rows(paper, form)],
        ends=form.ends.format(**facts),
        issued_by=paper.issued_by,
        issued_on=_day(paper.issued_at),
    )


def _of_reviews(paper: PaperInFull) -> dict[str, str]:
    """Until when the next tier may be asked. Papers from before it was counted say only the thirty days."""
    until, told = paper.facts.get("review_until"), paper.facts.get("decision")
    by = f"（{_moment(until)}前）" if until else ""
    if told is None:
        return {"by": by, "decision": "", "next": ""}
    outcome = ReviewOutcome(told)
    if outcome is not ReviewOutcome.UPHELD:
        next_ = "已交原承办单位重新办理，办结后另行答复。"
    elif paper.kind is PaperKind.REVIEW:
        next_ = f"对复查意见不服的，可以自收到之日起三十日内{by}请求上一级复核。"
    else:
        next_ = "本意见为最终意见，同一事实和理由不再受理。"
    return {"by": by, "decision": outcome.chinese, "next": next_}


def _rows(paper: PaperInFull, form: _Form) -> Iterator[tuple[str, str]]:
    yield "事件编号", paper.ref
    yield "事项", paper.title
    yield "登记时间", _day(paper.received_at)
    if paper.to is not None:
        yield ("主办单位" if paper.kind is PaperKind.DISPATCH else "承办单位"), paper.to
    for unit_id in paper.facts.get("assistants", ()):
        yield "协办单位", _with_task(paper, unit_id)
    for heading, field in form.quotes:
        if field in paper.texts:
            yield heading, paper.texts[field] or "（已依法删除）"


def _addressee(paper: PaperInFull) -> str:
    assistants = (paper.units.get(str(one), "") for one in paper.facts.get("assistants", ()))
    return "、".join(assistants) if paper.to is None else paper.to


def _with_task(paper: PaperInFull, unit_id: int) -> str:
    task = paper.texts.get(f"task_{unit_id}")
    return paper.units.get(str(unit_id), "") + (f"：{task}" if task else "")


def _moment(told: str | None) -> str:
    """A moment as the record has it, as the day it falls on here."""
    return "" if told is None else _day(datetime.fromisoformat(told))


def _day(moment: datetime) -> str:
    day = moment.astimezone(SHANGHAI)
    return f"{day.year}年{day.month}月{day.day}日"
