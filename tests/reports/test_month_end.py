"""The month end itself: the same whenever and however often it runs, locked, chained, and corrected only beside itself."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from app.cards import appeals
from app.cases.actions import judging
from app.db import OWNER
from app.errors import NotFound, NothingChanged, NotPermitted
from app.evaluation import privacy_role
from app.reports import closing, correcting, reading, verification
from app.reports.closing import NotYet
from app.reports.formulas import Measure, RateName
from app.reports.months import HEARD, Month
from tests.reports.conftest import CLOSING_DAY, JUNE, VILLAGE, Books, june

JULY = Month(2025, 7)
_TABLES = (
    "month_figure", "month_sealed", "released_satisfaction", "surveys.month_satisfaction", "month_end",
)  # fmt: skip
_EVERYTHING = "SELECT to_jsonb(t) - 'id' - 'locked_at' - 'digest' AS row FROM {table} t ORDER BY to_jsonb(t) - 'id' - 'locked_at' - 'digest'"
_UNGUARDED = text("SET LOCAL session_replication_role = replica")
_CARD = text("SELECT k.id, k.effective_at FROM card k JOIN grievance c ON c.id = k.matter_id WHERE c.ref = :ref ORDER BY k.effective_at LIMIT 1")  # fmt: skip


async def everything(books: Books) -> list[Any]:
    return [
        [row.row for row in await books.tx.all(text(_EVERYTHING.format(table=table)))]
        for table in _TABLES
    ]


async def found(books: Books, wrong: Any) -> list[dict[str, Any]]:
    return [one async for _, some in wrong(books.tx) for one in some]


@pytest.fixture
async def year(books: Books) -> Books:
    """Something of everything in June: kept and missed limits, evaluations good, bad and missing, a card."""
    for number, says in enumerate(("满意", "基本满意", "不满意", None, "满意", "满意")):
        await books.solved(june(2 + number), june(3 + number, 16), says=says)
    late = await books.told(june(2))
    await books.does(judging.handle, late, june(2, 12), "gongnong")
    return books


async def test_run_late_it_gives_the_same_as_run_in_time(year: Books) -> None:
    told = []
    for late in (HEARD, timedelta(days=70)):
        await year.tx.execute(text("SAVEPOINT before"))
        if late > HEARD:
            # What happened meanwhile belongs to other months.
            await year.solved(june(3, month=7), june(4, month=7), says="不满意")
            await year.solved(june(12, month=7), june(14, month=7), says="满意")
        await year.locked(late=late)
        told.append(await everything(year))
        await year.tx.execute(text("ROLLBACK TO SAVEPOINT before"))
    assert told[0] == told[1]
    assert len(told[0][0]) == 2


async def test_of_few_who_answered_nothing_that_handling_units_can_read_depends_on_what_they_said(
    books: Books,
) -> None:
    """Two worlds, equal but for what four people said of the township; the tables of the public schema are the same."""
    worlds = []
    await privacy_role.enter(books.tx)
    for says in ("满意", "不满意"):
        await books.tx.execute(text("SAVEPOINT before"))
        for number in range(4):
            case = await books.told(june(9, 9 + number))
            await books.does(judging.escalate, case, june(10), "gongnong", finding="没有资质")
            await books.does(judging.handle, case, june(11), "guangshun")
            await books.answers(case, june(12), "guangshun")
            await books.asked(case, june(12), says)
        await books.locked()
        counted = await books.counts("500153003")
        worlds.append((await everything(books), counted.get(Measure.SATISFIED, 0)))
        await books.tx.execute(text("ROLLBACK TO SAVEPOINT before"))
    assert [satisfied for _, satisfied in worlds] == [4, 0]
    assert worlds[0][0][:3] == worlds[1][0][:3]
    assert worlds[0][0][3] != worlds[1][0][3]


async def test_run_twice_it_is_locked_once(year: Books) -> None:
    await year.locked()
    before = await everything(year)
    again = await closing.close_month(
        year.tx,
        await year.county_id(),
        JUNE,
        now=JUNE.cutoff(CLOSING_DAY) + timedelta(days=3),
        closing_day=CLOSING_DAY,
    )
    assert again is None
    assert await everything(year) == before


async def test_it_is_not_locked_while_a_limit_that_ran_out_may_still_earn_a_card(
    books: Books,
) -> None:
    await books.told(june(2))
    with pytest.raises(NotYet, match="巡查"):
        await closing.close_month(
            books.tx,
            await books.county_id(),
            JUNE,
            now=JUNE.cutoff(CLOSING_DAY) + HEARD,
            closing_day=CLOSING_DAY,
        )


async def test_months_are_locked_in_order_and_not_before_their_cutoff(year: Books) -> None:
    county_id, tx = await year.county_id(), year.tx

    async def through(month: Month, late: timedelta) -> list[Month]:
        now = month.cutoff(CLOSING_DAY) + late
        return await closing.months_through(tx, county_id, month, now=now, closing_day=CLOSING_DAY)

    await year.locked()
    assert await through(JUNE, HEARD) == []
    assert await through(Month(2025, 9), HEARD) == [JULY, Month(2025, 8), Month(2025, 9)]
    with pytest.raises(NotYet, match="2025年08月10日"):
        await through(JULY, timedelta())


@pytest.mark.parametrize(
    "statement",
    [
        f"{statement} {table}{what}"
        for table in (*_TABLES, "month_correction", "surveys.satisfaction_correction", "surveys.exclusion")
        for statement, what in (("UPDATE", " SET county_id = county_id"), ("DELETE FROM", ""), ("TRUNCATE", ""))
        if not (table == "surveys.exclusion" and statement == "UPDATE")
    ],
)  # fmt: skip
async def test_the_database_refuses_to_change_a_locked_month(year: Books, statement: str) -> None:
    # TRUNCATE fires always; the others where there is a row, so each table gets one.
    await year.locked()
    await correct_something(year)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await year.tx.execute(text(statement))


async def correct_something(books: Books) -> None:
    """A row in every table: an exclusion, and a correction of work and of evaluations."""
    await books.tx.act_as(OWNER)
    await books.tx.execute(_UNGUARDED)
    await books.tx.execute(
        text("""INSERT INTO surveys.exclusion (survey_id, reason_sealed, decided_by_staff_id, decided_at)
        SELECT survey_id, '', (SELECT min(id) FROM staff), '2025-06-20' FROM surveys.answer WHERE value = 'dissatisfied'
        ON CONFLICT DO NOTHING""")
    )  # fmt: skip
    await books.tx.execute(
        text("UPDATE grievance SET first_unit_id = holder_unit_id + 1 WHERE received_at < '2025-06-03'")
    )  # fmt: skip
    await books.tx.execute(
        text("INSERT INTO month_sealed VALUES (1, '2025-06-01', (SELECT min(id) FROM unit), 1, 1)")
    )
    await books.tx.execute(
        text("INSERT INTO released_satisfaction VALUES ((SELECT min(id) FROM unit), '2025-06-01', 1, false, 5, 'exact', 3)")
    )  # fmt: skip
    inspector, now = await books.who("ducha"), JUNE.cutoff(CLOSING_DAY) + timedelta(days=5)
    await correcting.recount(books.tx, JUNE, by=inspector, reason="记录有变", now=now)
    await books.tx.flush()
    await books.tx.act_as(OWNER)
    await books.tx.execute(text("SET LOCAL session_replication_role = origin"))


async def test_what_is_altered_past_every_guard_is_named(year: Books) -> None:
    for number in range(6):  # so that something is released
        await year.solved(june(10 + number), june(11 + number, 16), says="满意")
    await year.locked()
    await year.locked(JULY)
    assert await found(year, verification.altered) == []
    await year.tx.act_as(OWNER)
    await year.tx.execute(_UNGUARDED)
    harms: Sequence[tuple[str, int]] = (
        ("UPDATE month_figure SET handling_in_time = handling_due WHERE month = '2025-06-01'", 6),
        ("UPDATE surveys.month_satisfaction SET satisfied = 0 WHERE month = '2025-06-01'", 6),
        ("DELETE FROM released_satisfaction WHERE month = '2025-06-01'", 6),
        ("UPDATE month_end SET cutoff_at = cutoff_at - interval '1 day' WHERE month = '2025-06-01'", 6),
        ("INSERT INTO month_sealed VALUES (1, '2025-07-01', (SELECT min(id) FROM unit), 1, 1)", 7),
        ("DELETE FROM month_end WHERE month = '2025-06-01'", 7),
    )  # fmt: skip
    for harm, month in harms:
        await year.tx.act_as(OWNER)
        await year.tx.execute(text("SAVEPOINT before"))
        assert await year.tx.execute(text(harm)) > 0, harm
        named = await found(year, verification.altered)
        assert {one["month"].month for one in named} == {month}, harm
        await year.tx.execute(text("ROLLBACK TO SAVEPOINT before"))


async def test_a_card_revoked_after_the_cutoff_corrects_its_month_and_leaves_the_locked_figure(
    year: Books,
) -> None:
    tx, county_id = year.tx, await year.county_id()
    late = await year.told(june(24))
    await year.swept(june(30, 23))
    card = (await tx.all(_CARD, ref=late.ref))[0]
    await appeals.appeal(tx, card.id, by=await year.who("gongnong"), ground="停电", now=june(1, month=7))  # fmt: skip
    await tx.flush()
    await year.locked()
    before = await everything(year)
    cards = (await year.counts(VILLAGE))[Measure.YELLOW_NET]
    now = JUNE.cutoff(CLOSING_DAY) + timedelta(days=2)
    assert await correcting.follow_cards(tx, county_id, now=now) == 0
    await appeals.decide(
        tx, card.id, by=await year.who("ducha"), upheld=True, reason="属实", now=now
    )
    await tx.flush()
    for followed in (1, 0):
        assert await correcting.follow_cards(tx, county_id, now=now) == followed
        await tx.flush()
    assert await everything(year) == before
    counts = await year.counts(VILLAGE)
    assert counts.get(Measure.YELLOW_NET, 0) == cards - 1
    assert counts[Measure.YELLOW] == cards
    person = await year.counts(VILLAGE, "陈桂芳")
    assert person[Measure.YELLOW] - person.get(Measure.YELLOW_NET, 0) == 1
    listed = await reading.corrections(tx, county_id, JUNE, JUNE, evaluations=True)
    assert [(one.measure, (one.old or 0) - (one.new or 0), one.by_name) for one in listed] == [("yellow_net", 1, "贺敏")] * 2  # fmt: skip
    assert await found(year, verification.miscounted) == []
    assert await found(year, verification.altered) == []


async def test_a_recount_records_what_the_record_says_now_and_nobody_sets_a_figure(
    year: Books,
) -> None:
    tx, inspector = year.tx, await year.who("ducha")
    now = JUNE.cutoff(CLOSING_DAY) + timedelta(days=5)
    with pytest.raises(NotFound):
        await correcting.recount(tx, JUNE, by=inspector, reason="先于月结", now=now)
    await year.locked()
    released = (await everything(year))[2]
    with pytest.raises(NothingChanged):
        await correcting.recount(tx, JUNE, by=inspector, reason="没有变化", now=now)
    for account in ("zhihui", "lingdao", "gongnong"):
        with pytest.raises(NotPermitted):
            await correcting.recount(tx, JUNE, by=await year.who(account), reason="想改", now=now)
    before = await everything(year)
    # As a changed calendar does, and an answer that turns out not to count.
    await tx.act_as(OWNER)
    await tx.execute(_UNGUARDED)
    await tx.execute(
        text("UPDATE clock SET due_at = '2025-06-01' WHERE stage = 'judge' AND started_at BETWEEN '2025-06-01' AND '2025-06-04'")
    )  # fmt: skip
    await tx.execute(text("DELETE FROM surveys.answer WHERE value = 'dissatisfied'"))
    wrong = {one["measure"] for one in await found(year, verification.miscounted)}
    assert wrong == {"response_in_time", "evaluated"}
    done = await correcting.recount(tx, JUNE, by=inspector, reason="日历补录", now=now)
    await tx.flush()
    assert done == 3
    assert await everything(year) == before
    assert (await everything(year))[2] == released
    assert await found(year, verification.miscounted) == []
    assert await found(year, verification.altered) == []
    listed = await reading.corrections(tx, await year.county_id(), JUNE, JUNE, evaluations=True)
    assert {(one.reason, one.by_name) for one in listed} == {("日历补录", "贺敏")}
    assert (await year.counts(VILLAGE))[Measure.EVALUATED] == 4
    await tx.act_as(OWNER)
    await tx.execute(text("UPDATE month_correction SET new = new + 1 WHERE seq = 1"))
    assert [one["correction"] for one in await found(year, verification.altered)] == [1]


async def test_no_report_of_the_county_tells_of_few_by_what_is_left_of_its_total(
    books: Books,
) -> None:
    for number in range(5):
        await books.solved(june(2 + number), june(3 + number, 16), says="满意")
    for number in range(2):
        await books.solved(june(9 + number), june(10 + number), by="ronglong", says="不满意")
    await books.locked()
    report = await books.report()
    assert report.total[Measure.SATISFIED] == 5
    assert report.total_untold == frozenset()
    inspector = await books.who("ducha")
    own = await reading.unit(books.tx, VILLAGE, JUNE, JUNE, by=inspector)
    # Else the two would be what is left, also by the unit's own page; and its one person is all of it.
    for one in [*report.units, *report.people, *own.units, *own.people]:
        told = {share.rate.name: share.told for share in one.shares}
        assert one.untold >= {Measure.SATISFIED, Measure.BASICALLY_SATISFIED}
        assert told[RateName.SATISFACTION] == ("不单列" if one.unit_code == VILLAGE else "少于5件")
    # With three of another township's, what is left is of five.
    for number in range(3):
        await books.solved(june(12 + number), june(13 + number), by="guangshun", says="满意")
    at = june(12, month=7)
    assert await correcting.recount(books.tx, JUNE, by=inspector, reason="补记", now=at) > 0
    await books.tx.flush()
    units = {one.unit_code: one for one in (await books.report()).units}
    assert units[VILLAGE].untold == frozenset()
