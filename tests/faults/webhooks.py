"""Webhooks as no provider should send them: repeated, disordered, late and forged; reports and replies of both."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID, uuid4

from twilio.request_validator import RequestValidator

from app.clock import SHANGHAI
from app.settings import settings
from app.texts.outbox import MessageState
from tests.faults.messages import Judged
from tests.faults.post import Post, moment, owed, phone

# Not those that are published: so the application that takes the webhooks of one provider believes the other's as well.
BELIEVED: Final = {
    "ALIYUN_ACCESS_KEY_SECRET": "of-the-faults-alone",
    "ALIYUN_PUSH_SECRET": "of-the-faults-alone",
    "ALIYUN_PUSH_ADDRESSES": "127.0.0.1/32",
}
COPIES: Final = 5
_A_PUSH: Final = 20
_WORDS: Final = ("谢谢", "TD")
_FALSE: Final = ("forged", "unsigned", "split", "elsewhere")
_REPLIES: Final = "SELECT count(*) FROM surveys.reply"
_OPTED_OUT: Final = "SELECT count(*) FROM surveys.opt_out WHERE back_at IS NULL"

Call = tuple[str, bytes, dict[str, str]]


async def webhooks(post: Post, *, texts: int) -> Judged:
    """Each report and reply five times at once, in any order, a day late; forged, unsigned, parted elsewhere, for elsewhere."""
    now = await moment(post)
    messages = [owed(number, now - timedelta(days=1)) for number in range(4 * texts)]
    ids = [one.id for one in messages]
    reported, pushed, victims = ids[:texts], ids[texts : 2 * texts], ids[2 * texts :]
    for one in messages:
        one.state, one.attempts = MessageState.ACCEPTED, 1
        one.lease_until = now + timedelta(hours=2)
        one.provider_id = None if one.id in pushed else f"SM{one.id.hex}"
    await post.owe(messages)
    calls = [*_of_twilio(post, reported, victims[:texts]), *_of_aliyun(post, pushed, victims[texts:], now)]  # fmt: skip
    post.chance.shuffle(calls)
    statuses = await _answers(post, calls)
    states = {row["id"]: row["state"] for row in await post.rows("SELECT id, state FROM outbox_message")}  # fmt: skip
    told = sum(states[one] == "delivered" for one in (*reported, *pushed))
    fooled = sum(states[one] != "accepted" for one in victims)
    # Each of two numbers a text of each provider said two things, one of them that it wants no more.
    heard, out = await post.ask(_REPLIES), await post.ask(_OPTED_OUT)
    failures = sum(number for status, number in statuses.items() if status >= 500)
    breaches = await post.breaches()
    held = (
        (told, heard, out) == (2 * texts, 4 * texts, 2 * texts)
        and fooled == failures == 0
        # Of Twilio's, what is parted elsewhere has its signature, and says nothing.
        and (statuses[403], statuses[404]) == (2 * 3 * texts, 2 * texts)
        and not breaches
    )
    return Judged(
        held,
        f"{len(calls):,} webhooks, {told} of {2 * texts} reports took effect, {heard} of {4 * texts} replies heard, "
        f"{out} of {2 * texts} opted out, {fooled} of {2 * texts} fooled, {statuses[403] + statuses[404]:,} refused, {failures} failures; "
        f"doctor: {', '.join(breaches) or 'nothing'}",
    )


@contextmanager
def believed() -> Iterator[None]:
    """The settings of this process are such that both providers' webhooks are taken."""
    before = {name: os.environ.get(name) for name in BELIEVED}
    os.environ.update(BELIEVED)
    settings.cache_clear()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        settings.cache_clear()


async def _answers(post: Post, calls: list[Call]) -> Counter[int]:
    answers: Counter[int] = Counter()
    at_once = asyncio.Semaphore(32)

    async def call(url: str, body: bytes, headers: dict[str, str]) -> None:
        async with at_once:
            answers[(await post.web.post(url, content=body, headers=headers)).status_code] += 1

    await asyncio.gather(*(call(*one) for one in calls))
    return answers


def _of_twilio(post: Post, reported: list[UUID], victims: list[UUID]) -> list[Call]:
    told = [(one, status) for one in reported for status in ("queued", "sent", "delivered")]
    calls = [_signed(post, *_report(one, status)) for one, status in told for _ in range(COPIES)]
    for number in range(len(reported)):
        said = [_reply(phone(number), words) for words in _WORDS]
        calls += [_signed(post, *one) for one in said for _ in range(COPIES)]
    for number, victim in enumerate(victims):
        for how in _FALSE:
            calls.append(_signed(post, *_report(victim, "delivered"), how=how))
            calls.append(_signed(post, *_reply(phone(10**6 + number), "TD"), how=how))
    return calls


def _report(message: UUID, status: str) -> tuple[str, dict[str, str]]:
    fields = {"MessageSid": f"SM{message.hex}", "MessageStatus": status, "To": "+8613900000000"}
    return f"/sms/twilio/status/{message}", fields


def _reply(number: str, words: str) -> tuple[str, dict[str, str]]:
    fields = {"MessageSid": f"SM{uuid4().hex}", "From": number, "Body": words, "FromCity": ""}
    return "/sms/twilio/inbound", fields


def _signed(post: Post, path: str, fields: Mapping[str, str], *, how: str = "genuine") -> Call:
    token = settings().twilio_auth_token.get_secret_value()
    signed = f"/sms/twilio/status/{uuid4()}" if how == "elsewhere" else path
    signature: str = RequestValidator(token).compute_signature(post.public_url + signed, fields)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    match how:
        case "forged":
            headers["X-Twilio-Signature"] = signature[::-1]
        case "unsigned":
            del headers["X-Twilio-Signature"]
        case "split":
            # Names and values run together are what is signed: the same letters, parted elsewhere.
            fields = {name[:-1]: name[-1] + value for name, value in fields.items()}
        case _:
            pass
    return post.public_url + path, urlencode(fields).encode(), headers


def _of_aliyun(post: Post, pushed: list[UUID], victims: list[UUID], now: datetime) -> list[Call]:
    written = f"{(now - timedelta(days=1)).astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
    receipts = [_receipt(one, success) for one in pushed for success in (True, False)]
    said = [
        _said(phone(2 * 10**6 + number), words, written)
        for number in range(len(pushed))
        for words in _WORDS
    ]
    calls = []
    for _ in range(COPIES):
        for where, items in (("reports", receipts), ("replies", said)):
            # Each time in other batches.
            mixed = post.chance.sample(items, len(items))
            calls += [
                _push(post, where, mixed[first : first + _A_PUSH])
                for first in range(0, len(mixed), _A_PUSH)
            ]
    for number, victim in enumerate(victims):
        false = _said(phone(3 * 10**6 + number), "TD", written)
        calls.append(_push(post, "reports", [_receipt(victim, True)], secret="not-the-secret-000"))
        calls.append(_push(post, "replies", [false], secret="not-the-secret-000"))
    return calls


def of_twilio_said(post: Post, said: list[tuple[str, str]]) -> list[Call]:
    """Each of what was said from a number, as Twilio tells it."""
    return [_signed(post, *_reply(number, words)) for number, words in said]


def of_aliyun_said(post: Post, said: list[tuple[str, str]], now: datetime) -> list[Call]:
    """The same as 阿里云 pushes it, each by itself."""
    written = f"{now.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
    return [_push(post, "replies", [_said(number, words, written)]) for number, words in said]


def _receipt(message: UUID, success: bool) -> dict[str, Any]:
    told = {"out_id": str(message), "biz_id": f"{message.int % 10**18}^0", "success": success}
    return told | {"err_code": "DELIVERED" if success else "MOBILE_NOT_ON_SERVICE"}


def _said(number: str, words: str, written: str) -> dict[str, Any]:
    told = {"phone_number": number.removeprefix("+86"), "content": words, "send_time": written}
    return told | {"sequence_id": uuid4().int % 10**15}


def _push(post: Post, where: str, items: list[dict[str, Any]], *, secret: str = "") -> Call:
    known = secret or BELIEVED["ALIYUN_PUSH_SECRET"]
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return f"{post.public_url}/sms/aliyun/{known}/{where}", json.dumps(items).encode(), headers
