"""Schemathesis over the phones' documents, as a citizen and as a cadre: whatever is sent, the answer is as documented."""

import asyncio
import copy
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mobile_api import app as phones
from mobile_api import landing
from tests import faces
from tests.mobile.conftest import VILLAGE, Phone, a_picture, a_recording

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# They end the session that all other calls need; tests/auth and test_pins try them.
LEFT_OUT = {"sign_out", "sign_out_cadre", "lock"}
# Of each operation in each way, the same at each run; SCHEMATHESIS_TIMES has so many times as many sent.
TIMES = int(os.environ.get("SCHEMATHESIS_TIMES", "1"))
EXAMPLES = 4 * TIMES
# Where all are refused for who they are.
REFUSALS = 2 * TIMES
CADRES = "/cadre/"
ORIGIN = "http://county.test"


@dataclass
class Caller:
    """Somebody signed in, from a test that is not asynchronous; `seen` counts the answers by status."""

    loop: asyncio.AbstractEventLoop
    client: httpx.AsyncClient
    known: dict[str, str]
    seen: dict[int, int]

    def call(self, case: Case[Any]) -> httpx.Response:
        # `requests` writes the request down as schemathesis means it.
        meant = requests.Request(**_sendable(case.as_transport_kwargs())).prepare()
        request = self.client.build_request(
            meant.method or "",
            meant.url or "",
            headers=httpx.Headers(
                [(name, str(value)) for name, value in meant.headers.items() if name != "Cookie"],
                encoding="utf-8",  # nonsense too is sent
            ),
            content=_body(meant.body),
        )
        response = self.loop.run_until_complete(self.client.send(request))
        self.seen[response.status_code] = self.seen.get(response.status_code, 0) + 1
        return response


def _body(meant: object) -> bytes:
    if isinstance(meant, str):
        return meant.encode()
    assert meant is None or isinstance(meant, bytes)
    return meant or b""


def _sendable(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in kwargs.items() if name in _OF_A_REQUEST}


_OF_A_REQUEST = frozenset({"method", "url", "headers", "files", "data", "params", "json"})


async def _caller(phone: Phone, known: dict[str, str]) -> Caller:
    return Caller(asyncio.get_running_loop(), phone.client, known, {})


@pytest_asyncio.fixture
async def as_citizen(citizen: Phone) -> Caller:
    photo, voice = await citizen.sends(a_picture()), await citizen.speaks(a_recording())
    ref = (await citizen.reports(photos=[photo], voices=[voice]))["ref"]
    return await _caller(citizen, {"ref": ref, "photo_id": photo, "voice_id": voice})


@pytest_asyncio.fixture
async def as_cadre(cadre: Phone, citizen: Phone) -> Caller:
    photo, voice = await citizen.sends(a_picture()), await citizen.speaks(a_recording())
    ref = (await citizen.reports(photos=[photo], voices=[voice]))["ref"]
    return await _caller(cadre, {"ref": ref, "photo_id": photo, "voice_id": voice})


@pytest_asyncio.fixture
async def as_anybody(cadre: Phone) -> Caller:
    return await _caller(cadre, {"village_code": VILLAGE})


def _operations(document: dict[str, Any], mounted_at: str) -> Iterator[Any]:
    schema = schemathesis.openapi.from_dict(copy.deepcopy(document))
    schema.config.update(base_url=ORIGIN + mounted_at)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if operation.definition.raw["operationId"] not in LEFT_OUT:
            yield operation


def _try(operation: Any, caller: Caller, examples: int = EXAMPLES) -> None:
    """Sense and nonsense, for a case of one's own and for made-up ones."""
    named = {one.name for one in operation.path_parameters}
    known = {name: value for name, value in caller.known.items() if name in named}
    ways = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]
    if known:
        ways.append(operation.as_strategy(path_parameters=known))
    for way in ways:

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=way)
        def answered_as_documented(case: Case[Any]) -> None:
            case.validate_response(caller.call(case), checks=CHECKS)

        with suppress(Unsatisfiable):  # an operation that takes anything cannot be sent nonsense
            answered_as_documented()


@pytest.mark.parametrize("who", ["as_citizen", "as_cadre"])
def test_phones_interface_answers_as_documented(who: str, request: pytest.FixtureRequest) -> None:
    caller: Caller = request.getfixturevalue(who)
    for operation in _operations(faces.phone().openapi(), phones.MOUNTED_AT):
        own = operation.path.startswith(CADRES) == (who == "as_cadre")
        _try(operation, caller, EXAMPLES if own else REFUSALS)
    # Not all refused: what makes sense was sent as well.
    assert caller.seen.get(200, 0) + caller.seen.get(201, 0) > 10, caller.seen


def test_posters_page_answers_as_documented(as_anybody: Caller) -> None:
    for operation in _operations(landing.create_app().openapi(), landing.MOUNTED_AT):
        _try(operation, as_anybody)
    assert as_anybody.seen[200] > 0
    assert as_anybody.seen[404] > 0
