"""The providers' webhooks: checks whose they are and hands on what they say. Decides nothing about it.

A webhook is answered well whether or not it told us something new; only a forged, malformed or oversized one is
refused, so that a repeated or late one never looks like a fault to the provider. Where the database is away it is 503.
阿里云 pushes again for hours. Twilio tries again for some seconds, if the address that it was given says so
(twilio_protocol.TRIES_AGAIN); after that the worker has to ask it (workers/poll_inbox.py, workers/poll_receipts.py).
"""

import hmac
from collections.abc import Callable
from functools import cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from app.db import transaction
from app.errors import MalformedRequest, NotFound, NotPermitted, TooLarge, Unavailable
from app.http.problems import problems
from app.settings import settings
from app.texts import receipts
from app.texts.outbox import MessageState
from app.texts.receipts import Report
from sms.batches import apart, hear
from sms.providers import aliyun_pushes
from sms.providers.twilio_protocol import STATES
from sms.providers.twilio_signature import signature_valid
from sms.providers.twilio_webhooks import (
    FORM_BYTES_AT_MOST,
    Form,
    inbound_text,
    read_form,
    status_report,
)

router = APIRouter(prefix="/sms", tags=["短信"])
log = structlog.get_logger()
R = TypeVar("R")


async def genuine_form(request: Request) -> Form:
    """The form of a webhook that Twilio signed for the address the public knows, exactly as it was sent."""
    form = read_form(await _body(request, FORM_BYTES_AT_MOST))
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope["path"] + (f"?{query}" if query else "")
    url = settings().public_url.rstrip("/") + path
    token = settings().twilio_auth_token.get_secret_value()
    if not settings().hears("twilio") or not signature_valid(
        token, url, form, request.headers.get("X-Twilio-Signature")
    ):
        raise NotPermitted("签名不符，请求未被接受。")
    return form


GenuineForm = Annotated[Form, Depends(genuine_form)]


@router.post(
    "/twilio/status/{message_id}",
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
        await receipts.record(
            tx,
            [
                Report(
                    message,
                    report.provider_id,
                    STATES[report.status],
                    report.error_code,
                    report.error,
                    _turn(request.query_params.get("turn")),
                )
            ],
            provider="twilio",
        )


@router.post(
    "/twilio/inbound",
    summary="收到的短信",
    status_code=204,
    response_class=Response,
    responses=problems(NotPermitted, TooLarge, Unavailable),
)
async def inbound(form: GenuineForm) -> None:
    given = inbound_text(form)
    if given is not None:
        await hear([given])


class Taken(BaseModel):
    """What 阿里云 wants to hear; anything else, and it pushes the batch again."""

    code: int = 0
    msg: str = "接收成功"


async def pushed(secret: str, request: Request) -> list[Any]:
    """The items of a push that came from where 阿里云 pushes from, to the address that only it knows.

    Whoever else asks is told nothing, not even that there is such an address.
    """
    known = settings().aliyun_push_secret.get_secret_value()
    if not (
        settings().hears("aliyun")
        and hmac.compare_digest(secret.encode("utf-8", "replace"), known.encode())
        and _from_them(request)
    ):
        request.state.who = "webhook"  # for the security log: whoever tries secrets is to be seen
        raise NotFound
    batch = aliyun_pushes.read_batch(await _body(request, aliyun_pushes.BATCH_BYTES_AT_MOST))
    if batch is None:
        raise MalformedRequest
    return batch


_PUSHES: Final = problems(NotFound, MalformedRequest, TooLarge, Unavailable)


@router.post("/aliyun/{secret}/reports", summary="短信状态报告（SmsReport）", responses=_PUSHES)
async def pushed_reports(batch: Annotated[list[Any], Depends(pushed)]) -> Taken:
    told = [_report(receipt) for receipt in _read(batch, aliyun_pushes.receipt)]
    for some in apart(told, lambda one: (one.message_id, one.provider_id)):
        async with transaction() as tx:
            await receipts.record(tx, some, provider="aliyun")
    return Taken()


@router.post("/aliyun/{secret}/replies", summary="上行短信（SmsUp）", responses=_PUSHES)
async def replies(batch: Annotated[list[Any], Depends(pushed)]) -> Taken:
    await hear(_read(batch, aliyun_pushes.reply))
    return Taken()


def _read(batch: list[Any], read: Callable[[Any], R | None]) -> list[R]:
    """What can be read. The rest would not get better by being pushed again; that there was some is for the log."""
    found = [told for item in batch if (told := read(item)) is not None]
    if len(found) < len(batch):
        log.warning("push not all read", items=len(batch), read=len(found))
    return found


def _report(told: aliyun_pushes.Receipt) -> Report:
    state = MessageState.DELIVERED if told.delivered else MessageState.UNDELIVERED
    return Report(told.message_id, told.provider_id, state, told.error_code, told.error, told.turn)


def _from_them(request: Request) -> bool:
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in _networks(settings().aliyun_push_addresses))


@cache
def _networks(listed: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one.strip()) for one in listed.split(","))


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
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
