"""What comes after the answer: archive, or a new round."""

from dataclasses import replace
from datetime import datetime

from app.auth.actor import StaffActor, SystemActor
from app.cases import access, history, whole_case
from app.cases.actions import reorganising
from app.cases.actions.telling import tell_all
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action, Condition
from app.cases.models import Assignment, AssignmentRole, AssignmentState
from app.db import Transaction
from app.identifiers import uuid7
from app.limits.terms import Stage
from app.outbox import MessageKind


async def close(
    tx: Transaction, ref: str, *, by: StaffActor | SystemActor, now: datetime
) -> Dossier:
    """Archive an answered case. The system does it when the survey window ends, whatever the evaluation was."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.CLOSE, by=by, now=now)
    dossier.case.closed_at, dossier.case.close_at = now, None
    history.record(tx, dossier, Action.CLOSE, by=by, now=now, public=True)
    return dossier


async def rework(
    tx: Transaction, ref: str, *, by: StaffActor, reason: str, now: datetime
) -> Dossier:
    """A new round at the unit that led, or who carries on for it: its own clock, its own survey. The earlier stays on record.

    Only after a return call found the dissatisfaction valid; app/surveys makes sure of that before calling.
    """
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.REWORK, by=by, now=now, also=[Condition.RETURN_CALL_FOUND_VALID])
    case = dossier.case
    dossier.holder = await reorganising.carried_on(tx, case.holder_unit_id)
    case.holder_unit_id = dossier.holder.unit_id
    access.admit(tx, case, dossier.holder.unit_id, now)
    case.round += 1
    case.outcome = case.answered_at = case.close_at = case.closed_at = None
    case.extended = False
    dossier.start(Stage.HANDLE, now)
    whole_case.begin(dossier, now)
    dossier.assignments.append(_lead_again(dossier, by, now))
    history.record(
        tx,
        dossier,
        Action.REWORK,
        by=by,
        now=now,
        public=True,
        texts={"reason": reason},
        round=case.round,
        to=case.holder_unit_id,
    )
    # Also to who joined it: it may be one of them who agreed to have it done again.
    await tell_all(tx, dossier, MessageKind.REWORKED, now=now, unit=dossier.holder.name)
    return dossier


async def approve_answer(
    tx: Transaction, ref: str, *, by: StaffActor, reason: str, now: datetime
) -> Dossier:
    """Whoever answered the round before may answer this one too: the unit has nobody else, and the center has looked at it."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.APPROVE_ANSWER, by=by, now=now)
    history.record(
        tx,
        dossier,
        Action.APPROVE_ANSWER,
        by=by,
        now=now,
        public=False,
        texts={"reason": reason},
        round=dossier.case.round,
    )
    assert dossier.answered_before is not None, "the lifecycle allows it only in a round done again"
    dossier.answered_before = replace(dossier.answered_before, approved=True)
    return dossier


def _lead_again(dossier: Dossier, by: StaffActor, now: datetime) -> Assignment:
    case = dossier.case
    assert case.stage_due_at is not None, "the handling stage has just begun"
    again = Assignment(
        id=uuid7(now),
        case_id=case.id,
        round=case.round,
        role=AssignmentRole.LEAD,
        unit_id=case.holder_unit_id,
        given_by_unit_id=by.unit_id,
        state=AssignmentState.OFFERED,
        due_at=case.stage_due_at,
        sign_due_at=now,
        assigned_at=now,
    )
    sign = dossier.begin(Stage.SIGN, again.unit_id, dossier.holder.kind, now, part=again)
    again.sign_due_at = sign.due_at or now
    return again
