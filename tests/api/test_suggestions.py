"""Who is suggested to lead a case: those who solved what resembles it, with the reason, the load and the limits; to nobody else."""

from secrets import randbelow
from typing import Any

import pytest

from app.cases import suggested_leads
from tests.api.conftest import Who
from tests.api.test_county_lists import dispatched
from tests.api.test_plans import read_whole
from tests.api.test_statements import costs, counted
from tests.people import Person

TOWNSHIP, WATER, CENTER = "500153100", "500153D11", "500153ZH"
DISCIPLINE = "500153JW"


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


async def test_unit_that_solved_the_like_is_suggested_with_its_reason(
    who: Who, subject: str
) -> None:
    solved = await finished(who, subject)
    ref = await to_dispatch(who, subject)
    [first, *_] = await leads(await who("zhihui"), ref)
    assert first["unit_code"] == TOWNSHIP
    assert first["reason"].startswith("近一年相近的")
    assert first["reason"].endswith("件由荣隆镇主办")
    assert [one["unit_code"] for one in first["assistants"]] == [WATER]
    assert {"ref": solved, "title": subject[:10], "outcome_label": "已解决"} in first["nearest"]
    assert first["open"] >= first["overdue"] >= 0


async def test_limits_are_those_that_dispatching_gives(who: Who, subject: str) -> None:
    await finished(who, subject)
    ref = await to_dispatch(who, subject)
    center = await who("zhihui")
    [first, *_] = await leads(center, ref)
    await center.does(f"/cases/{ref}/dispatch", lead={"unit_code": TOWNSHIP})
    clocks = (await center.sees(f"/cases/{ref}"))["clocks"]
    due = {one["stage"]: one["due_at"] for one in clocks if one["ended_at"] is None}
    assert (first["sign_due_at"], first["handle_due_at"]) == (due["sign"], due["handle"])


async def test_nothing_alike_suggests_nothing(who: Who) -> None:
    ref = await to_dispatch(who, words(16))
    assert await leads(await who("zhihui"), ref) == []


async def test_suggestions_are_refused_to_those_who_cannot_dispatch(who: Who, subject: str) -> None:
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


async def test_unit_that_handed_the_case_back_is_not_suggested(who: Who, subject: str) -> None:
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


async def test_look_up_reads_a_bounded_number_of_finished_cases(
    who: Who, subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await finished(who, subject)
    ref = await to_dispatch(who, subject)
    center = await who("zhihui")
    with counted() as sent:
        await leads(center, ref)
    assert sum(f"ORDER BY c.id DESC LIMIT {suggested_leads._COMPARED}" in one for one in sent) == 1
    assert not await read_whole(sent)
    monkeypatch.setattr(suggested_leads, "_HEARD", 0)
    assert await leads(center, ref) == []


async def test_suggesting_costs_few_statements(who: Who, subject: str) -> None:
    await finished(who, subject)
    ref = await to_dispatch(who, subject)
    await costs(7, await who("zhihui"), "GET", f"/cases/{ref}/suggestions")


async def test_load_of_a_unit_counts_no_sealed_case(who: Who, subject: str) -> None:
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
