"""Things done at the same time, or twice, have one effect."""

import asyncio
from collections import Counter
from secrets import token_hex

from fastapi import FastAPI
from sqlalchemy import text

from app.db import reading, transaction
from qungong.asgi import app as served
from tests import people
from tests.api.actions import BODIES
from tests.api.conftest import Who
from tests.people import WATER

_CASES = text("SELECT count(*) FROM grievance WHERE title = :title")
_EVENTS = text(
    "SELECT count(*) FROM record_entry e JOIN grievance c ON c.id = e.matter_id WHERE c.ref = :ref"
)

_SOMEBODY = text("""
INSERT INTO staff (account, name, password_hash, active, created_at)
SELECT :account, '两岗', password_hash, true, now() FROM staff WHERE account = 'gongnong'
""")
_POSTS = text("""
INSERT INTO post (staff_id, unit_id, role, title, valid_from)
SELECT s.id, u.id, CASE WHEN u.kind = 'village' THEN 'village_cadre' ELSE 'township_clerk' END, '', DATE '2020-01-01'
FROM staff s, unit u WHERE s.account = :account AND u.code IN ('500153003', '500153003007') ORDER BY u.id
""")


async def registered(title: str) -> int:
    async with reading() as tx:
        return int(await tx.scalar(_CASES, title=title))


async def test_three_clerks_who_escalate_at_once_give_one_success_and_two_refusals(
    who: Who,
) -> None:
    cadre = await who("gongnong")
    clerks = [await who("guangshun"), await who("guangshun_head"), await who("guangshun")]
    for _ in range(5):
        ref = await cadre.registers()
        await cadre.does(f"/cases/{ref}/escalate", finding="社区无法解决")
        answers = await asyncio.gather(
            *(clerk.post(f"/cases/{ref}/escalate", BODIES["escalate"]) for clerk in clerks)
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        assert {answer.json()["type"] for answer in answers if answer.status_code == 409} == {
            "/problems/action-not-allowed"
        }
        async with reading() as tx:
            assert await tx.scalar(_EVENTS, ref=ref) == 3


async def test_same_request_sent_again_is_answered_the_same_and_done_once(who: Who) -> None:
    cadre = await who("gongnong")
    body = {**WATER, "title": "同一请求发两次"}
    first = await cadre.post("/cases", body, key="sent-twice")
    again = await cadre.post("/cases", body, key="sent-twice")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["idempotent-replay"] == "true"
    assert await registered(body["title"]) == 1


async def test_same_request_sent_five_times_at_once_makes_one_case(who: Who) -> None:
    cadre = await who("gongnong")
    body = {**WATER, "title": "同一请求同时发五次"}
    answers = await asyncio.gather(*(cadre.post("/cases", body, key="at-once") for _ in range(5)))
    assert Counter(answer.status_code for answer in answers) == {201: 5}
    assert len({answer.content for answer in answers}) == 1
    assert await registered(body["title"]) == 1


async def test_action_repeated_under_its_key_is_taken_once(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    key = f"escalate-{ref}"
    first, *others = await asyncio.gather(
        *(cadre.post(f"/cases/{ref}/escalate", BODIES["escalate"], key=key) for _ in range(3))
    )
    assert [first.status_code] + [one.status_code for one in others] == [200, 200, 200]
    assert {one.content for one in others} == {first.content}
    async with reading() as tx:
        assert await tx.scalar(_EVENTS, ref=ref) == 2


async def test_key_used_for_something_else_is_refused(who: Who) -> None:
    cadre = await who("gongnong")
    await cadre.post("/cases", {**WATER, "title": "甲"}, key="used-once")
    other = await cadre.post("/cases", {**WATER, "title": "乙用了甲的编号"}, key="used-once")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert await registered("乙用了甲的编号") == 0


async def test_two_people_may_use_the_same_key(who: Who) -> None:
    answers = [
        await (await who(account)).post("/cases", WATER, key="everybodys")
        for account in ("gongnong", "guangshun")
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["ref"] != answers[1].json()["ref"]


async def test_key_used_in_one_post_is_refused_in_another(county: None, api: FastAPI) -> None:
    """The former post's answer would show what the present one may not see."""
    assert county is None
    account = await two_posts()
    async with people.signed_in(api, account) as person:
        first, second = (one["id"] for one in (await person.sees("/sessions/me"))["posts"])
        made = await person.post("/cases", WATER, key="two-posts")
        assert made.status_code == 201, made.text
        contents: list[bytes] = []
        for post, status in ((second, 422), (first, 201)):
            # Sent again under its key, switching comes to the same.
            for _ in range(2):
                switched = await person.post(
                    "/sessions/current/post", {"post_id": post}, key=f"switch-{post}"
                )
                assert (switched.status_code, switched.json()["post"]["id"]) == (200, post)
            again = await person.post("/cases", WATER, key="two-posts")
            assert again.status_code == status, again.text
            contents.append(again.content)
    assert contents[1] == made.content


async def test_key_used_on_one_face_is_refused_on_the_other(county: None) -> None:
    assert county is None
    async with people.signed_in(served, "gongnong", "/api/v1") as cadre:
        ref = await cadre.registers()
        action = {"finding": "社区无法解决"}
        done = await cadre.post(f"/cases/{ref}/escalate", action, key="two-faces")
        assert done.status_code == 200
        other = await cadre.client.post(
            f"{people.ORIGIN}/m/v1/cadre/cases/{ref}/escalate",
            json=action,
            headers={"Idempotency-Key": "two-faces"},
        )
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")


async def two_posts() -> str:
    """The account of somebody with a post in a village and one in its township."""
    account = f"two_{token_hex(4)}"
    async with transaction() as tx:
        await tx.execute(_SOMEBODY, account=account)
        await tx.execute(_POSTS, account=account)
    return account


async def test_weak_version_tag_is_a_version(who: Who) -> None:
    """A proxy that compresses answers makes their tags weak."""
    cadre = await who("gongnong")
    ref = await cadre.registers()
    for tag, status in (('W/"0"', 412), ('W/"1"', 200)):
        answer = await cadre.client.post(f"/cases/{ref}/handle", headers={"If-Match": tag})
        assert answer.status_code == status, answer.text
