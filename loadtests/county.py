"""Fills a database with cases through the product's own rules and record, copied in at once; for benchmarks only."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from rich.progress import track
from sqlalchemy import TextClause, text
from sqlmodel import SQLModel
from typing_extensions import override

from app import keys
from app.auth.actor import CitizenActor
from app.auth.models import Session
from app.auth.sessions import open_session
from app.calendars.working_time import WorkingCalendar
from app.cases import history, lifecycle
from app.cases.actions import filing
from app.cases.actions.filing import Intake
from app.cases.dossier import Dossier
from app.cases.lifecycle import Action, Condition, Situation, Standing
from app.cases.models import Channel
from app.cases.routing import Place
from app.cases.surroundings import place_columns
from app.db import OWNER, Database, Transaction, transaction
from app.db.query import columns_of
from app.db.row_base import Stored, copyable
from app.directory.models import Citizen
from app.directory.terms import UnitKind
from app.identifiers import uuid7
from app.limits.rules import NOTHING_SET
from app.limits.terms import Kind
from app.matters.clocks import Clock
from app.matters.deadlines import Timing
from app.settings import settings
from app.texts.outbox import MessageState, OutboxMessage

CITIZENS = 1000
# Each is in one case of a few hundred.
STREETS = [
    f"{one}{other}路"
    for one in "春夏秋冬东南西北山川湖海松竹梅兰桃李"
    for other in "云雨风雪霜露星辰金银铜铁琴棋书画"
]
_BATCH = 5000
_FINISHED_OF_TEN = 7
_AT_CENTER_OF_TEN = 1
# What filing asks of a unit when somebody reports there, in the columns of its own query.
_SETTINGS = f"""
SELECT {place_columns("u", "asked")}, u.county_id, c.code AS county_code, coalesce(k.version, 0) AS calendar_version,
  0 AS limits_version, CAST(NULL AS int[]) AS categories, {place_columns("cc", "command_center")}, {place_columns("d", "discipline")},
  true AS category_known, CAST(NULL AS int) AS accused_id, CAST(NULL AS int) AS village_id, CAST(NULL AS uuid) AS person_id,
  false AS number_official, 0 AS other_names, CAST('[]' AS json) AS open_before
FROM unit u JOIN unit c ON c.id = u.county_id
JOIN unit cc ON cc.county_id = c.id AND cc.kind = 'command_center'
LEFT JOIN calendar k ON k.county_id = c.id
LEFT JOIN unit d ON d.county_id = c.id AND d.kind = 'discipline'
WHERE u.kind IN ('village', 'township', 'command_center')"""  # noqa: S608 - names of our own
_FOUND = ", ".join(f"s.{one.name} AS found_{one.name}" for one in columns_of(filing._Setting))
_UNITS = text(
    f"SELECT CAST(NULL AS json) AS used, 'on' AS sync, {_FOUND} FROM ({_SETTINGS}) s ORDER BY s.asked_unit_id"  # noqa: S608
)
_POSTS = text(
    "SELECT p.account, p.id, o.id AS post_id FROM staff p JOIN post o ON o.staff_id = p.id"
)


@dataclass(frozen=True, slots=True)
class Known:
    """What the benchmark asks for: cases with their codes, those waiting at the ping-pong township, and tokens."""

    tracked: list[tuple[str, str]]
    at_township: list[str]
    tokens: dict[str, str]


class Copying(Transaction):
    """Takes what a use case writes without sending it; knows the answer to the one thing registering asks."""

    def __init__(self, driver: Any, desks: dict[str, Any]) -> None:
        super().__init__(driver)
        self.copying, self.desks = driver, desks
        self.rows: dict[type[Stored], list[Stored]] = {}
        self.once: set[tuple[Any, ...]] = set()
        self.tables: set[str] = set()
        self.kept: dict[type[Stored], int] = {}
        self.refs: set[str] = set()

    @override
    async def at_once(self, statement: TextClause, /, **values: Any) -> list[Any]:
        return [self.desks[values["asked_code"]]]

    @override
    def add(self, row: Stored) -> None:
        if row.ADD_ONCE:
            columns = SQLModel.metadata.tables[str(row.__tablename__)].primary_key.columns
            key = (type(row), *(getattr(row, column.name) for column in columns))
            if key in self.once:
                return
            self.once.add(key)
        self.rows.setdefault(type(row), []).append(row)

    @override
    def change(self, row: Stored) -> None:
        """The row is still in hand."""

    def keep(self, ref: str) -> None:
        self.refs.add(ref)
        self.kept = {kind: len(rows) for kind, rows in self.rows.items()}

    def take_back(self) -> None:
        """Forget what was added since `keep`."""
        for kind, rows in self.rows.items():
            del rows[self.kept.get(kind, 0) :]

    async def copy(self) -> None:
        order = [
            table.name for table in SQLModel.metadata.sorted_tables
        ]  # what is referred to comes first
        for kind, rows in sorted(
            self.rows.items(), key=lambda item: order.index(str(item[0].__tablename__))
        ):
            self.tables.add(str(kind.__tablename__))
            names, records = copyable(kind, rows)
            await self.copying.copy_records_to_table(
                kind.__tablename__, columns=names, records=records
            )
        self.rows.clear()
        self.kept.clear()


async def fill(cases: int, *, seed: int, ping_pong: int, township: str) -> Known:
    """`cases` more cases: seven of ten finished, one pending at the command center, two pending in villages.

    `ping_pong` of them are pending at the township of the given name.
    """
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    on = Database(
        settings().database_url,
        pool_size=1,
        statement_timeout="0",
        idle_in_transaction_session_timeout="0",
        role=OWNER,
    )
    async with transaction(on) as tx:
        units = list(await tx.all(_UNITS))
        citizens = _citizens(chance)
        driver = await tx.driver()
        await copy_json(driver)
        copying = Copying(driver, {str(row.found_asked_unit_id): row for row in units})
        for citizen in citizens:
            copying.add(citizen)
        await copying.copy()
        tracked, waiting = [], []
        plan = list(_plan(cases, ping_pong, units, township, chance))
        for number, (unit, finished) in enumerate(track(plan, f"载入 {cases} 件 · loading cases")):
            citizen_id = citizens[number % CITIZENS].id
            ref, code = await _one(copying, unit, citizen_id, finished, number, chance)
            tracked.append((ref, code))
            if unit.found_asked_name == township and not finished:
                waiting.append(ref)
            if number % _BATCH == _BATCH - 1:
                await copying.copy()
        await copying.copy()
    await on.close()  # its connection takes JSON only for COPY
    async with transaction(on) as tx:
        tokens = await _tokens(tx)
    async with transaction(on) as tx:
        # Only what was filled: a table that was analyzed while it was empty would be read whole for as long as the plan is kept.
        await (await tx.driver()).execute(
            f"ANALYZE {', '.join(sorted(copying.tables))}, unit, staff, post"
        )
    await on.close()
    return Known(tracked, waiting, tokens)


async def copy_json(driver: Any) -> None:
    """COPY sends values as binary, for which the driver knows no JSON."""
    await driver.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", encoder=_binary_json, decoder=bytes
    )


def _binary_json(value: Any) -> bytes:
    """Its version, 1, and the text."""
    return b"\x01" + msgspec.json.encode(value)


def _plan(
    cases: int, ping_pong: int, units: list[Any], township: str, chance: random.Random
) -> Iterator[tuple[Any, bool]]:
    villages = [unit for unit in units if unit.found_asked_kind == UnitKind.VILLAGE]
    center = next(unit for unit in units if unit.found_asked_kind == UnitKind.COMMAND_CENTER)
    there = next(unit for unit in units if unit.found_asked_name == township)
    for number in range(cases):
        if number < ping_pong:
            yield there, False
        elif number % 10 < _FINISHED_OF_TEN:
            yield chance.choice(villages), True
        else:
            yield (
                (
                    center
                    if number % 10 < _FINISHED_OF_TEN + _AT_CENTER_OF_TEN
                    else chance.choice(villages)
                ),
                False,
            )


async def _one(
    tx: Copying, unit: Any, citizen_id: UUID, finished: bool, number: int, chance: random.Random
) -> tuple[str, str]:
    """Reference and tracking code. One day in thousands has the same number twice; the product tries again."""
    ref, code = await _told(tx, unit, citizen_id, finished, number, chance)
    while ref in tx.refs:
        tx.take_back()
        ref, code = await _told(tx, unit, citizen_id, finished, number, chance)
    tx.keep(ref)
    return ref, code


async def _told(
    tx: Copying, unit: Any, citizen_id: UUID, finished: bool, number: int, chance: random.Random
) -> tuple[str, str]:
    now = datetime.now(UTC) - timedelta(minutes=chance.randrange(60 * 24 * 365))
    by = CitizenActor(citizen_id, None)
    intake = Intake(
        title=f"第{number}件：路灯不亮", body=f"{chance.choice(STREETS)}的路灯坏了一个月，夜里老人出行不便。" * 4, kind=Kind.HELP, channel=Channel.POSTER,
        asked_code=str(unit.found_asked_unit_id),
    )  # fmt: skip
    registered = await filing.register(tx, intake, by=by, now=now)
    receipt = tx.rows[OutboxMessage][-1]
    assert isinstance(receipt, OutboxMessage)
    receipt.state = MessageState.DELIVERED
    if finished:
        dossier = Dossier(
            registered.matter,
            registered.case,
            Place(unit.found_asked_unit_id, unit.found_asked_name, UnitKind(unit.found_asked_kind)),
            None,
            [],
            [clock for clock in tx.rows[Clock][-2:] if isinstance(clock, Clock)],
            Timing(WorkingCalendar(0), NOTHING_SET),
            {},
            frozenset(),
        )
        dossier.remember()
        reporter = Situation(
            dossier.case.phase, frozenset({Standing.REPORTER}), frozenset(Condition)
        )
        lifecycle.advance(dossier.case, Action.WITHDRAW, reporter)
        dossier.end_all(now)
        history.record(
            tx, dossier, Action.WITHDRAW, by=by, now=now, public=True, texts={"reason": "已修好"}
        )
    return registered.case.ref, registered.tracking_code


def _citizens(chance: random.Random) -> list[Citizen]:
    now = datetime.now(UTC)
    numbers = [f"+86139{chance.randrange(10**8):08d}" for _ in range(CITIZENS)]
    return [_citizen(number, place, now) for place, number in enumerate(numbers)]


def _citizen(number: str, place: int, now: datetime) -> Citizen:
    citizen_id = uuid7(now)
    return Citizen(
        id=citizen_id,
        phone_sealed=keys.encrypt(number, keys.at("citizen.phone_sealed", citizen_id)),
        phone_key=keys.lookup("phone", f"{number}/{place}"),
        created_at=now,
    )


async def _tokens(tx: Transaction) -> dict[str, str]:
    """A session for each sample account, opened without the password: hashing is not what is measured."""
    tokens: dict[str, str] = {}
    for row in await tx.all(_POSTS):
        token, session = open_session(
            tx,
            now=await tx.now(),
            device="bench",
            lasts=timedelta(hours=2),
            staff_id=row.id,
            post_id=row.post_id,
        )
        assert isinstance(session, Session)
        tokens.setdefault(row.account, token)
    return tokens
