"""Everything that the handling side and other residents can ask, taken from the OpenAPI documents themselves.

A new operation is asked too, or the test that counts them fails. What stands in a path are the worlds' own objects.
"""

import itertools
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http.client import OK
from typing import Any, Final
from unittest.mock import patch
from zlib import crc32

from fastapi import FastAPI
from sqlalchemy import text

from app import clock
from app.db import transaction
from app.evaluation import privacy_role
from app.matters import changes
from tests.backtoback.asking import Reply, ask
from tests.backtoback.histories import (
    ASSISTANT,
    ELSEWHERE,
    ENDED,
    LEAD,
    TOWNSHIP,
    VILLAGE,
    Scene,
)
from tests.backtoback.worlds import BEGAN, BOTH, SEATED, VILLAGE_PHONE

STAFF, PHONES = "/api/v1", "/m/v1"
_STAFF_ON_PHONES: Final = f"{PHONES}/cadre"
# Whoever handles cases or administers, supervisors and leaders who sit where cases are handled, and the county's leader, who
# asks about anything that is not sealed.
HANDLERS: Final = (
    "gongnong", "guangshun", "guangshun_head", "ronglong", "ronglong_head", "shuiwu", "shuiwu_head",
    "jianzhi", *SEATED, "lingdao", "admin",
)  # fmt: skip
NEIGHBOUR: Final = "neighbour"
REPORTS: Final = f"{STAFF}/reports/"
# The dispatcher, and the head of the command center. They handle cases too, and see every unit's work, but of no unit how
# it was evaluated; they make the return calls, so look like no handler anywhere else.
_DISPATCHERS: Final = ("zhihui", "zhihui_head")
_DESK: Final = tuple(f"{STAFF}/{what}" for what in ("return-calls", "unread-replies", "texts"))
# Is told how people evaluated once the month is locked, and handles nothing.
_LEADER: Final = "lingdao"
# What the worlds have since they began, by the clock that stands still. Of both worlds: an object that is only in one is asked for in the other too.
_OBJECTS: Final = {
    "ref": text("SELECT ref FROM grievance WHERE received_at >= now()"),
    "photo_id": text("SELECT CAST(id AS text) FROM attachment WHERE media = 'image/jpeg'"),
    "voice_id": text("SELECT CAST(id AS text) FROM attachment WHERE media <> 'image/jpeg'"),
    "paper_id": text("SELECT CAST(id AS text) FROM paper WHERE issued_at >= now()"),
    "card_id": text("SELECT CAST(id AS text) FROM card"),
    "call_id": text("SELECT CAST(id AS text) FROM surveys.return_call WHERE created_at >= now()"),
    "text_id": text("SELECT CAST(id AS text) FROM outbox_message WHERE created_at >= now() ORDER BY created_at, id LIMIT 3"),
    "reply_id": text("SELECT provider_message_id FROM surveys.reply WHERE received_at >= now()"),
}  # fmt: skip
_NAMED: Final[Mapping[str, tuple[str, ...]]] = {
    "code": (VILLAGE, TOWNSHIP, LEAD, ASSISTANT, ELSEWHERE, ENDED),
    "year": ("2026",),
    "month": ("2026-06",),
}
# What an operation must be asked with.
_REQUIRED: Final = {
    f"{STAFF}/limits/preview": {
        "stage": "handle",
        "kind": "help",
        "received": "2026-06-08T10:00:00+08:00",
    },
    "/m/v1/units": {"unit_code": "500153003007"},
}
# What is asked in combination as well: alone, one of them says nothing or is refused.
_COUNTYS: Final = tuple(
    {"scope": "county", "view": view}
    for view in (
        "to_judge",
        "handling",
        "to_sign",
        "assisting",
        "to_decide",
        "to_reply",
        "finished",
    )
)
_TOGETHER: Final = {f"{STAFF}/cases": _COUNTYS, f"{_STAFF_ON_PHONES}/cases": _COUNTYS}
# Streams: each is asked what it would have told since a day ago, and left when it has said that.
_STREAMS: Final = (f"{STAFF}/live", f"{_STAFF_ON_PHONES}/live")
_A_DAY: Final = timedelta(days=1)
_CURSORS: Final = frozenset({"cursor", "after", "before"})
_SOME_FOR_ALL: Final = 3
_PAGES: Final = 4


@dataclass(frozen=True, slots=True)
class Operation:
    """A GET of one of the documents; `choices` are the values that a query parameter names, `cursor` that of its pages."""

    path: str
    parameters: tuple[str, ...]
    choices: Mapping[str, tuple[str, ...]]
    cursor: str | None

    def asked(self, objects: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, dict[str, str]]]:
        """Every path and query it is asked with."""
        required = _REQUIRED.get(self.path, {})
        values = (objects[name] for name in self.parameters)
        for chosen in itertools.product(*values):
            path = self.path.format(**dict(zip(self.parameters, chosen, strict=True)))
            yield path, dict(required)
            for name, choices in self.choices.items():
                for choice in choices:
                    yield path, {**required, name: choice}
            for together in _TOGETHER.get(self.path, ()):
                yield path, {**required, **together}


def operations(documents: Mapping[str, FastAPI]) -> list[Operation]:
    """Raises KeyError where a path has a parameter that nobody has said how to fill."""
    found = []
    for base, application in documents.items():
        document = application.openapi()
        for path, verbs in document["paths"].items():
            if "get" in verbs:
                found.append(_operation(base + path, verbs["get"], document))
    return found


def _operation(path: str, told: Mapping[str, Any], document: Mapping[str, Any]) -> Operation:
    parameters = told.get("parameters", [])
    in_path = tuple(one["name"] for one in parameters if one["in"] == "path")
    for name in in_path:
        assert name in _OBJECTS or name in _NAMED, f"{path}: which {name} do the worlds have?"
    query = [one for one in parameters if one["in"] == "query"]
    required = {one["name"] for one in query if one.get("required")}
    assert required <= _REQUIRED.get(path, {}).keys(), f"{path}: with what is it to be asked?"
    choices = {
        one["name"]: tuple(_choices(one["schema"], document))
        for one in query
        if one["name"] not in required
    }
    names = {one["name"] for one in query}
    cursor = next(iter(names & _CURSORS), None) if "size" in names else None
    return Operation(path, in_path, {name: some for name, some in choices.items() if some}, cursor)


def _choices(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if schema.get("type") == "boolean":
        yield from ("true", "false")
    yield from schema.get("enum", ())
    for one in schema.get("anyOf", ()):
        yield from _choices(one, document)


async def objects(*scenes: Scene) -> dict[str, tuple[str, ...]]:
    """What the worlds have, in the first one's order."""
    found: dict[str, dict[str, None]] = {name: {} for name in _OBJECTS}
    for scene in scenes:
        with scene.world.entered("looks"):
            async with transaction() as tx:
                await privacy_role.enter(tx)
                for name, statement in _OBJECTS.items():
                    found[name] |= {row[0]: None for row in await tx.all(statement)}
    return {**_NAMED, **{name: tuple(values) for name, values in found.items()}}


# By who asked, and for what.
Seen = dict[tuple[str, str, str, str], Reply]


@dataclass(frozen=True, slots=True)
class Share:
    """One of so many parts of everything, drawn by chance: who asks for what now, and what is left for another time.

    `released`: the month has been, so of every part all reports are asked too, but by nobody who may know.
    """

    seed: str
    number: int
    of: int
    released: bool = False

    def holds(self, who: str, path: str) -> bool:
        if self.released and path.startswith(REPORTS):
            return who != _LEADER
        return crc32(f"{self.seed} {who} {path}".encode()) % self.of == self.number


async def seen(
    scene: Scene,
    asked: Sequence[Operation],
    known: Mapping[str, tuple[str, ...]],
    *,
    share: Share,
    later: timedelta,
    shown: set[str],
) -> Seen:
    """Every answer. `shown` learns which operations showed anybody anything."""
    told: Seen = {}
    with scene.world.entered("looks", later=later):
        for who, operation in _pairs(asked, _handlers(scene)):
            if share.holds(who, operation.path) and not _called_about(who, operation.path):
                async for path, query, reply in _answers(scene, who, operation, known):
                    told[who, "GET", path, query] = reply
                    if _shows(operation, reply):
                        shown.add(operation.path)
        for who, path, body in _probes(scene, known):
            if share.holds(who, path) and not _called_about(who, path):
                told[who, "POST", path, str(body)] = await _probed(scene, who, path, body)
        for path in ("/health", "/ready", f"/q/{VILLAGE}"):
            told["stranger", "GET", path, ""] = await ask(scene.app, "GET", path)
    return told


def _shows(operation: Operation, reply: Reply) -> bool:
    """A stream is always there; it shows something when it tells of a change."""
    return reply.status == OK and (operation.path not in _STREAMS or b'"changed"' in reply.body)


async def _answers(
    scene: Scene, who: str, operation: Operation, known: Mapping[str, tuple[str, ...]]
) -> AsyncIterator[tuple[str, str, Reply]]:
    for path, query in operation.asked(known):
        async for used, reply in _pages(scene, who, path, query, operation.cursor):
            yield path, str(used), reply


async def _probed(scene: Scene, who: str, path: str, body: Any) -> Reply:
    return await ask(
        scene.app,
        "POST",
        path,
        token=scene.ground.tokens.get(who),
        body=body,
        headers={"idempotency-key": f"probe-{who}"},
    )


def _handlers(scene: Scene) -> tuple[str, ...]:
    """Where the center handled the case, its dispatchers are handlers too; but for what is `_called_about`."""
    return (*HANDLERS, *_DISPATCHERS) if scene.history.by_center else HANDLERS


def _called_about(who: str, path: str) -> bool:
    """A dispatcher calls the same people about other cases, and is told what these calls need, such as that texts are not wanted.

    That the calls of its own case are not among them is for tests/surveys/test_own_work.py.
    """
    return who in _DISPATCHERS and path.startswith(_DESK)


def _pairs(asked: Sequence[Operation], handlers: Sequence[str]) -> Iterator[tuple[str, Operation]]:
    for operation in asked:
        if operation.path.startswith((STAFF, _STAFF_ON_PHONES)):
            # What says nothing of any case is the same for all; a few ask it, the administrator among them.
            everyone: tuple[str, ...] = (
                tuple(handlers)
                if _of_cases(operation)
                else HANDLERS[:: -(len(HANDLERS) // _SOME_FOR_ALL)]
            )
            if operation.path.startswith(REPORTS):
                everyone = tuple(dict.fromkeys((*everyone, *_DISPATCHERS, BOTH)))
            yield from ((who, operation) for who in everyone)
        else:
            askers = (NEIGHBOUR, VILLAGE_PHONE, HANDLERS[0], HANDLERS[1])
            yield from ((who, operation) for who in askers)


def _of_cases(operation: Operation) -> bool:
    fixed = ("/units", "/categories", "/calendar", "/limits", "/sessions")
    path = operation.path.removeprefix(_STAFF_ON_PHONES).removeprefix(STAFF)
    return not path.startswith(fixed) or "signals" in path


async def _pages(
    scene: Scene, who: str, path: str, query: dict[str, str], cursor: str | None
) -> AsyncIterator[tuple[dict[str, str], Reply]]:
    token = scene.ground.tokens[who]
    if path in _STREAMS:
        since = BEGAN + clock.shift() - _A_DAY
        last = {"last-event-id": str(int(since.timestamp()))}
        with patch.object(changes, "KEPT", 2 * _A_DAY):
            yield query, await ask(scene.app, "GET", path, token=token, headers=last)
        return
    first = await ask(scene.app, "GET", path, token=token, query=query)
    yield query, first
    if cursor is None or first.status != OK or query:
        return
    # One by one: what stands in a cursor, and whether there is another page.
    one = {"size": "1"}
    for _ in range(_PAGES):
        reply = await ask(scene.app, "GET", path, token=token, query=one)
        yield dict(one), reply
        after = reply.told()["next"]
        if after is None:
            break
        one[cursor] = str(after)


def _probes(
    scene: Scene, known: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What those ask who want to find out: each would change something if it were let."""
    finding = {"result": "valid", "consent": True, "note": "试探"}
    why = {"reason": "试探"}
    evaluation = {"value": "satisfied", "remark": "代答"}
    subject = scene.history.subject
    for who in (*HANDLERS, NEIGHBOUR, VILLAGE_PHONE):
        yield who, f"{PHONES}/reports/{subject.ref}/evaluate", evaluation
    for who in _handlers(scene):
        yield who, f"{STAFF}/cases/{subject.ref}/rework", why
        if who not in _DISPATCHERS:
            yield who, f"{STAFF}/cases/{subject.ref}/close", {}
        yield who, f"{STAFF}/cases/similar", {"body": "没有自来水，三天了", "village_code": VILLAGE}
        for words in ("自来水", "不满意", subject.ref, subject.phone or subject.ref):
            yield who, f"{STAFF}/cases/search", {"words": words}
        yield who, f"{STAFF}/cases/number", {"name": "试探", "phone": subject.phone}
        yield who, f"{STAFF}/answers/looks", {"ref": subject.ref, "reason": "试探"}
        yield who, f"{STAFF}/reports/months/2026-06/corrections", why
        for call in known["call_id"]:
            yield who, f"{STAFF}/return-calls/{call}/finding", finding
            yield who, f"{STAFF}/return-calls/{call}/exclude", why
        for reply in known["reply_id"]:
            yield who, f"{STAFF}/unread-replies/{reply}/reading", {"reading": "satisfied"}
    # A neighbour who was shown the receipt.
    yield "stranger", f"{PHONES}/track", {"ref": subject.ref, "code": subject.code}
