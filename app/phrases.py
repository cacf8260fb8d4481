"""Phrases (常用语) that staff put into what they write: those of a unit and a person's own. Plain text; pages fill the placeholders."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlmodel import Field

from app import keys
from app.auth import limits
from app.auth.actor import StaffActor
from app.db import Transaction
from app.db.query import Query
from app.db.row_base import MOMENT, Stored
from app.errors import NotFound, NotPermitted
from app.identifiers import uuid7

MOST: Final = 50
LONGEST: Final = 500
_FULL: Final = f"最多保存 {MOST} 条常用语，请先删除不用的。"


class Whose(StrEnum):
    UNIT = "unit"
    OWN = "own"


class Phrase(Stored, table=True):
    """A phrase of a unit or of a person, never of both."""

    __tablename__ = "phrase"
    __table_args__ = (
        CheckConstraint("(unit_id IS NULL) <> (staff_id IS NULL)", name="phrase_of_one_owner"),
        CheckConstraint(f"char_length(words) BETWEEN 1 AND {LONGEST}", name="phrase_length"),
        Index("phrase_by_unit", "unit_id", "id", postgresql_where=text("unit_id IS NOT NULL")),
        Index("phrase_by_staff", "staff_id", "id", postgresql_where=text("staff_id IS NOT NULL")),
    )

    id: UUID = Field(primary_key=True)
    unit_id: int | None = Field(default=None, foreign_key="unit.id")
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    words: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=MOMENT)


@dataclass(frozen=True, slots=True)
class Shown:
    """A phrase as its user sees it."""

    id: UUID
    whose: Whose
    text: str


@dataclass(frozen=True, slots=True)
class _Count:
    count: int


_OF_ACTOR: Final = Query(
    Shown,
    """
SELECT p.id, 'own' AS whose, p.words AS text FROM phrase p WHERE p.staff_id = :staff_id
UNION ALL
SELECT p.id, 'unit' AS whose, p.words AS text FROM phrase p WHERE p.unit_id = :unit_id
ORDER BY 2, 1
""",
)
_COUNT: Final = Query(
    _Count,
    """
SELECT CAST((SELECT count(*) FROM phrase WHERE staff_id = :staff_id) + (SELECT count(*) FROM phrase WHERE unit_id = :unit_id) AS int) AS count
""",
)
_REMOVE: Final = text(
    "DELETE FROM phrase WHERE id = :id AND (staff_id = :staff_id OR unit_id = :unit_id)"
)


async def shown(tx: Transaction, *, by: StaffActor) -> list[Shown]:
    """The person's own, then those of the unit; the oldest first."""
    return await _OF_ACTOR.all(tx, staff_id=by.staff_id, unit_id=by.unit_id)


async def add(tx: Transaction, words: str, whose: Whose, *, by: StaffActor) -> Shown:
    """Raises NotPermitted where there are as many as there may be."""
    own = whose is Whose.OWN
    owner: dict[str, int | None] = {
        "staff_id": by.staff_id if own else None,
        "unit_id": None if own else by.unit_id,
    }
    await limits.one_at_a_time(tx, keys.lookup("phrases", str(owner)))
    if (await _COUNT.one(tx, **owner)).count >= MOST:
        raise NotPermitted(_FULL)
    now = await tx.now()
    phrase = Phrase(id=uuid7(now), words=words, created_at=now, **owner)
    tx.add(phrase)
    return Shown(phrase.id, whose, words)


async def remove(tx: Transaction, phrase_id: UUID, *, by: StaffActor) -> None:
    """One's own or the unit's; any other is not there."""
    if not await tx.execute(_REMOVE, id=phrase_id, staff_id=by.staff_id, unit_id=by.unit_id):
        raise NotFound
