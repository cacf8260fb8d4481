"""Look-ups in the directory: pages of units, and only what is valid today."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from app.db import OWNER, Transaction
from app.directory import queries
from app.directory.terms import UnitKind
from tests.directory.lists import SMALL, bring_in, four_counties, listed


async def _codes(tx: Transaction, **asked: Any) -> list[str]:
    page = json.loads(await queries.search_units(tx, **asked))
    return [unit["code"] for unit in page["items"]]


async def test_pages_of_units_follow_each_other_without_a_gap_or_a_repeat(tx: Transaction) -> None:
    await bring_in(tx, four_counties())
    seen: list[str] = []
    after: str | None = None

    for _ in range(4):
        page = json.loads(
            await queries.search_units(
                tx, parent="500153", kind=UnitKind.TOWNSHIP, after=after, limit=7
            )
        )
        seen += [unit["code"] for unit in page["items"]]
        after = page["next"]
        if after is None:
            break

    assert len(seen) == len(set(seen)) == 21
    assert seen == sorted(seen)
    assert after is None


async def test_units_are_found_by_part_of_their_name_in_one_county(tx: Transaction) -> None:
    await bring_in(tx, four_counties())
    county = await queries.unit_by_code(tx, "510704")
    assert county is not None

    assert await _codes(tx, named="茶叶产业", county_id=county.id) == ["510704003007"]
    assert len(await _codes(tx, named="茶叶产业")) == 4


@pytest.mark.parametrize("named", ["%", "_", "\\", "'"])
async def test_signs_in_a_name_mean_themselves(named: str, tx: Transaction) -> None:
    await bring_in(tx, listed(*SMALL))

    assert await _codes(tx, named=named) == []


async def test_unit_says_what_it_is_and_where_it_stands(tx: Transaction) -> None:
    await bring_in(tx, listed(*SMALL))

    page = json.loads(await queries.search_units(tx, kind=UnitKind.VILLAGE))

    assert page == {
        "items": [
            {
                "code": "500153003007",
                "name": "工农茶叶产业社区居民委员会",
                "short_name": "工农茶叶产业社区",
                "kind": "village",
                "parent": "500153003",
            }
        ],
        "next": None,
    }


async def test_ended_unit_is_found_no_more(tx: Transaction) -> None:
    await bring_in(tx, listed(*SMALL))
    await tx.act_as(OWNER)
    await tx.execute(
        text(
            "UPDATE unit SET valid_from = CURRENT_DATE - 9, valid_to = CURRENT_DATE - 1 "
            "WHERE code = '500153100'"
        )
    )

    assert await queries.unit_by_code(tx, "500153100") is None
    assert await _codes(tx, kind=UnitKind.TOWNSHIP) == ["500153003"]


async def test_categories_come_as_a_tree_without_those_no_longer_used(tx: Transaction) -> None:
    for path, active in (("甲", True), ("甲/乙", True), ("甲/乙/丙", True), ("甲/乙/丁", False)):
        above, _, name = path.rpartition("/")
        await tx.execute(
            text("""
            INSERT INTO category (parent_id, level, name, path, active)
            VALUES ((SELECT id FROM category WHERE path = :above), :level, :name, :path, :active)
            """),
            above=above,
            level=path.count("/") + 1,
            name=name,
            path=path,
            active=active,
        )

    (top,) = json.loads(await queries.category_tree(tx))
    assert (top["name"], top["children"][0]["name"]) == ("甲", "乙")
    assert [leaf["path"] for leaf in top["children"][0]["children"]] == ["甲/乙/丙"]
