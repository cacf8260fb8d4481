"""Schemathesis over the staff's OpenAPI document: no answer is a failure of ours, none is of a kind not written there."""

from contextlib import AsyncExitStack

import pytest
from fastapi import FastAPI

from tests import faces, people
from tests.api.conftest import Who
from tests.api.schemathesis_runs import EXAMPLES, explore, operations_of

OPERATIONS = operations_of(faces.desk().openapi())
ROLES = ("gongnong", "zhihui", "jiwei")
# Whoever does this has to sign in again.
ENDING = "DELETE /sessions/current"


@pytest.mark.parametrize("name", sorted(OPERATIONS))
async def test_operation_answers_as_its_document_says(who: Who, api: FastAPI, name: str) -> None:
    cadre, inspector = await who("gongnong"), await who("ducha")
    refs = [await cadre.registers(), await cadre.registers(kind="accusation")]
    card = {"level": "yellow", "unit_code": "500153003007", "reason": "未见面核实。"}
    known = {
        "ref": refs,
        "card_id": [(await inspector.does(f"/cases/{refs[0]}/card", **card))["id"]],
        "code": ["500153100", "500153D11"],
    }
    clients = [(await who(account)).client for account in ROLES]
    async with AsyncExitStack() as stack:
        if name == ENDING:
            signed_in = people.signed_in(api, "guangshun")
            clients = [(await stack.enter_async_context(signed_in)).client]
        assert await explore(OPERATIONS[name], clients, known) >= EXAMPLES // 2
