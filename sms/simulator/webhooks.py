"""The simulator's calls to the application: status reports and people's replies, signed as Twilio signs them."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlencode

import aiohttp
from twilio.request_validator import RequestValidator

from sms.simulator.behaviour import Behaviour, Fate
from sms.simulator.messages import Message, Messages, new_sid

_AT_ONCE = 32
_TIMEOUT = aiohttp.ClientTimeout(total=15)
_HEADERS = {
    "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
    "User-Agent": "TwilioProxy/1.1",
}
# Twilio tries a second time where it could not connect, and only then.
_SECONDS_BEFORE_SECOND_TRY = 1.0
_NOT_REACHED = 0


class Webhooks:
    """Needs a running event loop to be made."""

    def __init__(
        self, messages: Messages, *, account_sid: str, auth_token: str, inbound_url: str
    ) -> None:
        self._messages = messages
        self._account_sid = account_sid
        self._sign = RequestValidator(auth_token).compute_signature
        self._inbound_url = inbound_url
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._under_way: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        self.forget()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._session.close()

    def forget(self) -> None:
        """Drop the reports not sent yet."""
        for task in self._under_way:
            task.cancel()

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def report(self, message: Message, behaviour: Behaviour, fate: Fate) -> None:
        """Move an accepted text to its fate and report each step."""
        if fate is Fate.SILENT:
            return
        steps = ["queued", "failed"] if fate is Fate.FAILED else ["queued", "sent", fate.value]
        code = None if fate is Fate.DELIVERED else behaviour.failure_code
        if behaviour.reorder:
            steps.reverse()
        for step in steps:
            await asyncio.sleep(behaviour.report_delay_seconds)
            self._move(message, step, code if step == fate.value else None, last=step == fate.value)
            if message.status_callback:
                fields = self._status_fields(message, step, code if step == fate.value else None)
                await self._post_copies(message.status_callback, fields, behaviour)

    async def hand_in(self, message: Message, behaviour: Behaviour) -> None:
        """Hand a person's reply to the application and note what it answered."""
        message.webhook = await self._post_copies(
            self._inbound_url, self._inbound_fields(message), behaviour
        )
        self._messages.save(message)

    def _move(self, message: Message, status: str, code: int | None, *, last: bool) -> None:
        # Reports may leave in any order; the message itself only moves forward.
        if message.status != status and (last or message.status in {"queued", "sent"}):
            message.status = status
            message.error_code = code if last else message.error_code
            self._messages.save(message)

    async def _post_copies(self, url: str, fields: dict[str, str], behaviour: Behaviour) -> int:
        answers = await asyncio.gather(
            *(self._post(url, fields, behaviour) for _ in range(behaviour.copies))
        )
        return max(answers)

    async def _post(self, url: str, fields: dict[str, str], behaviour: Behaviour) -> int:
        headers = dict(_HEADERS, **{"I-Twilio-Idempotency-Token": new_sid()})
        if behaviour.signature != "missing":
            signature: str = self._sign(url, fields)
            headers["X-Twilio-Signature"] = (
                signature if behaviour.signature == "valid" else signature[::-1]
            )
        body = urlencode(fields)
        for pause in (0.0, _SECONDS_BEFORE_SECOND_TRY):
            await asyncio.sleep(pause)
            try:
                async with (
                    self._at_once,
                    self._session.post(
                        url, data=body, headers=headers, allow_redirects=False
                    ) as response,
                ):
                    await response.read()
                    return response.status
            except aiohttp.ClientConnectorError:
                continue
            except (aiohttp.ClientError, TimeoutError, ValueError):
                # Broken off, too slow, or no address at all: Twilio notes it and does not come back.
                break
        return _NOT_REACHED

    def _status_fields(self, message: Message, status: str, code: int | None) -> dict[str, str]:
        fields = {
            "SmsSid": message.sid,
            "SmsStatus": status,
            "MessageStatus": status,
            "To": message.to,
            "MessageSid": message.sid,
            "AccountSid": self._account_sid,
            "From": message.sender,
            "ApiVersion": "2010-04-01",
        }
        return fields if code is None else fields | {"ErrorCode": str(code)}

    def _inbound_fields(self, message: Message) -> dict[str, str]:
        # The empty fields are sent by Twilio too, and are covered by its signature.
        return {
            "ToCountry": "US",
            "ToState": "",
            "SmsMessageSid": message.sid,
            "NumMedia": "0",
            "ToCity": "",
            "FromZip": "",
            "SmsSid": message.sid,
            "FromState": "",
            "SmsStatus": "received",
            "FromCity": "",
            "Body": message.body,
            "FromCountry": "CN",
            "To": message.to,
            "ToZip": "",
            "NumSegments": "1",
            "MessageSid": message.sid,
            "AccountSid": self._account_sid,
            "From": message.sender,
            "ApiVersion": "2010-04-01",
        }
