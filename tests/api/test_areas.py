"""Numbers of open cases by township and village: equal to the county's lists, refused to posts without the county's view."""

from typing import Any

import pytest

from tests.api.conftest import Who
from tests.api.test_county_lists import listed
from tests.api.test_statements import costs
from tests.people import Person

TOWNSHIP, VILLAGE = "500153003", "500153003007"


async def areas(person: Person, **asked: str) -> dict[str, dict[str, Any]]:
    return {one["code"]: one for one in (await person.sees("/areas", **asked))["items"]}


async def test_area_count_holds_a_case_in_village_and_township(who: Who) -> None:
    leader = await who("lingdao")
    township, village = (
        (await areas(leader))[TOWNSHIP],
        (await areas(leader, within=TOWNSHIP))[VILLAGE],
    )
    await (await who("gongnong")).registers(urgent=True)
    after_all, after_one = (
        (await areas(leader))[TOWNSHIP],
        (await areas(leader, within=TOWNSHIP))[VILLAGE],
    )
    for before, after in ((township, after_all), (village, after_one)):
        assert after["open"] == before["open"] + 1
        assert after["urgent"] == before["urgent"] + 1
        assert after["listed"] == before["listed"]


async def test_area_count_of_a_township_holds_cases_without_village(who: Who) -> None:
    leader, clerk = await who("lingdao"), await who("guangshun")
    before = (await areas(leader, within=TOWNSHIP))[TOWNSHIP]["open"]
    await clerk.registers()
    assert (await areas(leader, within=TOWNSHIP))[TOWNSHIP]["open"] == before + 1


async def test_area_count_equals_the_length_of_its_list(who: Who) -> None:
    await (await who("gongnong")).registers()
    leader = await who("lingdao")
    for code in (TOWNSHIP, VILLAGE):
        within = {} if code == TOWNSHIP else {"within": TOWNSHIP}
        told = (await areas(leader, **within))[code]
        assert told["open"] == len(await listed(leader, view="open", township=code))
        assert told["overdue"] == len(
            await listed(leader, view="open", township=code, due="overdue")
        )


@pytest.mark.parametrize("account", ["lingdao", "zhihui", "jiwei"])
async def test_area_count_leaves_out_sealed_cases(who: Who, account: str) -> None:
    """Of the discipline commission too, which sees them in its own lists."""
    leader = await who(account)
    before = await areas(leader, within=TOWNSHIP)
    await (await who("ronglong")).registers(
        kind="accusation", title="检举", accused_code=VILLAGE, village_code=VILLAGE
    )
    assert await areas(leader, within=TOWNSHIP) == before


@pytest.mark.parametrize("account", ["gongnong", "guangshun", "shuiwu_head", "admin"])
async def test_area_count_is_refused_to_posts_without_county_view(who: Who, account: str) -> None:
    assert (await (await who(account)).get("/areas")).status_code == 403


@pytest.mark.parametrize("within", [VILLAGE, "500153D11", "500116001", "000"])
async def test_area_count_refuses_a_unit_that_is_no_township(who: Who, within: str) -> None:
    refused = await (await who("lingdao")).get("/areas", within=within)
    assert refused.status_code == 422
    assert refused.json()["mistakes"][0]["where"] == "query.within"


async def test_area_count_costs_two_statements(who: Who) -> None:
    leader = await who("lingdao")
    await costs(2, leader, "GET", "/areas")
    await costs(2, leader, "GET", f"/areas?within={TOWNSHIP}")
