"""Cards over HTTP: who sees which, the counts, what is shown in red at sign-in and on the wall, and what a look costs."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI

from app.db import observers
from qungong.dev.sample import PASSWORD
from tests import people
from tests.api.conftest import Who
from tests.api.test_visibility import ABSENT, EVERYBODY
from tests.cards import at, cards_of, overdue, swept
from tests.people import Person

# Months that no other test's cards are in: each test its own.
MARCH, APRIL, MAY, JUNE, JULY = (
    datetime(2026, month, 10, 3, tzinfo=UTC) for month in (3, 4, 5, 6, 7)
)
COMMISSION = "500153JW"
VILLAGE = "工农茶叶产业社区居民委员会"
IRREGULAR = {"level": "red", "unit_code": "500153003", "reason": "未核实即上报，两次退回仍不改正。"}


async def listed(by: Person, **asked: object) -> list[dict[str, Any]]:
    """All cards of a list, through its pages."""
    page = await by.sees("/cards", **{"size": 100, **asked})
    found = list(page["items"])
    while page["next"] is not None:
        page = await by.sees("/cards", **{"size": 100, **asked}, cursor=page["next"])
        found += page["items"]
    return found


async def ids(by: Person, **asked: object) -> set[str]:
    return {one["id"] for one in await listed(by, **asked)}


async def shown_in_red(person: Person) -> set[str]:
    return {one["id"] for one in (await person.sees("/sessions/me"))["cards"]}


async def test_overdue_card_tells_unit_person_stage_and_due_time_that_was_missed(
    who: Who,
) -> None:
    cadre = await who("gongnong")
    ref, card, issued = await overdue(cadre, MARCH)
    told = await cadre.sees(f"/cards/{card}")
    assert (told["ref"], told["title"]) == (ref, people.WATER["title"])
    assert (told["level_label"], told["cause_label"], told["stage_label"]) == (
        "黄牌",
        "超期",
        "研判",
    )
    assert (told["unit"], told["person"], told["post"]) == (
        VILLAGE,
        "陈桂芳",
        "社区干部",
    )
    assert told["due_at"] == "2026-03-12T23:59:59+08:00"
    assert told["effective_at"] == "2026-03-13T00:00:00+08:00"
    assert abs(datetime.fromisoformat(told["issued_at"]) - issued) < timedelta(minutes=1)
    assert (told["standing"], told["appeal"], told["issued_by"]) == (True, "none", None)


async def test_card_is_listed_for_its_unit_its_person_and_those_who_look_over_county(
    who: Who,
) -> None:
    cadre = await who("gongnong")
    ref, card, _ = await overdue(cadre, MARCH)
    assert card in await ids(cadre)
    assert card in await ids(cadre, whose="me")
    person_id = (await cadre.sees(f"/cards/{card}"))["person_id"]
    for account in ("zhihui", "ducha", "jiwei", "lingdao"):
        person = await who(account)
        assert card in await ids(person, whose="county"), account
        assert card in await ids(person, whose="county", unit="500153003007"), account
        assert card in await ids(person, whose="county", person=person_id), account
        assert card not in await ids(person, whose="county", unit="500153100"), account
        assert card not in await ids(person), account
    for account in ("guangshun", "guangshun_head", "ronglong", "admin"):
        person = await who(account)
        assert card not in await ids(person) | await ids(person, whose="me"), account
        assert (await person.get("/cards", whose="county")).status_code == 403
        gone = await person.get(f"/cards/{card}")
        nothing = await person.get(f"/cards/{uuid4()}")
        assert (gone.status_code, gone.content) == (404, nothing.content), account
    # It stays the unit's when the case has gone on, and those who got the case may see what came of it before.
    await cadre.does(f"/cases/{ref}/escalate", finding="社区没有供水设备，无法解决停水")
    assert card in await ids(cadre)
    assert (await (await who("guangshun")).sees(f"/cards/{card}"))["unit_code"] == "500153003007"


async def test_list_of_cards_is_filtered_and_paged(who: Who) -> None:
    cadre = await who("gongnong")
    found = [await overdue(cadre, APRIL + timedelta(hours=hour)) for hour in range(3)]
    yellow = [card for _, card, _ in found]
    await swept(found[0][0], level="red")
    red = (await cards_of(found[0][0]))[1]
    april = {"from": "2026-04-01", "to": "2026-04-30"}
    assert await ids(cadre, **april) == {*yellow, red}
    assert await ids(cadre, **april, level="red") == {red}
    assert await ids(cadre, **april, cause="irregular") == set()
    assert await ids(cadre, **april, cause="overdue", size=1) == {*yellow, red}
    paged = await listed(cadre, **april, size=1)
    assert [one["id"] for one in paged] == [one["id"] for one in await listed(cadre, **april)]
    assert paged[0]["id"] == red
    # The 10th and two working days: the 14th is the day after the limit's last.
    assert await ids(cadre, **{"from": "2026-04-15", "to": "2026-04-15"}) == set(yellow)
    assert await ids(cadre, **{"from": "2026-04-14", "to": "2026-04-14"}) == set()
    broken = await cadre.get("/cards", cursor="nonsense")
    assert (broken.status_code, broken.json()["type"]) == (422, "/problems/invalid-input")
    assert (await cadre.get("/cards", person=1)).status_code == 422


async def test_cards_are_counted_gross_and_net(who: Who) -> None:
    cadre, inspector = await who("gongnong"), await who("ducha")
    period = {"from": "2026-05-01", "to": "2026-05-31"}
    ref, card, issued = await overdue(cadre, MAY)
    await overdue(cadre, MAY)
    await swept(ref, level="red")
    with at(issued):
        await cadre.does(f"/cards/{card}/appeal", ground="当天停电，无法登录。")
    before = await inspector.sees("/cards/summary", **period)
    assert before["units"] == [
        {
            "unit_code": "500153003007", "unit": VILLAGE, "gross": 3, "net": 3, "yellow_gross": 2, "yellow_net": 2,
            "red_gross": 1, "red_net": 1, "appeals_open": 1,
        }
    ]  # fmt: skip
    await inspector.does(f"/cards/{card}/decide-appeal", upheld=True, reason="停电属实")
    after = await inspector.sees("/cards/summary", **period)
    assert (after["total"]["gross"], after["total"]["net"]) == (3, 2)
    assert (after["units"][0]["yellow_gross"], after["units"][0]["yellow_net"]) == (2, 1)
    assert after["total"]["appeals_open"] == 0
    assert (await cadre.sees("/cards/summary", **period))["total"] == after["total"]
    others = await (await who("ronglong")).sees("/cards/summary", **period)
    assert (others["units"], others["total"]["gross"]) == ([], 0)
    for wrong in (
        {"from": "2026-05-02", "to": "2026-05-01"},
        {"from": "2024-01-01", "to": "2026-05-01"},
    ):
        assert (await inspector.get("/cards/summary", **wrong)).status_code == 422


async def test_units_cards_are_shown_in_red_to_anyone_of_it_who_signs_in(
    who: Who, api: FastAPI
) -> None:
    cadre, inspector = await who("gongnong"), await who("ducha")
    others = [await who(one) for one in ("guangshun", "zhihui", "ducha", "lingdao", "admin")]
    _, card, issued = await overdue(cadre, JULY)
    _, silent, _ = await overdue(cadre, JULY)
    async with people.visitor(api) as somebody:
        with at(issued):
            session = await somebody.does("/sessions", account="gongnong", password=PASSWORD)
            other = await somebody.does("/sessions", account="guangshun", password=PASSWORD)
    assert {card, silent} <= {one["id"] for one in session["cards"]}
    assert card not in {one["id"] for one in other["cards"]}
    with at(issued):
        assert {card, silent} <= await shown_in_red(cadre)
        for person in others:
            assert card not in await shown_in_red(person), person.account
        await cadre.does(f"/cards/{card}/appeal", ground="期限内已口头报告。")
    with at(issued + timedelta(days=29)):
        assert {card, silent} <= await shown_in_red(cadre)
    with at(issued + timedelta(days=31)):
        # Whoever appealed does not get rid of it sooner than whoever did not.
        assert await shown_in_red(cadre) & {card, silent} == {card}
    assert {card, silent} <= await ids(cadre), "the list keeps both"
    await inspector.does(f"/cards/{card}/decide-appeal", upheld=True, reason="属实")
    with at(issued + timedelta(days=1)):
        assert await shown_in_red(cadre) & {card, silent} == {silent}


async def test_whoever_has_two_posts_sees_the_cards_of_the_one_he_is_in(who: Who) -> None:
    dispatcher, twice = await who("zhihui"), await who("jianzhi")
    cadre, clerk = await who("gongnong"), await who("guangshun")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/escalate", finding="社区没有供水设备，无法解决停水")
    await clerk.does(f"/cases/{ref}/escalate", finding="街道没有供水设备，无法解决停水")
    await dispatcher.does(f"/cases/{ref}/dispatch", lead={"unit_code": "500153D36", "task": "接访"})
    await swept(ref, stage="sign")
    (card,) = await cards_of(ref)
    posts = (await twice.sees("/sessions/me"))["posts"]
    assert card not in await shown_in_red(twice)
    told = await twice.does("/sessions/current/post", post_id=posts[1]["id"])
    assert card in {one["id"] for one in told["cards"]}
    assert card in await ids(twice)
    back = await twice.does("/sessions/current/post", post_id=posts[0]["id"])
    assert card not in {one["id"] for one in back["cards"]}
    # The person carded keeps seeing the card, though not what the case is called.
    kept = [one for one in await listed(twice, whose="me") if one["id"] == card]
    assert [one["title"] for one in kept] == [None]


async def test_wall_shows_cards_listed_cases_and_overdue_counts_without_any_citizen(
    who: Who,
) -> None:
    cadre, inspector = await who("gongnong"), await who("ducha")
    ref, _, _ = await overdue(cadre, JUNE, title="王大爷家没有水")
    newest = await cadre.registers()
    await swept(newest, level="red")
    await inspector.does(f"/cases/{ref}/list", reason="久拖不决")
    for account in ("zhihui", "ducha", "jiwei", "lingdao"):
        answer = await (await who(account)).get("/wall")
        wall = answer.json()
        assert set(await cards_of(newest)) & {one["id"] for one in wall["cards"]}, account
        (shown,) = [one for one in wall["listed"] if one["ref"] == ref]
        assert (shown["holder"], shown["overdue"]) == (VILLAGE, True)
        counts = {one["unit_code"]: one["cases"] for one in wall["overdue"]}
        assert counts["500153003007"] >= 1
        assert "王大爷" not in answer.text
        assert people.WATER["title"] not in answer.text
    for account in ("gongnong", "guangshun_head", "ronglong", "admin"):
        assert (await (await who(account)).get("/wall")).status_code == 403
    given = await inspector.does(
        f"/cases/{newest}/card", **{**IRREGULAR, "unit_code": "500153003007"}
    )
    on_the_wall = (await inspector.get("/wall")).text
    await cadre.does(f"/cards/{given['id']}/appeal", ground="已经核实。")
    await (await who("jiwei")).does(
        f"/cards/{given['id']}/decide-appeal", upheld=True, reason="属实"
    )
    assert given["id"] in on_the_wall
    assert given["id"] not in (await inspector.get("/wall")).text


async def everything_told_of_cards(
    person: Person, ref: str, card: str, period: dict[str, str]
) -> dict[str, Any]:
    """By every path there is to cards."""
    one = [
        await person.get(f"/cards/{card}"),
        await person.post(f"/cards/{card}/appeal", {"ground": "想知道"}),
        await person.post(f"/cards/{card}/decide-appeal", {"upheld": True, "reason": "想知道"}),
        await person.post(f"/cases/{ref}/card", {**IRREGULAR, "unit_code": COMMISSION}),
        await person.get(f"/cases/{ref}/signals"),
    ]
    lists = [
        await person.get("/cards", whose=whose, size=100, **filters)
        for whose in ("unit", "me", "county", "appealed", "review")
        for filters in ({}, {"unit": COMMISSION}, {"level": "yellow"})
    ]
    counts = [
        await person.get("/cards/summary", **period),
        await person.get(f"/units/{COMMISSION}/signals", **period),
        await person.get("/signals"),
        await person.get("/sessions/me"),
        await person.get("/wall"),
    ]
    return {
        "one": [(answer.status_code, answer.content) for answer in one],
        "all": [(answer.status_code, answer.content) for answer in lists + counts],
    }


@pytest.mark.parametrize(
    ("inspector", "accused"), [("jiwei", None), ("jiwei", "500153003007"), ("ducha", COMMISSION)]
)
async def test_card_on_a_sealed_case_exists_for_those_alone_who_see_the_case(
    who: Who, colleague: Person, inspector: str, accused: str | None
) -> None:
    """Nobody else's lists, counts, banner or wall differ in a single byte by it, nor do refusals from what is not there."""
    cadre = await who("ronglong")
    others = {account: await who(account) for account in sorted({*EVERYBODY} - {inspector})}
    others["colleague"] = colleague
    year = {"from": f"{JUNE:%Y-%m-%d}", "to": f"{JUNE + timedelta(days=365):%Y-%m-%d}"}
    nothing = str(uuid4())
    before = {
        account: await everything_told_of_cards(person, ABSENT, nothing, year)
        for account, person in others.items()
    }
    # One long overdue, one whose card is the newest of the county.
    sealed = {"kind": "accusation", "title": "检举", "accused_code": accused, "person": None}
    with at(JUNE):
        old = await cadre.registers(**sealed)
    ref = await cadre.registers(**sealed)
    issued = await swept(old)
    await swept(ref, level="red")
    (first,), (card, _) = await cards_of(old), await cards_of(ref)
    for account, person in others.items():
        told = await everything_told_of_cards(person, ref, card, year)
        assert told == before[account], account
    by = await who(inspector)
    seen = await by.sees(f"/cards/{first}")
    assert (seen["ref"], seen["appeal_until"], seen["may_appeal"]) == (old, None, False)
    assert {first, card} <= await ids(by)
    with at(issued):
        assert first in await shown_in_red(by)
        refused = await by.post(f"/cards/{first}/appeal", {"ground": "没有这回事"})
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/action-not-allowed")
    assert card not in (await by.get("/wall")).text
    summary = await by.sees("/cards/summary", **year)
    own = {one["unit_code"]: one["gross"] for one in summary["units"]}
    assert own[seen["unit_code"]] >= 3


async def escalated(who: Who) -> str:
    cadre, clerk = await who("gongnong"), await who("guangshun")
    ref = await cadre.registers()
    await cadre.does(f"/cases/{ref}/escalate", finding="社区没有供水设备，无法解决停水")
    await clerk.does(f"/cases/{ref}/escalate", finding="街道没有供水设备，无法解决停水")
    return ref


async def test_looking_at_cards_costs_few_statements(who: Who) -> None:
    cadre, inspector = await who("gongnong"), await who("ducha")
    _, card, _ = await overdue(cadre, MARCH)
    ref = await escalated(who)
    for person, path, most in (
        (cadre, "/cards", 2),
        (cadre, "/cards?whose=me&level=red", 2),
        (inspector, "/cards?whose=county&size=100", 2),
        (inspector, f"/cards/{card}", 2),
        (inspector, "/cards/summary", 2),
        (inspector, "/wall", 2),
        (inspector, f"/cases/{ref}/signals", 2),
        (inspector, "/units/500153003/signals", 2),
        (inspector, "/signals", 2),
        (cadre, "/sessions/me", 4),
    ):
        sent: list[str] = []
        observers.append(sent.append)
        try:
            await person.sees(path)
        finally:
            observers.remove(sent.append)
        assert 0 < len(sent) <= most, (path, sent)
