"""Tables of cards, and the appeals against them. Both are only added to; the database refuses the rest."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from app.db.row_base import MOMENT, Stored, one_of
from app.limits.terms import Stage


class CardLevel(StrEnum):
    YELLOW = "yellow"
    RED = "red"

    @property
    def chinese(self) -> str:
        return "黄牌" if self is CardLevel.YELLOW else "红牌"


class CardCause(StrEnum):
    """OVERDUE is issued by the sweep when a stage's limit has passed, IRREGULAR by a supervisor, who says why."""

    OVERDUE = "overdue"
    IRREGULAR = "irregular"

    @property
    def chinese(self) -> str:
        return "超期" if self is CardCause.OVERDUE else "违规办理"


class Card(Stored, table=True):
    """A yellow or red card: what unit and person earned it, with their names and the post as they were then.

    `effective_at` is the moment it was earned, `issued_at` when it was written down; `due_at` is the due time missed.
    """

    __tablename__ = "card"
    __table_args__ = (
        one_of("level", CardLevel),
        one_of("cause", CardCause),
        one_of("stage", Stage),
        # However often, and by however many, a limit is looked at.
        UniqueConstraint("clock_id", "level", name="one_card_a_level"),
        CheckConstraint(
            "(cause = 'irregular') = (reason IS NOT NULL) AND (cause = 'irregular') = (issued_by_staff_id IS NOT NULL)",
            name="card_irregular_says_why",
        ),
        CheckConstraint(
            "cause <> 'overdue' OR (clock_id IS NOT NULL AND stage IS NOT NULL AND due_at IS NOT NULL)",
            name="card_overdue_names_limit",
        ),
        CheckConstraint("reason <> ''", name="card_reason_not_empty"),
        CheckConstraint("effective_at <= issued_at", name="card_not_early"),
        CheckConstraint("due_at < effective_at", name="card_after_due"),
        CheckConstraint(
            "staff_id IS NOT NULL OR (person_name IS NULL AND post_title IS NULL)",
            name="card_names_its_person",
        ),
        Index("card_by_matter", "matter_id"),
        Index("card_by_unit", "unit_id", "effective_at", "id"),
        Index(
            "card_by_person",
            "staff_id",
            "effective_at",
            "id",
            postgresql_where=text("staff_id IS NOT NULL"),
        ),
        Index("card_by_county", "county_id", "effective_at", "id"),
    )
    CHANGING: ClassVar[tuple[str, ...]] = ("revoked_at",)
    SEALED: ClassVar[tuple[str, ...]] = (
        "id", "matter_id", "clock_id", "county_id", "level", "cause", "stage", "unit_id", "unit_name", "staff_id",
        "person_name", "post_title", "due_at", "effective_at", "issued_at", "issued_by_staff_id", "reason",
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    matter_id: UUID = Field(foreign_key="matter.id")
    clock_id: UUID | None = Field(default=None, foreign_key="clock.id")
    county_id: int = Field(foreign_key="unit.id")
    level: CardLevel = Field(sa_type=Text)
    cause: CardCause = Field(sa_type=Text)
    stage: Stage | None = Field(default=None, sa_type=Text)
    unit_id: int = Field(foreign_key="unit.id")
    unit_name: str = Field(max_length=100)
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    person_name: str | None = Field(default=None, max_length=40)
    post_title: str | None = Field(default=None, max_length=40)
    due_at: datetime | None = Field(default=None, sa_type=MOMENT)
    effective_at: datetime = Field(sa_type=MOMENT)
    issued_at: datetime = Field(sa_type=MOMENT)
    issued_by_staff_id: int | None = Field(default=None, foreign_key="staff.id")
    reason: str | None = Field(default=None, sa_type=Text)
    revoked_at: datetime | None = Field(default=None, sa_type=MOMENT)
    # Keyed digest over the SEALED columns (app/db/row_base.py).
    seal: bytes = b""


class Appeal(Stored, table=True):
    """A unit's appeal against a card, once, and what somebody outside the unit decided. `upheld`: the card is revoked."""

    __tablename__ = "appeal"
    __table_args__ = (
        # One altogether, hence also one open at a time.
        UniqueConstraint("card_id", name="one_appeal_a_card"),
        CheckConstraint("ground <> ''", name="appeal_ground_not_empty"),
        CheckConstraint(
            "num_nulls(decided_at, decided_by_staff_id, decided_by_unit_id, upheld, reason) IN (0, 5)",
            name="appeal_decided_whole",
        ),
        CheckConstraint("decided_by_unit_id <> by_unit_id", name="appeal_decided_outside"),
        CheckConstraint("decided_by_staff_id <> by_staff_id", name="appeal_decided_by_another"),
        Index("appeal_undecided", "asked_at", "id", postgresql_where=text("decided_at IS NULL")),
    )
    CHANGING: ClassVar[tuple[str, ...]] = (
        "decided_at",
        "decided_by_staff_id",
        "decided_by_unit_id",
        "upheld",
        "reason",
    )

    id: UUID = Field(primary_key=True)
    card_id: UUID = Field(foreign_key="card.id")
    asked_at: datetime = Field(sa_type=MOMENT)
    by_staff_id: int = Field(foreign_key="staff.id")
    by_unit_id: int = Field(foreign_key="unit.id")
    ground: str = Field(sa_type=Text)
    decided_at: datetime | None = Field(default=None, sa_type=MOMENT)
    decided_by_staff_id: int | None = Field(default=None, foreign_key="staff.id")
    decided_by_unit_id: int | None = Field(default=None, foreign_key="unit.id")
    upheld: bool | None = None
    reason: str | None = Field(default=None, sa_type=Text)
