"""Keyed digests over locked months and their corrections, each covering the one before. Reads and writes nothing."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from app import keys
from app.reports.models import MonthEnd

_encoder: Final = msgspec.json.Encoder(order="sorted")


def month_digest(month: MonthEnd, previous: bytes, contents: Iterable[str]) -> bytes:
    """Over the month before, when it began, ended and was cut off, and everything that was counted and released."""
    told = {
        "county": month.county_id,
        "month": month.month,
        "formula": month.formula_version,
        "moments": [
            one.timestamp()
            for one in (month.begins_at, month.ends_at, month.cutoff_at, month.locked_at)
        ],
    }
    parts = [previous, _encoder.encode(told), *(one.encode() for one in contents)]
    return keys.digest("month-end", _framed(parts))


def correction_digest(correction: object, previous: bytes, fields: Iterable[str]) -> bytes:
    """Over the correction before and all that this one says; `fields` are its columns but the digest."""
    told = {name: _plain(getattr(correction, name)) for name in fields if name != "digest"}
    # Corrections that were made before there was such a column have digests without it.
    if told.get("reply_id", "") is None:
        del told["reply_id"]
    return keys.digest("month-correction", _framed([previous, _encoder.encode(told)]))


def _framed(parts: Sequence[bytes]) -> bytes:
    """With their lengths, so that nothing can be moved from one part to the next."""
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def _plain(value: object) -> object:
    return value.timestamp() if isinstance(value, datetime) else value
