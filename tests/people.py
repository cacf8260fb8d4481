"""People at the staff's interface: sign in by account, then do things as that person. Knows no rule of the application."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import text
from starlette.types import ASGIApp

from app.db import reading
from qungong.dev.sample import PASSWORD

_SEALED = text("SELECT ref FROM grievance WHERE sealed")
ORIGIN = "http://county.test"

# The grievance of the county's own story, as a cadre types it in.
WATER: Mapping[str, Any] = {
    "title": "13至17栋没有饮用水",
    "body": "我们小区13栋到17栋已经三天没有自来水，老人小孩都要到外面提水。",
    "kind": "help",
    "person": {"name": "王大爷", "phone": "13983001234"},
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has signed in, or not: then `account` is empty."""

    account: str
    client: httpx.AsyncClient

    async def get(self, path: str, **query: object) -> httpx.Response:
        return await self.client.get(path, params={name: str(one) for name, one in query.items()})

    async def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        version: int | None = None,
    ) -> httpx.Response:
        """`key` is the Idempotency-Key, `version` the one seen (If-Match)."""
        headers = {} if key is None else {"Idempotency-Key": key}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return await self.client.post(path, json=body, headers=headers)

    async def sees(self, path: str, **query: object) -> Any:
        """What a GET answers, which must succeed."""
        return _succeeded(await self.get(path, **query))

    async def does(self, path: str, **body: Any) -> Any:
        """What a POST answers, which must succeed."""
        return _succeeded(await self.post(path, body or None))

    async def items(self, view: str) -> dict[str, Any]:
        """What a view of the inbox says of each case, by reference, through all its pages."""
        page = await self.sees("/cases", view=view, size=100)
        found = list(page["items"])
        while page["next"] is not None:
            page = await self.sees("/cases", view=view, size=100, cursor=page["next"])
            found += page["items"]
        return {one["ref"]: one for one in found}

    async def lists(self, view: str) -> set[str]:
        return set(await self.items(view))

    async def registers(self, **different: Any) -> str:
        """The reference of a newly registered case: the drinking water, but for what is different.

        Of an accusation the answer names none: it is read from the database.
        """
        told = {**WATER, **different}
        if told["kind"] != "accusation":
            ref: str = (await self.does("/cases", **told))["ref"]
            return ref
        before = await _sealed_refs()
        await self.does("/cases", **told, accusation_confirmed=True)
        (registered,) = await _sealed_refs() - before
        return registered


async def _sealed_refs() -> set[str]:
    async with reading() as tx:
        return {row.ref for row in await tx.all(_SEALED)}


@asynccontextmanager
async def visitor(app: ASGIApp, prefix: str = "") -> AsyncIterator[Person]:
    """Somebody who has not signed in, at an application; `prefix` stands before all their paths."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN + prefix) as client:
        yield Person("", client)


@asynccontextmanager
async def signed_in(app: ASGIApp, account: str, prefix: str = "") -> AsyncIterator[Person]:
    """A member of the sample staff, in the first of their posts."""
    async with visitor(app, prefix) as somebody:
        session = await somebody.does("/sessions", account=account, password=PASSWORD)
        somebody.client.headers["Authorization"] = f"Bearer {session['token']}"
        somebody.client.cookies.clear()
        yield Person(account, somebody.client)


def _succeeded(response: httpx.Response) -> Any:
    assert response.is_success, (
        f"{response.request.method} {response.request.url.path}: {response.status_code} {response.text}"
    )
    return response.json()
