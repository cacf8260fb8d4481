"""Webhooks as no provider should send them: repeated, disordered, late and forged."""

import asyncio
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID, uuid4

from twilio.request_validator import RequestValidator

from app.settings import settings
from tests.faults.messages import Judged
from tests.faults.post import Post, moment, owed, rows


async def webhooks(post: Post, *, texts: int) -> Judged:
    """Each report five times at once, in any order, a day late; forged, unsigned, and with its fields split elsewhere."""
    now = await moment(post)
    messages = [owed(number, now - timedelta(days=1)) for number in range(2 * texts)]
    await post.owe(messages)
    await post.do("UPDATE outbox_message SET state = 'accepted', attempts = 1, lease_until = now() + interval '2 hours', provider_id = 'SM' || replace(CAST(id AS text), '-', '')")  # fmt: skip
    genuine, victims = messages[:texts], messages[texts:]
    calls = [_report(post, one.id, status) for one in genuine for status in ("queued", "sent", "delivered") for _ in range(5)]  # fmt: skip
    for one in victims:
        calls += [_report(post, one.id, "delivered", how=how) for how in ("forged", "unsigned", "split", "elsewhere")]  # fmt: skip
    post.chance.shuffle(calls)
    statuses: list[int] = []
    at_once = asyncio.Semaphore(32)

    async def call(url: str, body: bytes, headers: dict[str, str]) -> None:
        async with at_once:
            statuses.append((await post.web.post(url, content=body, headers=headers)).status_code)

    await asyncio.gather(*(call(*one) for one in calls))
    states = {row["id"]: row["state"] for row in await rows(post, "SELECT id, state FROM outbox_message")}  # fmt: skip
    told = sum(states[one.id] == "delivered" for one in genuine)
    fooled = sum(states[one.id] != "accepted" for one in victims)
    failures = sum(status >= 500 for status in statuses)
    refused = sum(status == 403 for status in statuses)
    breaches = await post.breaches()
    held = told == texts and fooled == failures == 0 and refused == 3 * texts and not breaches
    return Judged(
        held,
        f"{len(calls):,} webhooks, {told} of {texts} took effect, {fooled} of {texts} fooled, {refused:,} refused, {failures} failures; "
        f"doctor: {', '.join(breaches) or 'nothing'}",
    )


def _report(
    post: Post, message: UUID, status: str, *, how: str = "genuine"
) -> tuple[str, bytes, dict[str, str]]:
    path = f"/sms/twilio/status/{message}"
    fields = {"MessageSid": f"SM{message.hex}", "MessageStatus": status, "To": "+8613900000000"}
    token = settings().twilio_auth_token.get_secret_value()
    signature: str = RequestValidator(token).compute_signature(post.public_url + path, fields)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    match how:
        case "forged":
            headers["X-Twilio-Signature"] = signature[::-1]
        case "unsigned":
            del headers["X-Twilio-Signature"]
        case "split":
            # Names and values run together are what is signed: the same letters, parted elsewhere.
            fields = {"MessageSi": f"dSM{message.hex}", "MessageStatu": f"s{status}", "To": "+8613900000000"}  # fmt: skip
        case "elsewhere":
            path = f"/sms/twilio/status/{uuid4()}"
        case _:
            pass
    return post.public_url + path, urlencode(fields).encode(), headers
