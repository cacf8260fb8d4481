"""阿里云 Dysms as it speaks: the signature of its RPC interface, its answers, its error codes. Pure: sends nothing."""

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

import msgspec

from app.settings import Settings
from sms.gateway import Capabilities, ErrorClass

# What 通知短信 allow for a value that may be any words.
LONGEST_VALUE: Final = 35
VERSION: Final = "2017-05-25"
_OUT_ID: Final = re.compile(
    r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.([1-9][0-9]{0,4}))?",
    re.ASCII | re.IGNORECASE,
)
_CODE: Final = re.compile(r"[!-~]{1,60}", re.ASCII)

# From answers (isv, isp, and the interface's own), and from receipts.
ERRORS: Final[Mapping[str, ErrorClass]] = {
    **dict.fromkeys(
        ("isv.MOBILE_NUMBER_ILLEGAL", "MOBILE_NOT_ON_SERVICE", "INVALID_NUMBER"),
        ErrorClass.NUMBER_UNUSABLE,
    ),
    **dict.fromkeys(
        ("isv.CUSTOMER_REFUSED", "MOBILE_IN_BLACK", "USER_REJECT"), ErrorClass.OPTED_OUT
    ),
    # The bare HTTP statuses stand where the answer named no code.
    **dict.fromkeys(
        (
            "401",
            "403",
            "isv.OUT_OF_SERVICE",
            "isv.AMOUNT_NOT_ENOUGH",
            "isv.PRODUCT_UN_SUBSCRIPT",
            "isv.PRODUCT_UNSUBSCRIBE",
            "isv.ACCOUNT_NOT_EXISTS",
            "isv.ACCOUNT_ABNORMAL",
            "isp.RAM_PERMISSION_DENY",
            "isv.DENY_IP_RANGE",
            "isv.SMS_SIGNATURE_ILLEGAL",
            "isv.SMS_SIGN_ILLEGAL",
            "isv.DAY_LIMIT_CONTROL",
            "isv.MONTH_LIMIT_CONTROL",
            "SignatureDoesNotMatch",
            "InvalidAccessKeyId.NotFound",
            "InvalidAccessKeyId.Inactive",
            "InvalidTimeStamp.Expired",
            "Forbidden.RAM",
        ),
        ErrorClass.ACCOUNT,
    ),
    # Approved as far as we know, and it is not: withdrawn there, or noted here under a wrong code.
    "isv.SMS_TEMPLATE_ILLEGAL": ErrorClass.TEMPLATE_REJECTED,
    **dict.fromkeys(
        (
            "isv.TEMPLATE_MISSING_PARAMETERS",
            "isv.TEMPLATE_PARAMS_ILLEGAL",
            "isv.INVALID_PARAMETERS",
            "isv.INVALID_JSON_PARAM",
            "isv.PARAM_LENGTH_LIMIT",
            "isv.PARAM_NOT_SUPPORT_URL",
            "isv.BLACK_KEY_CONTROL_LIMIT",
            "isv.SMS_CONTENT_ILLEGAL",
            "isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE",
            "isv.UNSUPPORTED_CONTENT",
            "CONTENT_KEYWORD",
            "CONTENT_ERROR",
        ),
        ErrorClass.CONTENT,
    ),
    **dict.fromkeys(
        (
            "429",
            "isv.BUSINESS_LIMIT_CONTROL",
            "Throttling",
            "Throttling.User",
            "Throttling.Api",
            "MOBILE_SEND_LIMIT",
            "IS_CLOSE",
        ),
        ErrorClass.TRANSIENT,
    ),
}


class Sent(msgspec.Struct, rename="pascal"):
    """What SendSms answers."""

    code: str
    biz_id: str | None = None


class Detail(msgspec.Struct, rename="pascal"):
    """One text as QuerySendDetails lists it. The provider's own id is not among what it tells."""

    out_id: str | None = None
    # 1: waiting for the network's receipt; 2: did not arrive; 3: arrived.
    send_status: int | str | None = None
    err_code: str | None = None


class _Details(msgspec.Struct):
    listed: list[Detail] = msgspec.field(name="SmsSendDetailDTO", default_factory=list)


class Page(msgspec.Struct, rename="pascal"):
    """What QuerySendDetails answers."""

    code: str
    total_count: int | str = 0
    details: _Details = msgspec.field(name="SmsSendDetailDTOs", default_factory=_Details)


def classify(code: str) -> ErrorClass:
    """The class of a code, from an answer or from a receipt."""
    return ERRORS.get(code, ErrorClass.AMBIGUOUS)


def error_code(given: Any) -> str | None:
    """A code as it stands in a receipt; anything else is none."""
    return given if isinstance(given, str) and _CODE.fullmatch(given) else None


def leaves_open(code: str) -> bool:
    """Whether after this answer the text may have gone out all the same: a fault of theirs, not a refusal."""
    return code not in ERRORS and (code.startswith("isp.") or code == "InternalError")


def signature(secret: str, method: str, params: Mapping[str, str]) -> str:
    """Over every parameter but itself, in the order of their names."""
    query = "&".join(f"{_encoded(name)}={_encoded(params[name])}" for name in sorted(params))
    signed = f"{method}&{_encoded('/')}&{_encoded(query)}"
    return b64encode(hmac.digest(f"{secret}&".encode(), signed.encode(), "sha1")).decode()


def template_param(values: Mapping[str, str]) -> str:
    """Every value a string: numbers are refused."""
    return msgspec.json.encode(dict(values)).decode()


def out_id(message_id: UUID, turn: int) -> str:
    """What goes with a text and comes back with all that is told of it. Each turn has its own: it is another text."""
    return str(message_id) if turn == 1 else f"{message_id}.{turn}"


def which(given: Any) -> tuple[UUID, int] | None:
    """The message and its turn; None: that is no `out_id` of ours."""
    found = _OUT_ID.fullmatch(given) if isinstance(given, str) else None
    return None if found is None else (UUID(found[1]), int(found[2] or 1))


def national(phone: str) -> str:
    """A mainland number as it is written there."""
    return phone.removeprefix("+86")


def readable(body: bytes, kind: type[Any]) -> Any:
    """The answer, or None where it is none of theirs."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _encoded(value: str) -> str:
    return quote(value, safe="")


def capabilities(settings: Settings) -> Capabilities:
    return Capabilities(
        two_way=settings.replies_come_back,
        links=False,
        free_text=False,
        longest_value=LONGEST_VALUE,
    )
