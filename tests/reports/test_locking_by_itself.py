"""The worker and the command: months are locked by themselves, in order, once, and after any outage."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from python_calamine import CalamineWorkbook
from sqlalchemy import text
from structlog.testing import capture_logs
from typer.testing import CliRunner

from app.cards import appeals
from app.db import Database, snapshot, transaction
from app.doctor.examining import examine
from app.evaluation import manual_review, privacy_role
from app.evaluation.terms import HandReading
from app.reports import closing
from app.reports.months import HEARD, Month, due
from app.settings import settings
from qungong.cli import app
from qungong.dev import sample
from tests.cards import at
from tests.conftest import find_staff
from tests.reports.conftest import CLOSING_DAY, JUNE, VILLAGE, Books, fill, june
from tests.workers.conftest import Workers, until, workers
from workers.month_close import MonthEnds

__all__ = ["workers"]
_MONTHS = text("SELECT month, locked_at FROM month_end ORDER BY month")
_CARD = text("""
SELECT k.id FROM card k JOIN grievance c ON c.id = k.matter_id WHERE c.ref = :ref AND k.level = 'yellow'
""")
_REVOKED = text("SELECT count(*) FROM month_correction WHERE card_id = :card_id AND cause = 'card_revoked'")  # fmt: skip
_UNREAD = text("SELECT provider_message_id FROM surveys.reply WHERE effect = 'unclear'")
_READ = text("SELECT count(*) FROM surveys.satisfaction_correction WHERE reply_id = :reply_id")
_DIGESTS = text("SELECT month, digest FROM month_end ORDER BY month")
_DUE = text("UPDATE clock SET next_at = '2025-06-20' WHERE next_at IS NULL AND stage = 'judge' AND ended_at IS NOT NULL")  # fmt: skip
SEPTEMBER = Month(2025, 9).cutoff(CLOSING_DAY) + HEARD


@pytest_asyncio.fixture
async def empty_county(
    fresh_database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Database]:
    """A county of the test's own, in which nobody has told of anything."""
    assert redis_url
    monkeypatch.setenv("DATABASE_URL", fresh_database_url)
    settings.cache_clear()
    own = Database(fresh_database_url, pool_size=6)
    monkeypatch.setattr("app.db.transactions.database", lambda: own)
    await sample.load()
    yield own
    await own.close()
    settings.cache_clear()


@pytest_asyncio.fixture
async def county(empty_county: Database) -> Database:
    """The same with June 2025 in it."""
    async with transaction() as tx:
        await fill(Books(tx, find_staff))
    return empty_county


async def swept(until: datetime) -> None:
    async with transaction() as tx:
        await Books(tx, find_staff).swept(until)


async def months() -> list[str]:
    async with transaction() as tx:
        return [f"{row.month:%Y-%m}" for row in await tx.all(_MONTHS)]


async def test_worker_that_was_down_for_months_locks_them_all_in_order(county: Database) -> None:
    assert county is not None
    await swept(SEPTEMBER)
    work = MonthEnds()
    with at(SEPTEMBER):
        looks = [await work.step() for _ in range(4)]
    assert looks == [True, True, True, False]
    assert await months() == ["2025-06", "2025-07", "2025-08", "2025-09"]
    with at(SEPTEMBER + timedelta(minutes=1)):
        assert await work.step() is False
    async with snapshot(county) as tx:
        found = {one.invariant.name: one.offenders for one in await examine(tx)}
    wrong = {name for name, offenders in found.items() if offenders}
    # It is not 2025 any more, and no worker ran since; nor has anybody sent the texts.
    assert wrong <= {
        "months_are_kept_up",
        "nothing_left_waiting",
        "turn_comes",
        "notices_are_settled",
    }


async def test_months_locked_late_say_at_once_what_was_revoked_and_read_meanwhile(
    county: Database,
) -> None:
    """The worker was down from June to September; an appeal was decided and words were read after June's cut-off."""
    async with transaction() as tx:
        books = Books(tx, find_staff)
        case = await books.told(june(24))
        await books.swept(june(30, 23))
        [card] = await tx.all(_CARD, ref=case.ref)
        await appeals.appeal(tx, card.id, by=await books.who("gongnong"), ground="停电", now=june(1, month=7))  # fmt: skip
        await books.says(await books.solved(june(24), june(25)), "水又没了，哪里满意", june(26))
    async with transaction() as tx:
        inspector = await find_staff("ducha")
        await appeals.decide(tx, card.id, by=inspector, upheld=True, reason="属实", now=june(20, month=7))  # fmt: skip
        await privacy_role.enter(tx)
        reply, center = await tx.scalar(_UNREAD), await find_staff("zhihui")
        await manual_review.settle(tx, reply, HandReading.DISSATISFIED, ref=None, by=center, now=june(20, month=8))  # fmt: skip
    await swept(SEPTEMBER)
    work = MonthEnds()
    with at(SEPTEMBER):
        while await work.step():
            pass
    async with snapshot(county) as tx:
        found = {one.invariant.name: one.offenders for one in await examine(tx)}
    assert found["late_cards_are_followed"] == found["late_readings_are_followed"] == []
    assert found["locked_months_add_up"] == found["locked_months_verify"] == []
    async with transaction() as tx:
        assert await tx.scalar(_REVOKED, card_id=card.id) == 2, "the unit's figure and the person's"
        await privacy_role.enter(tx)
        assert await tx.scalar(_READ, reply_id=reply) == 2, "the unit's figure and the person's"


async def test_two_workers_at_once_lock_each_month_once(county: Database) -> None:
    assert county is not None
    await swept(SEPTEMBER)
    with at(SEPTEMBER), capture_logs() as logged:
        for _ in range(5):
            await asyncio.gather(*(MonthEnds().step() for _ in range(3)))
    assert not [one for one in logged if one["log_level"] == "error"]
    assert await months() == ["2025-06", "2025-07", "2025-08", "2025-09"]


async def test_worker_that_met_another_at_the_lock_looks_again_soon(
    county: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other may only have found that its month is locked already, and rest itself."""
    assert county is not None
    monkeypatch.setattr("workers.month_close._AGAIN_SECONDS", 0.0)
    await swept(SEPTEMBER)
    work = MonthEnds()
    with at(SEPTEMBER):
        async with transaction() as other:
            await closing.one_at_a_time(other, (await closing.counties(other))[0])
            assert await work.step() is False
            assert await months() == []
        while await work.step():
            pass
    assert await months() == ["2025-06", "2025-07", "2025-08", "2025-09"]


async def test_two_worker_processes_started_long_after_lock_what_is_over_once(
    empty_county: Database, workers: Workers
) -> None:
    """They sweep what ran out first, then lock; by the clock of the database, which nobody moves."""
    async with transaction() as tx:
        told = await tx.now() - timedelta(days=75)
        await Books(tx, find_staff).told(told)
        wanted = list(due(Month.of(told), await tx.now() - timedelta(minutes=1), CLOSING_DAY))
    for _ in range(2):
        await workers.start("deadlines", DATABASE_URL=settings().database_url)

    async def all_locked() -> bool:
        return await months() >= [str(month) for month in wanted]

    await until(all_locked)
    assert len(wanted) >= 1
    async with snapshot(empty_county) as tx:
        found = {one.invariant.name: one.offenders for one in await examine(tx, quick=True)}
    assert found["locked_months_verify"] == found["locked_months_add_up"] == []


async def test_it_waits_for_the_sweep_and_does_not_give_up(county: Database) -> None:
    assert county is not None
    async with transaction() as tx:
        assert await tx.execute(_DUE) > 0
    work = MonthEnds()
    with at(JUNE.cutoff(CLOSING_DAY) + HEARD):
        with capture_logs() as logged:
            assert await work.step() is False
        assert [one["log_level"] for one in logged] == ["info"]
        assert await months() == []
        async with transaction() as tx:
            await tx.execute(text("UPDATE clock SET next_at = NULL WHERE next_at = '2025-06-20'"))
        assert await work.step() is False, "it looks again soon, not at once"
        await MonthEnds().step()
    assert await months() == ["2025-06"]


async def test_command_gives_what_worker_gives_and_shows_locked_month_again(
    county: Database, tmp_path: Path
) -> None:
    assert county is not None
    await swept(datetime.now(SEPTEMBER.tzinfo))
    status, told = await _run("2025-07", "--json")
    assert status == 0
    assert await months() == ["2025-06", "2025-07"]
    async with transaction() as tx:
        before = [tuple(row) for row in await tx.all(_DIGESTS)]
    file = tmp_path / "六月.xlsx"
    status, told = await _run("2025-06", "--json", "--xlsx", str(file))
    june: dict[str, Any] = json.loads(told)
    village = next(one for one in june["units"] if one["unit_code"] == VILLAGE)
    assert (status, june["month"], village["counts"]["taken_in"]) == (0, "2025-06", 16)
    assert village["rates"]["satisfaction"] == {"numerator": 9, "denominator": 11, "percent": 81.8, "rank": 1}  # fmt: skip
    rows = CalamineWorkbook.from_path(file).get_sheet_by_name("各单位").to_python()
    assert [row[0] for row in rows[2:]] == [*(one["unit_code"] for one in june["units"]), ""]
    status, told = await _run("2025-06")
    assert status == 0
    assert "2025年6月" in told
    assert "工农茶叶产业社区居民委员会" in told
    assert "少于5件" in told
    status, told = await _run("2025-06", columns=80)
    assert (status, "…" in told) == (0, False)
    assert all(one in told for one in ("红牌", "81.8%", "少于5件"))
    status, told = await _run("2025-06", "--xlsx", str(tmp_path / "没有" / "六月.xlsx"))
    assert (status, "工作簿没有写成" in told) == (1, True), told
    async with transaction() as tx:
        assert [tuple(row) for row in await tx.all(_DIGESTS)] == before
    for month, said in (
        ("2099-01", "2099年02月10日"),
        ("2025-05", "还没有事件"),
        ("June", "2025-06"),
    ):
        status, told = await _run(month)
        assert (status, said in told) == (1, True), told


async def _run(*words: str, columns: int = 160) -> tuple[int, str]:
    # In a thread: the command runs a loop of its own.
    runner = CliRunner()
    done = await asyncio.to_thread(
        runner.invoke, app, ["month-end", *words], env={"COLUMNS": str(columns)}
    )
    return done.exit_code, done.stdout if done.exit_code == 0 else done.output
