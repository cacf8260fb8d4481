"""Things done at the same time, or twice, have one effect."""

import asyncio
from collections import Counter

from sqlalchemy import text

from app.db import reading
from tests.api.actions import BODIES
from tests.api.conftest import Who
from tests.people import WATER

_CASES = text("SELECT count(*) FROM grievance WHERE title = :title")
_EVENTS = text(
    "SELECT count(*) FROM case_event e JOIN grievance c ON c.id = e.case_id WHERE c.ref = :ref"
)


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


async def test_the_same_request_sent_again_is_answered_the_same_and_done_once(who: Who) -> None:
    cadre = await who("gongnong")
    body = {**WATER, "title": "同一请求发两次"}
    first = await cadre.post("/cases", body, key="sent-twice")
    again = await cadre.post("/cases", body, key="sent-twice")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["idempotent-replay"] == "true"
    assert await registered(body["title"]) == 1


async def test_the_same_request_sent_five_times_at_once_makes_one_case(who: Who) -> None:
    cadre = await who("gongnong")
    body = {**WATER, "title": "同一请求同时发五次"}
    answers = await asyncio.gather(*(cadre.post("/cases", body, key="at-once") for _ in range(5)))
    assert Counter(answer.status_code for answer in answers) == {201: 5}
    assert len({answer.content for answer in answers}) == 1
    assert await registered(body["title"]) == 1


async def test_an_action_repeated_under_its_key_is_taken_once(who: Who) -> None:
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


async def test_a_key_used_for_something_else_is_refused(who: Who) -> None:
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
