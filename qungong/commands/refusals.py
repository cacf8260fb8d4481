"""Shows errors that a person can act on as a message, without a stack trace."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from app.errors import InvalidInput, NotFound
from qungong.dev.embedded import LocalServiceError

P = ParamSpec("P")
R = TypeVar("R")


def shown(*more: type[Exception]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorates a command; `more` are refusals of its own. Exit status 1."""
    refusals: tuple[type[Exception], ...] = (LocalServiceError, InvalidInput, NotFound, *more)

    def decorate(command: Callable[P, R]) -> Callable[P, R]:
        @wraps(command)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return command(*args, **kwargs)
            except refusals as refusal:
                Console(stderr=True, highlight=False).print(f"[red]✗[/] {escape(str(refusal))}")
                raise typer.Exit(1) from refusal

        return run

    return decorate
