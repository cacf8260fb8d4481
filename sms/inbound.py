"""Twilio's webhooks: checks that they are Twilio's and hands on what they say. Decides nothing about it.

A webhook is answered 204 whether or not it told us something new; only a forged, malformed or oversized one is refused,
so that a repeated or late one never looks like a fault to the provider.
"""

from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.requests import ClientDisconnect

from app.db import transaction
from app.delivery import reports
from app.errors import MalformedRequest, NotPermitted, TooLarge, Unavailable
from app.http.problems import problems
from app.outbox import MessageState
from app.settings import settings
from app.surveys.receiving import receive
from sms.providers.twilio import signature_valid
from sms.providers.twilio_webhooks import (
    FORM_BYTES_AT_MOST,
    Form,
    inbound_text,
    read_form,
    status_report,
)

router = APIRouter(prefix="/sms/twilio", tags=["短信"])

_STATES: Final[Mapping[str, MessageState]] = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending", "sent"), MessageState.ACCEPTED),
    **dict.fromkeys(("delivered", "read"), MessageState.DELIVERED),
    "undelivered": MessageState.UNDELIVERED,
    **dict.fromkeys(("failed", "canceled"), MessageState.FAILED),
}


async def genuine_form(request: Request) -> Form:
    """The form of a webhook that Twilio signed for the address the public knows, exactly as it was sent."""
    form = read_form(await _body(request))
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope["path"] + (f"?{query}" if query else "")
    url = settings().public_url.rstrip("/") + path
    token = settings().twilio_auth_token.get_secret_value()
    if not signature_valid(token, url, form, request.headers.get("X-Twilio-Signature")):
        raise NotPermitted("签名不符，请求未被接受。")
    return form


GenuineForm = Annotated[Form, Depends(genuine_form)]


@router.post(
    "/status/{message_id}",
    summary="短信状态回执",
    status_code=204,
    response_class=Response,
    responses=problems(NotPermitted, TooLarge, Unavailable),
)
async def status(message_id: str, form: GenuineForm, request: Request) -> None:
    report = status_report(form)
    message = _uuid(message_id)
    if report is None or message is None:
        return
    async with transaction() as tx:
        await reports.record_status(
            tx,
            message,
            report.provider_id,
            _STATES[report.status],
            report.error_code,
            error=report.error,
            turn=_turn(request.query_params.get("turn")),
        )


@router.post(
    "/inbound",
    summary="收到的短信",
    status_code=204,
    response_class=Response,
    responses=problems(NotPermitted, TooLarge, Unavailable),
)
async def inbound(form: GenuineForm) -> None:
    given = inbound_text(form)
    if given is None:
        return
    async with transaction() as tx:
        await receive(
            tx,
            provider_message_id=given.provider_message_id,
            from_phone=given.from_phone,
            text=given.text,
            now=await tx.now(),
        )


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > FORM_BYTES_AT_MOST:
                raise TooLarge
    except ClientDisconnect as gone:
        raise MalformedRequest from gone
    return bytes(body)


def _turn(given: str | None) -> int | None:
    """Which turn of the message the callback address was made for; the first one's names none."""
    if given is None:
        return 1
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 6 else None


def _uuid(given: str) -> UUID | None:
    try:
        return UUID(given)
    except ValueError:
        return None
