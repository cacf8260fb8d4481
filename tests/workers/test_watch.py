"""A database clock that jumps: no card until a person says that it is right, or it is back. The jump is made in the rows."""

import asyncio
import sys
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from structlog.testing import capture_logs
from typing_extensions import override

from app import heartbeats
from app.auth.actor import StaffActor
from app.cards.clock_watch import Watch
from app.db import Database, transaction
from qungong.service_pages import health
from tests.workers.carding import LATE, MONDAY, at, cards, registered, run
from workers.deadlines import CardSweep

_MOVE = text("UPDATE sweep_pulse SET swept_at = swept_at + CAST(:by AS interval)")
_PULSE = text("SELECT * FROM sweep_pulse")
_FORGET = text("UPDATE sweep_pulse SET swept_at = now() - INTERVAL '9 days'")


class Steady:
    """A clock that nobody sets, but this test. Standing back by an hour, it makes the database's seem an hour ahead."""

    seconds = 100_000.0

    def __call__(self) -> float:
        return self.seconds


async def step(work: CardSweep) -> int:
    with at(LATE + timedelta(hours=1)):
        return (await work.step())[0]


async def pulse() -> Any:
    async with transaction() as tx:
        return await tx.one_or_none(_PULSE)


async def test_clock_that_jumped_ahead_holds_all_sweeps_until_it_is_back(
    cadre: StaffActor,
) -> None:
    steady = Steady()
    work = CardSweep(Watch(steady))
    await step(work)
    ref = await registered(cadre, MONDAY)
    steady.seconds -= 3600
    with capture_logs() as logged:
        assert [await step(work) for _ in range(2)] == [0, 0]
        # One that has just begun sees nothing wrong by itself.
        assert await step(CardSweep()) == 0
    assert [entry["log_level"] for entry in logged] == ["error", "error"]
    assert (await pulse()).held_why == "ahead"
    assert await cards(ref) == []
    steady.seconds += 3600
    assert await step(work) > 0
    assert (await pulse()).held_since is None
    assert len(await cards(ref)) == 1


async def test_quarter_of_an_hour_is_not_a_jump(cadre: StaffActor) -> None:
    steady = Steady()
    work = CardSweep(Watch(steady))
    await step(work)
    ref = await registered(cadre, MONDAY)
    steady.seconds -= 14 * 60
    await step(work)
    assert len(await cards(ref)) == 1


async def test_clock_behind_the_last_sweep_holds_until_it_has_come_to_it(
    cadre: StaffActor,
) -> None:
    await step(CardSweep())
    ref = await registered(cadre, MONDAY)
    await run(_MOVE, by=timedelta(hours=1))
    assert await step(CardSweep()) == 0
    assert (await pulse()).held_why == "behind"
    await run(_MOVE, by=-timedelta(hours=1))
    assert await step(CardSweep()) > 0
    assert len(await cards(ref)) == 1
    assert (await pulse()).held_since is None


async def test_person_says_that_the_clock_is_right(cadre: StaffActor, database: Database) -> None:
    steady = Steady()
    work, other = CardSweep(Watch(steady)), CardSweep()
    await step(work)
    await step(other)
    ref = await registered(cadre, MONDAY)
    steady.seconds -= 3600
    assert await step(work) == 0
    assert b'"sweep":"held"' in (await health()).body
    released = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "qungong", "sweep", "release"
    )
    assert await released.wait() == 0
    assert b'"sweep":"ok"' in (await health()).body
    # The one that found the jump takes the clock as it is from now on.
    assert await step(work) > 0
    assert len(await cards(ref)) == 1
    again = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "qungong", "sweep", "release"
    )
    assert await again.wait() == 1
    assert database is not None


async def test_after_an_outage_a_process_that_begins_catches_up(cadre: StaffActor) -> None:
    await step(CardSweep())
    ref = await registered(cadre, MONDAY)
    await run(_FORGET)
    assert await step(CardSweep()) > 0
    assert len(await cards(ref)) == 1


async def test_jump_between_the_look_and_the_claim_is_seen_too(cadre: StaffActor) -> None:
    class Late(Watch):
        """Whose look was just before the jump."""

        @override
        async def look(self, tx: Any) -> bool:
            fine = await super().look(tx)
            steady.seconds -= 3600
            return fine

    steady = Steady()
    ref = await registered(cadre, MONDAY)
    assert await step(CardSweep(Late(steady))) == 0
    assert await cards(ref) == []


async def test_hold_that_was_put_on_meanwhile_stays(cadre: StaffActor) -> None:
    assert cadre is not None
    await step(CardSweep())
    async with transaction() as tx:
        seen = await heartbeats.pulse(tx)
    async with transaction() as tx:
        assert await heartbeats.hold(tx, heartbeats.Jump.AHEAD)
    async with transaction() as tx:
        await heartbeats.swept(tx, seen)
    assert (await pulse()).held_why == "ahead"
