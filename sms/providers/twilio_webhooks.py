"""What Twilio's webhooks say, once it is sure that they are Twilio's. Pure: no HTTP, no database.

The signature covers names and values run together, so the same signature fits fields split elsewhere. Hence every
field that counts must be there, once, and look as Twilio writes it; anything else says nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from app.surveys.receiving import InboundText
from sms.gateway import ErrorClass
from sms.providers.twilio import classify

FORM_BYTES_AT_MOST: Final = 64 * 1024
_FIELDS_AT_MOST: Final = 200
_BODY_AT_MOST: Final = 1600

_SID: Final = re.compile(r"(?:SM|MM)[0-9a-fA-F]{32}", re.ASCII)
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
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


@dataclass(frozen=True, slots=True)
class StatusReport:
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
    sid, status = _matching(form, "MessageSid", _SID), _only(form, "MessageStatus")
    if sid is None or status not in _STATUSES:
        return None
    code = _matching(form, "ErrorCode", _CODE)
    return StatusReport(sid, status, code, None if code is None else classify(code))


def inbound_text(form: Form) -> InboundText | None:
    sid, phone, text = (
        _matching(form, "MessageSid", _SID),
        _matching(form, "From", _PHONE),
        _only(form, "Body"),
    )
    if sid is None or phone is None or text is None:
        return None
    # A NUL is in nobody's alphabet, and the database cannot hold one.
    return InboundText(sid, phone, text.replace("\0", "")[:_BODY_AT_MOST])


def _only(form: Form, name: str) -> str | None:
    values = [value for key, value in form if key == name]
    return values[0] if len(values) == 1 else None


def _matching(form: Form, name: str, pattern: re.Pattern[str]) -> str | None:
    value = _only(form, name)
    return value if value is not None and pattern.fullmatch(value) else None
