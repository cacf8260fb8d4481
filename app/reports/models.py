"""Tables of month ends. All are only added to; the database refuses the rest, and what is altered all the same shows.

How people evaluated stands in the schema of the surveys, as do corrections of it and what was excluded.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, Text, UniqueConstraint, Uuid, text
from sqlmodel import Field

from app.db.row_base import MOMENT, Stored, one_of
from app.directory.terms import UnitKind
from app.evaluation.models import SCHEMA
from app.reports.formulas import SATISFACTION, WORK, Measure
from app.reports.suppression import FEWEST, Bound


def _measured(measures: tuple[Measure, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{one}'" for one in measures)
    return CheckConstraint(f"measure IN ({listed})", name="measure_known")


class MonthEnd(Stored, table=True):
    """A county's month, locked. `digest` covers all its figures and the month before: none can be altered unnoticed.

    What happened from `cutoff_at` on is no longer in it, whenever it was locked.
    """

    __tablename__ = "month_end"
    __table_args__ = (
        CheckConstraint("begins_at < ends_at AND ends_at < cutoff_at", name="month_in_order"),
        CheckConstraint("locked_at > cutoff_at", name="month_locked_after_cutoff"),
    )

    county_id: int = Field(primary_key=True, foreign_key="unit.id")
    month: date = Field(primary_key=True)
    formula_version: int
    begins_at: datetime = Field(sa_type=MOMENT)
    ends_at: datetime = Field(sa_type=MOMENT)
    cutoff_at: datetime = Field(sa_type=MOMENT)
    locked_at: datetime = Field(sa_type=MOMENT)
    digest: bytes


class MonthFigure(Stored, table=True):
    """What was counted of a unit, or of a person in a unit, with their names as they were. Nothing sealed is in it."""

    __tablename__ = "month_figure"
    __table_args__ = (
        one_of("unit_kind", UnitKind),
        UniqueConstraint(
            "county_id", "month", "unit_id", "staff_id", name="one_figure_each", postgresql_nulls_not_distinct=True
        ),
        CheckConstraint("(staff_id IS NULL) = (person_name IS NULL)", name="figure_names_its_person"),
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    county_id: int = Field(foreign_key="unit.id")
    month: date
    unit_id: int = Field(foreign_key="unit.id")
    unit_code: str = Field(max_length=20)
    unit_name: str = Field(max_length=100)
    unit_kind: UnitKind = Field(sa_type=Text)
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    person_name: str | None = Field(default=None, max_length=40)
    taken_in: int
    given: int
    answered: int
    pending: int
    assisted: int
    response_due: int
    response_in_time: int
    handling_due: int
    handling_in_time: int
    assist_due: int
    assist_in_time: int
    passed: int
    returned: int
    rounds: int
    reworked: int
    yellow: int
    yellow_net: int
    red: int
    red_net: int


class MonthSatisfaction(Stored, table=True):
    """How people evaluated a unit, or a person in a unit; handling units never read it.

    `township_id`: with whose small ones it was told. Empty where it has none, and of months locked before it was kept.
    `voices`: the people one answer each of whom the unit may be told of together; a unit's row has them, a person's not.
    """

    __tablename__ = "month_satisfaction"
    __table_args__ = (
        UniqueConstraint(
            "county_id", "month", "unit_id", "staff_id", name="one_satisfaction_each", postgresql_nulls_not_distinct=True
        ),
        CheckConstraint("evaluated + excluded <= asked", name="evaluated_among_asked"),
        CheckConstraint("satisfied + basically_satisfied <= evaluated", name="satisfied_among_evaluated"),
        {"schema": SCHEMA},
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    county_id: int = Field(foreign_key="unit.id")
    month: date
    unit_id: int = Field(foreign_key="unit.id")
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    township_id: int | None = Field(default=None, foreign_key="unit.id")
    asked: int
    evaluated: int
    satisfied: int
    basically_satisfied: int
    excluded: int
    voices: list[UUID] | None = Field(default=None, sa_type=ARRAY(Uuid))
    voices_favourable: int | None = None


class MonthSealed(Stored, table=True):
    """How many sealed cases a unit took in and answered. For the supervisors of that unit alone."""

    __tablename__ = "month_sealed"

    county_id: int = Field(primary_key=True, foreign_key="unit.id")
    month: date = Field(primary_key=True)
    unit_id: int = Field(primary_key=True, foreign_key="unit.id")
    taken_in: int
    answered: int


class ReleasedSatisfaction(Stored, table=True):
    """All that a handling unit ever learns of a month's evaluations: frozen when the month is locked, corrected never.

    `joined`: together with the other small units of its township. `favourable` is a count where the bound is exact, else
    a percentage.
    """

    __tablename__ = "released_satisfaction"
    __table_args__ = (
        one_of("bound", Bound),
        CheckConstraint(f"evaluated >= {FEWEST}", name="released_of_enough"),
        CheckConstraint(
            "bound <> 'exact' OR (favourable > 0 AND favourable < evaluated)",
            name="released_not_unanimous",
        ),
    )

    unit_id: int = Field(primary_key=True, foreign_key="unit.id")
    month: date = Field(primary_key=True)
    county_id: int = Field(foreign_key="unit.id")
    joined: bool
    evaluated: int
    bound: Bound = Field(sa_type=Text)
    favourable: int


class CorrectionCause(StrEnum):
    """Why a locked figure is no longer right. RECOUNT: the record itself has changed, e.g. with a calendar.

    ANSWER_READ, of evaluations alone: words that came in time were read by staff only after the cut-off.
    """

    CARD_ISSUED = "card_issued"
    CARD_REVOKED = "card_revoked"
    RECOUNT = "recount"
    ANSWER_READ = "answer_read"

    @property
    def chinese(self) -> str:
        return {
            "card_issued": "锁定后补发的牌",
            "card_revoked": "截止后撤销的牌",
            "recount": "重新核算",
            "answer_read": "截止后判读的评价",
        }[self]


class MonthCorrection(Stored, table=True):
    """A later correction of one figure: what, why, by whom (the system, where nobody), the old and the new count.

    Chained per county, so that none can be altered or taken out between two others.
    """

    __tablename__ = "month_correction"
    __table_args__ = (
        one_of("cause", CorrectionCause),
        _measured(WORK),
        UniqueConstraint("county_id", "seq", name="correction_in_order"),
        Index(
            "one_correction_a_card", "card_id", "cause", "measure", "staff_id", unique=True,
            postgresql_nulls_not_distinct=True, postgresql_where=text("card_id IS NOT NULL"),
        ),
        CheckConstraint("(cause = 'recount') = (card_id IS NULL)", name="correction_names_its_card"),
        CheckConstraint("cause <> 'recount' OR by_staff_id IS NOT NULL", name="recount_by_somebody"),
        CheckConstraint("reason <> ''", name="correction_says_why"),
        CheckConstraint("old <> new", name="correction_changes"),
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    county_id: int = Field(foreign_key="unit.id")
    seq: int
    month: date
    unit_id: int = Field(foreign_key="unit.id")
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    measure: Measure = Field(sa_type=Text)
    old: int
    new: int
    cause: CorrectionCause = Field(sa_type=Text)
    card_id: UUID | None = Field(default=None, foreign_key="card.id")
    reason: str = Field(sa_type=Text)
    by_staff_id: int | None = Field(default=None, foreign_key="staff.id")
    at: datetime = Field(sa_type=MOMENT)
    digest: bytes


class SatisfactionCorrection(Stored, table=True):
    """The same of an evaluation's count; `reply_id`: whose words were read late. What was released stays as it was."""

    __tablename__ = "satisfaction_correction"
    __table_args__ = (
        _measured(SATISFACTION),
        UniqueConstraint("county_id", "seq", name="satisfaction_correction_in_order"),
        Index(
            "one_correction_a_reply", "reply_id", "measure", "staff_id", unique=True,
            postgresql_nulls_not_distinct=True, postgresql_where=text("reply_id IS NOT NULL"),
        ),
        CheckConstraint("reason <> ''", name="correction_says_why"),
        CheckConstraint("old <> new", name="correction_changes"),
        {"schema": SCHEMA},
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    county_id: int = Field(foreign_key="unit.id")
    seq: int
    month: date
    unit_id: int = Field(foreign_key="unit.id")
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    measure: Measure = Field(sa_type=Text)
    old: int
    new: int
    reply_id: str | None = Field(default=None, foreign_key=f"{SCHEMA}.reply.provider_message_id")
    reason: str = Field(sa_type=Text)
    by_staff_id: int = Field(foreign_key="staff.id")
    at: datetime = Field(sa_type=MOMENT)
    digest: bytes


class Exclusion(Stored, table=True):
    """The command center's decision that a person's evaluation does not count, with its reason; its share is published."""

    __tablename__ = "exclusion"
    __table_args__ = ({"schema": SCHEMA},)
    KEY: ClassVar[tuple[str, ...]] = ("survey_id",)

    survey_id: UUID = Field(primary_key=True, foreign_key=f"{SCHEMA}.survey.id")
    reason_sealed: bytes
    decided_by_staff_id: int = Field(foreign_key="staff.id")
    decided_at: datetime = Field(sa_type=MOMENT)
