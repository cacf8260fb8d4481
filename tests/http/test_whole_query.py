"""A query that is read as a whole means what it means where the framework reads it field by field."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter, FastAPI, Query, Response

from app.http.case_lists import InboxQuery
from app.http.operations import Operation, add_routes
from app.http.whole_query import whole_query

router = APIRouter(route_class=Operation)


@router.get("/fields")
async def by_fields(asked: Annotated[InboxQuery, Query()]) -> Response:
    return Response(asked.model_dump_json())


@router.get("/whole")
async def as_a_whole(asked: Annotated[InboxQuery, whole_query(InboxQuery)]) -> Response:
    return Response(asked.model_dump_json())


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    add_routes(app.router, router)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def _both(client: httpx.AsyncClient, query: str) -> tuple[Any, Any]:
    whole, by_field = [_said(await client.get(f"/{way}?{query}")) for way in ("whole", "fields")]
    return whole, by_field


def _said(answer: httpx.Response) -> tuple[int, Any]:
    told = answer.json()
    if answer.status_code == 200:
        return 200, told
    return answer.status_code, [(one["type"], one["loc"], one["msg"]) for one in told["detail"]]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "view=to_judge&size=50",
        "scope=county&view=open&holder=500153100&category_id=12&urgent=true&listed=0&due=soon&received_from=2026-11-01",
        "size=5&size=6",
        "cursor=1~2&size=%20%2012",
        "phase=%E7%A0%94&kind=help",
        "holder=%EF%BC%95%EF%BC%90",
    ],
)
async def test_whole_query_reads_what_the_framework_reads(
    client: httpx.AsyncClient, query: str
) -> None:
    whole, by_field = await _both(client, query)
    assert whole == by_field


@pytest.mark.parametrize(
    ("query", "mistakes"),
    [
        ("size=0", 1),
        ("size=&view=", 2),
        ("size=101&category_id=0&due=never&received_from=2026-02-30", 4),
        ("unknown=1&size=x", 2),
        ("unknown=1&unknown=2&Scope=county", 2),
        ("urgent=perhaps&cursor=" + "x" * 101, 2),
        ("scope=all&holder=" + "5" * 21, 2),
    ],
)
async def test_whole_query_refuses_what_the_framework_refuses(
    client: httpx.AsyncClient, query: str, mistakes: int
) -> None:
    whole, by_field = await _both(client, query)
    assert whole == by_field
    assert (whole[0], len(whole[1])) == (422, mistakes)


async def test_document_shows_the_parameters_of_a_whole_query(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    whole, by_field = (paths[f"/{way}"]["get"]["parameters"] for way in ("whole", "fields"))
    assert whole == by_field
    assert [one["name"] for one in whole] == list(InboxQuery.model_fields)
