"""The people of the invented year: staff at each unit's desk, and the citizens who report."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from sqlalchemy import text

from app.auth.actor import StaffActor
from app.calendars.reading import calendar_of
from app.calendars.working_time import WorkingCalendar
from app.db import Transaction
from app.db.query import Query
from app.directory.terms import Role, UnitKind
from qungong.dev.sample import COUNTY, Post, employ

_UNITS: Final = text("""
SELECT u.id, u.code, u.name, u.short_name, u.kind, u.head_approves, p.code AS parent_code
FROM unit u JOIN unit c ON c.id = u.county_id LEFT JOIN unit p ON p.id = u.parent_id
WHERE c.code = :county AND u.valid_to IS NULL ORDER BY u.code
""")
_ACTORS: Final = Query(
    StaffActor,
    """
SELECT s.id AS staff_id, o.id AS post_id, o.role, u.id AS unit_id, u.kind AS unit_kind, u.name AS unit_name, u.code AS unit_code,
  u.county_id, s.name
FROM post o JOIN staff s ON s.id = o.staff_id JOIN unit u ON u.id = o.unit_id JOIN unit c ON c.id = u.county_id
WHERE c.code = :county AND s.active AND o.valid_to IS NULL ORDER BY o.id
""",
)
_CATEGORIES: Final = text("SELECT id, path FROM category WHERE active")
# Who sits at the desk of each kind of unit, and what the post is called.
_DESKS: Final = {
    UnitKind.VILLAGE: ((Role.VILLAGE_CADRE, "", "村(社区)干部"),),
    UnitKind.TOWNSHIP: ((Role.TOWNSHIP_CLERK, "", "群工办干事"), (Role.UNIT_HEAD, "_head", "镇街负责人")),
    UnitKind.DEPARTMENT: ((Role.UNIT_HANDLER, "", "科员"), (Role.UNIT_HEAD, "_head", "局长")),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Office:
    """A unit and who acts for it."""

    code: str
    name: str
    short_name: str
    kind: UnitKind
    parent_code: str | None
    head_approves: bool
    posts: dict[Role, StaffActor] = field(default_factory=dict)

    @property
    def desk(self) -> StaffActor:
        """Who takes in, signs and reports."""
        return next(self.posts[role] for role in _AT_THE_DESK if role in self.posts)

    @property
    def head(self) -> StaffActor:
        return self.posts.get(Role.UNIT_HEAD, self.desk)

    @property
    def answers(self) -> StaffActor:
        return self.head if self.head_approves else self.desk


_AT_THE_DESK: Final = (
    Role.VILLAGE_CADRE,
    Role.TOWNSHIP_CLERK,
    Role.UNIT_HANDLER,
    Role.DISPATCHER,
    Role.UNIT_HEAD,
    Role.SUPERVISOR,
    Role.LEADER,
)


@dataclass(frozen=True, slots=True)
class County:
    """The county as the invented year finds it."""

    id: int
    offices: dict[str, Office]
    villages: tuple[Office, ...]
    townships: tuple[Office, ...]
    departments: tuple[Office, ...]
    center: Office
    discipline: Office
    leader: StaffActor
    supervisor: StaffActor
    # Calls back about what the first of the discipline commission answered.
    inspector: StaffActor
    categories: dict[str, int]
    calendar: WorkingCalendar

    def township_of(self, village: Office) -> Office:
        assert village.parent_code is not None, "a village stands under a township"
        return self.offices[village.parent_code]


async def staff_every_desk(tx: Transaction, words: "Names", rng: Random) -> int:
    """Invent somebody for each desk where nobody sits; the account is the unit's code. Returns how many."""
    sitting = {(one.unit_code, one.role) for one in await _ACTORS.all(tx, county=COUNTY)}
    wanted = [
        Post(row.code + suffix, words.person(rng), row.code, row.short_name, role, title)
        for row in await tx.all(_UNITS, county=COUNTY)
        for role, suffix, title in _DESKS.get(UnitKind(row.kind), ())
        if (row.code, role) not in sitting
    ]
    if wanted:
        await employ(tx, wanted)
    return len(wanted)


async def read(tx: Transaction) -> County:
    offices = {row.code: _office(row) for row in await tx.all(_UNITS, county=COUNTY)}
    actors = await _ACTORS.all(tx, county=COUNTY)
    for actor in actors:
        # The first in a role acts; others of the unit look on. A unit that has ended may still have posts.
        if actor.unit_code in offices:
            offices[actor.unit_code].posts.setdefault(actor.role, actor)
    whole = offices[COUNTY]
    leader = whole.posts[Role.LEADER]
    assert leader.county_id is not None, "a post of the county's own"
    center = _of(offices.values(), UnitKind.COMMAND_CENTER)[0]
    discipline = _of(offices.values(), UnitKind.DISCIPLINE)[0]
    inspectors = [one for one in actors if (one.unit_code, one.role) == (discipline.code, Role.SUPERVISOR)]  # fmt: skip
    return County(
        id=leader.county_id,
        offices=offices,
        villages=_of(offices.values(), UnitKind.VILLAGE),
        townships=_of(offices.values(), UnitKind.TOWNSHIP),
        departments=_of(offices.values(), UnitKind.DEPARTMENT),
        center=center,
        discipline=discipline,
        leader=leader,
        supervisor=center.posts[Role.SUPERVISOR],
        inspector=inspectors[-1],
        categories={row.path: row.id for row in await tx.all(_CATEGORIES)},
        calendar=await calendar_of(tx, leader.county_id),
    )


@dataclass(frozen=True, slots=True)
class Names:
    surnames: str
    given: Sequence[str]

    def person(self, rng: Random) -> str:
        return rng.choice(self.surnames) + rng.choice(self.given)


@dataclass(frozen=True, slots=True)
class Reporter:
    """Somebody who reports; `phone` in E.164. `number` tells them apart within the year."""

    number: int
    name: str
    phone: str | None


def _of(offices: Iterable[Office], kind: UnitKind) -> tuple[Office, ...]:
    """Those of the kind where somebody can act."""
    return tuple(one for one in offices if one.kind is kind and one.posts)


def _office(row: Any) -> Office:
    return Office(
        row.code, row.name, row.short_name, UnitKind(row.kind), row.parent_code, row.head_approves
    )
