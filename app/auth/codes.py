"""Citizens sign in with a one-time code sent to their phone. Whether a phone is known is never told."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from app import keys
from app.auth import limits
from app.auth.limits import Limit
from app.auth.models import OneTimeCode, Session
from app.auth.phones import phone_key
from app.auth.sessions import CITIZEN_SESSION, MOVED, open_session
from app.db import Transaction, transaction
from app.directory.models import Citizen
from app.directory.queries import carried_on_by
from app.errors import InvalidInput, TooMany, WrongCode
from app.identifiers import uuid7
from app.outbox import MessageKind, announce
from app.stored import seal_of

VALID = timedelta(minutes=5)
TRIES = 5
PER_PHONE = (
    Limit(1, timedelta(minutes=1)),
    Limit(5, timedelta(hours=1)),
    Limit(10, timedelta(days=1)),
)
# A village meeting scans the poster behind one router, and a mobile network puts many phones behind one address.
PER_ADDRESS = (Limit(60, timedelta(hours=1)), Limit(300, timedelta(days=1)))
_KEPT = timedelta(days=2)

_NEWEST = [
    f"{limits.nth_newest(limit, 'created_at', f'one_time_code WHERE {of} = :{of}')}"
    for of, kept in (("phone_key", PER_PHONE), ("address_key", PER_ADDRESS))
    for limit in kept
]
_SENT_BEFORE = text(f"SELECT now() AS moment, ARRAY[{', '.join(_NEWEST)}] AS newest")
_LAST = text("""
SELECT now() AS moment, * FROM one_time_code WHERE phone_key = :phone_key
ORDER BY created_at DESC, id DESC LIMIT 1 FOR UPDATE
""")
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


async def ask(tx: Transaction, phone: str, *, address_key: bytes) -> None:
    """Owe a new code to the phone (E.164); it ends the one before. Raises TooMany."""
    key = phone_key(phone)
    await limits.one_at_a_time(tx, key, address_key)
    before = (await tx.all(_SENT_BEFORE, phone_key=key, address_key=address_key))[0]
    tx.began(before.moment)
    now = await tx.now()
    reached = zip(PER_PHONE + PER_ADDRESS, before.newest, strict=True)
    if wait := limits.seconds_to_wait(reached, now):
        raise TooMany("获取验证码过于频繁，请稍后再试。", retry_after=wait)
    code, code_id = f"{secrets.randbelow(10**6):06d}", uuid7(now)
    tx.add(
        OneTimeCode(
            id=code_id,
            phone_key=key,
            address_key=address_key,
            code_digest=_digest(code_id, code),
            created_at=now,
            expires_at=now + VALID,
        )
    )
    announce(tx, MessageKind.ONE_TIME_CODE, now=now, phone=phone, code=code)


async def redeem(
    phone: str, code: str, *, village_code: str | None, device: str
) -> CitizenSignedIn:
    """Sign in, becoming known where need be. A transaction of its own: a wrong try stays though it is refused."""
    async with transaction() as tx:
        village_id = None if village_code is None else await _village(tx, village_code)
        signed_in = None
        if await _used(tx, phone, code):
            signed_in = await _open(tx, phone, village_id, device)
    if signed_in is None:
        raise WrongCode
    return signed_in


async def forget_old(tx: Transaction) -> int:
    """Drop codes too old to count; returns how many."""
    return await tx.execute(_FORGET_OLD, before=await tx.now() - _KEPT)


async def _used(tx: Transaction, phone: str, code: str) -> bool:
    """Whether it was the right code, which is used up now; a wrong one costs a try. Only the last code sent counts."""
    row = await tx.one_or_none(_LAST, phone_key=phone_key(phone))
    if row is None:
        return False
    tx.began(row.moment)
    now = await tx.now()
    last = OneTimeCode.read(row)
    if last.used_at is not None or last.tries >= TRIES or last.expires_at <= now:
        return False
    right = hmac.compare_digest(last.code_digest, _digest(last.id, code))
    last.tries += 1
    last.used_at = now if right else None
    tx.change(last)
    return right


async def _village(tx: Transaction, code: str) -> int:
    found: int | None = await tx.scalar(_VILLAGE, code=code)
    if found is None:
        raise InvalidInput(
            mistakes=[{"where": "body.village", "what": "没有这个村(社区)，请重新扫码"}]
        )
    return found


async def _open(
    tx: Transaction, phone: str, village_id: int | None, device: str
) -> CitizenSignedIn:
    now = await tx.now()
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
        device=device,
        lasts=CITIZEN_SESSION,
        citizen_id=citizen_id,
    )
    return CitizenSignedIn(token, session)


def _digest(code_id: UUID, code: str) -> bytes:
    # Keyed: a million codes are soon tried by whoever reads the table, but not without the key.
    return keys.lookup("one-time-code", f"{code_id}:{code}")
