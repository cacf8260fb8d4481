"""The list of cases under public supervision (挂牌督办), for all staff of the county. What stands there names no citizen.

Nothing of sealed cases; no title, which is a citizen's words, and no place but the village; the wall (wall.py) says no more.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from app.auth.actor import StaffActor
from app.clock import SHANGHAI
from app.db import Transaction
from app.matters.cursors import read_cursor

PAGE: Final = 50
_AFTER_ALL: Final = (datetime(2200, 1, 1, tzinfo=SHANGHAI), UUID(int=2**128 - 1))
_LISTED: Final = text("""
SELECT CAST(json_build_object(
  'items', coalesce(json_agg(item ORDER BY place) FILTER (WHERE place <= :size), '[]'),
  'next', max(cursor) FILTER (WHERE place = :size AND total > :size)) AS text)
FROM (
  SELECT json_build_object('ref', c.ref, 'kind', c.kind, 'category', g.path, 'village', v.name, 'holder', h.name,
      'holder_code', h.code, 'listed_at', c.listed_at, 'received_at', c.received_at, 'due_at', c.due_at,
      'stage_due_at', c.stage_due_at, 'overdue', coalesce(c.waiting IS NULL AND c.stage_due_at < :now, false)) AS item,
    row_number() OVER w AS place, count(*) OVER () AS total,
    CAST(extract(epoch FROM c.listed_at) * 1000000 AS bigint) || '~' || c.id AS cursor
  FROM (
    SELECT * FROM grievance
    WHERE county_id = :county_id AND listed_at IS NOT NULL AND NOT sealed AND phase IN ('pending', 'handling')
      AND (listed_at, id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS uuid))
    ORDER BY listed_at DESC, id DESC LIMIT :size + 1
  ) c
  JOIN unit h ON h.id = c.holder_unit_id
  LEFT JOIN unit v ON v.id = c.village_id
  LEFT JOIN category g ON g.id = c.category_id
  WINDOW w AS (ORDER BY c.listed_at DESC, c.id DESC)
) page""")


async def listed_page(
    tx: Transaction, *, by: StaffActor, now: datetime, cursor: str | None, size: int = PAGE
) -> str:
    """One page as JSON: `items`, the newest on the list first, and the cursor of the `next` page or null."""
    before_at, before_id = read_cursor(cursor)
    found: str = await tx.scalar(
        _LISTED,
        county_id=by.county_id,
        now=now,
        before_at=before_at or _AFTER_ALL[0],
        before_id=before_id or _AFTER_ALL[1],
        size=size,
    )
    return found
