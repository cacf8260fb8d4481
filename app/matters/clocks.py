"""The table of the clocks: each limit that runs or ran on a matter. How its moments follow is in deadlines.py."""

from datetime import datetime
from typing import Any, ClassVar, Final, Self
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlmodel import Field

from app.calendars.working_time import Limit, WorkingCalendar
from app.db.row_base import MOMENT, Stored, one_of
from app.identifiers import uuid7
from app.limits.rules import Rule
from app.limits.terms import WITHOUT_CARDS, Stage
from app.matters.deadlines import Step, measured, retime

# For SQL: the stages that no unit holds alone.
CARDLESS: Final = ", ".join(f"'{stage}'" for stage in sorted(WITHOUT_CARDS))
# What a unit may be reminded of; once it is overdue it is a card's turn.
REMINDED_OF: Final = (
    f"ended_at IS NULL AND remind_at IS NOT NULL AND steps < 2 AND stage NOT IN ({CARDLESS})"
)

# Clocks that a changed calendar can move: those that run, those that are provisional, and those whose next step is still to come.
MAY_STILL_MOVE: Final = "(ended_at IS NULL OR provisional OR next_at IS NOT NULL)"

# Where the sweeps stand with a clock: follows from the rest and from other entries, and the record has no entry for it.
BOOKMARKS: Final = frozenset({"next_at", "steps", "certain_steps", "calendar_version"})


class Clock(Stored, table=True):
    """One limit that runs or ran on a matter: who holds the stage, since when, by which rule, and what comes when.

    The moments follow from start, limit, pauses, extension and the calendar's version; nobody edits them. `next_at` is when
    the sweep looks at the clock again (`steps` it has done), empty where nothing more can come.
    """

    __tablename__ = "clock"
    __table_args__ = (
        one_of("stage", Stage),
        Index("clock_by_matter", "matter_id"),
        Index("clock_next", "next_at", "id", postgresql_where=text("next_at IS NOT NULL")),
        Index(
            "clock_owed_by_unit", "unit_id", "matter_id",
            postgresql_where=text(
                "ended_at IS NULL AND stage IN"
                " ('hand_back_decision', 'extension_decision', 'wait_decision', 'supervised_reply', 'review', 'reexamination')"
            ),
        ),
        Index(
            "clock_reminding", "unit_id", "remind_at",
            postgresql_where=text(REMINDED_OF),
        ),
        Index(
            "clock_by_calendar", "county_id", "calendar_version", "id",
            postgresql_where=text(MAY_STILL_MOVE),
        ),
    )  # fmt: skip
    CHANGING: ClassVar[tuple[str, ...]] = (
        "unit_id", "staff_id", "taken_at", "calendar_version", "pauses", "extension", "due_at", "provisional", "certain_steps", "remind_at", "yellow_at", "red_at",
        "ended_at", "held_at", "steps", "next_at", "limit", "remind_before", "yellow_after", "red_after", "rule",
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    matter_id: UUID = Field(foreign_key="matter.id")
    county_id: int = Field(foreign_key="unit.id")
    assignment_id: UUID | None = Field(default=None, foreign_key="assignment.id")
    stage: Stage = Field(sa_type=Text)
    round: int
    unit_id: int = Field(foreign_key="unit.id")
    # Who took the stage on for the unit, where somebody did; and when, where that was not at its start.
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    taken_at: datetime | None = Field(default=None, sa_type=MOMENT)
    started_at: datetime = Field(sa_type=MOMENT)
    # Limits in their short form, e.g. 5wd.
    limit: str = Field(max_length=10)
    remind_before: int
    yellow_after: str = Field(max_length=10)
    red_after: str | None = Field(default=None, max_length=10)
    rule: str = Field(max_length=120)
    calendar_version: int
    # [[from, to or null], ...] as ISO 8601 in UTC.
    pauses: str = Field(default="[]", sa_type=Text)
    extension: str | None = Field(default=None, max_length=10)
    # Empty while the clock stands still.
    due_at: datetime | None = Field(default=None, sa_type=MOMENT)
    # Whether any of the moments rests on a year that is not published, and how many of the steps, in their order, do not.
    provisional: bool = False
    certain_steps: int = len(Step)
    remind_at: datetime | None = Field(default=None, sa_type=MOMENT)
    yellow_at: datetime | None = Field(default=None, sa_type=MOMENT)
    red_at: datetime | None = Field(default=None, sa_type=MOMENT)
    ended_at: datetime | None = Field(default=None, sa_type=MOMENT)
    # Since the unit objected to having been given the stage; kept where the objection was agreed to.
    held_at: datetime | None = Field(default=None, sa_type=MOMENT)
    steps: int = 0
    next_at: datetime | None = Field(default=None, sa_type=MOMENT)

    @classmethod
    def start(
        cls,
        rule: Rule,
        stage: Stage,
        calendar: WorkingCalendar,
        *,
        matter_id: UUID,
        county_id: int,
        round_: int,
        unit_id: int,
        now: datetime,
        part_id: UUID | None = None,
        limit: Limit | None = None,
    ) -> Self:
        """Makes a clock that starts now and computes its moments. `limit` replaces the limit of the rule."""
        clock = cls(
            id=uuid7(now),
            matter_id=matter_id,
            county_id=county_id,
            assignment_id=part_id,
            stage=stage,
            round=round_,
            unit_id=unit_id,
            started_at=now,
            calendar_version=calendar.version,
            **measured(rule, stage, limit),
        )
        retime(clock, calendar)
        return clock

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Self:
        """Reads a clock that a query returned as JSON."""
        values = row | {
            name: datetime.fromisoformat(row[name]) for name in _MOMENTS if row[name] is not None
        }
        part = row["assignment_id"]
        return cls(
            **values
            | {
                "id": UUID(row["id"]),
                "matter_id": UUID(row["matter_id"]),
                "assignment_id": None if part is None else UUID(part),
                "stage": Stage(row["stage"]),
            }
        )


_MOMENTS: Final = tuple(name for name in Clock.model_fields if name.endswith("_at"))
