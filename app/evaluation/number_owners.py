"""Whose number a matter's reporter is known by, and whether what comes from it counts as the reporter's own word.

A number of a unit, of the cadre who typed, or of many villagers at once speaks for nobody: such people are called.
Official numbers are read as of the moment when the round was answered: what is entered or removed later changes no round.
"""

from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from app.evaluation.terms import CallCause, Discount
from app.matters.matter import NAMES_COUNT_FOR
from app.settings import settings


class Owner(Struct, frozen=True):
    """What is known of a number and a matter. `of_handler`: of somebody who had a post in a unit that led or assisted."""

    on_behalf: bool
    of_unit: bool
    of_staff: bool
    of_handler: bool
    shared: bool

    @property
    def discount(self) -> Discount | None:
        """Why an answer from the number does not count; None where it does."""
        if self.of_handler:
            return Discount.OWN_CASE
        if self._cadres:
            return Discount.UNIT_NUMBER
        # Who signed in with the number and reported is its owner, however many others were registered under it.
        return Discount.SHARED_NUMBER if self.shared and self.on_behalf else None

    @property
    def call(self) -> CallCause | None:
        """Why the person has to be called instead of texted.

        Also where the number is listed as the handler's own: it may have been entered to silence a resident. Who turns out to
        be the handler is asked nothing (CallResult.HANDLER).
        """
        if self._cadres:
            return CallCause.UNIT_NUMBER
        if self.of_handler:
            return CallCause.OWN_CASE
        return CallCause.SHARED_NUMBER if self.discount is Discount.SHARED_NUMBER else None

    @property
    def _cadres(self) -> bool:
        # Staff who report something of their own, with their own number, are citizens like others.
        return self.of_unit or (self.of_staff and self.on_behalf)


def binds(now: datetime) -> dict[str, Any]:
    """The binds of `owner_columns`."""
    return {"names_since": now - NAMES_COUNT_FOR, "names": settings().shared_number_names}


# When the round was answered: the answering transaction owed the question.
_ANSWERED_AT: Final = """coalesce((
  SELECT o.created_at FROM outbox_message o
  WHERE o.once = 'survey/' || s.matter_id || '/' || s.round || '/' || s.citizen_id), s.created_at)"""
_OFFICIAL_THEN: Final = f"""official_number n
    WHERE n.phone_key = p.phone_key AND n.entered_at <= {_ANSWERED_AT} AND (n.removed_at IS NULL OR n.removed_at > {_ANSWERED_AT})"""
# Of the matter `g`, the number `p.phone_key` and the survey `s`. A matter that was joined to another was handled where the other
# was; a post counts that was held at any time since the matter came in.
_ON_BEHALF: Final = "g.entered_by_unit_id IS NOT NULL"
_OF_UNIT: Final = f"EXISTS (SELECT 1 FROM {_OFFICIAL_THEN} AND n.unit_id IS NOT NULL)"  # noqa: S608 - constants of ours
_OF_STAFF: Final = f"EXISTS (SELECT 1 FROM {_OFFICIAL_THEN} AND n.staff_id IS NOT NULL)"  # noqa: S608
OF_HANDLER: Final = f"""EXISTS (
    WITH RECURSIVE upward AS (
      SELECT g.id, g.primary_id
      UNION
      SELECT above.id, above.primary_id FROM upward u JOIN matter_facts above ON above.id = u.primary_id
    )
    SELECT 1 FROM {_OFFICIAL_THEN} AND EXISTS (
      SELECT 1 FROM post o JOIN assignment a ON a.unit_id = o.unit_id JOIN upward u ON u.id = a.matter_id
      WHERE o.staff_id = n.staff_id AND (o.valid_to IS NULL OR o.valid_to >= CAST(g.received_at AS date))))"""  # noqa: S608
_SHARED: Final = """(SELECT count(*) FROM (
    SELECT DISTINCT d.name_key FROM person_as_given d
    WHERE d.phone_key = p.phone_key AND d.given_at > :names_since LIMIT :names) AS d) >= :names"""


def owner_columns(field: str) -> str:
    """The SELECT list for a field that is an Owner."""
    parts = {
        "on_behalf": _ON_BEHALF,
        "of_unit": _OF_UNIT,
        "of_staff": _OF_STAFF,
        "of_handler": OF_HANDLER,
        "shared": _SHARED,
    }
    return ", ".join(f"{sql} AS {field}_{name}" for name, sql in parts.items())
