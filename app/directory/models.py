"""Tables of the directory. The tree's shape is data: nothing here knows how many tiers there are."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Identity, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from app.db.row_base import MOMENT, Stored, one_of
from app.directory.terms import NumberChange, Role, UnitKind


class Unit(Stored, table=True):
    """A unit, never deleted: a merged or renamed one ends (`valid_to`) and names its successor.

    `county_id` is the county a territory or office belongs to (a county's own id for itself), empty above counties.
    """

    __tablename__ = "unit"
    __table_args__ = (
        one_of("kind", UnitKind),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="unit_valid_range"),
        CheckConstraint("parent_id <> id", name="unit_not_its_own_parent"),
        # E.164, or a short hotline such as 12345.
        CheckConstraint(
            "public_phone ~ '^([+][1-9][0-9]{6,14}|[0-9]{3,8})$'", name="public_phone_form"
        ),
        Index("unit_by_parent", "parent_id"),
        Index("unit_by_county", "county_id", "kind"),
        Index(
            "unit_by_successor", "successor_id", postgresql_where=text("successor_id IS NOT NULL")
        ),
        Index("unit_ended", "handed_over_at", postgresql_where=text("valid_to IS NOT NULL")),
    )
    CHANGING: ClassVar[tuple[str, ...]] = (
        "name",
        "short_name",
        "valid_to",
        "successor_id",
        "ended_by_staff_id",
        "handed_over_at",
        "head_approves",
        "public_phone",
        "contact_name",
    )

    id: int | None = Field(default=None, primary_key=True, sa_column_args=(Identity(),))
    code: str = Field(max_length=20, unique=True)
    name: str = Field(max_length=100)
    short_name: str = Field(max_length=40)
    kind: UnitKind = Field(sa_type=Text)
    parent_id: int | None = Field(default=None, foreign_key="unit.id")
    county_id: int | None = Field(default=None, foreign_key="unit.id")
    valid_from: date
    valid_to: date | None = None
    successor_id: int | None = Field(default=None, foreign_key="unit.id")
    # The administrator who ended it, and when all it had open was found to be with the unit that carries on.
    ended_by_staff_id: int | None = Field(default=None, foreign_key="staff.id")
    handed_over_at: datetime | None = Field(default=None, sa_type=MOMENT)
    # Where set, only the unit's head may give its answer.
    head_approves: bool = False
    # What the page of its poster shows to everybody.
    public_phone: str | None = Field(default=None, sa_type=Text)
    contact_name: str | None = Field(default=None, max_length=40)


class Staff(Stored, table=True):
    """A person who works with the system. What they may do follows from their posts."""

    __tablename__ = "staff"
    __table_args__ = (Index("staff_by_account_in_lower_case", text("lower(account)")),)
    CHANGING: ClassVar[tuple[str, ...]] = ("name", "password_hash", "active", "seal")
    SEALED: ClassVar[tuple[str, ...]] = ("account", "name")

    id: int | None = Field(default=None, primary_key=True, sa_column_args=(Identity(),))
    account: str = Field(max_length=40, unique=True)
    name: str = Field(max_length=40)
    password_hash: str = Field(sa_type=Text)
    active: bool = True
    created_at: datetime = Field(sa_type=MOMENT)
    # Keyed digest over the SEALED columns; empty until `qungong staff confirm` where the row was entered by hand.
    seal: bytes | None = None


class Post(Stored, table=True):
    """A role in a unit, held by a person for a time; one person may hold several."""

    __tablename__ = "post"
    __table_args__ = (
        one_of("role", Role),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="post_valid_range"),
        Index("post_by_staff", "staff_id"),
        Index("post_by_unit", "unit_id"),
    )
    CHANGING: ClassVar[tuple[str, ...]] = ("title", "valid_to")

    id: int | None = Field(default=None, primary_key=True, sa_column_args=(Identity(),))
    staff_id: int = Field(foreign_key="staff.id")
    unit_id: int = Field(foreign_key="unit.id")
    role: Role = Field(sa_type=Text)
    title: str = Field(default="", max_length=40)
    valid_from: date
    valid_to: date | None = None
    # The post in a unit that ended, where this one follows it to the successor.
    moved_from_post_id: int | None = Field(default=None, foreign_key="post.id")


class HeadApproval(Stored, table=True):
    """An administrator's decision whether only the head of a unit may give its answers; append-only."""

    __tablename__ = "head_approval"
    __table_args__ = (Index("head_approval_by_unit", "unit_id", "id"),)

    id: UUID = Field(primary_key=True)
    unit_id: int = Field(foreign_key="unit.id")
    required: bool
    reason: str = Field(sa_type=Text)
    decided_at: datetime = Field(sa_type=MOMENT)
    decided_by_staff_id: int = Field(foreign_key="staff.id")


class PosterContact(Stored, table=True):
    """An administrator's decision which number and person the page of a unit's poster shows; append-only."""

    __tablename__ = "poster_contact"
    __table_args__ = (Index("poster_contact_by_unit", "unit_id", "id"),)

    id: UUID = Field(primary_key=True)
    unit_id: int = Field(foreign_key="unit.id")
    public_phone: str | None = Field(default=None, sa_type=Text)
    contact_name: str | None = Field(default=None, max_length=40)
    decided_at: datetime = Field(sa_type=MOMENT)
    decided_by_staff_id: int = Field(foreign_key="staff.id")


class Citizen(Stored, table=True):
    """A person of the county, known by phone number; one whom a cadre spoke for may have none.

    The number is encrypted (app.keys); `phone_key` finds it without storing it. A name stands with the case it was given
    for (PersonAsGiven), never here: several people may share a number, and a name must not travel between cases.
    """

    __tablename__ = "citizen"
    CHANGING: ClassVar[tuple[str, ...]] = ("village_id",)
    SEALED: ClassVar[tuple[str, ...]] = ("id", "phone_key")

    id: UUID = Field(primary_key=True)
    phone_sealed: bytes | None = None
    phone_key: bytes | None = Field(default=None, unique=True)
    village_id: int | None = Field(default=None, foreign_key="unit.id")
    created_at: datetime = Field(sa_type=MOMENT)
    # Keyed digest over the SEALED columns (app/db/row_base.py).
    seal: bytes = b""


class OfficialNumber(Stored, table=True):
    """A number known to be a unit's or a member of staff's, and so no citizen's own; taken out it stays, with who did it.

    Kept like a citizen's: encrypted, found by `phone_key`. Only the administrator reads it; whose it is may be texted.
    """

    __tablename__ = "official_number"
    __table_args__ = (
        CheckConstraint("(unit_id IS NULL) <> (staff_id IS NULL)", name="one_owner"),
        Index(
            "official_number_once",
            "phone_key",
            "unit_id",
            "staff_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("removed_at IS NULL"),
        ),
        # Also those removed meanwhile: what counts is whose number it was when a round was answered.
        Index("official_number_by_number", "phone_key"),
        Index("official_number_of_unit", "unit_id", postgresql_where=text("removed_at IS NULL")),
        Index("official_number_of_staff", "staff_id", postgresql_where=text("removed_at IS NULL")),
    )
    CHANGING: ClassVar[tuple[str, ...]] = ("removed_at", "removed_by_staff_id")

    id: UUID = Field(primary_key=True)
    phone_sealed: bytes
    phone_key: bytes
    unit_id: int | None = Field(default=None, foreign_key="unit.id")
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    entered_at: datetime = Field(sa_type=MOMENT)
    # Empty where it came from a list that was imported.
    entered_by_staff_id: int | None = Field(default=None, foreign_key="staff.id")
    removed_at: datetime | None = Field(default=None, sa_type=MOMENT)
    removed_by_staff_id: int | None = Field(default=None, foreign_key="staff.id")


class OfficialNumberChange(Stored, table=True):
    """A number was entered or removed: who, when, for which unit or person. Names as they were then; only added to.

    Of the number it keeps the last four digits: enough for a supervisor to ask about it, too little to call it.
    """

    __tablename__ = "official_number_change"
    __table_args__ = (
        one_of("change", NumberChange),
        CheckConstraint("(unit_name IS NULL) <> (account IS NULL)", name="change_has_owner"),
        UniqueConstraint("number_id", "change", name="each_change_once"),
        Index("official_number_change_by_id", "county_id", "id"),
    )

    id: UUID = Field(primary_key=True)
    county_id: int | None = Field(default=None, foreign_key="unit.id")
    number_id: UUID = Field(foreign_key="official_number.id")
    change: NumberChange = Field(sa_type=Text)
    last_four: str = Field(max_length=4)
    unit_name: str | None = None
    unit_code: str | None = None
    account: str | None = None
    staff_name: str | None = None
    at: datetime = Field(sa_type=MOMENT)
    # Empty where it came from a list that was imported on the server.
    by_staff_id: int | None = Field(default=None, foreign_key="staff.id")
    by_name: str | None = None


class Category(Stored, table=True):
    """A grievance category; `path` names it with those above it, e.g. 城乡建设/安全生产/事故处理."""

    __tablename__ = "category"
    __table_args__ = (
        CheckConstraint("level BETWEEN 1 AND 3", name="category_level"),
        Index("category_by_parent", "parent_id"),
    )
    CHANGING: ClassVar[tuple[str, ...]] = ("active",)

    id: int | None = Field(default=None, primary_key=True, sa_column_args=(Identity(),))
    parent_id: int | None = Field(default=None, foreign_key="category.id")
    level: int
    name: str = Field(max_length=60)
    path: str = Field(max_length=200, unique=True)
    active: bool = True


class Responsibility(Stored, table=True):
    """Of the list of responsibilities (职责清单): the unit that leads cases of a category, and of those below it that have none.

    A change ends the row and adds another: what was in force when a case was dispatched can be told later.
    """

    __tablename__ = "responsibility"
    __table_args__ = (
        Index(
            "responsibility_in_force",
            "county_id",
            "category_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        CheckConstraint(
            "(ended_at IS NULL) = (ended_by_staff_id IS NULL)", name="responsibility_ended_by"
        ),
    )
    CHANGING: ClassVar[tuple[str, ...]] = ("ended_at", "ended_by_staff_id")

    id: UUID = Field(primary_key=True)
    county_id: int = Field(foreign_key="unit.id")
    category_id: int = Field(foreign_key="category.id")
    unit_id: int = Field(foreign_key="unit.id")
    set_at: datetime = Field(sa_type=MOMENT)
    set_by_staff_id: int = Field(foreign_key="staff.id")
    ended_at: datetime | None = Field(default=None, sa_type=MOMENT)
    ended_by_staff_id: int | None = Field(default=None, foreign_key="staff.id")
