"""Delivery through the template-based provider by the real worker: unknown attempts are found, words need approval."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import text
from typing_extensions import override

from app.db import Database, observers, transaction
from app.http import problems
from app.settings import settings
from app.texts import channel, receipts
from app.texts.channel import SmsChannel
from app.texts.outbox import MessageKind, MessageState
from app.texts.receipts import Report
from app.texts.terms import PauseReason
from sms import inbound, templates
from sms.gateway import ErrorClass, NotSent, SentText, Status, Unknown
from sms.providers import capabilities
from sms.providers.aliyun import AliyunGateway
from sms.simulator.aliyun_templates import approve_all
from sms.simulator.app import create_app
from sms.simulator.state import SimulatorSettings
from tests.sms.aliyun import PUSHES, account
from tests.sms.servers import served
from tests.workers.conftest import (
    Provider,
    _serving,
    announce,
    in_state,
    let_leases_lapse,
    let_pauses_pass,
    row,
    until,
)
from workers.texts import Delivery, open_gateway

Start = Callable[[], None]
_PAUSED_LONG = text("UPDATE sms_channel SET pauses = 5, paused_until = now()")


@dataclass
class Domestic(Provider):
    """Counts by our own id, which goes with the text; `pushes` is where it pushes to."""

    pushes: str = ""

    @override
    async def _attempts(self, message: UUID) -> dict[str, Any]:
        asked = {"status_callback": str(message)}
        found: dict[str, Any] = (await self.control.get("/control/attempts", params=asked)).json()
        return found


@pytest_asyncio.fixture
async def provider(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Domestic]:
    """Instead of the other one: this provider's simulator, pushing to the real webhooks on the test's database."""
    assert database is not None
    application = FastAPI()
    application.include_router(inbound.router)
    problems.install(application)
    async with _serving(application) as public_url:
        own = SimulatorSettings(simulator_dir=None, simulator_push_url=f"{public_url}{PUSHES}")
        with served(create_app(account(), own)) as url:
            monkeypatch.setenv("SMS_PROVIDER", "aliyun")
            monkeypatch.setenv("ALIYUN_API_URL", url)
            settings.cache_clear()
            async with transaction() as tx:
                await templates.register(tx, "aliyun", capabilities())
                await approve_all(tx)
            async with httpx.AsyncClient(base_url=url, timeout=20) as control:
                yield Domestic(url, control, f"{public_url}{PUSHES}")
    settings.cache_clear()


async def test_text_arrives_and_its_receipt_ends_it(
    provider: Domestic, another_worker: Start
) -> None:
    message = await announce()
    another_worker()
    found = await in_state(message, MessageState.DELIVERED)
    assert found.provider_id.endswith("^0")
    assert await provider.requests(message) == 1


async def test_error_after_acceptance_is_found_at_provider_and_not_sent_again(
    provider: Domestic, another_worker: Start
) -> None:
    await provider.behave(error_accepted=1, silent=1)
    message = await announce()
    another_worker()
    await in_state(message, MessageState.UNKNOWN)
    await let_leases_lapse()
    await in_state(message, MessageState.ACCEPTED)
    assert await provider.requests(message) == 1


async def test_receipt_that_comes_late_ends_what_was_found_without_providers_name_for_it(
    provider: Domestic, another_worker: Start
) -> None:
    await provider.behave(error_accepted=1, silent=1)
    message = await announce()
    another_worker()
    await in_state(message, MessageState.UNKNOWN)
    await let_leases_lapse()
    await in_state(message, MessageState.ACCEPTED)
    late = {"out_id": str(message), "biz_id": "900619746936498440^0", "success": False}
    pushed = await provider.control.post(
        f"{provider.pushes}/reports", json=[late | {"err_code": "INVALID_NUMBER"}]
    )
    assert pushed.status_code == 200
    found = await row(message)
    # A number that cannot be reached is for a person.
    assert (found.state, found.error) == (MessageState.NEEDS_HUMAN, "INVALID_NUMBER")
    assert found.provider_id == late["biz_id"]


async def test_error_without_acceptance_is_sent_again_and_a_code_is_not(
    provider: Domestic, another_worker: Start
) -> None:
    await provider.behave(error_not_accepted=1, times=2)
    text, code = await announce(), await announce(kind=MessageKind.ONE_TIME_CODE)
    another_worker()
    for message in (text, code):
        await in_state(message, MessageState.UNKNOWN)
    await let_leases_lapse()
    await in_state(code, MessageState.FAILED)
    await let_pauses_pass()
    await in_state(text, MessageState.DELIVERED)
    assert (await provider.accepted(text), await provider.accepted(code)) == (1, 0)


async def test_text_whose_words_are_not_approved_needs_a_human_and_says_why(
    provider: Domestic, another_worker: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One-way, the survey has words of its own; the simulator has approved them, nobody has noted it.
    monkeypatch.setenv("SMS_TWO_WAY", "false")
    settings.cache_clear()
    survey, other = await announce(kind=MessageKind.SURVEY), await announce()
    another_worker()
    await in_state(survey, MessageState.NEEDS_HUMAN)
    found = await row(survey)
    assert (found.why, found.error) == ("template_pending", "template_pending")
    await in_state(other, MessageState.DELIVERED)
    assert await provider.requests(survey) == 0


async def unapproved(phone: str = "+8613800000001") -> UUID:
    """Owed before all else, and never to be sent: its words await approval where no reply comes back."""
    return await announce(kind=MessageKind.SURVEY, phone=phone)


@pytest.fixture
def one_way(provider: Domestic, monkeypatch: pytest.MonkeyPatch) -> None:
    assert provider.url
    monkeypatch.setenv("SMS_TWO_WAY", "false")
    settings.cache_clear()


async def shown() -> SmsChannel:
    async with transaction() as tx:
        found = await channel.show(tx, "aliyun")
    assert found is not None
    return found


@pytest.mark.usefixtures("one_way")
async def test_probe_that_never_left_house_neither_ends_pause_nor_prolongs_it(
    provider: Domestic,
) -> None:
    await provider.behave(refused={"isv.OUT_OF_SERVICE": 1})
    survey, other = await unapproved(), await announce(phone="+8613800000002")
    async with transaction() as tx:
        await channel.hold(tx, "aliyun", most=0, rate=0)
        assert await channel.pause(tx, "aliyun", PauseReason.ACCOUNT, "isv.OUT_OF_SERVICE")
        await tx.execute(_PAUSED_LONG)
    before = await shown()
    await worked(Delivery(open_gateway()))
    assert (await row(survey)).why == "template_pending"
    after = await shown()
    assert (after.paused_since, after.pauses, after.probe_until) == (before.paused_since, 5, None)
    # The next text is the probe now; this one goes out, and says how the account stands.
    assert await provider.requests(other) == 0
    await worked(Delivery(open_gateway()))
    assert (await provider.requests(other), (await shown()).pauses) == (1, 6)


@pytest.mark.usefixtures("one_way")
async def test_while_texts_are_withheld_on_a_probe_the_loop_does_not_spin(
    provider: Domestic, another_worker: Start
) -> None:
    surveys = [await unapproved(f"+86138{n:08d}") for n in range(3)]
    other = await announce(phone="+8613800000009")
    async with transaction() as tx:
        await channel.hold(tx, "aliyun", most=0, rate=0)
        assert await channel.pause(tx, "aliyun", PauseReason.UNREACHABLE, "no_connection")
        await tx.execute(_PAUSED_LONG)
    looks: list[str] = []
    observers.append(looks.append)
    try:
        another_worker()
        await in_state(other, MessageState.DELIVERED)
    finally:
        observers.remove(looks.append)
    assert (await shown()).paused_since is None
    assert {(await row(one)).why for one in surveys} == {"template_pending"}
    # Some looks for each text that was tried, not some thousands.
    assert len(looks) < 400


@pytest.mark.usefixtures("one_way")
async def test_text_that_is_withheld_says_nothing_of_provider_that_answers_nobody_clearly(
    provider: Domestic,
) -> None:
    await provider.behave(error_not_accepted=1)
    work = Delivery(open_gateway())
    for n in range(9):
        await tried(work, f"+86138{n:08d}", MessageState.UNKNOWN)
    survey = await unapproved()
    await work.once()
    await in_state(survey, MessageState.NEEDS_HUMAN)
    assert (await shown()).paused_since is None
    await tried(work, "+8613800000009", MessageState.UNKNOWN)
    await work.finish()
    assert (await shown()).paused_why is PauseReason.UNREACHABLE


async def tried(work: Delivery, phone: str, state: MessageState) -> None:
    message = await announce(phone=phone)
    await work.once()
    await in_state(message, state)


async def test_code_of_a_receipt_says_what_follows(
    provider: Domestic, another_worker: Start
) -> None:
    another_worker()
    for code, why in [("MOBILE_NOT_ON_SERVICE", "number_unusable"), ("USER_REJECT", "opted_out"), ("CONTENT_KEYWORD", "content")]:  # fmt: skip
        await provider.behave(undelivered=1, failure_code=code, report_delay_seconds=0.01)
        message = await announce(phone=f"+86139{len(code):08d}")
        found = await in_state(message, MessageState.NEEDS_HUMAN)
        assert (found.why, found.error) == (why, code)


async def test_attempt_of_a_later_turn_is_not_found_in_what_was_sent_before(
    provider: Domestic, another_worker: Start
) -> None:
    # A phone that is off: sent once more by the system, as another text.
    await provider.behave(undelivered=1, failure_code="IS_CLOSE", report_delay_seconds=0.01)
    message = await announce()
    another_worker()
    await until(lambda: in_turn(message, 2))
    await provider.behave(error_not_accepted=1, times=1)
    await let_pauses_pass()
    await in_state(message, MessageState.UNKNOWN)
    await let_leases_lapse()
    await in_state(message, MessageState.DELIVERED)
    phone = (await provider.control.get("/phones/+8613800000001")).json()
    assert [one["status"] for one in phone["messages"]] == ["undelivered", "delivered"]


async def test_what_became_of_text_whose_receipt_was_lost_is_asked_and_sends_nothing(
    provider: Domestic, another_worker: Start
) -> None:
    fate = {"undelivered": 1, "failure_code": "MOBILE_NOT_ON_SERVICE"}
    texts = []
    another_worker()
    for phone, behaviour in (("+8613800000001", {}), ("+8613800000002", fate)):
        await provider.behave(lost=True, report_delay_seconds=0, **behaviour)
        texts.append(await announce(phone=phone))
        await in_state(texts[-1], MessageState.ACCEPTED)
        await until(partial(ended, provider, phone))
    arrived, gone = texts
    await let_leases_lapse()
    found = await in_state(gone, MessageState.NEEDS_HUMAN)
    assert (found.why, found.error) == ("number_unusable", "MOBILE_NOT_ON_SERVICE")
    await in_state(arrived, MessageState.DELIVERED)
    for message in (arrived, gone):
        assert await provider.requests(message) == 1


async def ended(provider: Domestic, phone: str) -> bool:
    shown = (await provider.control.get(f"/phones/{phone}")).json()["messages"]
    return shown[-1]["status"] not in {"queued", "sent"}


async def nameless(provider: Domestic, **fate: Any) -> UUID:
    """Accepted, and found without the provider's name for it; no receipt came."""
    await provider.behave(error_accepted=1, lost=True, report_delay_seconds=0, **fate)
    message = await announce()
    await worked(Delivery(open_gateway()))
    await let_leases_lapse()
    await worked(Delivery(open_gateway()))
    found = await row(message)
    assert (found.state, found.provider_id) == (MessageState.ACCEPTED, None)
    await let_leases_lapse()
    return message


async def worked(work: Delivery) -> None:
    await work.once()
    await work.finish()


async def test_that_a_text_still_waits_for_its_receipt_is_nothing_learned(
    provider: Domestic,
) -> None:
    message = await nameless(provider, silent=1)
    await worked(Delivery(open_gateway()))
    found = await row(message)
    assert (found.state, found.inquiries) == (MessageState.ACCEPTED, 1)


class Late(AliyunGateway):
    """While it is being asked, the receipt comes in after all: the phone was off."""

    @override
    async def status_of(self, sent: SentText) -> Status | NotSent | Unknown:
        found = await super().status_of(sent)
        told = Report(
            sent.id, "1^0", MessageState.UNDELIVERED, "IS_CLOSE", ErrorClass.TRANSIENT, sent.turn
        )
        async with transaction() as tx:
            assert await receipts.record(tx, [told], provider="aliyun")
        return found


async def test_what_was_asked_about_one_turn_is_not_taken_for_the_next(
    provider: Domestic,
) -> None:
    message = await nameless(provider, undelivered=1, failure_code="MOBILE_NOT_ON_SERVICE")
    await worked(Delivery(Late(settings())))
    found = await row(message)
    assert (found.state, found.turn) == (MessageState.QUEUED, 2)


async def test_text_that_was_found_without_providers_name_for_it_is_asked_after_too(
    provider: Domestic, another_worker: Start
) -> None:
    message = await nameless(provider)
    another_worker()
    await in_state(message, MessageState.DELIVERED)
    assert await provider.requests(message) == 1


async def in_turn(message: UUID, turn: int) -> Any:
    found = await row(message)
    return found if found.turn == turn else None
