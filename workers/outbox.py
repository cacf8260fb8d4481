"""Delivery of text messages: intent committed, provider called, outcome marked; unknown outcomes inquired about.

Nothing is sent twice unless an attempt ended unknown and the provider says it has nothing.
"""

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from app import keys, outbox
from app.bell import Bell
from app.db import transaction
from app.outbox import Claimed, MessageState, Outcome
from app.settings import settings
from sms.gateway import (
    Accepted,
    ErrorClass,
    Gateway,
    NotSent,
    OutgoingText,
    Refused,
    SendResult,
    Unknown,
)
from sms.providers import capabilities
from sms.providers import open_gateway as open_gateway
from sms.texts import render

log = structlog.get_logger()

AT_ONCE: Final = 16
# Beyond the provider's own time limit: to commit the outcome, and for a machine that is slow.
_MARGIN_SECONDS: Final = 30.0
_OF_REFUSAL: Final = {
    ErrorClass.NUMBER_UNUSABLE: MessageState.FAILED,
    ErrorClass.OPTED_OUT: MessageState.FAILED,
    # Trying again later may help; so often, and then a person sees to it.
    ErrorClass.TRANSIENT: MessageState.QUEUED,
    ErrorClass.ACCOUNT: MessageState.QUEUED,
    ErrorClass.CONTENT: MessageState.NEEDS_HUMAN,
    ErrorClass.AMBIGUOUS: MessageState.NEEDS_HUMAN,
}


class Delivery:
    """Keeps up to about twice AT_ONCE messages under way, so that one slow answer holds up no other message."""

    name = str(Bell.OUTBOX)

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._under_way: set[asyncio.Task[None]] = set()
        self._lease_seconds = settings().sms_timeout_seconds + _MARGIN_SECONDS

    async def once(self) -> bool:
        lease = timedelta(seconds=self._lease_seconds)
        # Counted from before the claim, so that we give up before the database does.
        last_moment = asyncio.get_running_loop().time() + _MARGIN_SECONDS / 2
        async with transaction() as tx:
            claimed = await outbox.claim(tx, AT_ONCE, lease=lease)
        async with transaction() as tx:
            claimed += await outbox.claim_unknown(tx, AT_ONCE, lease=lease)
        for message in claimed:
            task = asyncio.create_task(self._see_to(message, last_moment))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        while len(self._under_way) >= AT_ONCE:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        return bool(claimed)

    async def finish(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way)
        await self._gateway.close()

    async def _see_to(self, message: Claimed, last_moment: float) -> None:
        try:
            outgoing = compose(message)
        except Exception as failure:
            # A template that lacks a parameter, or a key that has changed: no further try will help.
            outcome = Outcome(MessageState.NEEDS_HUMAN, error=type(failure).__name__)
        else:
            if asyncio.get_running_loop().time() > last_moment:
                # This process was stopped meanwhile; others may think it dead. The lease will lapse.
                return
            outcome = await self._ask_provider(message, outgoing)
        try:
            async with transaction() as tx:
                await outbox.settle(tx, message, outcome)
        except Exception as failure:
            # The lease lapses, and what became of the attempt is inquired about.
            log.error("outcome not marked", message=str(message.id), error=type(failure).__name__)

    async def _ask_provider(self, message: Claimed, outgoing: OutgoingText) -> Outcome:
        if message.state is MessageState.UNKNOWN:
            found = await self._gateway.find(
                outgoing, attempted_at=message.created_at, taken=message.taken
            )
            return _outcome(found)
        try:
            return _outcome(await self._gateway.send(outgoing))
        except Exception as failure:
            return Outcome(MessageState.UNKNOWN, error=type(failure).__name__)


def compose(message: Claimed) -> OutgoingText:
    """The text as it goes out."""
    assert message.phone_sealed is not None, "what has no number is not claimed"
    params = outbox.open_params(message.params_sealed)
    return OutgoingText(
        id=message.id,
        phone=keys.decrypt(message.phone_sealed),
        template=message.kind,
        parameters=params,
        body=render(
            message.kind,
            params,
            signature=settings().sms_signature,
            capabilities=capabilities(),
        ).body,
        callback_url=f"{settings().public_url.rstrip('/')}/sms/twilio/status/{message.id}",
    )


def _outcome(result: SendResult) -> Outcome:
    match result:
        case Accepted():
            return Outcome(MessageState.ACCEPTED, provider_id=result.provider_id)
        case Refused():
            return Outcome(_OF_REFUSAL[result.error], error=result.code)
        case NotSent():
            # The provider may be away for hours: that is no reason to give a message up before it expires.
            return Outcome(MessageState.QUEUED, error=result.reason, counts=False)
        case Unknown():
            return Outcome(MessageState.UNKNOWN, error=result.reason)
