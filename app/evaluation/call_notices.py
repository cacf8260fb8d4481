"""Texts to those who make return calls, once a day where one is open that they may make. Tells nobody when somebody answered.

A text at the moment of an answer would tell it; so all are owed at one hour of the day, whatever came in since.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import text

from app.auth.actor import StaffActor
from app.db import Transaction
from app.db.query import Query
from app.evaluation import privacy_role
from app.matters import conflict_of_interest, notices
from app.matters.visibility import VISIBLE_TO_STAFF
from app.settings import NoticeKind

# Those with a number of their own; the unit's phone is anybody's. Nobody is texted about a sealed case, which other desks call about.
_CALLERS: Final = Query(
    StaffActor,
    """
SELECT DISTINCT s.id AS staff_id, o.id AS post_id, o.role, u.id AS unit_id, u.kind AS unit_kind, u.name AS unit_name, u.code AS unit_code,
  u.county_id, s.name
FROM unit u JOIN post o ON o.unit_id = u.id JOIN staff s ON s.id = o.staff_id
WHERE u.kind = 'command_center' AND o.role IN ('dispatcher', 'supervisor', 'unit_head') AND s.active
  AND o.valid_from <= CAST(:today AS date) AND (o.valid_to IS NULL OR o.valid_to >= CAST(:today AS date))
  AND EXISTS (SELECT FROM official_number n WHERE n.staff_id = s.id AND n.removed_at IS NULL)
""",
)
_HAS_ONE: Final = text(f"""
SELECT EXISTS (
  SELECT FROM surveys.return_call r JOIN surveys.survey s ON s.id = r.survey_id JOIN matter_facts c ON c.id = s.matter_id
  WHERE r.state = 'open' AND NOT c.sealed AND {VISIBLE_TO_STAFF} AND NOT {conflict_of_interest.KEPT_FROM})
""")  # noqa: S608 - constants of our own


async def owe_call_notices(tx: Transaction, *, now: datetime) -> int:
    """Owe a text to each who has a call to make, unless they are owed one for this day; returns how many are owed one now."""
    await privacy_role.enter(tx)
    people = [
        by.staff_id
        for by in await _CALLERS.all(tx)
        if await tx.scalar(_HAS_ONE, **conflict_of_interest.asking(by))
    ]
    return await notices.owe_texts(tx, NoticeKind.CALLS, units=[], people=people, now=now)
