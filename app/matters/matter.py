"""Tables of the matter itself, of the units that take part in it, and of the person it was registered for."""

from datetime import datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlmodel import Field

from app.db.row_base import MOMENT, Stored

# How long a name given with a number goes on telling that others use it.
NAMES_COUNT_FOR: Final = timedelta(days=365)


class Matter(Stored, table=True):
    """A piece of work (办件): one row for each grievance, and for each piece of work of any other kind.

    `kind` names what it is (app/matters/kinds.py); the kind's own table has a row with the same id, which repeats `ref`,
    `county_id` and `sealed` for its lists. Nobody may change those, in either table. `head_seq` and `head_hash` are the head
    of the record's chain: who adds an entry locks this row first, and whatever else they lock of the matter after it.
    """

    __tablename__ = "matter"
    __table_args__ = (CheckConstraint("head_seq >= 0", name="matter_head_seq"),)
    CHANGING: ClassVar[tuple[str, ...]] = ("head_seq", "head_hash")

    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    ref: str = Field(max_length=32, unique=True)
    county_id: int = Field(foreign_key="unit.id")
    # Visible only to supervisors of the holding unit (app/matters/visibility.py).
    sealed: bool
    head_seq: int = 0
    head_hash: bytes = b""


class MatterParty(Stored, table=True):
    """A unit that has or had a part in a matter. The rows decide which matters its lists show and its staff can open."""

    __tablename__ = "matter_party"
    ADD_ONCE: ClassVar[bool] = True

    unit_id: int = Field(primary_key=True, foreign_key="unit.id")
    matter_id: UUID = Field(primary_key=True, foreign_key="matter.id")
    since: datetime = Field(sa_type=MOMENT)


class PersonAsGiven(Stored, table=True):
    """Whom a matter was registered for, as the staff who typed it said: several people may share one number.

    `name_key` tells names apart without showing them. `phone_key` is empty where the matter is sealed: it counts for
    nothing that anybody is told.
    """

    __tablename__ = "person_as_given"
    __table_args__ = (
        Index(
            "person_as_given_by_number",
            "phone_key",
            "given_at",
            postgresql_where=text("phone_key IS NOT NULL"),
        ),
    )
    KEY: ClassVar[tuple[str, ...]] = ("matter_id",)
    SEALED: ClassVar[tuple[str, ...]] = ("matter_id", "phone_key", "name_sealed", "given_at")

    matter_id: UUID = Field(primary_key=True, foreign_key="matter.id")
    phone_key: bytes | None = None
    name_key: bytes
    name_sealed: bytes | None = None
    given_at: datetime = Field(sa_type=MOMENT)
    # Keyed digest over the SEALED columns (app/db/row_base.py).
    seal: bytes = b""
