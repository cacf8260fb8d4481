"""A case with what is needed to decide about it. Reads and writes nothing: access.py fills it, actions change it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.auth.actor import Actor, StaffActor
from app.cases import deadlines
from app.cases.deadlines import Stage
from app.cases.models import OPEN_ASSIGNMENT, Assignment, AssignmentRole, AssignmentState, Case
from app.cases.routing import Place

_COUNTS = OPEN_ASSIGNMENT | {AssignmentState.ANSWERED}


@dataclass(slots=True)
class Dossier:
    """A case with what is needed to decide about it (卷宗). `before` is its state when it was read."""

    case: Case
    holder: Place
    next_tier: Place | None
    assignments: list[Assignment]
    unit_names: dict[int, str]
    head_required: frozenset[int]
    before: dict[str, Any] = field(default_factory=dict)
    assignments_before: dict[UUID, dict[str, Any]] = field(default_factory=dict)

    @property
    def lead(self) -> Assignment | None:
        return next(
            (
                one
                for one in self.assignments
                if one.role == AssignmentRole.LEAD and one.state in _COUNTS
            ),
            None,
        )

    @property
    def open_assistants(self) -> list[Assignment]:
        return [
            one
            for one in self.assignments
            if one.role == AssignmentRole.ASSIST and one.state in OPEN_ASSIGNMENT
        ]

    def own_part(self, by: Actor) -> Assignment | None:
        """The open assignment of the actor's unit in the present round."""
        if not isinstance(by, StaffActor):
            return None
        return next(
            (
                one
                for one in self.assignments
                if one.unit_id == by.unit_id and one.state in OPEN_ASSIGNMENT
            ),
            None,
        )

    def asked_back(self) -> list[Assignment]:
        return [one for one in self.assignments if hand_back_undecided(one)]

    def remember(self) -> None:
        """Take the state as it is now for what the next event will be compared with."""
        self.before = {name: getattr(self.case, name) for name in Case.CHANGING}
        self.assignments_before = {
            one.id: {name: getattr(one, name) for name in Assignment.CHANGING}
            for one in self.assignments
        }

    def give_to(self, holder: Place, stage: Stage, now: datetime) -> None:
        """Hand the case over: the holder's stage clock starts now, whenever they get round to it."""
        self.holder = holder
        # Who is above the new holder, nobody has looked up; the tier above the old one must not be offered for it.
        self.next_tier = None
        self.case.holder_unit_id = holder.unit_id
        self.start(stage, now)

    def start(self, stage: Stage, now: datetime, *, days: int | None = None) -> None:
        """Start a stage at the present holder; `days` overrides the rule's limit."""
        case = self.case
        limit = deadlines.stage_limit(
            stage, holder=self.holder.kind, kind=case.kind, urgent=case.urgent
        )
        case.stage, case.stage_started_at = stage, now
        case.stage_due_at = deadlines.due(now, limit.days if days is None else days)
        case.stage_rule = limit.name if days is None else f"given/{days}"

    def end_stage(self) -> None:
        case = self.case
        case.stage = case.stage_started_at = case.stage_due_at = case.stage_rule = None


def hand_back_undecided(part: Assignment) -> bool:
    return (
        part.state in OPEN_ASSIGNMENT
        and part.hand_back_asked_at is not None
        and part.hand_back_settled_at is None
    )
