"""A matter with its record, for verification: decoded entries and texts. Checks nothing."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

from msgspec import Struct
from sqlalchemy import TextClause

from app.db import Transaction
from app.db.row_base import Found
from app.matters.record import MatterAction


class Fault(Struct, frozen=True):
    """Something that is wrong with a matter: in which table, at which entry, and what."""

    ref: str
    seq: int
    what: str
    table: str = "record_entry"


@dataclass(frozen=True, slots=True)
class Recorded:
    """`matter` is its row, with the unit that typed it, and `row` that of its kind's table.

    `bodies` are the decoded entries, in order; `texts` the rows of record_text by entry and field.
    """

    matter: Found
    row: Found
    bodies: Sequence[dict[str, Any]]
    texts: dict[tuple[int, str], Found]
    erased: frozenset[tuple[int, str]] = field(default=frozenset())

    def of(self, *actions: StrEnum) -> Iterator[dict[str, Any]]:
        return (body for body in self.bodies if body["action"] in actions)

    def fault(self, table: str, seq: int | None, what: str) -> Fault:
        return Fault(self.matter.ref, len(self.bodies) if seq is None else seq, what, table)


FindFaults: TypeAlias = Callable[[Recorded], Iterator[Fault]]
# Loads rows that belong to the matters with these ids; returns a function that finds the faults of one matter.
Check: TypeAlias = Callable[[Transaction, list[UUID]], Awaitable[FindFaults]]


def by_matter(rows: Iterable[Found]) -> dict[UUID, list[Found]]:
    found: dict[UUID, list[Found]] = {}
    for row in rows:
        found.setdefault(row.matter_id, []).append(row)
    return found


def erased_texts(bodies: Sequence[dict[str, Any]]) -> frozenset[tuple[int, str]]:
    """The entry and field of each text that was erased, as the record says."""
    return frozenset(
        (seq, name)
        for body in bodies
        if body["action"] == MatterAction.ERASE
        for seq, name in body["data"]["erased"]
    )


def check_rows(
    query: TextClause, faults: Callable[[Recorded, list[Found]], Iterator[Fault]]
) -> Check:
    """A check of the rows that `query` finds by matter ids (`:ids`); `faults` compares those of one matter with its record."""

    async def load(tx: Transaction, ids: list[UUID]) -> FindFaults:
        rows = by_matter(await tx.all(query, ids=ids))
        return lambda recorded: faults(recorded, rows.get(recorded.matter.id, []))

    return load
