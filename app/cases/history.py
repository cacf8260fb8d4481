"""Records an action on a case and writes the changed rows. The record itself is app/matters/record.py."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from app.auth.actor import Actor
from app.cases import noticing
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action
from app.cases.models import Case
from app.db import Transaction
from app.matters import record as matter_record
from app.matters import sealed_matters
from app.matters.clocks import Clock
from app.matters.parts import Assignment
from app.matters.record import column_changes, json_value, row_changes, write_changes

# What an entry of a new case keeps: all of its row but what would identify a person or open the case to others.
_AT_REGISTRATION = tuple(
    name for name in Case.model_fields if name not in {"title", "tracking_key", "seal"}
)


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

    `public`: the reporter sees that it was done; which of its `texts` they read, timeline.py decides. `texts` are people's
    words (erasable; the entry keeps salted digests), `data` are facts without names, `beside` says how many rows were added
    to a table that no entry tells; nobody is shown it.
    """
    case, matter = dossier.case, dossier.matter
    new = matter.head_seq == 0
    if case.sealed and (new or _changes_hands(dossier)):
        tx.before_commit[case.id] = partial(sealed_matters.require_viewer, matter_id=case.id)
    noticing.pass_on(tx, dossier, action, by=by, now=now)
    matter_record.append(
        tx,
        matter,
        action,
        by=by,
        now=now,
        public=public,
        data=data,
        texts=texts,
        after=_after(dossier, new=new),
        beside=beside,
    )
    if new:
        tx.add(matter)
        tx.add(case)
    else:
        tx.change(matter)
        if case.changing() != dossier.before:
            tx.change(case)
        write_changes(tx, dossier.assignments, dossier.assignments_before)
    write_changes(tx, dossier.clocks, dossier.clocks_before)
    dossier.remember()


def _changes_hands(dossier: Dossier) -> bool:
    """Whether the case or a part of it is another unit's now, or another unit is accused."""
    units = ("holder_unit_id", "accused_unit_id")
    return any(getattr(dossier.case, name) != dossier.before[name] for name in units) or any(
        one.unit_id != dossier.assignments_before.get(one.id, {}).get("unit_id")
        for one in dossier.assignments
    )


def moved(dossier: Dossier) -> bool:
    """Whether anything is different from what the record says."""
    return (
        bool(column_changes(dossier.case, dossier.before, Case.CHANGING))
        or _any_differs(dossier.assignments, dossier.assignments_before, Assignment.CHANGING)
        or _any_differs(dossier.clocks, dossier.clocks_before, Clock.CHANGING)
    )


def _any_differs(
    rows: Sequence[Assignment | Clock],
    before: Mapping[UUID, Mapping[str, Any]],
    names: tuple[str, ...],
) -> bool:
    return any(
        row.id not in before or bool(column_changes(row, before[row.id], names)) for row in rows
    )


def _after(dossier: Dossier, *, new: bool) -> dict[str, Any]:
    """The columns that changed, as they now are."""
    case = dossier.case
    clocks = row_changes(dossier.clocks, dossier.clocks_before, Clock)
    if new:
        row = {name: json_value(getattr(case, name)) for name in _AT_REGISTRATION}
        return {"case": row, "assignments": {}, "clocks": clocks}
    return {
        "case": column_changes(case, dossier.before, Case.CHANGING),
        "assignments": row_changes(dossier.assignments, dossier.assignments_before, Assignment),
        "clocks": clocks,
    }
