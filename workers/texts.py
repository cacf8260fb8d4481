"""Delivery of text messages: intent committed, provider called, outcome marked; and inquired about where it is not known.

Nothing is sent twice unless an attempt ended unknown and the provider says it has nothing. Rows are claimed and outcomes
marked in batches; each text is an attempt of its own. What an outcome means is decided in app/texts.
"""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, Final
from weakref import WeakValueDictionary

import structlog

from app import keys
from app.auth import phones
from app.bell import Bell
from app.db import transaction
from app.settings import settings
from app.texts import channel, outbox, outcomes, queue, throttle, unreported
from app.texts.outbox import MessageState, Why
from app.texts.policy import Outcome, refused
from app.texts.queue import Claimed
from app.texts.terms import ErrorClass, PauseReason
from app.texts.throttle import Ready
from sms.gateway import (
    Accepted,
    Gateway,
    NotSent,
    OutgoingText,
    Refused,
    SendResult,
    Unknown,
    Withheld,
)
from sms.providers import capabilities
from sms.providers import open_gateway as open_gateway
from sms.texts import render
from workers.poll_inbox import MissedReplies
from workers.poll_receipts import ask_after

log = structlog.get_logger()

AT_ONCE: Final = 32
_CLAIMED_AT_MOST: Final = 64
_EXPIRED_AT_ONCE: Final = 500
# They can wait: those that are to be sent keep the hands.
_ASKED_AFTER_AT_ONCE: Final = 16
# Inquiries and what has expired are looked for this often however busy it is.
_LOOK_SECONDS: Final = 1.0
# Outcomes that come in within this time are marked together.
_TOGETHER_SECONDS: Final = 0.02
# Beyond the provider's own time limit: to commit the outcome, and for a machine that is slow.
_MARGIN_SECONDS: Final = 30.0
# So many attempts in a row without any clear answer, and the provider counts as away.
_IN_DOUBT: Final = 10
_HANDED_BACK: Final = Outcome(MessageState.QUEUED, error="handed_back", counts=False)


class Delivery:
    """Keeps AT_ONCE texts at the provider while there are any; what was claimed beyond waits its turn in this process."""

    name = str(Bell.OUTBOX)

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._provider = settings().sms_provider
        self._lease_seconds = settings().sms_timeout_seconds + _MARGIN_SECONDS
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._under_way: set[asyncio.Task[None]] = set()
        # By number, the send begun last; a task that has ended is forgotten by itself.
        self._newest: WeakValueDictionary[str, asyncio.Task[None]] = WeakValueDictionary()
        self._asking_after: set[asyncio.Task[None]] = set()
        self._missed = MissedReplies(gateway)
        self._outcomes: list[tuple[Claimed, Outcome]] = []
        self._marking: asyncio.Task[None] | None = None
        self._looked_at = float("-inf")
        self._in_doubt = 0
        # Set while this process knows the channel to be paused: what it still holds goes back unsent.
        self._paused = False

    async def once(self) -> bool:
        lease = timedelta(seconds=self._lease_seconds)
        found = await self._look(lease)
        sending, wait = await self._claim(lease)
        while len(self._under_way) >= AT_ONCE:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        if wait:
            await asyncio.sleep(wait)
        return bool(found or sending or wait)

    async def finish(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way)
        while self._marking is not None and not self._marking.done():
            await self._marking
        await self._gateway.close()

    async def _look(self, lease: timedelta) -> int:
        """What must not wait for a free hand: texts that expire, and attempts that ended unknown."""
        now = asyncio.get_running_loop().time()
        if now - self._looked_at < _LOOK_SECONDS and self._under_way:
            return 0
        self._looked_at = now
        async with transaction() as tx:
            expired = await queue.expire(tx, _EXPIRED_AT_ONCE)
        async with transaction() as tx:
            held = await channel.hold(tx, self._provider, most=AT_ONCE, rate=0)
            unknown = await queue.claim_unknown(tx, held.grant.most, lease=lease)
            await channel.used(tx, held, len(unknown), lease=lease)
            # A probe is for what is owed; whoever only wants to know waits until it works again.
            idle = _ASKED_AFTER_AT_ONCE - len(self._asking_after)
            may_ask = held.grant.most > 0 and not held.grant.probe
            silent = await unreported.claim(tx, idle, lease=lease) if may_ask and idle > 0 else []
        self._paused = held.grant.most == 0
        for message in unknown:
            self._begin(self._inquire(message, probe=held.grant.probe))
        for one in silent:
            asking = ask_after(self._gateway, one, provider=self._provider)
            self._begin(asking, among=self._asking_after)
        if may_ask and self._missed.due():
            self._begin(self._missed.look(held.now))
        return expired + len(unknown) + len(silent)

    async def _claim(self, lease: timedelta) -> tuple[int, float]:
        """Commit the intent to send a batch, and begin; returns how many, and how long to wait for leave to send more."""
        # Counted from before the claim, so that we give up before the database does.
        last_moment = asyncio.get_running_loop().time() + _MARGIN_SECONDS / 2
        async with transaction() as tx:
            held = await channel.hold(
                tx, self._provider, most=_CLAIMED_AT_MOST, rate=settings().sms_rate
            )
            if not held.grant.most:
                return 0, held.grant.wait.total_seconds()
            claimed = await queue.claim(tx, held.grant.most, lease=lease)
            ready, broken = _composed(claimed)
            admitted = await throttle.admit(tx, ready)
            await channel.used(tx, held, len(admitted), lease=lease)
        self._paused = False
        for message, outcome in broken:
            self._mark(message, outcome)
        for one in ready:
            if one.message.id in admitted:
                before = self._newest.get(one.phone)
                send = self._send(one, last_moment, before, probe=held.grant.probe)
                self._begin(send, to=one.phone)
        return len(claimed), 0.0

    def _begin(
        self,
        work: Coroutine[Any, Any, None],
        *,
        to: str | None = None,
        among: set[asyncio.Task[None]] | None = None,
    ) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        if to is not None:
            self._newest[to] = task
        if among is not None:
            among.add(task)
            task.add_done_callback(among.discard)

    async def _send(
        self, one: Ready, last_moment: float, before: asyncio.Task[None] | None, *, probe: bool
    ) -> None:
        # What was owed to one person first is what they should read first.
        if before is not None:
            await asyncio.wait([before])
        async with self._at_once:
            if (self._paused and not probe) or asyncio.get_running_loop().time() > last_moment:
                # Others may think this process dead; if the lease has lapsed already, nothing comes of handing back.
                self._mark(one.message, _HANDED_BACK)
                return
            try:
                result = await self._gateway.send(_outgoing(one))
            except Exception as failure:
                result = Unknown(type(failure).__name__)
        self._mark(one.message, _outcome(result))
        await self._heed(result, probe=probe)

    async def _inquire(self, message: Claimed, *, probe: bool) -> None:
        ready, broken = _composed([message])
        for failed in broken:
            self._mark(*failed)
        for one in ready:
            async with self._at_once:
                found = await self._found(one)
            # A provider that could not be asked has not been asked in vain while everybody waits for it.
            away = isinstance(found, Unknown) and (probe or self._paused)
            outcome = _outcome(found)
            self._mark(
                message,
                Outcome(outcome.state, error=outcome.error, counts=False) if away else outcome,
            )
            await self._heed_inquiry(found, probe=probe)

    async def _found(self, one: Ready) -> Accepted | NotSent | Unknown:
        message = one.message
        try:
            return await self._gateway.find(
                _outgoing(one), attempted_at=message.due_at, taken=message.taken
            )
        except Exception as failure:
            return Unknown(type(failure).__name__)

    async def _heed(self, result: SendResult, *, probe: bool) -> None:
        """What an attempt says about the channel, which is everybody's."""
        match result:
            case Refused(error=ErrorClass.ACCOUNT):
                await self._pause(PauseReason.ACCOUNT, result.code, probe=probe)
            case NotSent():
                await self._pause(PauseReason.UNREACHABLE, result.reason, probe=probe)
            case Unknown():
                self._in_doubt += 1
                if probe or self._in_doubt >= _IN_DOUBT:
                    await self._pause(PauseReason.UNREACHABLE, result.reason, probe=probe)
            case Withheld():
                if probe:
                    await self._probe_again()
            case Accepted() | Refused():
                await self._works(probe=probe)

    async def _heed_inquiry(self, found: Accepted | NotSent | Unknown, *, probe: bool) -> None:
        if not isinstance(found, Unknown):
            await self._works(probe=probe)
        elif probe:
            await self._pause(PauseReason.UNREACHABLE, found.reason, probe=True)

    async def _probe_again(self) -> None:
        try:
            async with transaction() as tx:
                await channel.probe_again(tx, self._provider)
        except Exception as failure:
            # The probe's time runs out, and another one is let through.
            log.error("probe not given back", error=type(failure).__name__)

    async def _works(self, *, probe: bool) -> None:
        self._in_doubt = 0
        if not probe:
            return
        self._paused = False
        try:
            async with transaction() as tx:
                await channel.resume(tx, self._provider)
        except Exception as failure:
            # The probe's time runs out, and another one is let through.
            log.error("channel not resumed", error=type(failure).__name__)
        else:
            log.info("texts are sent again", provider=self._provider)

    async def _pause(self, why: PauseReason, error: str, *, probe: bool) -> None:
        if self._paused and not probe:
            return
        self._paused, self._in_doubt = True, 0
        try:
            async with transaction() as tx:
                paused = await channel.pause(tx, self._provider, why, error, probe=probe)
        except Exception as failure:
            log.error("channel not paused", error=type(failure).__name__)
        else:
            if paused:
                log.error("no texts for now", provider=self._provider, why=str(why), code=error)

    def _mark(self, message: Claimed, outcome: Outcome) -> None:
        self._outcomes.append((message, outcome))
        if self._marking is None or self._marking.done():
            self._marking = asyncio.create_task(self._mark_all())

    async def _mark_all(self) -> None:
        while self._outcomes:
            await asyncio.sleep(_TOGETHER_SECONDS)
            together, self._outcomes = self._outcomes, []
            try:
                async with transaction() as tx:
                    await outcomes.settle(tx, together)
            except Exception:
                for one in together:
                    await _mark_alone(*one)


async def _mark_alone(message: Claimed, outcome: Outcome) -> None:
    """One that cannot be marked must not keep the others of its batch from it."""
    try:
        async with transaction() as tx:
            await outcomes.settle(tx, [(message, outcome)])
    except Exception as failure:
        # The lease lapses, and what became of the attempt is inquired about.
        log.error("outcome not marked", message=str(message.id), error=type(failure).__name__)


def _composed(claimed: list[Claimed]) -> tuple[list[Ready], list[tuple[Claimed, Outcome]]]:
    """The texts as they would go out, and those that no try can help."""
    ready: list[Ready] = []
    broken: list[tuple[Claimed, Outcome]] = []
    for message in claimed:
        assert message.phone_sealed is not None, "what has no number is not claimed"
        try:
            place = outbox.phone_place(message.id, message.citizen_id)
            phone = keys.decrypt(message.phone_sealed, place)
            body = render(
                message.kind,
                outbox.open_params(message.id, message.params_sealed),
                signature=settings().sms_signature,
                capabilities=capabilities(),
            ).body
        except Exception as failure:
            # A template that lacks a parameter, or a key that has changed.
            why = Outcome(MessageState.NEEDS_HUMAN, error=type(failure).__name__, why=Why.BROKEN)
            broken.append((message, why))
            continue
        if phones.textable(phone):
            ready.append(Ready(message, phone, body))
        else:
            broken.append((message, Outcome(MessageState.NEEDS_HUMAN, why=Why.NOT_TEXTABLE)))
    return ready, broken


def _outgoing(one: Ready) -> OutgoingText:
    message = one.message
    # An earlier turn's reports must not be taken for this one's.
    turn = "" if message.turn == 1 else f"?turn={message.turn}"
    return OutgoingText(
        id=message.id,
        phone=one.phone,
        template=message.kind,
        parameters=outbox.open_params(message.id, message.params_sealed),
        body=one.body,
        callback_url=f"{settings().public_url.rstrip('/')}/sms/twilio/status/{message.id}{turn}",
        turn=message.turn,
    )


def _outcome(result: SendResult) -> Outcome:
    match result:
        case Accepted():
            return Outcome(MessageState.ACCEPTED, provider_id=result.provider_id)
        case Refused() | Withheld():
            return refused(result.error, result.code)
        case NotSent():
            # The provider may be away for hours: that is no reason to give a message up before it expires.
            return Outcome(MessageState.QUEUED, error=result.reason, counts=False)
        case Unknown():
            return Outcome(MessageState.UNKNOWN, error=result.reason)
