"""The simulator's calls to the application as 阿里云 makes them: JSON arrays of whatever has gathered, unsigned."""

import asyncio
from typing import Any, Final

import msgspec
from typing_extensions import override

from app.clock import SHANGHAI
from app.settings import Settings
from sms.providers.aliyun_protocol import national
from sms.simulator.behaviour import Behaviour
from sms.simulator.messages import Message, Messages, now
from sms.simulator.webhooks import NOT_REACHED, Webhooks
from sms.texts import segments

_HEADERS: Final = {"Content-Type": "application/json; charset=utf-8"}
_GATHERED_SECONDS: Final = 0.05
# It pushes again until it is answered well: after minutes there, after seconds here.
_PAUSES: Final = (1.0, 5.0, 10.0, 30.0, *(60.0,) * 5)
_FORGED: Final = "not-the-secret-at-all"
_Waiting = list[tuple[dict[str, Any], asyncio.Future[int]]]


class AliyunPushes(Webhooks):
    """`base_url` ends in the secret; reports and replies have an address each below it."""

    def __init__(self, messages: Messages, account: Settings, base_url: str) -> None:
        super().__init__(messages)
        secret = account.aliyun_push_secret.get_secret_value()
        self._base_url = base_url or f"{account.public_url.rstrip('/')}/sms/aliyun/{secret}"
        self._sign_name = account.sms_signature
        self._waiting: dict[str, _Waiting] = {}

    @override
    async def tell_status(self, message: Message, step: str, behaviour: Behaviour) -> None:
        if step not in {"queued", "sent"}:
            await self._push("reports", _report(message, step), behaviour)

    @override
    async def tell_reply(self, message: Message, behaviour: Behaviour) -> int:
        return await self._push("replies", self._reply(message), behaviour)

    async def _push(self, to: str, item: dict[str, Any], behaviour: Behaviour) -> int:
        """What the first try was answered."""
        answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        gathering = self._waiting.setdefault(to, [])
        gathering.append((item, answered))
        if len(gathering) == 1:
            self.later(self._hand_over(to, behaviour))
        return await answered

    @override
    def forget(self) -> None:
        super().forget()
        for gathered in self._waiting.values():
            _answer(gathered, NOT_REACHED)
        self._waiting.clear()

    async def _hand_over(self, to: str, behaviour: Behaviour) -> None:
        await asyncio.sleep(_GATHERED_SECONDS)
        gathered = self._waiting.pop(to)
        items = [item for item, _ in gathered]
        if behaviour.reorder:
            items.reverse()
        base = self._base_url
        if behaviour.signature != "valid":
            base = f"{base.rpartition('/')[0]}/{_FORGED}"
        status = NOT_REACHED
        try:
            status = await self._post_copies(f"{base}/{to}", items, behaviour)
        finally:
            _answer(gathered, status)
        for pause in _PAUSES:
            if 200 <= status < 300:
                return
            await asyncio.sleep(pause)
            status = await self._post_copies(f"{base}/{to}", items, behaviour)

    async def _post_copies(self, url: str, items: list[Any], behaviour: Behaviour) -> int:
        body = msgspec.json.encode(items)
        answers = await asyncio.gather(
            *(self.post(url, body, _HEADERS) for _ in range(behaviour.copies))
        )
        return max(status for status, _ in answers)

    def _reply(self, message: Message) -> dict[str, Any]:
        return {
            "phone_number": national(message.sender),
            "send_time": _written(),
            "content": message.body,
            "sign_name": self._sign_name,
            "dest_code": "1234",
            "sequence_id": int(message.sid),
        }


def _answer(gathered: _Waiting, status: int) -> None:
    for _, answered in gathered:
        if not answered.done():
            answered.set_result(status)


def _report(message: Message, step: str) -> dict[str, Any]:
    delivered = step == "delivered"
    code = message.error_code
    return {
        "phone_number": national(message.to),
        "send_time": f"{message.created_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}",
        "report_time": _written(),
        "success": delivered,
        "err_code": "DELIVERED" if delivered else _carrier_code(code),
        "err_msg": "用户接收成功" if delivered else "发送失败",
        "sms_size": str(segments(message.body)),
        "biz_id": message.sid,
        "out_id": message.status_callback,
    }


def _carrier_code(code: int | str | None) -> str:
    # Told as a number it is one of Twilio's, which nobody here would say.
    return code if isinstance(code, str) else "MOBILE_NOT_ON_SERVICE"


def _written() -> str:
    return f"{now().astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
