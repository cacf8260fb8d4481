"""Suggested lead units: the units that solved similar cases, with reason, load and limits. Only a dispatcher may ask."""

from datetime import timedelta
from secrets import randbelow
from typing import Any

import pytest

from app.cases import suggested_leads
from app.db import transaction
from app.directory.terms import Role, UnitKind
from app.directory.units import end_unit
from tests.api.conftest import As, Who
from tests.api.test_county_lists import dispatched
from tests.api.test_plans import read_whole
from tests.api.test_statements import costs, counted
from tests.people import Person
from tests.units import staffed, yesterday

TOWNSHIP, WATER, CENTER = "500153100", "500153D11", "500153ZH"
DISCIPLINE, COUNTY = "500153JW", "500153"


def words(many: int) -> str:
    """Letters that no other case has one after the other."""
    return "".join(chr(0x4E00 + randbelow(8000)) for _ in range(many))


@pytest.fixture
def subject() -> str:
    return words(16)


async def finished(who: Who, subject: str) -> str:
    """荣隆镇 led, 县水务局 assisted, and it was answered."""
    ref = await dispatched(who, title=subject[:10], body=subject)
    lead, assistant = await who("ronglong"), await who("shuiwu")
    for unit in (lead, assistant):
        await unit.does(f"/cases/{ref}/sign")
    await assistant.does(f"/cases/{ref}/assist-answer", answer="管网已修复")
    await lead.does(f"/cases/{ref}/answer", outcome="solved", answer="已恢复供水")
    return ref


async def to_dispatch(who: Who, subject: str, **different: Any) -> str:
    told = {"title": subject[4:14], "body": subject} | different
    ref = await (await who("gongnong")).registers(**told)
    for account in ("gongnong", "guangshun"):
        await (await who(account)).does(f"/cases/{ref}/escalate", finding="无力解决")
    return ref


async def leads(person: Person, ref: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await person.sees(f"/cases/{ref}/suggestions"))["leads"]
    return found


async def test_suggestion_names_the_unit_that_solved_similar_cases(who: Who, subject: str) -> None:
    solved = await finished(who, subject)
    ref = await to_dispatch(who, subject)
    [first, *_] = await leads(await who("zhihui"), ref)
    assert first["unit_code"] == TOWNSHIP
    assert first["reason"].startswith("近一年相近的")
    assert first["reason"].endswith("件由荣隆镇主办")
    assert [one["unit_code"] for one in first["assistants"]] == [WATER]
    assert {"ref": solved, "title": subject[:10], "outcome_label": "已解决"} in first["nearest"]
    assert first["open"] >= first["overdue"] >= 0


async def test_suggestion_shows_the_limits_that_dispatch_gives(who: Who, subject: str) -> None:
    await finished(who, subject)
    ref = await to_dispatch(who, subject)
    center = await who("zhihui")
    [first, *_] = await leads(center, ref)
    await center.does(f"/cases/{ref}/dispatch", lead={"unit_code": TOWNSHIP})
    clocks = (await center.sees(f"/cases/{ref}"))["clocks"]
    due = {one["stage"]: one["due_at"] for one in clocks if one["ended_at"] is None}
    assert (first["sign_due_at"], first["handle_due_at"]) == (due["sign"], due["handle"])


async def test_suggestion_is_empty_without_similar_cases(who: Who) -> None:
    ref = await to_dispatch(who, words(16))
    assert await leads(await who("zhihui"), ref) == []


async def test_suggestion_is_refused_to_staff_who_cannot_dispatch(who: Who, subject: str) -> None:
    ref = await to_dispatch(who, subject)
    for account, status in (
        ("gongnong", 403),
        ("lingdao", 403),
        ("ronglong", 404),
        ("shuiwu", 404),
    ):
        answer = await (await who(account)).get(f"/cases/{ref}/suggestions")
        assert answer.status_code == status, account
    center = await who("zhihui")
    await center.does(f"/cases/{ref}/dispatch", lead={"unit_code": WATER})
    await (await who("shuiwu")).does(f"/cases/{ref}/sign")
    assert (await (await who("shuiwu")).get(f"/cases/{ref}/suggestions")).status_code == 403


async def test_suggestion_leaves_out_a_unit_that_handed_back(who: Who, subject: str) -> None:
    told = {"title": subject[:10], "body": subject}
    solved = await dispatched(who, assistant=False, **told)
    center, water = await who("zhihui"), await who("shuiwu")
    await (await who("ronglong")).does(f"/cases/{solved}/hand-back", reason="管线属水务局")
    decision = {"unit_code": TOWNSHIP, "agreed": True, "reason": "属实"}
    await center.does(f"/cases/{solved}/settle", **decision)
    await center.does(f"/cases/{solved}/dispatch", lead={"unit_code": WATER})
    await water.does(f"/cases/{solved}/sign")
    await water.does(f"/cases/{solved}/answer", outcome="solved", answer="已修好")
    ref = await to_dispatch(who, subject)
    assert [one["unit_code"] for one in await leads(center, ref)] == [WATER]


async def test_suggestion_reads_a_bounded_number_of_cases(who: Who, subject: str) -> None:
    await finished(who, subject)
    ref = await to_dispatch(who, subject)
    center = await who("zhihui")
    with counted() as sent:
        await leads(center, ref)
    assert sum(f"ORDER BY c.id DESC LIMIT {suggested_leads._COMPARED}" in one for one in sent) == 1
    assert not await read_whole(sent)


async def test_suggestion_costs_at_most_eight_statements(who: Who, subject: str) -> None:
    await finished(who, subject)
    ref = await to_dispatch(who, subject)
    await costs(8, await who("zhihui"), "GET", f"/cases/{ref}/suggestions")


async def test_suggestion_load_counts_no_sealed_case(who: Who, subject: str) -> None:
    """The dispatcher would learn from it that there is an accusation."""
    ref = await to_dispatch(who, subject)
    center, supervisor = await who("zhihui"), await who("ducha")
    await center.does(f"/cases/{ref}/dispatch", lead={"unit_code": CENTER})
    await center.does(f"/cases/{ref}/sign")
    await center.does(f"/cases/{ref}/answer", outcome="solved", answer="已恢复供水")
    another = await to_dispatch(who, subject)
    [before, *_] = await leads(center, another)
    assert before["unit_code"] == CENTER
    told = {"kind": "accusation", "title": "检举", "accused_code": DISCIPLINE, "person": None}
    accusation = await (await who("ronglong")).registers(**told)
    await supervisor.does(f"/cases/{accusation}/handle")
    assert (await center.get(f"/cases/{accusation}")).status_code == 404
    assert await leads(center, another) == [before]


async def test_suggestion_leaves_out_cases_older_than_a_year(
    who: Who, subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await finished(who, subject)
    ref = await to_dispatch(who, subject)
    center = await who("zhihui")
    assert await leads(center, ref)
    # As if a year were over as soon as a case has come in.
    monkeypatch.setattr(suggested_leads, "_YEAR", timedelta(0))
    assert await leads(center, ref) == []


async def test_suggestion_leaves_out_a_unit_that_ended(who: Who, acting: As, subject: str) -> None:
    unit = await staffed(UnitKind.DEPARTMENT, Role.UNIT_HANDLER, COUNTY)
    solved, center = await to_dispatch(who, subject), await who("zhihui")
    await center.does(f"/cases/{solved}/dispatch", lead={"unit_code": unit})
    handler = await acting(unit)
    await handler.does(f"/cases/{solved}/sign")
    await handler.does(f"/cases/{solved}/answer", outcome="solved", answer="已修好")
    ref = await to_dispatch(who, subject)
    assert [one["unit_code"] for one in await leads(center, ref)] == [unit]
    async with transaction() as tx:
        await end_unit(tx, unit, last_day=await yesterday(tx), successor=None)
    assert await leads(center, ref) == []
