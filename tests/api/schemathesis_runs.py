"""Runs Schemathesis on an application in this process: it makes the cases and judges the answers, and we send them.

Its own way would serve the application from a second event loop, to which the database's connections do not belong.
"""

import asyncio
import copy
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, CheckFunction, load_all_checks
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from tests.people import ORIGIN

# The same ones at each run: more of them find more once. SCHEMATHESIS_TIMES has so many times as many sent.
EXAMPLES: Final = 10 * int(os.environ.get("SCHEMATHESIS_TIMES", "1"))
Operation = APIOperation[Any, Any, Any, Any]
load_all_checks()
_CHECKS: Final = cast(
    "list[CheckFunction]",
    CHECKS.get_by_names(
        [
            "not_a_server_error",
            "status_code_conformance",
            "content_type_conformance",
            "response_schema_conformance",
        ]
    ),
)


def operations_of(document: Mapping[str, Any]) -> dict[str, Operation]:
    """By method and path."""
    schema = schemathesis.openapi.from_dict(copy.deepcopy(dict(document)))
    found = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    assert len(found) == sum(len(verbs) for verbs in document["paths"].values())
    return {f"{one.method.upper()} {one.path}": one for one in found}


async def explore(
    operation: Operation,
    clients: Sequence[httpx.AsyncClient],
    known: Mapping[str, Sequence[str]],
) -> int:
    """Send well-formed and ill-formed requests as any of the clients; returns how many.

    `known` are values for path parameters that lead somewhere, for without them most cases would end at 404.
    """
    loop = asyncio.get_running_loop()
    modes = st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    cases = modes.flatmap(lambda mode: operation.as_strategy(generation_mode=mode))
    sent = 0

    @seed(20261122)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, client=st.sampled_from(clients), lead=st.data())
    def send(case: Case[Any], client: httpx.AsyncClient, lead: st.DataObject) -> None:
        nonlocal sent
        for name in known.keys() & (case.path_parameters or {}).keys():
            if lead.draw(st.booleans()):
                case.path_parameters[name] = lead.draw(st.sampled_from(known[name]))
        answer = asyncio.run_coroutine_threadsafe(_answer(case, client), loop).result()
        case.validate_response(answer, checks=_CHECKS)
        sent += 1

    await asyncio.to_thread(send)
    return sent


async def _answer(case: Case[Any], client: httpx.AsyncClient) -> httpx.Response:
    told = case.as_transport_kwargs(base_url=ORIGIN)
    prepared = requests.Request(
        **{name: told[name] for name in told.keys() & _OF_A_REQUEST}
    ).prepare()
    headers = [
        (name.encode("latin-1", "replace"), _encoded(value))
        for name, value in prepared.headers.items()
        if name.lower() != "authorization"
    ]
    body = cast("str | bytes | None", prepared.body)
    return await client.request(
        str(prepared.method), str(prepared.url), content=body, headers=headers
    )


def _encoded(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1", "replace")


_OF_A_REQUEST: Final = {
    "method", "url", "headers", "files", "data", "params", "cookies", "json",
}  # fmt: skip
