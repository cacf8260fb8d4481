"""Texts about return calls: once a day when the day begins, to those who may make one, never to who handled what it is about."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest_asyncio
from sqlalchemy import text

from app.clock import SHANGHAI
from app.db import Database, transaction
from app.directory.terms import Role
from app.evaluation import return_calls
from app.keys import decrypt
from app.texts.outbox import phone_place
from qungong.dev import sample
from tests.conftest import find_staff
from tests.surveys.conftest import Village, new_phone
from tests.surveys.test_surveys import reply
from tests.units import Held, hire
from tests.workers.carding import at
from tests.workers.test_notices import enter
from workers.deadlines import StaffNotices

DISPATCHER, SUPERVISOR, DESK, INSPECTOR, HANDLER, CHIEF = (
    f"+8613700001{number:03d}" for number in range(6)
)
_TOLD = text("SELECT id, phone_sealed FROM outbox_message WHERE kind = 'staff_calls' ORDER BY id")


@pytest_asyncio.fixture
async def village(database: Database) -> Village:
    assert database is not None
    await sample.load()
    await enter(DISPATCHER, account="zhihui")
    await enter(SUPERVISOR, account="ducha")
    await enter(DESK, unit_code="500153ZH")
    await enter(INSPECTOR, account="jiwei")
    await enter(HANDLER, account="gongnong")
    return Village(find_staff)


def tomorrow(hour: int, minute: int, *, days: int = 1) -> datetime:
    day = datetime.now(SHANGHAI) + timedelta(days=days)
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


async def told(work: StaffNotices, moment: datetime) -> list[str]:
    """Who has been texted so far."""
    with at(moment):
        await work.step()
    async with transaction() as tx:
        return sorted(
            decrypt(row.phone_sealed, phone_place(row.id, None)) for row in await tx.all(_TOLD)
        )


async def test_open_return_calls_are_told_of_once_a_day_when_it_begins(village: Village) -> None:
    work = StaffNotices()
    assert await told(work, tomorrow(9, 35)) == []
    asked = await village.asked(new_phone())
    assert asked.phone is not None
    await reply(asked.phone, "不满意，还是不亮")
    # Whoever watches the phones learns nothing of when the answer came: that day nobody is texted any more, nor at night.
    assert await told(work, tomorrow(11, 0)) == []
    assert await told(work, tomorrow(9, 0, days=2)) == []
    callers = sorted([DISPATCHER, SUPERVISOR])
    assert await told(work, tomorrow(9, 35, days=2)) == callers
    assert await told(StaffNotices(), tomorrow(15, 0, days=2)) == callers
    assert await told(work, tomorrow(9, 35, days=3)) == sorted(callers * 2)


async def test_head_of_the_command_center_is_texted_and_another_unit_s_is_not(
    village: Village,
) -> None:
    """The head may make the calls, as a dispatcher may."""
    await enter(CHIEF, account="zhihui_head")
    await enter("+8613700001010", account="guangshun_head")
    asked = await village.asked(new_phone())
    assert asked.phone is not None
    await reply(asked.phone, "不满意，还是不亮")
    assert await told(StaffNotices(), tomorrow(9, 35)) == sorted([DISPATCHER, SUPERVISOR, CHIEF])


async def test_satisfied_answers_text_nobody(village: Village) -> None:
    asked = await village.asked(new_phone())
    assert asked.phone is not None
    await reply(asked.phone, "满意")
    assert await told(StaffNotices(), tomorrow(9, 35)) == []


async def test_who_is_kept_from_a_call_is_not_texted_about_it(village: Village) -> None:
    asked = await village.ask(await village.answered(new_phone(), solver="gongnong"))
    assert asked.phone is not None
    # As if the center had handled the case: then only its supervisors call.
    async with transaction() as tx:
        await tx.execute(_BY_CENTER, matter_id=asked.matter_id)
    await reply(asked.phone, "不满意，还是不亮")
    assert await told(StaffNotices(), tomorrow(9, 35)) == [SUPERVISOR]


async def test_call_about_a_sealed_case_texts_nobody(village: Village) -> None:
    asked = await village.asked_about_an_accusation(new_phone())
    assert asked.phone is not None
    await reply(asked.phone, "不满意，没有查")
    assert await told(StaffNotices(), tomorrow(9, 35)) == []


async def test_call_about_a_sealed_case_texts_nobody_who_may_make_it(village: Village) -> None:
    """An accusation of the commission is the center's; a supervisor who did not handle it calls, and is not texted."""
    async with transaction() as tx:
        await hire(tx, "ducha2", Held("500153ZH", Role.SUPERVISOR))
    await enter("+8613700001009", account="ducha2")
    asked = await village.asked_about_an_accusation(new_phone(), solver="ducha", accused="500153JW")
    assert asked.phone is not None
    await reply(asked.phone, "不满意，没有查")
    async with transaction() as tx:
        calls = await return_calls.open_calls(
            tx, by=await find_staff("ducha2"), after=UUID(int=0), most=9
        )
    assert [one.ref for one in calls] == [asked.ref]
    assert await told(StaffNotices(), tomorrow(9, 35)) == []


_BY_CENTER = text("""
UPDATE assignment SET unit_id = (SELECT id FROM unit WHERE code = '500153ZH') WHERE matter_id = :matter_id
""")
