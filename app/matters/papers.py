"""Numbered papers (文书) about a matter: their numbers, and what stands on them, which the record says. Draws no page.

A receipt bears the matter's own reference: every matter has one, and a series would make registrations wait for each other.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint
from sqlmodel import Field

from app.clock import SHANGHAI
from app.db import Transaction
from app.db.query import Query
from app.db.row_base import MOMENT, Stored, one_of
from app.errors import NotFound
from app.identifiers import uuid7
from app.matters.matter import Matter


class PaperKind(StrEnum):
    """Each but the receipt has a series of its own, which begins anew with 1 every year."""

    EXTENSION = "extension"
    SUPERVISION = "supervision"
    LISTING = "listing"
    RECEIPT = "receipt"
    SUPPLEMENT = "supplement"
    REFUSAL = "refusal"
    TRANSFER = "transfer"
    DISPATCH = "dispatch"
    OPINION = "opinion"
    REVIEW = "review"
    REEXAMINATION = "reexamination"

    @property
    def chinese(self) -> str:
        return _KINDS[self][0]

    @property
    def mark(self) -> str:
        """What stands for it in a number, such as 督 in 荣督〔2026〕12号."""
        return _KINDS[self][1]


_KINDS: Final = {
    PaperKind.EXTENSION: ("延期告知书", "延"),
    PaperKind.SUPERVISION: ("督办单", "督"),
    PaperKind.LISTING: ("挂牌督办通知", "挂"),
    PaperKind.RECEIPT: ("受理回执", "收"),
    PaperKind.SUPPLEMENT: ("补正告知书", "补"),
    PaperKind.REFUSAL: ("不予受理告知书", "不受"),
    PaperKind.TRANSFER: ("转办单", "转"),
    PaperKind.DISPATCH: ("交办单", "交"),
    PaperKind.OPINION: ("处理意见书", "意"),
    PaperKind.REVIEW: ("复查意见书", "复"),
    PaperKind.REEXAMINATION: ("复核意见书", "核"),
}


# What the reporter gets; the others are between units.
TO_REPORTER: Final = frozenset(
    {
        PaperKind.RECEIPT,
        PaperKind.SUPPLEMENT,
        PaperKind.REFUSAL,
        PaperKind.EXTENSION,
        PaperKind.OPINION,
        PaperKind.REVIEW,
        PaperKind.REEXAMINATION,
    }
)
# Papers that the reporters of merged matters get too. The other papers quote one reporter's own words.
TO_ALL_REPORTERS: Final = frozenset({PaperKind.REFUSAL, PaperKind.EXTENSION, PaperKind.OPINION})


class Paper(Stored, table=True):
    """A paper that was issued, with the entry of the record that it tells; never changed. None is about a sealed matter."""

    __tablename__ = "paper"
    __table_args__ = (
        one_of("kind", PaperKind),
        UniqueConstraint("county_id", "kind", "year", "number", name="one_paper_a_number"),
        CheckConstraint("number > 0", name="paper_number_positive"),
        Index("paper_by_matter", "matter_id"),
    )

    SEALED: ClassVar[tuple[str, ...]] = (
        "id", "county_id", "kind", "year", "number", "prefix", "matter_id", "seq", "issued_at",
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    county_id: int = Field(foreign_key="unit.id")
    kind: PaperKind = Field(sa_type=Text)
    year: int
    number: int
    # Before the year: the county as it was called then, and the kind's mark.
    prefix: str = Field(max_length=10)
    matter_id: UUID = Field(foreign_key="matter.id")
    seq: int
    issued_at: datetime = Field(sa_type=MOMENT)
    # Keyed digest over the SEALED columns (app/db/row_base.py).
    seal: bytes = b""

    @property
    def name(self) -> str:
        return named(self.prefix, self.year, self.number)


class PaperSeries(Stored, table=True):
    """The last number given out in a county for a kind in a year."""

    __tablename__ = "paper_series"

    county_id: int = Field(primary_key=True, foreign_key="unit.id")
    kind: PaperKind = Field(primary_key=True, sa_type=Text)
    year: int = Field(primary_key=True)
    last: int


@dataclass(frozen=True, slots=True)
class PaperInFull:
    """A paper with what stands on it. `facts` and `texts` are those of its entry, `units` the names of those it speaks of."""

    kind: PaperKind
    name: str
    county: str
    ref: str
    title: str
    received_at: datetime
    issued_at: datetime
    issued_by: str
    to: str | None
    facts: dict[str, Any]
    texts: dict[str, str | None]
    units: dict[str, str]


@dataclass(frozen=True, slots=True)
class _ReceiptRow:
    """What stands on a paper. `issued_by` is None where the system issued it."""

    issued_at: datetime
    issued_by: str | None
    ref: str
    title: str
    received_at: datetime
    county: str
    facts: dict[str, Any]
    units: dict[str, str] | None
    texts: dict[str, str | None] | None


@dataclass(frozen=True, slots=True)
class _PaperRow(_ReceiptRow):
    kind: PaperKind
    prefix: str
    year: int
    number: int


class _NextNumber(Struct, frozen=True):
    last: int
    county: str


# The row is locked until the transaction ends: a number is given out once, and one that is undone is given out again.
_NEXT: Final = Query(
    _NextNumber,
    """
WITH taken AS (
  INSERT INTO paper_series AS s (county_id, kind, year, last) VALUES (:county_id, :kind, :year, 1)
  ON CONFLICT (county_id, kind, year) DO UPDATE SET last = s.last + 1
  RETURNING county_id, last
)
SELECT taken.last, u.short_name AS county FROM taken JOIN unit u ON u.id = taken.county_id
""",
)
_TOLD: Final = """
  c.ref, c.title, c.received_at, county.name AS county, CAST(e.body AS json) -> 'data' AS facts,
  (SELECT json_object_agg(t.id, t.name) FROM unit t WHERE t.id IN (
    SELECT CAST(CAST(e.body AS json) #>> CAST(path AS text[]) AS int) FROM unnest(ARRAY['{data,to}', '{data,lead}', '{data,unit}']) AS path
    UNION SELECT CAST(assistant AS int) FROM json_array_elements_text(CAST(e.body AS json) #> '{data,assistants}') AS assistant
  )) AS units,
  (SELECT json_object_agg(x.field, x.text) FROM record_text x WHERE x.matter_id = e.matter_id AND x.seq = e.seq) AS texts"""


def _paper_statement(told_of: str, whose: str) -> Query[_PaperRow]:
    return Query(
        _PaperRow,
        f"""
SELECT p.issued_at, u.name AS issued_by, {_TOLD}, p.kind, p.prefix, p.year, p.number
FROM paper p
JOIN matter_facts c ON c.id = {told_of}
JOIN unit county ON county.id = p.county_id
JOIN record_entry e ON e.matter_id = p.matter_id AND e.seq = p.seq
LEFT JOIN unit u ON u.id = e.unit_id
WHERE p.id = :id AND {whose}
""",  # noqa: S608 - constants of this module
    )


_ONE: Final = _paper_statement("p.matter_id", "p.matter_id = :matter_id")
# Papers of the matter that this one was merged into, directly or through others. They show the reference and title of this one.
_OF_PRIMARY: Final = _paper_statement(
    ":matter_id",
    """p.matter_id IN (
  WITH RECURSIVE above AS (
    SELECT g.id, g.primary_id, g.sealed FROM matter_facts own JOIN matter_facts g ON g.id = own.primary_id AND g.sealed = own.sealed
    WHERE own.id = :matter_id
    UNION
    SELECT g.id, g.primary_id, g.sealed FROM above a JOIN matter_facts g ON g.id = a.primary_id AND g.sealed = a.sealed
  ) SELECT id FROM above)""",
)
_RECEIPT: Final = Query(
    _ReceiptRow,
    f"""
SELECT c.received_at AS issued_at, u.name AS issued_by, {_TOLD}
FROM matter_facts c
JOIN unit county ON county.id = c.county_id
JOIN unit u ON u.id = c.first_unit_id
JOIN record_entry e ON e.matter_id = c.id AND e.seq = 1
WHERE c.id = :matter_id
""",  # noqa: S608 - a constant of this module
)


async def issue(tx: Transaction, matter: Matter, kind: PaperKind, now: datetime) -> Paper:
    """Take the next number for the entry that is recorded next."""
    year = now.astimezone(SHANGHAI).year
    assert not matter.sealed, "even the gap that its number leaves elsewhere would tell of it"
    taken = await _NEXT.one(tx, county_id=matter.county_id, kind=kind, year=year)
    paper = Paper(
        id=uuid7(now),
        county_id=matter.county_id,
        kind=kind,
        year=year,
        number=taken.last,
        prefix=taken.county[:1] + kind.mark,
        matter_id=matter.id,
        seq=matter.head_seq + 1,
        issued_at=now,
    )
    tx.add(paper)
    return paper


async def on_record(
    tx: Transaction, matter: Matter, kind: PaperKind, now: datetime
) -> dict[str, str]:
    """The same, as a fact for that entry; of a sealed matter there is none."""
    if matter.sealed:
        return {}
    return {"paper": (await issue(tx, matter, kind, now)).name}


async def in_full(
    tx: Transaction, matter: Matter, paper_id: UUID, *, reporter: bool = False
) -> PaperInFull:
    """A paper of that matter; the receipt's id is the matter's. Raises NotFound for any other, and for what is not the `reporter`'s."""
    if paper_id == matter.id:
        row = await _RECEIPT.one(tx, matter_id=matter.id)
        return _told(row, PaperKind.RECEIPT, matter.ref)
    found = await _ONE.one_or_none(tx, id=paper_id, matter_id=matter.id)
    given = TO_REPORTER if reporter else frozenset(PaperKind)
    if found is None and reporter:
        found = await _OF_PRIMARY.one_or_none(tx, id=paper_id, matter_id=matter.id)
        given = TO_ALL_REPORTERS
    if found is None or found.kind not in given:
        raise NotFound
    return _told(found, found.kind, named(found.prefix, found.year, found.number))


def _told(row: _ReceiptRow, kind: PaperKind, name: str) -> PaperInFull:
    units = row.units or {}
    to = row.facts.get("to") or row.facts.get("lead")
    return PaperInFull(
        kind=kind,
        name=name,
        county=row.county,
        ref=row.ref,
        title=row.title,
        received_at=row.received_at,
        issued_at=row.issued_at,
        issued_by=row.issued_by or row.county,
        to=None if to is None else units.get(str(to)),
        facts=row.facts,
        texts=row.texts or {},
        units=units,
    )


def named(prefix: str, year: int, number: int) -> str:
    """Such as 荣督〔2026〕12号."""
    return f"{prefix}〔{year}〕{number}号"
