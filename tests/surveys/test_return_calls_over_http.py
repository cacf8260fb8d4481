"""The command center's list over HTTP: who may see it, what it tells, and what may follow."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import text

from app import keys
from app.api import case_actions, return_calls, sessions
from app.db import transaction
from app.http import problems
from app.idempotency import body_place
from qungong.dev.sample import PASSWORD
from tests.surveys.conftest import Village, new_phone
from tests.surveys.test_surveys import reply

_GIVEN = text("SELECT owner, key, body_sealed FROM given_answer")


@pytest_asyncio.fixture
async def client(county: None) -> AsyncIterator[httpx.AsyncClient]:
    assert county is None
    application = FastAPI()
    for part in (sessions, case_actions, return_calls):
        application.include_router(part.router)
    problems.install(application)
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://county.test") as made:
        yield made


async def signed_in(client: httpx.AsyncClient, account: str) -> dict[str, str]:
    answer = await client.post("/sessions", json={"account": account, "password": PASSWORD})
    client.cookies.clear()
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def listed(client: httpx.AsyncClient, headers: dict[str, str], ref: str) -> dict[str, Any]:
    after: str | None = None
    while True:
        asked = {"size": "3"} | ({"after": after} if after else {})
        page = (await client.get("/return-calls", params=asked, headers=headers)).json()
        for item in page["items"]:
            if item["ref"] == ref:
                found: dict[str, Any] = item
                return found
        after = page["next"]
        assert after, "not on the list"


async def test_dissatisfied_citizen_is_called_and_the_case_is_done_again(
    client: httpx.AsyncClient, village: Village
) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    await reply(phone, "不满意，水还是没有")
    center = await signed_in(client, "zhihui")
    item = await listed(client, center, asked.ref)
    assert (item["cause_label"], item["round"]) == ("不满意", 1)
    assert item["unit"].startswith("工农茶叶产业社区")
    assert phone not in str(item)
    address = f"/return-calls/{item['id']}"
    detail = (await client.get(address, headers=center)).json()
    assert (detail["phone"], detail["remark"]) == (phone, "水还是没有")

    rework = {"reason": "五楼以上仍没有水"}
    early = await client.post(f"/cases/{asked.ref}/rework", json=rework, headers=center)
    assert (early.status_code, early.json()["type"]) == (409, "/problems/action-not-allowed")
    finding = {"result": "valid", "consent": True, "note": "属实"}
    keyed = center | {"Idempotency-Key": uuid4().hex}
    first = await client.post(f"{address}/finding", json=finding, headers=keyed)
    assert (first.status_code, first.json()["state"]) == (200, "done")
    again = await client.post(f"{address}/finding", json=finding, headers=keyed)
    assert again.json() == first.json()
    async with transaction() as tx:
        kept = [
            keys.decrypt(row.body_sealed, body_place(row.owner, row.key))
            for row in await tx.all(_GIVEN)
        ]
    assert kept
    assert all(phone not in body for body in kept)
    done = await client.post(f"/cases/{asked.ref}/rework", json=rework, headers=center)
    assert (done.status_code, done.json()["phase"], done.json()["round"]) == (200, "handling", 2)


@pytest.mark.parametrize("account", ["gongnong", "guangshun", "ronglong", "shuiwu"])
async def test_handling_side_learns_nothing_from_the_list(
    client: httpx.AsyncClient, village: Village, account: str
) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    await reply(phone, "3")
    item = await listed(client, await signed_in(client, "zhihui"), asked.ref)
    handler = await signed_in(client, account)
    known, unknown = [
        await client.get(f"/return-calls/{id_}", headers=handler) for id_ in (item["id"], uuid4())
    ]
    assert known.status_code == 403
    assert known.content == unknown.content
    assert (await client.get("/return-calls", headers=handler)).status_code == 403
    again = f"/cases/{asked.ref}/rework"
    before = await client.post(again, json={"reason": "想知道"}, headers=handler)
    center = await signed_in(client, "zhihui")
    finding = {"result": "valid", "consent": True}
    await client.post(f"/return-calls/{item['id']}/finding", json=finding, headers=center)
    after = await client.post(again, json={"reason": "想知道"}, headers=handler)
    assert (before.status_code, before.content) == (403, after.content)


async def test_what_does_not_go_together_is_refused(
    client: httpx.AsyncClient, village: Village
) -> None:
    phone = new_phone()
    asked = await village.asked(phone)
    await reply(phone, "3")
    center = await signed_in(client, "zhihui")
    address = f"/return-calls/{(await listed(client, center, asked.ref))['id']}/finding"
    for body in (
        {"result": "unreasonable", "consent": True},
        {"result": "evaluated"},
        {"result": "valid", "evaluation": "satisfied"},
        {"result": "valid", "consent": "yes"},
        {"result": "lost"},
        {},
    ):
        answer = await client.post(address, json=body, headers=center)
        assert answer.status_code == 422, body
    assert (await client.get(f"/return-calls/{uuid4()}", headers=center)).status_code == 404
