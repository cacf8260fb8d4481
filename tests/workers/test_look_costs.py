"""What is looked up of the county costs what is found, not what there ever was: counted in PostgreSQL's own pages."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import text

from app.auth.actor import StaffActor
from app.cards import signals, wall
from app.db import Database, transaction
from app.errors import NotFound
from qungong.dev import sample
from tests.conftest import find_staff
from tests.explaining import Explaining
from tests.workers.test_card_costs import _CASES

DID, LISTED = 40, 30
# Each case was escalated a year ago by the unit that holds it; the unit sees them all.
_LONG_AGO = text("""
INSERT INTO record_entry (matter_id, seq, at, action, unit_id, staff_id, public, body, hash)
SELECT g.id, 1, now() - INTERVAL '400 days', 'escalate', g.holder_unit_id, NULL, true, '{"data":{}}', ''
FROM grievance g WHERE NOT EXISTS (SELECT FROM record_entry e WHERE e.matter_id = g.id)
""")
_PARTIES = text("""
INSERT INTO matter_party (unit_id, matter_id, since) SELECT holder_unit_id, id, now() FROM grievance ON CONFLICT DO NOTHING
""")
_LATELY = text("""
INSERT INTO record_entry (matter_id, seq, at, action, unit_id, staff_id, public, body, hash)
SELECT id, 2, now() - INTERVAL '1 day', 'escalate', holder_unit_id, NULL, true, '{"data":{}}', '' FROM grievance ORDER BY id LIMIT :most
""")
_LIST = text(
    "UPDATE grievance SET listed_at = now() WHERE id IN (SELECT id FROM grievance ORDER BY id LIMIT :most)"
)
_VACUUM = "VACUUM ANALYZE clock, grievance, record_entry, matter_party"

Filled = Callable[[int], Awaitable[None]]


@pytest_asyncio.fixture
async def inspector(database: Database) -> StaffActor:
    assert database is not None
    await sample.load()
    return await find_staff("ducha")


@pytest_asyncio.fixture
async def filled(database: Database, inspector: StaffActor) -> AsyncIterator[Filled]:
    """So many more cases that one village once passed on."""
    assert inspector.sees_county

    async def fill(cases: int) -> None:
        async with transaction() as tx:
            await (await tx.driver()).execute("SET LOCAL statement_timeout = 0")
            await tx.execute(_CASES, cases=cases)
            await tx.execute(_LONG_AGO)
            await tx.execute(_PARTIES)
        driver = await database.connect()
        await driver.execute("RESET ROLE; SET ROLE none")
        await driver.execute(_VACUUM)
        await driver.close()

    yield fill


async def of_signals(on: Database, by: StaffActor) -> int:
    async with on.connection() as driver:
        work = Explaining(driver)
        now = await work.now_there()
        for _ in range(3):
            with pytest.raises(NotFound):  # it counts instead of answering
                await signals.of_unit(work, "500153003007", by=by, since=now - timedelta(days=30), until=now)  # fmt: skip
            await work.roll_back()
        return work.pages


async def of_wall(on: Database, by: StaffActor) -> int:
    async with on.connection() as driver:
        work = Explaining(driver)
        now = await work.now_there()
        for _ in range(3):
            await wall.feed(work, by=by, now=now - timedelta(days=1))
            await work.roll_back()
        return work.pages


@pytest.mark.parametrize("look", [of_signals, of_wall])
async def test_look_costs_the_same_among_ten_times_as_many_cases(
    database: Database,
    filled: Filled,
    inspector: StaffActor,
    look: Callable[[Database, StaffActor], Awaitable[int]],
) -> None:
    await filled(2_000)
    async with transaction() as tx:
        await tx.execute(_LATELY, most=DID)
        await tx.execute(_LIST, most=LISTED)
    await filled(1)
    few = await look(database, inspector)
    await filled(18_000)
    many = await look(database, inspector)
    assert 10 < few <= 60 * DID
    # Ten times as many make the indexes one page deeper, and no more.
    assert many <= 1.5 * few, (few, many)
