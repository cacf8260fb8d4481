"""The OpenAPI document leaves nothing out, and its examples are right."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from app import errors
from tests import faces
from tests.api.conftest import Who
from tests.api.examples import example
from tests.people import Person

DOCUMENT = faces.desk().openapi()
_CHINESE = re.compile(r"[一-鿿]")


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, verbs in DOCUMENT["paths"].items():
        for verb, operation in verbs.items():
            yield f"{verb.upper()} {path}", operation


OPERATIONS = dict(operations())
WITH_BODY = {name: one for name, one in OPERATIONS.items() if "requestBody" in one}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_is_described_in_chinese_with_its_problems(name: str) -> None:
    operation = OPERATIONS[name]
    assert _CHINESE.search(operation["summary"])
    assert _CHINESE.search(operation["description"])
    assert {"400", "413", "422", "503"} <= operation["responses"].keys()
    for status, answer in operation["responses"].items():
        if status >= "400":
            told = answer["content"]["application/problem+json"]
            assert told["examples"], f"{name} {status}"
            assert all(str(one["value"]["status"]) == status for one in told["examples"].values())
    for parameter in operation.get("parameters", []):
        assert _CHINESE.search(parameter["description"]), f"{name} {parameter['name']}"


@pytest.mark.parametrize("name", WITH_BODY)
def test_every_field_that_may_be_sent_is_described_and_has_an_example(name: str) -> None:
    schema = WITH_BODY[name]["requestBody"]["content"]["application/json"]["schema"]
    fields = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"]
    for field, told in fields.items():
        assert "description" in told, f"{name} {field}"
        assert "examples" in told or "$ref" in str(told), f"{name} {field}"


async def test_example_of_a_report_can_be_sent_as_it_stands(who: Who) -> None:
    schema = WITH_BODY["POST /cases"]["requestBody"]["content"]["application/json"]["schema"]
    cadre = await who("gongnong")
    sent = await cadre.post("/cases", example(schema, DOCUMENT))
    assert sent.status_code == 201, sent.text


def test_operation_ids_are_unique_and_plain() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z_]+", one) for one in ids)


def test_only_signing_in_needs_no_token() -> None:
    open_to_all = [name for name, one in OPERATIONS.items() if not one.get("security")]
    assert open_to_all == ["POST /sessions"]


def test_frameworks_own_error_shape_appears_nowhere() -> None:
    assert "HTTPValidationError" not in str(DOCUMENT)


def test_each_kind_of_problem_has_a_type_of_its_own() -> None:
    types = [kind.type for kind in errors.kinds()]
    assert len(types) == len(set(types))


async def test_reference_page_needs_nothing_from_elsewhere(api: FastAPI, stranger: Person) -> None:
    page = await stranger.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.search(r"https?://|<style|<script(?! src)", page.text)
    assets = re.findall(r'(?:src|href)="(docs/[^"]+)"', page.text)
    assert len(assets) == 3
    for asset in assets:
        sent = await stranger.get(f"/{asset}")
        assert sent.status_code == 200, asset
        assert sent.headers["content-type"].startswith(
            "text/css" if asset.endswith("css") else "text/javascript"
        )
        assert not re.search(r"@import|url\(\"?https?://", sent.text), asset
    start = (await stranger.get("/docs/start.js")).text
    assert "openapi.json" in start
    # The class by which the style sheet turns dark.
    assert '"dark-mode"' in start
    assert "html.dark-mode" in (await stranger.get("/docs/swagger-ui.css")).text
    assert (await stranger.sees("/openapi.json")) == api.openapi()


async def test_reference_page_serves_only_its_own_assets(stranger: Person) -> None:
    for name in ("swagger-ui-bundle.js.map", "..%2fopenapi.py", "index.html"):
        assert (await stranger.get(f"/docs/{name}")).status_code == 404
