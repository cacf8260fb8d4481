"""挂起: the holder asks to wait until a date, for a listed reason; another person decides. Supplements are in judging."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from app.auth.actor import SYSTEM, StaffActor, SystemActor
from app.calendars.working_time import Limit, LimitUnit
from app.cases import access, history
from app.cases.actions.telling import tell_all
from app.cases.dossier import Asked, Dossier
from app.cases.lifecycle import Action, Condition
from app.cases.models import Waiting
from app.clock import SHANGHAI, in_words
from app.db import Transaction
from app.errors import InvalidInput
from app.limits.terms import Stage
from app.matters import deadlines
from app.matters.deadlines import Step
from app.texts.outbox import MessageKind

# The longest that may be asked for at a time, by what is waited for.
LONGEST: Final = {
    Waiting.OUTSIDE_AUTHORITY: Limit(30, LimitUnit.WORKING_DAYS),
    Waiting.SUSPENDED: Limit(60, LimitUnit.WORKING_DAYS),
}


async def wait(
    tx: Transaction,
    ref: str,
    *,
    by: StaffActor,
    why: Waiting,
    reason: str,
    until: date,
    now: datetime,
) -> Dossier:
    """Ask that the clock stand still until the review date. It goes on until somebody else has agreed, who has a limit."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.WAIT, by=by, now=now)
    _check(dossier, why, until, now)
    decider = dossier.decider
    assert decider is not None, "the lifecycle allows it only where somebody can decide"
    dossier.case.wait_asked_at = now
    dossier.begin(Stage.WAIT_DECISION, decider.unit_id, decider.kind, now)
    access.admit(tx, dossier.case, decider.unit_id, now)
    history.record(
        tx,
        dossier,
        Action.WAIT,
        by=by,
        now=now,
        public=False,
        texts={"reason": reason},
        why=why,
        until=until,
        to=decider.unit_id,
    )
    return dossier


async def decide_wait(
    tx: Transaction, ref: str, *, by: StaffActor, granted: bool, reason: str, now: datetime
) -> Dossier:
    """Agreed, the holder's clock stands still until the end of the review date, and the reporter is told the asker's reason.

    `reason` is the decider's, for the record.
    """
    dossier = await access.lock_case(tx, ref, by=by)
    days_left = _days_left(dossier, now)
    named = {Condition.GRANTED_BEFORE_END: not granted or days_left >= 0}
    access.take(dossier, Action.DECIDE_WAIT, by=by, now=now, named=named)
    case, asked = dossier.case, dossier.asked[Action.WAIT]
    why, until = Waiting(asked.facts["why"]), _until(asked)
    asked_for = asked.reason or reason
    case.wait_asked_at = None
    dossier.end(dossier.running(Stage.WAIT_DECISION), now)
    if granted:
        # In calendar days, so that it ends with the agreed day itself, also in a year whose calendar is not published.
        limit = Limit(days_left, LimitUnit.CALENDAR_DAYS)
        dossier.stand_still(why, Stage.WAITING, now, limit=limit)
    history.record(
        tx,
        dossier,
        Action.DECIDE_WAIT,
        by=by,
        now=now,
        public=granted,
        texts={"reason": asked_for, "decision": reason} if granted else {"reason": reason},
        granted=granted,
        why=why,
        until=until,
        to=case.holder_unit_id,
    )
    if granted:
        await tell_all(
            tx,
            dossier,
            MessageKind.WAITING,
            now=now,
            why=why.chinese,
            until=f"{until.year}年{until.month}月{until.day}日",
            reason=asked_for,
        )
    return dossier


async def resume(
    tx: Transaction, ref: str, *, by: StaffActor | SystemActor, reason: str, now: datetime
) -> Dossier:
    """What was waited for is over: by the holder, by whoever agreed to wait, or by the system at the end of the time."""
    dossier = await access.lock_case(tx, ref, by=by)
    go_on(tx, dossier, by=by, reason=reason, now=now)
    return dossier


def end(tx: Transaction, dossier: Dossier, clock_id: UUID, *, now: datetime) -> bool:
    """Ends a wait whose time is over: the stage goes on. False: that wait has ended already."""
    wait = next((one for one in dossier.clocks if one.id == clock_id), None)
    if wait is None or not deadlines.is_wait_over(wait, now):
        return False
    wait.steps = Step.YELLOW + 1
    go_on(tx, dossier, by=SYSTEM, now=now)
    return True


def go_on(
    tx: Transaction,
    dossier: Dossier,
    *,
    by: StaffActor | SystemActor,
    reason: str = "",
    now: datetime,
) -> None:
    """The same for a case that is locked already. The system also ends the wait for a supplement that did not come."""
    access.take(dossier, Action.RESUME, by=by, now=now)
    waited_for = dossier.case.waiting
    dossier.go_on(now)
    history.record(
        tx,
        dossier,
        Action.RESUME,
        by=by,
        now=now,
        public=True,
        texts={"note": reason} if reason else None,
        why=waited_for,
    )


def _check(dossier: Dossier, why: Waiting, until: date, now: datetime) -> None:
    """Raise InvalidInput for a reason that is not listed, and for a review date that has passed or is too far off."""
    most = LONGEST.get(why)
    if most is None:
        raise InvalidInput(mistakes=[{"where": "body.why", "what": "不是可以挂起的事由"}])
    last = dossier.timing.calendar.due(now, most).at
    assert last is not None, "nothing pauses it"
    if not now.astimezone(SHANGHAI).date() <= until <= last.date():
        raise InvalidInput(
            mistakes=[
                {
                    "where": "body.until",
                    "what": f"复核日期不能早于今天，也不能晚于 {in_words(last.date())}（{most.chinese}）",
                }
            ]
        )


def _until(asked: Asked) -> date:
    return date.fromisoformat(asked.facts["until"])


def _days_left(dossier: Dossier, now: datetime) -> int:
    """Calendar days from today to the review date that was asked for; 0 where none was."""
    asked = dossier.asked.get(Action.WAIT)
    return 0 if asked is None else (_until(asked) - now.astimezone(SHANGHAI).date()).days
