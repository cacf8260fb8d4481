"""Buck-passing (推诿扯皮) as facts: what the entries of the record and the holders' clocks show. Computed, never stored.

The core is pure; each question is one statement, and one more where the calendar was not read before. Nobody is judged here:
whoever looks over the county sees what happened.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Final

import msgspec
from msgspec import Struct

from app.auth.actor import StaffActor
from app.calendars.reading import calendar_of
from app.calendars.working_time import Limit, LimitUnit, WorkingCalendar
from app.cases.lifecycle import Action
from app.db import Transaction
from app.db.query import Json, Query
from app.errors import NotFound
from app.matters.visibility import VISIBLE_TO_STAFF, viewer

# A finding with fewer characters says nothing of why the case could not be solved here.
SHORTEST_FINDING: Final = 20
_LAST_TENTH: Final = 10


class Signal(StrEnum):
    """RETURNED also counts each hand-back that was agreed to; PING_PONG is one unit handing a case to another once again.

    WITHDRAWN: by whoever entered it, for the reporter; told again it would begin with all its time.
    """

    RETURNED = "returned"
    PING_PONG = "ping_pong"
    EMPTY_FINDING = "empty_finding"
    LATE_ESCALATION = "late_escalation"
    REPEATED_EXTENSION = "repeated_extension"
    WITHDRAWN = "withdrawn"

    @property
    def chinese(self) -> str:
        return {
            "returned": "退回",
            "ping_pong": "反复推转",
            "empty_finding": "上报理由空泛",
            "late_escalation": "临期上报",
            "repeated_extension": "多次申请延期",
            "withdrawn": "代为撤回",
        }[self]


class Entry(msgspec.Struct, frozen=True):
    """An entry of the record by which a case was, or was to be, moved or prolonged; `unit_id` is whose doing it is."""

    seq: int
    at: datetime
    action: Action
    unit_id: int
    unit_code: str
    unit_name: str
    to_unit_id: int | None = None
    to_unit_name: str | None = None
    finding: str | None = None


class HolderStage(msgspec.Struct, frozen=True):
    """A judging or handling stage that has ended: a case is escalated from either. `limit` and `pauses` as on the clock."""

    unit_id: int
    limit: str
    started_at: datetime
    due_at: datetime | None
    ended_at: datetime
    pauses: list[tuple[datetime, datetime | None]] = []


@dataclass(frozen=True, slots=True)
class Fact:
    """That this entry shows this."""

    signal: Signal
    entry: Entry


@dataclass(frozen=True, slots=True)
class UnitSignals:
    """What a unit's entries of a period show. `cases`: in how many cases there is anything."""

    unit_code: str
    unit_name: str
    cases: int
    counts: dict[Signal, int]


def facts(
    entries: Sequence[Entry], stages: Sequence[HolderStage], calendar: WorkingCalendar
) -> list[Fact]:
    """All that a case's entries, in order, show."""
    return sorted(
        [
            *(Fact(Signal.RETURNED, one) for one in entries if one.action in _RETURNS),
            *(Fact(Signal.PING_PONG, one) for one in _again(entries)),
            *(Fact(Signal.EMPTY_FINDING, one) for one in _without_substance(entries)),
            *(Fact(Signal.LATE_ESCALATION, one) for one in _late(entries, stages, calendar)),
            *(Fact(Signal.REPEATED_EXTENSION, one) for one in _prolonged_again(entries)),
            *(Fact(Signal.WITHDRAWN, one) for one in entries if one.action is Action.WITHDRAW),
        ],
        key=lambda fact: fact.entry.seq,
    )


def _again(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Handed on between the same two units, the same way, as before."""
    before: set[tuple[int, int | None]] = set()
    for one in entries:
        if one.action in _MOVES and one.to_unit_id not in (None, one.unit_id):
            way = (one.unit_id, one.to_unit_id)
            if way in before:
                yield one
            before.add(way)


def _without_substance(entries: Sequence[Entry]) -> Iterator[Entry]:
    """A finding too short, or one that was written before; what has been erased is not judged."""
    before: set[str] = set()
    for one in entries:
        if one.action is Action.ESCALATE and one.finding is not None:
            said = _plain(one.finding)
            if len(said) < SHORTEST_FINDING or said in before:
                yield one
            before.add(said)


def _late(
    entries: Sequence[Entry], stages: Sequence[HolderStage], calendar: WorkingCalendar
) -> Iterator[Entry]:
    """Escalated within the last tenth of the time the unit had for it, judging or handling, or after that."""
    for one in entries:
        if one.action is Action.ESCALATE and any(_ended_late(stage, one, calendar) for stage in stages):  # fmt: skip
            yield one


def _ended_late(stage: HolderStage, by: Entry, calendar: WorkingCalendar) -> bool:
    """In office hours, unless the limit counts every day: it ends at midnight, and nobody works in the last tenth before that."""
    if stage.due_at is None or (stage.unit_id, stage.ended_at) != (by.unit_id, by.at):
        return False
    every_day = Limit.parse(stage.limit).unit is LimitUnit.CALENDAR_DAYS
    between = _time_between if every_day else calendar.working_time_between
    stood_still = sum(
        (between(since, until or by.at) for since, until in stage.pauses), start=timedelta()
    )
    given = between(stage.started_at, stage.due_at) - stood_still
    return between(by.at, stage.due_at) * _LAST_TENTH <= given


def _time_between(begin: datetime, end: datetime) -> timedelta:
    return max(end - begin, timedelta())


def _prolonged_again(entries: Sequence[Entry]) -> Iterator[Entry]:
    asked: set[int] = set()
    for one in entries:
        if one.action is Action.EXTEND:
            if one.unit_id in asked:
                yield one
            asked.add(one.unit_id)


def _plain(finding: str) -> str:
    """Without what pads it: blanks and punctuation."""
    normal = unicodedata.normalize("NFKC", finding)
    return "".join(letter for letter in normal if unicodedata.category(letter)[0] not in "ZPC")


_MOVES: Final = frozenset({Action.ESCALATE, Action.SEND_DOWN, Action.DISPATCH, Action.SETTLE})
_RETURNS: Final = frozenset({Action.SEND_DOWN, Action.SETTLE})
_TOLD: Final = "'escalate', 'send_down', 'dispatch', 'settle', 'extend', 'withdraw'"
# A hand-back is the doing of the unit that asked for it, and back goes the case to who agreed; a refused one moved nothing.
_OF_A_CASE: Final = f"""
  (SELECT json_agg(json_build_object('seq', e.seq, 'at', e.at, 'action', e.action, 'unit_id', doer.id,
      'unit_code', doer.code, 'unit_name', doer.name, 'to_unit_id', receiver.id, 'to_unit_name', receiver.name,
      'finding', (SELECT x.text FROM record_text x WHERE x.matter_id = e.matter_id AND x.seq = e.seq AND x.field = 'finding'))
      ORDER BY e.seq)
    FROM (
      SELECT e.matter_id, e.seq, e.at, e.action, e.unit_id, CAST(e.body AS json) -> 'data' AS data
      FROM record_entry e WHERE e.matter_id = c.id AND e.action IN ({_TOLD})
    ) e
    JOIN unit doer ON doer.id = CASE WHEN e.action = 'settle' THEN CAST(e.data ->> 'unit' AS int) ELSE e.unit_id END
    LEFT JOIN unit receiver ON receiver.id = CASE e.action WHEN 'settle' THEN e.unit_id
      WHEN 'dispatch' THEN CAST(e.data ->> 'lead' AS int) ELSE CAST(e.data ->> 'to' AS int) END
    WHERE e.action <> 'settle' OR CAST(e.data ->> 'agreed' AS boolean)
  ) AS entries,
  (SELECT json_agg(json_build_object('unit_id', k.unit_id, 'limit', k."limit", 'started_at', k.started_at, 'due_at', k.due_at,
      'ended_at', k.ended_at, 'pauses', CAST(k.pauses AS json)))
    FROM clock k WHERE k.matter_id = c.id AND k.stage IN ('judge', 'handle') AND k.ended_at IS NOT NULL
  ) AS stages"""  # noqa: S608 - a constant of this module


class _CaseRow(Struct, frozen=True):
    """What happened to a case, by whose calendar."""

    entries: Json[list[Entry]] | None
    stages: Json[list[HolderStage]] | None
    county_id: int
    calendar_version: int | None


class _UnitRow(Struct, frozen=True):
    """A unit with one of the cases in which it did anything; without, where there is none."""

    id: int
    code: str
    name: str
    county_id: int
    entries: Json[list[Entry]] | None
    stages: Json[list[HolderStage]] | None
    calendar_version: int | None


_CASE: Final = Query(
    _CaseRow,
    f"""
SELECT {_OF_A_CASE}, c.county_id, (SELECT version FROM calendar WHERE county_id = c.county_id) AS calendar_version
FROM grievance c WHERE c.ref = :ref AND {VISIBLE_TO_STAFF}""",  # noqa: S608 - constants of ours
)
# The unit itself comes even where it has nothing to show. Found by what it did in the period, not by all it ever had: a
# hand-back that was agreed to is its doing whenever it had asked, and a case is dispatched again only when it came back.
_OF_UNITS: Final = f"""
SELECT asked.id, asked.code, asked.name, asked.county_id, found.entries, found.stages,
  (SELECT version FROM calendar WHERE county_id = asked.county_id) AS calendar_version
FROM unit asked
LEFT JOIN LATERAL (
  SELECT {_OF_A_CASE}
  FROM (
    SELECT e.matter_id FROM record_entry e
    WHERE e.unit_id = asked.id AND e.action IN ('escalate', 'send_down', 'extend', 'withdraw') AND e.at >= :since AND e.at < :until
    UNION
    SELECT e.matter_id FROM record_entry e JOIN grievance g ON g.id = e.matter_id AND g.returns > 0
    WHERE e.unit_id = asked.id AND e.action = 'dispatch' AND e.at >= :since AND e.at < :until
    UNION
    SELECT e.matter_id FROM record_entry e JOIN grievance g ON g.id = e.matter_id AND g.returns > 0
    WHERE e.unit_id = asked.id AND e.action = 'hand_back' AND e.at < :until
  ) own JOIN grievance c ON c.id = own.matter_id
  WHERE {VISIBLE_TO_STAFF}
) found ON true
WHERE asked.county_id = :county_id AND """  # noqa: S608 - constants of this module
_UNIT: Final = Query(_UnitRow, _OF_UNITS + "asked.code = :code")
_UNITS: Final = Query(_UnitRow, _OF_UNITS + "found.entries IS NOT NULL ORDER BY asked.code")


async def of_case(tx: Transaction, ref: str, *, by: StaffActor) -> list[Fact]:
    """Raises NotFound for what is not there or not the actor's to see."""
    row = await _CASE.one_or_none(tx, ref=ref, **viewer(by))
    if row is None:
        raise NotFound
    return facts(row.entries or [], row.stages or [], await _calendar(tx, row))


async def of_unit(
    tx: Transaction, code: str, *, by: StaffActor, since: datetime, until: datetime
) -> UnitSignals:
    """What the unit itself did in the period, counted. Raises NotFound for a unit that is not in the county."""
    rows = await _UNIT.all(tx, code=code, since=since, until=until, **viewer(by))
    if not rows:
        raise NotFound
    return _of_unit(rows, await _calendar(tx, rows[0]), since, until)


async def of_county(
    tx: Transaction, *, by: StaffActor, since: datetime, until: datetime
) -> list[UnitSignals]:
    """The same of every unit of the county that has anything to show, those with the most first."""
    rows = await _UNITS.all(tx, since=since, until=until, **viewer(by))
    if not rows:
        return []
    calendar = await _calendar(tx, rows[0])
    of_each = [
        _of_unit(list(own), calendar, since, until)
        for _, own in groupby(rows, key=lambda row: row.id)
    ]
    return sorted(
        (one for one in of_each if one.cases), key=lambda one: (-sum(one.counts.values()), one.unit_code)
    )  # fmt: skip


def _of_unit(
    rows: Sequence[_UnitRow], calendar: WorkingCalendar, since: datetime, until: datetime
) -> UnitSignals:
    by_matter = [
        [
            fact
            for fact in facts(row.entries or [], row.stages or [], calendar)
            if fact.entry.unit_id == row.id and since <= fact.entry.at < until
        ]
        for row in rows
    ]
    counted = Counter(fact.signal for found in by_matter for fact in found)
    return UnitSignals(
        unit_code=rows[0].code,
        unit_name=rows[0].name,
        cases=sum(bool(found) for found in by_matter),
        counts={signal: counted[signal] for signal in Signal},
    )


async def _calendar(tx: Transaction, row: _CaseRow | _UnitRow) -> WorkingCalendar:
    return await calendar_of(tx, row.county_id, row.calendar_version or 0)
