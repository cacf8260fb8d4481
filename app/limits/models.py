"""Tables of the limits. Rules and changes are only ever added: the rules as of version v can always be read again."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, Identity, SmallInteger, Text, UniqueConstraint
from sqlmodel import Field

from app.db.row_base import MOMENT, Stored, one_of
from app.directory.terms import UnitKind
from app.limits.terms import Kind, Stage

_SHORT_FORM = "^[0-9]{1,4}(wd|wh|d)$"


def _short(column: str) -> CheckConstraint:
    return CheckConstraint(f"\"{column}\" ~ '{_SHORT_FORM}'", name=f"limit_rule_{column}")


class LimitSet(Stored, table=True):
    """The head of a county's rules; whoever edits locks this row."""

    __tablename__ = "limit_set"
    KEY: ClassVar[tuple[str, ...]] = ("county_id",)
    CHANGING: ClassVar[tuple[str, ...]] = ("version",)

    county_id: int = Field(primary_key=True, foreign_key="unit.id")
    version: int


class LimitChange(Stored, table=True):
    """One version: who made it and why."""

    __tablename__ = "limit_change"
    __table_args__ = (CheckConstraint("version > 0", name="limit_change_version"),)

    county_id: int = Field(primary_key=True, foreign_key="unit.id")
    version: int = Field(primary_key=True)
    at: datetime = Field(sa_type=MOMENT)
    # Empty where the system itself did it.
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    reason: str = Field(sa_type=Text)


class LimitRule(Stored, table=True):
    """What a version says of a place (stage to urgent; empty: any); it holds until a later version says otherwise.

    A withdrawn one repeats what it ends.
    """

    __tablename__ = "limit_rule"
    __table_args__ = (
        one_of("stage", Stage),
        one_of("tier", UnitKind),
        one_of("kind", Kind),
        _short("limit"),
        _short("yellow_after"),
        _short("red_after"),
        CheckConstraint("remind_before >= 0", name="limit_rule_remind_before"),
        UniqueConstraint(
            "county_id",
            "version",
            "stage",
            "tier",
            "kind",
            "category_id",
            "urgent",
            name="limit_rule_place",
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_column_args=(Identity(),))
    county_id: int = Field(foreign_key="unit.id")
    version: int
    stage: Stage = Field(sa_type=Text)
    tier: UnitKind | None = Field(default=None, sa_type=Text)
    kind: Kind | None = Field(default=None, sa_type=Text)
    category_id: int | None = Field(default=None, foreign_key="category.id")
    urgent: bool | None = None
    limit: str = Field(max_length=6)
    remind_before: int = Field(sa_type=SmallInteger)
    yellow_after: str = Field(max_length=6)
    red_after: str | None = Field(default=None, max_length=6)
    withdrawn: bool = False
