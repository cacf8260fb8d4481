"""In which month and for whom each fact counts: the traps other systems of this kind have fallen into."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.cases.actions import closing as archiving
from app.cases.actions import dispatching, filing, handling, judging
from app.cases.actions.dispatching import Part
from app.clock import SHANGHAI
from app.limits.terms import Kind
from app.reports import counting
from app.reports.formulas import Measure
from app.reports.models import MonthEnd
from app.reports.months import Month
from tests.reports.conftest import (
    ASSISTANT,
    CLOSING_DAY,
    JUNE,
    LEAD,
    TOWNSHIP,
    VILLAGE,
    Books,
    june,
)

JULY = Month(2025, 7)
CADRE = "陈桂芳"


async def dispatched(books: Books, *, told: int = 2) -> Any:
    """A case of the village's that the center gave to 荣隆镇, with the water bureau assisting."""
    case = await books.told(june(told))
    await books.does(judging.escalate, case, june(told, 12), "gongnong", finding="社区没有供水设备")
    await books.does(
        judging.escalate, case, june(told + 1), "guangshun", finding="街道没有供水设备"
    )
    await books.does(
        dispatching.dispatch,
        case,
        june(told + 2),
        "zhihui",
        lead=Part(LEAD, "恢复供水"),
        assistants=[Part(ASSISTANT, "检修管网")],
        note="",
    )
    return case


async def test_case_counts_where_it_was_taken_in_and_answered_whoever_holds_it_now(
    books: Books,
) -> None:
    case = await dispatched(books)
    for account in ("ronglong", "shuiwu"):
        await books.does(handling.sign, case, june(4, 12), account)
    await books.does(handling.assist_answer, case, june(5), "shuiwu", answer="管网已修复")
    await books.answers(case, june(6), "ronglong")
    await books.locked()
    village, lead, assistant = [await books.counts(code) for code in (VILLAGE, LEAD, ASSISTANT)]
    assert village == {
        Measure.TAKEN_IN: 1,
        Measure.RESPONSE_DUE: 1,
        Measure.RESPONSE_IN_TIME: 1,
        Measure.PASSED: 1,
    }
    assert lead == {
        Measure.GIVEN: 1,
        Measure.ANSWERED: 1,
        Measure.RESPONSE_DUE: 1,
        Measure.RESPONSE_IN_TIME: 1,
        Measure.HANDLING_DUE: 1,
        Measure.HANDLING_IN_TIME: 1,
        Measure.PASSED: 1,
        Measure.ROUNDS: 1,
    }
    # The assistant for its own part, and for nothing of the lead's.
    assert assistant == {
        Measure.ASSISTED: 1,
        Measure.RESPONSE_DUE: 1,
        Measure.RESPONSE_IN_TIME: 1,
        Measure.ASSIST_DUE: 1,
        Measure.ASSIST_IN_TIME: 1,
        Measure.PASSED: 1,
    }
    assert (await books.counts(TOWNSHIP))[Measure.PASSED] == 1
    assert (await books.counts(LEAD, "刘德荣"))[Measure.ANSWERED] == 1
    assert (await books.counts(VILLAGE, CADRE))[Measure.TAKEN_IN] == 1


async def test_each_round_counts_in_its_own_month_and_first_answer_is_not_lost(
    books: Books,
) -> None:
    case = await books.solved(june(2), june(3))
    await books.does(
        archiving.rework, case, june(1, month=7), "zhihui", found_valid=True, reason="又不亮了"
    )
    await books.does(handling.sign, case, june(1, 12, month=7), "gongnong")
    await books.does(
        archiving.approve_answer, case, june(2, month=7), "zhihui", reason="村里只有一人"
    )
    await books.answers(case, june(3, month=7), "gongnong")
    await books.locked()
    await books.locked(JULY)
    june_, july = [await books.counts(VILLAGE, months=(one, one)) for one in (JUNE, JULY)]
    assert (june_[Measure.ANSWERED], june_.get(Measure.REWORKED, 0), june_[Measure.ROUNDS]) == (
        1,
        0,
        1,
    )
    # The new round was given and answered in July; of two rounds judged then, one was to be done again.
    assert (july[Measure.GIVEN], july[Measure.ANSWERED]) == (1, 1)
    assert (july[Measure.REWORKED], july[Measure.ROUNDS]) == (1, 2)
    both = await books.counts(VILLAGE, months=(JUNE, JULY))
    assert (both[Measure.ANSWERED], both[Measure.HANDLING_DUE]) == (2, 2)
    assert both.get(Measure.PENDING, 0) == 0


async def test_limit_that_was_missed_counts_once_in_month_in_which_it_was_missed(
    books: Books,
) -> None:
    case = await books.told(june(2))
    await books.does(judging.handle, case, june(2, 12), "gongnong")
    await books.swept(june(9, month=7))
    await books.answers(case, june(3, month=7), "gongnong")
    await books.locked()
    await books.locked(JULY)
    june_, july = [await books.counts(VILLAGE, months=(one, one)) for one in (JUNE, JULY)]
    assert (june_[Measure.HANDLING_DUE], june_.get(Measure.HANDLING_IN_TIME, 0)) == (1, 0)
    assert (june_[Measure.PENDING], june_.get(Measure.ANSWERED, 0)) == (1, 0)
    assert (july[Measure.ANSWERED], july.get(Measure.HANDLING_DUE, 0)) == (1, 0)
    # The person who had taken it on, not only who answered in the end.
    assert (await books.counts(VILLAGE, CADRE))[Measure.HANDLING_DUE] == 1
    year = await books.counts(VILLAGE, months=(JUNE, JULY))
    assert (year[Measure.HANDLING_DUE], year.get(Measure.PENDING, 0)) == (1, 0)


async def test_time_spent_waiting_for_the_citizen_is_not_charged_to_the_office(
    books: Books,
) -> None:
    case = await books.told(june(2))
    await books.does(judging.request_supplement, case, june(2, 12), "gongnong", missing="楼栋号")
    await books.does(filing.supply, case, june(24), "gongnong", supplement="13栋")
    await books.does(judging.handle, case, june(24, 12), "gongnong")
    await books.locked()
    counts = await books.counts(VILLAGE)
    assert (counts[Measure.RESPONSE_DUE], counts[Measure.RESPONSE_IN_TIME]) == (1, 1)


async def test_what_the_citizen_withdrew_in_time_was_neither_kept_nor_missed(books: Books) -> None:
    case = await books.told(june(2))
    await books.does(filing.withdraw, case, june(2, 12), "gongnong", reason="已自行解决")
    await books.locked()
    counts = await books.counts(VILLAGE)
    assert counts == {Measure.TAKEN_IN: 1, Measure.PASSED: 1}


async def test_return_is_counted_for_the_unit_whose_doing_it_is(books: Books) -> None:
    case = await dispatched(books)
    await books.does(handling.hand_back, case, june(4, 12), "ronglong", reason="不在本镇")
    await books.does(
        dispatching.settle, case, june(5), "zhihui", unit_code=LEAD, agreed=True, reason="属实"
    )
    await books.does(judging.send_down, case, june(6), "zhihui", to_code=TOWNSHIP, reason="属街道")
    await books.locked()
    lead, assistant, center = [await books.counts(code) for code in (LEAD, ASSISTANT, "500153ZH")]
    assert (lead[Measure.RETURNED], lead[Measure.PASSED]) == (1, 1)
    # Released because the case moved on: nobody's return.
    assert (assistant.get(Measure.RETURNED, 0), assistant[Measure.PASSED]) == (0, 1)
    assert (center[Measure.RETURNED], center[Measure.PASSED]) == (1, 2)
    assert lead.get(Measure.HANDLING_DUE, 0) == 0
    assert lead.get(Measure.PENDING, 0) == 0


@pytest.mark.parametrize(("agreed", "missed"), [(True, 0), (False, 1)])
async def test_what_was_objected_to_in_time_is_missed_only_where_objection_is_refused(
    books: Books, *, agreed: bool, missed: int
) -> None:
    # Given on the 4th with 10 working days.
    case = await dispatched(books)
    await books.does(handling.hand_back, case, june(10), "ronglong", reason="不在本镇")
    await books.does(
        dispatching.settle, case, june(25), "zhihui", unit_code=LEAD, agreed=agreed, reason="查过"
    )
    await books.locked()
    lead = await books.counts(LEAD)
    assert (lead.get(Measure.HANDLING_DUE, 0), lead.get(Measure.HANDLING_IN_TIME, 0)) == (missed, 0)


async def test_limit_whose_end_is_certain_counts_though_its_red_card_waits_for_calendar(
    books: Books,
) -> None:
    # Until the end of 2026 the calendar is known.
    before = await response_of_december(books)
    case = await books.told(datetime(2026, 12, 28, 10, tzinfo=SHANGHAI))
    late = datetime(2026, 12, 31, 10, tzinfo=SHANGHAI)
    await books.does(judging.escalate, case, late, "gongnong", finding="社区没有供水设备")
    assert await response_of_december(books) == (before[0] + 1, before[1])


async def response_of_december(books: Books) -> tuple[int, int]:
    """What the record says of the village, due and in time. Not locked: nothing of that month has been swept."""
    month = Month(2026, 12)
    cutoff = month.cutoff(CLOSING_DAY)
    end = MonthEnd(
        county_id=await books.county_id(), month=month.first, formula_version=1, begins_at=month.begins, ends_at=month.ends,
        cutoff_at=cutoff, locked_at=cutoff + timedelta(hours=1), digest=b"",
    )  # fmt: skip
    village = (await books.who("gongnong")).unit_id
    counts = (await counting.count(books.tx, end)).get((village, None), {})
    return counts.get(Measure.RESPONSE_DUE, 0), counts.get(Measure.RESPONSE_IN_TIME, 0)


async def test_sealed_cases_are_in_nobodys_figures_but_total_for_those_who_may_see_them(
    books: Books,
) -> None:
    await books.told(june(2), kind=Kind.ACCUSATION)
    await books.locked()
    assert await books.counts(VILLAGE) == {}
    assert (await books.report()).units == []
    rows = await books.tx.all(
        text("SELECT u.code, s.taken_in, s.answered FROM month_sealed s JOIN unit u ON u.id = s.unit_id WHERE s.month = :month"),
        month=JUNE.first,
    )  # fmt: skip
    assert [tuple(row) for row in rows] == [("500153JW", 1, 0)]


async def test_evaluation_counts_in_the_month_in_which_its_window_ended(books: Books) -> None:
    await books.solved(june(2), june(3), says="满意")
    await books.solved(june(2), june(3))
    await books.solved(june(26), june(27), says="不满意")
    await books.locked()
    await books.locked(JULY)
    june_, july = [await books.counts(VILLAGE, months=(one, one)) for one in (JUNE, JULY)]
    assert (june_[Measure.ASKED], june_[Measure.EVALUATED], june_[Measure.SATISFIED]) == (2, 1, 1)
    assert (july[Measure.ASKED], july[Measure.EVALUATED]) == (1, 1)
    assert july.get(Measure.SATISFIED, 0) == 0
    assert (await books.counts(VILLAGE, CADRE))[Measure.EVALUATED] == 1


async def test_who_joined_a_case_evaluates_the_unit_that_answered_it(books: Books) -> None:
    primary, joined = await dispatched(books), await books.told(june(2))
    await books.does(
        dispatching.merge, joined, june(4, 11), "zhihui", primary_ref=primary.ref, reason="同一件事"
    )  # fmt: skip
    for account in ("ronglong", "shuiwu"):
        await books.does(handling.sign, primary, june(4, 12), account)
    await books.does(handling.assist_answer, primary, june(5), "shuiwu", answer="管网已修复")
    await books.answers(primary, june(6), "ronglong")
    for case in (primary, joined):
        await books.asked(case, june(6), "基本满意")
    await books.locked()
    counts = await books.counts(LEAD)
    assert (counts[Measure.ANSWERED], counts[Measure.ASKED]) == (1, 2)
    assert counts[Measure.BASICALLY_SATISFIED] == 2
    assert (await books.counts(VILLAGE)).get(Measure.ASKED, 0) == 0


async def test_what_comes_after_the_cutoff_is_not_in_the_month(books: Books) -> None:
    case, cutoff = await books.solved(june(2), june(3)), JUNE.cutoff(CLOSING_DAY)
    # As a return call may bring it, after the window.
    for at in (cutoff, cutoff - timedelta(seconds=1)):
        await books.tx.execute(
            text("""INSERT INTO surveys.answer (survey_id, channel, value, answered_at)
            SELECT id, 'return_call', 'satisfied', :at FROM surveys.survey WHERE matter_id = :matter_id
            ON CONFLICT (survey_id) WHERE discounted IS NULL DO UPDATE SET answered_at = :at"""),
            matter_id=case.id,
            at=at,
        )
        await books.tx.execute(text("SAVEPOINT before"))
        await books.locked(late=timedelta(days=40))
        counted = (await books.counts(VILLAGE)).get(Measure.EVALUATED, 0)
        assert counted == (0 if at == cutoff else 1)
        await books.tx.execute(text("ROLLBACK TO SAVEPOINT before"))
