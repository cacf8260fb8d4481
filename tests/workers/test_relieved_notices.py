"""Texts to units that a matter is no longer theirs: a former lead, an excused assistant, a unit whose case was merged or withdrawn."""

from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from app.auth.actor import CitizenActor, StaffActor
from app.cases.actions import dispatching, filing, handling, judging
from app.cases.actions.dispatching import Part
from app.cases.actions.filing import Intake
from app.cases.models import Channel
from app.clock import SHANGHAI
from app.db import Database, transaction
from app.directory.units import end_unit
from app.limits.terms import Kind
from app.settings import settings
from app.texts.outbox import MessageKind
from qungong.dev import sample
from sms import texts
from tests.conftest import find_staff
from tests.units import handed_over, somebody, yesterday
from tests.workers.carding import MONDAY, TOWNSHIP, WATER, day, registered
from tests.workers.test_notices import FINDING, TEN, act, enter, told_of_work

RONGLONG, LETTERS, CENTER, COMMISSION = "500153100", "500153D36", "500153ZH", "500153JW"
LEAD, ASSISTANT, OTHER, DESK, HALL, INSPECTOR = (f"+8613700002{n:03d}" for n in range(6))


@pytest_asyncio.fixture
async def cadre(database: Database) -> StaffActor:
    """陈桂芳; the units that are given work have a number each."""
    assert database is not None
    await sample.load()
    for phone, unit_code in (
        (LEAD, RONGLONG), (ASSISTANT, WATER), (OTHER, LETTERS), (DESK, CENTER), (HALL, TOWNSHIP), (INSPECTOR, COMMISSION),
    ):  # fmt: skip
        await enter(phone, unit_code=unit_code)
    return await find_staff("gongnong")


async def dispatched(lead: str = RONGLONG, *, number: int = 1, now: datetime = TEN) -> str:
    """A case that one unit leads and 县水务局 assists."""
    received = now - timedelta(minutes=30)
    ref = await registered(await find_staff("gongnong"), received, number)
    await act(judging.escalate, ref, "gongnong", now, **FINDING)
    await act(judging.escalate, ref, "guangshun", now, **FINDING)
    await act(
        dispatching.dispatch, ref, "zhihui", now, lead=Part(lead), assistants=[Part(WATER, "派维修队")], note="",
    )  # fmt: skip
    return ref


async def change_lead(ref: str, unit_code: str = LETTERS, *, now: datetime = TEN) -> None:
    await act(dispatching.change_lead, ref, "zhihui", now, lead=Part(unit_code), reason="权属有变", note="")  # fmt: skip


async def relieved(moment: datetime = TEN) -> dict[str, int]:
    """How many texts each number is owed that a matter is no longer its unit's."""
    found = await told_of_work(moment)
    return {phone: times for (phone, kind), times in found.items() if kind == "staff_relieved"}


async def test_change_lead_texts_the_former_lead_once_a_day(cadre: StaffActor) -> None:
    for number in (1, 2, 3):
        await change_lead(await dispatched(number=number))
    assert await relieved() == {LEAD: 1}
    afternoon = day(9, 22, 16)
    await change_lead(await dispatched(number=5, now=afternoon), now=afternoon)
    assert await relieved(afternoon) == {LEAD: 1}
    tuesday = day(9, 23, 11)
    await change_lead(await dispatched(number=4, now=tuesday), now=tuesday)
    assert await relieved(tuesday) == {LEAD: 2}


async def test_change_lead_to_an_assistant_relieves_the_former_lead_alone(
    cadre: StaffActor,
) -> None:
    await change_lead(await dispatched(), WATER)
    assert await relieved() == {LEAD: 1}


async def test_excused_assistant_is_texted(cadre: StaffActor) -> None:
    ref = await dispatched()
    await act(dispatching.excuse, ref, "zhihui", TEN, unit_code=WATER, reason="已不需要")
    assert await relieved() == {ASSISTANT: 1}


async def test_agreed_hand_back_texts_the_lead_and_its_assistants(cadre: StaffActor) -> None:
    ref = await dispatched()
    await act(handling.hand_back, ref, "ronglong", TEN, reason="不属本镇职责")
    assert await relieved() == {}
    await act(
        dispatching.settle, ref, "zhihui", TEN, unit_code=RONGLONG, agreed=True, reason="同意"
    )
    assert await relieved() == {LEAD: 1, ASSISTANT: 1}


async def test_merge_texts_the_unit_that_had_to_judge_the_case(cadre: StaffActor) -> None:
    primary = await dispatched()
    ref = await registered(cadre, MONDAY, 2)
    await act(judging.escalate, ref, "gongnong", TEN, **FINDING)
    await act(dispatching.merge, ref, "zhihui", TEN, primary_ref=primary, reason="同一件事")
    assert await relieved() == {HALL: 1}


async def test_unit_is_not_texted_about_work_that_it_gives_away_or_finishes(
    cadre: StaffActor,
) -> None:
    """The village and the township escalate, the command center passes on what it leads itself, the assistant answers."""
    ref = await dispatched(CENTER)
    await act(handling.sign, ref, "shuiwu", TEN)
    await act(handling.assist_answer, ref, "shuiwu", TEN, answer="已派维修队")
    await change_lead(ref)
    assert await relieved() == {}


async def test_withdrawn_report_texts_its_unit_and_none_where_it_is_sealed(
    cadre: StaffActor,
) -> None:
    """An accusation is the commission's; who withdraws is the citizen, so the unit did not do it itself."""

    async def withdrawn(kind: Kind) -> None:
        async with transaction() as tx:
            citizen = await somebody(tx)
        await reported(citizen, kind)

    async def reported(citizen: CitizenActor, kind: Kind) -> None:
        intake = Intake("某事", "某人收了钱。", kind, Channel.POSTER, asked_code=TOWNSHIP)
        async with transaction() as tx:
            found = await filing.register(tx, intake, by=citizen, now=MONDAY)
        async with transaction() as tx:
            await filing.withdraw(tx, found.case.ref, by=citizen, reason="不反映了", now=TEN)

    await withdrawn(Kind.ACCUSATION)
    assert await relieved() == {}
    await withdrawn(Kind.HELP)
    assert await relieved() == {HALL: 1}


async def test_unit_whose_part_its_successor_joins_to_its_own_is_not_texted(
    cadre: StaffActor,
) -> None:
    """The assistant ends and the lead carries on for it: the system ends its part."""
    now = datetime.now(SHANGHAI).replace(hour=10)
    await dispatched(LETTERS, now=now)
    async with transaction() as tx:
        await end_unit(tx, WATER, successor=LETTERS, last_day=await yesterday(tx))
    await handed_over(now=now)
    assert await relieved(now) == {}


async def test_relieved_at_night_is_told_in_the_morning(cadre: StaffActor) -> None:
    await change_lead(await dispatched(), now=day(9, 22, 22))
    assert await relieved(day(9, 22, 23)) == {}
    assert await relieved(day(9, 23, 9, minute=31)) == {LEAD: 1}


async def test_relieved_is_not_told_where_the_setting_leaves_it_out(
    cadre: StaffActor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAFF_NOTICE_KINDS", "time,work,pressed,decision,calls")
    settings.cache_clear()
    await change_lead(await dispatched())
    assert await relieved() == {}
    settings.cache_clear()


def test_text_about_a_relieved_unit_names_no_case() -> None:
    rendered = texts.render(MessageKind.STAFF_RELIEVED, {})
    assert "不再由您所在单位办理" in rendered.body
    assert "请登录群工系统" in rendered.body
    assert rendered.segments == 1
