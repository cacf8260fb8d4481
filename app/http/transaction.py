"""One transaction per request, committed before the answer leaves; a repeated request gets its first answer again.

FastAPI's own `yield` dependencies commit after the answer and have answered 200 to a commit that failed; hence a route
class, which also sees the answer and so can keep it in the same transaction (app/idempotency.py).
"""

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any, cast

import asyncpg
from fastapi import Depends, Request, Response
from msgspec import Struct
from typing_extensions import override

from app import idempotency
from app.db import Transaction, reading, transaction
from app.errors import KeyReused, Problem
from app.http.operations import Operation
from app.idempotency import Given

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_JSON = "application/json"
_ATTEMPTS = 3
# A random reference met an older one, two registered the same number, two transactions met in a deadlock: nothing is
# committed, so it is done again.
_RETRIED = frozenset({"40001", "40P01"})
_RETRIED_CONSTRAINTS = frozenset(
    {"grievance_ref_key", "citizen_phone_key_key", "responsibility_in_force"}
)
_READS = frozenset({"GET", "HEAD"})


class Asked(Struct, frozen=True):
    """A request that may be repeated: whose it is, under which key, and what exactly was asked."""

    owner: str
    key: str
    digest: bytes


class Repeated(Exception):
    """The request was answered before; carries that answer."""

    def __init__(self, given: Given, digest: bytes) -> None:
        super().__init__()
        self.given, self.digest = given, digest

    def respond(self) -> Response:
        known, status, body = self.given
        if known != self.digest:
            raise KeyReused
        return Response(body, status, {"Idempotent-Replay": "true"}, _JSON)


class OneTransaction(Operation):
    """A route whose handler, given `Tx`, works in one transaction; those that only read work without one."""

    @override
    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        begin = reading if self.methods and self.methods <= _READS else transaction

        async def attempt(request: Request) -> Response:
            async with begin() as tx:
                request.state.tx, request.state.asked, request.state.signed_in = tx, None, {}
                response = await handle(request)
                if request.state.asked is not None and response.status_code < 300:
                    _keep(tx, request.state.asked, response, await tx.now())
                return response

        return _persistent(attempt)


def _persistent(attempt: Handler) -> Handler:
    """The attempt, made again where the database asks for it, and answered once whatever happens at the same time."""

    async def answer(request: Request) -> Response:
        await request.body()  # before a connection is taken: a slow sender must not hold one
        for remaining in reversed(range(_ATTEMPTS)):
            try:
                return await attempt(request)
            except Repeated as repeated:
                return repeated.respond()
            except (Problem, asyncpg.PostgresError) as failure:
                meanwhile = await _answered_meanwhile(request, failure)
                if meanwhile is not None:
                    return meanwhile
                if not (remaining and _worth_another_attempt(failure)):
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    return answer


def _keep(tx: Transaction, asked: Asked, response: Response, now: datetime) -> None:
    body = bytes(response.body)
    tx.add(idempotency.given(asked.owner, asked.key, asked.digest, response.status_code, body, now))


async def _answered_meanwhile(request: Request, failure: Exception) -> Response | None:
    """The answer to the same request, sent twice at once, whose twin has won."""
    asked = cast("Asked | None", getattr(request.state, "asked", None))
    if asked is None or not isinstance(
        failure, Problem | asyncpg.IntegrityConstraintViolationError
    ):
        return None
    async with reading() as tx:
        given = await idempotency.find(tx, asked.owner, asked.key)
    return None if given is None else Repeated(given, asked.digest).respond()


def _worth_another_attempt(failure: Exception) -> bool:
    return (
        getattr(failure, "sqlstate", None) in _RETRIED
        or getattr(failure, "constraint_name", None) in _RETRIED_CONSTRAINTS
    )


def transaction_of(request: Request) -> Transaction:
    """The transaction of a request to a route of this class, for what has the request already."""
    return cast("Transaction", request.state.tx)


async def _current(request: Request) -> Transaction:
    return transaction_of(request)


Tx = Annotated[Transaction, Depends(_current)]
