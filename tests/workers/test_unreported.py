"""Texts that were accepted and of which no report came: the provider is asked, by the real worker, and what it says is taken."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from typing_extensions import override

from app import clock
from app.db import transaction
from app.doctor.examining import examine
from app.settings import settings
from app.texts import channel, outcomes, queue, receipts, unreported
from app.texts.outbox import MessageKind, MessageState
from app.texts.policy import ASK_AFTER, Outcome
from app.texts.receipts import Report
from app.texts.terms import PauseReason
from app.texts.unreported import Unreported
from qungong.dev import sample
from sms.gateway import Accepted, NotSent, OutgoingText, SentText, Status, Unknown
from sms.providers.twilio import TwilioGateway
from tests.conftest import find_staff
from tests.surveys.conftest import Village
from tests.surveys.test_surveys import call_about
from tests.surveys.test_turns import DAY, swept
from tests.workers.conftest import Provider, announce, in_state, let_leases_lapse, row, until
from workers.texts import Delivery, open_gateway

Start = Callable[[], None]
ACCEPTED, DELIVERED, UNKNOWN = MessageState.ACCEPTED, MessageState.DELIVERED, MessageState.UNKNOWN
_LEASE = timedelta(seconds=40)
_NUMBER_GONE = 30005
_SURVEY = text("SELECT id FROM outbox_message WHERE matter_id = :matter_id AND kind = 'survey'")
_UNMARKED = text("UPDATE outbox_message SET lease_until = NULL WHERE id = :id")


async def worked(work: Delivery | None = None) -> None:
    """One look by one worker, and all that came of it."""
    work = work or Delivery(open_gateway())
    await work.once()
    await work.finish()


async def left_unreported(provider: Provider, **behaviour: Any) -> UUID:
    """Accepted, and at the provider it has come to its end; nobody was told."""
    await provider.behave(lost=True, report_delay_seconds=0, **behaviour)
    message = await announce()
    await worked()
    assert (await row(message)).state == ACCEPTED
    await until(lambda: ended(provider))
    return message


async def ended(provider: Provider, phone: str = "+8613800000001") -> bool:
    shown = (await provider.control.get(f"/phones/{phone}")).json()["messages"]
    return bool(shown) and shown[-1]["status"] not in {"queued", "sent"}


async def claim(most: int = 100) -> list[Unreported]:
    async with transaction() as tx:
        return await unreported.claim(tx, most, lease=_LEASE)


async def accepted(kind: MessageKind = MessageKind.PROGRESS, provider_id: str = "SM1") -> UUID:
    """Without any provider: as a worker marks it."""
    message = await announce(kind=kind)
    async with transaction() as tx:
        held = await queue.claim(tx, 1, lease=_LEASE)
        await outcomes.settle(
            tx, [(one, Outcome(ACCEPTED, provider_id=provider_id)) for one in held]
        )
    return message


async def offenders() -> list[Any]:
    async with transaction() as tx:
        found = await examine(tx, most=10, quick=True)
    return [
        (one.invariant.name, offender["state"])
        for one in found
        if one.invariant.number == 3
        for offender in one.offenders
    ]


async def test_first_inquiry_tells_that_a_text_has_arrived_and_sends_nothing(
    provider: Provider,
) -> None:
    message = await left_unreported(provider)
    await worked()
    assert await provider.inquiries(message) == 0, "it is not time yet"
    await let_leases_lapse()
    await worked()
    found = await row(message)
    assert (found.state, found.inquiries, found.lease_until) == (DELIVERED, 0, None)
    assert found.settled_at is not None
    assert (await provider.requests(message), await provider.inquiries(message)) == (1, 1)


@pytest.mark.parametrize("fate", ["undelivered", "failed"])
async def test_first_inquiry_tells_that_a_text_has_not_arrived_and_why(
    provider: Provider, fate: str
) -> None:
    message = await left_unreported(provider, failure_code=_NUMBER_GONE, **{fate: 1})
    await let_leases_lapse()
    await worked()
    found = await row(message)
    assert (found.state, found.why, found.error) == ("needs_human", "number_unusable", "30005")


async def test_phone_that_was_off_is_tried_once_more_as_after_a_report(
    provider: Provider,
) -> None:
    message = await left_unreported(provider, undelivered=1, failure_code=30003)
    await let_leases_lapse()
    await worked(Delivery(Broken()))
    assert (await row(message)).inquiries == 1
    await let_leases_lapse()
    await worked()
    found = await row(message)
    assert (found.state, found.turn, found.inquiries) == (MessageState.QUEUED, 2, 0)


async def test_whose_survey_did_not_arrive_and_no_report_said_so_is_called(
    provider: Provider,
) -> None:
    await sample.load()
    await provider.behave(
        lost=True, undelivered=1, failure_code=_NUMBER_GONE, report_delay_seconds=0
    )
    asked = await Village(find_staff).asked_soon("+8613900000009")
    await worked()
    async with transaction() as tx:
        survey = await tx.scalar(_SURVEY, matter_id=asked.matter_id)
    await in_state(survey, ACCEPTED)
    await until(lambda: ended(provider, "+8613900000009"))
    with clock.moved(ASK_AFTER[0] + timedelta(minutes=1)):
        await worked()
    assert (await row(survey)).state == "needs_human"
    with clock.moved(4 * DAY):
        assert await swept(asked)
    call = await call_about(asked, find_staff)
    assert call is not None
    assert call.cause == "undelivered"


async def test_what_provider_never_knows_is_asked_three_times_and_ends_accepted(
    provider: Provider,
) -> None:
    await provider.behave(silent=1)
    message = await announce()
    await worked()
    for asked, after in enumerate(ASK_AFTER):
        assert (await row(message)).inquiries == asked
        with clock.moved(after - timedelta(minutes=5)):
            await worked()
            assert await provider.inquiries(message) == asked, "not before its time"
        with clock.moved(after + timedelta(minutes=5)):
            await worked()
        assert await provider.inquiries(message) == asked + 1
    found = await row(message)
    assert (found.state, found.inquiries, found.lease_until) == (ACCEPTED, 3, None)
    assert found.settled_at is not None
    with clock.moved(timedelta(days=30)):
        await worked()
    assert (await row(message)).settled_at == found.settled_at
    assert (await provider.requests(message), await provider.inquiries(message)) == (1, 3)
    assert await offenders() == []
    # It may still come.
    async with transaction() as tx:
        told = Report(message, found.provider_id, DELIVERED)
        assert await receipts.record(tx, [told], provider="twilio")
    assert (await row(message)).state == DELIVERED


async def test_text_that_the_provider_does_not_know_is_not_sent_again(
    provider: Provider,
) -> None:
    message = await accepted(provider_id="SM" + "0" * 32)
    await let_leases_lapse()
    await worked()
    found = await row(message)
    assert (found.state, found.inquiries) == (ACCEPTED, 1)
    assert await provider.requests(message) == 0


@pytest.mark.usefixtures("database")
async def test_old_code_is_not_worth_an_inquiry_and_ends() -> None:
    code = await accepted(MessageKind.ONE_TIME_CODE)
    other = await accepted(provider_id="SM2")
    await let_leases_lapse()
    # Also where the codes alone would fill what may be claimed.
    assert [one.id for one in await claim(1)] == [other]
    found = await row(code)
    assert (found.state, found.lease_until) == (ACCEPTED, None)
    assert found.settled_at is not None
    assert (await row(other)).settled_at is None


@pytest.fixture
def as_fast_as_they_go(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    assert provider.url
    monkeypatch.setenv("SMS_RATE", "0")
    settings.cache_clear()


@pytest.mark.usefixtures("as_fast_as_they_go")
async def test_two_workers_ask_once(provider: Provider, another_worker: Start) -> None:
    await provider.behave(lost=True, report_delay_seconds=0)
    messages = [await announce(phone=f"+86138{n:08d}") for n in range(24)]
    await worked()
    for n in range(24):
        await until(partial(ended, provider, f"+86138{n:08d}"))
    await let_leases_lapse()
    another_worker()
    another_worker()
    for message in messages:
        await in_state(message, DELIVERED)
    assert {await provider.inquiries(message) for message in messages} == {1}


@pytest.mark.usefixtures("database")
async def test_claim_skips_what_another_holds_and_its_lease_fences_it() -> None:
    message = await accepted()
    await let_leases_lapse()
    async with transaction() as tx:
        [held] = await unreported.claim(tx, 9, lease=_LEASE)
        assert await claim() == []
    assert await claim() == []
    await let_leases_lapse()
    [again] = await claim()
    async with transaction() as tx:
        assert not await unreported.asked_in_vain(tx, held)
        assert await unreported.asked_in_vain(tx, again)
        assert not await unreported.asked_in_vain(tx, again)
    assert (await row(message)).inquiries == 1


class Late(TwilioGateway):
    """While it is being asked, the report comes in after all."""

    def __init__(self, message: UUID, state: MessageState) -> None:
        super().__init__(settings())
        self._message, self._state = message, state

    @override
    async def status_of(self, sent: SentText) -> Status | NotSent | Unknown:
        assert sent.provider_id is not None
        found = await super().status_of(sent)
        async with transaction() as tx:
            told = Report(self._message, sent.provider_id, self._state, turn=1)
            assert await receipts.record(tx, [told], provider="twilio")
        return found


@pytest.mark.parametrize("answer", [{"silent": 1}, {"undelivered": 1, "failure_code": 30005}])
async def test_report_that_comes_in_between_wins(
    provider: Provider, answer: dict[str, Any]
) -> None:
    if "silent" in answer:
        await provider.behave(**answer)
        message = await announce()
        await worked()
    else:
        message = await left_unreported(provider, **answer)
    await let_leases_lapse()
    await worked(Delivery(Late(message, DELIVERED)))
    found = await row(message)
    assert (found.state, found.inquiries, found.lease_until) == (DELIVERED, 0, None)


async def test_while_the_channel_is_paused_or_probed_nothing_is_asked(provider: Provider) -> None:
    message = await left_unreported(provider)
    await let_leases_lapse()
    async with transaction() as tx:
        assert await channel.pause(tx, "twilio", PauseReason.ACCOUNT, "20003")
    await worked()
    async with transaction() as tx:
        assert await channel.probe_now(tx, "twilio")
    await worked()
    assert await provider.inquiries(message) == 0
    async with transaction() as tx:
        assert await channel.resume(tx, "twilio")
    await worked()
    assert (await row(message)).state == DELIVERED


@pytest.mark.usefixtures("database")
async def test_report_of_acceptance_alone_does_not_keep_text_from_being_asked_after() -> None:
    message = await announce()
    async with transaction() as tx:
        await receipts.record(tx, [Report(message, "SM1", ACCEPTED)], provider="twilio")
    assert await claim() == []
    with clock.moved(ASK_AFTER[0] + timedelta(minutes=1)):
        assert [one.id for one in await claim()] == [message]


class Broken(TwilioGateway):
    """Raises, as a gateway must not."""

    def __init__(self) -> None:
        super().__init__(settings())

    @override
    async def find(self, message: OutgoingText, **_: Any) -> Accepted | NotSent | Unknown:
        raise AssertionError("no gateway should")

    @override
    async def status_of(self, sent: SentText) -> Status | NotSent | Unknown:
        raise AssertionError("no gateway should")


async def test_gateway_that_fails_when_asked_leaves_a_text_as_it_is(provider: Provider) -> None:
    silent = await left_unreported(provider)
    await provider.behave(error_accepted=1, silent=1)
    unknown = await announce(phone="+8613800000002")
    await worked()
    assert (await row(unknown)).state == UNKNOWN
    await let_leases_lapse()
    await worked(Delivery(Broken()))
    found, other = await row(silent), await row(unknown)
    assert (found.state, found.inquiries) == (ACCEPTED, 1)
    assert (other.state, other.error, other.attempts) == (UNKNOWN, "AssertionError", 2)


@pytest.mark.usefixtures("database")
async def test_doctor_names_an_accepted_text_that_nobody_will_ask_after() -> None:
    message = await accepted()
    assert await offenders() == []
    async with transaction() as tx:
        await tx.execute(_UNMARKED, id=message)
    assert await offenders() == [("nothing_left_under_way", "accepted")]


@pytest.mark.usefixtures("as_fast_as_they_go")
async def test_what_waits_for_an_inquiry_keeps_no_text_from_being_sent(provider: Provider) -> None:
    await provider.behave(silent=1)
    waiting = [await announce(phone=f"+86138{n:08d}") for n in range(40)]
    await worked()
    await let_leases_lapse()
    await provider.behave()
    message = await announce(phone="+8613900000001")
    await worked()
    assert await provider.accepted(message) == 1
    asked = [await provider.inquiries(one) for one in waiting]
    assert 0 < sum(asked) < len(waiting), "a few at once"
