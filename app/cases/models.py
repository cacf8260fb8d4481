"""Tables of cases. State stands in small rows; what people wrote stands apart, so that it can be erased and state cannot."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from app.cases.lifecycle import Phase
from app.db.row_base import MOMENT, Stored, one_of
from app.limits.terms import Kind, Stage
from app.matters.matter import Matter

# Name of the table, and value of `matter.kind`.
GRIEVANCE: Final = "grievance"
# What stands in a case's row instead of a title that was erased.
ERASED: Final = "（已删除）"


class Channel(StrEnum):
    POSTER = "poster"
    CADRE = "cadre"
    CLERK = "clerk"
    HOTLINE = "hotline"


class Waiting(StrEnum):
    SUPPLEMENT = "supplement"
    OUTSIDE_AUTHORITY = "outside_authority"
    SUSPENDED = "suspended"

    @property
    def chinese(self) -> str:
        return {
            "supplement": "等待补正",
            "outside_authority": "等待县外机关办理",
            "suspended": "列为长期项目",
        }[self]


class Outcome(StrEnum):
    """The honest end states."""

    SOLVED = "solved"
    EXPLAINED = "explained"
    PARTLY_SOLVED = "partly_solved"
    PASSED_ON = "passed_on"

    @property
    def chinese(self) -> str:
        return {
            "solved": "已解决",
            "explained": "政策解释",
            "partly_solved": "部分解决",
            "passed_on": "转有权机关",
        }[self]


class ReviewOutcome(StrEnum):
    """What a review or re-examination decided; but for UPHELD the case is handled again."""

    UPHELD = "upheld"
    CHANGED = "changed"
    REVOKED = "revoked"

    @property
    def chinese(self) -> str:
        return {"upheld": "维持", "changed": "变更", "revoked": "撤销"}[self]


class Case(Stored, table=True):
    """A grievance's present state; equal to the fold of its events. CASE is a reserved word, hence the table's name.

    `first_unit_id` stays: the unit that took the case in informs the citizen (首问负责). `due_at` is the whole case's,
    `stage_due_at` the present holder's, both kept from the clocks; `statutory_due_at` is the law's and runs beside them.
    `id`, `ref`, `county_id` and `sealed` are those of its matter, and never change.
    """

    __tablename__ = GRIEVANCE
    __table_args__ = (
        one_of("phase", Phase),
        one_of("kind", Kind),
        one_of("stage", Stage),
        one_of("waiting", Waiting),
        one_of("outcome", Outcome),
        one_of("channel", Channel),
        CheckConstraint("kind <> 'accusation' OR sealed", name="accusation_sealed"),
        CheckConstraint("(phase = 'merged') = (primary_id IS NOT NULL)", name="merged_has_primary"),
        CheckConstraint(
            "phase NOT IN ('answered', 'closed') OR answered_at IS NOT NULL",
            name="answered_has_moment",
        ),
        Index(
            "grievance_open_by_holder",
            "holder_unit_id",
            "phase",
            "stage_due_at",
            "id",
            postgresql_where=text("phase IN ('pending', 'handling')"),
        ),
        Index(
            "grievance_open_by_county",
            "county_id",
            "phase",
            "stage_due_at",
            "id",
            postgresql_where=text("phase IN ('pending', 'handling') AND NOT sealed"),
        ),
        Index(
            "grievance_finished_by_county",
            "county_id",
            "id",
            postgresql_where=text("phase NOT IN ('pending', 'handling') AND NOT sealed"),
        ),
        # The similar-case look-up reads open cases by village (similar_cases.py).
        Index(
            "grievance_open_by_village",
            "village_id",
            "id",
            postgresql_where=text("phase IN ('pending', 'handling') AND NOT sealed"),
        ),
        # What the county's lists are filtered by; a case enters them only when it is finished.
        Index(
            "grievance_finished_by_village",
            "village_id",
            "id",
            postgresql_where=text("phase NOT IN ('pending', 'handling') AND NOT sealed"),
        ),
        Index(
            "grievance_finished_by_first_unit",
            "first_unit_id",
            "id",
            postgresql_where=text(
                "phase NOT IN ('pending', 'handling') AND NOT sealed AND village_id IS NULL"
            ),
        ),
        Index(
            "grievance_finished_by_category",
            "category_id",
            "id",
            postgresql_where=text("phase NOT IN ('pending', 'handling') AND NOT sealed"),
        ),
        Index("grievance_by_citizen", "citizen_id", "id"),
        Index(
            "grievance_by_entering_staff",
            "entered_by_staff_id",
            "id",
            postgresql_where=text("entered_by_staff_id IS NOT NULL AND NOT sealed"),
        ),
        Index(
            "grievance_merged_into", "primary_id", postgresql_where=text("primary_id IS NOT NULL")
        ),
        Index(
            "grievance_listed",
            "county_id",
            "listed_at",
            postgresql_where=text("listed_at IS NOT NULL"),
        ),
        Index("grievance_sealed_by_holder", "holder_unit_id", postgresql_where=text("sealed")),
        Index(
            "grievance_by_accused",
            "accused_unit_id",
            postgresql_where=text("accused_unit_id IS NOT NULL"),
        ),
        Index("grievance_to_close", "close_at", postgresql_where=text("phase = 'answered'")),
    )
    CHANGING: ClassVar[tuple[str, ...]] = (
        "phase", "holder_unit_id", "stage", "stage_started_at", "stage_due_at", "stage_rule", "due_at", "statutory_due_at",
        "waiting", "waiting_since", "wait_asked_at", "extension_asked_at", "extended", "listed_at", "round", "returns",
        "refusals_objected", "presses", "pressed_at", "primary_id", "outcome", "answered_at", "close_at", "closed_at",
        "supplement_asked_by", "accused_unit_id", "kind", "category_id", "urgent", "news",
    )  # fmt: skip
    SEALED: ClassVar[tuple[str, ...]] = ("id", "tracking_key")

    id: UUID = Field(primary_key=True, foreign_key="matter.id")
    ref: str = Field(max_length=32, unique=True)
    tracking_key: bytes
    county_id: int = Field(foreign_key="unit.id")
    village_id: int | None = Field(default=None, foreign_key="unit.id")
    first_unit_id: int = Field(foreign_key="unit.id")
    entered_by_unit_id: int | None = Field(default=None, foreign_key="unit.id")
    entered_by_staff_id: int | None = Field(default=None, foreign_key="staff.id")
    citizen_id: UUID | None = Field(default=None, foreign_key="citizen.id")
    # Whether the person helped has a number that can be texted.
    textable: bool
    channel: Channel = Field(sa_type=Text)
    kind: Kind = Field(sa_type=Text)
    category_id: int | None = Field(default=None, foreign_key="category.id")
    urgent: bool = False
    sealed: bool = False
    accused_unit_id: int | None = Field(default=None, foreign_key="unit.id")
    title: str = Field(max_length=100)
    received_at: datetime = Field(sa_type=MOMENT)
    occurred_at: datetime | None = Field(default=None, sa_type=MOMENT)

    phase: Phase = Field(sa_type=Text)
    holder_unit_id: int = Field(foreign_key="unit.id")
    stage: Stage | None = Field(default=None, sa_type=Text)
    stage_started_at: datetime | None = Field(default=None, sa_type=MOMENT)
    stage_due_at: datetime | None = Field(default=None, sa_type=MOMENT)
    stage_rule: str | None = Field(default=None, max_length=120)
    due_at: datetime = Field(sa_type=MOMENT)
    statutory_due_at: datetime = Field(sa_type=MOMENT)
    waiting: Waiting | None = Field(default=None, sa_type=Text)
    waiting_since: datetime | None = Field(default=None, sa_type=MOMENT)
    # Asked for by the holder and not yet decided.
    wait_asked_at: datetime | None = Field(default=None, sa_type=MOMENT)
    extension_asked_at: datetime | None = Field(default=None, sa_type=MOMENT)
    # Whether an extension was decided in this round, either way: it may be asked for once.
    extended: bool = False
    listed_at: datetime | None = Field(default=None, sa_type=MOMENT)
    round: int = 1
    returns: int = 0
    refusals_objected: int = 0
    presses: int = 0
    pressed_at: datetime | None = Field(default=None, sa_type=MOMENT)
    primary_id: UUID | None = Field(default=None, foreign_key="grievance.id")
    outcome: Outcome | None = Field(default=None, sa_type=Text)
    answered_at: datetime | None = Field(default=None, sa_type=MOMENT)
    close_at: datetime | None = Field(default=None, sa_type=MOMENT)
    closed_at: datetime | None = Field(default=None, sa_type=MOMENT)
    # The unit that last asked for a supplement: each holder may ask once, for everything missing.
    supplement_asked_by: int | None = Field(default=None, foreign_key="unit.id")
    # What the holder has not acted on yet: that the case was given to it, that it was pressed, that a leader instructed; each
    # as {what, by, at}, the oldest first.
    news: list[dict[str, str]] | None = Field(default=None, sa_type=JSONB)
    # Keyed digest over the SEALED columns (app/db/row_base.py).
    seal: bytes = b""


def matter_of(case: Case) -> Matter:
    """The matter of a new case: its record is empty."""
    return Matter(
        id=case.id, kind=GRIEVANCE, ref=case.ref, county_id=case.county_id, sealed=case.sealed
    )
