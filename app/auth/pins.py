"""PINs: six digits with which a person signs in again on a device where they signed in with the password before.

A PIN belongs to one person, one post and one device. It opens nothing anywhere else. After five wrong tries, thirty days, a new
password or the end of the post only the password helps. Opens its own transactions like signing_in.py, and for the same reasons.
"""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from app import keys
from app.auth import limits, passwords, posts
from app.auth.devices import Place
from app.auth.limits import Pace
from app.auth.models import PIN_TRIES, FailedSignIn, StaffPin
from app.auth.sessions import MOVED, STAFF_SESSION, SignedIn, open_session
from app.auth.signing_in import PIN_LASTS, StaffSignedIn
from app.db import Transaction, transaction
from app.db.query import Query
from app.errors import InvalidInput, NotPermitted, TooMany, Unavailable, WrongPin
from app.identifiers import uuid7

MOST_ON_DEVICE: Final = 20
# Wrong PINs from one address, over all holders together.
WRONG_PER_ADDRESS: Final = Pace(30, timedelta(hours=1), timedelta(seconds=10), timedelta(minutes=1))
_SIGN_IN_FIRST: Final = "请先在这台设备上用密码登录，再设置 PIN。"
_TOO_MANY: Final = f"这台设备已有 {MOST_ON_DEVICE} 人设置 PIN，请先停用不再使用的。"
_TOO_SIMPLE: Final = "太简单，容易被猜到：不要用连续、重复的数字"
# Half of the digits repeated, as in 123123.
_HALF: Final = 3

# Of the PIN `k`, its holder `p` and the post `o`: whether it still counts, and whether it may be tried.
_LIVE: Final = """k.revoked_at IS NULL AND k.expires_at > CAST(:now AS timestamptz) AND p.active
  AND o.valid_from <= CAST(CAST(:now AS timestamptz) AS date)
  AND (o.valid_to IS NULL OR o.valid_to >= CAST(CAST(:now AS timestamptz) AS date))"""


class Holder(Struct, frozen=True):
    """A person with a PIN on the device; `locked` after too many wrong tries."""

    id: UUID
    name: str
    locked: bool


class _Tried(Struct, frozen=True):
    staff_id: int
    post_id: int
    pin_hash: str
    name: str


class _Own(Struct, frozen=True):
    """How the person's session began, and how many others have a PIN on its device."""

    device_digest: bytes | None
    pin_id: UUID | None
    signed_in_at: datetime
    others: int


_HOLDERS: Final = Query(
    Holder,
    f"""
SELECT k.id, p.name, k.tries >= {PIN_TRIES} AS locked
FROM staff_pin k JOIN staff p ON p.id = k.staff_id JOIN post o ON o.id = k.post_id
WHERE k.device_digest = :device AND {_LIVE}
ORDER BY p.name, k.id
""",  # noqa: S608 - constants of ours
)
_OWN: Final = Query(
    _Own,
    """
SELECT s.device_digest, s.pin_id, s.created_at AS signed_in_at, CAST((
  SELECT count(*) FROM staff_pin k
  WHERE k.device_digest = s.device_digest AND k.revoked_at IS NULL AND k.staff_id <> s.staff_id) AS int) AS others
FROM session s WHERE s.id = :session_id FOR UPDATE
""",
)
# The try is counted before the PIN is looked at; of a PIN that does not count, or of another device, no row.
_TRY: Final = Query(
    _Tried,
    f"""
UPDATE staff_pin k SET tries = k.tries + 1 FROM staff p, post o
WHERE k.id = :id AND k.device_digest = :device AND p.id = k.staff_id AND o.id = k.post_id AND k.tries < {PIN_TRIES} AND {_LIVE}
RETURNING k.staff_id, k.post_id, k.pin_hash, p.name
""",  # noqa: S608 - constants of ours
)


class _WrongBefore(Struct, frozen=True):
    moment: datetime
    wrong: list[datetime] | None


_WRONG: Final = Query(
    _WrongBefore,
    f"SELECT now() AS moment, {limits.lately(WRONG_PER_ADDRESS, 'failed_sign_in WHERE address_key = :address_key')} AS wrong",
).bindparams(MOVED)
_NOT_LOOKED_AT: Final = text("UPDATE staff_pin SET tries = tries - 1 WHERE id = :id AND tries > 0")
_RIGHT: Final = text("UPDATE staff_pin SET tries = 0 WHERE id = :id AND revoked_at IS NULL")
_FORGET_TRY: Final = text("DELETE FROM failed_sign_in WHERE id = :id")
# And the sessions that were opened with one, but for the person's own now.
_REVOKE_OWN: Final = text("""
WITH ended AS (
  UPDATE session SET revoked_at = :now
  WHERE staff_id = :staff_id AND pin_id IS NOT NULL AND revoked_at IS NULL AND id <> :session_id
)
UPDATE staff_pin SET revoked_at = :now WHERE staff_id = :staff_id AND revoked_at IS NULL
""")
_REPLACE: Final = text("""
UPDATE staff_pin SET revoked_at = :now WHERE staff_id = :staff_id AND device_digest = :device AND revoked_at IS NULL
""")
# Staff of the administrator's county, by account. Sessions that a revoked PIN opened end as well.
_REVOKE_BY_ACCOUNT: Final = text("""
WITH person AS (
  SELECT p.id FROM staff p WHERE p.account = :account AND EXISTS (
    SELECT FROM post o JOIN unit u ON u.id = o.unit_id WHERE o.staff_id = p.id AND u.county_id = :county_id)
), revoked AS (
  UPDATE staff_pin k SET revoked_at = :now FROM person WHERE k.staff_id = person.id AND k.revoked_at IS NULL RETURNING k.id
), ended AS (
  UPDATE session s SET revoked_at = :now FROM person
  WHERE s.staff_id = person.id AND s.pin_id IS NOT NULL AND s.revoked_at IS NULL
)
SELECT CAST(count(*) AS int) FROM revoked
""")


def is_trivial(pin: str) -> bool:
    """Among the first that anybody tries: 000000, 121212, 123123, 112233, 123456, 987654."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return (
        len(set(pin)) <= 2
        or steps in ({1}, {9})
        or pin[:_HALF] == pin[_HALF:]
        or pin[::2] == pin[1::2]
    )


async def set_pin(tx: Transaction, pin: str, *, by: SignedIn, place: Place) -> datetime:
    """The person's PIN on this device from now on; returns until when. Only in a session that began with the password here."""
    if is_trivial(pin):
        raise InvalidInput(mistakes=[{"where": "body.pin", "what": _TOO_SIMPLE}])
    own = await _OWN.one(tx, session_id=by.session_id)
    device, actor = own.device_digest, by.staff
    if own.pin_id is not None or device is None or device != place.device.digest:
        raise NotPermitted(_SIGN_IN_FIRST)
    if own.others >= MOST_ON_DEVICE:
        raise NotPermitted(_TOO_MANY)
    now = await tx.now()
    await tx.execute(_REPLACE, staff_id=actor.staff_id, device=device, now=now)
    pin_id = uuid7(now)
    until = own.signed_in_at + PIN_LASTS
    tx.add(
        StaffPin(
            id=pin_id,
            staff_id=actor.staff_id,
            post_id=actor.post_id,
            device_digest=device,
            pin_hash=await passwords.hashed(_peppered(pin_id, pin)),
            set_at=now,
            expires_at=until,
        )
    )
    return until


async def holders(tx: Transaction, place: Place) -> list[Holder]:
    """People with a live PIN on this device; empty for an unknown device."""
    if place.device.digest is None:
        return []
    return await _HOLDERS.all(tx, device=place.device.digest, now=await tx.now())


async def unlock(pin_id: UUID, pin: str, *, place: Place) -> StaffSignedIn:
    """Raises WrongPin, the same for every reason and after the same work: wrong, unknown, of another device, revoked, used up."""
    address_key = keys.lookup("pin-address", place.address_key.hex())
    async with transaction() as tx:
        found, try_id = await _counted(tx, pin_id, address_key, place)
    try:
        stored = None if found is None else found.pin_hash
        right = await passwords.verify(_peppered(pin_id, pin), stored)
    except Unavailable:
        async with transaction() as tx:  # the PIN was not compared, so the try does not count
            await tx.execute(_FORGET_TRY, id=try_id)
            if found is not None:
                await tx.execute(_NOT_LOOKED_AT, id=pin_id)
        raise
    if not right or found is None:
        raise WrongPin
    async with transaction() as tx:
        await tx.execute(_FORGET_TRY, id=try_id)
        signed_in = await _open(tx, pin_id, found, place)
    if signed_in is None:
        raise WrongPin
    return signed_in


async def revoke_own(tx: Transaction, *, by: SignedIn) -> None:
    """On every device."""
    now = await tx.now()
    await tx.execute(_REVOKE_OWN, staff_id=by.staff.staff_id, session_id=by.session_id, now=now)


async def revoke_by_account(tx: Transaction, account: str, *, county_id: int | None) -> int:
    """Revokes all PINs of one member of the county's staff and ends their sessions; returns the number of PINs."""
    revoked: int = await tx.scalar(
        _REVOKE_BY_ACCOUNT, account=account, county_id=county_id, now=await tx.now()
    )
    return revoked


async def _counted(
    tx: Transaction, pin_id: UUID, address_key: bytes, place: Place
) -> tuple[_Tried | None, UUID]:
    """The PIN that may be tried, and the row that counts the try: written for every PIN alike, so that neither tells."""
    await limits.one_at_a_time(tx, address_key)
    before = await _WRONG.one(tx, address_key=address_key)
    tx.began(before.moment)
    now = await tx.now()
    if wait := WRONG_PER_ADDRESS.seconds_to_wait(before.wrong, now):
        raise TooMany(f"PIN 错误次数较多，请 {wait} 秒后再试，或用密码登录。", retry_after=wait)
    found = None
    if place.device.digest is not None:
        found = await _TRY.one_or_none(tx, id=pin_id, device=place.device.digest, now=now)
    try_id = uuid7(now)
    account_key = keys.lookup("pin", str(pin_id))
    tx.add(FailedSignIn(id=try_id, account_key=account_key, address_key=address_key, at=now))
    return found, try_id


async def _open(tx: Transaction, pin_id: UUID, found: _Tried, place: Place) -> StaffSignedIn | None:
    """None where the PIN or the post ended meanwhile."""
    if not await tx.execute(_RIGHT, id=pin_id):
        return None
    held = await posts.held(tx, found.staff_id)
    post = posts.chosen(held, found.post_id)
    if post is None:
        return None
    token, session = open_session(
        tx,
        now=await tx.now(),
        device=place.name,
        lasts=STAFF_SESSION,
        staff_id=found.staff_id,
        post_id=post.id,
        address_key=place.address_key,
        device_digest=place.device.digest,
        pin_id=pin_id,
    )
    return StaffSignedIn(token, session, found.name, post, held, place.device)


def _peppered(pin_id: UUID, pin: str) -> str:
    """Keyed with the deployment's secret: without it, six digits cannot be guessed from a stolen table."""
    return keys.lookup("pin", f"{pin_id}/{pin}").hex()
