"""A unit is told of eleven people, one answer each, and of nothing that it knows anyway; however often one of them answers."""

from sqlalchemy import text

from app.cases.actions import closing as archiving
from app.cases.actions import handling, judging
from app.db import OWNER
from app.reports import verification
from app.reports.formulas import Measure
from tests.reports.conftest import VILLAGE, Books, june
from tests.reports.test_month_end import everything, found

_UNGUARDED = text("SET LOCAL session_replication_role = replica")
_BEFORE_VOICES = text(
    "UPDATE surveys.month_satisfaction SET voices = NULL, voices_favourable = NULL"
)
_BY_VERSION_1 = text("UPDATE month_end SET formula_version = 1")
_RELEASED_BY_VERSION_1 = text("""
INSERT INTO released_satisfaction (unit_id, month, county_id, joined, evaluated, bound, favourable)
SELECT unit_id, month, county_id, false, 5, 'exact', 2 FROM surveys.month_satisfaction WHERE staff_id IS NULL AND evaluated = 5
""")
_ANOTHER_COUNT = text("UPDATE surveys.month_satisfaction SET satisfied = satisfied + 1")


async def says(books: Books, phone: str, day: int, words: str) -> None:
    """The village solves something for the owner of the number, who is asked and answers."""
    case = await books.told(june(day, 8), phone=phone)
    await books.does(judging.handle, case, june(day, 9), "gongnong")
    await books.answers(case, june(day), "gongnong")
    await books.asked(case, june(day), words)


def number(which: int) -> str:
    return f"+861360001{which:04d}"


async def released(books: Books) -> list[tuple[int, str, int]]:
    """Locks the month: how many people evaluated, and what is told of them, by unit that is told anything."""
    await books.locked()
    assert await found(books, verification.released_otherwise) == []
    return [
        (row["evaluated"], row["bound"], row["favourable"]) for row in (await everything(books))[2]
    ]


async def test_who_alone_evaluates_five_times_is_told_of_to_nobody(books: Books) -> None:
    for day in range(2, 12, 2):
        await says(books, number(1), day, "不满意")
    assert await released(books) == []
    assert (await books.counts(VILLAGE))[Measure.EVALUATED] == 5


async def test_who_answers_himself_four_times_learns_nothing_of_the_fifth(books: Books) -> None:
    for day, words in enumerate(("满意", "满意", "不满意", "不满意"), 1):
        await says(books, number(1), 2 * day, words)
    await says(books, number(2), 9, "不满意")
    assert await released(books) == []


async def test_ten_people_are_told_of_to_nobody(books: Books) -> None:
    """Whoever knows four of ten may know another: with eleven nobody does."""
    for which in range(1, 11):
        await says(books, number(which), 1 + which, "满意")
    assert await released(books) == []


async def test_each_of_eleven_people_has_one_voice_and_it_is_the_last(books: Books) -> None:
    for which, words in enumerate(["满意"] * 6 + ["不满意"] * 5, 1):
        await says(books, number(which), 1 + which, words)
    for day in range(13, 20, 2):
        await says(books, number(3), day, "满意")
    await says(books, number(3), 21, "不满意")
    assert await released(books) == [(11, "at_most", 46)]
    counts = await books.counts(VILLAGE)
    assert (counts[Measure.EVALUATED], counts[Measure.SATISFIED]) == (16, 10), "all of them count"


async def test_month_locked_by_version_1_keeps_what_it_released(books: Books) -> None:
    for which, words in enumerate(("满意", "满意", "不满意", "不满意", "不满意"), 1):
        await says(books, number(which), 1 + which, words)
    assert await released(books) == []
    await books.tx.act_as(OWNER)
    await books.tx.execute(_UNGUARDED)
    await books.tx.execute(_BY_VERSION_1)
    assert len(await found(books, verification.released_otherwise)) == 1
    await books.tx.act_as(OWNER)
    await books.tx.execute(_RELEASED_BY_VERSION_1)
    assert await found(books, verification.released_otherwise) == []
    assert await found(books, verification.miscounted) == []


async def test_what_was_told_before_voices_were_kept_stays_right(books: Books) -> None:
    for which, words in enumerate(["满意"] * 5 + ["不满意"] * 6, 1):
        await says(books, number(which), 1 + which, words)
    assert await released(books) == [(11, "at_most", 46)]
    await books.tx.act_as(OWNER)
    await books.tx.execute(_UNGUARDED)
    await books.tx.execute(_BEFORE_VOICES)
    assert await found(books, verification.released_otherwise) == []
    await books.tx.act_as(OWNER)
    await books.tx.execute(_ANOTHER_COUNT)
    assert len(await found(books, verification.released_otherwise)) == 1


async def test_what_is_done_again_is_not_told_again(books: Books) -> None:
    """Else the rest could be told apart: of eleven, of whom two have it done again, nine are not eleven."""
    for which in range(1, 10):
        await says(books, number(which), 1 + which, "满意")
    for which in (10, 11):
        case = await books.told(june(1 + which, 8), phone=number(which))
        await books.does(judging.handle, case, june(1 + which, 9), "gongnong")
        await books.answers(case, june(1 + which), "gongnong")
        await books.asked(case, june(1 + which), "不满意")
        await books.does(
            archiving.rework, case, june(16), "zhihui", found_valid=True, reason="还是不亮"
        )
        await books.does(handling.sign, case, june(16, 12), "gongnong")
    assert await released(books) == []
    counts = await books.counts(VILLAGE)
    assert (counts[Measure.EVALUATED], counts[Measure.SATISFIED]) == (11, 9)
