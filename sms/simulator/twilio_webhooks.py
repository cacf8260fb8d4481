"""The simulator's calls to the application as Twilio makes them: forms, one a call, signed, and given up soon."""

import asyncio
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import parse_qs, urlencode

from twilio.request_validator import RequestValidator
from typing_extensions import override

from app.settings import Settings
from sms.simulator.behaviour import Behaviour
from sms.simulator.messages import Message, Messages, new_sid
from sms.simulator.webhooks import NOT_REACHED, Webhooks

_HEADERS = {
    "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
    "User-Agent": "TwilioProxy/1.1",
}
_SECONDS_BETWEEN_TRIES: Final = 1.0
# However often it may: after so long it gives up.
_SECONDS_AT_MOST: Final = 15.0


@dataclass(frozen=True, slots=True)
class _Trying:
    """What stands behind an address: how often more Twilio tries, and after what. By itself once, where it could not connect."""

    more: int
    after: frozenset[str]

    @classmethod
    def read(cls, fragment: str) -> Self:
        told = parse_qs(fragment)
        return cls(int(told.get("rc", ["1"])[0]), frozenset(told.get("rp", ["ct"])[0].split(",")))

    def again(self, status: int, *, connected: bool) -> bool:
        failed = "ct" if not connected else "rt" if status == NOT_REACHED else f"{status // 100}xx"
        return bool(self.after & {failed, "all"}) and failed in {"ct", "rt", "4xx", "5xx"}


class TwilioWebhooks(Webhooks):
    def __init__(self, messages: Messages, account: Settings, inbound_url: str) -> None:
        super().__init__(messages)
        self._account_sid = account.twilio_account_sid
        self._sign = RequestValidator(
            account.twilio_auth_token.get_secret_value()
        ).compute_signature
        self._inbound_url = inbound_url

    @override
    async def tell_status(self, message: Message, step: str, behaviour: Behaviour) -> None:
        if message.status_callback:
            fields = self._status_fields(message, step)
            await self._post_copies(message.status_callback, fields, behaviour)

    @override
    async def tell_reply(self, message: Message, behaviour: Behaviour) -> int:
        return await self._post_copies(self._inbound_url, self._inbound_fields(message), behaviour)

    async def _post_copies(self, url: str, fields: dict[str, str], behaviour: Behaviour) -> int:
        answers = await asyncio.gather(
            *(self._post_signed(url, fields, behaviour) for _ in range(behaviour.copies))
        )
        return max(answers)

    async def _post_signed(self, address: str, fields: dict[str, str], behaviour: Behaviour) -> int:
        # What stands behind it is neither sent nor signed.
        url, _, fragment = address.partition("#")
        trying, clock = _Trying.read(fragment), asyncio.get_running_loop().time
        headers = dict(_HEADERS, **{"I-Twilio-Idempotency-Token": new_sid()})
        if behaviour.signature != "missing":
            signature: str = self._sign(url, fields)
            headers["X-Twilio-Signature"] = (
                signature if behaviour.signature == "valid" else signature[::-1]
            )
        body = urlencode(fields).encode()
        end = clock() + _SECONDS_AT_MOST
        status, connected = await self.post(url, body, headers)
        for _ in range(trying.more):
            if not trying.again(status, connected=connected) or clock() > end:
                break
            await asyncio.sleep(_SECONDS_BETWEEN_TRIES)
            status, connected = await self.post(url, body, headers)
        return status

    def _status_fields(self, message: Message, status: str) -> dict[str, str]:
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
        code = message.error_code
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
