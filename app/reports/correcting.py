"""Corrections of locked months: separate entries beside the figures, which stay. Nobody sets a figure by hand.

Cards that were issued or revoked later follow by themselves, as do words that came in time and were read later; where the
record itself says something else now, a supervisor has the month recounted and says why.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from app.auth.actor import StaffActor
from app.cards.models import CardLevel
from app.db import Transaction
from app.db.query import Query
from app.errors import NotFound, NothingChanged, NotPermitted
from app.identifiers import uuid7
from app.reports import closing, counting, reading, satisfaction
from app.reports.chain import correction_digest
from app.reports.counting import CountsRow, counts_json
from app.reports.formulas import SATISFACTION, WORK, Measure
from app.reports.models import (
    CorrectionCause,
    MonthCorrection,
    MonthEnd,
    SatisfactionCorrection,
)
from app.reports.months import Month
from app.reports.suppression import Whose


class _LastCorrection(Struct, frozen=True):
    seq: int
    digest: bytes


_LAST: Final = Query(
    _LastCorrection,
    """
SELECT seq, digest FROM month_correction WHERE county_id = :county_id ORDER BY seq DESC LIMIT 1""",
)
_LOCKED: Final = Query(
    CountsRow,
    f"""
SELECT f.unit_id, f.staff_id, {counts_json("f", WORK)} AS counts
FROM month_figure f WHERE f.county_id = :county_id AND f.month = :month""",  # noqa: S608 - names of our own columns
)
_CORRECTED: Final = Query(
    satisfaction.Change,
    """
SELECT unit_id, staff_id, month, measure, new - old AS change, cause FROM month_correction
WHERE county_id = :county_id AND month = :month ORDER BY seq""",
)


@dataclass(frozen=True, slots=True)
class _LateCard:
    """A card that came or went after the cut-off of its month."""

    county_id: int
    month: date
    card_id: UUID
    unit_id: int
    staff_id: int | None
    level: CardLevel
    cause: CorrectionCause
    decided_by_staff_id: int | None


# What cards that came or went after the cut-off change, and no correction says yet.
LATE_CARDS: Final = """
SELECT m.county_id, m.month, k.id AS card_id, k.unit_id, k.staff_id, k.level, late.cause, a.decided_by_staff_id
FROM month_end m
JOIN card k ON k.county_id = m.county_id AND k.effective_at >= m.begins_at AND k.effective_at < m.ends_at
JOIN matter_facts c ON c.id = k.matter_id AND NOT c.sealed
LEFT JOIN appeal a ON a.card_id = k.id
CROSS JOIN LATERAL (VALUES ('card_issued', k.issued_at >= m.locked_at), ('card_revoked', k.revoked_at >= m.cutoff_at))
  AS late(cause, holds)
WHERE late.holds AND NOT EXISTS (
  SELECT FROM month_correction x WHERE x.card_id = k.id AND x.cause = late.cause)"""
_TO_FOLLOW: Final = Query(
    _LateCard,
    f"{LATE_CARDS} AND m.county_id = :county_id ORDER BY m.month, k.id, late.cause LIMIT :most",
)
FOLLOWED_AT_ONCE: Final = 500
_WHY: Final = {
    CorrectionCause.CARD_ISSUED: "锁定之后才发的牌，按生效时间计入当月。",
    CorrectionCause.CARD_REVOKED: "申诉成立，牌已撤销。",
    CorrectionCause.ANSWER_READ: "群众在截止之前发来的回复，截止之后才由工作人员判读。",
}

# By whose figures and which measure, how much is known of it.
Known = dict[tuple[Whose, Measure], int]


async def follow_cards(tx: Transaction, county_id: int, *, now: datetime) -> int:
    """Correct what cards issued or revoked after the cut-off change in locked months; how many of them there were."""
    await closing.one_at_a_time(tx, county_id)
    late = await _TO_FOLLOW.all(tx, county_id=county_id, most=FOLLOWED_AT_ONCE)
    entries = await _Entries.of(tx, county_id, now)
    known: dict[date, Known] = {}
    for card in late:
        if card.month not in known:
            known[card.month] = await _known(tx, county_id, card.month)
        _follow(entries, card, known[card.month])
    return len(late)


async def follow_readings(tx: Transaction, county_id: int, *, now: datetime) -> int:
    """Correct what words that came before the cut-off and were read after it change; how many of them there were."""
    await closing.one_at_a_time(tx, county_id)
    late = await satisfaction.late_readings(tx, county_id, FOLLOWED_AT_ONCE)
    entries = await _Entries.of(tx, county_id, now)
    known: dict[date, Known] = {}
    for words in late:
        if words.month not in known:
            known[words.month] = await _known_evaluations(tx, county_id, words.month)
        whose = await satisfaction.whose(tx, words.survey_id)
        _follow_reading(entries, words, whose, known[words.month])
    return len(late)


async def recount(
    tx: Transaction, month: Month, *, by: StaffActor, reason: str, now: datetime
) -> int:
    """Record where a locked month is not what the record says now; how many figures. What was released stays.

    Raises NotPermitted but for supervisors who sit in no handling unit, NotFound for a month that is not locked, NothingChanged.
    """
    # Whether anything is to be corrected also tells of evaluations.
    if not await reading.oversees_evaluations(tx, by) or by.county_id is None:
        raise NotPermitted("只有督查员可以更正已锁定的月份，部门、镇街和村(社区)的除外。")
    await closing.one_at_a_time(tx, by.county_id)
    locked = await closing.locked(tx, by.county_id, month)
    if locked is None:
        raise NotFound("这个月还没有月结。")
    entries = await _Entries.of(tx, by.county_id, now)
    for found in (await differences(tx, locked), await satisfaction_differences(tx, locked)):
        for (whose, measure), (known, counted, shown) in sorted(found.items(), key=str):
            entries.add(
                locked.month,
                whose,
                measure,
                (shown, shown + counted - known),
                cause=CorrectionCause.RECOUNT,
                reason=reason,
                by_staff_id=by.staff_id,
            )
    if not entries.added:
        raise NothingChanged("重新核算的结果与已锁定的相同，没有需要更正的。")
    return entries.added


Differences = dict[tuple[Whose, Measure], tuple[int, int, int]]


async def differences(tx: Transaction, month: MonthEnd) -> Differences:
    """Where the record says another count of work than was locked and recounted: known, counted now, and as it is shown."""
    known = await _known(tx, month.county_id, month.month, cause=CorrectionCause.RECOUNT)
    shown = await _known(tx, month.county_id, month.month)
    return _compared(known, await counting.count(tx, month), shown)


async def satisfaction_differences(tx: Transaction, month: MonthEnd) -> Differences:
    """The same of evaluations."""
    whole = (tx, month.county_id, month.month)
    known = await _known_evaluations(*whole, cause=CorrectionCause.RECOUNT)
    shown = await _known_evaluations(*whole)
    return _compared(known, await satisfaction.count(tx, month), shown)


async def _known(
    tx: Transaction, county_id: int, month: date, *, cause: CorrectionCause | None = None
) -> Known:
    known = _by_measure(await _LOCKED.all(tx, county_id=county_id, month=month))
    for row in await _CORRECTED.all(tx, county_id=county_id, month=month):
        if cause is None or row.cause == cause:
            _change(known, row)
    return known


async def _known_evaluations(
    tx: Transaction, county_id: int, month: date, *, cause: CorrectionCause | None = None
) -> Known:
    binds = {"county_id": county_id, "first": month, "last": month}
    known = _by_measure(await satisfaction.locked(tx, **binds))
    for row in await satisfaction.corrected(tx, **binds):
        if cause is None or row.cause == cause:
            _change(known, row)
    return known


def _by_measure(rows: Iterable[CountsRow]) -> Known:
    return {(row.whose, measure): number for row in rows for measure, number in row.counts.items()}


def _change(known: Known, row: satisfaction.Change) -> None:
    place = (row.whose, row.measure)
    known[place] = known.get(place, 0) + row.change


def _compared(
    known: Known, counted: Mapping[Whose, Mapping[Measure, int]], shown: Known
) -> Differences:
    now = {
        (whose, measure): number
        for whose, of_it in counted.items()
        for measure, number in of_it.items()
    }
    return {
        place: (known.get(place, 0), now.get(place, 0), shown.get(place, 0))
        for place in known.keys() | now.keys()
        if known.get(place, 0) != now.get(place, 0)
    }


class _Entries:
    """Corrections to be written, each chained to the one before."""

    def __init__(
        self, tx: Transaction, county_id: int, now: datetime, last: dict[bool, Any]
    ) -> None:
        self._tx, self._county_id, self._now = tx, county_id, now
        self._last = last
        self.added = 0

    @classmethod
    async def of(cls, tx: Transaction, county_id: int, now: datetime) -> "_Entries":
        """After the lock. By whether it is of evaluations, the last correction's number and digest."""
        found = {
            False: await _LAST.one_or_none(tx, county_id=county_id),
            True: await satisfaction.last_correction(tx, county_id),
        }
        last = {kind: (0, b"") if row is None else (row.seq, row.digest) for kind, row in found.items()}  # fmt: skip
        return cls(tx, county_id, now, last)

    def add(
        self,
        month: date,
        whose: Whose,
        measure: Measure,
        change: tuple[int, int],
        *,
        cause: CorrectionCause,
        **told: Any,
    ) -> None:
        evaluates = measure in SATISFACTION
        seq, previous = self._last[evaluates]
        said = {
            "id": uuid7(self._now),
            "county_id": self._county_id,
            "seq": seq + 1,
            "month": month,
            "unit_id": whose[0],
            "staff_id": whose[1],
            "measure": measure,
            "old": change[0],
            "new": change[1],
            "at": self._now,
            "digest": b"",
            **told,
        }
        if evaluates:
            entry: MonthCorrection | SatisfactionCorrection = SatisfactionCorrection(**said)
        else:
            entry = MonthCorrection(cause=cause, **said)
        entry.digest = correction_digest(entry, previous, type(entry).model_fields)
        self._last[evaluates] = seq + 1, entry.digest
        if isinstance(entry, SatisfactionCorrection):
            satisfaction.correct(self._tx, entry)
        else:
            self._tx.add(entry)
        self.added += 1

    def follow(
        self,
        month: date,
        whose: Whose,
        changed: Mapping[Measure, int],
        known: Known,
        *,
        cause: CorrectionCause,
        **told: Any,
    ) -> None:
        """The unit's counts change by so much, and those of the person, if one is named; `known` is kept up."""
        unit_id, person = whose
        for staff_id in dict.fromkeys((None, person)):
            for measure, by in changed.items():
                if by == 0:
                    continue
                place = ((unit_id, staff_id), measure)
                old = known.get(place, 0)
                known[place] = old + by
                self.add(
                    month,
                    place[0],
                    measure,
                    (old, old + by),
                    cause=cause,
                    reason=_WHY[cause],
                    **told,
                )


def _follow(entries: _Entries, card: _LateCard, known: Known) -> None:
    cause, level = card.cause, card.level
    net = Measure(f"{level}_net")
    changed = {net: -1} if cause is CorrectionCause.CARD_REVOKED else {Measure(level): 1, net: 1}
    entries.follow(
        card.month,
        (card.unit_id, card.staff_id),
        changed,
        known,
        cause=cause,
        card_id=card.card_id,
        by_staff_id=card.decided_by_staff_id if cause is CorrectionCause.CARD_REVOKED else None,
    )


def _follow_reading(
    entries: _Entries, reading: satisfaction.LateReading, whose: Whose, known: Known
) -> None:
    changed = {
        one: (reading.became == one) - (reading.was == one)
        for one in (Measure.SATISFIED, Measure.BASICALLY_SATISFIED)
    }
    entries.follow(
        reading.month,
        whose,
        {Measure.EVALUATED: int(reading.was is None), **changed},
        known,
        cause=CorrectionCause.ANSWER_READ,
        reply_id=reading.reply_id,
        by_staff_id=reading.handled_by_staff_id,
    )
