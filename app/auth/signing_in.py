"""Staff sign in with account and password. A try counts before the password is looked at, so that none goes uncounted.

Opens its own transactions, unlike other use cases: a wrong try must stay although the request is refused, and no
connection may be held while a password is checked.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from app import keys
from app.auth import limits, passwords, posts
from app.auth.limits import Limit
from app.auth.models import FailedSignIn, Session
from app.auth.posts import PostHeld
from app.auth.sessions import MOVED, STAFF_SESSION, open_session
from app.db import Transaction, transaction
from app.errors import NotPermitted, TooMany, Unavailable, WrongCredentials
from app.identifiers import uuid7

# One person mistyping at one place.
PER_ACCOUNT_AND_ADDRESS = Limit(5, timedelta(minutes=15))
# Somebody trying one account from many places, or many accounts from one. Where the account has signed in before these
# do not apply: else anybody could keep a colleague out by trying her account from elsewhere, or a whole office behind
# one address by trying from there.
PER_ACCOUNT = Limit(50, timedelta(hours=1))
PER_ADDRESS = Limit(100, timedelta(hours=1))
_KNOWN_DAYS = 30
_KEPT = timedelta(days=1)

_PAIR = "failed_sign_in WHERE account_key = :account_key AND address_key = :address_key"
_BEFORE = text(f"""
SELECT now() AS moment,
  {limits.nth_newest(PER_ACCOUNT_AND_ADDRESS, "at", _PAIR)} AS pair,
  {limits.nth_newest(PER_ACCOUNT, "at", "failed_sign_in WHERE account_key = :account_key")} AS account,
  {limits.nth_newest(PER_ADDRESS, "at", "failed_sign_in WHERE address_key = :address_key")} AS address,
  p.id AS staff_id, p.password_hash,
  EXISTS (
    SELECT FROM session s
    WHERE s.staff_id = p.id AND s.address_key = :address_key
      AND s.created_at > now() + :shift - make_interval(days => {_KNOWN_DAYS})
  ) AS known_here
FROM (VALUES (1)) AS always
LEFT JOIN staff p ON p.account = :account AND p.active
""").bindparams(MOVED)  # noqa: S608 - constants of ours
_FORGET_TRY = text("DELETE FROM failed_sign_in WHERE id = :id")
_FORGET_PAIR = text(f"DELETE FROM {_PAIR}")  # noqa: S608 - constants of ours
_FORGET_OLD = text("DELETE FROM failed_sign_in WHERE at < :before")
_NAME = text("SELECT name FROM staff WHERE id = :staff_id")


@dataclass(frozen=True, slots=True)
class StaffSignedIn:
    """What signing in yields; the token is told this once."""

    token: str
    session: Session
    name: str
    post: PostHeld
    posts: list[PostHeld]


@dataclass(frozen=True, slots=True)
class _Try:
    id: UUID
    account_key: bytes
    address_key: bytes
    staff_id: int | None
    password_hash: str | None


async def sign_in(
    account: str, password: str, *, address_key: bytes, device: str, post_id: int | None = None
) -> StaffSignedIn:
    """Raises TooMany before, and WrongCredentials after looking at the password; for unknown accounts just so."""
    async with transaction() as tx:
        this = await _counted(tx, account, address_key)
    try:
        right = await passwords.verify(password, this.password_hash)
    except Unavailable:
        async with transaction() as tx:  # nobody looked at it
            await tx.execute(_FORGET_TRY, id=this.id)
        raise
    if not right or this.staff_id is None:
        raise WrongCredentials
    async with transaction() as tx:
        await tx.execute(_FORGET_PAIR, account_key=this.account_key, address_key=address_key)
        signed_in = await _open(tx, this.staff_id, post_id, address_key, device)
        told = "" if signed_in else await posts.none_held(tx, this.staff_id)
    if signed_in is None:
        raise NotPermitted(told)
    return signed_in


async def forget_old(tx: Transaction) -> int:
    """Drop tries too old to count; returns how many."""
    return await tx.execute(_FORGET_OLD, before=await tx.now() - _KEPT)


async def _counted(tx: Transaction, account: str, address_key: bytes) -> _Try:
    account_key = keys.lookup("account", account)
    await limits.one_at_a_time(tx, account_key, address_key)
    before = (
        await tx.all(_BEFORE, account=account, account_key=account_key, address_key=address_key)
    )[0]
    tx.began(before.moment)
    now = await tx.now()
    reached = [(PER_ACCOUNT_AND_ADDRESS, before.pair)]
    if not before.known_here:
        reached += [(PER_ACCOUNT, before.account), (PER_ADDRESS, before.address)]
    if wait := limits.seconds_to_wait(reached, now):
        raise TooMany("密码错误次数过多，请稍后再试。忘记密码请联系系统管理员。", retry_after=wait)
    this = uuid7(now)
    tx.add(FailedSignIn(id=this, account_key=account_key, address_key=address_key, at=now))
    return _Try(this, account_key, address_key, before.staff_id, before.password_hash)


async def _open(
    tx: Transaction, staff_id: int, post_id: int | None, address_key: bytes, device: str
) -> StaffSignedIn | None:
    held = await posts.held(tx, staff_id)
    post = posts.chosen(held, post_id)
    if post is None:
        return None
    token, session = open_session(
        tx,
        now=await tx.now(),
        device=device,
        lasts=STAFF_SESSION,
        staff_id=staff_id,
        post_id=post.id,
        address_key=address_key,
    )
    return StaffSignedIn(token, session, await tx.scalar(_NAME, staff_id=staff_id), post, held)
