"""Tamperings: what somebody with the database, and without the key, may do to rows by hand. Each picks its rows by chance."""

import json
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeAlias, get_args
from uuid import UUID, uuid4

from sqlalchemy import JSON, text
from sqlmodel import SQLModel

from app.cards.models import Appeal, Card
from app.cases.models import Case
from app.db import Transaction
from app.db.row_base import Stored
from app.directory.models import Citizen, OfficialNumber, Staff
from app.doctor.verification import Part
from app.evaluation.access_log import Look
from app.evaluation.evaluation_log import LogEntry, LogHead
from app.evaluation.models import Answer, CallTry, OptOut, Reply, ReturnCall, Survey
from app.matters.attachments import Attachment
from app.matters.clocks import BOOKMARKS, Clock
from app.matters.matter import Matter, MatterParty, PersonAsGiven
from app.matters.papers import Paper
from app.matters.parts import Assignment
from app.matters.record import RecordEntry, RecordText
from tests.tampering.story import Story

_OF_CASES: Final = "matter_id = ANY(:ids)"
_OF_CARDS: Final = "card_id IN (SELECT id FROM card WHERE matter_id = ANY(:ids))"
_OF_SURVEYS: Final = "survey_id IN (SELECT id FROM surveys.survey WHERE matter_id = ANY(:ids))"
_OF_CALLS: Final = f"call_id IN (SELECT id FROM surveys.return_call WHERE {_OF_SURVEYS})"  # noqa: S608 - our own words
_CITIZENS: Final = "id IN (SELECT citizen_id FROM grievance WHERE id = ANY(:ids))"


@dataclass(frozen=True)
class Scope:
    """A table's rows of the story, and which columns matter; `exempt`: those that no fact rests on (docs/adr/0032)."""

    kind: type[Stored]
    where: str
    part: Part = Part.RECORDS
    exempt: frozenset[str] = frozenset()
    # Whether a row that is gone, or one more, shows.
    counted: bool = True
    key: tuple[str, ...] = ("id",)
    # Columns that an inserted row must have of its own, beside the key.
    own: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        table = self.kind.__table__
        return str(table.fullname)

    @property
    def columns(self) -> list[str]:
        kept = {*self.key, *self.exempt}
        return [name for name in self.kind.model_fields if name not in kept]


SCOPES: Final = (
    Scope(Matter, "id = ANY(:ids)", own=("ref",)),
    Scope(Case, "id = ANY(:ids)", own=("ref",)),
    Scope(RecordEntry, _OF_CASES, key=("matter_id", "seq")),
    Scope(RecordText, f"{_OF_CASES} AND text IS NOT NULL", key=("matter_id", "seq", "field")),
    Scope(Assignment, _OF_CASES, own=("round",)),
    Scope(Clock, _OF_CASES, exempt=BOOKMARKS),
    Scope(MatterParty, _OF_CASES, key=("unit_id", "matter_id")),
    Scope(Card, _OF_CASES, own=("clock_id",)),
    Scope(Appeal, _OF_CARDS, own=("card_id",)),
    Scope(Paper, _OF_CASES, own=("number",)),
    Scope(Attachment, _OF_CASES),
    # How a name is compared may be computed anew.
    Scope(PersonAsGiven, _OF_CASES, exempt=frozenset({"name_key"}), key=("matter_id",)),
    Scope(
        Citizen, _CITIZENS, Part.PEOPLE, frozenset({"village_id", "created_at"}), own=("phone_key",)
    ),
    Scope(
        Staff, "account IN ('gongnong', 'ronglong', 'ducha')", Part.PEOPLE,
        frozenset({"password_hash", "active", "created_at"}), own=("account",),
    ),
    Scope(
        OfficialNumber, "id = :number_id", Part.PEOPLE,
        frozenset(OfficialNumber.model_fields) - {"phone_sealed", "phone_key"}, counted=False,
    ),
    Scope(Survey, "matter_id = ANY(:ids)", Part.EVALUATIONS, own=("round",)),
    Scope(Answer, _OF_SURVEYS, Part.EVALUATIONS, own=("discounted",)),
    Scope(ReturnCall, _OF_SURVEYS, Part.EVALUATIONS, own=("survey_id",)),
    Scope(
        CallTry, _OF_CALLS, Part.EVALUATIONS
    ),
    Scope(Reply, "provider_message_id LIKE :replies", Part.EVALUATIONS, key=("provider_message_id",)),
    Scope(OptOut, "phone_key = :opted_out", Part.EVALUATIONS, key=("phone_key",)),
    Scope(LogEntry, "number > 0", Part.EVALUATIONS, key=("number",)),
    Scope(LogHead, "id = 1", Part.EVALUATIONS),
    Scope(Look, "number > 0", Part.EVALUATIONS, key=("number",)),
)  # fmt: skip


_CARDS: Final = next(one for one in SCOPES if one.kind is Card)
_FIELDS: Final = ("title", "body", "place", "finding", "reason", "note", "answer", "basis")


class NotPossible(Exception):
    """The rows at hand do not allow it, or the database refuses: something else is tried."""


@dataclass
class Hand:
    """Who tampers: with the story's rows, by chance, as the owner of the tables with triggers and foreign keys off."""

    story: Story
    chance: random.Random
    # Cases that were made up: to be verified as well.
    made_up: list[UUID] = field(default_factory=list)

    @property
    def tx(self) -> Transaction:
        return self.story.tx

    def binds(self, where: str) -> dict[str, Any]:
        given = {
            "ids": self.story.ids,
            "number_id": self.story.number_id,
            "opted_out": self.story.opted_out,
            "replies": f"SM-tamper-{self.story.tag}-%",
        }
        return {name: value for name, value in given.items() if f":{name}" in where}

    async def rows(self, scope: Scope) -> list[dict[str, Any]]:
        query = text(f"SELECT * FROM {scope.table} WHERE {scope.where}")  # noqa: S608 - our own words
        return [dict(row) for row in await self.tx.all(query, **self.binds(scope.where))]

    async def some(self, scope: Scope, many: int = 1) -> list[dict[str, Any]]:
        rows = await self.rows(scope)
        if len(rows) < many:
            raise NotPossible
        return self.chance.sample(rows, many)

    async def write(self, scope: Scope, row: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Values where the row's key finds it."""
        sets = ", ".join(f'"{name}" = :v_{name}' for name in values)
        found = " AND ".join(f'"{name}" = :k_{name}' for name in scope.key)
        await self.tx.execute(
            text(f"UPDATE {scope.table} SET {sets} WHERE {found}"),  # noqa: S608 - names of our own tables
            **{f"v_{name}": _sent(scope, name, value) for name, value in values.items()},
            **{f"k_{name}": row[name] for name in scope.key},
        )


def _sent(scope: Scope, column: str, value: Any) -> Any:
    if value is None or not isinstance(_column(scope, column).type, JSON):
        return value
    return value if isinstance(value, str) else json.dumps(value)


def _column(scope: Scope, name: str) -> Any:
    return SQLModel.metadata.tables[scope.table].columns[name]


Tampering: TypeAlias = Callable[[Hand, Scope], Awaitable[None]]


async def change(hand: Hand, scope: Scope) -> None:
    """One column of one row is something else."""
    [row] = await hand.some(scope)
    column = hand.chance.choice(scope.columns)
    await hand.write(scope, row, {column: _another(hand, scope, column, row[column])})


async def remove(hand: Hand, scope: Scope) -> None:
    if not scope.counted:
        raise NotPossible
    [row] = await hand.some(scope)
    found = " AND ".join(f'"{name}" = :{name}' for name in scope.key)
    await hand.tx.execute(
        text(f"DELETE FROM {scope.table} WHERE {found}"),  # noqa: S608 - names of our own tables
        **{name: row[name] for name in scope.key},
    )


async def insert(hand: Hand, scope: Scope) -> None:
    """One more row, like another one."""
    if not scope.counted:
        raise NotPossible
    [row] = await hand.some(scope)
    fresh = {name: _fresh(hand, scope, name, row[name]) for name in scope.key}
    if scope.kind is RecordEntry:
        fresh = {"matter_id": row["matter_id"], "seq": row["seq"] + hand.chance.randrange(1, 50)}
    if scope.kind is RecordText:
        fresh = {
            "matter_id": row["matter_id"],
            "seq": row["seq"],
            "field": hand.chance.choice(_FIELDS),
        }
    if scope.kind is MatterParty:
        fresh = {"matter_id": row["matter_id"], "unit_id": hand.chance.randrange(1, 200)}
    made = row | fresh
    made |= {name: _another(hand, scope, name, row[name]) for name in scope.own}
    if scope.kind in (Case, Matter):
        hand.made_up.append(made["id"])
    if scope.kind is PersonAsGiven:
        hand.made_up.append(made["matter_id"])
    if scope.kind is Appeal:
        made["card_id"] = hand.chance.choice(await hand.rows(_CARDS))["id"]
    names = ", ".join(f'"{name}"' for name in made)
    values = ", ".join(f":{name}" for name in made)
    await hand.tx.execute(
        text(f"INSERT INTO {scope.table} ({names}) VALUES ({values})"),  # noqa: S608 - names of our own tables
        **{name: _sent(scope, name, value) for name, value in made.items()},
    )


async def swap(hand: Hand, scope: Scope) -> None:
    """Two rows exchange what one column holds."""
    one, other = await hand.some(scope, 2)
    differing = [name for name in scope.columns if one[name] != other[name]]
    if not differing:
        raise NotPossible
    column = hand.chance.choice(differing)
    await hand.write(scope, one, {column: other[column]})
    await hand.write(scope, other, {column: one[column]})


async def restore(hand: Hand, scope: Scope) -> None:
    """A row is again what it was at an earlier moment, seal and all; one that was added since stays."""
    now = {key_of(scope, row): row for row in await hand.rows(scope)}
    former = [
        (row, now[key])
        for snapshot in hand.story.snapshots
        for key, row in snapshot.get(scope.table, {}).items()
        if key in now and any(row[name] != now[key][name] for name in scope.columns)
    ]
    if not former:
        raise NotPossible
    was, row = hand.chance.choice(former)
    await hand.write(scope, row, {name: was[name] for name in scope.columns})


HOWS: Final[Mapping[str, Tampering]] = {
    "change": change,
    "remove": remove,
    "insert": insert,
    "swap": swap,
    "restore": restore,
}


async def move_ciphertext(hand: Hand) -> None:
    """A ciphertext is copied over another one, of another row, column or table."""
    places = [
        (scope, row, name)
        for scope in SCOPES
        for row in await hand.rows(scope)
        for name in scope.columns
        if name.endswith("_sealed") and row[name] is not None
    ]
    if len(places) < 2:
        raise NotPossible
    (scope, row, name), (_, source, theirs) = hand.chance.sample(places, 2)
    await hand.write(scope, row, {name: source[theirs]})


def key_of(scope: Scope, row: Mapping[str, Any]) -> str:
    return "/".join(str(row[name]) for name in scope.key)


def _fresh(hand: Hand, scope: Scope, name: str, old: Any) -> Any:
    if isinstance(old, UUID):
        return uuid4()
    if isinstance(old, int):
        return hand.chance.randrange(10**6, 10**9)
    return _another(hand, scope, name, old)


def _another(hand: Hand, scope: Scope, column: str, old: Any) -> Any:
    """A value of the column's kind that is not the old one."""
    for _ in range(20):
        new = _any(hand, scope, column, old)
        if new != old:
            return new
    raise NotPossible


def _any(hand: Hand, scope: Scope, column: str, old: Any) -> Any:
    chance = hand.chance
    values = _enumerated(scope.kind, column)
    nullable = _column(scope, column).nullable
    if nullable and old is not None and chance.random() < 0.2:
        return None
    if values:
        return str(chance.choice(values))
    return _from_nothing(hand, scope, column) if old is None else _of_its_kind(hand, old)


def _of_its_kind(hand: Hand, old: Any) -> Any:
    chance = hand.chance
    match old:
        case bool():
            return not old
        case int():
            return max(1, old + chance.choice((-2, -1, 1, 2, 3)))
        case datetime():
            return old + timedelta(seconds=chance.choice((-86400, -1, 1, 3600, 86400)))
        case bytes():
            return _bytes(chance, old)
        case UUID():
            return chance.choice(hand.story.ids)
        case str():
            return _words(chance, old)
        case _:
            return [*old, ["2026-01-01T00:00:00Z", None]]


def _from_nothing(hand: Hand, scope: Scope, column: str) -> Any:
    kind = _column(scope, column).type.python_type
    made: dict[Any, Any] = {
        int: 1,
        bool: True,
        str: "改",
        bytes: hand.chance.randbytes(32),
        UUID: hand.chance.choice(hand.story.ids),
        datetime: datetime.fromisoformat("2026-11-01T08:00:00+08:00"),
    }
    if kind not in made:
        raise NotPossible
    return made[kind]


def _bytes(chance: random.Random, old: bytes) -> bytes:
    if not old or chance.random() < 0.3:
        return chance.randbytes(len(old) or 32)
    at = chance.randrange(len(old))
    return old[:at] + bytes([old[at] ^ chance.randrange(1, 256)]) + old[at + 1 :]


def _words(chance: random.Random, old: str) -> str:
    if not old or chance.random() < 0.5:
        return old[:-1] + chance.choice("甲乙丙丁")
    at = chance.randrange(len(old))
    return old[:at] + chance.choice("0123456789") + old[at + 1 :]


def _enumerated(kind: type[Stored], column: str) -> list[StrEnum]:
    annotation = kind.model_fields[column].annotation
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, StrEnum):
            return list(candidate)
    return []
