"""What changed lately, as the record has it, and which of it a member of staff may be told: which matter, and nothing of its content."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from msgspec import Struct

from app.auth.actor import StaffActor
from app.db import Transaction
from app.db.query import Query
from app.matters.visibility import VISIBLE_TO_STAFF, viewer, visible_to_staff

# An entry has the moment at which its transaction began. It may become visible so much later.
COMMITTED_WITHIN: Final = timedelta(seconds=60)
# What changed longer ago is not told one by one.
KEPT: Final = timedelta(hours=1)
# More than so many matters at once are not told one by one either.
MOST: Final = 200
_ASKED_AT_ONCE: Final = 500


class NewEntry(NamedTuple):
    """An entry of the record."""

    matter_id: UUID
    seq: int
    at: datetime


class Change(Struct, frozen=True):
    """A matter that changed."""

    ref: str
    kind: str


class _Visible(Struct, frozen=True):
    """That the viewer of this number, counted from 1, may see a matter that changed."""

    viewer: int
    change: Change


# Of `e`: entries of the last minutes or hour; none from the future, which tests with another clock leave behind.
_LATELY: Final = "e.at > :since AND e.at <= CAST(:now AS timestamptz) + interval '1 minute'"
_NEW: Final = Query(
    NewEntry,
    f"SELECT e.matter_id, e.seq, e.at FROM record_entry e WHERE {_LATELY}",  # noqa: S608 - constants of ours
)
_MISSED: Final = Query(
    Change,
    f"""
SELECT c.ref, c.kind FROM record_entry e JOIN matter_facts c ON c.id = e.matter_id
WHERE {_LATELY} AND {VISIBLE_TO_STAFF}
GROUP BY c.ref, c.kind ORDER BY max(e.at), c.ref LIMIT CAST(:most AS int) + 1
""",  # noqa: S608 - constants of ours
)
_VISIBLE: Final = Query(
    _Visible,
    f"""
SELECT CAST(v.number AS int) AS viewer, c.ref AS change_ref, c.kind AS change_kind
FROM unnest(CAST(:viewer_ids AS int[]), CAST(:unit_ids AS int[]), CAST(:county_ids AS int[]), CAST(:act_or_look AS bool[]),
  CAST(:see_county AS bool[]), CAST(:supervise AS bool[]))
  WITH ORDINALITY AS v(viewer_id, unit_id, county_id, acts_or_looks, sees_county, supervises, number)
CROSS JOIN unnest(CAST(:matter_ids AS uuid[])) AS n(id)
JOIN matter_facts c ON c.id = n.id
WHERE {visible_to_staff("v.")}
ORDER BY v.number, c.ref
""",  # noqa: S608 - constants of ours
)


async def new_entries(tx: Transaction) -> list[NewEntry]:
    """Entries of the last minute (COMMITTED_WITHIN), in no order: a slow transaction commits them late."""
    now = await tx.now()
    return await _NEW.all(tx, since=now - COMMITTED_WITHIN, now=now)


async def missed(tx: Transaction, since: datetime, *, by: StaffActor) -> list[Change] | None:
    """What the actor may see of all that changed since then, the oldest first. None: too long ago, or too many."""
    now = await tx.now()
    if since < now - KEPT:
        return None
    found = await _MISSED.all(tx, since=since - COMMITTED_WITHIN, now=now, most=MOST, **viewer(by))
    return None if len(found) > MOST else found


async def visible(
    tx: Transaction, matter_ids: Collection[UUID], *, to: Sequence[StaffActor]
) -> list[list[Change]]:
    """For each of the actors, those of the matters that they may see: by the predicate of the lists."""
    of_each = [viewer(one) for one in to]
    told: list[list[Change]] = [[] for _ in to]
    ids = list(matter_ids)
    for start in range(0, len(ids), _ASKED_AT_ONCE):
        for row in await _VISIBLE.all(
            tx,
            matter_ids=ids[start : start + _ASKED_AT_ONCE],
            viewer_ids=[one["viewer_id"] for one in of_each],
            unit_ids=[one["unit_id"] for one in of_each],
            county_ids=[one["county_id"] for one in of_each],
            act_or_look=[one["acts_or_looks"] for one in of_each],
            see_county=[one["sees_county"] for one in of_each],
            supervise=[one["supervises"] for one in of_each],
        ):
            told[row.viewer - 1].append(row.change)
    return told
