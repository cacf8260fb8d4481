"""The table of the notes."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import MetaData, Text
from sqlmodel import Field

from app.db.row_base import MOMENT, Stored


class Phase(StrEnum):
    OPEN = "open"
    ANSWERED = "answered"


class Note(Stored, table=True):
    """A note: who wrote it holds it, and answers the resident it is about."""

    # Not among the product's tables.
    metadata: ClassVar[Any] = MetaData()
    __tablename__ = "note"
    CHANGING: ClassVar[tuple[str, ...]] = ("phase", "answered_at")

    id: UUID = Field(primary_key=True)
    ref: str = Field(max_length=32)
    county_id: int
    sealed: bool = False
    title: str = Field(max_length=100)
    holder_unit_id: int
    entered_by_staff_id: int
    citizen_id: UUID | None
    textable: bool
    received_at: datetime = Field(sa_type=MOMENT)
    phase: Phase = Field(default=Phase.OPEN, sa_type=Text)
    round: int = 1
    answered_at: datetime | None = Field(default=None, sa_type=MOMENT)
