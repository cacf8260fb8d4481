"""Who accused somebody is called back by the supervisors of the unit that holds the accusation, and by nobody else."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
import pytest_asyncio

from app.api.app import create_app
from tests import people
from tests.people import Person
from tests.surveys.conftest import Village, new_phone
from tests.surveys.test_surveys import reply

CALLERS = ("zhihui", "ducha", "jiwei")
COMMISSION = "500153JW"

Who = Callable[[str], Awaitable[Person]]


@pytest_asyncio.fixture
async def who(county: None) -> AsyncIterator[Who]:
    assert county is None
    api = create_app()
    async with AsyncExitStack() as stack:

        async def find(account: str) -> Person:
            return await stack.enter_async_context(people.signed_in(api, account))

        yield find


async def calls(person: Person) -> dict[str, str]:
    """The ids of the calls on somebody's list by case, through all pages."""
    found: dict[str, str] = {}
    after: dict[str, str] = {}
    while True:
        page = await person.sees("/return-calls", size=3, **after)
        found |= {item["ref"]: item["id"] for item in page["items"]}
        if page["next"] is None:
            return found
        assert len(page["items"]) == 3, "a page is as long as asked: nothing is left out of it"
        after = {"after": page["next"]}


@pytest.mark.parametrize(
    ("solver", "inspector", "accused"),
    [
        ("jiwei", "jiandu", None),
        ("jiwei", "jiandu", "500153003007"),
        ("ducha", "duchashi", COMMISSION),
    ],
)
async def test_inspector_of_an_accusation_calls_back_and_has_it_done_again(
    who: Who, village: Village, solver: str, inspector: str, accused: str | None
) -> None:
    phone = new_phone()
    asked = await village.asked_about_an_accusation(phone, solver=solver, accused=accused)
    await reply(phone, "不满意，没有下文")
    by = await who(inspector)
    call = f"/return-calls/{(await calls(by))[asked.ref]}"
    seen = await by.sees(call)
    assert (seen["phone"], seen["remark"]) == (phone, "没有下文")
    again = f"/cases/{asked.ref}/rework"
    assert (await by.post(again, {"reason": "回访属实"})).status_code == 409

    for account in {*CALLERS, "lingdao"} - {solver}:
        other = await who(account)
        finding = {"result": "valid", "consent": True}
        known = [await other.get(call), await other.post(f"{call}/finding", finding)]
        nothing = f"/return-calls/{uuid4()}"
        unknown = [await other.get(nothing), await other.post(f"{nothing}/finding", finding)]
        assert [(one.status_code, one.content) for one in known] == [
            (one.status_code, one.content) for one in unknown
        ]
        assert {one.status_code for one in known} <= {403, 404}
        absent = await other.post("/cases/500153-261122-00000001/rework", {"reason": "想知道"})
        refused = await other.post(again, {"reason": "想知道"})
        assert (refused.status_code, refused.content) == (absent.status_code, absent.content)
        if account != "lingdao":
            assert asked.ref not in await calls(other), account

    done = await by.does(f"{call}/finding", result="valid", consent=True, note="属实")
    assert done["state"] == "done"
    reworked = await by.does(again, reason="回访属实")
    assert (reworked["phase"], reworked["round"]) == ("handling", 2)
    assert "hand_back" not in reworked["actions"], "nobody would be there to decide about it"
    await by.does(f"/cases/{asked.ref}/sign")
    answered = await by.does(f"/cases/{asked.ref}/answer", outcome="solved", answer="已查处")
    assert answered["phase"] == "answered"


async def test_commission_learns_of_no_call_that_is_the_centers(who: Who, village: Village) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    await reply(phone, "3")
    center, inspector = await who("zhihui"), await who("jiwei")
    call = f"/return-calls/{(await calls(center))[asked.ref]}"
    assert asked.ref not in await calls(inspector)
    assert (await inspector.get(call)).status_code == 404
    again = f"/cases/{asked.ref}/rework"
    before = await inspector.post(again, {"reason": "想知道"})
    await center.does(f"{call}/finding", result="valid", consent=True)
    after = await inspector.post(again, {"reason": "想知道"})
    assert (before.status_code, before.content) == (403, after.content)
