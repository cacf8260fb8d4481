"""Appeals against cards: by whom, until when, once; decided outside the unit; on record."""

import asyncio
from datetime import UTC, datetime, timedelta

from app.db import observers, reading
from app.kinds import verification
from tests.api.conftest import Who
from tests.cards import at, overdue
from tests.people import Person

# A Tuesday: 2 working days end on Thursday, the card comes on Friday the 13th of November 2026.
NOVEMBER = datetime(2026, 11, 10, 2, tzinfo=UTC)
GROUND = {"ground": "当天停电，无法登录。"}
UPHELD = {"upheld": True, "reason": "停电属实。"}
IRREGULAR = {"level": "yellow", "unit_code": "500153003007", "reason": "未见面核实。"}


async def carded(who: Who) -> tuple[str, str, datetime]:
    return await overdue(await who("gongnong"), NOVEMBER)


async def refused(person: Person, path: str, body: object) -> tuple[int, str]:
    answer = await person.client.post(path, json=body)
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def test_appeal_upheld_revokes_the_card_and_stands_on_the_record(who: Who) -> None:
    cadre, inspector = await who("gongnong"), await who("ducha")
    ref, card, issued = await carded(who)
    with at(issued + timedelta(days=3)):
        appealed = await cadre.does(f"/cards/{card}/appeal", **GROUND)
        assert (appealed["appeal"], appealed["standing"], appealed["may_appeal"]) == (
            "open",
            True,
            False,
        )
        assert appealed["appealed"]["by"] == "陈桂芳"
        assert appealed["appealed"]["ground"] == GROUND["ground"]
        assert (await inspector.sees(f"/cards/{card}"))["may_decide"] is True
        decided = await inspector.does(f"/cards/{card}/decide-appeal", **UPHELD)
    assert (decided["appeal"], decided["standing"], decided["may_decide"]) == (
        "upheld",
        False,
        False,
    )
    assert decided["appealed"]["decided_by_unit"] == "荣昌区群工系统指挥中心"
    assert decided == await inspector.sees(f"/cards/{card}")
    timeline = (await inspector.sees(f"/cases/{ref}"))["timeline"]
    told = [(one["action"], one["unit"], one["texts"]) for one in timeline[-2:]]
    assert told == [
        ("appeal", "工农茶叶产业社区居民委员会", GROUND),
        ("decide_appeal", "荣昌区群工系统指挥中心", {"reason": UPHELD["reason"]}),
    ]
    assert timeline[-1]["data"]["upheld"] is True
    assert not any(one["public"] for one in timeline[-2:])


async def test_record_still_verifies_after_cards_and_appeals(who: Who) -> None:
    cadre, inspector = await who("gongnong"), await who("ducha")
    ref, card, issued = await carded(who)
    await inspector.does(f"/cases/{ref}/card", **IRREGULAR)
    with at(issued):
        await cadre.does(f"/cards/{card}/appeal", **GROUND)
    await inspector.does(f"/cards/{card}/decide-appeal", upheld=False, reason="没有停电")
    async with reading() as tx:
        faults = [
            fault
            async for _, found in verification.verify(tx)
            for fault in found
            if fault.ref == ref
        ]
    assert faults == []


async def test_appeal_rejected_leaves_the_card_standing(who: Who) -> None:
    cadre, inspector = await who("gongnong"), await who("jiwei")
    _, card, issued = await carded(who)
    with at(issued):
        await cadre.does(f"/cards/{card}/appeal", **GROUND)
    decided = await inspector.does(f"/cards/{card}/decide-appeal", upheld=False, reason="没有停电")
    assert (decided["appeal"], decided["standing"], decided["revoked_at"]) == (
        "rejected",
        True,
        None,
    )


async def test_appeal_is_possible_until_the_fifth_working_day_ends(who: Who) -> None:
    cadre = await who("gongnong")
    for minutes, status in ((-1, 200), (1, 409)):
        _, card, _ = await carded(who)
        told = await cadre.sees(f"/cards/{card}")
        # Issued on Friday at one o'clock in the morning: received that day, which is day 0.
        assert told["appeal_until"] == "2026-11-20T23:59:59+08:00"
        until = datetime.fromisoformat(told["appeal_until"])
        with at(until + timedelta(minutes=minutes)):
            assert (await cadre.sees(f"/cards/{card}"))["may_appeal"] is (status == 200)
            answer = await cadre.post(f"/cards/{card}/appeal", GROUND)
        assert answer.status_code == status, answer.text


async def test_card_is_appealed_against_once(who: Who) -> None:
    cadre, inspector = await who("gongnong"), await who("ducha")
    _, card, issued = await carded(who)
    with at(issued):
        answers = await asyncio.gather(
            *(cadre.post(f"/cards/{card}/appeal", GROUND) for _ in range(4))
        )
        assert sorted(one.status_code for one in answers) == [200, 409, 409, 409]
        await inspector.does(f"/cards/{card}/decide-appeal", upheld=False, reason="没有停电")
        assert await refused(cadre, f"/cards/{card}/appeal", GROUND) == (409, "action-not-allowed")


async def test_appeal_sent_again_under_its_key_is_made_once(who: Who) -> None:
    cadre = await who("gongnong")
    _, card, issued = await carded(who)
    with at(issued):
        first = await cadre.post(f"/cards/{card}/appeal", GROUND, key=f"appeal-{card}")
        again = await cadre.post(f"/cards/{card}/appeal", GROUND, key=f"appeal-{card}")
    assert (first.status_code, first.content) == (200, again.content)


async def test_appeal_is_decided_once(who: Who) -> None:
    cadre = await who("gongnong")
    _, card, issued = await carded(who)
    early = await refused(await who("ducha"), f"/cards/{card}/decide-appeal", UPHELD)
    assert early == (409, "action-not-allowed")
    with at(issued):
        await cadre.does(f"/cards/{card}/appeal", **GROUND)
    deciders = [await who("ducha"), await who("jiwei")]
    answers = await asyncio.gather(
        *(one.post(f"/cards/{card}/decide-appeal", UPHELD) for one in deciders)
    )
    assert sorted(one.status_code for one in answers) == [200, 409]


async def test_appeals_that_nobody_has_decided_are_listed_for_those_who_look_over_county(
    who: Who,
) -> None:
    cadre, inspector = await who("gongnong"), await who("ducha")
    cards = [(await carded(who))[1] for _ in range(3)]
    issued = (await carded(who))[2]
    with at(issued):
        for card in cards[:2]:
            await cadre.does(f"/cards/{card}/appeal", **GROUND)
    await inspector.does(f"/cards/{cards[0]}/decide-appeal", **UPHELD)

    async def listed(account: str, **asked: str) -> set[str]:
        page = await (await who(account)).sees("/cards", whose="appealed", size=100, **asked)
        assert page["next"] is None
        return {one["id"] for one in page["items"]}

    for account in ("ducha", "jiwei", "zhihui", "lingdao"):
        assert await listed(account) & set(cards) == {cards[1]}, account
    assert cards[1] in await listed("ducha", unit="500153003007")
    assert cards[1] not in await listed("ducha", unit="500153100")
    for account in ("gongnong", "guangshun_head", "admin"):
        answer = await (await who(account)).get("/cards", whose="appealed")
        assert answer.status_code == 403, account


async def test_nobody_but_the_unit_and_the_person_carded_appeals(who: Who) -> None:
    ref, card, issued = await carded(who)
    await (await who("gongnong")).does(
        f"/cases/{ref}/escalate", finding="社区没有供水设备，无法解决"
    )
    expected = dict.fromkeys(("guangshun", "zhihui", "ducha", "lingdao"), (403, "not-permitted"))
    expected |= dict.fromkeys(("ronglong", "shuiwu", "admin"), (404, "not-found"))
    for account, answer in expected.items():
        person = await who(account)
        with at(issued):
            assert await refused(person, f"/cards/{card}/appeal", GROUND) == answer, account


async def test_nobody_but_supervisor_outside_unit_who_did_not_issue_card_decides(
    who: Who,
) -> None:
    cadre, center, commission = await who("gongnong"), await who("ducha"), await who("jiwei")
    ref = await cadre.registers()
    given = await center.does(f"/cases/{ref}/card", **IRREGULAR)
    path = f"/cards/{given['id']}/decide-appeal"
    await cadre.does(f"/cards/{given['id']}/appeal", **GROUND)
    for account in (
        "gongnong",
        "guangshun_head",
        "zhihui",
        "zhihui_head",
        "lingdao",
        "admin",
        "ducha",
    ):
        assert await refused(await who(account), path, UPHELD) == (403, "not-permitted"), account
    assert (await commission.does(path, **UPHELD))["appeal"] == "upheld"

    await cadre.does(f"/cases/{ref}/escalate", finding="社区没有供水设备，无法解决停水")
    await (await who("guangshun")).does(
        f"/cases/{ref}/escalate", finding="街道没有供水设备，无法解决"
    )
    own = await commission.does(f"/cases/{ref}/card", **{**IRREGULAR, "unit_code": "500153ZH"})
    await (await who("zhihui")).does(f"/cards/{own['id']}/appeal", **GROUND)
    path = f"/cards/{own['id']}/decide-appeal"
    # The one is of the carded unit, the other has issued the card.
    assert await refused(center, path, UPHELD) == (403, "not-permitted")
    assert await refused(commission, path, UPHELD) == (403, "not-permitted")


async def test_appealing_and_deciding_cost_few_statements(who: Who) -> None:
    cadre, inspector = await who("gongnong"), await who("ducha")
    ref, card, issued = await carded(who)
    for person, path, body in (
        (cadre, f"/cards/{card}/appeal", GROUND),
        (inspector, f"/cards/{card}/decide-appeal", UPHELD),
        (inspector, f"/cases/{ref}/card", IRREGULAR),
    ):
        sent: list[str] = []
        observers.append(sent.append)
        try:
            with at(issued):
                answer = await person.post(path, body, key=f"counted-{path}"[:100])
        finally:
            observers.remove(sent.append)
        assert answer.is_success, answer.text
        assert 0 < len(sent) <= 6, (path, sent)
