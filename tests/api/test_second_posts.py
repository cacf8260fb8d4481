"""Whoever has a post in two units does not decide in the one what concerns the other, nor what they asked for themselves."""

from datetime import UTC, date, datetime, timedelta

import pytest
from asyncpg import CheckViolationError
from sqlalchemy import text

from app.db import transaction
from app.directory.terms import Role, UnitKind
from app.directory.units import end_unit
from tests.api.about_time import led_by_the_township
from tests.api.conftest import As, Who
from tests.api.test_cards import IRREGULAR, escalated
from tests.cards import at, cards_of, overdue
from tests.people import Person
from tests.units import Held, appointed, employed, founded, handed_over, staffed, yesterday

CENTER, VILLAGE, TOWNSHIP, OTHER_TOWNSHIP = "500153ZH", "500153003007", "500153003", "500153100"
SUPERVISOR = Held(CENTER, Role.SUPERVISOR, since=date(2019, 1, 1))
GROUND = {"ground": "当天停电，无法登录。"}
UPHELD = {"upheld": True, "reason": "停电属实。"}
# A Tuesday: the card comes in the first hour of Friday, for what was missed on Thursday.
NOVEMBER = datetime(2026, 11, 10, 2, tzinfo=UTC)
WEDNESDAY, THURSDAY, FRIDAY, SATURDAY = (date(2026, 11, day) for day in (11, 12, 13, 14))
LATER = NOVEMBER + timedelta(days=10)
_DECIDED_BY_ASKER = text("""
UPDATE appeal SET decided_at = now(), decided_by_staff_id = by_staff_id, upheld = true, reason = '属实',
  decided_by_unit_id = (SELECT id FROM unit WHERE code = '500153ZH')
WHERE card_id = CAST(:card AS uuid)
""")


async def switched(person: Person, unit: str) -> None:
    """From now on in the post in this unit."""
    posts = (await person.sees("/sessions/me"))["posts"]
    (post,) = [one["id"] for one in posts if one["unit"]["code"] == unit]
    await person.does("/sessions/current/post", post_id=post)


async def appealed(cadre: Person) -> str:
    """A card of the village's, with an appeal that the village made."""
    _, card, issued = await overdue(cadre, NOVEMBER)
    with at(issued):
        await cadre.does(f"/cards/{card}/appeal", **GROUND)
    return card


async def appealed_from_elsewhere(acting: As) -> tuple[str, str]:
    """A village, and a card of its cadre's, who has another post by now and appealed in that one."""
    village = await staffed(UnitKind.VILLAGE, Role.VILLAGE_CADRE, TOWNSHIP)
    await appointed(village, Held(OTHER_TOWNSHIP, Role.TOWNSHIP_CLERK, since=date(2021, 1, 1)))
    cadre = await acting(village)
    _, card, issued = await overdue(cadre, NOVEMBER)
    await switched(cadre, OTHER_TOWNSHIP)
    with at(issued):
        await cadre.does(f"/cards/{card}/appeal", **GROUND)
    return village, card


async def may_decide(person: Person, card: str) -> bool:
    """Whether they may, which must be what is shown."""
    shown: bool = (await person.sees(f"/cards/{card}"))["may_decide"]
    answer = await person.post(f"/cards/{card}/decide-appeal", UPHELD)
    assert answer.status_code == (200 if shown else 403), answer.text
    return shown


async def test_nobody_decides_about_an_appeal_he_made_in_another_post(who: Who, acting: As) -> None:
    """A post that neither was held when the card took effect nor is any more: the appeal is his own all the same."""
    _, card, _ = await overdue(await who("gongnong"), NOVEMBER)
    account = await employed(
        SUPERVISOR, Held(VILLAGE, Role.VILLAGE_CADRE, since=SATURDAY, until=date(2026, 11, 17))
    )
    with at(datetime(2026, 11, 17, 2, tzinfo=UTC)):
        then = await acting(account)
        await switched(then, VILLAGE)
        await then.does(f"/cards/{card}/appeal", **GROUND)
    with at(LATER):
        assert not await may_decide(await acting(account), card)
        assert await may_decide(await acting(await employed(SUPERVISOR)), card)


async def test_database_refuses_an_appeal_decided_by_who_made_it(who: Who) -> None:
    card = await appealed(await who("gongnong"))
    with pytest.raises(CheckViolationError, match="appeal_decided_by_another"):
        async with transaction() as tx:
            await tx.execute(_DECIDED_BY_ASKER, card=card)


async def test_nobody_decides_who_has_another_post_in_the_carded_unit(acting: As) -> None:
    """Also one that began after the card."""
    village, card = await appealed_from_elsewhere(acting)
    both = await employed(SUPERVISOR, Held(village, Role.VILLAGE_CADRE, since=SATURDAY))
    assert not await may_decide(await acting(both), card)
    elsewhere = await employed(SUPERVISOR, Held(TOWNSHIP, Role.TOWNSHIP_CLERK))
    assert await may_decide(await acting(elsewhere), card)


@pytest.mark.parametrize(
    ("since", "until", "allowed"),
    [
        (date(2020, 1, 1), WEDNESDAY, True),
        (date(2020, 1, 1), THURSDAY, False),
        (THURSDAY, THURSDAY, False),
        (FRIDAY, SATURDAY, True),
    ],
)
async def test_nobody_decides_who_had_post_in_unit_on_day_limit_passed(
    who: Who, acting: As, since: date, until: date, allowed: bool
) -> None:
    card = await appealed(await who("gongnong"))
    once = await employed(SUPERVISOR, Held(VILLAGE, Role.VILLAGE_CADRE, since=since, until=until))
    with at(LATER):
        assert await may_decide(await acting(once), card) is allowed


async def test_nobody_decides_who_has_a_post_where_the_carded_unit_went(acting: As) -> None:
    village, card = await appealed_from_elsewhere(acting)
    async with transaction() as tx:
        heir = await founded(tx, UnitKind.VILLAGE, TOWNSHIP)
        await end_unit(tx, village, successor=heir, last_day=await yesterday(tx))
    await handed_over()
    both = await employed(SUPERVISOR, Held(heir, Role.VILLAGE_CADRE))
    assert not await may_decide(await acting(both), card)
    assert await may_decide(await acting(await employed(SUPERVISOR)), card)


async def test_nobody_decides_who_has_a_post_in_the_unit_the_appeal_came_from(acting: As) -> None:
    _, card = await appealed_from_elsewhere(acting)
    both = await employed(SUPERVISOR, Held(OTHER_TOWNSHIP, Role.TOWNSHIP_CLERK))
    assert not await may_decide(await acting(both), card)
    assert await may_decide(await acting(await employed(SUPERVISOR)), card)


async def test_nobody_decides_about_his_own_card(who: Who, acting: As) -> None:
    """Though he had left the unit before the card took effect, and somebody else of it appealed."""
    account = await employed(
        SUPERVISOR, Held(TOWNSHIP, Role.TOWNSHIP_CLERK, until=date(2021, 1, 1))
    )
    ref = await escalated(who)
    given = await (await who("jiwei")).does(f"/cases/{ref}/card", **IRREGULAR, person=account)
    await (await who("guangshun")).does(f"/cards/{given['id']}/appeal", **GROUND)
    assert not await may_decide(await acting(account), given["id"])


async def test_nobody_cards_a_unit_in_which_he_has_another_post(who: Who, acting: As) -> None:
    ref = await escalated(who)
    clerk = Held(TOWNSHIP, Role.TOWNSHIP_CLERK)
    both = await acting(await employed(SUPERVISOR, clerk))
    refused = await both.post(f"/cases/{ref}/card", IRREGULAR)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/not-permitted")
    assert await cards_of(ref) == []
    left = await employed(SUPERVISOR, Held(TOWNSHIP, clerk.role, until=date(2021, 1, 1)))
    former = await acting(left)
    assert (await former.post(f"/cases/{ref}/card", {**IRREGULAR, "person": left})).status_code == 403  # fmt: skip
    assert (await former.does(f"/cases/{ref}/card", **IRREGULAR))["unit"] == "广顺街道"


async def test_nobody_cards_a_unit_that_went_where_he_has_a_post(acting: As) -> None:
    village = await staffed(UnitKind.VILLAGE, Role.VILLAGE_CADRE, TOWNSHIP)
    ref = await (await acting(village)).registers()
    async with transaction() as tx:
        heir = await founded(tx, UnitKind.VILLAGE, TOWNSHIP)
        await end_unit(tx, village, successor=heir, last_day=await yesterday(tx))
    await handed_over()
    both = await acting(await employed(SUPERVISOR, Held(heir, Role.VILLAGE_CADRE)))
    for code in (village, heir):
        refused = await both.post(f"/cases/{ref}/card", {**IRREGULAR, "unit_code": code})
        assert refused.status_code == 403, code
    single = await acting(await employed(SUPERVISOR))
    await single.does(f"/cases/{ref}/card", **{**IRREGULAR, "unit_code": village})


async def test_nobody_settles_a_hand_back_he_asked_for_in_another_post(
    who: Who, acting: As
) -> None:
    """What another unit asked for, he does."""
    dispatcher = Held(CENTER, Role.DISPATCHER, since=date(2019, 1, 1))
    both = await acting(await employed(dispatcher, Held(OTHER_TOWNSHIP, Role.TOWNSHIP_CLERK)))
    ref = await led_by_the_township(who)
    await switched(both, OTHER_TOWNSHIP)
    await both.does(f"/cases/{ref}/hand-back", reason="不在本镇")
    await switched(both, CENTER)
    path, agreed = f"/cases/{ref}/settle", {"agreed": True, "reason": "理由成立"}
    own, other = ({"unit_code": code, **agreed} for code in (OTHER_TOWNSHIP, "500153D11"))
    assert "settle" not in (await both.sees(f"/cases/{ref}"))["actions"]
    refused = await both.post(path, own)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/action-not-allowed")
    assert "不能裁定本人提出的退回申请" in refused.json()["detail"]

    await (await who("shuiwu")).does(f"/cases/{ref}/hand-back", reason="不属供水")
    assert "settle" in (await both.sees(f"/cases/{ref}"))["actions"]
    refused = await both.post(path, own)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/action-not-allowed")
    await both.does(path, **other)
    await (await who("zhihui")).does(path, **own)
