"""What Twilio's webhooks say, once it is sure that they are Twilio's. Pure: no HTTP, no database.

The signature covers names and values run together, so the same signature fits fields split elsewhere. Hence every
field that counts must be there, once, and look as Twilio writes it; anything else says nothing.
"""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl

from msgspec import Struct

from app.texts.inbound import InboundText
from sms.gateway import ErrorClass
from sms.providers.twilio_protocol import SID, classify, reply

FORM_BYTES_AT_MOST: Final = 64 * 1024
_FIELDS_AT_MOST: Final = 200

_CODE: Final = re.compile(r"[0-9]{1,6}", re.ASCII)
_STATUSES: Final = frozenset(
    {
        "accepted",
        "scheduled",
        "queued",
        "sending",
        "sent",
        "delivered",
        "undelivered",
        "failed",
        "canceled",
        "read",
        "partially_delivered",
    }
)

Form = Sequence[tuple[str, str]]


class StatusReport(Struct, frozen=True):
    """`error` is None unless Twilio gave a code."""

    provider_id: str
    status: str
    error_code: str | None
    error: ErrorClass | None


def read_form(body: bytes) -> list[tuple[str, str]]:
    """The fields exactly as sent: untrimmed, the empty ones too, none merged. No form: no fields."""
    try:
        return parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS_AT_MOST
        )
    except ValueError:
        return []


def status_report(form: Form) -> StatusReport | None:
    sid, status = _matching(form, "MessageSid", SID), _only(form, "MessageStatus")
    if sid is None or status not in _STATUSES:
        return None
    code = _matching(form, "ErrorCode", _CODE)
    return StatusReport(sid, status, code, None if code is None else classify(code))


def inbound_text(form: Form) -> InboundText | None:
    words = _only(form, "Body")
    if words is None and "Body" not in _as_signed(form):
        # A picture without words. Where the letters stand elsewhere, somebody parted the fields anew.
        words = ""
    return reply(_only(form, "MessageSid"), _only(form, "From"), words)


def _as_signed(form: Form) -> str:
    """Names and values run together in the order of the signature."""
    return "".join(name + value for name, value in sorted(form))


def _only(form: Form, name: str) -> str | None:
    values = [value for key, value in form if key == name]
    return values[0] if len(values) == 1 else None


def _matching(form: Form, name: str, pattern: re.Pattern[str]) -> str | None:
    value = _only(form, name)
    return value if value is not None and pattern.fullmatch(value) else None
