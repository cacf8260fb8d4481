"""The simulator's share of 阿里云's Dysms interface: SendSms and QuerySendDetails, as its RPC requests ask for them."""

import hmac
import json
import re
from collections import deque
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl
from uuid import uuid4

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from app.clock import SHANGHAI
from sms.providers.aliyun_protocol import LONGEST_VALUE, VERSION, signature
from sms.simulator.aliyun_templates import approved, filled, places
from sms.simulator.behaviour import Treatment
from sms.simulator.messages import Message, now
from sms.simulator.state import Simulator, simulator_of
from sms.texts import cleaned

router = APIRouter()
Here = Annotated[Simulator, Depends(simulator_of)]

_FORM_BYTES_AT_MOST: Final = 64 * 1024
_CLOCKS_DIFFER: Final = timedelta(minutes=15)
_PAGE_AT_MOST: Final = 50
_DAY: Final = re.compile(r"\d{8}", re.ASCII)
_MOBILE: Final = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})", re.ASCII)
_SENT_STATUS: Final = {"delivered": 3, "undelivered": 2, "failed": 2}
# What it answers with an HTTP status of its own; everything that concerns the text is 200.
_STATUS: Final = {
    "InvalidAccessKeyId.NotFound": 404,
    "InvalidAction.NotFound": 404,
    "SignatureDoesNotMatch": 400,
    "InvalidTimeStamp.Expired": 400,
    "SignatureNonceUsed": 400,
    "Throttling.User": 400,
    "InternalError": 500,
}
_TREATED: Final = {
    Treatment.TOO_MANY: "Throttling.User",
    Treatment.ERROR_ACCEPTED: "InternalError",
    Treatment.ERROR_NOT_ACCEPTED: "InternalError",
    Treatment.STALL_ACCEPTED: "InternalError",
    Treatment.STALL_NOT_ACCEPTED: "InternalError",
}
_nonces: deque[str] = deque(maxlen=10_000)


@router.post("/", summary="SendSms or QuerySendDetails")
async def call(request: Request, here: Here) -> Response:
    form = await _form(request)
    wrong = _forgery(form, here)
    if wrong:
        return _answer(wrong)
    if form.get("Action") == "SendSms":
        return await _send(form, here)
    if form.get("Action") == "QuerySendDetails":
        return _listed(form, here)
    return _answer("InvalidAction.NotFound")


async def _send(form: dict[str, str], here: Simulator) -> Response:
    out_id = form.get("OutId", "")
    here.messages.requests[out_id] += 1
    wrong = _mistake(form, here)
    if wrong:
        here.messages.treat(out_id, Treatment.REFUSED)
        return _answer(wrong)
    phone = _e164(form["PhoneNumbers"])
    behaviour = here.dice.behaviour_for(phone)
    treatment, code = here.dice.treatment(behaviour)
    here.messages.treat(out_id, treatment)
    message = _accepted(form, phone, out_id) if treatment.takes_it else None
    await here.take(message, treatment, behaviour)
    if message is None or treatment is not Treatment.ACCEPTED:
        return _answer(_TREATED.get(treatment, code))
    return _answer("OK", BizId=message.sid)


def _accepted(form: dict[str, str], phone: str, out_id: str) -> Message:
    words = approved()[form["TemplateCode"]]
    return Message(
        sid=f"{uuid4().int % 10**18:018d}^0",
        direction="outbound-api",
        sender=form["SignName"],
        to=phone,
        body=f"【{form['SignName']}】{filled(words, json.loads(form['TemplateParam']))}",
        created_at=now(),
        status="queued",
        status_callback=out_id,
        template_code=form["TemplateCode"],
    )


def _listed(form: dict[str, str], here: Simulator) -> Response:
    if not _MOBILE.fullmatch(form.get("PhoneNumber", "")):
        return _answer("isv.MOBILE_NUMBER_ILLEGAL")
    size, page = _number(form.get("PageSize")), _number(form.get("CurrentPage"))
    if not 1 <= size <= _PAGE_AT_MOST or page < 1 or not _day(form.get("SendDate", "")):
        return _answer("isv.INVALID_PARAMETERS")
    found = [
        message
        for message in reversed(here.messages.of_phone(_e164(form["PhoneNumber"])))
        if message.direction == "outbound-api"
        and f"{message.created_at.astimezone(SHANGHAI):%Y%m%d}" == form["SendDate"]
    ]
    part = found[(page - 1) * size : page * size]
    here.messages.inquiries.update(message.known_by for message in part)
    return _answer(
        "OK",
        TotalCount=len(found),
        SmsSendDetailDTOs={"SmsSendDetailDTO": [_detail(message) for message in part]},
    )


def _detail(message: Message) -> dict[str, Any]:
    at = f"{message.created_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
    status = _SENT_STATUS.get(message.status, 1)
    told = {
        "SendDate": at,
        "OutId": message.status_callback,
        "SendStatus": status,
        "TemplateCode": message.template_code,
        "Content": message.body,
        "PhoneNum": message.to.removeprefix("+86"),
    }
    if status == 1:
        return told
    code = "DELIVERED" if status == 3 else str(message.error_code or "UNDELIV")
    return told | {"ReceiveDate": at, "ErrCode": code}


def _forgery(form: dict[str, str], here: Simulator) -> str | None:
    account = here.account
    if form.get("AccessKeyId") != account.aliyun_access_key_id:
        return "InvalidAccessKeyId.NotFound"
    given = form.pop("Signature", "")
    secret = account.aliyun_access_key_secret.get_secret_value()
    if not hmac.compare_digest(signature(secret, "POST", form).encode(), given.encode()):
        return "SignatureDoesNotMatch"
    if form.get("SignatureNonce") in _nonces:
        return "SignatureNonceUsed"
    _nonces.append(form.get("SignatureNonce", ""))
    if not _in_time(form.get("Timestamp", "")):
        return "InvalidTimeStamp.Expired"
    return None if form.get("Version") == VERSION else "InvalidAction.NotFound"


def _in_time(written: str) -> bool:
    try:
        return abs(now() - datetime.fromisoformat(written)) <= _CLOCKS_DIFFER
    except (ValueError, TypeError):
        return False


def _mistake(form: dict[str, str], here: Simulator) -> str | None:
    words = approved().get(form.get("TemplateCode", ""))
    if not _MOBILE.fullmatch(form.get("PhoneNumbers", "")):
        return "isv.MOBILE_NUMBER_ILLEGAL"
    if form.get("SignName") != here.account.sms_signature:
        return "isv.SMS_SIGNATURE_ILLEGAL"
    if words is None:
        return "isv.SMS_TEMPLATE_ILLEGAL"
    given = _values(form.get("TemplateParam", "{}"))
    if given is None:
        return "isv.INVALID_JSON_PARAM"
    if not all(given.get(place) for place in places(words)):
        return "isv.TEMPLATE_MISSING_PARAMETERS"
    if any(len(value) > LONGEST_VALUE for value in given.values()):
        return "isv.PARAM_LENGTH_LIMIT"
    if any(cleaned(value) != value for value in given.values()):
        return "isv.PARAM_NOT_SUPPORT_URL"
    return None


def _values(written: str) -> dict[str, str] | None:
    try:
        given = json.loads(written)
    except ValueError:
        return None
    if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
        return None
    return given


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_BYTES_AT_MOST:
            return {}
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _e164(written: str) -> str:
    found = _MOBILE.fullmatch(written)
    assert found is not None, "checked before"
    return f"+86{found[1]}"


def _day(written: str) -> bool:
    return bool(_DAY.fullmatch(written))


def _number(given: str | None) -> int:
    return int(given) if given and given.isdecimal() and len(given) < 10 else 0


def _answer(code: str, **told: object) -> JSONResponse:
    return JSONResponse(
        {"Code": code, "Message": code, "RequestId": str(uuid4()).upper(), **told},
        status_code=_STATUS.get(code, 200),
    )
