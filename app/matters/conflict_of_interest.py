"""Conflict of interest: who is kept from an evaluation, whatever their post. They had a part in the round, or a post where it was handled.

The command center may handle a matter itself, and calls back whoever was not satisfied: then its supervisors do, who handle
nothing. What somebody is kept from is for them not there.
"""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from app.auth.actor import StaffActor
from app.auth.posts import held_in
from app.db import Transaction
from app.matters.record import ACTIONS_OF_WORKERS, begins_round
from app.matters.visibility import viewer
from app.texts.outbox import MessageKind

# Of the survey `s`: its matter, and whatever that was joined to, where it was handled.
_HANDLED: Final = """
  WITH RECURSIVE handled AS (
    SELECT s.matter_id AS id
    UNION
    SELECT g.primary_id FROM handled h JOIN matter_facts g ON g.id = h.id WHERE g.primary_id IS NOT NULL
  )"""


def had_a_part(staff_id: str) -> str:
    """Whether the person signed, handled, answered or approved in the round that the survey `s` is about."""
    return f"""EXISTS ({_HANDLED}
  SELECT FROM handled h JOIN record_entry e ON e.matter_id = h.id
  WHERE e.staff_id = {staff_id} AND e.action IN ({ACTIONS_OF_WORKERS}) AND s.round = 1 + (
    SELECT count(*) FROM record_entry w WHERE w.matter_id = e.matter_id AND {begins_round("w")} AND w.seq < e.seq))"""  # noqa: S608 - constants, and a column or bind of our own


# Whether the asking person may not see the evaluation `s`. Where the calling desk handled the case itself, its supervisors may:
# they handle nothing. Binds: what `asking` has.
KEPT_FROM: Final = f"""({had_a_part(":staff_id")} OR EXISTS ({_HANDLED}
  SELECT FROM handled h JOIN assignment p ON p.matter_id = h.id AND p.round = s.round JOIN unit doer ON doer.id = p.unit_id
  WHERE p.state NOT IN ('handed_back', 'released') AND CASE doer.kind
    WHEN 'command_center' THEN NOT :supervises WHEN 'discipline' THEN false ELSE {held_in("doer.id")} END))"""
# The same of the text `m`: one that asks for an evaluation says by its state whether it was answered.
_ASKS: Final = ", ".join(f"'{one}'" for one in (MessageKind.SURVEY, MessageKind.SURVEY_REMINDER))
KEPT_FROM_TEXT: Final = f"""(m.kind IN ({_ASKS}) AND EXISTS (
  SELECT FROM (SELECT m.matter_id, m.round) s WHERE {KEPT_FROM}))"""
_OF_A_ROUND: Final = text(
    f"SELECT {KEPT_FROM} FROM (SELECT CAST(:matter_id AS uuid) AS matter_id, CAST(:round AS int) AS round) s"  # noqa: S608 - constants
)


def asking(by: StaffActor) -> dict[str, Any]:
    """The binds of KEPT_FROM, and of visibility.VISIBLE_TO_STAFF."""
    return {**viewer(by), "staff_id": by.staff_id}


async def keeps_from(tx: Transaction, by: StaffActor, *, matter_id: UUID, round_: int) -> bool:
    """Whether `by` is kept from how this round of a matter was evaluated, whether or not it was."""
    found: bool = await tx.scalar(_OF_A_ROUND, matter_id=matter_id, round=round_, **asking(by))
    return found
