"""How many cases each view has: as its list says, bounded, in one statement, for the same eyes."""

import pytest

from app.cases import queries
from tests.api.actions import BODIES
from tests.api.conftest import Who
from tests.api.test_plans import read_whole
from tests.api.test_statements import costs, counted
from tests.people import Person

PEOPLE = ("gongnong", "guangshun", "shuiwu", "zhihui", "jiwei", "lingdao")


async def counts_of(person: Person) -> dict[str, tuple[int, bool]]:
    told = await person.sees("/counts")
    return {one["view"]: (one["count"], one["more"]) for one in told["views"]}


@pytest.mark.parametrize("account", PEOPLE)
async def test_counts_are_the_lengths_of_the_lists(who: Who, account: str) -> None:
    gongnong, guangshun, person = await who("gongnong"), await who("guangshun"), await who(account)
    await gongnong.registers()
    for escalated in range(2):
        ref = await gongnong.registers()
        (await gongnong.post(f"/cases/{ref}/escalate", BODIES["escalate"])).raise_for_status()
        if escalated:
            (await guangshun.post(f"/cases/{ref}/escalate", BODIES["escalate"])).raise_for_status()
            dispatched = await (await who("zhihui")).post(
                f"/cases/{ref}/dispatch", BODIES["dispatch"]
            )
            dispatched.raise_for_status()
    lists = {view: len(await person.lists(view)) for view in queries.OWN_VIEWS}
    bound = queries.COUNTED
    expected = {view: (min(found, bound), found > bound) for view, found in lists.items()}
    assert await counts_of(person) == expected
    assert any(lists.values())


async def test_counts_stop_at_the_bound(who: Who, monkeypatch: pytest.MonkeyPatch) -> None:
    gongnong = await who("gongnong")
    for _ in range(3):
        await gongnong.registers()
    monkeypatch.setattr(queries, "COUNTED", 2)
    assert (await counts_of(gongnong))["to_judge"] == (2, True)


async def test_counts_leave_out_sealed_cases_of_others(who: Who) -> None:
    seen = ("zhihui", "lingdao", "ronglong", "gongnong")
    before = [await counts_of(await who(account)) for account in seen]
    inspectors = await counts_of(await who("jiwei"))
    await (await who("ronglong")).registers(
        kind="accusation", title="检举", accused_code="500153003007"
    )
    assert [await counts_of(await who(account)) for account in seen] == before
    assert await counts_of(await who("jiwei")) != inspectors


async def test_counts_are_one_statement_that_reads_no_whole_table(who: Who) -> None:
    for account in ("gongnong", "zhihui", "jiwei"):
        with counted() as sent:
            await costs(2, await who(account), "GET", "/counts")
        assert not await read_whole(sent)


async def test_registered_view_keeps_a_case_after_it_moves_on(who: Who) -> None:
    gongnong, other = await who("gongnong"), await who("guangshun")
    ref = await gongnong.registers()
    await gongnong.does(f"/cases/{ref}/escalate", finding="无力解决")
    assert ref in await gongnong.lists("registered")
    assert ref not in await other.lists("registered")
    await other.does(f"/cases/{ref}/handle")
    await other.does(f"/cases/{ref}/answer", outcome="solved", answer="已修好")
    assert ref in await gongnong.lists("registered")
    own = await other.registers(village_code="500153003007")
    assert own in await other.lists("registered")
    assert own not in await gongnong.lists("registered")


async def test_registered_view_is_refused_for_the_county(who: Who) -> None:
    center = await who("zhihui")
    refused = await center.get("/cases", scope="county", view="registered")
    assert refused.status_code == 422
    assert refused.json()["mistakes"][0]["where"] == "query.view"
