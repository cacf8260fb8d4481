"""What goes wrong, one function each: it starts workers, does its worst until nothing is due, and says what it did."""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import from_url

from tests.faults.site import Site

AN_HOUR, TWO_DAYS = 3600, 2 * 86400
# So slow that the workers are not done before they have been killed often enough, and die in the middle of their work.
_SLOW = (
    "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END $$",
    "CREATE TRIGGER slow BEFORE INSERT ON card FOR EACH ROW EXECUTE FUNCTION slow()",
)
_WRONG_CLOCK = Path(__file__).with_name("wrong_clock.c")


@dataclass(frozen=True, slots=True)
class Scenario:
    """`filled`: which county it starts from; `doubles`: the control, which must go wrong."""

    name: str
    does: Callable[[Site], Awaitable[str]]
    filled: str = "due"
    doubles: bool = False


async def killed(site: Site) -> str:
    """Of a thousand cards one worker at least dies while some are due; who dies when nothing is due is not counted."""
    wanted, kills = max(2, await site.left() // 1000), 0
    for command in _SLOW:
        await site.do(command)

    async def kill_one() -> None:
        nonlocal kills
        # Not before they are at it, and then not before they got somewhere: whoever is killed while starting shows nothing.
        if kills < wanted:
            await site.until_at_it()
        else:
            await site.until_cards(await site.cards() + 1, or_all=True)
        await asyncio.sleep(site.chance.uniform(0, 0.5))
        site.kill(site.chance.choice(site.workers))
        kills += await site.left() > 0
        site.start()

    for _ in range(4):
        site.start()
    await site.until_cards(1)
    await site.swept(meanwhile=kill_one)
    await site.do("DROP TRIGGER slow ON card")
    told = f"{kills} killed while cards were due, wanted {wanted}"
    if kills < wanted:
        raise AssertionError(told)
    return told


async def all_at_once(site: Site) -> str:
    for _ in range(20):
        site.start()
    await site.swept()
    return "20 workers"


async def stopped(site: Site) -> str:
    """Stopped for longer than the database waits for anybody (10 s), wherever it happened to be."""
    for _ in range(3):
        site.start()
    await site.until_cards(1)
    sleepers = site.workers[:2]
    for worker in sleepers:
        worker.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    await site.swept()
    await asyncio.sleep(max(0.0, 13 - (time.monotonic() - began)))
    for worker in sleepers:
        worker.send_signal(signal.SIGCONT)
    await asyncio.sleep(5)
    alive = sum(worker.poll() is None for worker in sleepers)
    return f"2 stopped for {time.monotonic() - began - 5:.0f} s, {alive} went on"


async def redis_away(site: Site) -> str:
    times = 0

    async def take_away() -> None:
        nonlocal times
        times += 1
        if times % 2:
            site.redis.stop()
            await asyncio.sleep(1)
            site.redis.ensure()
        else:
            client = from_url(site.redis.url())  # type: ignore[no-untyped-call]  # redis leaves it untyped
            await client.flushall()
            await client.aclose()
            await asyncio.sleep(1)

    for _ in range(2):
        site.start(redis=True)
    # Also while they begin.
    await site.swept(meanwhile=take_away)
    return f"killed or flushed {times} times"


async def database_stopped(site: Site) -> str:
    times = 0

    async def stop_at_once() -> None:
        nonlocal times
        if times == 3:
            await asyncio.sleep(0.2)
            return
        await asyncio.sleep(site.chance.uniform(0.3, 1.0))
        # What `pg_ctl stop -m immediate` sends: as if the power had gone.
        postmaster = int((site.postgres.data / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGQUIT)
        # Not in a thread: the server is bound to the one that starts it, and would end with that.
        site.postgres.ensure()
        times += 1

    for _ in range(2):
        site.start()
    await site.until_cards(1)
    await site.swept(meanwhile=stop_at_once)
    return f"stopped {times} times"


async def wrong_clocks(site: Site) -> str:
    """By the library that is loaded before libc, as faketime does it; needs Linux and a C compiler."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "wrong_clock.so"
        argv = ["cc", "-shared", "-fPIC", "-o", str(library), str(_WRONG_CLOCK), "-ldl"]
        compiled = await asyncio.create_subprocess_exec(*argv)
        if await compiled.wait():
            raise RuntimeError("the library did not compile")
        for by, zone in ((TWO_DAYS, "Pacific/Kiritimati"), (-AN_HOUR, "America/New_York")):
            wrong = {"LD_PRELOAD": str(library), "WRONG_CLOCK": str(by), "TZ": zone}
            await _assert_wrong(by, wrong)
            site.start(redis=False, **wrong)
        await site.swept()
        # Time enough to card, by the wrong clock, what is due tomorrow.
        await asyncio.sleep(3)
    return "workers two days ahead and an hour back"


async def _assert_wrong(by: int, environment: dict[str, str]) -> None:
    """That a Python so started does have the wrong time."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import datetime; print(datetime.datetime.now().timestamp())",
        env=os.environ | environment, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    off = float(said) - time.time()
    if abs(off - by) > 60:
        raise RuntimeError(f"the clock is off by {off:.0f} s, not {by} s")


async def away(site: Site) -> str:
    """Nobody swept over month end and Spring Festival: the rows are of January 2025."""
    for _ in range(2):
        site.start()
    await site.swept()
    right = await site.ask("""
SELECT count(*) FROM card WHERE (level, effective_at) IN (
  ('yellow', TIMESTAMPTZ '2025-01-28 00:00+08'), ('red', TIMESTAMPTZ '2025-02-11 00:00+08'))""")
    wrong = await site.cards() - right
    if wrong:
        raise AssertionError(f"{wrong} cards of another moment")
    return f"each for its own day, {await site.locked()} months locked"


async def without_safeguards(site: Site) -> str:
    """The control: the same without locks, constraint and the record's key must issue cards twice."""
    await site.do("ALTER TABLE card DROP CONSTRAINT one_card_a_level")
    await site.do("ALTER TABLE record_entry DROP CONSTRAINT record_entry_pkey CASCADE")
    # Found as before, but no longer unique: without an index the doctor would read everything for each case.
    await site.do("CREATE INDEX ON record_entry (matter_id, seq)")
    for _ in range(4):
        site.start("tests.faults.without_locks")
    await site.swept()
    return "no constraint, no locks: must show doubles"


SCENARIOS = (
    Scenario("cards: SIGKILL at random, 4 workers", killed),
    Scenario("cards: 20 workers started at once", all_at_once),
    Scenario("cards: SIGSTOP past every timeout, then SIGCONT", stopped),
    Scenario("cards: Redis killed or flushed every second", redis_away),
    Scenario("cards: PostgreSQL stopped immediately", database_stopped),
    Scenario("cards: wrong clocks and time zones", wrong_clocks),
    Scenario("cards: down over month end and Spring Festival", away, filled="festival"),
    # The smaller county: the doctor is slow where everything stands twice.
    Scenario(
        "cards: control: safeguards taken away", without_safeguards, filled="festival", doubles=True
    ),
)
