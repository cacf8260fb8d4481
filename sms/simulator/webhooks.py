"""The simulator's calls to the application, whichever provider it stands for: when, how often, in which order."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any

import aiohttp

from sms.simulator.behaviour import Behaviour, Fate
from sms.simulator.messages import Message, Messages

NOT_REACHED = 0
_AT_ONCE = 32
_TIMEOUT = aiohttp.ClientTimeout(total=15)


class Webhooks(ABC):
    """Needs a running event loop to be made."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._under_way: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def tell_status(self, message: Message, step: str, behaviour: Behaviour) -> None:
        """Report that a text has come so far, if this provider reports that step."""

    @abstractmethod
    async def tell_reply(self, message: Message, behaviour: Behaviour) -> int:
        """Hand a reply in; what the application answered."""

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
            last = step == fate.value
            self._move(message, step, code if last else None, last=last)
            # What is told is the step, also where the text itself is further already.
            told = message.at_step(step, code if last else None)
            if not behaviour.lost:
                await self.tell_status(told, step, behaviour)

    async def hand_in(self, message: Message, behaviour: Behaviour) -> None:
        """Hand a person's reply to the application and note what it answered."""
        message.webhook = await self.tell_reply(message, behaviour)
        self._messages.save(message)

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bool]:
        """What was answered, and whether anybody was there at all."""
        try:
            async with (
                self._at_once,
                self._session.post(
                    url, data=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                await response.read()
                return response.status, True
        except aiohttp.ClientConnectorError:
            return NOT_REACHED, False
        except (aiohttp.ClientError, TimeoutError, ValueError):
            # Broken off, too slow, or no address at all.
            return NOT_REACHED, True

    def _move(self, message: Message, status: str, code: int | str | None, *, last: bool) -> None:
        # Reports may leave in any order; the message itself only moves forward.
        if message.status != status and (last or message.status in {"queued", "sent"}):
            message.status = status
            message.error_code = code if last else message.error_code
            self._messages.save(message)
