"""Looking at what a citizen answered, by name: with a reason, on record before anything is shown, and watched in turn.

The looks of all are one chain, numbered without a gap and sealed with a key: none can be left out or altered unnoticed.
Not on the case's own record, which those who handled it read.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import BigInteger, CheckConstraint, Text, text
from sqlmodel import Field

from app import keys
from app.auth import posts
from app.auth.actor import StaffActor
from app.db import Transaction
from app.db.query import Query
from app.db.row_base import MOMENT, Stored
from app.directory.terms import HANDLING_UNITS, Role, UnitKind
from app.errors import ActionNotAllowed, NotFound, NotPermitted
from app.evaluation import answers, privacy_role
from app.evaluation.models import SCHEMA
from app.evaluation.terms import AnswerChannel, Value
from app.matters import conflict_of_interest
from app.matters.visibility import VISIBLE_TO_STAFF, viewer


class Look(Stored, table=True):
    """Somebody looked at what was answered to one survey. Names as they were then. Never changed.

    `seal` covers the row and the seal of the one before it.
    """

    __tablename__ = "look"
    __table_args__ = (
        CheckConstraint("number > 0", name="look_number"),
        CheckConstraint("reason <> ''", name="look_has_reason"),
        {"schema": SCHEMA},
    )
    KEY: ClassVar[tuple[str, ...]] = ("number",)

    number: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    survey_id: UUID = Field(foreign_key=f"{SCHEMA}.survey.id")
    at: datetime = Field(sa_type=MOMENT)
    staff_id: int = Field(foreign_key="staff.id")
    post_id: int = Field(foreign_key="post.id")
    unit_id: int = Field(foreign_key="unit.id")
    staff_name: str = Field(sa_type=Text)
    unit_name: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    seal: bytes


@dataclass(frozen=True, slots=True)
class Looked:
    """What was answered. All but the survey's own facts is empty where nothing was."""

    number: int
    ref: str
    round: int
    asked_at: datetime | None
    answered_at: datetime | None
    channel: AnswerChannel | None
    value: Value | None = field(repr=False)
    remark: str | None = field(repr=False)
    name: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """A look as those see it who watch over them; what was answered is not in it."""

    number: int
    at: datetime
    staff: str
    role: Role
    unit: str
    ref: str
    title: str
    round: int
    reason: str = field(repr=False)


_FIRST_SEAL: Final = b""
_BATCH: Final = 1000
# Whatever is written about evaluations waits for this row in the end: its log is one chain.
_ALONE: Final = text("SELECT number FROM surveys.evaluation_log_head FOR UPDATE")


class _AskedSurvey(Struct, frozen=True):
    ref: str
    matter_id: UUID
    survey_id: UUID
    round: int
    asked_at: datetime | None
    name_sealed: bytes | None


# Nothing of the answer, whose reading comes after the row.
_MEANT: Final = Query(
    _AskedSurvey,
    f"""
SELECT c.ref, c.id AS matter_id, s.id AS survey_id, s.round, s.asked_at, given.name_sealed
FROM matter_facts c
LEFT JOIN LATERAL (
  SELECT * FROM surveys.survey WHERE matter_id = c.id AND (CAST(:round AS int) IS NULL OR round = :round)
  ORDER BY round DESC LIMIT 1
) s ON true
LEFT JOIN person_as_given given ON given.matter_id = c.id
WHERE c.ref = :ref AND (:of_center OR c.sealed) AND {VISIBLE_TO_STAFF} AND (s.id IS NULL OR NOT {conflict_of_interest.KEPT_FROM})
""",  # noqa: S608 - constants
)


class _LastLook(Struct, frozen=True):
    number: int
    seal: bytes


_LAST: Final = Query(
    _LastLook, "SELECT number, seal FROM surveys.look ORDER BY number DESC LIMIT 1"
)


class _AnswerRow(Struct, frozen=True):
    id: UUID
    value: Value
    channel: AnswerChannel
    remark_sealed: bytes | None
    answered_at: datetime


_ANSWER: Final = Query(
    _AnswerRow,
    """
SELECT id, value, channel, remark_sealed, answered_at FROM surveys.answer WHERE survey_id = :survey_id AND discounted IS NULL
""",
)


class _LookRow(Struct, frozen=True):
    number: int
    at: datetime
    staff_name: str
    role: Role
    unit_name: str
    ref: str
    title: str
    round: int
    reason: str


_LIST: Final = Query(
    _LookRow,
    f"""
SELECT l.number, l.at, l.staff_name, o.role, l.unit_name, c.ref, c.title, s.round, l.reason
FROM surveys.look l
JOIN surveys.survey s ON s.id = l.survey_id
JOIN matter_facts c ON c.id = s.matter_id
JOIN post o ON o.id = l.post_id
WHERE l.number < CAST(:before AS bigint) AND {VISIBLE_TO_STAFF}
ORDER BY l.number DESC LIMIT :most
""",  # noqa: S608 - constants
)
_ALL: Final = text("SELECT * FROM surveys.look WHERE number > :after ORDER BY number LIMIT :batch")
_COUNT: Final = text("SELECT count(*) FROM surveys.look")
_AFTER_ALL: Final = 2**63 - 1
_WHO_LOOKS = "只有县指挥中心的督查员可以查看群众的评价；检举控告的，只有承办单位的督查员可以。"
_WHO_WATCHES = "只有纪检监察机关的督查员和县领导可以查阅查看记录。"


async def look(
    tx: Transaction, ref: str, *, by: StaffActor, round_: int | None, reason: str, now: datetime
) -> Looked:
    """Put on record that `by` looks, then read what was answered. Without `round_`: the newest that was asked about."""
    if by.role is not Role.SUPERVISOR:
        raise NotPermitted(_WHO_LOOKS)
    await privacy_role.enter(tx)
    of_center = by.unit_kind is UnitKind.COMMAND_CENTER
    meant = await _MEANT.one_or_none(
        tx, ref=ref, round=round_, of_center=of_center, **conflict_of_interest.asking(by)
    )
    if meant is None:
        raise NotFound
    if meant.survey_id is None:
        raise ActionNotAllowed("这一轮还没有请群众评价。")
    number = await _put_on_record(tx, meant.survey_id, by, reason, now)
    answer = await _ANSWER.one_or_none(tx, survey_id=meant.survey_id)
    return Looked(
        number=number,
        ref=meant.ref,
        round=meant.round,
        asked_at=meant.asked_at,
        answered_at=None if answer is None else answer.answered_at,
        channel=None if answer is None else answer.channel,
        value=None if answer is None else answer.value,
        remark=None
        if answer is None
        else keys.shown(answer.remark_sealed, answers.remark_place(answer.id)),
        name=keys.shown(meant.name_sealed, keys.at("person_as_given.name_sealed", meant.matter_id)),
    )


async def listed(tx: Transaction, *, by: StaffActor, before: int | None, most: int) -> list[Seen]:
    """The looks at cases that `by` may see, the newest first, from before `before` on."""
    inspects = by.role is Role.SUPERVISOR and by.unit_kind is UnitKind.DISCIPLINE
    watches = inspects or by.role is Role.LEADER
    if not watches or await posts.sits_in(tx, by, HANDLING_UNITS):
        raise NotPermitted(_WHO_WATCHES)
    await privacy_role.enter(tx)
    rows = await _LIST.all(tx, before=before or _AFTER_ALL, most=most, **viewer(by))
    return [
        Seen(
            number=row.number,
            at=row.at,
            staff=row.staff_name,
            role=row.role,
            unit=row.unit_name,
            ref=row.ref,
            title=row.title,
            round=row.round,
            reason=row.reason,
        )
        for row in rows
    ]


async def how_many(tx: Transaction) -> int:
    count: int = await tx.scalar(_COUNT)
    return count


async def broken(tx: Transaction) -> AsyncIterator[tuple[int, list[dict[str, Any]]]]:
    """Batch by batch: how many were recomputed, and the numbers that are missing, or whose row is not what was sealed."""
    after, seal = 0, _FIRST_SEAL
    while rows := await tx.all(_ALL, after=after, batch=_BATCH):
        wrong = []
        for row in map(Look.read, rows):
            if row.number != after + 1:
                wrong.append({"number": after + 1, "what": "missing"})
            elif row.seal != _seal(row, seal):
                wrong.append({"number": row.number, "what": "altered"})
            after, seal = row.number, row.seal
        yield len(rows), wrong


async def _put_on_record(
    tx: Transaction, survey_id: UUID, by: StaffActor, reason: str, now: datetime
) -> int:
    await tx.execute(_ALONE)
    # After the lock, so that it sees the one before.
    last = await _LAST.one_or_none(tx)
    one = Look(
        number=1 if last is None else last.number + 1,
        survey_id=survey_id,
        at=now,
        staff_id=by.staff_id,
        post_id=by.post_id,
        unit_id=by.unit_id,
        staff_name=by.name,
        unit_name=by.unit_name,
        reason=reason,
        seal=_FIRST_SEAL,
    )
    one.seal = _seal(one, _FIRST_SEAL if last is None else last.seal)
    tx.add(one)
    await tx.flush()
    return one.number


def _seal(one: Look, before: bytes) -> bytes:
    told = [getattr(one, name) for name in Look.model_fields if name not in ("seal", "at")]
    # As the database keeps it, to the microsecond and in whatever zone.
    moment = int(one.at.timestamp() * 1_000_000)
    return keys.digest("look", before + msgspec.json.encode([moment, *told]))
