"""The simulator's share of Twilio's Messages API, close enough for Twilio's own library to notice no difference."""

import base64
import binascii
import hmac
import re
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from sms.simulator.behaviour import Treatment
from sms.simulator.messages import Message, new_sid, now
from sms.simulator.state import Simulator, simulator_of
from sms.texts import segments

ROOT: Final = "/2010-04-01/Accounts"
router = APIRouter()
Here = Annotated[Simulator, Depends(simulator_of)]

_E164: Final = re.compile(r"^\+[1-9]\d{6,14}$")
_BODY_AT_MOST: Final = 1600
_FORM_BYTES_AT_MOST: Final = 64 * 1024
_PAGE: Final = 50
_PAGE_AT_MOST: Final = 1000

# Twilio's own test numbers and what becomes of a text to them.
MAGIC: Final = {
    "+15005550001": "21211",
    "+15005550009": "21614",
    "+15005550003": "21408",
    "+15005550004": "21610",
}

_WORDS: Final = {
    "20003": "Authenticate",
    "20404": "The requested resource was not found",
    "20429": "Too many requests",
    "20500": "Internal server error",
    "21211": "Invalid 'To' Phone Number",
    "21408": "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
    "21602": "Message body is required",
    "21604": "'To' phone number is required",
    "21606": "The 'From' phone number provided is not a valid message-capable Twilio phone number",
    "21610": "Attempt to send to unsubscribed recipient",
    "21614": "'To' number is not a valid mobile number",
    "21617": "The concatenated message body exceeds the 1600 character limit",
}
_STATUS: Final = {"20003": 401, "20404": 404, "20429": 429, "20500": 500}


@router.post(ROOT + "/{account}/Messages.json", summary="Send a text")
async def send(account: str, request: Request, here: Here) -> Response:
    if not _authentic(request, account, here):
        return _error("20003")
    form = await _form(request)
    callback = form.get("StatusCallback", "").partition("#")[0]
    here.messages.requests[callback] += 1
    wrong = _mistake(form, here)
    if wrong:
        here.messages.treat(callback, Treatment.REFUSED)
        return _error(wrong)
    behaviour = here.dice.behaviour_for(form["To"])
    treatment, code = here.dice.treatment(behaviour)
    here.messages.treat(callback, treatment)
    message = _accepted(form) if treatment.takes_it else None
    await here.take(message, treatment, behaviour)
    if message is None or treatment is not Treatment.ACCEPTED:
        return _error(code)
    return JSONResponse(_resource(message, account), status_code=201)


@router.get(ROOT + "/{account}/Messages.json", summary="List texts, the newest first")
async def listed(account: str, request: Request, here: Here) -> Response:
    if not _authentic(request, account, here):
        return _error("20003")
    query = dict(request.query_params)
    size = min(max(_number(query.get("PageSize"), _PAGE), 1), _PAGE_AT_MOST)
    page = max(_number(query.get("Page"), 0), 0)
    wanted = [message for message in _chosen(here, query) if _in_time(message, query)]
    part = wanted[page * size : (page + 1) * size]
    path = f"{ROOT}/{account}/Messages.json"
    further = urlencode(query | {"Page": str(page + 1), "PageSize": str(size)})
    return JSONResponse(
        {
            "messages": [_resource(message, account) for message in part],
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(len(part) - 1, 0),
            "uri": f"{path}?{request.url.query}",
            "first_page_uri": f"{path}?{urlencode(query | {'Page': '0', 'PageSize': str(size)})}",
            "previous_page_uri": None,
            "next_page_uri": f"{path}?{further}" if len(wanted) > (page + 1) * size else None,
        }
    )


@router.get(ROOT + "/{account}/Messages/{sid}.json", summary="One text")
async def one(account: str, sid: str, request: Request, here: Here) -> Response:
    if not _authentic(request, account, here):
        return _error("20003")
    message = here.messages.get(sid)
    if message is None:
        return _error("20404")
    here.messages.inquiries[message.known_by] += 1
    return JSONResponse(_resource(message, account))


def _accepted(form: dict[str, str]) -> Message:
    return Message(
        sid=new_sid(),
        direction="outbound-api",
        sender=form["From"],
        to=form["To"],
        body=form["Body"],
        created_at=now(),
        status="queued",
        status_callback=form.get("StatusCallback", ""),
    )


def _authentic(request: Request, account: str, here: Simulator) -> bool:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return False
    expected = f"{here.account_sid}:{here.auth_token}".encode()
    return (
        scheme.lower() == "basic"
        and account == here.account_sid
        and hmac.compare_digest(given, expected)
    )


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_BYTES_AT_MOST:
            return {}
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _mistake(form: dict[str, str], here: Simulator) -> str | None:
    to = form.get("To", "")
    checks = (
        (not to, "21604"),
        (not form.get("Body"), "21602"),
        (form.get("From") != here.our_number, "21606"),
        (to in MAGIC, MAGIC.get(to, "")),
        (not _E164.match(to), "21211"),
        (len(form.get("Body", "")) > _BODY_AT_MOST, "21617"),
        (to in here.messages.opted_out, "21610"),
    )
    return next((code for wrong, code in checks if wrong), None)


def _chosen(here: Simulator, query: dict[str, str]) -> list[Message]:
    to, sender = query.get("To"), query.get("From")
    if to is not None and to != here.our_number:
        found = reversed(here.messages.of_phone(to))
    else:
        found = here.messages.newest_first()
    return [
        message
        for message in found
        if to in {None, message.to} and sender in {None, message.sender}
    ]


def _in_time(message: Message, query: dict[str, str]) -> bool:
    # "DateSent", "DateSent<" and "DateSent>"; an address ending in "DateSent>=2025-06-01" reads as the latter.
    sent = message.created_at
    day = _moment(query.get("DateSent"))
    before, after = _moment(query.get("DateSent<")), _moment(query.get("DateSent>"))
    return (
        (day is None or day <= sent < day + timedelta(days=1))
        and (before is None or sent < before + timedelta(seconds=1))
        and (after is None or sent >= after)
    )


def _moment(given: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(given or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=now().tzinfo)


def _number(given: str | None, otherwise: int) -> int:
    return int(given) if given and given.isdecimal() and len(given) < 10 else otherwise


def _error(code: str) -> JSONResponse:
    status = _STATUS.get(code, 400)
    words = _WORDS.get(code, "Refused")
    return JSONResponse(
        {
            "code": int(code),
            "message": words,
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        },
        status_code=status,
    )


def _resource(message: Message, account: str) -> dict[str, Any]:
    moment = format_datetime(message.created_at)
    path = f"{ROOT}/{account}/Messages/{message.sid}"
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": message.body,
        "date_created": moment,
        "date_sent": None if message.status == "queued" else moment,
        "date_updated": moment,
        "direction": message.direction,
        "error_code": message.error_code,
        "error_message": None,
        "from": message.sender,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": str(segments(message.body)),
        "price": None,
        "price_unit": "USD",
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": f"{path}/Media.json"},
        "to": message.to,
        "uri": f"{path}.json",
    }
