"""Identifiers made here: time-ordered UUIDs (RFC 9562, version 7), case references, tracking codes."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils import compat

from app.clock import SHANGHAI

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Without 0 O 1 I L: read out over the phone, written on paper.
_CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
TRACKING_CODE_LENGTH = 8


def uuid7(now: datetime) -> UUID:
    """Sorts by `now` to the millisecond; the rest is random."""
    return compat.uuid7(nanoseconds=(now - _EPOCH) // _MICROSECOND * 1000)


def case_reference(county_code: str, received_at: datetime) -> str:
    """E.g. 500153-261122-48392017. Random, not counted: a running number would tell how many cases there are."""
    return f"{county_code[:6]}-{received_at.astimezone(SHANGHAI):%y%m%d}-{secrets.randbelow(10**8):08d}"


def tracking_code() -> str:
    """What a citizen shows to follow a case without signing in: 8 letters, about 40 bits."""
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(TRACKING_CODE_LENGTH))
