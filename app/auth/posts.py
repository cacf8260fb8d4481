"""The posts a person holds today, and which of them a session acts in."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from app.auth.actor import StaffActor
from app.db import Transaction
from app.db.query import Query
from app.directory.queries import TODAY, carries_on_for, taken_over_by
from app.directory.terms import Role, UnitKind
from app.errors import NotFound, NotPermitted

_TODAY = f"o.valid_from <= {TODAY} AND (o.valid_to IS NULL OR o.valid_to >= {TODAY})"


class _HeldPost(Struct, frozen=True):
    id: int
    role: Role
    title: str
    unit_id: int
    unit_code: str
    unit_name: str
    unit_kind: str
    county_id: int | None
    county_code: str | None
    county_name: str | None


_HELD = Query(
    _HeldPost,
    f"""
SELECT o.id, o.role, o.title, u.id AS unit_id, u.code AS unit_code, u.name AS unit_name, u.kind AS unit_kind,
  u.county_id, c.code AS county_code, c.name AS county_name
FROM post o
JOIN unit u ON u.id = o.unit_id
LEFT JOIN unit c ON c.id = u.county_id
WHERE o.staff_id = :staff_id AND {_TODAY}
ORDER BY o.valid_from, o.id
""",  # noqa: S608 - our own text
)


class _LastPost(Struct, frozen=True):
    unit_name: str
    valid_from: date
    valid_to: date | None
    unit_ended: date | None
    county_name: str
    today: date
    heir_name: str | None


# The post held last, or the first one to come: of a person who has none today.
_NONE_TODAY = Query(
    _LastPost,
    f"""
SELECT u.name AS unit_name, o.valid_from, o.valid_to, u.valid_to AS unit_ended, coalesce(c.name, '本县') AS county_name,
  {TODAY} AS today, heir.name AS heir_name
FROM post o JOIN unit u ON u.id = o.unit_id LEFT JOIN unit c ON c.id = u.county_id
LEFT JOIN unit heir ON heir.id <> u.id AND heir.id = {taken_over_by("id = u.id")}
WHERE o.staff_id = :staff_id ORDER BY o.valid_from > {TODAY}, o.valid_to DESC, o.id DESC LIMIT 1
""",  # noqa: S608 - conditions of our own
)
# A PIN is for one post.
_SWITCH = text("UPDATE session SET post_id = :post_id WHERE id = :session_id AND pin_id IS NULL")


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
    """SQL: whether :staff_id has a post today in `unit` (SQL again), or in one that carries on for it.

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
        for row in await _HELD.all(tx, staff_id=staff_id)
    ]


async def sits_in(tx: Transaction, by: StaffActor, kinds: Collection[UnitKind]) -> bool:
    """Whether the person has a post today, whichever they act in, in a unit of one of these kinds."""
    return any(post.unit_kind in kinds for post in await held(tx, by.staff_id))


async def none_held(tx: Transaction, staff_id: int) -> str:
    """What a person reads who may not sign in because the post asked for, or any post, is not held today; and what to do."""
    if await held(tx, staff_id):
        return "您没有所选的岗位，或任期已结束。请不选岗位直接登录，登录后可以切换到现任的岗位。"
    last = await _NONE_TODAY.one_or_none(tx, staff_id=staff_id)
    if last is None:
        return "您还没有岗位。请联系本县的系统管理员登记岗位，然后再登录。"
    ask = f"请联系{last.county_name}的系统管理员"
    if last.valid_from > last.today:
        return f"您在{last.unit_name}的任期从{_day(last.valid_from)}开始，届时再登录。现在就须登录的，{ask}。"
    if last.unit_ended is not None and last.unit_ended < last.today:
        carries_on = f"未了事项由{last.heir_name}接着办。" if last.heir_name else ""
        return f"您任职的{last.unit_name}已于{_day(last.unit_ended)}撤销，{carries_on}{ask}登记您的新岗位，然后再登录。"
    assert last.valid_to is not None, "it would be held today"
    return f"您在{last.unit_name}的任期已于{_day(last.valid_to)}结束。如仍在岗，{ask}登记新的任期。"


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


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
    if not await tx.execute(_SWITCH, session_id=session_id, post_id=post.id):
        raise NotPermitted("用 PIN 登录的不能切换岗位，请用密码登录后再切换。")
    return posts
