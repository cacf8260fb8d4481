"""Cards and reminders: who gets which, for which moment, once, whatever happens. At dates of 2025, whose calendar stands."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from structlog.testing import capture_logs

from app import clock
from app.auth.actor import StaffActor
from app.calendars import editing
from app.calendars.working_time import Day, Limit
from app.cases import access, history, rescheduling, verification
from app.cases.actions import dispatching, filing, handling, judging
from app.cases.actions.dispatching import Part
from app.cases.actions.filing import Intake, PersonHelped
from app.cases.lifecycle import Action
from app.cases.models import Channel
from app.clock import SHANGHAI
from app.db import OWNER, Database, transaction
from app.limits.terms import Kind, Stage
from qungong import sample
from tests.conftest import find_staff
from workers.deadlines import CardSweep

_CARDS = text("""
SELECT c.*, g.ref, u.code FROM card c JOIN grievance g ON g.id = c.case_id JOIN unit u ON u.id = c.unit_id
WHERE g.ref = :ref ORDER BY c.effective_at, c.unit_id
""")
_ENTRIES = text("""
SELECT e.action, e.public, e.staff_id, CAST(e.body AS json) -> 'data' AS data
FROM case_event e JOIN grievance g ON g.id = e.case_id WHERE g.ref = :ref AND e.action = ANY(:actions) ORDER BY e.seq
""")
_HOLDER = text(
    "SELECT u.code, g.waiting, g.stage FROM grievance g JOIN unit u ON u.id = g.holder_unit_id WHERE ref = :ref"
)
_LOOK_AGAIN = text("""
UPDATE clock w SET steps = 1, next_at = yellow_at FROM grievance g WHERE g.id = w.case_id AND g.ref = :ref AND w.stage = 'judge'
""")
_UNCONSTRAINED = text("ALTER TABLE card DROP CONSTRAINT one_card_a_level")
_LEAVES = text("""
UPDATE post o SET valid_to = :last FROM staff s, unit u
WHERE s.id = o.staff_id AND u.id = o.unit_id AND s.account = :account AND u.code = :code
""")
_JOINS = text("""
INSERT INTO post (staff_id, unit_id, role, title, valid_from)
SELECT s.id, u.id, :role, :title, :since FROM staff s, unit u WHERE s.account = :account AND u.code = :code
""")
_RENAME = text("UPDATE post SET title = :title FROM staff s WHERE s.id = staff_id AND s.account = :account")  # fmt: skip
_LOCK = text("SELECT 1 FROM grievance WHERE ref = :ref FOR UPDATE")
# A head that does not fit its chain: no entry can be added to this case.
_BREAK = text("UPDATE grievance SET event_seq = event_seq - 1 WHERE ref = :ref")
VILLAGE, TOWNSHIP, WATER = "500153003007", "500153003", "500153D11"


def day(month: int, day_: int, hour: int = 10, *, minute: int = 0, year: int = 2025) -> datetime:
    return datetime(year, month, day_, hour, minute, tzinfo=SHANGHAI)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    with clock.moved(moment - datetime.now(UTC)):
        yield


@pytest_asyncio.fixture
async def cadre(database: Database) -> AsyncIterator[StaffActor]:
    assert database is not None
    await sample.load()
    yield await find_staff("gongnong")


async def registered(cadre: StaffActor, received: datetime, number: int = 1) -> str:
    intake = Intake(
        "路灯不亮", "村口路灯不亮三天了。", Kind.HELP, Channel.CADRE,
        person=PersonHelped("李大姐", f"+86139{number:08d}"),
    )  # fmt: skip
    async with transaction() as tx:
        return (await filing.register(tx, intake, by=cadre, now=received)).case.ref


async def sweep(moment: datetime, work: CardSweep | None = None) -> None:
    """Until nothing more is due."""
    with at(moment):
        work = work or CardSweep()
        while (await work.step())[1]:
            pass


async def cards(ref: str) -> list[Any]:
    async with transaction() as tx:
        return await tx.all(_CARDS, ref=ref)


async def entries(ref: str, *actions: Action) -> list[Any]:
    async with transaction() as tx:
        return await tx.all(_ENTRIES, ref=ref, actions=list(actions))


async def run(statement: Any, **values: Any) -> None:
    """By hand, as nothing of ours could."""
    async with transaction() as tx:
        await tx.act_as(OWNER)
        await tx.execute(statement, **values)


async def a_day_off(by: StaffActor, off: date) -> None:
    assert by.county_id is not None
    days = {off: Day(working=False, name="停水停电")}
    async with transaction() as tx:
        await editing.change_days(tx, by.county_id, days, reason="-", staff_id=None, now=day(9, 23))


async def assert_records_hold() -> None:
    async with transaction() as tx:
        assert [fault async for _, found in verification.verify(tx) for fault in found] == []


# A village judges within 2 working days: registered on Monday, due on Wednesday at the end of the day.
MONDAY, LATE = day(9, 22), day(9, 25, 0)


async def test_an_overdue_stage_earns_its_holder_a_yellow_card(cadre: StaffActor) -> None:
    ref = await registered(cadre, MONDAY)
    await sweep(day(9, 24, 23, minute=58))
    assert await cards(ref) == []
    await sweep(day(9, 25, 0, minute=5))
    [card] = await cards(ref)
    assert (card.level, card.cause, card.stage, card.code) == (
        "yellow",
        "overdue",
        "judge",
        VILLAGE,
    )
    assert (card.unit_name, card.person_name, card.post_title) == (cadre.unit_name, cadre.name, "社区干部")  # fmt: skip
    assert (card.staff_id, card.issued_by_staff_id, card.reason) == (cadre.staff_id, None, None)
    assert (card.due_at, card.effective_at) == (LATE.replace(day=24, hour=23, minute=59, second=59), LATE)  # fmt: skip
    assert card.issued_at > card.effective_at
    [entry] = await entries(ref, Action.CARD)
    assert (entry.public, entry.staff_id, entry.data["card"], entry.data["level"]) == (False, None, str(card.id), "yellow")  # fmt: skip
    await assert_records_hold()


async def test_after_an_outage_both_levels_come_once_each_for_its_own_moment(
    cadre: StaffActor,
) -> None:
    ref = await registered(cadre, MONDAY)
    for _ in range(3):
        await sweep(day(11, 3))
    # 5 working days after 24 September; Sunday the 28th is worked.
    assert [(card.level, card.effective_at) for card in await cards(ref)] == [
        ("yellow", LATE),
        ("red", day(10, 1, 0)),
    ]
    assert len(await entries(ref, Action.CARD)) == 2
    await assert_records_hold()


async def test_what_ended_in_time_earns_nothing_however_late_the_sweep_comes(
    cadre: StaffActor,
) -> None:
    ref = await registered(cadre, MONDAY)
    async with transaction() as tx:
        await judging.escalate(tx, ref, by=cadre, finding="本级不能解决", now=day(9, 24, 23))
    await sweep(day(9, 26))
    assert await cards(ref) == []


async def test_what_ended_late_before_the_sweep_came_earns_exactly_that_and_its_holder_gets_it(
    cadre: StaffActor,
) -> None:
    ref = await registered(cadre, MONDAY)
    async with transaction() as tx:
        await judging.escalate(tx, ref, by=cadre, finding="本级不能解决", now=day(9, 25, 9))
    async with transaction() as tx:
        assert (await tx.all(_HOLDER, ref=ref))[0].code == TOWNSHIP
    await sweep(day(9, 26))
    assert [(card.level, card.code, card.stage) for card in await cards(ref)] == [("yellow", VILLAGE, "judge")]  # fmt: skip
    # Whatever the township earns later, the village's stage is over: no red card comes of it.
    await sweep(day(12, 1))
    assert [card.level for card in await cards(ref) if card.code == VILLAGE] == ["yellow"]


async def test_a_paused_stage_earns_nothing_and_goes_on_when_the_wait_is_over(
    cadre: StaffActor,
) -> None:
    ref = await registered(cadre, MONDAY)
    async with transaction() as tx:
        await judging.request_supplement(tx, ref, by=cadre, missing="请补充楼栋号", now=day(9, 23))
    await sweep(day(10, 8, 23))
    assert await cards(ref) == []
    async with transaction() as tx:
        assert (await tx.all(_HOLDER, ref=ref))[0].waiting == "supplement"
    for _ in range(2):
        await sweep(day(10, 9, 9))
    async with transaction() as tx:
        assert (await tx.all(_HOLDER, ref=ref))[0].waiting is None
    assert [entry.staff_id for entry in await entries(ref, Action.RESUME)] == [None]
    assert await cards(ref) == []
    # Of the two working days none had ended before the wait: they are Thursday the 9th and Friday.
    await sweep(day(10, 11, 1))
    assert [(card.level, card.effective_at) for card in await cards(ref)] == [("yellow", day(10, 11, 0))]  # fmt: skip
    await assert_records_hold()


async def test_an_extension_moves_the_card(cadre: StaffActor) -> None:
    ref = await registered(cadre, MONDAY)
    async with transaction() as tx:
        await judging.handle(tx, ref, by=cadre, now=MONDAY)
    async with transaction() as tx:
        dossier = await access.lock_case(tx, ref, by=cadre)
        clock_ = dossier.running(Stage.HANDLE)
        assert clock_ is not None
        before = clock_.yellow_at
        dossier.extend(Limit.parse("5wd"), MONDAY)
        history.record(tx, dossier, Action.DECIDE_EXTENSION, by=cadre, now=MONDAY, public=True)
        after = clock_.yellow_at
    assert before is not None
    assert after is not None
    await sweep(before.replace(hour=before.hour + 1))
    assert await cards(ref) == []
    await sweep(after.replace(hour=after.hour + 1))
    assert [card.effective_at for card in await cards(ref)] == [after]


async def test_an_assistant_is_carded_for_itself_and_whoever_signed_gets_it(
    cadre: StaffActor,
) -> None:
    ref = await registered(cadre, MONDAY)
    township, center, water = [await find_staff(one) for one in ("guangshun", "zhihui", "shuiwu")]
    async with transaction() as tx:
        await judging.escalate(tx, ref, by=cadre, finding="本级不能解决", now=day(9, 23, 9))
    async with transaction() as tx:
        await judging.escalate(tx, ref, by=township, finding="本级不能解决", now=day(9, 23, 10))
    async with transaction() as tx:
        await dispatching.dispatch(
            tx, ref, by=center, lead=Part(TOWNSHIP, "请办理"), assistants=[Part(WATER, "请查管网")], note="",
            now=day(9, 23, 11),
        )  # fmt: skip
    for by in (water, township):
        async with transaction() as tx:
            await handling.sign(tx, ref, by=by, now=day(9, 23, 15))
    # 5 working days of the assistant: 30 September. The lead has 10.
    await sweep(day(10, 1))
    assert [(card.code, card.stage, card.level, card.person_name, card.post_title) for card in await cards(ref)] == [
        (WATER, "assist", "yellow", "吴清泉", "供水科科员")
    ]  # fmt: skip


async def test_the_card_keeps_person_and_post_of_its_own_day(cadre: StaffActor) -> None:
    refs = [await registered(cadre, MONDAY, number) for number in range(2)]
    await sweep(day(9, 25))
    # Whoever leaves with the day on which the limit ended still had it; whoever follows the day after did not.
    await run(_LEAVES, account="gongnong", code=VILLAGE, last=day(9, 24).date())
    await run(_JOINS, account="jianzhi", code=VILLAGE, role="village_cadre", title="新来的", since=day(9, 25).date())  # fmt: skip
    await run(_RENAME, account="gongnong", title="后来的职务")
    await run(_LOOK_AGAIN, ref=refs[1])
    await run(_UNCONSTRAINED)
    await sweep(day(9, 25))
    found = [(card.person_name, card.post_title) for card in await cards(refs[1])]
    assert found == [(cadre.name, "社区干部"), (cadre.name, "后来的职务")]
    await sweep(day(10, 20))
    assert [(card.level, card.person_name) for card in await cards(refs[0])] == [("yellow", cadre.name), ("red", "龙小平")]  # fmt: skip


async def test_where_nobody_took_it_on_the_head_gets_the_card_and_where_nobody_is_the_unit_alone(
    cadre: StaffActor,
) -> None:
    up, alone = [await registered(cadre, MONDAY, number) for number in range(2)]
    async with transaction() as tx:
        await judging.escalate(tx, up, by=cadre, finding="本级不能解决", now=day(9, 22, 11))
    await run(_LEAVES, account="gongnong", code=VILLAGE, last=day(9, 22).date())
    await sweep(day(9, 26))
    [card] = await cards(up)
    assert (card.code, card.person_name, card.post_title) == (TOWNSHIP, "唐国梁", "办事处主任")
    [card] = await cards(alone)
    assert (card.unit_name, card.staff_id, card.person_name, card.post_title) == (cadre.unit_name, None, None, None)  # fmt: skip


async def test_a_provisional_limit_is_never_carded(cadre: StaffActor) -> None:
    ref = await registered(cadre, day(1, 4, year=2090))
    await sweep(day(6, 1, year=2090))
    assert await cards(ref) == []


async def test_one_is_reminded_once_before_the_end_and_not_when_it_is_too_late(
    cadre: StaffActor,
) -> None:
    reminded, caught_up = [await registered(cadre, MONDAY, number) for number in range(2)]
    async with transaction() as tx:
        lock = await tx.all(_LOCK, ref=caught_up)
        assert lock
        for _ in range(2):
            await sweep(day(9, 24))
    [entry] = await entries(reminded, Action.REMIND)
    assert (entry.data["stage"], entry.data["over"], entry.public) == ("judge", False, False)
    assert await cards(reminded) == []
    await sweep(day(9, 26))
    # Of that stage: by then one is reminded of the law's limit too.
    assert {one.data["stage"] for one in await entries(caught_up, Action.REMIND)} == {"inform"}
    assert len(await cards(caught_up)) == 1


async def test_a_whole_case_over_its_limit_is_told_once_and_earns_nobody_a_card(
    cadre: StaffActor,
) -> None:
    ref = await registered(cadre, MONDAY)
    async with transaction() as tx:
        await judging.request_supplement(tx, ref, by=cadre, missing="请补充楼栋号", now=MONDAY)
    for _ in range(2):
        await sweep(day(12, 30))
    over = [e for e in await entries(ref, Action.REMIND) if e.data["stage"] == "whole" and e.data["over"]]  # fmt: skip
    assert len(over) == 1
    assert {card.stage for card in await cards(ref)} <= {"judge"}
    await assert_records_hold()


async def test_many_sweeps_at_once_issue_each_card_once(cadre: StaffActor) -> None:
    refs = [await registered(cadre, MONDAY, number) for number in range(40)]
    with at(day(11, 3)):
        await asyncio.gather(*(CardSweep().step() for _ in range(8)))
    assert [[card.level for card in await cards(ref)] for ref in refs] == [["yellow", "red"]] * 40
    await assert_records_hold()


async def test_a_case_somebody_works_on_is_left_for_the_next_look(cadre: StaffActor) -> None:
    busy, free = [await registered(cadre, MONDAY, number) for number in range(2)]
    async with transaction() as tx:
        await tx.execute(_LOCK, ref=busy)
        await sweep(day(9, 25))
        assert [len(await cards(ref)) for ref in (busy, free)] == [0, 1]
    await sweep(day(9, 25))
    assert len(await cards(busy)) == 1


async def test_one_case_that_cannot_be_carded_holds_up_no_other(cadre: StaffActor) -> None:
    refs = [await registered(cadre, MONDAY, number) for number in range(3)]
    await run(_BREAK, ref=refs[0])
    work = CardSweep()
    with capture_logs() as logged:
        await sweep(day(9, 25, 8), work)
        await sweep(day(9, 25, 8), work)
    assert [len(await cards(ref)) for ref in refs] == [0, 1, 1]
    # Put aside, not tried at every look.
    assert [entry["event"] for entry in logged].count("not done") == 1


async def test_no_card_is_issued_by_a_calendar_that_has_been_changed_since(
    cadre: StaffActor,
) -> None:
    ref, other = [await registered(cadre, MONDAY, number) for number in range(2)]
    await a_day_off(cadre, day(9, 24).date())
    await sweep(LATE)
    assert await cards(ref) == []
    async with transaction() as tx:
        await rescheduling.reschedule(tx, now=day(9, 24))
    await sweep(LATE)
    assert [await cards(one) for one in (ref, other)] == [[], []]
    await sweep(day(9, 26, 1))
    assert [[card.level for card in await cards(one)] for one in (ref, other)] == [["yellow"]] * 2


async def test_the_database_refuses_a_second_card_for_the_same_limit_and_level(
    cadre: StaffActor,
) -> None:
    ref = await registered(cadre, MONDAY)
    await sweep(day(9, 25))
    await run(_LOOK_AGAIN, ref=ref)
    with capture_logs() as logged:
        await sweep(day(9, 25))
    assert "UniqueViolationError" in {entry.get("error") for entry in logged}
    assert len(await cards(ref)) == 1
    # The control: without the constraint the same would have been a double.
    await run(_UNCONSTRAINED)
    await sweep(day(9, 25))
    assert len(await cards(ref)) == 2


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM card",
        "TRUNCATE card CASCADE",
        "UPDATE card SET level = 'red'",
        "UPDATE card SET person_name = '别人'",
        "UPDATE card SET revoked_at = NULL",
    ],
)
async def test_a_card_is_never_changed_but_to_revoke_it_once(
    cadre: StaffActor, change: str
) -> None:
    ref = await registered(cadre, MONDAY)
    await sweep(day(9, 25))
    await run(text("UPDATE card SET revoked_at = now()"))
    with pytest.raises(Exception, match="append-only"):
        await run(text(change))
    assert [card.level for card in await cards(ref)] == ["yellow"]
