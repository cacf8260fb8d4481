"""The channel all workers share, before the real simulator: the rate, the pause on account errors, the probe, the limits."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from typing_extensions import override

from app.db import transaction
from app.settings import settings
from app.texts import channel, outbox, queue, receipts
from app.texts.channel import SmsChannel
from app.texts.outbox import MessageKind, MessageState
from app.texts.receipts import Report
from app.texts.terms import PauseReason
from sms.gateway import OutgoingText, SendResult
from sms.providers.twilio import TwilioGateway
from tests.workers.conftest import Provider, announce, in_state, row, until
from workers.texts import Delivery, open_gateway

TWILIO = "twilio"
_UNPAUSE = text("UPDATE sms_channel SET paused_until = now()")
_TEXTED = text("UPDATE texted SET at = at - CAST(:by AS interval)")
H = MessageState.NEEDS_HUMAN


async def shown() -> SmsChannel:
    async with transaction() as tx:
        found = await channel.show(tx, TWILIO)
    assert found is not None
    return found


async def granted(most: int = 64, *, rate: float = 0) -> int:
    """As a worker does: how many it may claim now, and that it did."""
    async with transaction() as tx:
        held = await channel.hold(tx, TWILIO, most=most, rate=rate)
        await channel.used(tx, held, held.grant.most, lease=timedelta(seconds=40))
    return held.grant.most


async def worked(work: Delivery) -> None:
    """One look by one worker, and all that came of it."""
    await work.once()
    await work.finish()


def number(n: int) -> str:
    return f"+86139{n:08d}"


@pytest.mark.usefixtures("database")
async def test_rate_holds_over_all_processes_together() -> None:
    await granted(0)
    async with transaction() as tx:
        held = await channel.hold(tx, TWILIO, most=64, rate=50)
        # Another worker at the same moment: it must not decide before this one has told what it took.
        other = asyncio.create_task(granted(rate=50))
        await asyncio.sleep(0.15)
        assert not other.done()
        await channel.used(tx, held, held.grant.most, lease=timedelta(seconds=40))
    # A quarter of a second's worth, and what has become free since.
    assert held.grant.most == 12
    assert await other < 12


@pytest.mark.usefixtures("database")
async def test_pause_grows_with_each_probe_that_fails_and_ends_with_one_that_does_not() -> None:
    await granted()
    lengths = []
    for probe in (False, True, True):
        async with transaction() as tx:
            assert await channel.pause(tx, TWILIO, PauseReason.ACCOUNT, "20003", probe=probe)
            # All that were under way meet the same: the pause is one.
            assert not await channel.pause(tx, TWILIO, PauseReason.ACCOUNT, "20003")
            now = await tx.now()
        paused = await shown()
        assert paused.paused_until is not None
        lengths.append(round((paused.paused_until - now).total_seconds()))
        assert await granted() == 0
        async with transaction() as tx:
            await tx.execute(_UNPAUSE)
        assert sorted(await asyncio.gather(granted(), granted())) == [0, 1]
    assert lengths == [30, 60, 120]
    async with transaction() as tx:
        assert await channel.resume(tx, TWILIO)
    assert await granted() == 64


async def test_account_error_stops_everybody_and_a_probe_starts_them_again(
    provider: Provider,
) -> None:
    await provider.behave(refused={"20003": 1})
    messages = [await announce(phone=number(n)) for n in range(3)]
    await worked(Delivery(open_gateway()))
    paused = await shown()
    assert (paused.paused_why, paused.error) == (PauseReason.ACCOUNT, "20003")
    for message in messages:
        found = await row(message)
        assert (found.state, found.attempts) == (MessageState.QUEUED, 0)
    # Another worker does not even try.
    before = sum([await provider.requests(message) for message in messages])
    await worked(Delivery(open_gateway()))
    assert sum([await provider.requests(message) for message in messages]) == before
    await provider.behave()
    async with transaction() as tx:
        assert await channel.probe_now(tx, TWILIO)
    await worked(Delivery(open_gateway()))
    assert (await shown()).paused_since is None
    assert [await provider.accepted(message) for message in messages] == [1, 0, 0]
    await worked(Delivery(open_gateway()))
    assert [await provider.accepted(message) for message in messages] == [1, 1, 1]


async def test_account_error_that_is_only_reported_later_stops_everybody_too(
    provider: Provider,
) -> None:
    await provider.behave(failed=1, failure_code=30002, report_delay_seconds=0.01)
    message = await announce()
    await worked(Delivery(open_gateway()))
    again = await until(lambda: in_turn(message, 2))
    assert again.state == MessageState.QUEUED
    paused = await shown()
    assert (paused.paused_why, paused.error) == (PauseReason.ACCOUNT, "30002")
    assert await granted() == 0


async def test_while_nothing_can_be_sent_codes_expire_all_the_same(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provider.url
    monkeypatch.setenv("TWILIO_API_URL", "http://127.0.0.1:1")
    settings.cache_clear()
    code, other = await announce(kind=MessageKind.ONE_TIME_CODE), await announce()
    await worked(Delivery(open_gateway()))
    assert (await shown()).paused_why is PauseReason.UNREACHABLE
    async with transaction() as tx:
        await tx.execute(
            text("UPDATE outbox_message SET expires_at = now() WHERE id = :id"), id=code
        )
    await worked(Delivery(open_gateway()))
    assert (await row(code)).state == MessageState.EXPIRED
    found = await row(other)
    assert (found.state, found.attempts) == (MessageState.QUEUED, 0)


@pytest.mark.usefixtures("database")
async def test_codes_go_before_all_else_that_is_due_and_the_rest_by_age() -> None:
    texts = [await announce(phone=number(n)) for n in range(3)]
    code = await announce(kind=MessageKind.ONE_TIME_CODE)
    async with transaction() as tx:
        claimed = await queue.claim(tx, 3, lease=timedelta(seconds=40))
    assert [message.id for message in claimed] == [code, *texts[:2]]


async def test_same_words_are_not_sent_to_a_number_twice_in_a_while(provider: Provider) -> None:
    first, again, elsewhere = await announce(), await announce(), await announce(phone=number(1))
    await worked(Delivery(open_gateway()))
    assert [await provider.accepted(one) for one in (first, again, elsewhere)] == [1, 0, 1]
    assert ((await row(again)).state, (await row(again)).why) == (H, "identical")
    later = await announce()
    async with transaction() as tx:
        await tx.execute(_TEXTED, by=timedelta(minutes=61))
    await worked(Delivery(open_gateway()))
    assert await provider.accepted(later) == 1


async def test_what_is_over_the_days_number_waits_or_goes_to_a_person(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMS_PER_PHONE_A_DAY", "2")
    settings.cache_clear()
    messages = [await announced(f"第{n}次") for n in range(4)]
    async with transaction() as tx:
        await tx.execute(
            text("UPDATE outbox_message SET expires_at = now() + interval '1 hour' WHERE id = :id"),
            id=messages[3],
        )
    code = await announce(kind=MessageKind.ONE_TIME_CODE)
    await worked(Delivery(open_gateway()))
    assert [await provider.accepted(one) for one in (*messages, code)] == [1, 1, 0, 0, 1]
    waits, asked = await row(messages[2]), await row(messages[3])
    assert (waits.state, waits.attempts) == (MessageState.QUEUED, 0)
    assert (asked.state, asked.why) == (H, "over_limit")
    async with transaction() as tx:
        assert timedelta(hours=23) < waits.due_at - await tx.now() <= timedelta(hours=24)
        await tx.execute(_TEXTED, by=timedelta(hours=25))
        await tx.execute(text("UPDATE outbox_message SET due_at = now() WHERE state = 'queued'"))
    await worked(Delivery(open_gateway()))
    assert await provider.accepted(messages[2]) == 1


class SlowAtFirst(TwilioGateway):
    """Takes its time with the first text: until another one has overtaken it, or for a second."""

    def __init__(self) -> None:
        super().__init__(settings())
        self._begun, self._overtaken = 0, asyncio.Event()

    @override
    async def send(self, message: OutgoingText) -> SendResult:
        self._begun += 1
        if self._begun > 1:
            result = await super().send(message)
            self._overtaken.set()
            return result
        with suppress(TimeoutError):
            await asyncio.wait_for(self._overtaken.wait(), 1)
        return await super().send(message)


async def test_what_was_owed_to_one_person_first_goes_out_first(provider: Provider) -> None:
    for n in range(4):
        await announced(f"第{n}次")
    await worked(Delivery(SlowAtFirst()))
    phone = (await provider.control.get(f"/phones/{number(7)}")).json()
    assert [text["text"][-3:] for text in phone["messages"]] == [f"第{n}次" for n in range(4)]


async def test_texts_to_others_do_not_wait_for_one_person_whose_text_takes_long(
    provider: Provider,
) -> None:
    first, other = await announced("第0次"), await announce(phone=number(1))
    await worked(Delivery(SlowAtFirst()))
    moments = [await sent_at(provider, phone) for phone in (number(7), number(1))]
    assert moments[0] > moments[1]
    assert [await provider.accepted(one) for one in (first, other)] == [1, 1]


async def sent_at(provider: Provider, phone: str) -> str:
    [text] = (await provider.control.get(f"/phones/{phone}")).json()["messages"]
    return str(text["at"])


async def test_landline_is_never_tried(provider: Provider) -> None:
    message = await announce(phone="+862346773333")
    await worked(Delivery(open_gateway()))
    assert await provider.requests(message) == 0
    assert ((await row(message)).state, (await row(message)).why) == (H, "not_textable")


async def test_text_reported_undelivered_for_moment_goes_out_once_more_and_then_to_person(
    provider: Provider,
) -> None:
    await provider.behave(undelivered=1, failure_code=30003, report_delay_seconds=0.01)
    message = await announce()
    await worked(Delivery(open_gateway()))
    again = await until(lambda: in_turn(message, 2))
    assert (again.state, again.attempts, again.provider_id) == (MessageState.QUEUED, 0, None)
    async with transaction() as tx:
        assert timedelta(minutes=29) < again.due_at - await tx.now() <= timedelta(minutes=30)
        await tx.execute(text("UPDATE outbox_message SET due_at = now()"))
    await worked(Delivery(open_gateway()))
    found = await in_state(message, H)
    assert (found.why, found.turn) == ("undelivered", 2)
    phone = (await provider.control.get(f"/phones/{'+8613800000001'}")).json()
    assert len(phone["messages"]) == 2


async def test_reports_of_earlier_turn_change_nothing_but_when_it_arrived_after_all(
    provider: Provider,
) -> None:
    await provider.behave(undelivered=1, failure_code=30003, report_delay_seconds=0.01)
    message = await announce()
    await worked(Delivery(open_gateway()))
    await until(lambda: in_turn(message, 2))
    async with transaction() as tx:
        sid = await tx.scalar(
            text("SELECT provider_id FROM ended_turn WHERE message_id = :id"), id=message
        )
    for status in (MessageState.ACCEPTED, MessageState.UNDELIVERED, MessageState.FAILED):
        assert not await reported(message, sid, status)
    assert (await row(message)).state == MessageState.QUEUED
    assert await reported(message, sid, MessageState.DELIVERED)
    found = await row(message)
    assert (found.state, found.provider_id) == (MessageState.DELIVERED, None)


async def reported(message: UUID, sid: str, status: MessageState) -> bool:
    async with transaction() as tx:
        told = Report(message, sid, status, "30003")
        return message in await receipts.record(tx, [told], provider=TWILIO)


async def in_turn(message: UUID, turn: int) -> Any:
    found = await row(message)
    return found if found.turn == turn else None


async def announced(report: str) -> UUID:
    async with transaction() as tx:
        return outbox.announce(
            tx,
            MessageKind.PROGRESS,
            now=await tx.now(),
            phone=number(7),
            ref="500153-261122-00000001",
            title="路灯不亮",
            unit="荣隆镇",
            report=report,
        )
