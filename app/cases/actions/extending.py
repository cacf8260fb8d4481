"""延期: the lead asks for more time, once and before the limit. Another person decides; a request stops no clock."""

from datetime import datetime

from app.auth.actor import StaffActor
from app.calendars.working_time import Limit, LimitUnit
from app.cases import access, history
from app.cases.actions.telling import tell_all
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action, Condition
from app.cases.models import Case
from app.clock import SHANGHAI
from app.db import Transaction
from app.errors import InvalidInput
from app.limits.rules import STATUTORY_EXTENSION
from app.limits.terms import Stage
from app.matters import deadlines, papers
from app.matters.papers import PaperKind
from app.texts.outbox import MessageKind


async def extend(
    tx: Transaction, ref: str, *, by: StaffActor, days: int, reason: str, now: datetime
) -> Dossier:
    """Ask for so many working days more. Whoever is asked sees the case from now on, and has a limit to decide."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.EXTEND, by=by, now=now)
    decider = dossier.decider
    assert decider is not None, "the lifecycle allows it only where somebody can decide"
    dossier.case.extension_asked_at = now
    dossier.begin(Stage.EXTENSION_DECISION, decider.unit_id, decider.kind, now)
    access.admit(tx, dossier.case, decider.unit_id, now)
    history.record(
        tx,
        dossier,
        Action.EXTEND,
        by=by,
        now=now,
        public=False,
        texts={"reason": reason},
        days=days,
        to=decider.unit_id,
    )
    return dossier


async def decide_extension(
    tx: Transaction,
    ref: str,
    *,
    by: StaffActor,
    granted: bool,
    days: int | None,
    reason: str,
    now: datetime,
) -> Dossier:
    """Grant what was asked, or less (`days`), or refuse it; either way it was the one request of this round.

    What is granted moves the stage's and the whole case's due time, and is told to the reporter with the asker's reason and
    a numbered paper; `reason` is the decider's, for the record. Once the stage is overdue the request can only be refused: nothing moves a due time that was missed.
    """
    dossier = await access.lock_case(tx, ref, by=by)
    handling = dossier.running(Stage.HANDLE)
    in_time = handling is not None and not deadlines.overdue(handling, now)
    named = {Condition.GRANTED_BEFORE_DUE: in_time or not granted}
    access.take(dossier, Action.DECIDE_EXTENSION, by=by, now=now, named=named)
    case = dossier.case
    given = _granted_days(dossier, granted=granted, days=days)
    case.extension_asked_at, case.extended = None, True
    dossier.end(dossier.running(Stage.EXTENSION_DECISION), now)
    if not granted:
        history.record(
            tx,
            dossier,
            Action.DECIDE_EXTENSION,
            by=by,
            now=now,
            public=False,
            texts={"reason": reason},
            granted=False,
            to=case.holder_unit_id,
        )
        return dossier
    asked_for = dossier.asked[Action.EXTEND].reason or reason
    dossier.extend(Limit(given, LimitUnit.WORKING_DAYS), now)
    _extend_statutory(dossier, now)
    paper = await papers.issue(tx, dossier.matter, PaperKind.EXTENSION, now)
    history.record(
        tx,
        dossier,
        Action.DECIDE_EXTENSION,
        by=by,
        now=now,
        public=True,
        texts={"reason": asked_for, "decision": reason},
        granted=True,
        days=given,
        until=case.stage_due_at,
        paper=paper.name,
        to=case.holder_unit_id,
    )
    await tell_all(
        tx,
        dossier,
        MessageKind.EXTENDED,
        now=now,
        until=_day(case),
        reason=asked_for,
        paper=paper.name,
    )
    return dossier


def _granted_days(dossier: Dossier, *, granted: bool, days: int | None) -> int:
    """How many working days are given. Raises InvalidInput where they are none, or more than asked for."""
    asked: int = dossier.asked[Action.EXTEND].facts["days"]
    if not granted and days is not None:
        raise InvalidInput(mistakes=[{"where": "body.days", "what": "不同意延期的，不填天数"}])
    if days is not None and days > asked:
        raise InvalidInput(
            mistakes=[{"where": "body.days", "what": f"不能多于所申请的 {asked} 个工作日"}]
        )
    return asked if days is None else days


def _extend_statutory(dossier: Dossier, now: datetime) -> None:
    """The law's own limit moves with it as far as need be, by at most 30 days, once in the life of a case."""
    case, law = dossier.case, dossier.running(Stage.STATUTORY)
    wanted = max(case.due_at, case.stage_due_at or case.due_at)
    # In a round done again it runs no more: it had its answer.
    if law is None or law.due_at is None or law.extension or deadlines.overdue(law, now):
        return
    days = (wanted.astimezone(SHANGHAI).date() - law.due_at.astimezone(SHANGHAI).date()).days
    if days > 0:
        days = min(days, STATUTORY_EXTENSION.amount)
        dossier.extend_law(Limit(days, STATUTORY_EXTENSION.unit))


def _day(case: Case) -> str:
    assert case.stage_due_at is not None, "the handling stage is under way"
    day = case.stage_due_at.astimezone(SHANGHAI)
    return f"{day.year}年{day.month}月{day.day}日"
