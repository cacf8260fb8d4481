"""People go on when their unit ends: posts and sessions move to the successor, or sign-in says what to do."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.clock import moved
from app.db import OWNER, reading, transaction
from app.directory.terms import Role, UnitKind
from qungong.dev.sample import PASSWORD
from tests.api.conftest import As, Who
from tests.api.test_reorganising import LAST_DAY, TOWNSHIP, ends, villages
from tests.people import Person, signed_in
from tests.units import Held, appointed, employed, handed_over, staffed

_POSTS = text("""
SELECT u.code, o.role, CAST(o.valid_from AS text) AS since, CAST(o.valid_to AS text) AS until, m.unit_id IS NOT NULL AS moved
FROM post o JOIN staff s ON s.id = o.staff_id JOIN unit u ON u.id = o.unit_id
LEFT JOIN post m ON m.id = o.moved_from_post_id WHERE s.account = :account ORDER BY o.id
""")

_LASTS = text("""
UPDATE session SET expires_at = expires_at + interval '2 days'
WHERE staff_id = (SELECT id FROM staff WHERE account = :account)
""")


async def posts_of(account: str) -> list[tuple[Any, ...]]:
    async with reading() as tx:
        return [tuple(row) for row in await tx.all(_POSTS, account=account)]


async def told_at_sign_in(stranger: Person, account: str, **more: int) -> tuple[int, str]:
    body = {"account": account, "password": PASSWORD, **more}
    answer = await stranger.post("/sessions", body)
    return answer.status_code, answer.json().get("detail", "")


async def test_session_and_post_go_on_at_the_successor(who: Who, acting: As, api: FastAPI) -> None:
    old, new = await villages()
    cadre = await acting(old)
    ref = await cadre.registers()
    await ends(who, old, new)
    await handed_over()
    me = await cadre.sees("/sessions/me")
    assert [post["unit"]["code"] for post in (me["post"], *me["posts"])] == [new, new]
    assert (await cadre.does(f"/cases/{ref}/handle"))["holder"] == new
    async with signed_in(api, old) as again:
        assert (await again.sees("/sessions/me"))["post"]["unit"]["code"] == new
    since = str(LAST_DAY.fromordinal(LAST_DAY.toordinal() + 1))
    assert await posts_of(old) == [
        (old, "village_cadre", "2020-01-01", str(LAST_DAY), False),
        (new, "village_cadre", since, None, True),
    ]


async def test_session_follows_the_day_after_a_unit_ends_today(who: Who, acting: As) -> None:
    old, new = await villages()
    cadre, admin = await acting(old), await who("admin")
    today = LAST_DAY + timedelta(days=1)
    await admin.does(f"/units/{old}/end", last_day=str(today), successor=new)
    assert (await cadre.sees("/sessions/me"))["post"]["unit"]["code"] == old
    async with transaction() as tx:
        await tx.act_as(OWNER)
        await tx.execute(_LASTS, account=old)
    with moved(timedelta(days=1)):
        assert (await cadre.sees("/sessions/me"))["post"]["unit"]["code"] == new


async def test_posts_follow_a_chain_of_successors(who: Who, acting: As) -> None:
    old, middle = await villages()
    last, _ = await villages()
    cadre = await acting(old)
    await ends(who, old, middle)
    await ends(who, middle, last)
    assert (await cadre.sees("/sessions/me"))["post"]["unit"]["code"] == last


async def test_person_with_a_post_at_the_successor_gets_no_second(who: Who, acting: As) -> None:
    old, new = await villages()
    await appointed(old, Held(new, Role.VILLAGE_CADRE))
    cadre = await acting(old)
    await ends(who, old, new)
    me = await cadre.sees("/sessions/me")
    assert [post["unit"]["code"] for post in me["posts"]] == [new]


async def test_sign_in_says_what_to_do_when_nobody_carries_on(
    who: Who, acting: As, stranger: Person
) -> None:
    old, _ = await villages()
    cadre = await acting(old)
    await ends(who, old, None)
    assert (await cadre.get("/sessions/me")).status_code == 401
    status, told = await told_at_sign_in(stranger, old)
    day = f"{LAST_DAY.year}年{LAST_DAY.month}月{LAST_DAY.day}日"
    assert status == 403
    assert told == (
        f"您任职的{old}已于{day}撤销，未了事项由广顺街道接着办。"
        "请联系荣昌区的系统管理员登记您的新岗位，然后再登录。"
    )


async def test_sign_in_says_what_to_do_when_a_term_has_ended_or_not_begun(stranger: Person) -> None:
    code = await staffed(UnitKind.VILLAGE, Role.VILLAGE_CADRE, TOWNSHIP)
    over = await employed(Held(code, Role.VILLAGE_CADRE, until=LAST_DAY))
    status, told = await told_at_sign_in(stranger, over)
    assert (status, "任期已于" in told, "请联系荣昌区的系统管理员" in told) == (403, True, True)
    later = await employed(Held(code, Role.VILLAGE_CADRE, since=LAST_DAY.replace(year=2099)))
    status, told = await told_at_sign_in(stranger, later)
    assert (status, "任期从2099年" in told) == (403, True)
    status, told = await told_at_sign_in(stranger, await employed())
    assert (status, told) == (403, "您还没有岗位。请联系本县的系统管理员登记岗位，然后再登录。")
    status, told = await told_at_sign_in(stranger, "gongnong", post_id=2**31 - 1)
    assert (status, "请不选岗位直接登录" in told) == (403, True)


@pytest.mark.parametrize("account", ["gongnong", "zhihui"])
async def test_session_of_a_unit_that_stands_stays_where_it_is(who: Who, account: str) -> None:
    me = await (await who(account)).sees("/sessions/me")
    assert me["post"]["unit"]["code"] in {"500153003007", "500153ZH"}
