"""Query parameters read by one model. Problems and OpenAPI document are the same as with FastAPI's Query().

FastAPI reads each field of a query model by itself. The 18 fields of the case list cost about 0.2 ms a request; one model, 4 µs.
"""

from typing import Annotated, Any, Final

from fastapi import Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from app.http.parameters import described_by

_PREFIX: Final = ("query",)


class WholeQuery:
    """Dependency that reads a model from the query. A route names it after who is asking, so that a stranger learns nothing."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._model = model

    async def __call__(self, request: Request) -> BaseModel:
        try:
            # Of a parameter given twice the last one counts.
            return self._model.model_validate(dict(request.query_params))
        except ValidationError as wrong:
            mistakes = wrong.errors(include_url=False)
            raise RequestValidationError(
                [{**one, "loc": (*_PREFIX, *one["loc"])} for one in mistakes]
            ) from None


def whole_query(model: type[BaseModel]) -> Any:
    def declaration(asked: Any) -> None: ...

    declaration.__annotations__["asked"] = Annotated[model, Query()]
    return Depends(described_by(declaration)(WholeQuery(model)))
