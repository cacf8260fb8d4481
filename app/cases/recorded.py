"""A case as its record tells it: entries, what they add up to, and the texts they have digests of. Checks nothing."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

from app.cases.terms import Action
from app.db import Transaction


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with a case: in which table, at which entry, and what."""

    ref: str
    seq: int
    what: str
    table: str = "case_event"


@dataclass(frozen=True, slots=True)
class Recorded:
    """`bodies` are the decoded entries, in order; `texts` the rows of event_text by entry and field."""

    case: Any
    bodies: Sequence[dict[str, Any]]
    texts: dict[tuple[int, str], Any]
    erased: frozenset[tuple[int, str]] = field(default=frozenset())

    def of(self, *actions: Action) -> Iterator[dict[str, Any]]:
        return (body for body in self.bodies if body["action"] in actions)

    def fault(self, table: str, seq: int | None, what: str) -> Fault:
        return Fault(self.case.ref, len(self.bodies) if seq is None else seq, what, table)


# Loads rows that belong to the cases with these ids; what it returns says what is wrong with them.
Check: TypeAlias = Callable[
    [Transaction, list[UUID]], Awaitable[Callable[[Recorded], Iterator[Fault]]]
]


def by_case(rows: Any) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row.case_id, []).append(row)
    return found


def erased_texts(bodies: Sequence[dict[str, Any]]) -> frozenset[tuple[int, str]]:
    """The entry and field of each text that was erased, as the record says."""
    return frozenset(
        (seq, name)
        for body in bodies
        if body["action"] == Action.ERASE
        for seq, name in body["data"]["erased"]
    )
