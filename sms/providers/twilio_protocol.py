"""Twilio's words, as its answers and its webhooks have them both, and what they mean here. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from app.settings import Settings
from app.texts.inbound import InboundText
from app.texts.outbox import MessageState
from sms.gateway import Capabilities, ErrorClass

SID: Final = re.compile(r"(?:SM|MM)[0-9a-fA-F]{32}", re.ASCII)
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_BODY_AT_MOST: Final = 1600

# Behind an address of a webhook. Twilio keeps it to itself, it is neither sent nor signed: up to five more tries within 15
# seconds. By itself it tries again only where it could not connect, and what we answered with a 503 is lost.
TRIES_AGAIN: Final = "#rc=5&rp=5xx,ct,rt"

ERRORS: Final = {
    **dict.fromkeys(("21211", "21614", "30005", "30006"), ErrorClass.NUMBER_UNUSABLE),
    "21610": ErrorClass.OPTED_OUT,
    # The bare HTTP statuses stand where the answer named no code, or one that is not here.
    **dict.fromkeys(
        ("401", "403", "20003", "21408", "21606", "21703", "30002"), ErrorClass.ACCOUNT
    ),
    **dict.fromkeys(("21617", "30007"), ErrorClass.CONTENT),
    **dict.fromkeys(("429", "20429", "21611", "30001", "30003", "30008"), ErrorClass.TRANSIENT),
}

STATES: Final[Mapping[str, MessageState]] = {
    **dict.fromkeys(
        ("accepted", "scheduled", "queued", "sending", "sent", "partially_delivered"),
        MessageState.ACCEPTED,
    ),
    **dict.fromkeys(("delivered", "read"), MessageState.DELIVERED),
    "undelivered": MessageState.UNDELIVERED,
    **dict.fromkeys(("failed", "canceled"), MessageState.FAILED),
}


def classify(code: str | int | None) -> ErrorClass:
    """The class of a Twilio error code, from an answer or from a status report."""
    return ERRORS.get(str(code), ErrorClass.AMBIGUOUS)


def reply(
    sid: str | None, phone: str | None, words: str | None, sent_at: datetime | None = None
) -> InboundText | None:
    """What somebody texted. None: it does not look as Twilio writes it."""
    if sid is None or phone is None or words is None:
        return None
    if not SID.fullmatch(sid) or not _PHONE.fullmatch(phone):
        return None
    # A NUL is in nobody's alphabet, and the database cannot hold one.
    return InboundText(sid, phone, words.replace("\0", "")[:_BODY_AT_MOST], sent_at)


def capabilities(settings: Settings) -> Capabilities:
    """In mainland China: no links, and replies only where the settings say that they come back."""
    return Capabilities(two_way=settings.replies_come_back, links=False, free_text=True)
