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


def described_by(declaration: Callable[..., None]) -> Callable[[Dependency], Dependency]:
    """Mark a dependency with a function that declares its parameters for FastAPI and is never called."""
    described = cache(lambda: get_dependant(path="", call=declaration))

    def mark(dependency: Dependency) -> Dependency:
        setattr(dependency, _MARK, described)
        return dependency

    return mark


def with_described(dependant: Dependant) -> Dependant:
    """As the document shows it: each marked dependency below it has the parameters that it reads."""
    below = [with_described(one) for one in dependant.dependencies]
    describe = getattr(dependant.call, _MARK, None)
    if describe is None:
        return replace(dependant, dependencies=below) if below else dependant
    read = describe()
    return replace(
        dependant,
        dependencies=below,
        query_params=[*dependant.query_params, *read.query_params],
        header_params=[*dependant.header_params, *read.header_params],
    )
