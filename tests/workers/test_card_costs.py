"""What a look costs grows with what is due, not with what is open: counted in PostgreSQL's own pages, which do not scatter."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio
from sqlalchemy import text

from app.cards import sweep
from app.db import Database, transaction
from qungong.dev import sample
from tests.explaining import Explaining

DUE = 1000
# Rows as wide as real ones.
_CASES = text("""
WITH m AS (
  INSERT INTO matter (id, kind, ref, county_id, sealed, head_seq, head_hash)
  SELECT gen_random_uuid(), 'grievance', left(CAST(gen_random_uuid() AS text), 32), u.county_id, false, 1, decode(repeat('cd', 32), 'hex')
  FROM generate_series(1, :cases) AS s(n), unit u WHERE u.code = '500153003007'
  RETURNING id, ref, county_id
)
INSERT INTO grievance (id, ref, tracking_key, county_id, first_unit_id, textable, channel, kind, urgent, sealed, title, received_at,
  phase, holder_unit_id, stage, due_at, statutory_due_at, extended, round, returns, refusals_objected, presses, seal)
SELECT m.id, m.ref, decode(md5(m.ref), 'hex'), m.county_id, u.id, true, 'cadre', 'help', false, false, '路灯不亮', now(),
  'pending', u.id, 'judge', now(), now(), false, 1, 0, 0, 0, ''
FROM m JOIN unit u ON u.code = '500153003007'
""")
# What is due is spread evenly among what is not.
_CLOCKS = text("""
INSERT INTO clock (id, matter_id, county_id, stage, round, unit_id, started_at, "limit", remind_before, yellow_after, red_after, rule,
  calendar_version, pauses, due_at, provisional, certain_steps, yellow_at, red_at, steps, next_at)
SELECT gen_random_uuid(), c.id, u.county_id, 'judge', 1, u.id, now() - INTERVAL '9 days', '2wd', 0, '0wd', '5wd', 'default',
  1, '[]', m.due - INTERVAL '1 second', false, 3, m.due, m.due + INTERVAL '7 days', 0, m.due
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM grievance WHERE NOT EXISTS (SELECT 1 FROM clock WHERE matter_id = grievance.id)) c
CROSS JOIN generate_series(1, :each) AS k(n)
CROSS JOIN LATERAL (SELECT CASE WHEN (c.n * :each + k.n) % :every = 0 THEN now() - INTERVAL '1 day'
  ELSE now() + INTERVAL '1 day' + (c.n * 37 + k.n) % 100000 * INTERVAL '1 second' END AS due) m
JOIN unit u ON u.code = '500153003007'
""")
_VACUUM = "VACUUM ANALYZE clock, matter, grievance"

Filled = Callable[[int, int], Awaitable[None]]


@pytest_asyncio.fixture
async def filled(database: Database) -> AsyncIterator[Filled]:
    """So many more open clocks, ten a case, of which so many are due."""
    await sample.load()

    async def fill(open_: int, due: int) -> None:
        async with transaction() as tx:
            driver = await tx.driver()
            await driver.execute("SET LOCAL statement_timeout = 0")
            await tx.execute(_CASES, cases=open_ // 10)
            await tx.execute(_CLOCKS, each=10, every=open_ // due if due else open_ + 1)
        driver = await database.connect()
        await driver.execute("RESET ROLE; SET ROLE none")
        await driver.execute("SET statement_timeout = 0")
        await driver.execute(_VACUUM)
        await driver.close()

    yield fill


async def pages(on: Database, most: int) -> int:
    """What one claim reads, once the server knows its tables; it is rolled back."""
    async with on.connection() as driver:
        work = Explaining(driver)
        for _ in range(3):
            await sweep.claim(work, most)
            await work.roll_back()
        assert "clock_next" in work.how
        assert "Sort" not in work.how, "all that is due is read for each batch"
        return work.pages


async def test_claiming_what_is_due_costs_the_same_among_ten_times_as_many_open(
    database: Database, filled: Filled
) -> None:
    await filled(20_000, DUE)
    few = await pages(database, DUE)
    await filled(180_000, 0)
    many = await pages(database, DUE)
    assert DUE <= few <= 25 * DUE
    assert many <= 1.1 * few, (few, many)


async def test_look_at_which_nothing_is_due_reads_next_to_nothing(
    database: Database, filled: Filled
) -> None:
    await filled(20_000, 0)
    assert await pages(database, DUE) <= 10
