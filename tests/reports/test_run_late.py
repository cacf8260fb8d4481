"""A month is what was known at its cut-off: what is done after it changes no figure, locked in time or long after."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from app.cards import appeals
from app.cases.actions import closing as archiving
from app.cases.actions import dispatching, handling, judging
from app.db import OWNER
from app.directory.terms import UnitKind
from app.evaluation import manual_review, privacy_role
from app.evaluation.terms import HandReading
from app.limits.terms import Kind
from app.reports import correcting, reading, satisfaction, verification
from app.reports.chain import correction_digest
from app.reports.formulas import Measure
from tests.reports.conftest import (
    ASSISTANT,
    CLOSING_DAY,
    JUNE,
    LEAD,
    VILLAGE,
    Books,
    exclude,
    june,
)
from tests.reports.happening import County
from tests.reports.test_counting import CADRE, dispatched
from tests.reports.test_month_end import everything, found
from tests.units import founded

HEIR = "500153003008"
CUTOFF = JUNE.cutoff(CLOSING_DAY)
UNREADABLE = "水又没了，哪里满意"
_POST_ENDS = text("UPDATE post SET valid_to = :on WHERE staff_id = :staff_id")
_LEAVES = text("UPDATE staff SET active = false WHERE id = :staff_id")
_UNREAD = text("SELECT provider_message_id AS id FROM surveys.reply WHERE effect = 'unclear' AND handled_at IS NULL ORDER BY received_at")  # fmt: skip
_RECEIVED = text("""
UPDATE surveys.reply r SET received_at = :at FROM surveys.survey s WHERE s.id = r.survey_id AND s.matter_id = :matter_id""")
_SEALED = text("SELECT u.code, s.taken_in FROM month_sealed s JOIN unit u ON u.id = s.unit_id")
Acts = Callable[[], Awaitable[Any]]


def july(day: int, hour: int = 10) -> datetime:
    return june(day, hour, month=7)


async def same_whenever_locked(books: Books, acts: Acts) -> list[Any]:
    """Locked in time, then the acts, and nobody finds that it does not add up; the acts, then locked: the same."""
    await privacy_role.enter(books.tx)
    await books.swept(CUTOFF)
    await books.tx.execute(text("SAVEPOINT before"))
    await books.locked()
    in_time = await everything(books)
    await acts()
    await books.tx.flush()
    assert await found(books, verification.miscounted) == []
    assert await everything(books) == in_time
    await books.tx.execute(text("ROLLBACK TO SAVEPOINT before"))
    await privacy_role.enter(books.tx)
    await acts()
    await books.locked_late()
    assert await everything(books) == in_time
    assert await found(books, verification.miscounted) == []
    return in_time


async def test_what_unit_had_at_cutoff_stays_its_own_when_another_carries_on(
    books: Books,
) -> None:
    late = await books.told(june(2))
    await books.does(judging.handle, late, june(2, 12), "gongnong")
    await books.told(june(25))
    await same_whenever_locked(books, lambda: books.ends(VILLAGE, HEIR, july(20)))
    counts = await books.counts(VILLAGE)
    assert [counts.get(one, 0) for one in (Measure.GIVEN, Measure.PENDING, Measure.HANDLING_DUE)] == [1, 1, 1]  # fmt: skip
    assert (await books.counts(VILLAGE, CADRE))[Measure.HANDLING_DUE] == 1
    assert await books.counts(HEIR) == {}


async def test_unit_that_ends_twice_over_and_before_cutoff_is_known_by_who_had_it_then(
    books: Books,
) -> None:
    await dispatched(books, told=20)
    await books.ends(LEAD, "500153005", july(5))
    await same_whenever_locked(books, lambda: books.ends("500153005", "500153003", july(25)))
    assert (await books.counts("500153005"))[Measure.PENDING] == 1
    assert (await books.counts("500153003")).get(Measure.PENDING, 0) == 0


async def test_who_signs_after_the_cutoff_had_not_taken_it_on_in_the_month(books: Books) -> None:
    case = await dispatched(books, told=24)

    async def signed() -> None:
        await books.does(handling.sign, case, july(12), "ronglong")
        await books.does(handling.sign, case, july(12), "shuiwu")

    await same_whenever_locked(books, signed)
    assert (await books.counts(LEAD))[Measure.PENDING] == 1
    assert await books.counts(LEAD, "刘德荣") == {}


async def test_who_answers_after_cutoff_what_was_missed_in_month_is_not_named_for_it(
    books: Books,
) -> None:
    case = await dispatched(books)

    async def answered() -> None:
        for account in ("ronglong", "shuiwu"):
            await books.does(handling.sign, case, july(12), account)
        await books.does(handling.assist_answer, case, july(13), "shuiwu", answer="管网已修复")
        await books.answers(case, july(14), "ronglong")

    await same_whenever_locked(books, answered)
    for code, measure, person in (
        (LEAD, Measure.HANDLING_DUE, "刘德荣"),
        (ASSISTANT, Measure.ASSIST_DUE, "吴清泉"),
    ):
        assert (await books.counts(code))[measure] == 1
        assert await books.counts(code, person) == {}


async def test_who_signed_before_the_cutoff_is_named(books: Books) -> None:
    case = await dispatched(books, told=16)
    for account in ("ronglong", "shuiwu"):
        await books.does(handling.sign, case, july(9), account)
    await books.locked()
    assert (await books.counts(LEAD, "刘德荣"))[Measure.PENDING] == 1
    assert (await books.counts(ASSISTANT, "吴清泉"))[Measure.ASSIST_DUE] == 1


async def test_what_is_done_with_a_case_after_the_cutoff_is_not_in_the_month(books: Books) -> None:
    """Handed back, merged, withdrawn, done again, its card revoked; who did it has left."""
    back, joined = await dispatched(books), await dispatched(books, told=20)
    gone = await books.told(june(24))
    again = await books.solved(june(2), june(3), says="不满意")
    await books.swept(june(30, 23))
    [card] = await books.tx.all(text("SELECT k.id FROM card k WHERE k.matter_id = :id"), id=gone.id)
    await appeals.appeal(books.tx, card.id, by=await books.who("gongnong"), ground="停电", now=july(1))  # fmt: skip
    await books.does(handling.hand_back, back, june(4, 12), "ronglong", reason="不在本镇")

    async def acts() -> None:
        await books.does(dispatching.settle, back, july(11), "zhihui", unit_code=LEAD, agreed=True, reason="属实")  # fmt: skip
        await books.does(judging.handle, gone, july(11), "gongnong")
        await books.does(dispatching.merge, joined, july(12), "zhihui", primary_ref=gone.ref, reason="同一件事")  # fmt: skip
        await books.does(
            archiving.rework, again, july(13), "zhihui", found_valid=True, reason="又不亮了"
        )
        await appeals.decide(books.tx, card.id, by=await books.who("ducha"), upheld=True, reason="属实", now=july(13))  # fmt: skip
        for account in ("gongnong", "ronglong"):
            left = (await books.who(account)).staff_id
            await books.tx.execute(_POST_ENDS, staff_id=left, on=july(14).date())
            await books.tx.execute(_LEAVES, staff_id=left)

    await same_whenever_locked(books, acts)


async def test_who_held_an_accusation_at_the_cutoff_has_it_in_its_figures(books: Books) -> None:
    await books.told(june(2), kind=Kind.ACCUSATION)
    then, heir = [await founded(books.tx, UnitKind.DISCIPLINE, "500153") for _ in range(2)]
    await books.ends("500153JW", then, july(5))
    await same_whenever_locked(books, lambda: books.ends(then, heir, july(20)))
    assert [tuple(row) for row in await books.tx.all(_SEALED)] == [(then, 1)]


async def test_words_that_are_read_after_cutoff_change_nothing_that_was_locked(
    books: Books,
) -> None:
    """One puts right what they said, another answers; neither could be read by the system."""
    for number in range(10):
        await books.solved(june(2 + number), june(3 + number, 16), says="满意")
    case = await books.solved(june(20), june(20, 16), says="满意")
    await books.says(case, UNREADABLE, june(21, 9))
    other = await books.solved(june(12), june(13))
    await books.says(other, UNREADABLE, june(14, 9))

    async def read() -> None:
        for row in [one for one in await books.tx.all(_UNREAD) if books.said(one.id)]:
            by, now = await books.who("zhihui"), CUTOFF + timedelta(hours=9)
            await manual_review.settle(books.tx, row.id, HandReading.DISSATISFIED, ref=None, by=by, now=now)  # fmt: skip
            await books.tx.flush()

    in_time = await same_whenever_locked(books, read)
    assert [row["evaluated"] for row in in_time[2]] == [11]
    assert await evaluations(books) == [12, 11, 11]
    # What they said in time is not lost either: it stands beside the month, once, with who read it.
    for followed in (2, 0):
        assert await correcting.follow_readings(books.tx, await books.county_id(), now=july(12)) == followed  # fmt: skip
        await books.tx.flush()
        assert await evaluations(books) == [12, 12, 10]
        assert await evaluations(books, CADRE) == [12, 12, 10]
        assert await everything(books) == in_time
        for wrong in (verification.miscounted, verification.altered):
            assert await found(books, wrong) == []
    listed = await reading.corrections(books.tx, await books.county_id(), JUNE, JUNE, evaluations=True)  # fmt: skip
    # What was read is not in it: that is looked at with a reason, and on record.
    told = [(one.cause, one.measure, one.old, one.new, one.by_name) for one in listed]
    assert told == [("answer_read", None, None, None, "罗晓燕")] * 2
    chained = [one for one in await satisfaction.chain(books.tx) if books.said(one.reply_id)]
    kept = {(one.measure, one.new - one.old) for one in chained}
    assert kept == {("evaluated", 1), ("satisfied", -1)}


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
    await privacy_role.enter(books.tx)
    for row in [one for one in await books.tx.all(_UNREAD) if books.said(one.id)]:
        by = await books.who("zhihui")
        await manual_review.settle(
            books.tx, row.id, HandReading.SATISFIED, ref=None, by=by, now=CUTOFF
        )
        await books.tx.flush()
    await books.tx.act_as(OWNER)
    await books.tx.execute(_RECEIVED, at=CUTOFF, matter_id=late.id)
    await privacy_role.enter(books.tx)
    assert await correcting.follow_readings(books.tx, await books.county_id(), now=july(12)) == 0


async def test_what_was_released_stays_right_when_the_township_is_carried_on(books: Books) -> None:
    """Its few and the village's were told together: with whom stays as it was."""
    for number in range(7):
        await books.solved(june(2 + number), june(3 + number, 16), says="满意")
    for number in range(4):
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


async def test_answer_that_was_put_right_before_cutoff_counts_as_it_was_put_right(
    books: Books,
) -> None:
    case = await books.solved(june(2), june(3, 16), says="满意")
    await books.says(case, "不满意", june(4, 9))
    await books.says(case, "基本满意", june(4, 10))
    await books.locked()
    counts = await books.counts(VILLAGE)
    told = [counts.get(one, 0) for one in (Measure.EVALUATED, Measure.SATISFIED, Measure.BASICALLY_SATISFIED)]  # fmt: skip
    assert told == [1, 0, 1]


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_after_the_cutoff_the_month_is_the_same(
    books: Books, seed: int
) -> None:
    await privacy_role.enter(books.tx)
    county = County(books, seed)
    await county.lives(june(1), july(1, 0), 120)
    if seed % 2:
        await county.reorganised(2, july(4))
    await county.lives(july(1, 0), CUTOFF, 40)
    await books.swept(CUTOFF)
    await books.tx.execute(text("SAVEPOINT before"))
    await books.locked()
    in_time = await everything(books)
    await books.tx.execute(text("ROLLBACK TO SAVEPOINT before"))
    await privacy_role.enter(books.tx)
    await county.lives(CUTOFF, july(20), 60)
    await county.reorganised(0, july(20))
    await county.reorganised(1, july(21))
    await county.lives(july(22), june(1, month=8), 60)
    await books.locked_late()
    assert await everything(books) == in_time
    for follow in (correcting.follow_cards, correcting.follow_readings):
        await follow(books.tx, await books.county_id(), now=june(2, month=8))
        await books.tx.flush()
    for wrong in (verification.miscounted, verification.released_otherwise, verification.altered):
        assert await found(books, wrong) == []
    # It is of what it is about: a history in which nothing happens would prove nothing.
    assert {"answer", "asked"} <= county.did
