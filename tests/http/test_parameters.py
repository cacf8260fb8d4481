"""Parameters that dependencies read from the request themselves stand in the document as if the framework read them."""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Request

from app.http.operations import Operation, add_routes
from app.http.parameters import described_by
from tests import faces

Colour = Annotated[str | None, Header(description="the colour", pattern="^[a-z]+$")]
Size = Annotated[int | None, Header(alias="X-Size", description="the size")]


def _colour(colour: Colour = None) -> None: ...


@described_by(_colour)
async def read_by_itself(request: Request) -> str | None:
    return request.headers.get("colour")


async def read_by_framework(colour: Colour = None) -> str | None:
    return colour


def _parameters(read: Any) -> list[Any]:
    router = APIRouter(route_class=Operation)

    async def nested(colour: Annotated[str | None, Depends(read)], size: Size = None) -> None: ...

    @router.get("/")
    async def show(one: Annotated[None, Depends(nested)], page: int = 1) -> None: ...

    app = FastAPI()
    add_routes(app.router, router)
    parameters: list[Any] = app.openapi()["paths"]["/"]["get"]["parameters"]
    return parameters


def test_document_shows_parameters_that_a_dependency_reads_itself() -> None:
    shown = _parameters(read_by_itself)
    assert shown == _parameters(read_by_framework)
    assert [one["name"] for one in shown] == ["page", "X-Size", "colour"]


@pytest.mark.parametrize("face", [faces.desk(), faces.phone()], ids=("desk", "phones"))
def test_framework_makes_no_validator_of_the_idempotency_key(face: FastAPI) -> None:
    operations = [one for one in face.routes if isinstance(one, Operation)]
    keys = {
        id(field)
        for one in operations
        for field in _headers(one.dependant)
        if field.alias == "Idempotency-Key"
    }
    assert len(operations) > 50
    assert len(keys) == 1, "one validator, in the document alone"


def _headers(dependant: Any) -> list[Any]:
    below = [field for one in dependant.dependencies for field in _headers(one)]
    return [*dependant.header_params, *below]


@pytest.mark.parametrize("face", [faces.desk(), faces.phone()], ids=("desk", "phones"))
def test_operation_that_may_be_repeated_names_the_idempotency_key(face: FastAPI) -> None:
    """By their answers: who may be asked to sign in may send a key with what is posted."""
    posted = [
        operation
        for path in face.openapi()["paths"].values()
        for method, operation in path.items()
        if method == "post" and "sign-in-required" in str(operation["responses"].get("401"))
    ]
    assert posted
    for one in posted:
        names = [parameter["name"] for parameter in one["parameters"]]
        assert names.count("Idempotency-Key") == 1, one["operationId"]
