"""Texts to the reporter of a case and to the reporters of all cases that were merged into it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from app.cases.dossier import Dossier
from app.cases.models import Case
from app.db import Transaction
from app.db.query import Query, columns
from app.matters.telling import tell
from app.texts.outbox import MessageKind


# The reporters whose cases were joined to this one, or to one that was: each is told, answered and asked.
class _JoinedCase(Struct, frozen=True):
    case: Case
    name_key: bytes | None
    primary_name_key: bytes | None


_JOINED = Query(
    _JoinedCase,
    f"""
WITH RECURSIVE joined AS (
  SELECT id FROM grievance WHERE primary_id = :matter_id
  UNION
  SELECT g.id FROM grievance g JOIN joined j ON g.primary_id = j.id
) SELECT {columns("g", Case, "case")}, n.name_key, (SELECT name_key FROM person_as_given WHERE matter_id = :matter_id) AS primary_name_key
FROM grievance g JOIN joined USING (id) LEFT JOIN person_as_given n ON n.matter_id = g.id ORDER BY g.id
""",  # noqa: S608 - columns of our own table
)


@dataclass(frozen=True, slots=True)
class Told:
    """A case as one of its reporters told it, under the name that `name_key` stands for, if it was typed for them."""

    case: Case
    name_key: bytes | None = None


async def told(tx: Transaction, dossier: Dossier) -> list[Told]:
    """The case, and those that were joined to it, each with its round: it is what their reporters are told and asked about."""
    case = dossier.case
    rows = await _JOINED.all(tx, matter_id=case.id) if dossier.others_joined else []
    if not rows:
        return [Told(case)]
    joined = [Told(row.case, row.name_key) for row in rows]
    for one in joined:
        one.case.round = case.round
    return [Told(case, rows[0].primary_name_key), *joined]


def each_person_once(found: Sequence[Told]) -> list[Case]:
    """The first case of each person to be asked: who told the same thing twice is asked once.

    Where a number was given under several names, each is a person.
    """
    names = defaultdict[UUID | None, set[bytes]](set)
    for one in found:
        if one.name_key is not None:
            names[one.case.citizen_id].add(one.name_key)
    people = dict[tuple[UUID | None, bytes | None], Case]()
    for one in found:
        several = len(names[one.case.citizen_id]) > 1
        people.setdefault((one.case.citizen_id, one.name_key if several else None), one.case)
    return [case for case in people.values() if case.citizen_id is not None]


async def tell_all(
    tx: Transaction, dossier: Dossier, kind: MessageKind, *, now: datetime, **params: str
) -> None:
    """Owe the reporter a text, and everybody whose case was joined to this one."""
    for one in await told(tx, dossier):
        tell(tx, one.case, kind, now=now, once=None, no_later_than=None, **params)
