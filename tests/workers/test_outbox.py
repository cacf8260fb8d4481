"""What a message may become, without any worker: claims, fences, reports in every order."""

import asyncio
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest
from sqlalchemy import text

from app.db import OWNER, transaction
from app.texts import outcomes, queue, receipts
from app.texts.outbox import MessageKind, MessageState
from app.texts.policy import ATTEMPTS, Outcome
from app.texts.queue import Claimed
from app.texts.receipts import Report
from tests.workers.conftest import announce, let_leases_lapse, let_pauses_pass, row, until

_LEASE = timedelta(seconds=40)
_TO_NOBODY = text("""
WITH nobody AS (INSERT INTO citizen (id, created_at, seal) VALUES (gen_random_uuid(), now(), '') RETURNING id)
UPDATE outbox_message SET phone_sealed = NULL, citizen_id = (SELECT id FROM nobody) WHERE id = :id
""")
_HOLD = text("SELECT 1 FROM outbox_message WHERE id = :id FOR UPDATE NOWAIT")
_WAITING = text("""
SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database()
""")
_LATE = text("UPDATE outbox_message SET expires_at = now() WHERE id = :id")
A, D, U, F, H = (
    MessageState.ACCEPTED,
    MessageState.DELIVERED,
    MessageState.UNDELIVERED,
    MessageState.FAILED,
    MessageState.NEEDS_HUMAN,
)


async def claim(most: int = 100) -> list[Claimed]:
    async with transaction() as tx:
        return await queue.claim(tx, most, lease=_LEASE)


async def claim_unknown() -> list[Claimed]:
    async with transaction() as tx:
        return await queue.claim_unknown(tx, 100, lease=_LEASE)


async def settle(message: Claimed, outcome: Outcome) -> bool:
    async with transaction() as tx:
        return message.id in await outcomes.settle(tx, [(message, outcome)])


async def report(message: UUID, status: MessageState, provider_id: str = "SM1") -> None:
    async with transaction() as tx:
        await receipts.record(tx, [Report(message, provider_id, status)], provider="twilio")


async def made_unknown(kind: MessageKind = MessageKind.PROGRESS) -> tuple[UUID, Claimed]:
    message = await announce(kind=kind)
    [sent] = await claim()
    await settle(sent, Outcome(MessageState.UNKNOWN))
    await let_leases_lapse()
    [held] = await claim_unknown()
    return message, held


@pytest.mark.usefixtures("database")
async def test_two_workers_never_claim_the_same_message() -> None:
    messages = {await announce() for _ in range(30)}
    claimed = await asyncio.gather(*(claim(7) for _ in range(6)))
    taken = [message.id for batch in claimed for message in batch]
    assert len(taken) == 30
    assert set(taken) == messages


@pytest.mark.usefixtures("database")
async def test_claim_does_not_wait_for_another() -> None:
    messages = [await announce() for _ in range(4)]
    async with transaction() as tx:
        first = await queue.claim(tx, 2, lease=_LEASE)
        second = await claim(2)
    assert [message.id for message in (*first, *second)] == messages


@pytest.mark.usefixtures("database")
async def test_oldest_is_claimed_first() -> None:
    messages = [await announce() for _ in range(3)]
    assert [message.id for message in await claim(2)] == messages[:2]


@pytest.mark.usefixtures("database")
async def test_what_has_expired_or_has_no_number_is_never_sent() -> None:
    late, code, nobody, good = (
        await announce(),
        await announce(kind=MessageKind.ONE_TIME_CODE),
        await announce(),
        await announce(),
    )
    async with transaction() as tx:
        await tx.execute(_LATE, id=late)
        await tx.execute(_LATE, id=code)
        await tx.act_as(OWNER)
        await tx.execute(_TO_NOBODY, id=nobody)
    assert [message.id for message in await claim(1)] == [good]
    assert (await row(nobody)).state == MessageState.FAILED
    assert (await row(nobody)).error == "no_number"
    async with transaction() as tx:
        assert await queue.expire(tx, 10) == 2
    # Nobody waits for the code any more; of the other a person is told.
    assert (await row(code)).state == MessageState.EXPIRED
    assert ((await row(late)).state, (await row(late)).why) == (H, "expired")


@pytest.mark.usefixtures("database")
async def test_worker_whose_lease_has_lapsed_marks_nothing() -> None:
    message = await announce()
    [held] = await claim()
    await let_leases_lapse()
    assert await claim_unknown() == []
    assert (await row(message)).state == MessageState.UNKNOWN
    assert not await settle(held, Outcome(MessageState.FAILED))
    await let_leases_lapse()
    [inquired] = await claim_unknown()
    assert not await settle(held, Outcome(MessageState.FAILED))
    assert await settle(inquired, Outcome(MessageState.ACCEPTED, provider_id="SM1"))
    assert not await settle(inquired, Outcome(MessageState.QUEUED))


@pytest.mark.parametrize(
    ("reports", "final"),
    [((A, A, D), D), ((A, U, A), H), ((A, F), H), ((F, U, D), D), ((A, A), A)],
)
@pytest.mark.usefixtures("database")
async def test_reports_in_any_order_and_before_our_own_mark_lead_to_the_same_end(
    reports: tuple[MessageState, ...], final: MessageState
) -> None:
    for order in permutations(reports):
        for marked_after in range(len(order) + 1):
            message = await announce()
            [held] = await claim()
            provider_id = f"SM{message.hex[-12:]}"
            for place, status in enumerate(order):
                if place == marked_after:
                    await settle(held, Outcome(MessageState.ACCEPTED, provider_id=provider_id))
                await report(message, status, provider_id)
            if marked_after == len(order):
                await settle(held, Outcome(MessageState.ACCEPTED, provider_id=provider_id))
            found = await row(message)
            assert (found.state, found.provider_id) == (final, provider_id)


@pytest.mark.parametrize("before", ["queued", "sending", "unknown", "needs_human", "failed"])
@pytest.mark.usefixtures("database")
async def test_report_proves_acceptance_whatever_we_believed(before: str) -> None:
    message = await announce()
    async with transaction() as tx:
        await tx.execute(
            text(
                "UPDATE outbox_message SET state = :state, why = 'tried_out', lease_until = now() WHERE id = :id"
            ),
            state=before,
            id=message,
        )
    await report(message, A)
    assert (await row(message)).state == A
    await let_pauses_pass()
    assert await claim() == []
    assert await claim_unknown() == []


@pytest.mark.usefixtures("database")
async def test_report_on_another_attempt_counts_only_when_it_was_delivered() -> None:
    message = await announce()
    await report(message, A, "SM1")
    await report(message, F, "SM2")
    assert (await row(message)).state == A
    await report(message, D, "SM2")
    assert ((await row(message)).state, (await row(message)).provider_id) == (D, "SM1")


@pytest.mark.usefixtures("database")
async def test_outcomes_and_reports_lock_in_one_order_and_never_wait_in_a_circle() -> None:
    low, high = [await announce(), await announce()]
    held = await claim()
    outcome = Outcome(MessageState.ACCEPTED)
    async with transaction() as reporting:
        await reporting.execute(_HOLD, id=low)
        async with transaction() as marking:
            marked = asyncio.create_task(
                outcomes.settle(marking, [(one, outcome) for one in reversed(held)])
            )
            await until(somebody_waits)
            async with transaction() as other:
                await other.execute(_HOLD, id=high)
            await reporting.commit()
            assert await marked == {low, high}


async def somebody_waits() -> bool:
    async with transaction() as tx:
        return bool(await tx.scalar(_WAITING))


@pytest.mark.usefixtures("database")
async def test_provider_id_that_another_message_has_is_not_taken_twice() -> None:
    first, second = await announce(), await announce()
    await report(first, A, "SM1")
    await report(second, D, "SM1")
    assert ((await row(first)).state, (await row(second)).state) == (A, D)


@pytest.mark.usefixtures("database")
async def test_refusal_for_moment_is_tried_again_later_and_at_last_by_person() -> None:
    message = await announce()
    for attempt in range(1, ATTEMPTS + 1):
        [held] = await claim()
        assert held.attempts == attempt
        await settle(held, Outcome(MessageState.QUEUED, error="20429"))
        assert await claim() == []
        await let_pauses_pass()
    assert (await row(message)).state == MessageState.NEEDS_HUMAN


@pytest.mark.usefixtures("database")
async def test_unreachable_provider_is_no_reason_to_give_up() -> None:
    message = await announce()
    for _ in range(ATTEMPTS + 2):
        [held] = await claim()
        await settle(held, Outcome(MessageState.QUEUED, error="no_connection", counts=False))
        await let_pauses_pass()
    assert (await row(message)).state == MessageState.QUEUED


@pytest.mark.usefixtures("database")
async def test_what_provider_surely_does_not_have_is_sent_again_but_never_code() -> None:
    message, held = await made_unknown()
    await settle(held, Outcome(MessageState.QUEUED, error="not_found", counts=False))
    [again] = await claim()
    assert (again.id, again.attempts) == (message, 2)
    code, held = await made_unknown(MessageKind.ONE_TIME_CODE)
    await settle(held, Outcome(MessageState.QUEUED, error="not_found", counts=False))
    assert (await row(code)).state == MessageState.FAILED


@pytest.mark.usefixtures("database")
async def test_what_can_never_be_found_out_needs_a_person() -> None:
    message, held = await made_unknown()
    for _ in range(ATTEMPTS - 1):
        assert (await row(message)).state == MessageState.UNKNOWN
        await settle(held, Outcome(MessageState.UNKNOWN, error="timeout"))
        await let_leases_lapse()
        held = next(iter(await claim_unknown()), held)
    assert (await row(message)).state == MessageState.NEEDS_HUMAN


@pytest.mark.usefixtures("database")
async def test_attempt_that_ended_unknown_is_left_alone_for_a_while() -> None:
    await announce()
    [sent] = await claim()
    await settle(sent, Outcome(MessageState.UNKNOWN))
    assert await claim() == []
    assert await claim_unknown() == []
