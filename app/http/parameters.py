"""Parameters that a dependency reads from the request itself, and how the OpenAPI document shows them none the less.

FastAPI makes a validator of each parameter for each route. A parameter that most routes have is described here once.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, Final, TypeVar

from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant

_MARK: Final = "__described__"
Dependency = TypeVar("Dependency", bound=Callable[..., Any])


def described_by(*declarations: Callable[..., None]) -> Callable[[Dependency], Dependency]:
    """Mark a dependency with functions that declare its parameters for FastAPI and are never called."""

    def mark(dependency: Dependency) -> Dependency:
        setattr(dependency, _MARK, declarations)
        return dependency

    return mark


@cache
def _read(declaration: Callable[..., None]) -> Dependant:
    return get_dependant(path="", call=declaration)


def with_described(dependant: Dependant) -> Dependant:
    """As the document shows it: each marked dependency below it has the parameters that it reads."""
    below = [with_described(one) for one in dependant.dependencies]
    read = [_read(one) for one in getattr(dependant.call, _MARK, ())]
    if not (below or read):
        return dependant
    return replace(
        dependant,
        dependencies=below,
        query_params=[
            *dependant.query_params,
            *(one for part in read for one in part.query_params),
        ],
        header_params=[
            *dependant.header_params,
            *(one for part in read for one in part.header_params),
        ],
    )
