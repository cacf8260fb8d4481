"""工作提醒: whoever is carded, reminded or supervised is texted to sign in and look, once a day at most. The text says nothing else.

It goes to numbers that the administrator has entered as staff's or units' own (docs/adr/0023); nobody learns from it of a
sealed case, nor of which case, card or person it is.
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import text

from app import keys
from app.clock import SHANGHAI
from app.db import Transaction
from app.directory import official_numbers
from app.outbox import MessageKind, announce_to_numbers
from app.settings import settings

# Cards come at midnight and reminders when the office opens: one text for both, when people are at work.
_FROM: Final = time(9, 30)
_UNTIL: Final = time(19, 30)
# The person's own numbers; the unit's; those of its head and, in a village, of its cadres, as of today.
_NUMBERS: Final = text("""
SELECT n.id, n.phone_key, n.phone_sealed FROM official_number n
WHERE n.removed_at IS NULL AND n.unit_id = ANY(CAST(:units AS int[]))
UNION
SELECT n.id, n.phone_key, n.phone_sealed FROM official_number n
WHERE n.removed_at IS NULL AND n.staff_id IN (
  SELECT id FROM unnest(CAST(:people AS int[])) AS p(id)
  UNION SELECT o.staff_id FROM post o WHERE o.unit_id = ANY(CAST(:units AS int[])) AND o.role IN ('unit_head', 'village_cadre')
    AND o.valid_from <= CURRENT_DATE AND (o.valid_to IS NULL OR o.valid_to >= CURRENT_DATE))
""")


async def owe_notices(
    tx: Transaction, *, units: Iterable[int], people: Iterable[int], now: datetime
) -> int:
    """Owe a text to these units and people, unless they are owed one for that day; returns how many are owed one now."""
    asked = sorted(set(units))
    if not asked or not settings().staff_notices:
        return 0
    rows = await tx.all(_NUMBERS, units=asked, people=sorted(set(people)))
    due_at = when(now)
    day = due_at.astimezone(SHANGHAI).date()
    numbers = {
        f"staff/{row.phone_key.hex()}/{day}": phone
        for row in rows
        if (phone := _number(row)) is not None
    }
    if not numbers:
        return 0
    return await announce_to_numbers(
        tx, MessageKind.STAFF_NOTICE, numbers.items(), now=now, due_at=due_at
    )


def _number(row: Any) -> str | None:
    """A number that cannot be read gets no text: it must not stop the cards."""
    try:
        return keys.decrypt(row.phone_sealed, official_numbers.phone_place(row.id))
    except keys.Unreadable:
        return None


def when(now: datetime) -> datetime:
    """Now, if that is by day; else the next morning."""
    local = now.astimezone(SHANGHAI)
    if _FROM <= local.time() < _UNTIL:
        return now
    day = local.date() + timedelta(days=local.time() >= _UNTIL)
    return datetime.combine(day, _FROM, SHANGHAI)
