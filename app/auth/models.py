"""Tables of sign-in: sessions, one-time codes, tries. Tokens and codes are stored as digests only."""

from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from app.db.row_base import MOMENT, Stored

# Wrong tries after which a PIN no longer opens anything.
PIN_TRIES: Final = 5


class StaffPin(Stored, table=True):
    """Six digits of one person, in one post, on one device. `pin_hash` is argon2 over a keyed digest (pins.py).

    Triggers revoke it when the person is disabled or gets another password, and when the post ends.
    """

    __tablename__ = "staff_pin"
    __table_args__ = (
        CheckConstraint(f"tries BETWEEN 0 AND {PIN_TRIES}", name="pin_tries_bounded"),
        Index(
            "staff_pin_on_device",
            "device_digest",
            "staff_id",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
        Index("staff_pin_by_staff", "staff_id", postgresql_where=text("revoked_at IS NULL")),
        Index("staff_pin_by_post", "post_id", postgresql_where=text("revoked_at IS NULL")),
    )

    id: UUID = Field(primary_key=True)
    staff_id: int = Field(foreign_key="staff.id")
    post_id: int = Field(foreign_key="post.id")
    # The device cookie (devices.py), as a digest.
    device_digest: bytes
    pin_hash: str
    # Wrong ones since the last right one, or since the last sign-in with the password.
    tries: int = 0
    set_at: datetime = Field(sa_type=MOMENT)
    expires_at: datetime = Field(sa_type=MOMENT)
    revoked_at: datetime | None = Field(default=None, sa_type=MOMENT)


class Session(Stored, table=True):
    """A signed-in device, of a member of staff in one post or of a citizen. `id` may be shown; the token may not.

    Triggers end it for good when the person is disabled or gets another password, and when the post ends.
    """

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("(staff_id IS NULL) = (post_id IS NULL)", name="session_staff_has_post"),
        CheckConstraint("(staff_id IS NULL) <> (citizen_id IS NULL)", name="session_of_one_person"),
        Index("session_by_staff", "staff_id", postgresql_where=text("revoked_at IS NULL")),
        Index(
            "session_by_post",
            "post_id",
            postgresql_where=text("revoked_at IS NULL AND post_id IS NOT NULL"),
        ),
        Index("session_by_citizen", "citizen_id", postgresql_where=text("revoked_at IS NULL")),
        Index(
            "session_by_staff_and_address",
            "staff_id",
            "address_key",
            postgresql_where=text("staff_id IS NOT NULL"),
        ),
        Index(
            "session_by_device",
            "device_digest",
            postgresql_where=text("device_digest IS NOT NULL"),
        ),
    )
    CHANGING: ClassVar[tuple[str, ...]] = ("post_id", "revoked_at")

    id: UUID = Field(primary_key=True)
    token_digest: bytes = Field(unique=True)
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    post_id: int | None = Field(default=None, foreign_key="post.id")
    citizen_id: UUID | None = Field(default=None, foreign_key="citizen.id")
    device: str = Field(default="", max_length=120)
    # Where it began, as a keyed digest: an account is not kept from signing in where it did before (signing_in.py).
    address_key: bytes | None = None
    # The device cookie (devices.py), as a digest: others' wrong tries do not slow down a device that signed in before.
    device_digest: bytes | None = None
    # The PIN that it began with; empty where it began with a password or code.
    pin_id: UUID | None = Field(default=None, foreign_key="staff_pin.id")
    created_at: datetime = Field(sa_type=MOMENT)
    expires_at: datetime = Field(sa_type=MOMENT)
    revoked_at: datetime | None = Field(default=None, sa_type=MOMENT)


class OneTimeCode(Stored, table=True):
    """A code sent to a phone. Also what the limits per phone and per address are counted from: no Redis needed."""

    __tablename__ = "one_time_code"
    __table_args__ = (
        Index("one_time_code_by_phone", "phone_key", "created_at"),
        Index("one_time_code_by_address", "address_key", "created_at"),
    )
    CHANGING: ClassVar[tuple[str, ...]] = ("tries", "foreign_tries", "used_at")

    id: UUID = Field(primary_key=True)
    phone_key: bytes
    address_key: bytes
    code_digest: bytes
    # The device that asked for it; wrong tries from there, and from all others.
    device_digest: bytes | None = None
    tries: int = 0
    foreign_tries: int = 0
    created_at: datetime = Field(sa_type=MOMENT)
    expires_at: datetime = Field(sa_type=MOMENT)
    used_at: datetime | None = Field(default=None, sa_type=MOMENT)


class FailedSignIn(Stored, table=True):
    """A wrong password or code, counted per account and per address; from a device known to the account, apart."""

    __tablename__ = "failed_sign_in"
    __table_args__ = (
        Index("failed_sign_in_by_account", "account_key", "at"),
        Index("failed_sign_in_by_address", "address_key", "at"),
        Index(
            "failed_sign_in_by_device",
            "device_digest",
            "at",
            postgresql_where=text("device_digest IS NOT NULL"),
        ),
    )

    id: UUID = Field(primary_key=True)
    account_key: bytes
    address_key: bytes
    at: datetime = Field(sa_type=MOMENT)
    device_digest: bytes | None = None
