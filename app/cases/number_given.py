"""The number that staff type for somebody: whether its owner can be texted and asked, told before and after it is registered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from app import keys, usage
from app.auth.actor import StaffActor
from app.auth.phones import textable
from app.chinese_text import name_to_compare
from app.db import Transaction
from app.directory.poster_places import TAKE_REPORTS
from app.errors import NotPermitted
from app.matters.matter import NAMES_COUNT_FOR
from app.settings import settings
from app.usage import Counted

NO_TEXTS: Final = (
    "反映人没有能收短信的手机号码：请当面或打电话告知编号、查询码和进展，办结后由指挥中心电话回访。"
)
_NONE: Final = "没有登记手机号码，办结后由电话回访请群众评价。"
_OFFICIAL: Final = (
    "这个号码是单位或工作人员的，办结后由电话回访请群众评价。请尽量登记群众本人的号码。"
)
_SHARED: Final = "这个号码已登记过多人，办结后由电话回访请群众评价。请尽量登记群众本人的号码。"
IS_OFFICIAL: Final = "EXISTS (SELECT 1 FROM official_number n WHERE n.phone_key = :phone_key AND n.removed_at IS NULL)"
# More names than decide are not counted. An accusation keeps no number with the name, so none is counted here.
OTHER_NAMES: Final = """(
  SELECT count(*) FROM (
    SELECT DISTINCT d.name_key FROM person_as_given d
    WHERE d.phone_key = :phone_key AND d.given_at > :names_since AND d.name_key <> CAST(:name_key AS bytea) LIMIT :names
  ) AS others)"""


class AskedBy(StrEnum):
    """How the person helped will be asked how satisfied they are; told to the staff who typed their number."""

    TEXT = "text"
    RETURN_CALL = "return_call"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class NumberGiven:
    """What is known of the number that staff typed for somebody; they are told, so that they may ask for another."""

    asked_by: AskedBy
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class PersonHelped:
    """Whom a cadre speaks for. `phone` in E.164; some have none, and some have one that no text arrives at."""

    name: str
    phone: str | None


class _Known(Struct, frozen=True):
    number_official: bool
    other_names: int


class _KnownAndUse(usage.Used, frozen=True):
    found: _Known | None


_KNOWN: Final = usage.with_count(
    _KnownAndUse,
    _Known,
    f"SELECT {IS_OFFICIAL} AS number_official, {OTHER_NAMES} AS other_names",
)


def binds(person: PersonHelped | None, now: datetime) -> dict[str, object]:
    """Of IS_OFFICIAL and OTHER_NAMES."""
    return {
        "phone_key": phone_key(person),
        "name_key": b"" if person is None else name_key(person),
        "names_since": now - NAMES_COUNT_FOR,
        "names": settings().shared_number_names,
    }


def phone_key(person: PersonHelped | None) -> bytes | None:
    return keys.lookup("phone", person.phone) if person and person.phone else None


def name_key(person: PersonHelped) -> bytes:
    return keys.lookup("name", name_to_compare(person.name))


def is_shared(other_names: int) -> bool:
    """Whether with one more name it is a number of many."""
    return other_names + 1 >= settings().shared_number_names


def told_of(*, reached: bool, official: bool, shared: bool) -> NumberGiven:
    """`reached`: whether texts arrive at it."""
    if not reached:
        return NumberGiven(AskedBy.RETURN_CALL, _NONE)
    if official:
        return NumberGiven(AskedBy.RETURN_CALL, _OFFICIAL)
    if shared:
        return NumberGiven(AskedBy.RETURN_CALL, _SHARED)
    return NumberGiven(AskedBy.TEXT)


async def look_up(
    tx: Transaction,
    person: PersonHelped,
    *,
    by: StaffActor,
    now: datetime,
    counted: Sequence[Counted],
) -> NumberGiven:
    """What registering the person would tell of the number, before it is done. It says no more than the receipt does.

    Raises NotPermitted for posts that take nothing in, TooMany where one of `counted` has had enough: whoever could ask
    without end could try out numbers.
    """
    if not (by.acts and by.unit_kind in TAKE_REPORTS):
        raise NotPermitted
    if person.phone is None or not textable(person.phone):
        return NumberGiven(AskedBy.RETURN_CALL, NO_TEXTS)
    row = await usage.find_and_count(tx, _KNOWN, counted, now=now, **binds(person, now))
    assert row.found is not None, "the statement has no condition"
    shared = is_shared(row.found.other_names)
    return told_of(reached=True, official=row.found.number_official, shared=shared)
