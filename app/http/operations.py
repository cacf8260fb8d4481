"""The operations of an application: which routes it has, each matched once, and what its document calls them."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from typing_extensions import override

from app.http.parameters import with_described


class Operation(APIRoute):
    """A route whose operation id in the OpenAPI document is the name of its function."""

    @override
    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        options["generate_unique_id_function"] = _operation_id
        super().__init__(path, endpoint, **options)
        # The handler has been made: from here on `dependant` serves the document alone.
        self.dependant = with_described(self.dependant)


def add_routes(to: APIRouter, *parts: APIRouter) -> None:
    """Give a router the routes of its parts.

    The framework's include_router() matches a request twice, first to find the part and again within it, and makes every
    route anew at the first request. Nothing is made anew here: a part's prefix, tags and dependencies are already in
    its routes.
    """
    for part in parts:
        to.routes.extend(part.routes)


def _operation_id(route: APIRoute) -> str:
    return route.name
