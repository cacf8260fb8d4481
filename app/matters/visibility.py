"""The predicate that decides who may see a matter: the same for lists, details, and all that belongs to a matter."""

from typing import Any, Final

from app.auth.actor import StaffActor
from app.directory.terms import Role
from app.matters.sealed_matters import has_post


def visible_to_staff(viewer: str = ":") -> str:
    """SQL: whether the viewer may see `c`, a row of matter_facts or of a kind's own table.

    `viewer` stands before the names that `viewer()` has: a colon for binds, or the alias of rows that have them as columns. A
    sealed matter is for supervisors of the unit that holds it, and never for the accused unit nor for whoever has a post there
    besides; for all others it does not exist.
    """
    return f"""(
  CASE WHEN c.sealed
    THEN {viewer}supervises AND c.holder_unit_id = {viewer}unit_id AND c.accused_unit_id IS DISTINCT FROM {viewer}unit_id
      AND NOT {has_post(f"{viewer}viewer_id", "c.accused_unit_id")}
    ELSE {viewer}acts_or_looks AND (
      ({viewer}sees_county AND c.county_id = {viewer}county_id)
      OR EXISTS (SELECT 1 FROM matter_party p WHERE p.matter_id = c.id AND p.unit_id = {viewer}unit_id))
  END)"""  # noqa: S608 - binds and columns of our own


VISIBLE_TO_STAFF: Final = visible_to_staff()
VISIBLE_TO_CITIZEN = "c.citizen_id = :citizen_id"


def viewer(by: StaffActor) -> dict[str, Any]:
    """The binds of VISIBLE_TO_STAFF."""
    return {
        "viewer_id": by.staff_id,
        "unit_id": by.unit_id,
        "county_id": by.county_id,
        "acts_or_looks": by.acts or by.sees_county,
        "sees_county": by.sees_county,
        "supervises": by.role is Role.SUPERVISOR,
    }
