"""Tables of the calendars. Days and changes are only ever added: the calendar as of version v can always be read again."""

from datetime import date, datetime, time
from typing import ClassVar

from sqlalchemy import CheckConstraint, SmallInteger, Text
from sqlmodel import Field

from app.db.row_base import MOMENT, Stored


class Calendar(Stored, table=True):
    """The head of a county's calendar; whoever edits locks this row."""

    __tablename__ = "calendar"
    KEY: ClassVar[tuple[str, ...]] = ("county_id",)
    CHANGING: ClassVar[tuple[str, ...]] = ("version",)

    county_id: int = Field(primary_key=True, foreign_key="unit.id")
    version: int


class CalendarChange(Stored, table=True):
    """One version: who made it and why, how many days it changed, and the office hours from it on.

    `publishes`: it is the state's list of a year that was taken over, not a change of the county's own.
    """

    __tablename__ = "calendar_change"
    __table_args__ = (
        CheckConstraint("version > 0", name="calendar_change_version"),
        CheckConstraint("(noon_from IS NULL) = (noon_to IS NULL)", name="calendar_change_noon"),
        CheckConstraint(
            "opens < closes AND (noon_from IS NULL OR opens < noon_from AND noon_from < noon_to AND noon_to < closes)",
            name="calendar_change_hours",
        ),
    )

    county_id: int = Field(primary_key=True, foreign_key="unit.id")
    version: int = Field(primary_key=True)
    at: datetime = Field(sa_type=MOMENT)
    # Empty where the system seeded it.
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    reason: str = Field(sa_type=Text)
    publishes: bool = False
    days: int
    opens: time
    noon_from: time | None = None
    noon_to: time | None = None
    closes: time


class CalendarDay(Stored, table=True):
    """What a version says of a day; it holds until a later version says otherwise. Half days have hours of their own."""

    __tablename__ = "calendar_day"
    __table_args__ = (
        CheckConstraint("(opens IS NULL) = (closes IS NULL)", name="calendar_day_hours_both"),
        CheckConstraint("opens IS NULL OR working AND opens < closes", name="calendar_day_hours"),
    )

    county_id: int = Field(primary_key=True, foreign_key="unit.id")
    day: date = Field(primary_key=True)
    version: int = Field(primary_key=True)
    working: bool
    opens: time | None = None
    closes: time | None = None
    name: str = Field(default="", max_length=40)


class CalendarYear(Stored, table=True):
    """A year whose days off are known, from a version on. Without this row a year is provisional (暂定)."""

    __tablename__ = "calendar_year"
    __table_args__ = (CheckConstraint("year BETWEEN 2000 AND 2100", name="calendar_year_range"),)

    county_id: int = Field(primary_key=True, foreign_key="unit.id")
    year: int = Field(primary_key=True, sa_type=SmallInteger)
    published_at: datetime = Field(sa_type=MOMENT)
    version: int
    source: str = Field(max_length=200)
