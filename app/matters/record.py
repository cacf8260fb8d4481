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
    """What was written with an entry; with the first, what was told. The entry holds its salted digest, so this may be erased."""

    __tablename__ = "record_text"

    matter_id: UUID = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    field: str = Field(primary_key=True, max_length=20)
    salt: bytes
    # Empty once erased.
    text: str | None = Field(default=None, sa_type=Text)


# Columns by the names that entries written before docs/adr/0048-matters.md have, here and in the log of evaluations.
FORMER_NAMES: Final = {"case_id": "matter_id"}
# What makes somebody's own work of a round.
PARTS: Final = ", ".join(
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
    """Add the next entry and its texts. Who calls it has the matter locked, and writes its head.

    `texts` are people's words (erasable; the entry keeps salted digests), `data` are facts without names. `after`: what
    changed, as `case` (the columns of the kind's own row), `assignments` and `clocks` (by their ids).
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
    tx.add(
        entry(
            matter,
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


def entry(
    head: Head,
    action: StrEnum,
    *,
    by: Actor,
    now: datetime,
    public: bool,
    data: Mapping[str, Any],
    after: Mapping[str, Any],
    texts: Mapping[str, str] | None = None,
    beside: object = None,
) -> RecordEntry:
    """The next entry of a record; moves the head. Who writes it writes the head too, and has the matter locked.

    `texts` are digests. `after`: as in append(). `beside` says how many rows were added to a table that no entry tells;
    nobody is shown it.
    """
    seq = head.head_seq + 1
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
    head.head_hash = chained(head.head_hash if seq > 1 else genesis(head.id), body)
    head.head_seq = seq
    staff = by if isinstance(by, StaffActor) else None
    return RecordEntry(
        matter_id=head.id,
        seq=seq,
        at=now,
        action=action,
        unit_id=staff.unit_id if staff else None,
        staff_id=staff.staff_id if staff else None,
        public=public,
        body=body.decode(),
        hash=head.head_hash,
    )


def genesis(matter_id: UUID) -> bytes:
    """What stands before the first entry: no two matters share it, so no chain can be moved to another matter."""
    return sha256(matter_id.bytes).digest()


def chained(previous: bytes, body: bytes) -> bytes:
    """Keyed: whoever can write to the database but has not the deployment's secret cannot make a chain that fits."""
    return hmac.digest(keys.chain_key(), previous + body, "sha256")


def text_digest(salt: bytes, words: str) -> str:
    return sha256(salt + words.encode()).hexdigest()


def told_rows(
    rows: Sequence[Assignment | Clock],
    before: Mapping[UUID, Mapping[str, Any]],
    kind: type[Assignment | Clock],
) -> dict[str, dict[str, Any]]:
    """Of each row the columns that changed since `before`, as they now are; of a new one all that the record keeps."""
    told = {}
    for row in rows:
        known = before.get(row.id)
        said = (
            {
                name: plain(getattr(row, name))
                for name in kind.model_fields
                if name == "calendar_version" or name not in BOOKMARKS
            }
            if known is None
            else changed(row, known, kind.CHANGING)
        )
        if said:
            told[str(row.id)] = said
    return told


def changed(row: Stored, before: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The columns of `names` that an entry tells and that are others than before."""
    return {
        name: plain(getattr(row, name))
        for name in names
        if name not in BOOKMARKS and getattr(row, name) != before[name]
    }


def write_changed(
    tx: Transaction,
    rows: Sequence[Assignment | Clock],
    before: Mapping[UUID, Mapping[str, Any]],
) -> None:
    """Have the new rows added, and those written that are others than before."""
    for row in rows:
        if row.id not in before:
            tx.add(row)
        elif row.changing() != before[row.id]:
            tx.change(row)


def plain(value: object) -> object:
    return value.value if isinstance(value, StrEnum) else value


def _who(by: Actor) -> dict[str, Any]:
    match by:
        case StaffActor():
            return {"staff": by.staff_id, "post": by.post_id, "unit": by.unit_id}
        case CitizenActor():
            return {"citizen": by.citizen_id}
        case _:
            return {"system": True}
