"""Citizens sign in with a one-time code sent to their phone. Whether a phone is known is never told."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from app import keys
from app.auth import devices, limits
from app.auth.devices import Device, Place
from app.auth.limits import Limit, Pace
from app.auth.models import FailedSignIn, OneTimeCode, Session
from app.auth.phones import phone_key
from app.auth.sessions import CITIZEN_SESSION, MOVED, open_session
from app.db import Transaction, transaction
from app.db.query import Query, columns
from app.db.row_base import seal_of
from app.directory.models import Citizen
from app.directory.queries import carried_on_by
from app.errors import InvalidInput, TooMany, WrongCode
from app.identifiers import uuid7
from app.texts.outbox import MessageKind, announce

VALID = timedelta(minutes=5)
# On the device that asked for the code; and on all others, so that a code whoever asked for it can still be used.
TRIES = 5
FOREIGN_TRIES = 5
# From one address, or from one device that is known to the person; others' asking leaves the latter alone.
PER_PHONE_AND_PLACE = (
    Limit(1, timedelta(minutes=1)),
    Limit(5, timedelta(hours=1)),
    Limit(10, timedelta(days=1)),
)
# From everywhere but known devices: what somebody can be texted by strangers.
PER_PHONE = (
    Limit(2, timedelta(minutes=1)),
    Limit(8, timedelta(hours=1)),
    Limit(20, timedelta(days=1)),
)
# Wrong codes from one address, over all numbers together.
WRONG_PER_ADDRESS = Pace(30, timedelta(hours=1), timedelta(seconds=10), timedelta(minutes=1))
# A village meeting scans the poster behind one router, and a mobile network puts many phones behind one address.
PER_ADDRESS = (Limit(60, timedelta(hours=1)), Limit(300, timedelta(days=1)))
_KEPT = timedelta(days=2)

_BY_PHONE = "one_time_code WHERE phone_key = :phone_key"
_COUNTED = (
    (f"{_BY_PHONE} AND device_digest = :device", PER_PHONE_AND_PLACE),
    (f"{_BY_PHONE} AND address_key = :address_key", PER_PHONE_AND_PLACE),
    (_BY_PHONE, PER_PHONE),
    ("one_time_code WHERE address_key = :address_key", PER_ADDRESS),
)
_NEWEST = [
    limits.nth_newest(limit, "created_at", rows) for rows, kept in _COUNTED for limit in kept
]
_LIMITS = [limit for _, kept in _COUNTED for limit in kept]
_OF_DEVICE = len(PER_PHONE_AND_PLACE)
_OF_STRANGERS = _OF_DEVICE + len(PER_PHONE_AND_PLACE) + len(PER_PHONE)
_KNOWN = """EXISTS (SELECT FROM session s JOIN citizen c ON c.id = s.citizen_id
  WHERE s.device_digest = :device AND c.phone_key = :phone_key)"""


class _SentBefore(Struct, frozen=True):
    moment: datetime
    known: bool
    newest: list[datetime | None]


_SENT_BEFORE = Query(
    _SentBefore, f"SELECT now() AS moment, {_KNOWN} AS known, ARRAY[{', '.join(_NEWEST)}] AS newest"
)
# The last one that this device asked for, and the last one that another did.
_LAST = Query(
    OneTimeCode,
    f"""
SELECT {columns("o", OneTimeCode)} FROM one_time_code o WHERE id IN (
  (SELECT id FROM {_BY_PHONE} AND device_digest IS NOT DISTINCT FROM :device ORDER BY created_at DESC, id DESC LIMIT 1),
  (SELECT id FROM {_BY_PHONE} AND device_digest IS DISTINCT FROM :device ORDER BY created_at DESC, id DESC LIMIT 1))
ORDER BY (device_digest IS NOT DISTINCT FROM :device) DESC FOR UPDATE
""",  # noqa: S608 - constants of ours
)


class _WrongBefore(Struct, frozen=True):
    moment: datetime
    known: bool
    wrong: list[datetime] | None


_WRONG = Query(
    _WrongBefore,
    f"SELECT now() AS moment, {_KNOWN} AS known, {limits.lately(WRONG_PER_ADDRESS, 'failed_sign_in WHERE address_key = :address_key')} AS wrong",
).bindparams(MOVED)
# A poster outlives its village: after a merger its code leads to the successor.
_VILLAGE = text(
    "SELECT "
    + carried_on_by("code = :code AND kind = 'village'", today="CAST(now() + :shift AS date)")
).bindparams(MOVED)
_MEET = text("""
INSERT INTO citizen AS c (id, phone_sealed, phone_key, village_id, created_at, seal)
VALUES (:id, :phone_sealed, :phone_key, :village_id, :now, :seal)
ON CONFLICT (phone_key) DO UPDATE SET village_id = COALESCE(c.village_id, EXCLUDED.village_id)
RETURNING id
""")
_FORGET_OLD = text("DELETE FROM one_time_code WHERE created_at < :before")


@dataclass(frozen=True, slots=True)
class CitizenSignedIn:
    """What signing in yields; the token is told this once."""

    token: str
    session: Session
    device: Device


async def ask(tx: Transaction, phone: str, *, address_key: bytes, device: Device) -> None:
    """Owe a new code to the phone (E.164); it ends the one that this device asked for before. Raises TooMany."""
    key = phone_key(phone)
    await limits.one_at_a_time(tx, key, address_key)
    asked = {"phone_key": key, "address_key": address_key, "device": device.digest}
    before = await _SENT_BEFORE.one(tx, **asked)
    tx.began(before.moment)
    now = await tx.now()
    reached = list(zip(_LIMITS, before.newest, strict=True))
    counted = reached[:_OF_DEVICE] if before.known else reached[_OF_DEVICE:_OF_STRANGERS]
    if wait := limits.seconds_to_wait([*counted, *reached[_OF_STRANGERS:]], now):
        raise TooMany("获取验证码过于频繁，请稍后再试。", retry_after=wait)
    code, code_id = f"{secrets.randbelow(10**6):06d}", uuid7(now)
    tx.add(
        OneTimeCode(
            id=code_id,
            phone_key=key,
            address_key=address_key,
            device_digest=device.digest,
            code_digest=_digest(code_id, code),
            created_at=now,
            expires_at=now + VALID,
        )
    )
    announce(tx, MessageKind.ONE_TIME_CODE, now=now, phone=phone, code=code)


async def redeem(
    phone: str, code: str, *, village_code: str | None, place: Place
) -> CitizenSignedIn:
    """Sign in, becoming known where need be. A transaction of its own: a wrong try stays though it is refused."""
    async with transaction() as tx:
        village_id = None if village_code is None else await _village(tx, village_code)
        signed_in = None
        known = await _used(tx, phone, code, place)
        if known is not None:
            signed_in = await _open(tx, phone, village_id, place, known=known)
    if signed_in is None:
        raise WrongCode
    return signed_in


async def forget_old(tx: Transaction) -> int:
    """Drop codes too old to count; returns how many."""
    return await tx.execute(_FORGET_OLD, before=await tx.now() - _KEPT)


async def _used(tx: Transaction, phone: str, code: str, place: Place) -> bool | None:
    """None for a wrong code, which costs a try; else the code is used up, and this is whether the device was known."""
    wrong_here = keys.lookup("code-address", place.address_key.hex())
    await limits.one_at_a_time(tx, wrong_here)
    key, device = phone_key(phone), place.device.digest
    before = await _WRONG.one(tx, address_key=wrong_here, phone_key=key, device=device)
    tx.began(before.moment)
    now = await tx.now()
    wait = WRONG_PER_ADDRESS.seconds_to_wait(before.wrong, now)
    if wait and not before.known:
        raise TooMany(f"验证码错误次数较多，请 {wait} 秒后再试。", retry_after=wait)
    for last in await _LAST.all(tx, phone_key=key, device=device):
        right = _tried(last, code, now, own=last.device_digest == device)
        tx.change(last)
        if right:
            return before.known
    tx.add(FailedSignIn(id=uuid7(now), account_key=key, address_key=wrong_here, at=now))
    return None


def _tried(last: OneTimeCode, code: str, now: datetime, *, own: bool) -> bool:
    """Whether it is this one; if not, a try less."""
    spent = last.tries >= TRIES or (not own and last.foreign_tries >= FOREIGN_TRIES)
    if last.used_at is not None or spent or last.expires_at <= now:
        return False
    right = hmac.compare_digest(last.code_digest, _digest(last.id, code))
    if right:
        last.used_at = now
    elif own:
        last.tries += 1
    else:
        last.foreign_tries += 1
    return right


async def _village(tx: Transaction, code: str) -> int:
    found: int | None = await tx.scalar(_VILLAGE, code=code)
    if found is None:
        raise InvalidInput(
            mistakes=[{"where": "body.village", "what": "没有这个村(社区)，请重新扫码"}]
        )
    return found


async def _open(
    tx: Transaction, phone: str, village_id: int | None, place: Place, *, known: bool
) -> CitizenSignedIn:
    now = await tx.now()
    device = await devices.renewed(tx, place.device, known=known)
    new_id, key = uuid7(now), phone_key(phone)
    citizen_id: UUID = await tx.scalar(
        _MEET,
        id=new_id,
        phone_sealed=keys.encrypt(phone, keys.at("citizen.phone_sealed", new_id)),
        phone_key=key,
        seal=seal_of(Citizen, {"id": new_id, "phone_key": key}),
        village_id=village_id,
        now=now,
    )
    token, session = open_session(
        tx,
        now=now,
        device=place.name,
        lasts=CITIZEN_SESSION,
        citizen_id=citizen_id,
        device_digest=device.digest,
    )
    return CitizenSignedIn(token, session, device)


def _digest(code_id: UUID, code: str) -> bytes:
    # Keyed: a million codes are soon tried by whoever reads the table, but not without the key.
    return keys.lookup("one-time-code", f"{code_id}:{code}")
