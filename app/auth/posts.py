"""The posts a person holds today, and which of them a session acts in."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from app.auth.actor import StaffActor
from app.auth.sessions import MOVED
from app.db import Transaction
from app.directory.queries import carries_on_for
from app.directory.terms import Role, UnitKind
from app.errors import NotFound

# Of the post `o`; binds MOVED.
_TODAY = """o.valid_from <= CAST(now() + :shift AS date)
  AND (o.valid_to IS NULL OR o.valid_to >= CAST(now() + :shift AS date))"""
_HELD = text(f"""
SELECT o.id, o.role, o.title, u.id AS unit_id, u.code AS unit_code, u.name AS unit_name, u.kind AS unit_kind,
  u.county_id, c.code AS county_code, c.name AS county_name
FROM post o
JOIN unit u ON u.id = o.unit_id
LEFT JOIN unit c ON c.id = u.county_id
WHERE o.staff_id = :staff_id AND {_TODAY}
ORDER BY o.valid_from, o.id
""").bindparams(MOVED)  # noqa: S608 - our own text
_SWITCH = text("UPDATE session SET post_id = :post_id WHERE id = :session_id")


@dataclass(frozen=True, slots=True)
class PostHeld:
    """A post with its unit and, where the unit is of a county, the county."""

    id: int
    role: Role
    title: str
    unit_id: int
    unit_code: str
    unit_name: str
    unit_kind: UnitKind
    county_id: int | None
    county_code: str | None
    county_name: str | None


def held_in(unit: str) -> str:
    """SQL: whether :staff_id has a post today in `unit` (SQL again), or in one that carries on for it. Binds MOVED too.

    In whichever post somebody acts: what concerns one of their units is not for them to decide in the other.
    """
    return f"""EXISTS (
  SELECT FROM post o WHERE o.staff_id = :staff_id AND {_TODAY} AND {unit} = ANY({carries_on_for("o.unit_id")}))"""


async def held(tx: Transaction, staff_id: int) -> list[PostHeld]:
    """In order: the post held longest comes first, and is the one a session starts in."""
    return [
        PostHeld(
            row.id,
            Role(row.role),
            row.title,
            row.unit_id,
            row.unit_code,
            row.unit_name,
            UnitKind(row.unit_kind),
            row.county_id,
            row.county_code,
            row.county_name,
        )
        for row in await tx.all(_HELD, staff_id=staff_id)
    ]


async def sits_in(tx: Transaction, by: StaffActor, kinds: Collection[UnitKind]) -> bool:
    """Whether the person has a post today, whichever they act in, in a unit of one of these kinds."""
    return any(post.unit_kind in kinds for post in await held(tx, by.staff_id))


def chosen(posts: Sequence[PostHeld], post_id: int | None) -> PostHeld | None:
    """The post asked for, or the first when none is."""
    return next((post for post in posts if post_id is None or post.id == post_id), None)


async def switch(
    tx: Transaction, session_id: UUID, *, staff_id: int, post_id: int
) -> list[PostHeld]:
    """From its next request on the session acts in this post; returns all posts."""
    posts = await held(tx, staff_id)
    post = chosen(posts, post_id)
    if post is None:
        raise NotFound("您没有这个岗位，或任期已结束。")
    await tx.execute(_SWITCH, session_id=session_id, post_id=post.id)
    return posts
