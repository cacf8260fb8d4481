"""Texts to staff: whoever has a card or a reminder is told to sign in and look, once a day, and nothing else is said."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text

from app.auth.actor import StaffActor
from app.auth.phones import phone_key
from app.cards import irregular_cards, pressing, supervising
from app.cards.models import CardLevel
from app.cases.actions import dispatching, extending, filing, handling, judging
from app.cases.actions.dispatching import Part
from app.cases.actions.filing import Intake
from app.cases.models import Channel
from app.clock import SHANGHAI
from app.db import Database, transaction
from app.directory import official_numbers
from app.keys import decrypt
from app.limits.terms import Kind
from app.matters.notices import when
from app.settings import settings
from app.texts.outbox import TO_STAFF, MessageKind, open_params, phone_place
from qungong.dev import sample
from sms import texts
from tests.conftest import find_staff
from tests.workers.carding import (
    BREAK,
    LATE,
    MONDAY,
    VILLAGE,
    WATER,
    assert_records_hold,
    at,
    cards,
    day,
    registered,
    run,
    sweep,
)
from tests.workers.conftest import Provider
from workers.deadlines import CardSweep, StaffNotices
from workers.texts import Delivery, open_gateway

CADRE, DESK, HEAD, CLERK, CENTER, LEAD, ASSISTANT = (
    f"+8613700000{number:03d}" for number in range(7)
)
_TO_STAFF = text("""
SELECT * FROM outbox_message WHERE kind IN ('staff_work', 'staff_pressed', 'staff_decision', 'staff_calls', 'staff_relieved') ORDER BY id
""")
_TEXTS = text("SELECT * FROM outbox_message WHERE kind = 'staff_notice' ORDER BY due_at, id")
_NUMBER = text("SELECT id FROM official_number WHERE phone_key = :phone_key AND removed_at IS NULL")


async def enter(phone: str, *, unit_code: str | None = None, account: str | None = None) -> None:
    admin = await find_staff("admin")
    async with transaction() as tx:
        await official_numbers.enter(
            tx, phone, unit_code=unit_code, account=account, county_id=admin.county_id, staff_id=admin.staff_id,
            now=await tx.now(),
        )  # fmt: skip


@pytest_asyncio.fixture
async def cadre(database: Database) -> StaffActor:
    """陈桂芳, with a number of her own; and numbers of her village, of the township's head and clerk, of the center's."""
    assert database is not None
    await sample.load()
    await enter(CADRE, account="gongnong")
    await enter(DESK, unit_code=VILLAGE)
    await enter(HEAD, account="guangshun_head")
    await enter(CLERK, account="guangshun")
    await enter(CENTER, account="zhihui")
    return await find_staff("gongnong")


async def owed() -> list[Any]:
    async with transaction() as tx:
        return await tx.all(_TEXTS)


async def told() -> list[tuple[str, datetime]]:
    """To which numbers, and when they are due."""
    return sorted(
        (decrypt(one.phone_sealed, phone_place(one.id, None)), one.due_at) for one in await owed()
    )


async def looked_at(moment: datetime) -> list[str]:
    """The worker looks then: to which numbers texts are owed and due by its next look."""
    with at(moment):
        await StaffNotices().step()
    return [phone for phone, due_at in await told() if due_at < moment + timedelta(seconds=10)]


async def test_whoever_has_a_card_is_texted_in_the_morning_and_so_is_the_unit(
    cadre: StaffActor,
) -> None:
    for number in range(3):
        await registered(cadre, MONDAY, number)
    # Reminded on Tuesday when the office opens, carded in the night before Thursday.
    await sweep(day(9, 23, 9, minute=5))
    tuesday = day(9, 23, 9, minute=30)
    assert await told() == [(CADRE, tuesday), (DESK, tuesday)]
    await sweep(LATE + timedelta(minutes=5))
    thursday = day(9, 25, 9, minute=30)
    assert await told() == [(CADRE, tuesday), (CADRE, thursday), (DESK, tuesday), (DESK, thursday)]
    # More of the same day is no second text.
    for number in range(3, 6):
        await registered(cadre, day(9, 22, 11), number)
    await sweep(day(9, 25, 3))
    assert len(await owed()) == 4


async def test_text_says_nothing_of_any_case(cadre: StaffActor) -> None:
    await registered(cadre, MONDAY)
    await sweep(LATE + timedelta(minutes=5))
    for one in await owed():
        assert (one.matter_id, one.citizen_id, open_params(one.id, one.params_sealed)) == (
            None,
            None,
            {},
        )
        assert one.expires_at - one.due_at < timedelta(hours=12)
    body = texts.render(MessageKind.STAFF_NOTICE, {}).body
    assert "请登录群工系统" in body


async def test_text_arrives_and_that_is_all(cadre: StaffActor, provider: Provider) -> None:
    await registered(cadre, MONDAY)
    await sweep(LATE + timedelta(minutes=5))
    for minute in (29, 31):
        with at(day(9, 25, 9, minute=minute)):
            work = Delivery(open_gateway())
            await work.once()
            await work.finish()
        accepted = [await provider.accepted(one.id) for one in await owed()]
        assert accepted == ([0, 0] if minute == 29 else [1, 1])


async def test_unit_that_nobody_of_took_the_case_on_is_told_by_its_head(
    cadre: StaffActor,
) -> None:
    ref = await registered(cadre, MONDAY)
    async with transaction() as tx:
        await judging.escalate(tx, ref, by=cadre, finding="本级不能解决", now=day(9, 22, 11))
    await sweep(day(9, 26, 0, minute=5))
    assert len(await cards(ref)) == 1
    assert {number for number, _ in await told()} == {HEAD}


async def test_of_a_sealed_case_nobody_is_texted(cadre: StaffActor) -> None:
    commission = await find_staff("jiwei")
    await enter("+8613700000099", account="jiwei")
    await enter("+8613700000098", unit_code="500153JW")
    intake = Intake("检举", "某人收了钱。", Kind.ACCUSATION, Channel.CADRE)
    async with transaction() as tx:
        registered_ = await filing.register(tx, intake, by=cadre, now=MONDAY)
    await sweep(day(11, 3))
    ref = registered_.case.ref
    assert {one.unit_id for one in await cards(ref)} == {commission.unit_id}
    async with transaction() as tx:
        await irregular_cards.issue(
            tx, ref, by=commission, level=CardLevel.YELLOW, unit_code=VILLAGE, person=None, reason="走漏了消息",
            now=day(11, 3),
        )  # fmt: skip
    assert await owed() == []


async def test_number_that_was_taken_out_is_texted_no_more_and_setting_stops_all(
    cadre: StaffActor, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await find_staff("admin")
    async with transaction() as tx:
        await official_numbers.remove(
            tx, await tx.scalar(_NUMBER, phone_key=phone_key(DESK)), county_id=admin.county_id,
            staff_id=admin.staff_id, now=await tx.now(),
        )  # fmt: skip
    await registered(cadre, MONDAY)
    await sweep(LATE + timedelta(minutes=5))
    assert [number for number, _ in await told()] == [CADRE]
    monkeypatch.setenv("STAFF_NOTICES", "false")
    settings.cache_clear()
    await registered(cadre, MONDAY, 2)
    await sweep(day(9, 30))
    assert len(await owed()) == 1


async def test_card_for_irregular_handling_is_told_of_at_once(cadre: StaffActor) -> None:
    inspector = await find_staff("ducha")
    ref = await registered(cadre, MONDAY)
    at_ten = day(9, 22, 10, minute=30)
    async with transaction() as tx:
        await irregular_cards.issue(
            tx, ref, by=inspector, level=CardLevel.YELLOW, unit_code=VILLAGE, person=None, reason="未见面核实。",
            now=at_ten,
        )  # fmt: skip
    assert await looked_at(at_ten) == [CADRE, DESK]


async def test_who_is_supervised_is_told_at_once_and_so_is_whoever_took_case_on(
    cadre: StaffActor,
) -> None:
    leader, clerk = await find_staff("lingdao"), await find_staff("guangshun")
    ref = await registered(cadre, MONDAY)
    at_ten = day(9, 22, 10, minute=30)
    async with transaction() as tx:
        await judging.escalate(tx, ref, by=cadre, finding="本级不能解决", now=MONDAY)
    async with transaction() as tx:
        await judging.handle(tx, ref, by=clerk, now=MONDAY)
    async with transaction() as tx:
        await supervising.supervise(tx, ref, by=leader, demand="一日内回复", days=1, now=at_ten)
    assert await looked_at(at_ten) == [HEAD, CLERK]


async def test_who_sweeps_at_once_owes_each_number_one_text(cadre: StaffActor) -> None:
    for number in range(40):
        await registered(cadre, MONDAY, number)
    with at(day(11, 3)):
        await asyncio.gather(*(CardSweep().step() for _ in range(8)))
    assert sorted(number for number, _ in await told()) == [CADRE, DESK]


async def test_what_was_not_carded_is_not_told_of(cadre: StaffActor) -> None:
    """Card, entry and text are one transaction."""
    ref = await registered(cadre, MONDAY)
    await run(BREAK, ref=ref)
    await sweep(LATE + timedelta(minutes=5))
    assert (await cards(ref), await owed()) == ([], [])


async def told_of_work(moment: datetime) -> dict[tuple[str, str], int]:
    """How many texts each number is owed, by kind, when the workers have looked."""
    with at(moment):
        work = StaffNotices()
        while (await work.step())[1]:
            pass
    async with transaction() as tx:
        rows = await tx.all(_TO_STAFF)
    return dict(
        Counter((decrypt(one.phone_sealed, phone_place(one.id, None)), one.kind) for one in rows)
    )


async def act(
    action: Callable[..., Awaitable[Any]], ref: str, account: str, now: datetime, **told: Any
) -> None:
    by = await find_staff(account)
    async with transaction() as tx:
        await action(tx, ref, by=by, now=now, **told)


async def news_of(ref: str) -> list[tuple[str, str]]:
    async with transaction() as tx:
        found = await tx.scalar(text("SELECT news FROM grievance WHERE ref = :ref"), ref=ref)
    return [(one["what"], one["by"]) for one in found or ()]


TEN = day(9, 22, 10, minute=30)
FINDING = {"finding": "本级不能解决"}


async def test_escalate_texts_the_staff_of_the_next_unit_once_a_day(cadre: StaffActor) -> None:
    for number in range(30):
        ref = await registered(cadre, MONDAY, number)
        await act(judging.escalate, ref, "gongnong", TEN, **FINDING)
    assert await told_of_work(TEN) == {(HEAD, "staff_work"): 1, (CLERK, "staff_work"): 1}
    # Later that day nothing more; the day after again.
    for number, moment in ((31, day(9, 22, 16)), (32, day(9, 23, 11))):
        ref = await registered(cadre, MONDAY, number)
        await act(judging.escalate, ref, "gongnong", moment, **FINDING)
        found = await told_of_work(moment)
        assert set(found.values()) == {1 if number == 31 else 2}


async def test_notice_is_settled_once_and_not_looked_at_again(cadre: StaffActor) -> None:
    ref = await registered(cadre, MONDAY)
    await act(judging.escalate, ref, "gongnong", TEN, **FINDING)
    with at(TEN):
        assert [await StaffNotices().step() for _ in range(2)] == [(1, False), (0, False)]


async def test_staff_are_not_texted_about_what_they_give_themselves(cadre: StaffActor) -> None:
    ref = await registered(cadre, MONDAY)
    await act(judging.handle, ref, "gongnong", TEN)
    assert await told_of_work(day(9, 23)) == {}


async def test_new_work_at_night_is_told_in_the_morning(cadre: StaffActor) -> None:
    ref = await registered(cadre, MONDAY)
    await act(judging.escalate, ref, "gongnong", day(9, 22, 22), **FINDING)
    assert await told_of_work(day(9, 22, 23)) == {}
    assert await told_of_work(day(9, 23, 9, minute=31)) == {
        (HEAD, "staff_work"): 1,
        (CLERK, "staff_work"): 1,
    }


async def test_dispatch_texts_lead_and_assistants_and_a_request_its_decider(
    cadre: StaffActor,
) -> None:
    await enter(LEAD, unit_code="500153100")
    await enter(ASSISTANT, unit_code=WATER)
    ref = await registered(cadre, MONDAY)
    await act(judging.escalate, ref, "gongnong", TEN, **FINDING)
    await act(judging.escalate, ref, "guangshun", TEN, **FINDING)
    assert (await told_of_work(TEN))[CENTER, "staff_work"] == 1
    await act(
        dispatching.dispatch, ref, "zhihui", TEN, lead=Part("500153100"), assistants=[Part(WATER, "派维修队")], note="",
    )  # fmt: skip
    found = await told_of_work(TEN)
    assert (found[LEAD, "staff_work"], found[ASSISTANT, "staff_work"]) == (1, 1)
    await act(handling.sign, ref, "ronglong", TEN)
    await act(extending.extend, ref, "ronglong", TEN, days=3, reason="等施工队")
    assert (await told_of_work(TEN))[CENTER, "staff_decision"] == 1


async def test_press_and_instruct_reach_the_holder_until_it_acts(cadre: StaffActor) -> None:
    ref = await registered(cadre, MONDAY)
    await act(judging.escalate, ref, "gongnong", TEN, **FINDING)
    assert await news_of(ref) == [("given", "village_cadre")]
    await act(judging.handle, ref, "guangshun", TEN)
    assert await news_of(ref) == []
    await act(pressing.press, ref, "zhihui", TEN, note="")
    await act(pressing.instruct, ref, "lingdao", TEN, instruction="今日送水")
    await act(pressing.press, ref, "lingdao", TEN, note="")
    assert await news_of(ref) == [("instructed", "leader"), ("pressed", "leader")]
    found = await told_of_work(TEN)
    assert (found[CLERK, "staff_pressed"], found[HEAD, "staff_pressed"]) == (1, 1)
    assert (DESK, "staff_pressed") not in found
    await act(handling.progress, ref, "guangshun", TEN, report="正在送水", tell_reporter=False)
    assert await news_of(ref) == []
    await assert_records_hold()


async def test_texts_about_work_say_nothing_of_the_case(cadre: StaffActor) -> None:
    ref = await registered(cadre, MONDAY)
    await act(judging.escalate, ref, "gongnong", TEN, **FINDING)
    await told_of_work(TEN)
    async with transaction() as tx:
        rows = await tx.all(_TO_STAFF)
    assert rows
    for one in rows:
        assert (one.matter_id, one.citizen_id, open_params(one.id, one.params_sealed)) == (
            None,
            None,
            {},
        )
    for kind in TO_STAFF:
        assert "请登录群工系统" in texts.render(kind, {}).body


async def test_work_on_a_sealed_case_texts_nobody(cadre: StaffActor) -> None:
    await enter("+8613700000099", account="jiwei")
    await enter("+8613700000098", unit_code="500153JW")
    intake = Intake("检举", "某人收了钱。", Kind.ACCUSATION, Channel.CADRE)
    async with transaction() as tx:
        ref = (await filing.register(tx, intake, by=cadre, now=TEN)).case.ref
    assert await news_of(ref) == [("given", "village_cadre")]
    assert await told_of_work(TEN) == {}
    async with transaction() as tx:
        assert await tx.all(text("SELECT * FROM notice_owed")) == []


async def test_settings_choose_what_staff_are_texted_about_and_when(
    cadre: StaffActor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAFF_NOTICE_KINDS", "time,pressed")
    monkeypatch.setenv("STAFF_NOTICES_FROM", "08:00")
    settings.cache_clear()
    ref = await registered(cadre, MONDAY)
    await act(judging.escalate, ref, "gongnong", TEN, **FINDING)
    await act(pressing.press, ref, "lingdao", day(9, 23, 8, minute=5), note="")
    found = await told_of_work(day(9, 23, 8, minute=6))
    assert found == {(HEAD, "staff_pressed"): 1, (CLERK, "staff_pressed"): 1}
    settings.cache_clear()


async def test_hand_over_that_fails_owes_no_text(cadre: StaffActor) -> None:
    """Hand-over and notice are one transaction."""
    ref = await registered(cadre, MONDAY)
    await run(BREAK, ref=ref)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await act(judging.escalate, ref, "gongnong", TEN, **FINDING)
    assert await told_of_work(day(9, 23)) == {}


async def test_many_who_hand_over_at_once_owe_one_notice(cadre: StaffActor) -> None:
    refs = [await registered(cadre, MONDAY, number) for number in range(20)]
    await asyncio.gather(*(act(judging.escalate, ref, "gongnong", TEN, **FINDING) for ref in refs))
    with at(TEN):
        await asyncio.gather(*(StaffNotices().step() for _ in range(4)))
    assert await told_of_work(TEN) == {(HEAD, "staff_work"): 1, (CLERK, "staff_work"): 1}


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ((9, 24, 0, 0), (9, 24, 9, 30)),
        ((9, 24, 9, 29), (9, 24, 9, 30)),
        ((9, 24, 9, 30), (9, 24, 9, 30)),
        ((9, 24, 19, 29), (9, 24, 19, 29)),
        ((9, 24, 19, 30), (9, 25, 9, 30)),
        ((12, 31, 23, 59), (13, 1, 9, 30)),
    ],
)
def test_nobody_is_texted_in_the_night(
    now: tuple[int, int, int, int], due: tuple[int, int, int, int]
) -> None:
    def moment(month: int, day_: int, hour: int, minute: int) -> datetime:
        return datetime(2025 + month // 13, (month - 1) % 12 + 1, day_, hour, minute, tzinfo=SHANGHAI)  # fmt: skip

    assert when(moment(*now)) == moment(*due)
