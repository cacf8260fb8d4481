"""Twilio as a Gateway, through its own library: one attempt per call, a timeout that holds, nothing logged.

Not here: the webhooks (sms/inbound.py) and deciding what a result means for the message (the outbox worker).
"""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from app.settings import Settings
from app.texts.inbound import InboundText
from app.texts.outbox import MessageState
from sms.gateway import (
    Accepted,
    Capabilities,
    Inbox,
    NotSent,
    OutgoingText,
    Received,
    Refused,
    SendResult,
    SentText,
    Status,
    Unknown,
)
from sms.providers.twilio_protocol import (
    ERRORS,
    STATES,
    TRIES_AGAIN,
    capabilities,
    classify,
    reply,
)

API: Final = "https://api.twilio.com"

# A body that is none of Twilio's.
_UNREADABLE: Final = (TwilioException, ValueError, TypeError, AttributeError, KeyError)
# Their clock and ours differ, and Twilio's dates have whole seconds.
_CLOCKS_DIFFER = timedelta(minutes=2)
# More texts than this to one number since the attempt would be a fault of its own.
_LISTED_AT_MOST = 200
_REPLIES_A_PAGE: Final = 200
_REPLIES_AT_MOST: Final = 10_000
_CONNECT_SECONDS = 5.0
_AT_ONCE = 64
_IDLE_SECONDS = 15.0


class TwilioGateway:
    """Needs a running event loop to be made; keep one for the life of the process."""

    def __init__(self, settings: Settings) -> None:
        self._capabilities = capabilities(settings)
        self._from = settings.twilio_from
        self._http = _BoundedHttpClient(
            settings.twilio_api_url or API, settings.sms_timeout_seconds
        )
        self._messages = Client(
            settings.twilio_account_sid,
            settings.twilio_auth_token.get_secret_value(),
            http_client=self._http,
        ).api.v2010.account.messages

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def inbox(self) -> Inbox:
        return self

    async def send(self, message: OutgoingText) -> SendResult:
        try:
            record = await self._messages.create_async(
                to=message.phone,
                from_=self._from,
                body=message.body,
                status_callback=message.callback_url + TRIES_AGAIN,
            )
        except aiohttp.ConnectionTimeoutError:
            return NotSent("connect_timeout")
        except aiohttp.ClientConnectorError:
            return NotSent("no_connection")
        except TimeoutError:
            return Unknown("timeout")
        except aiohttp.ClientError as error:
            return Unknown(type(error).__name__)
        except (TwilioRestException, TwilioServiceException) as error:
            return _refusal(int(error.status), str(error.code))
        # A 2xx whose body is no message. Whatever went wrong, the text may have gone out.
        except _UNREADABLE:
            return Unknown("unreadable_answer")
        return Accepted(record.sid) if record.sid else Unknown("unreadable_answer")

    async def find(
        self, message: OutgoingText, *, attempted_at: datetime, taken: Collection[str] = ()
    ) -> Accepted | NotSent | Unknown:
        # Not filtered by DateSent: a text still queued has none. And the list never tells the callback's address.
        try:
            records = await self._messages.list_async(to=message.phone, limit=_LISTED_AT_MOST)
        except (TimeoutError, aiohttp.ClientError, *_UNREADABLE) as error:
            return Unknown(type(error).__name__)
        since = attempted_at.astimezone(UTC) - _CLOCKS_DIFFER
        found = [
            record for record in records if _is(record, message, since) and record.sid not in taken
        ]
        if found:
            # The oldest: should several messages read the same, each attempt takes the next one.
            return Accepted(str(found[-1].sid))
        if len(records) == _LISTED_AT_MOST:
            return Unknown("too_many_to_search")
        return NotSent("not_found")

    async def status_of(self, sent: SentText) -> Status | NotSent | Unknown:
        if sent.provider_id is None:
            # Among texts that read the same, another's end would be taken for this one's.
            return Unknown("no_provider_id")
        try:
            record = await self._messages(sent.provider_id).fetch_async()
        except (TwilioRestException, TwilioServiceException) as error:
            return NotSent("not_found") if int(error.status) == 404 else Unknown(str(error.code))
        except (TimeoutError, aiohttp.ClientError, *_UNREADABLE) as error:
            return Unknown(type(error).__name__)
        state = STATES.get(str(record.status))
        if state is None or record.sid != sent.provider_id:
            return Unknown("unreadable_answer")
        if state in (MessageState.ACCEPTED, MessageState.DELIVERED) or record.error_code is None:
            return Status(state)
        return Status(state, str(record.error_code), classify(record.error_code))

    async def received(self, since: datetime) -> Received | Unknown:
        """Twilio filters by the day and lists the newest first: it is read up to the first that is older."""
        texts: list[InboundText] = []
        read = 0
        try:
            records = await self._messages.stream_async(
                to=self._from,
                date_sent_after=since.astimezone(UTC).replace(hour=0, minute=0, second=0),
                page_size=_REPLIES_A_PAGE,
                limit=_REPLIES_AT_MOST,
            )
            async for record in records:
                if record.date_created is not None and record.date_created < since:
                    break
                read += 1
                if (text := _text(record)) is not None:
                    texts.append(text)
        except (TimeoutError, aiohttp.ClientError, *_UNREADABLE) as error:
            return Unknown(type(error).__name__)
        return Received(texts[::-1], whole=read < _REPLIES_AT_MOST)

    async def close(self) -> None:
        await self._http.close()


def _refusal(status: int, code: str) -> Refused | Unknown:
    # A redirect or a 5xx says nothing about what happened to the text behind it.
    if 400 <= status < 500 and status != 408:
        return Refused(code, classify(code if code in ERRORS else status))
    return Unknown(f"http_{status}")


def _is(record: MessageInstance, message: OutgoingText, since: datetime) -> bool:
    # A trial account puts words of Twilio's own before ours.
    return (
        record.direction != "inbound"
        and record.date_created is not None
        and record.date_created >= since
        and (record.body or "").strip().endswith(message.body.strip())
    )


def _text(record: MessageInstance) -> InboundText | None:
    if record.direction != "inbound" or record.date_created is None:
        return None
    # Told in whole seconds: the end of that second, lest it stand before what it answers.
    sent_at = record.date_created + timedelta(seconds=1)
    return reply(record.sid, record.from_, record.body or "", sent_at)


class _BoundedHttpClient(AsyncTwilioHttpClient):  # type: ignore[misc]  # twilio ships no types
    """The library's asynchronous client with a request path of its own.

    The library's hands `timeout=None` to aiohttp on every request, which means no timeout at all, whatever its
    constructor was told; it logs addresses with phone numbers in them; it keeps the last request on itself; and it
    uses what aiohttp has deprecated. Sends are not idempotent, so nothing here tries twice.
    """

    def __init__(self, api_url: str, timeout_seconds: float) -> None:
        super().__init__(pool_connections=False, timeout=timeout_seconds, max_retries=None)
        self._api_url = api_url.rstrip("/")
        self.session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(
                total=timeout_seconds, sock_connect=min(_CONNECT_SECONDS, timeout_seconds)
            ),
            connector=aiohttp.TCPConnector(limit=_AT_ONCE, keepalive_timeout=_IDLE_SECONDS),
        )

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's signature; the session's timeout holds
        allow_redirects: bool = False,
    ) -> Response:
        sent_headers = dict(headers or {})
        if auth is not None:
            sent_headers["Authorization"] = aiohttp.encode_basic_auth(*auth)
        async with self.session.request(
            method.upper(),
            self._api_url + url.removeprefix(API),
            params=_text_values(params),
            data=_text_values(data),
            headers=sent_headers,
            allow_redirects=allow_redirects,
        ) as response:
            return Response(
                response.status, await response.text(errors="replace"), response.headers
            )

    async def close(self) -> None:
        await self.session.close()
        # aiohttp closes its sockets on the next turn of the loop.
        await asyncio.sleep(0)


def _text_values(values: dict[str, object] | None) -> dict[str, str] | None:
    return None if values is None else {name: str(value) for name, value in values.items()}
