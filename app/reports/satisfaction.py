"""All statements of month ends that read or write the schema of the surveys: counting, locking, correcting, excluding.

Nothing of it is told to handling units; what they learn, app/reports/released.py reads from a table of its own.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from app.auth.actor import StaffActor
from app.db import Transaction
from app.db.query import Query
from app.db.row_base import Found
from app.evaluation import privacy_role
from app.evaluation.models import READ_AS_A_VALUE
from app.matters import conflict_of_interest
from app.matters.record import begins_round
from app.matters.visibility import VISIBLE_TO_STAFF
from app.reports.counting import CountsRow, counts_json
from app.reports.formulas import SATISFACTION, Measure
from app.reports.models import CorrectionCause, Exclusion, MonthEnd, SatisfactionCorrection
from app.reports.suppression import Counted, Whose

# The answer that counts: the last one by the cut-off of those that count at all, whatever was said since. The one place
# where that is said.
_COUNTS: Final = """
  LEFT JOIN LATERAL (
    SELECT a.value, a.answered_at FROM surveys.answer a
    WHERE a.survey_id = t.survey_id AND a.answered_at < :cutoff AND (a.discounted IS NULL OR a.discounted = 'corrected')
    ORDER BY a.answered_at DESC, a.discounted NULLS FIRST LIMIT 1
  ) a ON true"""
# A case that was joined to another was handled where the other was: by the unit that answered the round asked about.
_ABOUT: Final = """
WITH RECURSIVE up AS (
  SELECT s.id AS survey_id, s.citizen_id, s.round, c.id AS matter_id, c.primary_id
  FROM surveys.survey s JOIN matter_facts c ON c.id = s.matter_id
  WHERE {which}
  UNION ALL
  SELECT u.survey_id, u.citizen_id, u.round, g.id, g.primary_id FROM up u JOIN matter_facts g ON g.id = u.primary_id
), about AS (
  SELECT t.survey_id, t.citizen_id, t.round, t.matter_id, p.unit_id, answerer.staff_id
  FROM up t
  JOIN assignment p ON p.matter_id = t.matter_id AND p.round = t.round AND p.role = 'lead' AND p.state = 'answered'
  LEFT JOIN LATERAL (
    SELECT e.staff_id FROM record_entry e
    WHERE e.matter_id = p.matter_id AND e.at = p.done_at AND e.unit_id = p.unit_id AND e.action = 'answer' ORDER BY e.seq LIMIT 1
  ) answerer ON true
  WHERE t.primary_id IS NULL
)"""
_OF_MONTH: Final = "c.county_id = :county_id AND NOT c.sealed AND s.window_ends_at >= :begins AND s.window_ends_at < :ends"
# `voice`: what its unit may be told of, one answer a person. Of a round that was ordered done again the unit knows what was said.
_COUNTED: Final = f"""{_ABOUT.format(which=_OF_MONTH)}, told AS (
  SELECT t.survey_id, t.citizen_id, t.unit_id, t.staff_id, x.survey_id IS NOT NULL AS excluded, a.answered_at,
    CASE WHEN x.survey_id IS NULL THEN a.value END AS value,
    t.round > (SELECT count(*) FROM record_entry w
      WHERE w.matter_id = t.matter_id AND {begins_round("w")} AND w.at < :cutoff) AS stands
  FROM about t {_COUNTS}
  LEFT JOIN surveys.exclusion x ON x.survey_id = t.survey_id AND x.decided_at < :cutoff
), heard AS (
  SELECT t.*, t.value IS NOT NULL AND t.stands AND 1 = row_number() OVER (
    PARTITION BY t.unit_id, t.citizen_id, t.value IS NOT NULL AND t.stands ORDER BY t.answered_at DESC, t.survey_id) AS voice
  FROM told t
)
SELECT o.unit_id, o.staff_id, CAST(count(*) AS int) AS asked, CAST(count(o.value) AS int) AS evaluated,
  CAST(count(*) FILTER (WHERE o.value = 'satisfied') AS int) AS satisfied,
  CAST(count(*) FILTER (WHERE o.value = 'basically_satisfied') AS int) AS basically_satisfied,
  CAST(count(*) FILTER (WHERE o.excluded) AS int) AS excluded,
  CASE grouping(o.staff_id) WHEN 1
    THEN coalesce(array_agg(o.citizen_id ORDER BY o.citizen_id) FILTER (WHERE o.voice), '{{}}') END AS voices,
  CASE grouping(o.staff_id) WHEN 1
    THEN CAST(count(*) FILTER (WHERE o.voice AND o.value <> 'dissatisfied') AS int) END AS voices_favourable
FROM heard o GROUP BY GROUPING SETS ((o.unit_id), (o.unit_id, o.staff_id))
HAVING grouping(o.staff_id) = 1 OR o.staff_id IS NOT NULL"""  # noqa: S608 - constants of this module
_COUNT: Final = Query(
    CountsRow,
    f"SELECT n.unit_id, n.staff_id, {counts_json('n', SATISFACTION)} AS counts FROM ({_COUNTED}) n",  # noqa: S608 - constants
)
_NAMES: Final = ", ".join(SATISFACTION)
_TOWNSHIP: Final = "CASE u.kind WHEN 'township' THEN u.id WHEN 'village' THEN u.parent_id END"
_WRITE: Final = text(f"""
INSERT INTO surveys.month_satisfaction
  (id, county_id, month, unit_id, staff_id, township_id, {_NAMES}, voices, voices_favourable)
SELECT gen_random_uuid(), :county_id, :month, n.unit_id, n.staff_id, {_TOWNSHIP}, {_NAMES}, voices, voices_favourable
FROM ({_COUNTED}) n JOIN unit u ON u.id = n.unit_id""")  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class LockedCounts(CountsRow):
    """The counts that were locked with a month."""

    month: date


@dataclass(frozen=True, slots=True)
class Change:
    """By how much a correction changed a count of a locked month."""

    unit_id: int
    staff_id: int | None
    month: date
    measure: Measure
    change: int
    cause: CorrectionCause

    @property
    def whose(self) -> Whose:
        return self.unit_id, self.staff_id

    @property
    def counts(self) -> dict[Measure, int]:
        return {self.measure: self.change}


@dataclass(frozen=True, slots=True)
class LateReading:
    """Words that were read after the cut-off of their month: the value that counted before, and the one that counts now."""

    county_id: int
    month: date
    reply_id: str
    handled_at: datetime
    handled_by_staff_id: int | None
    survey_id: UUID
    was: str | None
    became: str


_LOCKED: Final = Query(
    LockedCounts,
    f"""
SELECT f.unit_id, f.staff_id, {counts_json("f", SATISFACTION)} AS counts, f.month FROM surveys.month_satisfaction f
WHERE f.county_id = :county_id AND f.month >= :first AND f.month <= :last""",  # noqa: S608 - names of our own columns
)
_CAUSE: Final = "CASE WHEN reply_id IS NULL THEN 'recount' ELSE 'answer_read' END AS cause"
_CORRECTED: Final = Query(
    Change,
    f"""
SELECT unit_id, staff_id, month, measure, new - old AS change, {_CAUSE} FROM surveys.satisfaction_correction
WHERE county_id = :county_id AND month >= :first AND month <= :last""",  # noqa: S608 - constants
)


class CorrectionRow(Struct, frozen=True):
    """A correction as it is listed; the measure and both counts are None where it concerns evaluations."""

    seq: int
    month: date
    unit_code: str
    unit_name: str
    person_name: str | None
    measure: Measure | None
    old: int | None
    new: int | None
    cause: CorrectionCause
    reason: str
    by_name: str | None
    at: datetime


_CORRECTIONS: Final = Query(
    CorrectionRow,
    f"""
SELECT min(k.seq) AS seq, k.month, u.code AS unit_code, u.name AS unit_name, NULL AS person_name, NULL AS measure, CAST(NULL AS int) AS old, CAST(NULL AS int) AS new,
  {_CAUSE}, k.reason, b.name AS by_name, k.at
FROM surveys.satisfaction_correction k JOIN unit u ON u.id = k.unit_id LEFT JOIN staff b ON b.id = k.by_staff_id
WHERE k.county_id = :county_id AND k.month >= :first AND k.month <= :last
GROUP BY k.month, u.id, k.reply_id, k.reason, b.id, k.at ORDER BY 1""",  # noqa: S608 - constants
)


class _ReleasableUnit(Struct, frozen=True):
    unit_id: int
    township_id: int | None
    voices: list[str]
    favourable: int


# Units that were evaluated at all, and the township whose small ones were told together. Of months locked before voices
# were kept, each answer was one.
_TO_RELEASE: Final = Query(
    _ReleasableUnit,
    f"""
SELECT f.unit_id, coalesce(f.township_id, {_TOWNSHIP}) AS township_id,
  coalesce(CAST(f.voices AS text[]), ARRAY(SELECT f.unit_id || '/' || n FROM generate_series(1, f.evaluated) n)) AS voices,
  coalesce(f.voices_favourable, f.satisfied + f.basically_satisfied) AS favourable
FROM surveys.month_satisfaction f JOIN unit u ON u.id = f.unit_id
WHERE f.county_id = :county_id AND f.month = :month AND f.staff_id IS NULL AND f.asked > 0 ORDER BY f.unit_id""",  # noqa: S608 - constants
)
_CONTENT: Final = text("""
SELECT coalesce(string_agg(CAST(jsonb_strip_nulls(to_jsonb(f)) AS text), E'\n' ORDER BY f.unit_id, f.staff_id NULLS FIRST), '')
FROM surveys.month_satisfaction f WHERE f.county_id = :county_id AND f.month = :month""")
# Words that came before the cut-off of their month and were read after it, and that no correction says yet: what they
# changed from what to what. Nothing but such readings counts after the cut-off, so what counted before is the last before.
LATE_READINGS: Final = f"""
SELECT m.county_id, m.month, r.provider_message_id AS reply_id, r.handled_at, r.handled_by_staff_id, s.id AS survey_id,
  before.value AS was, a.value AS became
FROM surveys.reply r
JOIN surveys.survey s ON s.id = r.survey_id
JOIN matter_facts c ON c.id = s.matter_id AND NOT c.sealed
JOIN month_end m ON m.county_id = c.county_id AND s.window_ends_at >= m.begins_at AND s.window_ends_at < m.ends_at
  AND r.received_at < m.cutoff_at AND r.handled_at >= m.cutoff_at
JOIN surveys.answer a ON a.survey_id = s.id AND a.answered_at = r.handled_at AND (a.discounted IS NULL OR a.discounted = 'corrected')
LEFT JOIN LATERAL (
  SELECT b.value FROM surveys.answer b
  WHERE b.survey_id = s.id AND b.answered_at < r.handled_at AND (b.discounted IS NULL OR b.discounted = 'corrected')
  ORDER BY b.answered_at DESC LIMIT 1
) before ON true
WHERE r.{READ_AS_A_VALUE} AND a.value IS DISTINCT FROM before.value
  AND NOT EXISTS (SELECT FROM surveys.exclusion x WHERE x.survey_id = s.id AND x.decided_at < m.cutoff_at)
  AND NOT EXISTS (SELECT FROM surveys.satisfaction_correction k WHERE k.reply_id = r.provider_message_id)"""  # noqa: S608 - constants
_TO_FOLLOW: Final = Query(
    LateReading,
    f"{LATE_READINGS} AND m.county_id = :county_id ORDER BY r.handled_at, r.provider_message_id LIMIT :most",
)


class _HandledBy(Struct, frozen=True):
    unit_id: int
    staff_id: int | None


_WHOSE: Final = Query(
    _HandledBy,
    f"""{_ABOUT.format(which="s.id = :survey_id")}
SELECT unit_id, staff_id FROM about""",  # noqa: S608 - constants
)
_FIRST: Final = UUID(int=0)


class LastCorrection(Struct, frozen=True):
    seq: int
    digest: bytes


_LAST_CORRECTION: Final = Query(
    LastCorrection,
    """
SELECT seq, digest FROM surveys.satisfaction_correction WHERE county_id = :county_id ORDER BY seq DESC LIMIT 1""",
)
_CHAIN: Final = text("SELECT * FROM surveys.satisfaction_correction ORDER BY county_id, seq")


class CallToExclude(Struct, frozen=True):
    survey_id: UUID
    window_ends_at: datetime
    sealed: bool
    excluded: bool


_TO_EXCLUDE: Final = Query(
    CallToExclude,
    """
SELECT r.survey_id, s.window_ends_at, c.sealed, x.survey_id IS NOT NULL AS excluded
FROM surveys.return_call r JOIN surveys.survey s ON s.id = r.survey_id JOIN matter_facts c ON c.id = s.matter_id
LEFT JOIN surveys.exclusion x ON x.survey_id = r.survey_id WHERE r.id = :call_id""",
)


class ExcludedAnswer(Struct, frozen=True):
    call_id: UUID
    survey_id: UUID
    ref: str
    round: int
    unit_name: str
    reason_sealed: bytes
    decided_at: datetime
    by_name: str


_EXCLUDED: Final = Query(
    ExcludedAnswer,
    f"""
{_ABOUT.format(which=f"{_OF_MONTH} AND EXISTS (SELECT FROM surveys.exclusion x WHERE x.survey_id = s.id)")}
SELECT r.id AS call_id, r.survey_id, c.ref, s.round, u.name AS unit_name, x.reason_sealed, x.decided_at, b.name AS by_name
FROM about t JOIN unit u ON u.id = t.unit_id
JOIN surveys.exclusion x ON x.survey_id = t.survey_id JOIN staff b ON b.id = x.decided_by_staff_id
JOIN surveys.return_call r ON r.survey_id = t.survey_id
JOIN surveys.survey s ON s.id = t.survey_id JOIN matter_facts c ON c.id = s.matter_id
WHERE r.id > CAST(:after AS uuid) AND NOT {conflict_of_interest.KEPT_FROM} AND {VISIBLE_TO_STAFF}
ORDER BY r.id LIMIT :most""",  # noqa: S608 - constants
)


async def write(tx: Transaction, month: MonthEnd) -> None:
    await privacy_role.enter(tx)
    await tx.execute(_WRITE, month=month.month, **_binds(month))


async def count(tx: Transaction, month: MonthEnd) -> dict[Whose, dict[Measure, int]]:
    """What the answers say now of the month, as of its cut-off."""
    await privacy_role.enter(tx)
    return {row.whose: row.counts for row in await _COUNT.all(tx, **_binds(month))}


async def to_release(tx: Transaction, month: MonthEnd) -> list[Counted]:
    await privacy_role.enter(tx)
    rows = await _TO_RELEASE.all(tx, county_id=month.county_id, month=month.month)
    return [
        Counted(row.unit_id, row.township_id, frozenset(row.voices), row.favourable) for row in rows
    ]


async def locked(tx: Transaction, **months: object) -> list[LockedCounts]:
    """The locked counts of a county between two months, both included."""
    await privacy_role.enter(tx)
    return await _LOCKED.all(tx, **months)


async def corrected(tx: Transaction, **months: object) -> list[Change]:
    """By how much they were corrected since."""
    await privacy_role.enter(tx)
    return await _CORRECTED.all(tx, **months)


async def late_readings(tx: Transaction, county_id: int, most: int) -> list[LateReading]:
    await privacy_role.enter(tx)
    return await _TO_FOLLOW.all(tx, county_id=county_id, most=most)


async def whose(tx: Transaction, survey_id: UUID) -> Whose:
    """The unit and person whose answer is asked about."""
    await privacy_role.enter(tx)
    row = await _WHOSE.one(tx, survey_id=survey_id)
    return row.unit_id, row.staff_id


async def corrections(tx: Transaction, **months: object) -> list[CorrectionRow]:
    """That a unit's were corrected, why and by whom; not which of them, nor from what to what."""
    await privacy_role.enter(tx)
    return await _CORRECTIONS.all(tx, **months)


async def last_correction(tx: Transaction, county_id: int) -> LastCorrection | None:
    await privacy_role.enter(tx)
    return await _LAST_CORRECTION.one_or_none(tx, county_id=county_id)


def correct(tx: Transaction, correction: SatisfactionCorrection) -> None:
    tx.add(correction)


async def content(tx: Transaction, county_id: int, month: date) -> str:
    """The month's rows as the digest covers them."""
    await privacy_role.enter(tx)
    found: str = await tx.scalar(_CONTENT, county_id=county_id, month=month)
    return found


async def chain(tx: Transaction) -> list[Found]:
    """All of them, untyped, for verification: what was altered in the database may fit no type."""
    await privacy_role.enter(tx)
    return await tx.all(_CHAIN)


async def to_exclude(tx: Transaction, call_id: UUID) -> CallToExclude:
    await privacy_role.enter(tx)
    return await _TO_EXCLUDE.one(tx, call_id=call_id)


def exclude(tx: Transaction, exclusion: Exclusion) -> None:
    tx.add(exclusion)


async def excluded(
    tx: Transaction,
    begins: datetime,
    ends: datetime,
    *,
    by: StaffActor,
    after: UUID | None,
    most: int,
) -> list[ExcludedAnswer]:
    """Of the asker's county, but for those that are about their own work; in the order of their calls, from behind `after`."""
    await privacy_role.enter(tx)
    return await _EXCLUDED.all(
        tx,
        begins=begins,
        ends=ends,
        after=after or _FIRST,
        most=most,
        **conflict_of_interest.asking(by),
    )


def _binds(month: MonthEnd) -> dict[str, Any]:
    return {
        "county_id": month.county_id,
        "begins": month.begins_at,
        "ends": month.ends_at,
        "cutoff": month.cutoff_at,
    }
