"""Actors: the staff member, citizen or system on whose behalf something is done. Pure; always passed, never ambient."""

from typing import Final
from uuid import UUID

from msgspec import Struct

from app.directory.terms import ACTING_ROLES, COUNTY_WIDE_ROLES, Role, UnitKind


class StaffActor(Struct, frozen=True):
    """A person in one of their posts, as the database has it at this request."""

    staff_id: int
    post_id: int
    role: Role
    unit_id: int
    unit_kind: UnitKind
    unit_name: str
    unit_code: str
    county_id: int | None
    name: str

    @property
    def acts(self) -> bool:
        """Whether this post may act for its unit on the cases the unit holds."""
        return self.role in ACTING_ROLES

    @property
    def dispatches(self) -> bool:
        """The head of the command center may do all that its dispatchers may."""
        of_center = self.unit_kind is UnitKind.COMMAND_CENTER
        return self.role is Role.DISPATCHER or (self.role is Role.UNIT_HEAD and of_center)

    @property
    def sees_county(self) -> bool:
        return self.role in COUNTY_WIDE_ROLES or self.dispatches


class CitizenActor(Struct, frozen=True):
    citizen_id: UUID
    village_id: int | None


class SystemActor(Struct, frozen=True):
    """The system itself: closings and other steps that a clock takes."""


def owner_of(by: StaffActor | CitizenActor) -> str:
    """Whom something is counted for or kept for."""
    return f"staff:{by.staff_id}" if isinstance(by, StaffActor) else f"citizen:{by.citizen_id}"


Actor = StaffActor | CitizenActor | SystemActor
SYSTEM: Final = SystemActor()
