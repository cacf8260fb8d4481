"""Suggested categories: from the first day by what is shipped, later by the county's own cases; of what one may see, never sealed."""

from typing import Any

import pytest

from app.cases import suggested_categories
from tests.api.conftest import Who
from tests.api.test_search import a_name
from tests.api.test_statements import costs
from tests.people import Person


@pytest.fixture(autouse=True)
def learned_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggested_categories, "KEPT_FOR", -1.0)


async def suggested(person: Person, body: str, title: str = "") -> list[dict[str, Any]]:
    told = await person.does("/cases/categories", body=body, title=title)
    return list(told["items"])


async def id_of(person: Person, path: str) -> int:
    """Of a first-level category."""
    (found,) = [one["id"] for one in await person.sees("/categories") if one["path"] == path]
    return int(found)


async def test_first_day_suggests_by_what_is_shipped(who: Who) -> None:
    items = await suggested(
        await who("zhihui"), "公司拖欠工资三个月，不签劳动合同，也不交社保。", "拖欠工资"
    )
    assert items[0]["path"].startswith("劳动和社会保障")
    assert items[0]["why"]
    assert len({one["path"].split("/")[0] for one in items}) == len(items) == 3


async def test_own_cases_teach_what_a_word_of_the_county_means(who: Who) -> None:
    center, word = await who("zhihui"), a_name(4)
    path = "民政"
    category = await id_of(center, path)
    for number in range(6):
        await center.registers(
            title=f"{word}{number}", body=f"{word}的事，{word}还没有办", category_id=category
        )
    items = await suggested(center, f"{word}什么时候能办", word)
    assert items[0]["path"].split("/")[0] == path
    assert any(pair in word for pair in items[0]["why"])


@pytest.mark.parametrize(("kind", "asker"), [("help", "gongnong"), ("accusation", "zhihui")])
async def test_cases_of_other_units_and_sealed_ones_teach_nothing(
    who: Who, kind: str, asker: str
) -> None:
    word, clerk = a_name(4), await who("ronglong")
    category = await id_of(clerk, "民政")
    for number in range(6):
        await clerk.registers(
            title=f"{word}{number}", body=f"{word}的事", category_id=category, kind=kind
        )
    items = await suggested(await who(asker), f"{word}什么时候能办", word)
    assert not [pair for one in items for pair in one["why"] if pair in word]


async def test_report_with_nothing_in_common_gets_no_suggestion(who: Who) -> None:
    assert await suggested(await who("gongnong"), "①②③④ 12345") == []


async def test_suggestion_costs_three_statements(who: Who) -> None:
    await costs(3, await who("zhihui"), "POST", "/cases/categories", {"body": "没有自来水"})
