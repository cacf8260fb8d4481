"""Sessions: who a token belongs to, as the database has it now. The token itself says nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Interval, bindparam, text

from app import clock, idempotency, keys
from app.auth.actor import CitizenActor, StaffActor
from app.auth.models import Session
from app.db import Transaction
from app.db.query import Query
from app.directory.queries import carried_on_by
from app.directory.terms import Role
from app.errors import NotFound, SignInRequired
from app.idempotency import Given, KeptAnswer
from app.identifiers import uuid7

STAFF_SESSION = timedelta(hours=12)
CITIZEN_SESSION = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class ValidSession:
    """A session that has not ended, and who acts in it."""

    id: UUID
    actor: StaffActor


# Kept after their end, for signing_in.py and codes.py to know where somebody has signed in before.
_KEPT = timedelta(days=90)

# How far the clock is moved, for statements that compare with `now() + :shift`: see app/clock.py.
MOVED = bindparam("shift", type_=Interval(), callable_=clock.shift)

# One statement: the session, the person as they are now, the moment, and an answer already given under the same key.


class _StaffSession(Struct, frozen=True):
    """A session with the post that its person acts in; `kept`: the answer already given under the key."""

    moment: datetime
    session_id: UUID
    actor: StaffActor
    kept: KeptAnswer | None


_STAFF = Query(
    _StaffSession,
    """
SELECT now() AS moment, s.id AS session_id, p.id AS actor_staff_id, o.id AS actor_post_id, o.role AS actor_role,
  u.id AS actor_unit_id, u.kind AS actor_unit_kind, u.name AS actor_unit_name, u.code AS actor_unit_code,
  u.county_id AS actor_county_id, p.name AS actor_name,
  g.request_digest AS kept_request_digest, g.status AS kept_status, g.body_sealed AS kept_body_sealed
FROM session s
JOIN staff p ON p.id = s.staff_id AND p.active
JOIN post o ON o.id = s.post_id AND o.staff_id = p.id
  AND o.valid_from <= CAST(now() + :shift AS date)
  AND (o.valid_to IS NULL OR o.valid_to >= CAST(now() + :shift AS date))
JOIN unit u ON u.id = o.unit_id
LEFT JOIN given_answer g ON g.owner = 'staff:' || p.id AND g.key = :key
WHERE s.token_digest = :digest AND s.revoked_at IS NULL AND s.expires_at > now() + :shift
""",
).bindparams(MOVED)
# The same for sessions known already, by their ids.
_VALID = Query(
    ValidSession,
    """
SELECT s.id, p.id AS actor_staff_id, o.id AS actor_post_id, o.role AS actor_role, u.id AS actor_unit_id,
  u.kind AS actor_unit_kind, u.name AS actor_unit_name, u.code AS actor_unit_code, u.county_id AS actor_county_id,
  p.name AS actor_name
FROM session s
JOIN staff p ON p.id = s.staff_id AND p.active
JOIN post o ON o.id = s.post_id AND o.staff_id = p.id
  AND o.valid_from <= CAST(:today AS date)
  AND (o.valid_to IS NULL OR o.valid_to >= CAST(:today AS date))
JOIN unit u ON u.id = o.unit_id
WHERE s.id = ANY(CAST(:ids AS uuid[])) AND s.revoked_at IS NULL AND s.expires_at > :now
""",
)
# The post ended with its unit: the session goes on in the post that the same person has in the unit that carries on.
_FOLLOW = text(f"""
UPDATE session s SET post_id = n.id
FROM post o CROSS JOIN LATERAL (
  SELECT n.id FROM post n
  WHERE n.staff_id = o.staff_id AND n.role = o.role
    AND n.unit_id = {carried_on_by("id = o.unit_id", today="CAST(now() + :shift AS date)")}
    AND n.valid_from <= CAST(now() + :shift AS date)
    AND (n.valid_to IS NULL OR n.valid_to >= CAST(now() + :shift AS date))
  ORDER BY n.id LIMIT 1
) n
WHERE o.id = s.post_id AND o.valid_to < CAST(now() + :shift AS date)
  AND s.token_digest = :digest AND s.revoked_at IS NULL AND s.expires_at > now() + :shift
""").bindparams(MOVED)  # noqa: S608 - conditions of our own


class _CitizenSession(Struct, frozen=True):
    """A citizen's session; `kept`: the answer already given under the key."""

    moment: datetime
    session_id: UUID
    actor: CitizenActor
    kept: KeptAnswer | None


_CITIZEN = Query(
    _CitizenSession,
    """
SELECT now() AS moment, s.id AS session_id, c.id AS actor_citizen_id, c.village_id AS actor_village_id,
  g.request_digest AS kept_request_digest, g.status AS kept_status, g.body_sealed AS kept_body_sealed
FROM session s
JOIN citizen c ON c.id = s.citizen_id
LEFT JOIN given_answer g ON g.owner = 'citizen:' || c.id AND g.key = :key
WHERE s.token_digest = :digest AND s.revoked_at IS NULL AND s.expires_at > now() + :shift
""",
).bindparams(MOVED)


class _ListedSession(Struct, frozen=True):
    id: UUID
    device: str
    created_at: datetime
    expires_at: datetime
    role: Role | None
    unit_name: str | None


_LIST = Query(
    _ListedSession,
    """
SELECT s.id, s.device, s.created_at, s.expires_at, o.role, u.name AS unit_name
FROM session s
LEFT JOIN post o ON o.id = s.post_id
LEFT JOIN unit u ON u.id = o.unit_id
WHERE (s.staff_id = :staff_id OR s.citizen_id = :citizen_id)
  AND s.revoked_at IS NULL AND s.expires_at > now() + :shift
ORDER BY s.created_at DESC, s.id DESC LIMIT 200
""",
).bindparams(MOVED)
_REVOKE = text("""
UPDATE session SET revoked_at = :now
WHERE id = :id AND (staff_id = :staff_id OR citizen_id = :citizen_id)
  AND revoked_at IS NULL AND expires_at > :now
""")
_FORGET_OLD = text("DELETE FROM session WHERE expires_at < :before")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a token belongs to. `given`: the digest, status and body of an answer already given under the key."""

    actor: StaffActor | CitizenActor
    session_id: UUID
    owner: str
    given: Given | None

    @property
    def staff(self) -> StaffActor:
        """Of a session of staff."""
        assert isinstance(self.actor, StaffActor), "a session of staff"
        return self.actor

    @property
    def acting(self) -> str:
        """In which of the owner's posts; empty for citizens."""
        return f"post:{self.actor.post_id}" if isinstance(self.actor, StaffActor) else ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A session as its owner sees it; `role` and `unit_name` are empty for citizens."""

    id: UUID
    device: str
    created_at: datetime
    expires_at: datetime
    role: Role | None
    unit_name: str | None
    current: bool


async def staff_by_token(tx: Transaction, token: str, *, key: str | None) -> SignedIn:
    """Raises SignInRequired for a token unknown, ended, revoked, or whose person or post is no longer valid.

    A post that moved to the successor of a unit is followed there.
    """
    digest = keys.token_digest(token)
    row = await _STAFF.one_or_none(tx, digest=digest, key=key)
    if row is None and await tx.execute(_FOLLOW, digest=digest):
        row = await _STAFF.one_or_none(tx, digest=digest, key=key)
    if row is None:
        raise SignInRequired
    tx.began(row.moment)
    owner = f"staff:{row.actor.staff_id}"
    return SignedIn(row.actor, row.session_id, owner, _given(row.kept, owner, key))


async def valid_sessions(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, StaffActor]:
    """Those sessions of staff that have not ended, with their actors as the database has them now."""
    found = await _VALID.all(tx, ids=list(ids))
    return {one.id: one.actor for one in found}


async def citizen_by_token(tx: Transaction, token: str, *, key: str | None) -> SignedIn:
    """Raises SignInRequired for a token unknown, ended or revoked."""
    row = await _CITIZEN.one_or_none(tx, digest=keys.token_digest(token), key=key)
    if row is None:
        raise SignInRequired
    tx.began(row.moment)
    owner = f"citizen:{row.actor.citizen_id}"
    return SignedIn(row.actor, row.session_id, owner, _given(row.kept, owner, key))


def _given(kept: KeptAnswer | None, owner: str, key: str | None) -> Given | None:
    return None if kept is None else idempotency.opened(kept, owner, key or "")


def open_session(
    tx: Transaction,
    *,
    now: datetime,
    device: str,
    lasts: timedelta,
    staff_id: int | None = None,
    post_id: int | None = None,
    citizen_id: UUID | None = None,
    address_key: bytes | None = None,
    device_digest: bytes | None = None,
    pin_id: UUID | None = None,
) -> tuple[str, Session]:
    """A new session and its token, which is told once and stored only as a digest."""
    token = keys.new_token()
    session = Session(
        id=uuid7(now),
        token_digest=keys.token_digest(token),
        staff_id=staff_id,
        post_id=post_id,
        citizen_id=citizen_id,
        address_key=address_key,
        device_digest=device_digest,
        pin_id=pin_id,
        device=device[:120],
        created_at=now,
        expires_at=now + lasts,
    )
    tx.add(session)
    return token, session


async def listed(tx: Transaction, owner: SignedIn) -> list[Listed]:
    """Where the owner is signed in now, newest first."""
    rows = await _LIST.all(tx, **_of(owner))
    return [
        Listed(
            row.id,
            row.device,
            row.created_at,
            row.expires_at,
            None if row.role is None else Role(row.role),
            row.unit_name,
            row.id == owner.session_id,
        )
        for row in rows
    ]


async def revoke(tx: Transaction, session_id: UUID, *, by: SignedIn) -> None:
    """End a session of one's own, at once; somebody else's is not there."""
    ended = await tx.execute(_REVOKE, id=session_id, now=await tx.now(), **_of(by))
    if ended == 0:
        raise NotFound


async def forget_old(tx: Transaction) -> int:
    """Drop sessions long ended; returns how many."""
    return await tx.execute(_FORGET_OLD, before=await tx.now() - _KEPT)


def _of(owner: SignedIn) -> dict[str, int | UUID | None]:
    actor = owner.actor
    if isinstance(actor, StaffActor):
        return {"staff_id": actor.staff_id, "citizen_id": None}
    return {"staff_id": None, "citizen_id": actor.citizen_id}
