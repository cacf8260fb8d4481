"""The actions after the answer: archive, or a new round."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from app.auth.actor import StaffActor, SystemActor
from app.calendars.working_time import Limit
from app.cases import access, case_clock, history
from app.cases.actions import dispatching, reorganising
from app.cases.actions.dispatching import Part
from app.cases.actions.telling import tell_all
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action, Condition
from app.cases.routing import Place
from app.db import Transaction
from app.errors import InvalidInput
from app.matters import papers
from app.matters.papers import PaperKind
from app.matters.parts import AssignmentRole
from app.texts.outbox import MessageKind


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
    tx: Transaction,
    ref: str,
    *,
    by: StaffActor,
    reason: str,
    lead: Part | None = None,
    assistants: Sequence[Part] = (),
    note: str = "",
    found_valid: bool,
    now: datetime,
) -> Dossier:
    """A new round with its own clock and its own survey; the earlier stays on record.

    It is for `lead` or, where none is named, for the unit that led, or the unit that carries on for it. Only after a
    return call found the dissatisfaction valid, and by staff who had no part in the round: app/evaluation makes sure of that.
    """
    dossier = await access.lock_case(tx, ref, by=by)
    sure = {Condition.RETURN_CALL_FOUND_VALID: found_valid, Condition.NO_PART_IN_ANSWER: True}
    access.take(dossier, Action.REWORK, by=by, now=now, named=sure)
    case = dossier.case
    named = [*([] if lead is None else [lead]), *assistants]
    if named and case.sealed:
        what = "保密事件由原承办单位重新办理，不能另行指定"
        raise InvalidInput(mistakes=[{"where": "body.lead", "what": what}])
    units = await dispatching.named_units(tx, dossier, named, now) if named else {}
    again = (
        await reorganising.carried_on(tx, case.holder_unit_id)
        if lead is None
        else units[lead.unit_code]
    )
    if again.unit_id in {units[part.unit_code].unit_id for part in assistants}:
        what = "同一单位不能重复，主办单位不能同时协办"
        raise InvalidInput(mistakes=[{"where": "body.assistants", "what": what}])
    _begin_round(dossier, again, now, limit=None if lead is None else lead.limit)
    texts = {"reason": reason} | ({"note": note} if note else {})
    if lead is None:
        _lead_again(tx, dossier, again, by, now)
    texts |= dispatching.give(tx, dossier, units, lead, assistants, by=by, now=now)
    paper = await papers.on_record(tx, dossier.matter, PaperKind.DISPATCH, now) if named else {}
    history.record(
        tx,
        dossier,
        Action.REWORK,
        by=by,
        now=now,
        public=True,
        texts=texts,
        round=case.round,
        to=case.holder_unit_id,
        assistants=[units[part.unit_code].unit_id for part in assistants],
        until=case.stage_due_at,
        **paper,
    )
    # Also to who joined it: it may be one of them who agreed to have it done again.
    await tell_all(tx, dossier, MessageKind.REWORKED, now=now, unit=dossier.holder.name)
    return dossier


async def start_round(tx: Transaction, dossier: Dossier, by: StaffActor, now: datetime) -> None:
    """A new round at the unit that led, or at who carries on for it. The caller advances and records."""
    again = await reorganising.carried_on(tx, dossier.case.holder_unit_id)
    _begin_round(dossier, again, now, limit=None)
    _lead_again(tx, dossier, again, by, now)


def _begin_round(dossier: Dossier, again: Place, now: datetime, *, limit: Limit | None) -> None:
    case = dossier.case
    case.round += 1
    case.outcome = case.answered_at = case.close_at = case.closed_at = None
    case.extended = False
    dispatching.begin_at(dossier, again, now, limit=limit)
    case_clock.begin(dossier, now)


def _lead_again(
    tx: Transaction, dossier: Dossier, again: Place, by: StaffActor, now: datetime
) -> None:
    dossier.unit_names[again.unit_id] = again.name
    access.admit(tx, dossier.case, again.unit_id, now)
    dossier.assignments.append(dispatching.given(dossier, again, AssignmentRole.LEAD, by, now))


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
