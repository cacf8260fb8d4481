"""How many statements a request costs, the sign-in check included, whatever the number of rows."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any

import pytest
import pytest_asyncio

from app.db import observers
from tests.api.actions import BODIES
from tests.api.conftest import Who
from tests.people import WATER, Person
from tests.surveys.conftest import new_phone

CREATE, TRANSITION, INBOX, DETAIL = 4, 6, 3, 4


@contextmanager
def counted() -> Iterator[list[str]]:
    sent: list[str] = []
    observers.append(sent.append)
    try:
        yield sent
    finally:
        observers.remove(sent.append)


@pytest_asyncio.fixture
async def crowd(who: Who) -> None:
    """More rows than a page holds, in every list of the cadre."""
    cadre = await who("gongnong")
    for number in range(60):
        ref = await cadre.registers(title=f"第{number}件")
        if number % 2:
            await cadre.does(f"/cases/{ref}/handle")


async def costs(most: int, person: Person, method: str, path: str, body: Any = None) -> None:
    with counted() as sent:
        answer = await person.client.request(
            method,
            path,
            json=body,
            headers={"Idempotency-Key": token_hex(8)} if method == "POST" else {},
        )
    assert answer.is_success, answer.text
    assert 0 < len(sent) <= most, f"{method} {path}: {len(sent)} statements\n" + "\n".join(sent)


async def test_registering_costs_few_statements(who: Who) -> None:
    await costs(CREATE, await who("gongnong"), "POST", "/cases", WATER)


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize(
    "view", ["to_judge", "handling", "to_sign", "assisting", "to_decide", "to_reply", "finished"]
)
async def test_list_costs_few_statements(who: Who, view: str) -> None:
    for account in ("gongnong", "zhihui", "jiwei"):
        await costs(INBOX, await who(account), "GET", f"/cases?view={view}&size=50")


async def test_case_costs_few_statements_however_long_its_record(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/handle")
    for number in range(30):
        await cadre.does(f"/cases/{ref}/progress", report=f"进展{number}", tell_reporter=False)
    await costs(DETAIL, cadre, "GET", f"/cases/{ref}")


async def test_request_sent_again_costs_no_more_than_finding_its_answer(who: Who) -> None:
    cadre = await who("gongnong")
    await cadre.post("/cases", WATER, key="counted-again")
    with counted() as sent:
        again = await cadre.post("/cases", WATER, key="counted-again")
    assert again.headers["idempotent-replay"] == "true"
    assert len(sent) == 1, sent


# Three ways through the table that together take every action: who, which action, and what differs from its plain body.
JUDGED = (
    "gongnong recategorise, gongnong request-supplement, gongnong supply, gongnong add, gongnong escalate, guangshun decline, gongnong object-refusal, "
    "zhihui send-down, guangshun handle, gongnong withdraw"
)
TO_THE_CENTER = "gongnong escalate, guangshun escalate"
DISPATCHED = (
    "zhihui dispatch, ronglong hand-back, zhihui settle, zhihui dispatch, ronglong sign, shuiwu sign, "
    "ronglong progress, lingdao press, lingdao instruct, shuiwu assist-answer"
)
EXCUSED = "zhihui dispatch, zhihui add-assistants, zhihui excuse, zhihui change-lead"
IN_TIME = (
    "ronglong extend, zhihui decide-extension, ronglong wait, zhihui decide-wait, ronglong resume, "
    "lingdao supervise, ronglong reply-supervision, ducha list, lingdao unlist"
)
ANSWERED = (
    "ronglong answer, zhihui close, gongnong ask-review, zhihui decide-review, gongnong ask-reexamination, "
    "jiwei decide-reexamination"
)


@pytest_asyncio.fixture
async def numbers_to_text(who: Who) -> AsyncIterator[None]:
    """The units that act have a number, so that a notice owes them a text."""
    admin = await who("admin")
    entered = [
        await admin.does("/official-numbers", phone=new_phone(), unit_code=code)
        for code in ("500153003007", "500153003", "500153100", "500153ZH")
    ]
    yield
    for one in entered:
        await admin.does(f"/official-numbers/{one['id']}/remove")


@pytest.mark.usefixtures("numbers_to_text")
async def test_every_action_costs_few_statements(who: Who) -> None:
    taken: set[str] = set()

    async def go(ref: str, *ways: str, **different: Any) -> None:
        for step in ", ".join(ways).split(", "):
            account, action = step.split()
            taken.add(action)
            body = BODIES[action]
            sent = None if body is None else {**body, **different}
            path = f"/cases/{ref}/{action}"
            await costs(TRANSITION, await who(account), "POST", path, sent)

    cadre = await who("gongnong")
    await go(await cadre.registers(), JUDGED)
    await go(await cadre.registers(), TO_THE_CENTER, EXCUSED)
    primary, joined = await cadre.registers(), await cadre.registers()
    await go(primary, TO_THE_CENTER, DISPATCHED)
    await go(joined, TO_THE_CENTER)
    await go(joined, "zhihui merge", primary_ref=primary)
    await go(primary, IN_TIME)
    await go(primary, ANSWERED)
    assert taken == set(BODIES)
