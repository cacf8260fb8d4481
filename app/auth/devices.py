"""The devices people sign in on: a random cookie, stored as a digest with the sessions that began there.

A device is known to the people who signed in on it lately. A known device opens no session by itself. It has its own count of
wrong tries, and takes the PINs that were set on it (pins.py).
"""

from msgspec import Struct
from sqlalchemy import text

from app import keys
from app.db import Transaction

_MOVE = text("""
WITH pins AS (UPDATE staff_pin SET device_digest = :new WHERE device_digest = :old)
UPDATE session SET device_digest = :new WHERE device_digest = :old
""")


class Device(Struct, frozen=True):
    """What the browser carries, and what is stored of it; both empty where it carries nothing."""

    token: str | None
    digest: bytes | None

    @classmethod
    def of(cls, token: str | None) -> "Device":
        return cls(token, None if token is None else keys.token_digest(token))

    @classmethod
    def new(cls) -> "Device":
        return cls.of(keys.new_token())


class Place(Struct, frozen=True):
    """From where somebody signs in: the address as a keyed digest, the device, and what it is called in the list."""

    address_key: bytes
    device: Device
    name: str


async def renewed(tx: Transaction, device: Device, *, known: bool) -> Device:
    """The device as it is to be called from now on, after a sign-in on it.

    Where it was not known to this person it gets a new name, and the sessions and PINs of others who use it move along: a name
    planted by somebody else would else be known to both.
    """
    if known:
        return device
    new = Device.new()
    if device.digest is not None:
        await tx.execute(_MOVE, old=device.digest, new=new.digest)
    return new
