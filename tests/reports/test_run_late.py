"""A month is what was known at its cut-off: what is done after it changes no figure, locked in time or long after."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import text

from app.cases.actions import judging
from app.reports import correcting, reading, verification
from app.reports.chain import correction_digest
from app.reports.formulas import Measure
from app.surveys import confidential, unread
from app.surveys.terms import HandReading
from tests.reports.conftest import (
    CLOSING_DAY,
    JUNE,
    VILLAGE,
    Books,
    exclude,
    june,
)
from tests.reports.test_counting import CADRE
from tests.reports.test_month_end import everything, found

HEIR = "500153003008"
CUTOFF = JUNE.cutoff(CLOSING_DAY)
UNREADABLE = "水又没了，哪里满意"
_POST_ENDS = text("UPDATE post SET valid_to = :on WHERE staff_id = :staff_id")
_LEAVES = text("UPDATE staff SET active = false WHERE id = :staff_id")
_UNREAD = text("SELECT provider_message_id AS id FROM surveys.reply WHERE effect = 'unclear'")
_RECEIVED = text("""
UPDATE surveys.reply r SET received_at = :at FROM surveys.survey s WHERE s.id = r.survey_id AND s.case_id = :case_id""")
_SEALED = text("SELECT u.code, s.taken_in FROM month_sealed s JOIN unit u ON u.id = s.unit_id")
Acts = Callable[[], Awaitable[Any]]


def july(day: int, hour: int = 10) -> datetime:
    return june(day, hour, month=7)


async def same_whenever_locked(books: Books, acts: Acts) -> list[Any]:
    """Locked in time, then the acts, and nobody finds that it does not add up; the acts, then locked: the same."""
    await confidential.enter(books.tx)
    await books.swept(CUTOFF)
    await books.tx.execute(text("SAVEPOINT before"))
    await books.locked()
    in_time = await everything(books)
    await acts()
    await books.tx.flush()
    assert await found(books, verification.miscounted) == []
    assert await everything(books) == in_time
    await books.tx.execute(text("ROLLBACK TO SAVEPOINT before"))
    await confidential.enter(books.tx)
    await acts()
    await books.locked_late()
    assert await everything(books) == in_time
    assert await found(books, verification.miscounted) == []
    return in_time


async def test_words_that_are_read_after_the_cutoff_change_nothing_that_was_locked(
    books: Books,
) -> None:
    """One puts right what they said, another answers; neither could be read by the system."""
    for number in range(4):
        await books.solved(june(2 + number), june(3 + number, 16), says="满意")
    case = await books.solved(june(20), june(20, 16), says="满意")
    await books.says(case, UNREADABLE, june(21, 9))
    other = await books.solved(june(12), june(13))
    await books.says(other, UNREADABLE, june(14, 9))

    async def read() -> None:
        for row in await books.tx.all(_UNREAD):
            by, now = await books.who("zhihui"), CUTOFF + timedelta(hours=9)
            await unread.settle(books.tx, row.id, HandReading.DISSATISFIED, ref=None, by=by, now=now)  # fmt: skip
            await books.tx.flush()

    in_time = await same_whenever_locked(books, read)
    assert [row["evaluated"] for row in in_time[2]] == [5]
    assert await evaluations(books) == [6, 5, 5]
    # What they said in time is not lost either: it stands beside the month, once, with who read it.
    for followed in (2, 0):
        assert await correcting.follow_readings(books.tx, await books.county_id(), now=july(12)) == followed  # fmt: skip
        await books.tx.flush()
        assert await evaluations(books) == [6, 6, 4]
        assert await evaluations(books, CADRE) == [6, 6, 4]
        assert await everything(books) == in_time
        for wrong in (verification.miscounted, verification.altered):
            assert await found(books, wrong) == []
    listed = await reading.corrections(books.tx, await books.county_id(), JUNE, JUNE, evaluations=True)  # fmt: skip
    told = {(one.cause, one.measure, one.new - one.old, one.by_name) for one in listed}
    assert told == {("answer_read", "evaluated", 1, "罗晓燕"), ("answer_read", "satisfied", -1, "罗晓燕")}  # fmt: skip


async def evaluations(books: Books, person: str | None = None) -> list[int]:
    counts = await books.counts(VILLAGE, person)
    return [counts.get(one, 0) for one in (Measure.ASKED, Measure.EVALUATED, Measure.SATISFIED)]


async def test_words_that_are_read_late_correct_nothing_where_they_do_not_count(
    books: Books,
) -> None:
    """Excluded before the cut-off; received after it; or the same as was said before."""
    excluded = await books.solved(june(2), june(3, 16), says="不满意")
    await exclude(books, excluded)
    # As somebody's who wrote within the day and was not read.
    await books.says(excluded, UNREADABLE, june(4, 9))
    same = await books.solved(june(4), june(5, 16), says="满意")
    await books.says(same, UNREADABLE, june(6, 9))
    late = await books.solved(june(6), june(7, 16))
    await books.says(late, UNREADABLE, june(8, 9))
    await books.locked()
    await confidential.enter(books.tx)
    for row in await books.tx.all(_UNREAD):
        by = await books.who("zhihui")
        await unread.settle(books.tx, row.id, HandReading.SATISFIED, ref=None, by=by, now=CUTOFF)
        await books.tx.flush()
    await books.tx.execute(_RECEIVED, at=CUTOFF, case_id=late.id)
    assert await correcting.follow_readings(books.tx, await books.county_id(), now=july(12)) == 0


async def test_what_was_released_stays_right_when_the_township_is_carried_on(books: Books) -> None:
    """Its few and the village's were told together: with whom stays as it was."""
    for number in range(3):
        await books.solved(june(2 + number), june(3 + number, 16), says="满意")
    for number in range(2):
        case = await books.told(june(9 + number))
        await books.does(judging.escalate, case, june(10 + number), "gongnong", finding="没有资质")
        await books.does(judging.handle, case, june(11 + number), "guangshun")
        await books.answers(case, june(12 + number), "guangshun")
        await books.asked(case, june(12 + number), "不满意")
    await books.locked()
    assert [row["joined"] for row in (await everything(books))[2]] == [True, True]
    assert await found(books, verification.released_otherwise) == []
    await books.ends("500153003", "500153005", july(20))
    assert await found(books, verification.released_otherwise) == []
    assert await found(books, verification.altered) == []


def test_corrections_made_before_there_were_late_readings_keep_their_digests() -> None:
    fields = ["seq", "measure", "old", "new"]
    said = SimpleNamespace(seq=1, measure=Measure.EVALUATED, old=5, new=4, reply_id=None)
    before = correction_digest(said, b"", fields)
    assert correction_digest(said, b"", [*fields, "reply_id"]) == before
    said.reply_id = "SM1"
    assert correction_digest(said, b"", [*fields, "reply_id"]) != before


async def test_an_answer_that_was_put_right_before_the_cutoff_counts_as_it_was_put_right(
    books: Books,
) -> None:
    case = await books.solved(june(2), june(3, 16), says="满意")
    await books.says(case, "不满意", june(4, 9))
    await books.says(case, "基本满意", june(4, 10))
    await books.locked()
    counts = await books.counts(VILLAGE)
    told = [counts.get(one, 0) for one in (Measure.EVALUATED, Measure.SATISFIED, Measure.BASICALLY_SATISFIED)]  # fmt: skip
    assert told == [1, 0, 1]
