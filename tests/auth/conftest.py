"""An application of the sign-in routers alone, on a real database, and people to sign in to it."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app import db
from app.api import sessions
from app.auth.passwords import hash_password
from app.http import problems
from mobile_api import sign_in

PASSWORD = "correct horse 电池"
_HASH = hash_password(PASSWORD)

At = Callable[..., httpx.AsyncClient]


@dataclass(frozen=True)
class Person:
    """Somebody of the staff, with the ids of their posts in the order held."""

    id: int
    account: str
    posts: list[int]


def letters(number: int = 10) -> str:
    return secrets.token_hex(number)[:number]


def an_address() -> str:
    return f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"


@pytest.fixture
def application(county: None) -> FastAPI:
    assert county is None
    app = FastAPI()
    app.include_router(sessions.router, prefix="/api/v1")
    app.include_router(sign_in.router, prefix="/m/v1")
    problems.install(app)
    return app


@pytest.fixture
async def at(application: FastAPI) -> AsyncIterator[At]:
    """Makes a client at an address, a new one unless told."""
    made: list[httpx.AsyncClient] = []

    def client(address: str | None = None, scheme: str = "http") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(application, client=(address or an_address(), 1))
        made.append(httpx.AsyncClient(transport=transport, base_url=f"{scheme}://county.test"))
        return made[-1]

    yield client
    for one in made:
        await one.aclose()


async def rows(sql: str, **values: object) -> list[tuple[object, ...]]:
    """By hand, as the owner of the tables."""
    async with db.transaction() as tx:
        await tx.act_as(db.OWNER)
        return [tuple(row) for row in await tx.all(text(sql), **values)]


async def a_unit(name: str, kind: str, **columns: object) -> int:
    values = {"code": letters(12).upper(), "county_id": None, "parent_id": None} | columns
    found = await rows(
        "INSERT INTO unit (code, name, short_name, kind, parent_id, county_id, valid_from, head_approves)"
        " VALUES (:code, :name, :name, :kind, :parent_id, :county_id, DATE '2020-01-01', false) RETURNING id",
        name=name,
        kind=kind,
        **values,
    )
    return int(str(found[0][0]))


@pytest.fixture
def a_person(county: None) -> Callable[..., Awaitable[Person]]:
    """Makes a member of staff with so many posts, in 广顺街道, 荣隆镇 and on."""
    assert county is None

    async def make(posts: int = 1) -> Person:
        account = f"zhang_{letters()}"
        ((staff_id,),) = await rows(
            "INSERT INTO staff (account, name, password_hash, active, created_at)"
            " VALUES (:account, '张敏', :hash, true, now()) RETURNING id",
            account=account,
            hash=_HASH,
        )
        county = await a_unit("荣昌区", "county")
        held = []
        for number in range(posts):
            unit = await a_unit(
                ("广顺街道", "荣隆镇", "安富街道")[number],
                "township",
                county_id=county,
                parent_id=county,
            )
            ((post,),) = await rows(
                "INSERT INTO post (staff_id, unit_id, role, title, valid_from)"
                " VALUES (:staff, :unit, 'township_clerk', '', DATE '2020-01-01') RETURNING id",
                staff=staff_id,
                unit=unit,
            )
            held.append(int(str(post)))
        return Person(int(str(staff_id)), account, held)

    return make
