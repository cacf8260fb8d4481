"""`qungong verify`: recomputes every chain and compares every row with the fold of its events. Repairs nothing."""

import hmac
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from app.cases.clocks import Clock
from app.cases.history import BOOKMARKS, chained, genesis, text_digest
from app.cases.models import Assignment, Case
from app.db import Transaction

_BATCH = 500
_CASES = text("SELECT * FROM grievance WHERE id > CAST(:after AS uuid) ORDER BY id LIMIT :batch")
_EVENTS = text("SELECT * FROM case_event WHERE case_id = ANY(:ids) ORDER BY case_id, seq")
_TEXTS = text("SELECT * FROM event_text WHERE case_id = ANY(:ids)")
_PARTS = text("SELECT * FROM assignment WHERE case_id = ANY(:ids)")
_CLOCKS = text("SELECT * FROM clock WHERE case_id = ANY(:ids)")
_HOW_MANY = text("SELECT count(*) FROM grievance")
# Repeated in columns for lists; the chain covers the body, so the columns must say the same.
_NOT_IN_EVENTS = frozenset({"event_seq", "event_hash", "title", "tracking_key"}) | BOOKMARKS
_BESIDE: Mapping[str, tuple[type[Assignment | Clock], str]] = {
    "assignments": (Assignment, "办理任务"),
    "clocks": (Clock, "期限"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong with a case's record."""

    ref: str
    seq: int
    what: str


async def how_many(tx: Transaction) -> int:
    counted: int = await tx.scalar(_HOW_MANY)
    return counted


async def verify(tx: Transaction) -> AsyncIterator[tuple[int, list[Fault]]]:
    """Goes through all cases; yields, batch by batch, how many were looked at and what is wrong with them."""
    after = UUID(int=0)
    while cases := await tx.all(_CASES, after=after, batch=_BATCH):
        ids = [case.id for case in cases]
        events = _by_case(await tx.all(_EVENTS, ids=ids))
        texts = _by_case(await tx.all(_TEXTS, ids=ids))
        parts = _by_case(await tx.all(_PARTS, ids=ids))
        clocks = _by_case(await tx.all(_CLOCKS, ids=ids))
        faults = [
            next(
                _faults(
                    case,
                    events.get(case.id, []),
                    texts.get(case.id, []),
                    {"assignments": parts.get(case.id, []), "clocks": clocks.get(case.id, [])},
                ),
                None,
            )
            for case in cases
        ]
        yield len(cases), [fault for fault in faults if fault is not None]
        after = ids[-1]


def _by_case(rows: Any) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row.case_id, []).append(row)
    return found


def _faults(
    case: Any, events: list[Any], texts: list[Any], beside: dict[str, list[Any]]
) -> Iterator[Fault]:
    previous = genesis(case.id)
    bodies: list[dict[str, Any]] = []
    for expected, event in enumerate(events, start=1):
        if event.seq != expected:
            yield Fault(case.ref, expected, "记录缺失")
        if not hmac.compare_digest(chained(previous, event.body.encode()), event.hash):
            yield Fault(case.ref, event.seq, "记录内容与校验值不符")
        body = msgspec.json.decode(event.body)
        yield from _columns(case, event, body)
        previous = event.hash
        bodies.append(body)
    if (case.event_seq, case.event_hash) != (len(events), previous):
        yield Fault(case.ref, len(events) + 1, "末尾记录缺失或多余")
    yield from _words(case, texts, bodies)
    yield from _state(case, beside, bodies)


def _columns(case: Any, event: Any, body: dict[str, Any]) -> Iterator[Fault]:
    said = (
        body["case"],
        body["seq"],
        body["action"],
        body["public"],
        body["by"].get("unit"),
        body["by"].get("staff"),
    )
    shown = (
        str(event.case_id),
        event.seq,
        event.action,
        event.public,
        event.unit_id,
        event.staff_id,
    )
    if said != shown or datetime.fromisoformat(body["at"]) != event.at:
        yield Fault(case.ref, event.seq, "列表字段与记录内容不符")


def _words(case: Any, texts: list[Any], bodies: list[dict[str, Any]]) -> Iterator[Fault]:
    """A text may be erased; one that is there must be the one that was written."""
    for words in texts:
        digests = bodies[words.seq - 1]["texts"] if words.seq <= len(bodies) else {}
        if words.text is not None and digests.get(words.field) != text_digest(
            words.salt, words.text
        ):
            yield Fault(case.ref, words.seq, f"文字“{words.field}”与记录不符")
        if (
            (words.seq, words.field) == (1, "title")
            and words.text is not None
            and words.text != case.title
        ):
            yield Fault(case.ref, 1, "标题与记录不符")


def _state(
    case: Any, beside: dict[str, list[Any]], bodies: list[dict[str, Any]]
) -> Iterator[Fault]:
    state, rows = fold(bodies)
    for name in Case.model_fields:
        if name not in _NOT_IN_EVENTS and not _same(getattr(case, name), state.get(name)):
            yield Fault(case.ref, len(bodies), f"当前状态“{name}”与记录推算不符")
    for what, (kind, called) in _BESIDE.items():
        said = rows[what]
        if set(said) != {str(row.id) for row in beside[what]}:
            yield Fault(case.ref, len(bodies), f"{called}与记录推算不符")
        for row in beside[what]:
            for name in kind.model_fields:
                if name not in _NOT_IN_EVENTS and not _same(
                    getattr(row, name), said.get(str(row.id), {}).get(name)
                ):
                    yield Fault(case.ref, len(bodies), f"{called}“{name}”与记录推算不符")


def fold(
    bodies: list[dict[str, Any]],
) -> tuple[dict[str, Any], dict[str, dict[str, dict[str, Any]]]]:
    """The state that the entries say a case, its assignments and its clocks have, as plain JSON values."""
    state: dict[str, Any] = {}
    rows: dict[str, dict[str, dict[str, Any]]] = {what: {} for what in _BESIDE}
    for body in bodies:
        state |= body["after"]["case"]
        for what, told in rows.items():
            for identifier, changed in body["after"].get(what, {}).items():
                told.setdefault(identifier, {}).update(changed)
    return state, rows


def _same(stored: object, said: object) -> bool:
    if isinstance(stored, datetime):
        return isinstance(said, str) and datetime.fromisoformat(said) == stored
    if isinstance(stored, UUID):
        return str(stored) == said
    return stored == said
