"""The OpenAPI document of an interface: what FastAPI does not say by itself, and the document made once to be sent often."""

import asyncio
import copy
import gzip
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

import msgspec
from fastapi import Request, Response
from msgspec import Struct

from app.errors import CrossSite, NotJson, OtherPost
from app.http.cross_site import SAFE
from app.http.problems import problems
from app.http.who import ACTING_POST

_SECONDS: Final = 300


def describe_refusals(document: dict[str, Any]) -> dict[str, Any]:
    """Changes the document given: what a change may be refused for by where it comes from and how it was sent, staff by their post."""
    shared = {str(status): told for status, told in problems(CrossSite, NotJson).items()}
    by_post = problems(OtherPost)[OtherPost.status]
    for path in document["paths"].values():
        for method, operation in path.items():
            if any(one.get("name") == ACTING_POST for one in operation.get("parameters", ())):
                _merge(operation["responses"], str(OtherPost.status), by_post)
            if method.upper() not in SAFE:
                for kind in (CrossSite, NotJson):
                    _merge(operation["responses"], str(kind.status), shared[str(kind.status)])
    return document


def _merge(responses: dict[str, Any], status: str, told: dict[str, Any]) -> None:
    if status not in responses:
        responses[status] = copy.deepcopy(told)
        return
    known = responses[status] = copy.deepcopy(responses[status])
    known["description"] = "；".join((known["description"], told["description"]))
    for media_type, content in told["content"].items():
        known["content"][media_type]["examples"] |= content["examples"]


class Prepared(Struct, frozen=True):
    """Something that is the same for everybody until the next start, ready to be sent."""

    body: bytes
    zipped: bytes
    tag: str
    media_type: str

    @classmethod
    def of(cls, body: bytes, media_type: str) -> "Prepared":
        return cls(
            body, gzip.compress(body, mtime=0), f'W/"{sha256(body).hexdigest()[:24]}"', media_type
        )

    def respond(self, request: Request, **more: str) -> Response:
        headers = {"ETag": self.tag, "Vary": "Accept-Encoding", **more}
        if self.tag in (one.strip() for one in request.headers.get("if-none-match", "").split(",")):
            return Response(status_code=304, headers=headers)
        if _takes_gzip(request.headers.get("accept-encoding", "")):
            return Response(
                self.zipped, 200, headers | {"Content-Encoding": "gzip"}, self.media_type
            )
        return Response(self.body, 200, headers, self.media_type)


class MadeOnce:
    """Makes it when first asked for, beside the event loop, and keeps it."""

    def __init__(self, make: Callable[[], Prepared]) -> None:
        self._make = make
        self._made: Prepared | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> Prepared:
        async with self._lock:
            if self._made is None:
                self._made = await asyncio.to_thread(self._make)
        return self._made


def prepared_document(openapi: Callable[[], dict[str, Any]]) -> MadeOnce:
    return MadeOnce(lambda: Prepared.of(msgspec.json.encode(openapi()), "application/json"))


async def respond_document(request: Request, document: MadeOnce) -> Response:
    made = await document.get()
    return made.respond(request, **{"Cache-Control": f"public, max-age={_SECONDS}"})


def _takes_gzip(accepted: str) -> bool:
    for one in accepted.lower().split(","):
        coding, _, weight = one.partition(";")
        if coding.strip() in {"gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
