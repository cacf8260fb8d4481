"""The wall screen's feed (大屏): what stands in red in the county. Of sealed cases nothing, whoever looks; of citizens nothing.

Titles are citizens' words and may name them; what a case is about is told by its category.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import text

from app.auth.actor import StaffActor
from app.cards.card_lists import require_county_wide
from app.db import Transaction

MOST_CARDS: Final = 20
MOST_LISTED: Final = 50
MOST_UNITS: Final = 60
_WALL: Final = text("""
SELECT CAST(json_build_object(
  'cards', (SELECT coalesce(json_agg(shown), '[]') FROM (
    SELECT k.id, k.level, k.cause, k.stage, k.unit_name AS unit, u.code AS unit_code, k.person_name AS person,
      k.post_title AS post, k.due_at, k.effective_at
    FROM card k JOIN grievance c ON c.id = k.matter_id JOIN unit u ON u.id = k.unit_id
    WHERE k.county_id = :county_id AND k.revoked_at IS NULL AND NOT c.sealed
    ORDER BY k.effective_at DESC, k.id DESC LIMIT :cards
  ) shown),
  'listed', (SELECT coalesce(json_agg(shown), '[]') FROM (
    SELECT c.ref, c.kind, g.path AS category, v.name AS village, h.name AS holder, h.code AS holder_code, c.listed_at,
      c.received_at, c.due_at, c.stage_due_at, coalesce(c.waiting IS NULL AND c.stage_due_at < :now, false) AS overdue
    FROM grievance c JOIN unit h ON h.id = c.holder_unit_id
    LEFT JOIN unit v ON v.id = c.village_id
    LEFT JOIN category g ON g.id = c.category_id
    WHERE c.county_id = :county_id AND c.listed_at IS NOT NULL AND NOT c.sealed AND c.phase IN ('pending', 'handling')
    ORDER BY c.listed_at DESC, c.id LIMIT :listed
  ) shown),
  'overdue', (SELECT coalesce(json_agg(shown), '[]') FROM (
    SELECT h.code AS unit_code, h.name AS unit, counted.cases FROM (
      -- Phase by phase, each by its place in the index: else some servers read all that is open, in the order of holders.
      SELECT c.holder_unit_id, count(*) AS cases FROM (VALUES ('pending'), ('handling')) AS open(phase)
      CROSS JOIN LATERAL (
        SELECT holder_unit_id FROM grievance
        WHERE county_id = :county_id AND NOT sealed AND phase IN ('pending', 'handling') AND phase = open.phase
          AND waiting IS NULL AND stage_due_at < :now OFFSET 0
      ) c GROUP BY c.holder_unit_id
    ) counted JOIN unit h ON h.id = counted.holder_unit_id
    ORDER BY counted.cases DESC, h.code LIMIT :units
  ) shown)) AS text)
""")


async def feed(tx: Transaction, *, by: StaffActor, now: datetime) -> str:
    """As JSON. Raises NotPermitted for those who do not look over the county."""
    require_county_wide(by)
    found: str = await tx.scalar(
        _WALL,
        county_id=by.county_id,
        now=now,
        cards=MOST_CARDS,
        listed=MOST_LISTED,
        units=MOST_UNITS,
    )
    return found
