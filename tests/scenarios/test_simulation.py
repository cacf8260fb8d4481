"""An invented year of the sample county: the same again from the same seed, and nothing in it that must not be."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from random import Random
from statistics import median
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from app import heartbeats
from app.calendars.reading import calendar_of
from app.cases.lifecycle import Phase
from app.clock import SHANGHAI
from app.db import Transaction, database, snapshot, transaction
from app.doctor.examining import Finding, examine
from app.evaluation import privacy_role
from app.kinds import verification
from app.reports import closing, reading
from app.reports.formulas import Measure
from app.settings import settings
from qungong.dev import sample
from qungong.dev.simulation import distributions, people, planning, summary
from qungong.dev.simulation.playing import CannotSimulate, simulate
from qungong.dev.simulation.summary import Summary
from qungong.dev.simulation.wording import wording
from tests.services import Addresses, database_copy
from workers import month_close

YEAR = 2025
CASES = 40
# What was done by which unit and when, to what kind of case, and how it ended.
_STEPS = text("""
SELECT e.action, u.code, CAST(e.at AS text) AS at, g.kind, coalesce(g.outcome, '') AS outcome, g.phase, g.round
FROM record_entry e JOIN grievance g ON g.id = e.matter_id LEFT JOIN unit u ON u.id = e.unit_id
ORDER BY e.at, e.action, u.code NULLS FIRST, g.kind, g.received_at
""")
_CARDS = text("""
SELECT u.code, c.level, c.stage, count(*) AS cards FROM card c JOIN unit u ON u.id = c.unit_id
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""")
_EVALUATIONS = text("""
SELECT a.value, a.channel, CAST(a.answered_at AS text) AS at FROM surveys.answer a ORDER BY a.answered_at, a.value
""")
_PHASES = text("SELECT DISTINCT e.phase FROM (SELECT CAST(body AS json) #>> '{after,case,phase}' AS phase FROM record_entry) e")  # fmt: skip
_FINISHED = text("SELECT phase, count(*) AS cases FROM grievance GROUP BY phase")
_TO_BE_SENT = text("SELECT count(*) FROM outbox_message WHERE state NOT IN ('delivered', 'done')")
_SUMMED = (
    Measure.TAKEN_IN, Measure.GIVEN, Measure.ANSWERED, Measure.ASSISTED, Measure.RETURNED, Measure.REWORKED, Measure.YELLOW, Measure.RED,
    Measure.ASKED, Measure.EVALUATED,
)  # fmt: skip
_ON_RECORD = text("""
WITH c AS (SELECT * FROM grievance WHERE NOT sealed),
  part AS (SELECT a.* FROM assignment a JOIN c ON c.id = a.matter_id),
  entry AS (SELECT e.* FROM record_entry e JOIN c ON c.id = e.matter_id WHERE e.at < :until),
  asked AS (SELECT s.id FROM surveys.survey s JOIN c ON c.id = s.matter_id WHERE s.window_ends_at < :until)
SELECT (SELECT count(*) FROM c),
  (SELECT count(*) FROM part WHERE role = 'lead' AND assigned_at < :until),
  (SELECT count(*) FROM entry WHERE action = 'answer'), (SELECT count(*) FROM entry WHERE action = 'assist_answer'),
  (SELECT count(*) FROM entry WHERE action = 'send_down')
    + (SELECT count(*) FROM part WHERE state = 'handed_back' AND done_at < :until),
  (SELECT count(*) FROM entry WHERE action = 'rework'),
  (SELECT count(*) FROM card k JOIN c ON c.id = k.matter_id WHERE k.level = 'yellow' AND k.effective_at < :until),
  (SELECT count(*) FROM card k JOIN c ON c.id = k.matter_id WHERE k.level = 'red' AND k.effective_at < :until),
  (SELECT count(*) FROM asked), (SELECT count(*) FROM surveys.answer a JOIN asked ON asked.id = a.survey_id WHERE a.answered_at < :cutoff)
""")
_MONTHS = text("SELECT count(DISTINCT date_trunc('month', received_at)) FROM grievance")


@asynccontextmanager
async def at(url: str) -> AsyncIterator[None]:
    """The application at another database for a while, with the sample county in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url)
        settings.cache_clear()
        database.cache_clear()
        try:
            await sample.load()
            yield
        finally:
            await database().close()
    settings.cache_clear()
    database.cache_clear()


@pytest.fixture
def another_database_url(addresses: Addresses, worker_number: int) -> Iterator[str]:
    yield from database_copy(addresses, f"simulated{worker_number}")


async def digest(tx: Transaction) -> str:
    await privacy_role.enter(tx)
    rows = [tuple(row) for one in (_STEPS, _CARDS, _EVALUATIONS) for row in await tx.all(one)]
    return sha256(repr(rows).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Counted:
    """What all locked months add up to, and what there is on record; nothing sealed in either."""

    locked: tuple[int, ...]
    on_record: tuple[int, ...]
    wrong: list[Finding]


async def every_month_counted() -> Counted:
    """Each month locked; what counts twice or in no month shows in the sums."""
    async with month_close.at_length() as on:
        async with transaction(on) as tx:
            county_id, now = await closing.county_of(tx, None), await tx.now()
            months = await closing.open_months(tx, county_id, now=now, closing_day=10)
            for month in months:
                await closing.close_month(tx, county_id, month, now=now, closing_day=10)
            told = await reading.county(
                tx, county_id, months[0], months[-1], evaluations=True, people=False
            )
            on_record = (await tx.all(_ON_RECORD, until=months[-1].ends, cutoff=now))[0]
        async with snapshot(on) as tx:
            findings = await examine(tx, quick=True)
    sums = tuple(told.total[one] for one in _SUMMED)
    return Counted(sums, tuple(on_record), [one for one in findings if not one.holds])


def assert_told(told: Summary, finished: dict[str, int], cards: Sequence[Any]) -> None:
    """What whoever had it simulated is told is what there is; played out, the answers take as long as they were drawn to."""
    assert told.cases == finished
    assert told.yellow + told.red == sum(row.cards for row in cards) > 0
    assert told.carded_units == len({row.code for row in cards})
    assert told.median == pytest.approx(distributions.MEDIAN_DAYS, rel=0.15)
    assert told.over_41 == pytest.approx(distributions.OVER_41_DAYS, abs=0.05)
    assert told.over_15 == pytest.approx(0.38, abs=0.08)


async def test_year_holds_every_phase_breaks_nothing_and_comes_again_from_its_seed(
    redis_url: str, fresh_database_url: str, another_database_url: str
) -> None:
    assert redis_url
    async with at(fresh_database_url):
        done = await simulate(CASES, seed=1, year=YEAR)
        async with snapshot(database()) as tx:
            first = await digest(tx)
            phases = {row.phase for row in await tx.all(_PHASES)} - {None}
            finished = {row.phase: row.cases for row in await tx.all(_FINISHED)}
            faults = [fault async for _, found in verification.verify(tx) for fault in found]
            findings = await examine(tx)
            to_be_sent = await tx.scalar(_TO_BE_SENT)
            months = await tx.scalar(_MONTHS)
            told = await summary.of_year(tx, YEAR)
            cards = await tx.all(_CARDS)
        counted = await every_month_counted()
    async with at(another_database_url):
        await simulate(CASES, seed=1, year=YEAR)
        async with transaction() as tx:
            again = await digest(tx)
    assert (done.cases, done.ended) == (CASES, CASES)
    assert phases == set(Phase)
    assert finished["closed"] >= CASES * 0.7
    assert sum(finished.values()) == CASES
    assert_told(told, finished, cards)
    assert months >= 11
    assert counted.locked == counted.on_record
    assert counted.wrong == []
    assert faults == []
    assert [one for one in findings if not one.holds] == []
    assert to_be_sent == 0
    assert again == first


async def test_interrupted_year_says_how_far_it_came_and_leaves_nothing_undone(
    redis_url: str, fresh_database_url: str
) -> None:
    assert redis_url
    steps = count(1)
    async with at(fresh_database_url):
        done = await simulate(CASES, seed=1, year=YEAR, stopped=lambda: next(steps) >= 100)
        async with transaction() as tx:
            to_be_sent = await tx.scalar(_TO_BE_SENT)
        async with snapshot(database()) as tx:
            findings = await examine(tx)
    assert (done.interrupted, done.steps) == (True, 100)
    assert 0 < done.ended < CASES
    assert to_be_sent == 0
    assert [one for one in findings if not one.holds] == []


async def test_year_is_not_played_while_workers_run(
    redis_url: str, fresh_database_url: str
) -> None:
    assert redis_url
    async with at(fresh_database_url):
        async with transaction() as tx:
            await heartbeats.beat(tx, uuid4(), "deadlines")
        with pytest.raises(CannotSimulate, match="后台进程"):
            await simulate(1, seed=1, year=YEAR)


async def test_year_is_not_played_into_peoples_own_data(
    county: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert county is None
    real = {
        "ENVIRONMENT": "production",
        "SECRET_KEY": "its-own",
        "TWILIO_AUTH_TOKEN": "its-own",
        "MEDIA_URL": "file:///srv/qungong/media",
    }
    for name, value in real.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    with pytest.raises(CannotSimulate, match="生产环境"):
        await simulate(1, seed=1, year=YEAR)
    monkeypatch.undo()
    settings.cache_clear()


async def test_another_seed_is_another_year(tx: Transaction) -> None:
    await people.staff_every_desk(tx, wording().names, Random(0))  # noqa: S311 - invented people
    found = await people.read(tx)
    one, same, other = (
        [
            (plan.told_at, plan.channel, plan.fate, plan.topic.category, plan.days)
            for plan in planning.plan_year(CASES, YEAR, found, wording(), seed=seed)
        ]
        for seed in (1, 1, 2)
    )
    assert len(one) == CASES
    assert one == same != other


def test_answers_take_as_long_as_in_the_public_data_set() -> None:
    days = distributions.answer_days(3675)
    assert median(days) == pytest.approx(11, abs=0.05)
    assert sum(one > 41 for one in days) / len(days) == pytest.approx(0.10, abs=0.002)
    assert sum(one > 15 for one in days) / len(days) == pytest.approx(0.38, abs=0.005)


async def test_people_report_less_when_the_offices_are_closed(tx: Transaction) -> None:
    found = await people.read(tx)
    calendar = await calendar_of(tx, found.id)
    told = distributions.moments_told(3675, YEAR, calendar, Random(1))  # noqa: S311 - an invented year
    worked = [calendar.works(one.astimezone(SHANGHAI).date()) for one in told]
    days_off = sum(
        not calendar.works(day) for day in {one.astimezone(SHANGHAI).date() for one in told}
    )
    assert len(told) == 3675
    assert all(one.astimezone(SHANGHAI).year == YEAR for one in told)
    assert 0 < worked.count(False) / days_off < worked.count(True) / (365 - days_off) / 3
