"""The units that work on a matter, in each round: the lead (主办) and the assistants (协办)."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlmodel import Field

from app.db.row_base import MOMENT, Stored, one_of


class AssignmentRole(StrEnum):
    LEAD = "lead"
    ASSIST = "assist"

    @property
    def chinese(self) -> str:
        return "主办" if self is AssignmentRole.LEAD else "协办"


class AssignmentState(StrEnum):
    """OFFERED and SIGNED are open; RELEASED ended when the matter moved on."""

    OFFERED = "offered"
    SIGNED = "signed"
    ANSWERED = "answered"
    EXCUSED = "excused"
    HANDED_BACK = "handed_back"
    RELEASED = "released"


OPEN_ASSIGNMENT = frozenset({AssignmentState.OFFERED, AssignmentState.SIGNED})


class Assignment(Stored, table=True):
    """A unit's part in one round of a matter: it leads, or it assists with a task and a deadline of its own."""

    __tablename__ = "assignment"
    __table_args__ = (
        one_of("role", AssignmentRole),
        one_of("state", AssignmentState),
        Index(
            "one_lead_a_round", "matter_id", "round", unique=True,
            postgresql_where=text("role = 'lead' AND state NOT IN ('handed_back', 'released')"),
        ),
        Index(
            "one_part_a_unit", "matter_id", "round", "unit_id", unique=True,
            postgresql_where=text("state IN ('offered', 'signed')"),
        ),
        Index("assignment_by_matter", "matter_id", "round"),
        Index(
            "assignment_open_by_giver", "given_by_unit_id", "matter_id",
            postgresql_where=text("state IN ('offered', 'signed') AND given_by_unit_id IS NOT NULL"),
        ),
        Index("assignment_open_by_unit", "unit_id", "matter_id", postgresql_where=text("state IN ('offered', 'signed')")),
    )  # fmt: skip
    CHANGING: ClassVar[tuple[str, ...]] = (
        "unit_id",
        "given_by_unit_id",
        "state",
        "due_at",
        "signed_at",
        "done_at",
        "hand_back_asked_at",
        "hand_back_settled_at",
    )

    id: UUID = Field(primary_key=True)
    matter_id: UUID = Field(foreign_key="matter.id")
    round: int
    role: AssignmentRole = Field(sa_type=Text)
    unit_id: int = Field(foreign_key="unit.id")
    # The command center that named the unit; empty where a unit took the case on itself (本级办理).
    given_by_unit_id: int | None = Field(default=None, foreign_key="unit.id")
    state: AssignmentState = Field(sa_type=Text)
    due_at: datetime = Field(sa_type=MOMENT)
    sign_due_at: datetime = Field(sa_type=MOMENT)
    assigned_at: datetime = Field(sa_type=MOMENT)
    signed_at: datetime | None = Field(default=None, sa_type=MOMENT)
    done_at: datetime | None = Field(default=None, sa_type=MOMENT)
    # A unit may object once; the settlement is kept beside the objection.
    hand_back_asked_at: datetime | None = Field(default=None, sa_type=MOMENT)
    hand_back_settled_at: datetime | None = Field(default=None, sa_type=MOMENT)
