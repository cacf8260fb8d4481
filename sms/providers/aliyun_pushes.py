"""What 阿里云 pushes to us, receipts (SmsReport) and replies (SmsUp), once it is believed to be theirs. Pure.

Both come as JSON arrays that nothing signs. An item that does not read as they write it says nothing, whatever stands
beside it: the others count.
"""

import json
import re
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from app.auth.phones import PhoneRefused, mobile
from app.clock import SHANGHAI
from app.texts.inbound import InboundText
from sms.gateway import ErrorClass
from sms.providers.aliyun_protocol import classify, error_code, which

BATCH_BYTES_AT_MOST: Final = 1024 * 1024

_TEXT_AT_MOST: Final = 1600
_DIGITS_AT_MOST: Final = 40
_BIZ_ID: Final = re.compile(r"[0-9A-Za-z^_-]{1,64}", re.ASCII)
_SEQUENCE: Final = re.compile(r"[0-9A-Za-z_-]{1,50}", re.ASCII)
_WRITTEN_MOMENT: Final = "%Y-%m-%d %H:%M:%S"
_WRITTEN: Final = {"true": True, "false": False}


class Receipt(Struct, frozen=True):
    """What became of one text. `error` is None where it arrived, and where no code was told."""

    message_id: UUID
    turn: int
    provider_id: str
    delivered: bool
    error_code: str | None
    error: ErrorClass | None


def read_batch(body: bytes) -> list[Any] | None:
    """The items; None: no array at all."""
    try:
        batch = json.loads(
            body.decode("utf-8", "replace"), parse_int=_integer, parse_constant=lambda _: None
        )
    except (ValueError, RecursionError):
        return None
    return batch if isinstance(batch, list) else None


def receipt(item: Any) -> Receipt | None:
    """Our own id came back as `out_id`."""
    if not isinstance(item, dict):
        return None
    about, biz_id = which(item.get("out_id")), _matching(item.get("biz_id"), _BIZ_ID)
    delivered = _truth(item.get("success"))
    if about is None or biz_id is None or delivered is None:
        return None
    code = None if delivered else error_code(item.get("err_code"))
    return Receipt(*about, biz_id, delivered, code, None if code is None else classify(code))


def reply(item: Any) -> InboundText | None:
    """The same `sequence_id` is the same reply."""
    if not isinstance(item, dict):
        return None
    sequence, text = _sequence(item.get("sequence_id")), item.get("content")
    phone = _phone(item.get("phone_number"))
    if sequence is None or phone is None or not isinstance(text, str):
        return None
    # A NUL is in nobody's alphabet, and the database cannot hold one.
    words = text.replace("\0", "")[:_TEXT_AT_MOST]
    return InboundText(f"aliyun-{sequence}", phone, words, _moment(item.get("send_time")))


def _moment(given: Any) -> datetime | None:
    """Told in whole seconds of Shanghai's clock: the end of that second, lest it stand before what it answers."""
    try:
        told = datetime.strptime(given, _WRITTEN_MOMENT).replace(tzinfo=SHANGHAI)
        return told + timedelta(seconds=1)
    except (TypeError, ValueError, OverflowError):
        return None


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= _DIGITS_AT_MOST else None


def _truth(given: Any) -> bool | None:
    return given if isinstance(given, bool) else _WRITTEN.get(str(given).lower())


def _phone(given: Any) -> str | None:
    try:
        return mobile(given) if isinstance(given, str) else None
    except PhoneRefused:
        return None


def _sequence(given: Any) -> str | None:
    """Told to be a number; then a larger one might come with a fraction of nothing."""
    if isinstance(given, bool):
        return None
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    return _matching(str(given) if isinstance(given, int) else given, _SEQUENCE)


def _matching(given: Any, pattern: re.Pattern[str]) -> str | None:
    return given if isinstance(given, str) and pattern.fullmatch(given) else None
