"""The list of responsibilities: set by the command center and the administrator, on record, and the first to be suggested."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from app.db import reading
from tests.api.conftest import Who
from tests.api.test_statements import costs
from tests.api.test_suggested_categories import id_of
from tests.api.test_suggestions import TOWNSHIP, WATER, finished, leads, to_dispatch, words
from tests.people import Person

_KEPT = text("""
SELECT u.code, r.ended_at IS NULL AS in_force FROM responsibility r JOIN unit u ON u.id = r.unit_id
WHERE r.category_id = :category ORDER BY r.id
""")


async def below(person: Person, path: str) -> tuple[int, int]:
    """A first-level category, and one two levels below it that no other test uses."""
    first = await id_of(person, path)
    tree = await person.sees("/categories")
    (top,) = [one for one in tree if one["id"] == first]
    return first, int(top["children"][0]["children"][0]["id"])


async def assigned(person: Person, category: int, unit: str | None) -> list[dict[str, Any]]:
    told = await person.does(f"/responsibilities/{category}", unit_code=unit)
    return [one for one in told["items"] if one["category_id"] == category]


async def test_unit_of_the_list_is_suggested_before_those_that_solved_similar_cases(
    who: Who,
) -> None:
    center, subject = await who("zhihui"), words(16)
    await finished(who, subject)
    first, third = await below(center, "科技与信息产业")
    await assigned(center, first, WATER)
    ref = await to_dispatch(who, subject, category_id=third)
    suggested = await leads(center, ref)
    assert [one["unit_code"] for one in suggested[:2]] == [WATER, TOWNSHIP]
    assert suggested[0]["reason"].startswith("职责清单：科技与信息产业由县水务局主办")
    assert suggested[0]["handle_due_at"]


async def test_suggestion_goes_by_the_nearest_category_above(who: Who) -> None:
    center = await who("zhihui")
    first, third = await below(center, "国土资源")
    await assigned(center, first, WATER)
    await assigned(center, third, "500153D12")
    ref = await to_dispatch(who, words(16), category_id=third)
    assert [one["unit_code"] for one in await leads(center, ref)] == ["500153D12"]
    await assigned(center, third, None)
    assert [one["unit_code"] for one in await leads(center, ref)] == [WATER]


async def test_case_without_a_category_is_suggested_by_what_was_solved_alone(who: Who) -> None:
    ref = await to_dispatch(who, words(16))
    assert await leads(await who("zhihui"), ref) == []


async def test_responsibility_that_changes_stays_on_record(who: Who) -> None:
    center, administrator = await who("zhihui"), await who("admin")
    category = await id_of(center, "商贸旅游")
    [one] = await assigned(administrator, category, WATER)
    assert (one["unit_name"], one["set_by"]) == ("县水务局", "谢文静")
    [one] = await assigned(center, category, TOWNSHIP)
    assert (one["unit_name"], one["set_by"]) == ("荣隆镇", "罗晓燕")
    assert await assigned(center, category, None) == []
    async with reading() as tx:
        kept = [(row.code, row.in_force) for row in await tx.all(_KEPT, category=category)]
    assert kept == [(WATER, False), (TOWNSHIP, False)]


async def test_responsibility_of_the_same_unit_changes_nothing(who: Who) -> None:
    center = await who("zhihui")
    category = await id_of(center, "交通运输")
    await assigned(center, category, WATER)
    again = await center.post(f"/responsibilities/{category}", {"unit_code": WATER})
    assert again.status_code == 409


async def test_two_at_once_leave_one_in_force(who: Who) -> None:
    center, administrator = await who("zhihui"), await who("admin")
    category = await id_of(center, "经济管理")
    answers = await asyncio.gather(
        *(
            person.post(f"/responsibilities/{category}", {"unit_code": unit})
            for person, unit in [(center, WATER), (administrator, TOWNSHIP)] * 3
        )
    )
    assert {one.status_code for one in answers} <= {200, 409}
    async with reading() as tx:
        in_force = [row for row in await tx.all(_KEPT, category=category) if row.in_force]
    assert len(in_force) == 1


@pytest.mark.parametrize("account", ["gongnong", "guangshun", "shuiwu", "lingdao", "ducha"])
async def test_responsibility_is_refused_to_other_posts(who: Who, account: str) -> None:
    person = await who(account)
    category = await id_of(person, "民政")
    assert (await person.get("/responsibilities")).status_code == 200
    refused = await person.post(f"/responsibilities/{category}", {"unit_code": WATER})
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("category", "unit"),
    [(2**31 - 1, WATER), (None, "999999"), (None, "500153003007"), (None, "500153ZH")],
)
async def test_responsibility_of_an_unknown_or_leading_nothing_unit_is_refused(
    who: Who, category: int | None, unit: str
) -> None:
    center = await who("zhihui")
    known = category or await id_of(center, "卫生计生")
    refused = await center.post(f"/responsibilities/{known}", {"unit_code": unit})
    assert refused.status_code == 422


async def test_suggestions_with_the_list_cost_few_statements(who: Who) -> None:
    center = await who("zhihui")
    first, third = await below(center, "环境保护")
    await assigned(center, first, WATER)
    ref = await to_dispatch(who, words(16), category_id=third)
    await costs(8, center, "GET", f"/cases/{ref}/suggestions")
