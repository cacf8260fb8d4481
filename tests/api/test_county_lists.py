"""The county's lists: what is pending anywhere is found by those who look over the county, with filters, and nothing sealed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app import clock
from app.cases import county_lists
from app.cases.queries import View
from app.clock import SHANGHAI
from app.db import OWNER, transaction
from app.limits.terms import Kind
from tests import people
from tests.api.conftest import Who
from tests.api.test_plans import read_whole
from tests.api.test_statements import INBOX, counted
from tests.people import Person

LEADING = ("lingdao", "zhihui", "ducha")
_CATEGORY = text("""
SELECT a.id AS top, b.id AS middle, c.id AS leaf FROM category c JOIN category b ON b.id = c.parent_id
JOIN category a ON a.id = b.parent_id ORDER BY c.id LIMIT 1
""")


async def listed(person: Person, **asked: Any) -> list[str]:
    """The references on every page, in their order."""
    found, cursor = [], None
    while True:
        more: dict[str, Any] = {} if cursor is None else {"cursor": cursor}
        page = await person.sees("/cases", **{"scope": "county", "size": 100, **asked, **more})
        found += [one["ref"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return found


async def dispatched(who: Who, *, assistant: bool = True, **different: Any) -> str:
    """A case of 工农 that 荣隆镇 leads, with 县水务局 as assistant."""
    ref = await (await who("gongnong")).registers(**different)
    await (await who("gongnong")).does(f"/cases/{ref}/escalate", finding="社区无法解决")
    await (await who("guangshun")).does(f"/cases/{ref}/escalate", finding="街道无法解决")
    await (await who("zhihui")).does(
        f"/cases/{ref}/dispatch",
        lead={"unit_code": "500153100"},
        assistants=[{"unit_code": "500153D11", "task": "派维修队"}] if assistant else [],
    )
    return ref


async def answered(who: Who, **different: Any) -> str:
    cadre = await who("gongnong")
    ref = await cadre.registers(**different)
    await cadre.does(f"/cases/{ref}/handle")
    await cadre.does(f"/cases/{ref}/answer", outcome="solved", answer="已经修好")
    return ref


@pytest.mark.parametrize("account", LEADING)
async def test_county_list_shows_what_is_pending_in_villages(who: Who, account: str) -> None:
    pending = {await (await who("gongnong")).registers() for _ in range(2)}
    person = await who(account)
    assert pending <= set(await listed(person, view="to_judge"))
    assert pending <= set(await listed(person))
    # What is one's own to judge is another list, and stays it.
    assert not pending & await person.lists("to_judge")


@pytest.mark.parametrize("account", ["gongnong", "guangshun", "shuiwu_head", "admin"])
async def test_county_list_is_refused_to_posts_without_county_view(who: Who, account: str) -> None:
    assert (await (await who(account)).get("/cases", scope="county")).status_code == 403


async def test_county_list_filters_by_unit_in_each_part(who: Who) -> None:
    leader = await who("lingdao")
    theirs, alone = await dispatched(who), await dispatched(who, assistant=False)
    for field, code, meant in (
        ("holder", "500153100", {theirs, alone}),
        ("lead", "500153100", {theirs, alone}),
        ("assistant", "500153D11", {theirs}),
        ("holder", "500153003", set()),
        ("lead", "500153D11", set()),
        ("assistant", "500153100", set()),
    ):
        assert {theirs, alone} & set(await listed(leader, **{field: code})) == meant, (field, code)
    assert {theirs, alone} <= set(await listed(leader, view="to_sign", holder="500153100"))
    assert theirs in await listed(leader, view="assisting")
    assert alone not in await listed(leader, view="assisting")


@pytest.mark.parametrize("finished", [False, True])
async def test_county_list_filters_by_township_with_its_villages(who: Who, finished: bool) -> None:
    leader, clerk = await who("lingdao"), await who("guangshun")
    view = {"view": "finished"} if finished else {}
    village = await (answered(who) if finished else (await who("gongnong")).registers())
    own = await clerk.registers()
    if finished:
        await clerk.does(f"/cases/{own}/handle")
        await clerk.does(f"/cases/{own}/answer", outcome="solved", answer="已经修好")
    both = {village, own}
    assert both <= set(await listed(leader, township="500153003", **view))
    assert both & set(await listed(leader, township="500153003007", **view)) == {village}
    assert not both & set(await listed(leader, township="500153100", **view))


@pytest.mark.parametrize("finished", [False, True])
async def test_county_list_filters_by_category_with_those_below(who: Who, finished: bool) -> None:
    async with transaction() as tx:
        ids = (await tx.all(_CATEGORY))[0]
    leader = await who("lingdao")
    view = {"view": "finished"} if finished else {}
    make = answered if finished else _registered
    inside, outside = await make(who, category_id=ids.leaf), await make(who)
    for level in (ids.top, ids.middle, ids.leaf):
        found = await listed(leader, category_id=level, **view)
        assert inside in found
        assert outside not in found


async def test_county_list_filters_by_kind_urgency_and_phase(who: Who) -> None:
    leader = await who("lingdao")
    plain = await _registered(who)
    urgent = await _registered(who, kind="complaint", urgent=True)
    both = {plain, urgent}
    assert both & set(await listed(leader, kind="complaint")) == {urgent}
    assert both & set(await listed(leader, urgent="true")) == {urgent}
    assert both & set(await listed(leader, urgent="false")) == {plain}
    assert both <= set(await listed(leader, phase="pending"))
    assert not both & set(await listed(leader, phase="handling"))
    done = await answered(who)
    assert done in await listed(leader, view="finished", phase="answered")
    assert done not in await listed(leader, view="finished", phase="declined")


async def test_county_list_filters_by_days(who: Who) -> None:
    leader = await who("lingdao")
    ref, done = await _registered(who), await answered(who)
    item = (await _items(leader))[ref]
    today, due = _day(item["received_at"]), _day(item["stage_due_at"])
    assert ref in await listed(leader, received_from=today, received_to=today)
    assert ref not in await listed(leader, received_to=_day_before(today))
    assert done in await listed(leader, view="finished", received_from=today, received_to=today)
    assert done not in await listed(leader, view="finished", received_to=_day_before(today))
    assert ref in await listed(leader, due_from=due, due_to=due)
    assert ref not in await listed(leader, due_to=_day_before(due))


async def test_county_list_tells_overdue_from_soon_due(who: Who, api: FastAPI) -> None:
    ref = await _registered(who)
    item = (await _items(await who("lingdao")))[ref]
    received, due = (datetime.fromisoformat(item[name]) for name in ("received_at", "stage_due_at"))
    for moment, meant in (
        (received + timedelta(minutes=1), []),
        (due - timedelta(hours=1), ["soon"]),
        (due + timedelta(hours=1), ["overdue"]),
    ):
        with clock.moved(moment - datetime.now(SHANGHAI)):
            async with people.signed_in(api, "lingdao") as leader:
                found = [one for one in ("soon", "overdue") if ref in await listed(leader, due=one)]
        assert found == meant, moment


async def test_county_list_filters_by_supervision_and_listing(who: Who) -> None:
    leader = await who("lingdao")
    supervised, posted, plain = [await _registered(who) for _ in range(3)]
    await leader.does(f"/cases/{supervised}/supervise", demand="一日内回复", days=1)
    await leader.does(f"/cases/{posted}/list", reason="停水五日")
    all_ = {supervised, posted, plain}
    assert all_ & set(await listed(leader, supervised="true")) == {supervised}
    assert all_ & set(await listed(leader, supervised="false")) == {posted, plain}
    assert all_ & set(await listed(leader, listed="true")) == {posted}
    assert all_ & set(await listed(leader, view="to_reply")) == {supervised}


async def test_county_list_shows_what_waits_for_a_decision(who: Who) -> None:
    leader, ronglong = await who("lingdao"), await who("ronglong")
    asked, plain = await dispatched(who), await dispatched(who)
    for ref in (asked, plain):
        await ronglong.does(f"/cases/{ref}/sign")
    await ronglong.does(f"/cases/{asked}/extend", days=3, reason="等施工队")
    assert {asked, plain} & set(await listed(leader, view="to_decide")) == {asked}


@pytest.mark.parametrize("view", sorted(county_lists.VIEWS))
async def test_county_list_never_holds_a_sealed_case(who: Who, view: str) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers(kind="accusation", title="检举", person=None)
    for account in (*LEADING, "duchashi"):
        person = await who(account)
        assert ref not in await listed(person, view=view)
        assert ref not in await listed(person, view=view, holder="500153JW")
    found = [ref in await listed(await who(one), view=view) for one in ("jiwei", "jiandu")]
    assert found == [view in (View.OPEN, View.TO_JUDGE)] * 2


async def test_sealed_cases_change_no_page_length(who: Who) -> None:
    """A page is cut after what may not be seen is left out: its length tells nothing."""
    leader, cadre = await who("lingdao"), await who("gongnong")
    mark = f"第{token_hex(4)}件"
    for number in range(6):
        await cadre.registers(title=f"{mark}{number}")
        await cadre.registers(kind="accusation", title="检举", person=None)
    page = await leader.sees("/cases", scope="county", size=100, township="500153003007")
    whole = [one["ref"] for one in page["items"]]
    paged, cursor = [], None
    for _ in range(len(whole) // 4 + 2):
        more: dict[str, Any] = {} if cursor is None else {"cursor": cursor}
        page = await leader.sees("/cases", scope="county", size=4, township="500153003007", **more)
        paged += [one["ref"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None or len(paged) >= len(whole):
            break
        assert len(page["items"]) == 4
    assert paged[: len(whole)] == whole
    assert len(set(paged)) == len(paged)


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"holder": "500153X99"}, "query.holder"),
        ({"township": "500153D11"}, "query.township"),
        ({"township": "500153"}, "query.township"),
        ({"category_id": 2**31 - 1}, "query.category_id"),
        ({"phase": "answered"}, "query.phase"),
        ({"view": "finished", "phase": "pending"}, "query.phase"),
        ({"view": "finished", "due": "overdue"}, "query.due"),
        ({"cursor": "x"}, "query.cursor"),
        ({"scope": "mine", "view": "open"}, "query.view"),
        ({"scope": "mine", "kind": "help"}, "query.kind"),
        ({"unit": "500153100"}, "query.unit"),
    ],
)
async def test_county_list_refuses_what_makes_no_sense(
    who: Who, asked: dict[str, Any], where: str
) -> None:
    refused = await (await who("lingdao")).get("/cases", **{"scope": "county", **asked})
    assert refused.status_code == 422
    assert where in refused.text


def _every_question() -> Iterator[dict[str, Any]]:
    filters: tuple[dict[str, Any], ...] = (
        {}, {"holder": "500153100"}, {"lead": "500153100"}, {"assistant": "500153D11"}, {"township": "500153003"},
        {"category_id": 1}, {"kind": Kind.HELP}, {"urgent": "true"}, {"listed": "true"}, {"supervised": "true"},
        {"received_from": "2026-01-01", "received_to": "2026-12-31"},
    )  # fmt: skip
    for view in sorted(county_lists.VIEWS):
        for asked in filters:
            yield {"view": view, **asked}
    for due in ("overdue", "soon"):
        yield {"due": due}
    yield {"due_from": "2026-01-01", "due_to": "2026-12-31"}


async def test_county_list_finds_its_rows_by_an_index_in_few_statements(who: Who) -> None:
    person = await who("ducha")
    everything: list[str] = []
    for asked in _every_question():
        with counted() as sent:
            await person.sees("/cases", scope="county", **asked)
        assert 0 < len(sent) <= INBOX, asked
        everything += sent
    assert not await read_whole(everything)
    # Nor where the planner knows how few there are.
    async with transaction() as tx:
        await tx.act_as(OWNER)
        await tx.execute(text("ANALYZE grievance, assignment, clock, matter_party"))
    assert not await read_whole(everything)


def test_every_way_of_finding_is_tried() -> None:
    """What the plans are made for is all there is."""
    ways = {*county_lists._OPEN_BY, *county_lists._FINISHED_BY}
    found = {
        county_lists._found_by(
            dict.fromkeys(county_lists._NAMES.values()) | meant, finished=finished
        )
        for finished in (False, True)
        for meant in ({}, {"holders": [1]}, {"leads": [1]}, {"categories": [1]}, {"places": [1]})
    }
    assert found == ways


async def test_list_asks_a_stranger_to_sign_in_before_it_reads_the_query(
    api: FastAPI, who: Who
) -> None:
    async with people.visitor(api) as stranger:
        assert (await stranger.get("/cases", size=0)).status_code == 401
    refused = await (await who("zhihui")).get("/cases", size=0)
    assert (refused.status_code, [one["where"] for one in refused.json()["mistakes"]]) == (422, ["query.size"])  # fmt: skip


async def _registered(who: Who, **different: Any) -> str:
    return await (await who("gongnong")).registers(**different)


async def _items(person: Person) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    cursor = None
    while True:
        more: dict[str, Any] = {} if cursor is None else {"cursor": cursor}
        page = await person.sees("/cases", scope="county", size=100, **more)
        found |= {one["ref"]: one for one in page["items"]}
        cursor = page["next"]
        if cursor is None:
            return found


def _day(moment: str) -> str:
    return str(datetime.fromisoformat(moment).astimezone(SHANGHAI).date())


def _day_before(day: str) -> str:
    return str(datetime.fromisoformat(day).date() - timedelta(days=1))
