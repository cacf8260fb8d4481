"""复查 and 复核: the citizen asks that the next tier look at the answer, and the tier above that; each once, in time.

What they decide is final for the round: upheld, the answer stands; otherwise the case is handled again as a new round.
"""

from datetime import datetime
from typing import Final, NamedTuple

from app.auth.actor import CitizenActor, StaffActor
from app.cases import access, history
from app.cases.actions import closing
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action, Condition, Decision
from app.cases.models import ReviewOutcome
from app.clock import SHANGHAI
from app.db import Transaction
from app.limits.terms import Stage
from app.matters import conflict_of_interest, deadlines, papers
from app.matters.papers import PaperKind
from app.matters.telling import tell
from app.texts.outbox import MessageKind


class _Level(NamedTuple):
    stage: Stage
    asked: Action
    decided: Action
    paper: PaperKind


_REVIEW: Final = _Level(Stage.REVIEW, Action.ASK_REVIEW, Action.DECIDE_REVIEW, PaperKind.REVIEW)
_REEXAMINATION: Final = _Level(
    Stage.REEXAMINATION,
    Action.ASK_REEXAMINATION,
    Action.DECIDE_REEXAMINATION,
    PaperKind.REEXAMINATION,
)
_FINAL: Final = "这是最终意见，同一事实和理由不再受理"


async def ask_review(
    tx: Transaction, ref: str, *, by: StaffActor | CitizenActor, reason: str, now: datetime
) -> Dossier:
    """申请复查: by the reporter, or for them by the unit that entered the case, within 30 days of the answer."""
    return await _ask(tx, ref, _REVIEW, by=by, reason=reason, now=now)


async def ask_reexamination(
    tx: Transaction, ref: str, *, by: StaffActor | CitizenActor, reason: str, now: datetime
) -> Dossier:
    """申请复核: of what a review upheld, within 30 days of it."""
    return await _ask(tx, ref, _REEXAMINATION, by=by, reason=reason, now=now)


async def decide_review(
    tx: Transaction,
    ref: str,
    *,
    by: StaffActor,
    outcome: ReviewOutcome,
    reason: str,
    now: datetime,
) -> Dossier:
    return await _decide(tx, ref, _REVIEW, by=by, outcome=outcome, reason=reason, now=now)


async def decide_reexamination(
    tx: Transaction,
    ref: str,
    *,
    by: StaffActor,
    outcome: ReviewOutcome,
    reason: str,
    now: datetime,
) -> Dossier:
    return await _decide(tx, ref, _REEXAMINATION, by=by, outcome=outcome, reason=reason, now=now)


async def _ask(
    tx: Transaction,
    ref: str,
    level: _Level,
    *,
    by: StaffActor | CitizenActor,
    reason: str,
    now: datetime,
) -> Dossier:
    """The reviewing unit sees the case from now on, and has 30 calendar days."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, level.asked, by=by, now=now)
    reviewer = dossier.next_reviewer
    assert reviewer is not None, "the lifecycle allows it only where somebody can review"
    clock = dossier.begin(level.stage, reviewer.unit_id, reviewer.kind, now)
    assert clock.due_at is not None, "calendar days need no calendar"
    access.admit(tx, dossier.case, reviewer.unit_id, now)
    history.record(
        tx,
        dossier,
        level.asked,
        by=by,
        now=now,
        public=True,
        texts={"reason": reason},
        to=reviewer.unit_id,
        until=clock.due_at,
    )
    tell(
        tx,
        dossier.case,
        MessageKind.REVIEW_ASKED,
        now=now,
        what=level.stage.chinese,
        unit=reviewer.name,
        until=_day(clock.due_at),
    )
    return dossier


async def _decide(
    tx: Transaction,
    ref: str,
    level: _Level,
    *,
    by: StaffActor,
    outcome: ReviewOutcome,
    reason: str,
    now: datetime,
) -> Dossier:
    dossier = await access.lock_case(tx, ref, by=by)
    case, again = dossier.case, outcome is not ReviewOutcome.UPHELD
    conflict = await conflict_of_interest.keeps_from(tx, by, matter_id=case.id, round_=case.round)
    access.take(
        dossier,
        level.decided,
        by=by,
        now=now,
        named={Condition.NO_PART_IN_ANSWER: not conflict},
        decision=Decision.ANSWER_NOT_UPHELD if again else None,
    )
    dossier.end(dossier.review(level.stage), now)
    until = _may_be_reexamined_until(dossier, level, again=again, now=now)
    if again:
        await closing.start_round(tx, dossier, by, now)
    paper = await papers.issue(tx, dossier.matter, level.paper, now)
    history.record(
        tx,
        dossier,
        level.decided,
        by=by,
        now=now,
        public=True,
        texts={"reason": reason},
        decision=outcome,
        paper=paper.name,
        to=case.holder_unit_id if again else None,
        review_until=until,
    )
    tell(
        tx,
        case,
        MessageKind.REVIEW_DECIDED,
        now=now,
        what=level.stage.chinese,
        unit=by.unit_name,
        decision=f"{outcome.chinese}原处理意见",
        reason=reason,
        next=_next(dossier, until, again=again),
    )
    return dossier


def _may_be_reexamined_until(
    dossier: Dossier, level: _Level, *, again: bool, now: datetime
) -> datetime | None:
    """Until when the next tier may be asked; None where what was decided is final, or there is no next tier here."""
    if again or level is _REEXAMINATION or dossier.next_reviewer is None:
        return None
    return deadlines.review_until(now)


def _next(dossier: Dossier, until: datetime | None, *, again: bool) -> str:
    if again:
        return "已交原承办单位重新办理，办结后将再次告知您"
    if until is not None:
        return f"不服的，可在{_day(until)}前申请复核"
    if dossier.review(Stage.REEXAMINATION) is None:
        return "不服的，可在三十日内向上一级机关申请复核"
    return _FINAL


def _day(moment: datetime) -> str:
    day = moment.astimezone(SHANGHAI)
    return f"{day.year}年{day.month}月{day.day}日"
