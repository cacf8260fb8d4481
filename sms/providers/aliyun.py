"""阿里云 Dysms as a Gateway: approved templates with values, one attempt per call, a timeout that holds, nothing logged.

Not here: what it pushes to us (aliyun_pushes.py), and deciding what a result means for the message (the outbox worker).
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import uuid4

import aiohttp
import asyncpg
from msgspec import Struct

from app.clock import SHANGHAI
from app.settings import Settings
from app.texts.approvals import Approval, ApprovalState
from app.texts.outbox import MessageKind, MessageState
from sms import templates
from sms.gateway import (
    Accepted,
    Capabilities,
    ErrorClass,
    NotSent,
    OutgoingText,
    Refused,
    SendResult,
    SentText,
    Status,
    Unknown,
    Withheld,
)
from sms.providers.aliyun_protocol import (
    VERSION,
    Detail,
    Page,
    Sent,
    capabilities,
    classify,
    error_code,
    leaves_open,
    national,
    out_id,
    readable,
    signature,
    template_param,
)
from sms.texts import values

API: Final = "https://dysmsapi.aliyuncs.com"
PROVIDER: Final = "aliyun"

_CLOCKS_DIFFER: Final = timedelta(minutes=2)
_PAGE: Final = 50
# More texts than this to one number on one day would be a fault of its own.
_PAGES_AT_MOST: Final = 4
# The provider lists no older ones.
_DAYS_AT_MOST: Final = 30
_CONNECT_SECONDS: Final = 5.0
_AT_ONCE: Final = 64
_IDLE_SECONDS: Final = 15.0
# How long an approval is believed without looking again.
_BELIEVED_SECONDS: Final = 5.0

_UNAPPROVED: Final = {
    Approval.PENDING: ErrorClass.TEMPLATE_PENDING,
    Approval.REJECTED: ErrorClass.TEMPLATE_REJECTED,
}

_SEND_STATUS: Final = {
    "1": MessageState.ACCEPTED,
    "2": MessageState.UNDELIVERED,
    "3": MessageState.DELIVERED,
}

AskApproval = Callable[[MessageKind], Awaitable[ApprovalState]]


class _Answer(Struct, frozen=True):
    status: int
    body: bytes


class AliyunGateway:
    """Needs a running event loop to be made; keep one for the life of the process."""

    def __init__(self, settings: Settings, approval: AskApproval | None = None) -> None:
        self._url = (settings.aliyun_api_url or API).rstrip("/") + "/"
        self._key = settings.aliyun_access_key_id
        self._secret = settings.aliyun_access_key_secret.get_secret_value()
        self._signature = settings.sms_signature
        self._capabilities = capabilities(settings)
        self._ask_approval = approval or self._approval
        self._believed: dict[MessageKind, tuple[float, ApprovalState]] = {}
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(
                total=settings.sms_timeout_seconds,
                sock_connect=min(_CONNECT_SECONDS, settings.sms_timeout_seconds),
            ),
            connector=aiohttp.TCPConnector(limit=_AT_ONCE, keepalive_timeout=_IDLE_SECONDS),
        )

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def inbox(self) -> None:
        """It pushes again until it is answered well."""

    async def send(self, message: OutgoingText) -> SendResult:
        kind = MessageKind(message.template)
        try:
            standing = await self._standing(kind)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            return Withheld(f"templates: {type(error).__name__}", ErrorClass.TRANSIENT)
        if standing.approval is not Approval.APPROVED or standing.template_code is None:
            unapproved = _UNAPPROVED.get(standing.approval, ErrorClass.TEMPLATE_PENDING)
            return Withheld(unapproved, unapproved)
        given = values(
            kind,
            message.parameters,
            signature=self._signature,
            capabilities=self._capabilities,
        )
        try:
            answer = await self._call(
                "SendSms",
                PhoneNumbers=national(message.phone),
                SignName=self._signature,
                TemplateCode=standing.template_code,
                TemplateParam=template_param(given),
                OutId=out_id(message.id, message.turn),
            )
        except aiohttp.ConnectionTimeoutError:
            return NotSent("connect_timeout")
        except aiohttp.ClientConnectorError:
            return NotSent("no_connection")
        except TimeoutError:
            return Unknown("timeout")
        except aiohttp.ClientError as error:
            return Unknown(type(error).__name__)
        return _result(answer)

    async def find(
        self, message: OutgoingText, *, attempted_at: datetime, taken: Collection[str] = ()
    ) -> Accepted | NotSent | Unknown:
        """By our own id, which the provider keeps with the text: `taken` is not needed.

        A text is listed some seconds after it was accepted; the outbox asks no sooner.
        """
        found = await self._listed(message, _days(attempted_at, datetime.now(UTC)))
        return Accepted(None) if isinstance(found, Detail) else found

    async def status_of(self, sent: SentText) -> Status | NotSent | Unknown:
        until = min(sent.not_after, datetime.now(UTC))
        found = await self._listed(sent, _days(sent.not_before, until))
        return _status(found) if isinstance(found, Detail) else found

    async def close(self) -> None:
        await self._session.close()
        # aiohttp closes its sockets on the next turn of the loop.
        await asyncio.sleep(0)

    async def _listed(
        self, text: OutgoingText | SentText, days: list[date]
    ) -> Detail | NotSent | Unknown:
        try:
            for day in days:
                found = await self._listed_on(day, text)
                if not isinstance(found, NotSent):
                    return found
        except (TimeoutError, aiohttp.ClientError) as error:
            return Unknown(type(error).__name__)
        return NotSent("not_found")

    async def _listed_on(
        self, day: date, text: OutgoingText | SentText
    ) -> Detail | NotSent | Unknown:
        ours = out_id(text.id, text.turn)
        for number in range(1, _PAGES_AT_MOST + 1):
            answer = await self._call(
                "QuerySendDetails",
                PhoneNumber=national(text.phone),
                SendDate=f"{day:%Y%m%d}",
                PageSize=str(_PAGE),
                CurrentPage=str(number),
            )
            page: Page | None = readable(answer.body, Page)
            if page is None or answer.status >= 500:
                return Unknown(f"http_{answer.status}")
            if page.code != "OK":
                return Unknown(page.code)
            for detail in page.details.listed:
                if detail.out_id == ours:
                    return detail
            if len(page.details.listed) < _PAGE:
                return NotSent("not_found")
        return Unknown("too_many_to_search")

    async def _standing(self, kind: MessageKind) -> ApprovalState:
        now = asyncio.get_running_loop().time()
        asked_at, known = self._believed.get(kind, (0.0, None))
        if known is None or now - asked_at > _BELIEVED_SECONDS:
            known = await self._ask_approval(kind)
            self._believed[kind] = (now, known)
        return known

    async def _approval(self, kind: MessageKind) -> ApprovalState:
        return await templates.standing(PROVIDER, kind, self._capabilities)

    async def _call(self, action: str, **params: str) -> _Answer:
        """One signed request. In the body, so that no address holds a phone number."""
        form = {
            "AccessKeyId": self._key,
            "Action": action,
            "Format": "JSON",
            "RegionId": "cn-hangzhou",
            "SignatureMethod": "HMAC-SHA1",
            "SignatureNonce": str(uuid4()),
            "SignatureVersion": "1.0",
            "Timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "Version": VERSION,
            **params,
        }
        form["Signature"] = signature(self._secret, "POST", form)
        async with self._session.post(self._url, data=form, allow_redirects=False) as response:
            return _Answer(response.status, await response.read())


def _result(answer: _Answer) -> SendResult:
    # A redirect or a 5xx says nothing about what happened to the text behind it.
    if answer.status >= 500 or 300 <= answer.status < 400 or answer.status == 408:
        return Unknown(f"http_{answer.status}")
    sent: Sent | None = readable(answer.body, Sent)
    if sent is None:
        if answer.status < 300:
            return Unknown("unreadable_answer")
        return Refused(str(answer.status), classify(str(answer.status)))
    if sent.code == "OK":
        return Accepted(sent.biz_id) if sent.biz_id else Unknown("unreadable_answer")
    if leaves_open(sent.code):
        return Unknown(sent.code)
    return Refused(sent.code, classify(sent.code))


def _status(detail: Detail) -> Status | Unknown:
    state = _SEND_STATUS.get(str(detail.send_status))
    if state is None:
        return Unknown("unreadable_answer")
    code = error_code(detail.err_code)
    if state is not MessageState.UNDELIVERED or code is None:
        return Status(state)
    return Status(state, code, classify(code))


def _days(since: datetime, until: datetime) -> list[date]:
    """The days, as the provider counts them, on which the attempt may have been."""
    first = (since - _CLOCKS_DIFFER).astimezone(SHANGHAI).date()
    last = (until + _CLOCKS_DIFFER).astimezone(SHANGHAI).date()
    span = min((last - first).days, _DAYS_AT_MOST)
    return [last - timedelta(days=ago) for ago in range(span, -1, -1)]
