"""预警: what a unit has that is about to be due. Read from its limits as they run, whether or not the sweep has been there.

Not a card, and never counted. Of a sealed case it is there for those alone who see the case.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec import Struct

from app.auth.actor import StaffActor
from app.db import Transaction
from app.db.query import Query
from app.limits.terms import Stage
from app.matters.clocks import REMINDED_OF
from app.matters.visibility import VISIBLE_TO_STAFF, viewer

MOST_AT_SIGN_IN: Final = 20


class _DueClock(Struct, frozen=True):
    ref: str
    title: str
    stage: Stage
    due_at: datetime


# From the moment one is reminded until the limit is over: then it is a card's turn.
_ABOUT_TO_BE_DUE: Final = Query(
    _DueClock,
    f"""
SELECT c.ref, c.title, k.stage, k.due_at
FROM (SELECT * FROM clock WHERE unit_id = :unit_id AND remind_at <= :now AND due_at > :now AND {REMINDED_OF}) k
JOIN matter_facts c ON c.id = k.matter_id
WHERE {VISIBLE_TO_STAFF}
ORDER BY k.due_at, k.id LIMIT :most""",  # noqa: S608 - constants of ours
)


@dataclass(frozen=True, slots=True)
class Reminder:
    ref: str
    title: str
    stage: Stage
    due_at: datetime


async def about_to_be_due(tx: Transaction, *, by: StaffActor, now: datetime) -> list[Reminder]:
    """The unit's stages of which it has been reminded and that are not over yet, the soonest first."""
    rows = await _ABOUT_TO_BE_DUE.all(tx, now=now, most=MOST_AT_SIGN_IN, **viewer(by))
    return [Reminder(row.ref, row.title, row.stage, row.due_at) for row in rows]
