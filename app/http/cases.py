"""What both faces answer after something was done to a case."""

from datetime import datetime

from pydantic import BaseModel, Field

from app.auth.actor import Actor
from app.cases import access
from app.cases.deadlines import Stage
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action, Phase
from app.cases.models import AssignmentRole, AssignmentState, Outcome, Waiting
from app.http.moments import At


class PartOut(BaseModel):
    """A unit's part in the present round."""

    unit: str = Field(examples=["县水务局"])
    role: AssignmentRole
    state: AssignmentState
    due_at: At
    signed_at: At | None
    hand_back_asked: bool


class CaseStateOut(BaseModel):
    """Where a case stands, and what the asker may do with it now."""

    ref: str = Field(examples=["500153-261122-48392017"])
    title: str
    phase: Phase
    phase_label: str = Field(examples=["办理中"])
    holder: str = Field(examples=["荣隆镇"])
    waiting: Waiting | None
    stage: Stage | None
    stage_due_at: At | None
    due_at: At
    round: int
    returns: int
    presses: int
    outcome: Outcome | None
    parts: list[PartOut]
    actions: list[Action] = Field(description="您现在可以进行的操作")
    version: int = Field(description="记录的条数，用于 If-Match")


def state_of(dossier: Dossier, *, by: Actor, now: datetime) -> CaseStateOut:
    case = dossier.case
    return CaseStateOut(
        ref=case.ref,
        title=case.title,
        phase=case.phase,
        phase_label=case.phase.chinese,
        holder=dossier.holder.name,
        waiting=case.waiting,
        stage=case.stage,
        stage_due_at=case.stage_due_at,
        due_at=case.due_at,
        round=case.round,
        returns=case.returns,
        presses=case.presses,
        outcome=case.outcome,
        parts=_parts(dossier),
        actions=access.actions(dossier, by, now),
        version=case.event_seq,
    )


def _parts(dossier: Dossier) -> list[PartOut]:
    """The lead first; ids made in the same millisecond are in no order."""
    named = [(part, dossier.unit_names[part.unit_id]) for part in dossier.assignments]
    named.sort(key=lambda one: (one[0].role != AssignmentRole.LEAD, one[0].assigned_at, one[1]))
    return [
        PartOut(
            unit=unit,
            role=part.role,
            state=part.state,
            due_at=part.due_at,
            signed_at=part.signed_at,
            hand_back_asked=part.hand_back_asked_at is not None
            and part.hand_back_settled_at is None,
        )
        for part, unit in named
        if part.round == dossier.case.round
    ]
