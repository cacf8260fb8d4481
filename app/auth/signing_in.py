"""Staff sign in with account and password. A try counts before the password is looked at, so that none goes uncounted.

Opens its own transactions, unlike other use cases: a wrong try must stay although the request is refused, and no
connection may be held while a password is checked.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from app import keys
from app.auth import devices, limits, passwords, posts
from app.auth.devices import Device, Place
from app.auth.limits import Pace
from app.auth.models import FailedSignIn, Session
from app.auth.posts import PostHeld
from app.auth.sessions import MOVED, STAFF_SESSION, open_session
from app.chinese_text import strip_invisible
from app.db import Transaction, transaction
from app.db.query import Query
from app.errors import NotPermitted, TooMany, Unavailable, WrongCredentials
from app.identifiers import uuid7

# Wrong passwords make the next try wait, and never shut anybody out; docs/adr/0029 has the arithmetic. At one place, and
# on one device that is known to the account:
PER_ACCOUNT_AND_ADDRESS = Pace(5, timedelta(days=1), timedelta(seconds=2), timedelta(minutes=5))
# One account from many places, or many accounts from one. Where the account has signed in before these do not apply.
PER_ACCOUNT = Pace(20, timedelta(hours=1), timedelta(seconds=30), timedelta(minutes=2))
PER_ADDRESS = Pace(100, timedelta(hours=1), timedelta(seconds=15), timedelta(minutes=1))
_KNOWN_DAYS = 90
_KEPT = timedelta(days=2)

_BY_ACCOUNT = "failed_sign_in WHERE account_key = :account_key"
_PAIR = f"{_BY_ACCOUNT} AND address_key = :address_key AND device_digest IS NULL"
_DEVICE = f"{_BY_ACCOUNT} AND device_digest = :device"
_LATELY = f"s.created_at > now() + :shift - make_interval(days => {_KNOWN_DAYS})"


class _TriesBefore(Struct, frozen=True):
    moment: datetime
    pair: list[datetime] | None
    on_device: list[datetime] | None
    account: list[datetime] | None
    address: list[datetime] | None
    staff_id: int | None
    password_hash: str | None
    known_here: bool
    known_device: bool


_BEFORE = Query(
    _TriesBefore,
    f"""
SELECT now() AS moment,
  {limits.lately(PER_ACCOUNT_AND_ADDRESS, _PAIR)} AS pair,
  {limits.lately(PER_ACCOUNT_AND_ADDRESS, _DEVICE)} AS on_device,
  {limits.lately(PER_ACCOUNT, f"{_BY_ACCOUNT} AND device_digest IS NULL")} AS account,
  {limits.lately(PER_ADDRESS, "failed_sign_in WHERE address_key = :address_key AND device_digest IS NULL")} AS address,
  p.id AS staff_id, p.password_hash,
  EXISTS (SELECT FROM session s WHERE s.staff_id = p.id AND s.address_key = :address_key AND {_LATELY}) AS known_here,
  EXISTS (SELECT FROM session s WHERE s.device_digest = :device AND s.staff_id = p.id AND {_LATELY}) AS known_device
FROM (VALUES (1)) AS always
LEFT JOIN LATERAL (
  SELECT id, password_hash FROM staff WHERE lower(account) = :account AND active
  ORDER BY account = :typed DESC, id LIMIT 1) p ON true
""",  # noqa: S608 - constants of ours
).bindparams(MOVED)
_FORGET_TRY = text("DELETE FROM failed_sign_in WHERE id = :id")
_FORGET_PAIR = text(f"DELETE FROM {_PAIR}")  # noqa: S608 - constants of ours
_FORGET_ON_DEVICE = text(f"DELETE FROM {_DEVICE}")  # noqa: S608 - constants of ours
_FORGET_OLD = text("DELETE FROM failed_sign_in WHERE at < :before")
_ANOTHER_WAY = "在以前登录过的设备上，或换一个网络（如手机流量）登录，不受影响。"
_FORGOTTEN = "忘记密码请联系系统管理员。"
# The password also gives the person's PIN on this device its tries back, for thirty days more.
PIN_LASTS = timedelta(days=30)
_NAME_AND_RENEWED = text("""
WITH renewed AS (
  UPDATE staff_pin SET tries = 0, expires_at = :until WHERE staff_id = :staff_id AND device_digest = :device AND revoked_at IS NULL
    AND expires_at > CAST(:now AS timestamptz)
)
SELECT name FROM staff WHERE id = :staff_id
""")


@dataclass(frozen=True, slots=True)
class StaffSignedIn:
    """What signing in yields; the token is told this once."""

    token: str
    session: Session
    name: str
    post: PostHeld
    posts: list[PostHeld]
    device: Device


@dataclass(frozen=True, slots=True)
class _Try:
    id: UUID
    account_key: bytes
    address_key: bytes
    staff_id: int | None
    password_hash: str | None
    known_device: Device | None


def account_form(typed: str) -> str:
    """An account however it was typed: Gongnong, ｇｏｎｇｎｏｎｇ."""
    return "".join(unicodedata.normalize("NFKC", strip_invisible(typed)).split()).lower()


async def sign_in(
    account: str, password: str, *, place: Place, post_id: int | None = None
) -> StaffSignedIn:
    """Raises TooMany before, and WrongCredentials after looking at the password; for unknown accounts just so."""
    async with transaction() as tx:
        this = await _counted(tx, account, place)
    try:
        right = await passwords.verify(password, this.password_hash)
    except Unavailable:
        async with transaction() as tx:  # the password was not compared, so the try does not count
            await tx.execute(_FORGET_TRY, id=this.id)
        raise
    if not right or this.staff_id is None:
        raise WrongCredentials
    async with transaction() as tx:
        await _forget_tries(tx, this)
        signed_in = await _open(tx, this, post_id, place)
        told = "" if signed_in else await posts.none_held(tx, this.staff_id)
    if signed_in is None:
        raise NotPermitted(told)
    return signed_in


async def forget_old(tx: Transaction) -> int:
    """Drop tries too old to count; returns how many."""
    return await tx.execute(_FORGET_OLD, before=await tx.now() - _KEPT)


async def _forget_tries(tx: Transaction, this: _Try) -> None:
    """Those of the same person alone: signing in on a known device says nothing of others' tries."""
    if this.known_device is not None:
        digest = this.known_device.digest
        await tx.execute(_FORGET_ON_DEVICE, account_key=this.account_key, device=digest)
    else:
        pair = {"account_key": this.account_key, "address_key": this.address_key}
        await tx.execute(_FORGET_PAIR, **pair)


async def _counted(tx: Transaction, typed: str, place: Place) -> _Try:
    account = account_form(typed)
    account_key = keys.lookup("account", account)
    await limits.one_at_a_time(tx, account_key, place.address_key)
    before = await _BEFORE.one(
        tx,
        account=account,
        typed=typed,
        account_key=account_key,
        address_key=place.address_key,
        device=place.device.digest,
    )
    tx.began(before.moment)
    now = await tx.now()
    if wait := _seconds_to_wait(before, now):
        advice = "" if before.known_device else _ANOTHER_WAY
        raise TooMany(
            f"密码错误次数较多，请 {wait} 秒后再试。{advice}{_FORGOTTEN}", retry_after=wait
        )
    this = uuid7(now)
    known = place.device if before.known_device else None
    tx.add(
        FailedSignIn(
            id=this,
            account_key=account_key,
            address_key=place.address_key,
            at=now,
            device_digest=None if known is None else known.digest,
        )
    )
    return _Try(this, account_key, place.address_key, before.staff_id, before.password_hash, known)


def _seconds_to_wait(before: _TriesBefore, now: datetime) -> int:
    if before.known_device:
        return PER_ACCOUNT_AND_ADDRESS.seconds_to_wait(before.on_device, now)
    wait = PER_ACCOUNT_AND_ADDRESS.seconds_to_wait(before.pair, now)
    if before.known_here:
        return wait
    return max(
        wait,
        PER_ACCOUNT.seconds_to_wait(before.account, now),
        PER_ADDRESS.seconds_to_wait(before.address, now),
    )


async def _open(
    tx: Transaction, this: _Try, post_id: int | None, place: Place
) -> StaffSignedIn | None:
    staff_id = this.staff_id
    assert staff_id is not None, "the password was right"
    held = await posts.held(tx, staff_id)
    post = posts.chosen(held, post_id)
    if post is None:
        return None
    device = await devices.renewed(tx, place.device, known=this.known_device is not None)
    token, session = open_session(
        tx,
        now=await tx.now(),
        device=place.name,
        lasts=STAFF_SESSION,
        staff_id=staff_id,
        post_id=post.id,
        address_key=place.address_key,
        device_digest=device.digest,
    )
    now = await tx.now()
    name = await tx.scalar(
        _NAME_AND_RENEWED, staff_id=staff_id, device=device.digest, until=now + PIN_LASTS, now=now
    )
    return StaffSignedIn(token, session, name, post, held, device)
