"""`qungong verify`: recomputes every chain and compares every row with the fold of its events. Repairs nothing."""

import hmac
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text

from app.cases import covered_rows
from app.cases.clocks import Clock
from app.cases.history import BOOKMARKS, chained, genesis, text_digest
from app.cases.models import ERASED, Assignment, Case
from app.cases.recorded import Check, Fault, Recorded, by_case, erased_texts
from app.db import Transaction
from app.db.row_base import Stored, seal_holds

__all__ = ["Fault", "fold", "how_many", "verify"]

_BATCH = 500
_CASES = text("""
SELECT * FROM grievance WHERE id > CAST(:after AS uuid) AND (CAST(:ids AS uuid[]) IS NULL OR id = ANY(:ids))
ORDER BY id LIMIT :batch""")
_EVENTS = text("SELECT * FROM case_event WHERE case_id = ANY(:ids) ORDER BY case_id, seq")
_TEXTS = text("SELECT * FROM event_text WHERE case_id = ANY(:ids)")
_PARTS = text("SELECT * FROM assignment WHERE case_id = ANY(:ids)")
_CLOCKS = text("SELECT * FROM clock WHERE case_id = ANY(:ids)")
# Rows of a case that is gone, or never was.
_OF_A_CASE = (
    "case_event",
    "event_text",
    "assignment",
    "clock",
    "case_party",
    "card",
    "paper",
    "person_as_given",
    "photo",
)
_ORPHAN = """
SELECT '{table}' AS table_name, r.case_id FROM {table} r
WHERE r.case_id IS NOT NULL AND (CAST(:ids AS uuid[]) IS NULL OR r.case_id = ANY(:ids))
  AND NOT EXISTS (SELECT FROM grievance g WHERE g.id = r.case_id)"""
_ORPHANS = text(" UNION ".join(_ORPHAN.format(table=table) for table in _OF_A_CASE))
_HOW_MANY = text("SELECT count(*) FROM grievance")
# Repeated in columns for lists; the chain covers the body, so the columns must say the same.
_NOT_IN_EVENTS = frozenset({"event_seq", "event_hash", "title", "tracking_key", "seal"}) | BOOKMARKS
_BESIDE: Mapping[str, tuple[type[Assignment | Clock], str]] = {
    "assignments": (Assignment, "办理任务"),
    "clocks": (Clock, "期限"),
}
_OF_CASES: Final[Sequence[Check]] = (
    covered_rows.parties,
    covered_rows.papers,
    covered_rows.photos,
    covered_rows.people,
)


async def how_many(tx: Transaction) -> int:
    counted: int = await tx.scalar(_HOW_MANY)
    return counted


async def verify(
    tx: Transaction, *, also: Sequence[Check] = (), ids: Sequence[UUID] | None = None
) -> AsyncIterator[tuple[int, list[Fault]]]:
    """Goes through all cases, or those with `ids`; yields, batch by batch, how many were looked at and what is wrong.

    `also`: checks of other packages, whose rows belong to cases.
    """
    after = UUID(int=0)
    while cases := await tx.all(
        _CASES, after=after, batch=_BATCH, ids=None if ids is None else list(ids)
    ):
        batch = [case.id for case in cases]
        events = by_case(await tx.all(_EVENTS, ids=batch))
        texts = by_case(await tx.all(_TEXTS, ids=batch))
        parts = by_case(await tx.all(_PARTS, ids=batch))
        clocks = by_case(await tx.all(_CLOCKS, ids=batch))
        checks = [await check(tx, batch) for check in (*_OF_CASES, *also)]
        faults: list[Fault] = []
        for case in cases:
            recorded = _recorded(case, events.get(case.id, []), texts.get(case.id, []))
            if isinstance(recorded, Fault):
                faults.append(recorded)
                continue
            beside = {"assignments": parts.get(case.id, []), "clocks": clocks.get(case.id, [])}
            faults += _words(recorded)
            faults += _state(recorded, beside)
            for check in checks:
                faults += check(recorded)
        yield len(cases), faults
        after = batch[-1]
    gone = await tx.all(_ORPHANS, ids=None if ids is None else list(ids))
    yield 0, [Fault(str(row.case_id), 1, "所属的事件缺失", row.table_name) for row in gone]


def _recorded(case: Any, events: list[Any], texts: list[Any]) -> Recorded | Fault:
    """The case as its record tells it; or the first fault of a chain, by which nothing else can be judged."""
    bodies: list[dict[str, Any]] = []
    for fault in _chain(case, events, bodies):
        return fault
    rows = {(row.seq, row.field): row for row in texts}
    return Recorded(case, bodies, rows, erased_texts(bodies))


def _chain(case: Any, events: list[Any], bodies: list[dict[str, Any]]) -> Iterator[Fault]:
    previous = genesis(case.id)
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


def _words(recorded: Recorded) -> Iterator[Fault]:
    """A text may be erased, and then the record says so; one that is there must be the one that was written."""
    told = {
        (body["seq"], name): digest
        for body in recorded.bodies
        for name, digest in body["texts"].items()
    }
    for (seq, name), digest in told.items():
        row = recorded.texts.get((seq, name))
        erased = (seq, name) in recorded.erased
        if row is None or row.text is None:
            if not erased:
                yield recorded.fault("event_text", seq, f"文字“{name}”缺失，没有删除记录")
        elif erased:
            yield recorded.fault("event_text", seq, f"文字“{name}”已经删除，又被写回")
        elif digest != text_digest(row.salt, row.text):
            yield recorded.fault("event_text", seq, f"文字“{name}”与记录不符")
    for seq, name in recorded.texts.keys() - told.keys():
        yield recorded.fault("event_text", seq, f"文字“{name}”没有写入记录")
    yield from _title(recorded)


def _title(recorded: Recorded) -> Iterator[Fault]:
    """The case's row repeats the title for lists."""
    row, shown = recorded.texts.get((1, "title")), recorded.case.title
    if (1, "title") in recorded.erased:
        if shown != ERASED:
            yield recorded.fault("grievance", 1, "标题已经删除，又被写上别的内容")
    elif row is not None and row.text is not None and row.text != shown:
        yield recorded.fault("grievance", 1, "标题与记录不符")


def _state(recorded: Recorded, beside: dict[str, list[Any]]) -> Iterator[Fault]:
    case, (state, rows) = recorded.case, fold(recorded.bodies)
    if not seal_holds(Case, case):
        yield recorded.fault("grievance", 1, "查询码与登记时不符")
    for name in _differing(Case, case, state):
        yield recorded.fault("grievance", None, f"当前状态“{name}”与记录推算不符")
    for what, (kind, called) in _BESIDE.items():
        said, table = rows[what], str(kind.__tablename__)
        if set(said) != {str(row.id) for row in beside[what]}:
            yield recorded.fault(table, None, f"{called}与记录推算不符")
        for row in beside[what]:
            for name in _differing(kind, row, said.get(str(row.id), {})):
                yield recorded.fault(table, None, f"{called}“{name}”与记录推算不符")


def _differing(kind: type[Stored], row: Any, said: dict[str, Any]) -> Iterator[str]:
    for name in kind.model_fields:
        if name not in _NOT_IN_EVENTS and not _same(getattr(row, name), said.get(name)):
            yield name


def fold(
    bodies: Sequence[dict[str, Any]],
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
