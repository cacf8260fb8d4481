"""`qungong verify`: recomputes every chain and compares every row with the fold of its entries. Repairs nothing."""

import hmac
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import TextClause, text

from app.db import Transaction
from app.db.row_base import Found, Stored
from app.kinds import KINDS
from app.matters import covered_rows
from app.matters.clocks import BOOKMARKS, Clock
from app.matters.kinds import MatterKind
from app.matters.parts import Assignment
from app.matters.record import FORMER_NAMES, chained, genesis, text_digest
from app.matters.recorded import Check, Fault, FindFaults, Recorded, by_matter, erased_texts

__all__ = ["Fault", "fold", "how_many", "verify"]

_BATCH = 500
_MATTERS = text("""
SELECT m.*, f.entered_by_unit_id FROM matter m LEFT JOIN matter_facts f ON f.id = m.id
WHERE m.id > CAST(:after AS uuid) AND (CAST(:ids AS uuid[]) IS NULL OR m.id = ANY(:ids))
ORDER BY m.id LIMIT :batch""")
_ENTRIES = text("SELECT * FROM record_entry WHERE matter_id = ANY(:ids) ORDER BY matter_id, seq")
_TEXTS = text("SELECT * FROM record_text WHERE matter_id = ANY(:ids)")
_PARTS = text("SELECT * FROM assignment WHERE matter_id = ANY(:ids)")
_CLOCKS = text("SELECT * FROM clock WHERE matter_id = ANY(:ids)")
# Rows of a matter that is gone, or never was.
_OF_A_MATTER = (
    "record_entry",
    "record_text",
    "assignment",
    "clock",
    "matter_party",
    "card",
    "paper",
    "person_as_given",
    "attachment",
)
_ORPHAN = """
SELECT '{table}' AS table_name, r.matter_id FROM {table} r
WHERE r.matter_id IS NOT NULL AND (CAST(:ids AS uuid[]) IS NULL OR r.matter_id = ANY(:ids))
  AND NOT EXISTS (SELECT FROM matter m WHERE m.id = r.matter_id)"""
# And rows of a kind's own table that are no matter's.
_OF_NO_MATTER = """
SELECT f.kind, f.id FROM matter_facts f
WHERE (CAST(:ids AS uuid[]) IS NULL OR f.id = ANY(:ids)) AND NOT EXISTS (SELECT FROM matter m WHERE m.id = f.id)"""
_ORPHANS = text(
    " UNION ".join([*(_ORPHAN.format(table=table) for table in _OF_A_MATTER), _OF_NO_MATTER])
)
_HOW_MANY = text("SELECT count(*) FROM matter")
_BESIDE: Mapping[str, tuple[type[Assignment | Clock], str]] = {
    "assignments": (Assignment, "办理任务"),
    "clocks": (Clock, "期限"),
}
_OF_ALL: Final[Sequence[Check]] = (
    covered_rows.parties,
    covered_rows.papers,
    covered_rows.attachments,
    covered_rows.people,
)


async def how_many(tx: Transaction) -> int:
    counted: int = await tx.scalar(_HOW_MANY)
    return counted


async def verify(
    tx: Transaction, *, also: Sequence[Check] = (), ids: Sequence[UUID] | None = None
) -> AsyncIterator[tuple[int, list[Fault]]]:
    """Goes through all matters, or those with `ids`; yields, batch by batch, how many were looked at and what is wrong.

    `also`: checks of other packages, whose rows belong to matters.
    """
    after = UUID(int=0)
    while matters := await tx.all(
        _MATTERS, after=after, batch=_BATCH, ids=None if ids is None else list(ids)
    ):
        yield len(matters), [fault async for fault in _faults(tx, matters, also)]
        after = matters[-1].id
    gone = await tx.all(_ORPHANS, ids=None if ids is None else list(ids))
    yield 0, [Fault(str(row.matter_id), 1, "所属的事件缺失", row.table_name) for row in gone]


async def _faults(
    tx: Transaction, matters: Sequence[Found], also: Sequence[Check]
) -> AsyncIterator[Fault]:
    batch = [matter.id for matter in matters]
    entries = by_matter(await tx.all(_ENTRIES, ids=batch))
    texts = by_matter(await tx.all(_TEXTS, ids=batch))
    beside = {
        "assignments": by_matter(await tx.all(_PARTS, ids=batch)),
        "clocks": by_matter(await tx.all(_CLOCKS, ids=batch)),
    }
    of_all = [await check(tx, batch) for check in (*_OF_ALL, *also)]
    rows, of_kinds = await _of_kinds(tx, matters)
    for matter in matters:
        row = rows.get(matter.id)
        if row is None:
            yield Fault(matter.ref, 1, "所属的事件缺失", matter.kind)
            continue
        recorded = _recorded(matter, row, entries.get(matter.id, []), texts.get(matter.id, []))
        if isinstance(recorded, Fault):
            yield recorded
            continue
        own = {what: found.get(matter.id, []) for what, found in beside.items()}
        for fault in (*_words(recorded), *_state(recorded, KINDS[matter.kind], own)):
            yield fault
        for find in (*of_kinds[matter.kind], *of_all):
            for fault in find(recorded):
                yield fault


async def _of_kinds(
    tx: Transaction, matters: Sequence[Found]
) -> tuple[dict[UUID, Found], dict[str, list[FindFaults]]]:
    """Rows of the kinds' own tables by matter, and the fault finders of each kind."""
    rows: dict[UUID, Found] = {}
    finders: dict[str, list[FindFaults]] = {}
    for name in {matter.kind for matter in matters} & KINDS.keys():
        ids = [matter.id for matter in matters if matter.kind == name]
        rows |= {row.id: row for row in await tx.all(_own_rows(name), ids=ids)}
        finders[name] = [await check(tx, ids) for check in KINDS[name].checks]
    return rows, finders


@cache
def _own_rows(kind: str) -> TextClause:
    return text(f"SELECT * FROM {kind} WHERE id = ANY(:ids)")  # noqa: S608 - the name of a kind's table


def _recorded(
    matter: Found, row: Found, entries: list[Found], texts: list[Found]
) -> Recorded | Fault:
    """The matter as its record tells it; or the first fault of a chain, by which nothing else can be judged."""
    bodies: list[dict[str, Any]] = []
    for fault in _chain(matter, entries, bodies):
        return fault
    written = {(text.seq, text.field): text for text in texts}
    return Recorded(matter, row, bodies, written, erased_texts(bodies))


def _chain(matter: Found, entries: list[Found], bodies: list[dict[str, Any]]) -> Iterator[Fault]:
    previous = genesis(matter.id)
    for expected, entry in enumerate(entries, start=1):
        if entry.seq != expected:
            yield Fault(matter.ref, expected, "记录缺失")
        if not hmac.compare_digest(chained(previous, entry.body.encode()), entry.hash):
            yield Fault(matter.ref, entry.seq, "记录内容与校验值不符")
        body = msgspec.json.decode(entry.body)
        yield from _columns(matter, entry, body)
        previous = entry.hash
        bodies.append(body)
    if (matter.head_seq, matter.head_hash) != (len(entries), previous):
        yield Fault(matter.ref, len(entries) + 1, "末尾记录缺失或多余")


def _columns(matter: Found, entry: Found, body: dict[str, Any]) -> Iterator[Fault]:
    said = (
        body["case"],
        body["seq"],
        body["action"],
        body["public"],
        body["by"].get("unit"),
        body["by"].get("staff"),
    )
    shown = (
        str(entry.matter_id),
        entry.seq,
        entry.action,
        entry.public,
        entry.unit_id,
        entry.staff_id,
    )
    if said != shown or datetime.fromisoformat(body["at"]) != entry.at:
        yield Fault(matter.ref, entry.seq, "列表字段与记录内容不符")


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
                yield recorded.fault("record_text", seq, f"文字“{name}”缺失，没有删除记录")
        elif erased:
            yield recorded.fault("record_text", seq, f"文字“{name}”已经删除，又被写回")
        elif digest != text_digest(row.salt, row.text):
            yield recorded.fault("record_text", seq, f"文字“{name}”与记录不符")
    for seq, name in recorded.texts.keys() - told.keys():
        yield recorded.fault("record_text", seq, f"文字“{name}”没有写入记录")


def _state(recorded: Recorded, kind: MatterKind, beside: dict[str, list[Found]]) -> Iterator[Fault]:
    state, rows = fold(recorded.bodies)
    for name in ("ref", "county_id", "sealed"):
        if getattr(recorded.row, name) != getattr(recorded.matter, name):
            yield recorded.fault("matter", 1, f"“{name}”与登记时不符")
    for name in _differing(kind.table, recorded.row, state, besides=kind.unrecorded):
        yield recorded.fault(kind.name, None, f"当前状态“{name}”与记录推算不符")
    for what, (table, called) in _BESIDE.items():
        said = rows[what]
        if set(said) != {str(row.id) for row in beside[what]}:
            yield recorded.fault(str(table.__tablename__), None, f"{called}与记录推算不符")
        for row in beside[what]:
            for name in _differing(table, row, said.get(str(row.id), {}), besides=BOOKMARKS):
                yield recorded.fault(
                    str(table.__tablename__), None, f"{called}“{name}”与记录推算不符"
                )


def _differing(
    kind: type[Stored], row: Found, said: dict[str, Any], *, besides: frozenset[str]
) -> Iterator[str]:
    for name in kind.model_fields:
        if name not in besides and not _same(getattr(row, name), said.get(name)):
            yield name


def fold(
    bodies: Sequence[dict[str, Any]],
) -> tuple[dict[str, Any], dict[str, dict[str, dict[str, Any]]]]:
    """The state that the entries say a matter's own row, its assignments and its clocks have, as plain JSON values."""
    state: dict[str, Any] = {}
    rows: dict[str, dict[str, dict[str, Any]]] = {what: {} for what in _BESIDE}
    for body in bodies:
        state |= body["after"]["case"]
        for what, told in rows.items():
            for identifier, changed in body["after"].get(what, {}).items():
                told.setdefault(identifier, {}).update(
                    {FORMER_NAMES.get(name, name): value for name, value in changed.items()}
                )
    return state, rows


def _same(stored: object, said: object) -> bool:
    if isinstance(stored, datetime):
        return isinstance(said, str) and datetime.fromisoformat(said) == stored
    if isinstance(stored, UUID):
        return str(stored) == said
    return stored == said
