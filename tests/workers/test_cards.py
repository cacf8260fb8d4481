"""Cards and reminders: who gets which, for which moment, once, whatever happens. At dates of 2025, whose calendar stands."""

from datetime import date, datetime

from sqlalchemy import text

from app.auth.actor import StaffActor
from app.calendars import editing
from app.calendars.working_time import Day, Limit
from app.cases import access, history
from app.cases.actions import dispatching, handling, judging
from app.cases.actions.dispatching import Part
from app.cases.lifecycle import Action
from app.db import reading, transaction
from app.doctor.examining import examine
from app.kinds import rescheduling
from app.limits.terms import Stage
from tests.conftest import find_staff
from tests.workers.carding import (
    LATE,
    LOCK,
    LOOK_AGAIN,
    MONDAY,
    TOWNSHIP,
    UNCONSTRAINED,
    VILLAGE,
    WATER,
    assert_records_hold,
    at,
    cards,
    day,
    entries,
    registered,
    run,
    sweep,
)

_HOLDER = text(
    "SELECT u.code, g.waiting, g.stage FROM grievance g JOIN unit u ON u.id = g.holder_unit_id WHERE ref = :ref"
)
_JUDGING = text("SELECT k.* FROM clock k JOIN grievance g ON g.id = k.matter_id WHERE ref = :ref AND k.stage = 'judge'")  # fmt: skip
# 2027 as it may be announced.
OFF_2027 = {
    date(2027, month, number): Day(working=False, name="放假")
    for month, numbers in ((1, [1]), (2, range(5, 12)), (4, [5]), (5, [1, 2, 3]), (6, [9]), (9, [15]), (10, range(1, 8)))
    for number in numbers
}  # fmt: skip
_LEAVES = text("""
UPDATE post o SET valid_to = :last FROM staff s, unit u
WHERE s.id = o.staff_id AND u.id = o.unit_id AND s.account = :account AND u.code = :code
""")
_JOINS = text("""
INSERT INTO post (staff_id, unit_id, role, title, valid_from)
SELECT s.id, u.id, :role, :title, :since FROM staff s, unit u WHERE s.account = :account AND u.code = :code
""")
_RENAME = text("UPDATE post SET title = :title FROM staff s WHERE s.id = staff_id AND s.account = :account")  # fmt: skip


async def test_overdue_stage_earns_its_holder_a_yellow_card(cadre: StaffActor) -> None:
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


async def test_what_ended_late_before_sweep_came_earns_exactly_that_and_its_holder_gets_it(
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


async def test_paused_stage_earns_nothing_and_goes_on_when_the_wait_is_over(
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


async def test_who_signs_after_the_limit_has_passed_did_not_let_it_pass(
    cadre: StaffActor,
) -> None:
    ref = await dispatched(cadre, 0)
    async with transaction() as tx:
        await handling.sign(tx, ref, by=await find_staff("shuiwu"), now=day(9, 26, 9))
    await sweep(day(9, 26, 10))
    found = [(card.level, card.person_name) for card in await cards(ref) if card.stage == "handle"]
    assert found == [("yellow", "邓长江")]
    await sweep(day(11, 3))
    found = [(card.level, card.person_name) for card in await cards(ref) if card.stage == "handle"]
    assert found == [("yellow", "邓长江"), ("red", "吴清泉")]
    await assert_records_hold()


async def test_whoever_was_wrongly_named_gets_no_card_for_what_fell_due_after_objection(
    cadre: StaffActor,
) -> None:
    agreed, refused, not_yet = [await dispatched(cadre, number) for number in range(3)]
    water, center = await find_staff("shuiwu"), await find_staff("zhihui")
    for ref in (agreed, refused, not_yet):
        async with transaction() as tx:
            await handling.hand_back(tx, ref, by=water, reason="不归我管", now=day(9, 23, 10))
    # Three days were given on Monday: by Friday that is over.
    await sweep(day(9, 26))
    assert [await handling_cards(ref) for ref in (agreed, refused, not_yet)] == [[], [], []]
    await assert_limits_hold(day(9, 26))
    for ref in (agreed, refused):
        async with transaction() as tx:
            await dispatching.settle(tx, ref, by=center, unit_code=WATER, agreed=ref == agreed, reason="查过", now=day(9, 26, 10))  # fmt: skip
    for _ in range(2):
        await sweep(day(9, 26, 11))
    assert [await handling_cards(ref) for ref in (agreed, refused, not_yet)] == [[], [("yellow", day(9, 26, 0))], []]  # fmt: skip
    await assert_records_hold()
    await assert_limits_hold(day(9, 26, 11))


async def test_assistant_that_objects_and_answers_after_all_is_late_if_it_was(
    cadre: StaffActor,
) -> None:
    ref = await dispatched(cadre, 0, assists=True)
    water = await find_staff("shuiwu")
    async with transaction() as tx:
        await handling.sign(tx, ref, by=water, now=day(9, 22, 15))
    async with transaction() as tx:
        await handling.hand_back(tx, ref, by=water, reason="不归我管", now=day(9, 23, 10))
    async with transaction() as tx:
        await handling.assist_answer(tx, ref, by=water, answer="已修好", now=day(11, 3, 10))
    await sweep(day(11, 3, 11))
    assert ("yellow", "assist") in [(card.level, card.stage) for card in await cards(ref)]


async def test_extension_moves_the_card(cadre: StaffActor) -> None:
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


async def test_assistant_is_carded_for_itself_and_whoever_signed_gets_it(
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


async def test_card_keeps_person_and_post_of_its_own_day(cadre: StaffActor) -> None:
    refs = [await registered(cadre, MONDAY, number) for number in range(2)]
    await sweep(day(9, 25))
    # Whoever leaves with the day on which the limit ended still had it; whoever follows the day after did not.
    await run(_LEAVES, account="gongnong", code=VILLAGE, last=day(9, 24).date())
    await run(_JOINS, account="jianzhi", code=VILLAGE, role="village_cadre", title="新来的", since=day(9, 25).date())  # fmt: skip
    await run(_RENAME, account="gongnong", title="后来的职务")
    await run(LOOK_AGAIN, ref=refs[1])
    await run(UNCONSTRAINED)
    await sweep(day(9, 25))
    found = [(card.person_name, card.post_title) for card in await cards(refs[1])]
    assert found == [(cadre.name, "社区干部"), (cadre.name, "后来的职务")]
    await sweep(day(10, 20))
    assert [(card.level, card.person_name) for card in await cards(refs[0])] == [("yellow", cadre.name), ("red", "龙小平")]  # fmt: skip


async def test_where_nobody_took_it_on_head_gets_card_and_where_nobody_is_unit_alone(
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


async def test_provisional_limit_is_never_carded(cadre: StaffActor) -> None:
    ref = await registered(cadre, day(1, 4, year=2090))
    await sweep(day(6, 1, year=2090))
    assert await cards(ref) == []


async def test_of_limit_that_ends_before_unpublished_year_only_what_reaches_into_it_waits(
    cadre: StaffActor,
) -> None:
    # Until the end of 2026 the calendar is known; the red card would come in January.
    ref = await registered(cadre, day(12, 28, year=2026))
    async with reading() as tx:
        [judge] = await tx.all(_JUDGING, ref=ref)
    assert (judge.provisional, judge.certain_steps) == (True, 2)
    await sweep(day(6, 1, year=2027))
    assert [(card.level, card.effective_at) for card in await cards(ref)] == [("yellow", day(12, 31, 0, year=2026))]  # fmt: skip
    await assert_limits_hold(day(6, 1, year=2027))
    assert cadre.county_id is not None
    async with transaction() as tx:
        now = day(6, 1, year=2027)
        await editing.publish_years(tx, cadre.county_id, {2027: OFF_2027}, source="-", staff_id=None, now=now)  # fmt: skip
    async with transaction() as tx:
        await rescheduling.reschedule(tx, now=now)
    await sweep(day(6, 2, year=2027))
    assert [card.level for card in await cards(ref)] == ["yellow", "red"]
    await assert_records_hold()


async def test_year_published_makes_certain_what_does_not_reach_into_the_next(
    cadre: StaffActor,
) -> None:
    ref = await registered(cadre, day(12, 28, year=2027))
    assert cadre.county_id is not None
    now = day(6, 1, year=2028)
    await sweep(now)
    assert await cards(ref) == []
    async with transaction() as tx:
        await editing.publish_years(tx, cadre.county_id, {2027: OFF_2027}, source="-", staff_id=None, now=now)  # fmt: skip
    async with transaction() as tx:
        await rescheduling.reschedule(tx, now=now)
    await sweep(now)
    # The due time stays what it was taken for; the red card of January 2028 still waits.
    assert [(card.level, card.effective_at) for card in await cards(ref)] == [("yellow", day(12, 31, 0, year=2027))]  # fmt: skip


async def test_one_is_reminded_once_before_the_end_and_not_when_it_is_too_late(
    cadre: StaffActor,
) -> None:
    reminded, caught_up = [await registered(cadre, MONDAY, number) for number in range(2)]
    async with transaction() as tx:
        lock = await tx.all(LOCK, ref=caught_up)
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


async def test_whole_case_over_its_limit_is_told_once_and_earns_nobody_a_card(
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


async def dispatched(cadre: StaffActor, number: int, *, assists: bool = False) -> str:
    """On Monday given to the water bureau, alone within 3 working days or as an assistant."""
    ref = await registered(cadre, MONDAY, number)
    township, center = [await find_staff(one) for one in ("guangshun", "zhihui")]
    for by, hour in ((cadre, 11), (township, 12)):
        async with transaction() as tx:
            await judging.escalate(tx, ref, by=by, finding="本级不能解决", now=day(9, 22, hour))
    water = Part(WATER, "请查管网", None if assists else 3)
    async with transaction() as tx:
        await dispatching.dispatch(
            tx, ref, by=center, lead=Part(TOWNSHIP, "请办理") if assists else water, assistants=[water] if assists else [],
            note="", now=day(9, 22, 14),
        )  # fmt: skip
    return ref


async def assert_limits_hold(moment: datetime) -> None:
    """The doctor then finds every limit where it belongs in the sweep's order, and no card missing or unearned."""
    named = {
        "clocks_come_up_when_due",
        "no_card_missing",
        "card_is_earned",
        "card_is_of_its_moment",
    }
    with at(moment):
        async with reading() as tx:
            found = [one for one in await examine(tx, most=10) if one.invariant.name in named]
    assert {one.invariant.name for one in found} == named
    assert [one.invariant.name for one in found if not one.holds] == []


async def handling_cards(ref: str) -> list[tuple[str, datetime]]:
    return [(card.level, card.effective_at) for card in await cards(ref) if card.stage == "handle"]
