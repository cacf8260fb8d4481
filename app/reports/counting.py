"""What was done in a month, counted from the record by one statement. Reads nothing of how people evaluated.

Every fact belongs to the month of a recorded moment; `:cutoff` and `:known` bound what was known when the month was locked.
Nothing here asks what time it is, who holds a case now, or what a unit is called now: whose a part or a limit was at the
cut-off, and who had signed for it by then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from app.db import Transaction
from app.db.query import Json, Query
from app.reports.formulas import WORK, Measure
from app.reports.models import MonthEnd
from app.reports.suppression import Whose

# Who did what ended a stage, by the entry of that very moment.
_ENDER: Final = """
LEFT JOIN LATERAL (
  SELECT e.unit_id, e.staff_id, e.action FROM record_entry e
  WHERE e.matter_id = k.matter_id AND e.at = k.ended_at AND e.unit_id IS NOT NULL
  ORDER BY (e.unit_id = k.unit_id) DESC, e.seq LIMIT 1
) ender ON true"""
_ANSWERER: Final = """
LEFT JOIN LATERAL (
  SELECT e.staff_id FROM record_entry e
  WHERE e.matter_id = p.matter_id AND e.at = p.done_at AND e.unit_id = p.unit_id AND e.action IN ('answer', 'assist_answer')
  ORDER BY e.seq LIMIT 1
) answerer ON true"""
# One value and not a join: how many there are, no planner knows.
_WHOSE: Final = (
    "coalesce(CAST((SELECT whose FROM moved) -> CAST({it}.id AS text) AS int), {it}.unit_id)"
)
# Who had taken on by the cut-off what ran on then: the limit of a part begins when it is given.
_SIGNED: Final = """(
  SELECT k.staff_id FROM assignment a
  WHERE a.matter_id = k.matter_id AND a.round = k.round AND a.signed_at < :cutoff AND (a.id = k.assignment_id
    OR (k.stage = 'handle' AND a.role = 'lead' AND a.assigned_at = k.started_at))
  LIMIT 1
)"""
# With these a stage ends, but nobody has done what it was for; whoever typed it.
_NOT_DONE: Final = "'withdraw', 'merge', 'settle', 'excuse', 'change_lead'"
# By the record: which units had the parts and limits at the cut-off of cases that another unit carries on since.
_MOVED: Final = """
SELECT jsonb_object_agg(told.id, told.now -> 'unit_id' ORDER BY e.seq) AS whose
FROM matter_facts c JOIN record_entry e ON e.matter_id = c.id AND e.at < :cutoff
CROSS JOIN LATERAL (SELECT CAST(e.body AS jsonb) -> 'after' AS after) became
CROSS JOIN LATERAL jsonb_each((became.after -> 'assignments') || (became.after -> 'clocks')) AS told(id, now)
WHERE c.county_id = :county_id AND NOT c.sealed AND told.now ? 'unit_id' AND c.id IN (
  SELECT r.matter_id FROM record_entry r WHERE r.action = 'reassign' AND r.at >= :cutoff)"""
# Parts that were open at some time of the month.
_PARTS: Final = f"""
SELECT a.matter_id, a.round, a.role, {_WHOSE.format(it="a")} AS unit_id, a.state, a.assigned_at, a.signed_at, a.done_at
FROM assignment a JOIN matter_facts c ON c.id = a.matter_id
WHERE c.county_id = :county_id AND NOT c.sealed AND a.assigned_at < :ends AND (a.done_at IS NULL OR a.done_at >= :begins)"""  # noqa: S608 - constants of this module
# Limits that ended in the month, or whose due time was in it; each with who ended it, and whose it was.
_STAGES: Final = f"""
SELECT k.matter_id, k.round, k.stage, {_WHOSE.format(it="k")} AS unit_id, k.ended_at, ender.unit_id AS ender_unit_id,
  ender.action,
  CASE WHEN least(k.ended_at, k.held_at) < k.due_at + interval '1 second' OR k.due_at IS NULL THEN k.ended_at
    ELSE k.due_at + interval '1 second' END AS settled_at,
  k.ended_at IS NOT NULL AND least(k.ended_at, k.held_at) < coalesce(k.due_at + interval '1 second', 'infinity') AS in_time,
  k.certain_steps = 0 AS provisional,
  CASE WHEN k.ended_at < :cutoff THEN
    coalesce(k.staff_id, CASE WHEN ender.unit_id = k.unit_id AND ender.action NOT IN ({_NOT_DONE}) THEN ender.staff_id END)
  ELSE {_SIGNED} END AS person
FROM clock k JOIN matter_facts c ON c.id = k.matter_id {_ENDER}
WHERE k.county_id = :county_id AND NOT c.sealed AND k.stage IN ('judge', 'sign', 'handle', 'assist')
  AND k.started_at < :ends AND (
    (k.ended_at >= :begins AND k.ended_at < :ends)
    OR (k.due_at + interval '1 second' >= :begins AND k.due_at + interval '1 second' < :ends))"""  # noqa: S608 - constants of this module
# A limit is settled once: when the unit's own act ended it in time, or when its due time was missed, whatever came later.
# What somebody else ended in time (withdrawn, merged, excused) was neither kept nor missed. What rests on a year that is
# not published is settled when it is, and what was objected to in time only when the objection is refused.
_SETTLED: Final = f"""
SELECT s.*, coalesce(s.ender_unit_id = s.unit_id AND s.action NOT IN ({_NOT_DONE}), false) AS by_itself
FROM stage s
WHERE NOT s.provisional AND s.settled_at >= :begins AND s.settled_at < :ends"""  # noqa: S608 - constants of this module
# Parts that were answered in the month, with who answered.
_ANSWERED: Final = f"""
SELECT p.matter_id, p.round, p.role, p.unit_id, answerer.staff_id AS person
FROM part p {_ANSWERER}
WHERE p.state = 'answered' AND p.done_at >= :begins AND p.done_at < :ends"""  # noqa: S608 - constants of this module
# The round before each round that began in the month by a rework, with who answered it.
_REWORKED: Final = f"""
SELECT p.matter_id, p.round, p.unit_id, answerer.staff_id AS person
FROM (
  SELECT a.matter_id, a.round, min(a.assigned_at) AS at FROM assignment a JOIN matter_facts c ON c.id = a.matter_id
  WHERE c.county_id = :county_id AND NOT c.sealed AND a.role = 'lead' AND a.round > 1 AND a.assigned_at < :ends
  GROUP BY a.matter_id, a.round HAVING min(a.assigned_at) >= :begins
) began
JOIN assignment p ON p.matter_id = began.matter_id AND p.round = began.round - 1 AND p.role = 'lead' AND p.state = 'answered'
{_ANSWERER}"""  # noqa: S608 - constants of this module
# Cases that came in, by the unit that was asked; by person only where its own staff typed them.
_TAKEN_IN: Final = """
SELECT c.first_unit_id AS unit_id, CASE WHEN c.entered_by_unit_id = c.first_unit_id THEN c.entered_by_staff_id END AS person,
  'taken_in' AS measure, count(*) AS counted
FROM matter_facts c
WHERE c.county_id = :county_id AND NOT c.sealed AND c.received_at >= :begins AND c.received_at < :ends GROUP BY 1, 2"""
# Leading parts that were given.
_GIVEN: Final = """
SELECT p.unit_id, NULL, 'given', count(*) FROM part p WHERE p.role = 'lead' AND p.assigned_at >= :begins GROUP BY 1"""
# Leading parts that were answered, and assisting ones.
_ANSWERED_AND_ASSISTED: Final = """
SELECT unit_id, person, CASE role WHEN 'lead' THEN 'answered' ELSE 'assisted' END, count(*) FROM answered GROUP BY 1, 2, 3"""
# Leading parts that were open when the month ended, by who had signed for them.
_PENDING: Final = """
SELECT p.unit_id, CASE WHEN p.signed_at < :cutoff THEN held.staff_id END, 'pending', count(*)
FROM part p LEFT JOIN LATERAL (
  SELECT k.staff_id FROM clock k
  WHERE k.matter_id = p.matter_id AND k.stage = 'handle' AND k.round = p.round AND k.started_at = p.assigned_at
  LIMIT 1
) held ON true
WHERE p.role = 'lead' AND (p.done_at IS NULL OR p.done_at >= :ends) GROUP BY 1, 2"""
# Limits that were settled, and those of them that were kept.
_DUE_AND_IN_TIME: Final = """
SELECT s.unit_id, CASE WHEN s.stage IN ('handle', 'assist') THEN s.person END, m.measure, count(*)
FROM settled s CROSS JOIN LATERAL (VALUES
  (CASE s.stage WHEN 'handle' THEN 'handling_due' WHEN 'assist' THEN 'assist_due' ELSE 'response_due' END, true),
  (CASE s.stage WHEN 'handle' THEN 'handling_in_time' WHEN 'assist' THEN 'assist_in_time' ELSE 'response_in_time' END,
    s.in_time)
) AS m(measure, counts)
WHERE m.counts AND (s.by_itself OR NOT s.in_time) GROUP BY 1, 2, 3"""
# Stages that were passed on, and those of them that were sent down or handed back.
_PASSED_AND_RETURNED: Final = """
SELECT s.unit_id, s.person, m.measure, count(*)
FROM stage s
LEFT JOIN part back ON back.matter_id = s.matter_id AND back.round = s.round AND back.unit_id = s.unit_id
  AND back.state = 'handed_back' AND back.done_at = s.ended_at
CROSS JOIN LATERAL (VALUES ('passed', true), ('returned',
  (s.stage = 'judge' AND s.action = 'send_down' AND s.ender_unit_id = s.unit_id)
  OR (back.role IS NOT NULL AND s.stage = CASE back.role WHEN 'lead' THEN 'handle' ELSE 'assist' END))
) AS m(measure, counts)
WHERE s.stage <> 'sign' AND s.ended_at >= :begins AND s.ended_at < :ends AND m.counts GROUP BY 1, 2, 3"""
# Rounds that were answered, and those that were done again: the base of the rate of rework.
_ROUNDS: Final = """
SELECT unit_id, person, 'rounds', count(*) FROM (
  SELECT matter_id, round, unit_id, person FROM answered WHERE role = 'lead'
  UNION SELECT matter_id, round, unit_id, person FROM reworked
) rounds GROUP BY 1, 2"""
# Rounds that were done again.
_REWORKED_ROUNDS: Final = """
SELECT unit_id, person, 'reworked', count(*) FROM reworked GROUP BY 1, 2"""
# Cards, and those of them that no appeal had revoked by the cut-off.
_CARDS: Final = """
SELECT k.unit_id, k.staff_id, k.level || m.suffix, count(*)
FROM card k JOIN matter_facts c ON c.id = k.matter_id
CROSS JOIN LATERAL (VALUES ('', true), ('_net', k.revoked_at IS NULL OR k.revoked_at >= :cutoff)) AS m(suffix, counts)
WHERE k.county_id = :county_id AND NOT c.sealed AND k.effective_at >= :begins AND k.effective_at < :ends
  AND k.issued_at < :known AND m.counts GROUP BY 1, 2, 3"""
_MEASURED: Final = (
    _TAKEN_IN,
    _GIVEN,
    _ANSWERED_AND_ASSISTED,
    _PENDING,
    _DUE_AND_IN_TIME,
    _PASSED_AND_RETURNED,
    _ROUNDS,
    _REWORKED_ROUNDS,
    _CARDS,
)
# Each fact: a unit, perhaps a person, a measure, and how many.
_FACTS: Final = f"""
WITH moved AS MATERIALIZED ({_MOVED}
), part AS MATERIALIZED ({_PARTS}
), stage AS MATERIALIZED ({_STAGES}
), settled AS ({_SETTLED}
), answered AS MATERIALIZED ({_ANSWERED}
), reworked AS ({_REWORKED}
), fact AS ({" UNION ALL ".join(_MEASURED)}
)"""
_SUMMED: Final = ", ".join(
    f"CAST(coalesce(sum(f.counted) FILTER (WHERE f.measure = '{one}'), 0) AS int) AS {one}"
    for one in WORK
)
# For the unit as a whole, and for each person who did something in it.
COUNTED: Final = f"""{_FACTS}
SELECT f.unit_id, f.person AS staff_id, {_SUMMED}
FROM fact f GROUP BY GROUPING SETS ((f.unit_id), (f.unit_id, f.person))
HAVING grouping(f.person) = 1 OR f.person IS NOT NULL"""  # noqa: S608 - constants of this module


@dataclass(frozen=True, slots=True)
class CountsRow:
    """The counts of a unit, or of a person in it."""

    unit_id: int
    staff_id: int | None
    counts: Json[dict[Measure, int]]

    @property
    def whose(self) -> Whose:
        return self.unit_id, self.staff_id


def counts_json(alias: str, measures: Iterable[Measure]) -> str:
    """SQL for `counts` of a CountsRow; `alias` has a column for each measure."""
    pairs = ", ".join(f"'{one}', {alias}.{one}" for one in measures)
    return f"json_build_object({pairs})"


_COUNT: Final = Query(
    CountsRow,
    f"SELECT n.unit_id, n.staff_id, {counts_json('n', WORK)} AS counts FROM ({COUNTED}) n",  # noqa: S608 - constants
)
_WRITE: Final = text(f"""
INSERT INTO month_figure (id, county_id, month, unit_id, unit_code, unit_name, unit_kind, staff_id, person_name, {", ".join(WORK)})
SELECT gen_random_uuid(), :county_id, :month, n.unit_id, u.code, u.name, u.kind, n.staff_id, s.name, {", ".join(f"n.{one}" for one in WORK)}
FROM ({COUNTED}) n JOIN unit u ON u.id = n.unit_id LEFT JOIN staff s ON s.id = n.staff_id""")  # noqa: S608 - constants
# Of those who see a sealed case: the supervisors of the unit that held it at the cut-off, never the accused.
_WRITE_SEALED: Final = text("""
INSERT INTO month_sealed (county_id, month, unit_id, taken_in, answered)
SELECT :county_id, :month, CAST(stood.was ->> 'holder_unit_id' AS int),
  count(*) FILTER (WHERE c.received_at >= :begins), count(*) FILTER (WHERE a.done_at >= :begins)
FROM matter_facts c CROSS JOIN LATERAL (
  SELECT jsonb_object_agg(told.name, told.now ORDER BY e.seq) AS was
  FROM record_entry e CROSS JOIN LATERAL jsonb_each(CAST(e.body AS jsonb) #> '{after,case}') AS told(name, now)
  WHERE e.matter_id = c.id AND e.at < :cutoff AND told.name IN ('holder_unit_id', 'accused_unit_id')
) stood LEFT JOIN assignment a ON a.matter_id = c.id AND a.role = 'lead' AND a.state = 'answered' AND a.round = 1
  AND a.done_at >= :begins AND a.done_at < :ends
WHERE c.county_id = :county_id AND c.sealed AND stood.was -> 'accused_unit_id' IS DISTINCT FROM stood.was -> 'holder_unit_id'
  AND c.received_at < :ends AND (c.received_at >= :begins OR a.done_at >= :begins)
GROUP BY 3""")


async def write(tx: Transaction, month: MonthEnd) -> int:
    """How many rows were written."""
    written = await tx.execute(_WRITE, month=month.month, **_binds(month))
    binds = {name: value for name, value in _binds(month).items() if name != "known"}
    await tx.execute(_WRITE_SEALED, month=month.month, **binds)
    return written


async def count(tx: Transaction, month: MonthEnd) -> dict[Whose, dict[Measure, int]]:
    """What the record says now of the month, as of its cut-off: what it said when it was locked, unless it was altered."""
    return {row.whose: row.counts for row in await _COUNT.all(tx, **_binds(month))}


def _binds(month: MonthEnd) -> dict[str, Any]:
    return {
        "county_id": month.county_id,
        "begins": month.begins_at,
        "ends": month.ends_at,
        "cutoff": month.cutoff_at,
        "known": month.locked_at,
    }
