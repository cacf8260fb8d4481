"""The append-only record of a matter, chained so that a change to any entry shows. Holds no names: only digests of texts.

An entry says what was done, by whom, and what the state became; folding the entries gives the rows.
"""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec
from sqlalchemy import CheckConstraint, Index, Text, text
from sqlmodel import Field

from app import keys
from app.auth.actor import Actor, CitizenActor, StaffActor
from app.bell import ring_for_change
from app.db import Transaction
from app.db.row_base import MOMENT, Stored
from app.matters.clocks import BOOKMARKS, Clock
from app.matters.parts import Assignment


class MatterAction(StrEnum):
    """Actions that are called the same in every kind of matter that has them: who counts, cards or asks reads them by name."""

    REGISTER = "register"
    SIGN = "sign"
    HANDLE = "handle"
    PROGRESS = "progress"
    ASSIST_ANSWER = "assist_answer"
    ANSWER = "answer"
    APPROVE_ANSWER = "approve_answer"
    REWORK = "rework"
    REMIND = "remind"
    CARD = "card"
    APPEAL = "appeal"
    DECIDE_APPEAL = "decide_appeal"
    RESCHEDULE = "reschedule"
    ERASE = "erase"


class RecordEntry(Stored, table=True):
    """One entry of the record: append-only, `hash` = keyed SHA-256 over the entry before and the exact bytes of `body`.

    `action` is one of the kind's actions. The other columns repeat what `body` says, for lists; `qungong verify` compares them.
    """

    __tablename__ = "record_entry"
    __table_args__ = (
        CheckConstraint("seq > 0", name="record_seq_positive"),
        Index(
            "record_entry_by_unit",
            "unit_id",
            "at",
            postgresql_where=text(
                "action IN ('escalate', 'send_down', 'dispatch', 'extend', 'hand_back', 'withdraw')"
            ),
        ),
        # Entries are added in the order of time: a few bytes for every sixteen pages find the latest ones.
        Index(
            "record_entry_lately",
            "at",
            postgresql_using="brin",
            postgresql_with={"pages_per_range": "16", "autosummarize": "on"},
        ),
        Index(
            "record_entry_reassigned",
            "at",
            "matter_id",
            postgresql_where=text("action = 'reassign'"),
        ),
    )

    matter_id: UUID = Field(primary_key=True, foreign_key="matter.id")
    seq: int = Field(primary_key=True)
    at: datetime = Field(sa_type=MOMENT)
    action: str = Field(sa_type=Text)
    unit_id: int | None = Field(default=None, foreign_key="unit.id")
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    # Whether the reporter sees it.
    public: bool
    body: str = Field(sa_type=Text)
    hash: bytes


class RecordText(Stored, table=True):
    """Text that a person wrote with an entry. The entry holds its salted digest, so the text may be erased."""

    __tablename__ = "record_text"

    matter_id: UUID = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    field: str = Field(primary_key=True, max_length=20)
    salt: bytes
    # Empty once erased.
    text: str | None = Field(default=None, sa_type=Text)


# Columns by the names that entries written before docs/adr/0048-matters.md have, here and in the log of evaluations.
FORMER_NAMES: Final = {"case_id": "matter_id"}
# Actions that make a staff member a worker of the round, in SQL.
ACTIONS_OF_WORKERS: Final = ", ".join(
    f"'{one}'"
    for one in (
        MatterAction.SIGN, MatterAction.HANDLE, MatterAction.PROGRESS, MatterAction.ASSIST_ANSWER, MatterAction.ANSWER,
        MatterAction.APPROVE_ANSWER,
    )
)  # fmt: skip
_encoder = msgspec.json.Encoder(order="sorted")


def begins_round(entry: str) -> str:
    """Whether an entry of the record, by its alias, begins a new round: ordered after a return call, or by a review."""
    return f"""({entry}.action = 'rework' OR {entry}.action IN ('decide_review', 'decide_reexamination')
      AND CAST({entry}.body AS json) #>> '{{data,decision}}' <> 'upheld')"""


class Head(Protocol):
    """The end of a matter's chain."""

    id: UUID
    head_seq: int
    head_hash: bytes


def append(
    tx: Transaction,
    matter: Head,
    action: StrEnum,
    *,
    by: Actor,
    now: datetime,
    public: bool,
    after: Mapping[str, Any],
    data: Mapping[str, Any],
    texts: Mapping[str, str] | None = None,
    beside: object = None,
) -> None:
    """Adds the next entry and its texts, and moves the head. The caller has locked the matter, and writes the head.

    `texts` are people's words (erasable; the entry keeps salted digests), `data` are facts without names. `after`: what
    changed, as `case` (the columns of the kind's own row), `assignments` and `clocks` (by their ids). `beside`: how many rows
    were added to a table that no entry tells; it is for verification alone.
    """
    digests = {}
    for name, words in (texts or {}).items():
        salt = secrets.token_bytes(16)
        digests[name] = text_digest(salt, words)
        tx.add(
            RecordText(
                matter_id=matter.id, seq=matter.head_seq + 1, field=name, salt=salt, text=words
            )
        )
    seq = matter.head_seq + 1
    body = _encoder.encode(
        {
            "case": matter.id,
            "seq": seq,
            "at": now,
            "action": action,
            "by": _who(by),
            "public": public,
            "data": data,
            "texts": digests,
            "after": after,
        }
        | ({"beside": beside} if beside else {})
    )
    matter.head_hash = chained(matter.head_hash if seq > 1 else genesis(matter.id), body)
    matter.head_seq = seq
    staff = by if isinstance(by, StaffActor) else None
    entry = RecordEntry(
        matter_id=matter.id,
        seq=seq,
        at=now,
        action=action,
        unit_id=staff.unit_id if staff else None,
        staff_id=staff.staff_id if staff else None,
        public=public,
        body=body.decode(),
        hash=matter.head_hash,
    )
    tx.add(entry)
    tx.after_commit[ring_for_change] = None


def genesis(matter_id: UUID) -> bytes:
    """First link of the chain, made from the matter's id: a chain cannot be moved to another matter."""
    return sha256(matter_id.bytes).digest()


def chained(previous: bytes, body: bytes) -> bytes:
    """Keyed hash: write access to the database without the deployment's secret is not enough to forge a chain."""
    return hmac.digest(keys.chain_key(), previous + body, "sha256")


def text_digest(salt: bytes, words: str) -> str:
    return sha256(salt + words.encode()).hexdigest()


def row_changes(
    rows: Sequence[Assignment | Clock],
    before: Mapping[UUID, Mapping[str, Any]],
    kind: type[Assignment | Clock],
) -> dict[str, dict[str, Any]]:
    """For each row, the new values of the columns that differ from `before`; for a new row, all columns that the record keeps."""
    told = {}
    for row in rows:
        known = before.get(row.id)
        said = (
            {
                name: json_value(getattr(row, name))
                for name in kind.model_fields
                if name == "calendar_version" or name not in BOOKMARKS
            }
            if known is None
            else column_changes(row, known, kind.CHANGING)
        )
        if said:
            told[str(row.id)] = said
    return told


def column_changes(
    row: Stored, before: Mapping[str, Any], names: tuple[str, ...]
) -> dict[str, Any]:
    """The new values of those columns that differ from `before`. Bookmarks of the sweep are left out."""
    return {
        name: json_value(getattr(row, name))
        for name in names
        if name not in BOOKMARKS and getattr(row, name) != before[name]
    }


def write_changes(
    tx: Transaction,
    rows: Sequence[Assignment | Clock],
    before: Mapping[UUID, Mapping[str, Any]],
) -> None:
    """Adds the new rows and updates those that differ from `before`."""
    for row in rows:
        if row.id not in before:
            tx.add(row)
        elif row.changing() != before[row.id]:
            tx.change(row)


def json_value(value: object) -> object:
    return value.value if isinstance(value, StrEnum) else value


def _who(by: Actor) -> dict[str, Any]:
    match by:
        case StaffActor():
            return {"staff": by.staff_id, "post": by.post_id, "unit": by.unit_id}
        case CitizenActor():
            return {"citizen": by.citizen_id}
        case _:
            return {"system": True}
