"""The simulator's calls to the application as Twilio makes them: forms, one a call, signed."""

import asyncio
from urllib.parse import urlencode

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
# Twilio tries a second time where it could not connect, and only then.
_SECONDS_BEFORE_SECOND_TRY = 1.0


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

    async def _post_signed(self, url: str, fields: dict[str, str], behaviour: Behaviour) -> int:
        headers = dict(_HEADERS, **{"I-Twilio-Idempotency-Token": new_sid()})
        if behaviour.signature != "missing":
            signature: str = self._sign(url, fields)
            headers["X-Twilio-Signature"] = (
                signature if behaviour.signature == "valid" else signature[::-1]
            )
        body = urlencode(fields).encode()
        status = NOT_REACHED
        for pause in (0.0, _SECONDS_BEFORE_SECOND_TRY):
            await asyncio.sleep(pause)
            status, connected = await self.post(url, body, headers)
            if connected:
                break
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
