"""How often people, numbers and addresses create something, an hour and a day: counted in PostgreSQL, for all processes.

Counted as things are asked for, in a statement that commits by itself: two at once never get the same place, and what fails
afterwards has counted. Hours and days are those of the clock on the wall.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self, TypeVar

from msgspec import Struct
from sqlalchemy import text
from sqlmodel import Field

from app import keys
from app.clock import SHANGHAI
from app.db import Transaction
from app.db.query import Json, Query, columns_of
from app.db.row_base import MOMENT, Stored
from app.errors import TooMany
from app.settings import settings

_FORM: Final = re.compile(r"(\d+)/h (\d+)/d")


class Purpose(StrEnum):
    """What is created, and by what it is counted; each has a setting of the same name."""

    REPORTS_OF_RESIDENT = "reports_of_resident"
    REPORTS_OF_STAFF = "reports_of_staff"
    REPORTS_ABOUT_NUMBER = "reports_about_number"
    REPORTS_FROM_ADDRESS = "reports_from_address"
    NUMBERS_OF_STAFF = "numbers_of_staff"
    EXPORTS_OF_STAFF = "exports_of_staff"
    PHOTOS_OF_RESIDENT = "photos_of_resident"
    PHOTOS_OF_STAFF = "photos_of_staff"
    ACTS_OF_RESIDENT = "acts_of_resident"


# Environment for load runs and tests, where a few people do within minutes what a county does in a month.
UNBOUNDED: Final[Mapping[str, str]] = {
    purpose.upper(): "1000000/h 1000000/d" for purpose in Purpose
}
_TOLD: Final[Mapping[Purpose, str]] = {
    Purpose.REPORTS_OF_RESIDENT: "您反映的事较多，请{when}再试。急事请直接联系村(社区)干部或拨打 12345。",
    Purpose.REPORTS_OF_STAFF: "您登记的事较多，请{when}再试；没有登记的内容请先留在手机上。",
    Purpose.REPORTS_ABOUT_NUMBER: "这个手机号码今天登记的事较多，请{when}再试，或改填群众本人的号码。",
    Purpose.REPORTS_FROM_ADDRESS: "从您所在的网络反映的事较多，请{when}再试，或请村(社区)干部代为登记。",
    Purpose.NUMBERS_OF_STAFF: "您查看的号码较多，请{when}再试；登记不受影响，登记后也会告诉您。",
    Purpose.EXPORTS_OF_STAFF: "您导出的较多，请{when}再试。",
    Purpose.PHOTOS_OF_RESIDENT: "您上传的照片、语音较多，请{when}再试。",
    Purpose.PHOTOS_OF_STAFF: "您上传的照片、语音较多，请{when}再试。",
    Purpose.ACTS_OF_RESIDENT: "您的操作较多，请{when}再试。",
}


class UsageCount(Stored, table=True):
    """How much of one purpose one subject has asked for in the newest hour and on the newest day."""

    __tablename__ = "usage_count"

    # A keyed digest of purpose and subject: the table holds neither numbers nor addresses.
    key: bytes = Field(primary_key=True)
    hour: datetime = Field(sa_type=MOMENT)
    in_hour: int
    day: datetime = Field(sa_type=MOMENT, index=True)
    in_day: int


class Counted(Struct, frozen=True):
    """Something that somebody asks for. `subject` is whoever it is counted for."""

    purpose: Purpose
    subject: str | bytes

    def key(self) -> bytes:
        subject = self.subject if isinstance(self.subject, str) else self.subject.hex()
        return keys.lookup("usage", f"{self.purpose}/{subject}")


class Allowance(Struct, frozen=True):
    """So many in an hour, and on a day."""

    an_hour: int
    a_day: int

    @classmethod
    def parse(cls, written: str) -> Self:
        """From the form of the settings, "10/h 20/d"."""
        found = _FORM.fullmatch(written)
        if found is None:
            raise ValueError("must be like 10/h 20/d")
        return cls(int(found[1]), int(found[2]))


_COUNTED = """
WITH asked AS (
  SELECT * FROM unnest(CAST(:usage_keys AS bytea[]), CAST(:usage_allowed AS int[])) a(key, an_hour)
), counted AS (
  INSERT INTO usage_count AS u (key, hour, in_hour, day, in_day)
  SELECT key, :usage_hour, 1, :usage_day, 1 FROM asked ORDER BY key
  ON CONFLICT (key) DO UPDATE SET
    in_hour = CASE WHEN u.hour = EXCLUDED.hour THEN u.in_hour + 1 ELSE 1 END, hour = EXCLUDED.hour,
    in_day = CASE WHEN u.day <> EXCLUDED.day THEN 1
      -- What the hour refuses does not use up the day.
      WHEN u.hour = EXCLUDED.hour AND u.in_hour >= (SELECT an_hour FROM asked WHERE key = u.key) THEN u.in_day
      ELSE u.in_day + 1 END, day = EXCLUDED.day
  RETURNING key, in_hour, in_day
), used AS (
  SELECT (SELECT jsonb_object_agg(encode(key, 'hex'), jsonb_build_array(in_hour, in_day)) FROM counted) AS used,
    set_config('synchronous_commit', CASE WHEN :usage_alone THEN 'off' ELSE current_setting('synchronous_commit') END, true) AS sync
)
SELECT used.used, used.sync"""


class Used(Struct, frozen=True):
    """By key in hexadecimal: how much was asked for in this hour and on this day. `sync`: what the commit waits for."""

    used: Json[dict[str, tuple[int, int]]] | None
    sync: str


Row = TypeVar("Row", bound=Used)


def with_count(row: type[Row], found: type, statement: str) -> Query[Row]:
    """A query that counts and reads in one round trip.

    `row` has the fields of Used and a field `found`, of the type `found`: what the statement finds, or None.
    """
    read = ", ".join(f"found.{one.name} AS found_{one.name}" for one in columns_of(found))
    return Query(row, f"{_COUNTED}, {read} FROM used LEFT JOIN LATERAL ({statement}) found ON true")


_COUNT = Query(Used, f"{_COUNTED} FROM used")
_FORGET_OLD = text("DELETE FROM usage_count WHERE day < :before")


async def count(tx: Transaction, *counted: Counted, now: datetime) -> None:
    """Count what is asked for. Raises TooMany, which tells when to try again."""
    await find_and_count(tx, _COUNT, counted, now=now)


async def find_and_count(
    tx: Transaction, query: Query[Row], counted: Sequence[Counted], *, now: datetime, **values: Any
) -> Row:
    """The row of a query made by `with_count`. Raises TooMany.

    Where the transaction has not begun, what is counted is committed at once, so that no lock is held and nobody's
    refusal takes it back. It does not wait for the disk: after a crash of the database a few may be forgotten.
    """
    hour, day = _hour(now), _day(now)
    by_key = {one.key(): one for one in counted}
    [row] = await query.at_once(
        tx,
        usage_keys=list(by_key),
        usage_allowed=[_allowed(one.purpose).an_hour for one in counted],
        usage_hour=hour,
        usage_day=day,
        usage_alone=not tx.has_begun,
        **values,
    )
    for key, (in_hour, in_day) in (row.used or {}).items():
        purpose = by_key[bytes.fromhex(key)].purpose
        allowed = _allowed(purpose)
        if in_day > allowed.a_day:
            raise _refusal(purpose, "明天", day + timedelta(days=1) - now)
        if in_hour > allowed.an_hour:
            left = hour + timedelta(hours=1) - now
            raise _refusal(purpose, f"过 {math.ceil(left / timedelta(minutes=1))} 分钟", left)
    return row


async def forget_old(tx: Transaction) -> int:
    """Drop counts of former days; returns how many."""
    return await tx.execute(_FORGET_OLD, before=_day(await tx.now()))


def _allowed(purpose: Purpose) -> Allowance:
    return Allowance.parse(getattr(settings(), purpose))


def _refusal(purpose: Purpose, when: str, left: timedelta) -> TooMany:
    return TooMany(_TOLD[purpose].format(when=when), retry_after=math.ceil(left.total_seconds()))


def _hour(now: datetime) -> datetime:
    return now.astimezone(SHANGHAI).replace(minute=0, second=0, microsecond=0)


def _day(now: datetime) -> datetime:
    return _hour(now).replace(hour=0)
