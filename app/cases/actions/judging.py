"""The judging unit's actions: ask for missing facts, decline, handle the case itself, escalate it or send it down."""

from datetime import datetime

from msgspec import Struct

from app.auth.actor import StaffActor
from app.cases import access, history
from app.cases.actions import recategorising
from app.cases.actions.telling import tell_all
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action
from app.cases.models import Waiting
from app.cases.routing import Place
from app.db import Transaction
from app.db.query import Query
from app.directory.terms import UnitKind
from app.errors import InvalidInput
from app.identifiers import uuid7
from app.limits.terms import Stage
from app.matters import papers
from app.matters.papers import PaperKind
from app.matters.parts import Assignment, AssignmentRole, AssignmentState
from app.matters.telling import tell
from app.texts.outbox import MessageKind


class _UnitBelow(Struct, frozen=True):
    id: int
    name: str
    kind: UnitKind


# A unit below: anywhere under the territory that the sender stands for.
_BELOW = Query(
    _UnitBelow,
    """
WITH RECURSIVE own AS (
  SELECT CASE WHEN kind = 'command_center' THEN parent_id ELSE id END AS id FROM unit WHERE id = :sender_id
), below AS (
  SELECT u.id FROM unit u JOIN own ON u.parent_id = own.id
  UNION ALL
  SELECT u.id FROM unit u JOIN below b ON u.parent_id = b.id
)
SELECT u.id, u.name, u.kind FROM unit u JOIN below USING (id)
WHERE u.code = :code AND u.kind IN ('village', 'township', 'county', 'city') AND u.valid_to IS NULL
""",
)


async def request_supplement(
    tx: Transaction, ref: str, *, by: StaffActor, missing: str, now: datetime
) -> Dossier:
    """Tell the reporter everything that is missing, once for all (一次性告知); the holder's clock pauses."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.REQUEST_SUPPLEMENT, by=by, now=now)
    case = dossier.case
    dossier.stand_still(Waiting.SUPPLEMENT, Stage.SUPPLEMENT, now)
    case.supplement_asked_by = case.holder_unit_id
    asked = dossier.running(Stage.SUPPLEMENT)
    paper = await papers.on_record(tx, dossier.matter, PaperKind.SUPPLEMENT, now)
    history.record(
        tx,
        dossier,
        Action.REQUEST_SUPPLEMENT,
        by=by,
        now=now,
        public=True,
        texts={"missing": missing},
        until=None if asked is None else asked.due_at,
        **paper,
    )
    tell(
        tx,
        case,
        MessageKind.SUPPLEMENT_REQUESTED,
        now=now,
        unit=dossier.holder.name,
        missing=missing,
    )
    return dossier


async def decline(
    tx: Transaction, ref: str, *, by: StaffActor, reason: str, basis: str, now: datetime
) -> Dossier:
    """Not taken up, with the reason and the law it rests on; the reporter may object."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.DECLINE, by=by, now=now)
    dossier.end_all(now)
    paper = await papers.on_record(tx, dossier.matter, PaperKind.REFUSAL, now)
    history.record(
        tx,
        dossier,
        Action.DECLINE,
        by=by,
        now=now,
        public=True,
        texts={"reason": reason, "basis": basis},
        **paper,
    )
    await tell_all(
        tx, dossier, MessageKind.DECLINED, now=now, unit=dossier.holder.name, reason=reason
    )
    return dossier


async def handle(tx: Transaction, ref: str, *, by: StaffActor, now: datetime) -> Dossier:
    """The holder solves it itself: it becomes its own lead, already signed."""
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.HANDLE, by=by, now=now)
    rule = await recategorising.rule_for_own_handling(tx, dossier, by=by, now=now)
    clock = dossier.start(Stage.HANDLE, now, rule=rule)
    clock.staff_id = by.staff_id
    dossier.assignments.append(own_lead(dossier, now))
    dossier.unit_names[dossier.holder.unit_id] = dossier.holder.name
    history.record(tx, dossier, Action.HANDLE, by=by, now=now, public=True)
    return dossier


async def escalate(
    tx: Transaction, ref: str, *, by: StaffActor, finding: str, now: datetime
) -> Dossier:
    """Hand a case to the next tier up, with the finding of why it cannot be solved here.

    A case that was returned twice goes to the command center, or the same two units would pass it on for ever.
    """
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.ESCALATE, by=by, now=now)
    above = dossier.above
    assert above is not None, "the lifecycle allows it only where there is a next tier"
    left = dossier.holder
    dossier.release_open(now)
    dossier.give_to(above, Stage.JUDGE, now)
    access.admit(tx, dossier.case, dossier.holder.unit_id, now)
    history.record(
        tx,
        dossier,
        Action.ESCALATE,
        by=by,
        now=now,
        public=True,
        texts={"finding": finding},
        from_unit=left.unit_id,
        to=dossier.holder.unit_id,
    )
    await tell_all(tx, dossier, MessageKind.MOVED, now=now, unit=dossier.holder.name)
    return dossier


async def send_down(
    tx: Transaction, ref: str, *, by: StaffActor, to_code: str, reason: str, now: datetime
) -> Dossier:
    """Back to a unit below that can solve it; counted, so that passing back and forth shows.

    The second return of a case goes to the command center, which decides who has it (common superior arbitrates).
    """
    dossier = await access.lock_case(tx, ref, by=by)
    access.take(dossier, Action.SEND_DOWN, by=by, now=now)
    below = await _BELOW.one_or_none(tx, sender_id=dossier.case.holder_unit_id, code=to_code)
    if below is None:
        raise InvalidInput(
            mistakes=[{"where": "body.to_code", "what": "须为本级之下的镇街或村(社区)"}]
        )
    left = dossier.holder
    to = dossier.returned_to(Place(below.id, below.name, UnitKind(below.kind)))
    dossier.case.returns += 1
    dossier.give_to(to, Stage.JUDGE, now)
    access.admit(tx, dossier.case, to.unit_id, now)
    paper = await papers.on_record(tx, dossier.matter, PaperKind.TRANSFER, now)
    history.record(
        tx,
        dossier,
        Action.SEND_DOWN,
        by=by,
        now=now,
        public=True,
        texts={"reason": reason},
        from_unit=left.unit_id,
        to=to.unit_id,
        meant_for=below.id,
        **paper,
    )
    return dossier


def own_lead(dossier: Dossier, now: datetime) -> Assignment:
    case = dossier.case
    assert case.stage_due_at is not None, "the handling stage has just begun"
    return Assignment(
        id=uuid7(now),
        matter_id=case.id,
        round=case.round,
        role=AssignmentRole.LEAD,
        unit_id=case.holder_unit_id,
        state=AssignmentState.SIGNED,
        due_at=case.stage_due_at,
        sign_due_at=now,
        assigned_at=now,
        signed_at=now,
    )
