"""The actions of lead and assistants: sign, object, report progress, answer."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.auth.actor import StaffActor
from app.cases import access, history
from app.cases.actions.telling import each_person_once, tell_all, told
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action
from app.cases.models import Outcome
from app.db import Transaction
from app.directory.terms import UnitKind
from app.limits.terms import Stage
from app.matters import attachments, deadlines, papers
from app.matters.papers import PaperKind
from app.matters.parts import Assignment, AssignmentState
from app.matters.telling import owe_survey, tell
from app.settings import settings
from app.texts.outbox import MessageKind


async def sign(tx: Transaction, ref: str, *, by: StaffActor, now: datetime) -> Dossier:
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.SIGN, by=by, now=now)
    part = _own(dossier, by)
    part.state, part.signed_at = AssignmentState.SIGNED, now
    dossier.end(dossier.running(Stage.SIGN, part), now)
    if (mine := dossier.working(part)) is not None:
        mine.staff_id, mine.taken_at = by.staff_id, now
    history.record(tx, dossier, Action.SIGN, by=by, now=now, public=True, role=part.role)
    return dossier


async def hand_back(
    tx: Transaction, ref: str, *, by: StaffActor, reason: str, now: datetime
) -> Dossier:
    """Object to having been assigned, within the window.

    The clock goes on, but nobody is carded for what falls due before the command center has decided: once it has refused
    the cards come, each for its own moment, and where it agrees there are none.
    """
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.HAND_BACK, by=by, now=now)
    part = _own(dossier, by)
    part.hand_back_asked_at = now
    dossier.end(dossier.running(Stage.SIGN, part), now)
    if (mine := dossier.working(part)) is not None:
        deadlines.hold(mine, now)
    assert part.given_by_unit_id is not None, "the lifecycle allows it only for what was given"
    dossier.begin(
        Stage.HAND_BACK_DECISION, part.given_by_unit_id, UnitKind.COMMAND_CENTER, now, part=part
    )
    history.record(
        tx,
        dossier,
        Action.HAND_BACK,
        by=by,
        now=now,
        public=False,
        texts={"reason": reason},
        role=part.role,
    )
    return dossier


async def progress(
    tx: Transaction,
    ref: str,
    *,
    by: StaffActor,
    report: str,
    tell_reporter: bool,
    photos: Sequence[UUID] = (),
    now: datetime,
) -> Dossier:
    """What has been done so far; `tell_reporter` shows it to the reporter and texts that there is news."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.PROGRESS, by=by, now=now)
    taken = await attachments.claim(tx, photos=photos, by=by)
    history.record(
        tx,
        dossier,
        Action.PROGRESS,
        by=by,
        now=now,
        public=tell_reporter,
        texts={"report": report},
        **taken.attach(tx, dossier.matter.id),
    )
    if tell_reporter:
        await tell_all(tx, dossier, MessageKind.PROGRESS, now=now, unit=by.unit_name, report=report)
    return dossier


async def assist_answer(
    tx: Transaction,
    ref: str,
    *,
    by: StaffActor,
    answer: str,
    photos: Sequence[UUID] = (),
    now: datetime,
) -> Dossier:
    """An assistant has done its part."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.ASSIST_ANSWER, by=by, now=now)
    taken = await attachments.claim(tx, photos=photos, by=by)
    part = _own(dossier, by)
    part.state, part.done_at = AssignmentState.ANSWERED, now
    if (mine := dossier.working(part)) is not None:
        # Who objected and does it after all had it all the time.
        deadlines.release(mine)
    dossier.end_part(part, now)
    history.record(
        tx,
        dossier,
        Action.ASSIST_ANSWER,
        by=by,
        now=now,
        public=False,
        texts={"answer": answer},
        **taken.attach(tx, dossier.matter.id),
    )
    return dossier


async def answer(
    tx: Transaction,
    ref: str,
    *,
    by: StaffActor,
    outcome: Outcome,
    answer: str,
    basis: str,
    photos: Sequence[UUID] = (),
    now: datetime,
) -> Dossier:
    """The lead's answer to the reporter (办结答复). From this moment the question how satisfied they are is owed."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.ANSWER, by=by, now=now)
    taken = await attachments.claim(tx, photos=photos, by=by)
    case, part = dossier.case, _own(dossier, by)
    part.state, part.done_at = AssignmentState.ANSWERED, now
    dossier.end_all(now)
    case.outcome, case.answered_at = outcome, now
    case.close_at = deadlines.survey_window_ends(now, settings().survey_window_days)
    texts = {"answer": answer} | ({"basis": basis} if basis else {})
    paper = await papers.on_record(tx, dossier.matter, PaperKind.OPINION, now)
    history.record(
        tx,
        dossier,
        Action.ANSWER,
        by=by,
        now=now,
        public=True,
        texts=texts,
        outcome=outcome,
        review_until=deadlines.review_until(now),
        **taken.attach(tx, case.id),
        **paper,
    )
    reporters = await told(tx, dossier)
    for one in reporters:
        tell(
            tx,
            one.case,
            MessageKind.ANSWERED,
            now=now,
            once=f"answered/{one.case.id}/{case.round}",
            unit=by.unit_name,
            outcome=outcome.chinese,
            answer=answer,
        )
    for asked in each_person_once(reporters):
        owe_survey(tx, matter_id=asked.id, round_=case.round, citizen_id=asked.citizen_id, now=now)
    return dossier


def _own(dossier: Dossier, by: StaffActor) -> Assignment:
    part = dossier.own_part(by)
    assert part is not None, "the lifecycle allows it only to a unit that has an open part"
    return part
