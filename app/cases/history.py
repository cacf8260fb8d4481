"""The append-only record of a case, chained so that a change to any entry shows. Holds no names: only digests of texts.

An entry says what was done, by whom, and what the state became; folding the entries gives the rows.
"""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID

import msgspec

from app import keys
from app.auth.actor import Actor, CitizenActor, StaffActor
from app.cases import noticing, sealed_cases
from app.cases.clocks import Clock
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action
from app.cases.models import Assignment, Case, CaseEvent, EventText
from app.db import Transaction

# The head of the chain lives on the case's row and cannot be part of what it is computed from.
_HEAD = frozenset({"event_seq", "event_hash"})
# Where the sweeps stand with a clock: follows from the rest and from other entries, and has none of its own.
BOOKMARKS = frozenset({"next_at", "steps", "certain_steps", "calendar_version"})
_NOT_TOLD = _HEAD | BOOKMARKS
# What an entry of a new case keeps: all of its row but what would identify a person or open the case to others.
_AT_REGISTRATION = tuple(
    name for name in Case.model_fields if name not in _HEAD | {"title", "tracking_key", "seal"}
)
_encoder = msgspec.json.Encoder(order="sorted")


class Head(Protocol):
    """The end of a case's chain."""

    id: UUID
    event_seq: int
    event_hash: bytes


def record(
    tx: Transaction,
    dossier: Dossier,
    action: Action,
    *,
    by: Actor,
    now: datetime,
    public: bool,
    texts: Mapping[str, str] | None = None,
    beside: object = None,
    **data: Any,
) -> None:
    """Append an entry for what was just done to the case, and have the changed rows written; tell the units it concerns.

    `texts` are people's words (erasable; the entry keeps salted digests), `data` are facts without names, `beside` says how
    many rows were added to a table that no entry tells; nobody is shown it.
    """
    case = dossier.case
    new = case.event_seq == 0
    if case.sealed and (new or _changes_hands(dossier)):
        tx.before_commit[case.id] = partial(sealed_cases.require_viewer, case_id=case.id)
    digests = {}
    for name, words in (texts or {}).items():
        salt = secrets.token_bytes(16)
        digests[name] = text_digest(salt, words)
        tx.add(
            EventText(case_id=case.id, seq=case.event_seq + 1, field=name, salt=salt, text=words)
        )
    noticing.pass_on(tx, dossier, action, by=by, now=now)
    after = _after(dossier, new=new)
    tx.add(
        entry(
            case,
            action,
            by=by,
            now=now,
            public=public,
            data=data,
            texts=digests,
            after=after,
            beside=beside,
        )
    )
    if new:
        tx.add(case)
    else:
        tx.change(case)
        _write(tx, dossier.assignments, dossier.assignments_before)
    _write(tx, dossier.clocks, dossier.clocks_before)
    dossier.remember()


def _changes_hands(dossier: Dossier) -> bool:
    """Whether the case or a part of it is another unit's now, or another unit is accused."""
    units = ("holder_unit_id", "accused_unit_id")
    return any(getattr(dossier.case, name) != dossier.before[name] for name in units) or any(
        one.unit_id != dossier.assignments_before.get(one.id, {}).get("unit_id")
        for one in dossier.assignments
    )


def entry(
    head: Head,
    action: Action,
    *,
    by: Actor,
    now: datetime,
    public: bool,
    data: Mapping[str, Any],
    after: Mapping[str, Any],
    texts: Mapping[str, str] | None = None,
    beside: object = None,
) -> CaseEvent:
    """The next entry of a case's record; moves the head. Who writes it writes the head too, and has the case locked.

    `texts` are digests. `after`: what changed, as `case`, `assignments` and `clocks`, the latter two by their ids.
    """
    seq = head.event_seq + 1
    body = _encoder.encode(
        {
            "case": head.id,
            "seq": seq,
            "at": now,
            "action": action,
            "by": _who(by),
            "public": public,
            "data": data,
            "texts": texts or {},
            "after": after,
        }
        | ({"beside": beside} if beside else {})
    )
    head.event_hash = chained(head.event_hash if seq > 1 else genesis(head.id), body)
    head.event_seq = seq
    staff = by if isinstance(by, StaffActor) else None
    return CaseEvent(
        case_id=head.id,
        seq=seq,
        at=now,
        action=action,
        unit_id=staff.unit_id if staff else None,
        staff_id=staff.staff_id if staff else None,
        public=public,
        body=body.decode(),
        hash=head.event_hash,
    )


def _write(
    tx: Transaction,
    rows: Sequence[Assignment | Clock],
    before: Mapping[UUID, Mapping[str, Any]],
) -> None:
    for row in rows:
        if row.id not in before:
            tx.add(row)
        elif row.changing() != before[row.id]:
            tx.change(row)


def moved(dossier: Dossier) -> bool:
    """Whether anything is different from what the record says."""
    return (
        _differs(dossier.case, dossier.before, Case.CHANGING)
        or _any_differs(dossier.assignments, dossier.assignments_before, Assignment.CHANGING)
        or _any_differs(dossier.clocks, dossier.clocks_before, Clock.CHANGING)
    )


def _any_differs(
    rows: Sequence[Assignment | Clock],
    before: Mapping[UUID, Mapping[str, Any]],
    names: tuple[str, ...],
) -> bool:
    return any(row.id not in before or _differs(row, before[row.id], names) for row in rows)


def _differs(
    row: Case | Assignment | Clock, before: Mapping[str, Any], names: tuple[str, ...]
) -> bool:
    return any(getattr(row, name) != before[name] for name in names if name not in _NOT_TOLD)


def genesis(case_id: UUID) -> bytes:
    """What stands before a case's first entry: no two cases share it, so no chain can be moved to another case."""
    return sha256(case_id.bytes).digest()


def chained(previous: bytes, body: bytes) -> bytes:
    """Keyed: whoever can write to the database but has not the deployment's secret cannot make a chain that fits."""
    return hmac.digest(keys.chain_key(), previous + body, "sha256")


def text_digest(salt: bytes, words: str) -> str:
    return sha256(salt + words.encode()).hexdigest()


def _who(by: Actor) -> dict[str, Any]:
    match by:
        case StaffActor():
            return {"staff": by.staff_id, "post": by.post_id, "unit": by.unit_id}
        case CitizenActor():
            return {"citizen": by.citizen_id}
        case _:
            return {"system": True}


def _after(dossier: Dossier, *, new: bool) -> dict[str, Any]:
    """The columns that changed, as they now are."""
    case = dossier.case
    if new:
        return {
            "case": {name: _plain(getattr(case, name)) for name in _AT_REGISTRATION},
            "assignments": {},
            "clocks": _rows(dossier.clocks, dossier.clocks_before, Clock),
        }
    return {
        "case": _changed(case, dossier.before, Case.CHANGING),
        "assignments": _rows(dossier.assignments, dossier.assignments_before, Assignment),
        "clocks": _rows(dossier.clocks, dossier.clocks_before, Clock),
    }


def _rows(
    rows: Sequence[Assignment | Clock],
    before: Mapping[UUID, Mapping[str, Any]],
    kind: type[Assignment | Clock],
) -> dict[str, dict[str, Any]]:
    told = {}
    for row in rows:
        known = before.get(row.id)
        said = (
            {
                name: _plain(getattr(row, name))
                for name in kind.model_fields
                if name == "calendar_version" or name not in BOOKMARKS
            }
            if known is None
            else _changed(row, known, kind.CHANGING)
        )
        if said:
            told[str(row.id)] = said
    return told


def _changed(
    row: Case | Assignment | Clock, before: Mapping[str, Any], names: tuple[str, ...]
) -> dict[str, Any]:
    return {
        name: _plain(getattr(row, name))
        for name in names
        if name not in _NOT_TOLD and getattr(row, name) != before[name]
    }


def _plain(value: object) -> object:
    return value.value if isinstance(value, StrEnum) else value
