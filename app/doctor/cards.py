"""Invariant 2: cards follow from the clocks and the calendar. None missing, extra, doubled, early or unfair."""

from typing import Final

from sqlalchemy import text

from app.doctor.invariant import AMONG, Invariant, Reach
from app.matters.clocks import CARDLESS

# The entry that a card was issued with.
_ITS_ENTRY = """e.matter_id = c.matter_id AND e.action = 'card' AND strpos(e.body, '"card":"' || CAST(c.id AS text) || '"') > 0"""
# What moves a clock after a card was issued; the card keeps what it was issued by. By the order of the record: a
# transaction that waited for the sweep's began, and has its moment, before the card.
_MOVED_SINCE = f"""EXISTS (
  SELECT 1 FROM record_entry e JOIN record_entry later ON later.matter_id = e.matter_id AND later.seq > e.seq
  WHERE {_ITS_ENTRY} AND later.action IN (
    'request_supplement', 'supply', 'decide_wait', 'resume', 'decide_extension', 'reschedule', 'reassign'))"""  # noqa: S608 - constants

_OPEN_CASE_HAS_ITS_CLOCKS = text(f"""
SELECT g.ref, g.phase, running.whole, running.stage FROM grievance g
CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE k.stage = 'whole') AS whole, count(*) FILTER (WHERE k.stage IN ('judge', 'handle')) AS stage
  FROM clock k WHERE k.matter_id = g.id AND k.ended_at IS NULL
) running
WHERE g.id = {AMONG} AND g.phase IN ('pending', 'handling') AND (running.whole, running.stage) <> (1, 1)
ORDER BY g.id LIMIT :most
""")  # noqa: S608 - nothing but the constant above
_ASKED_IS_OWED = text(f"""
SELECT g.ref, num_nonnulls(g.extension_asked_at, g.wait_asked_at) AS asked, running.clocks
FROM grievance g
CROSS JOIN LATERAL (
  SELECT count(*) AS clocks FROM clock k
  WHERE k.matter_id = g.id AND k.ended_at IS NULL AND k.stage IN ('extension_decision', 'wait_decision')
) running
WHERE g.id = {AMONG} AND num_nonnulls(g.extension_asked_at, g.wait_asked_at) <> running.clocks
ORDER BY g.id LIMIT :most
""")  # noqa: S608 - nothing but the constant above
_CLOCK_LOOKED_AT = text("""
SELECT g.ref, k.id AS clock_id, k.stage, k.next_at FROM clock k JOIN matter g ON g.id = k.matter_id
WHERE k.next_at < :swept ORDER BY k.next_at, k.id LIMIT :most
""")
# The same as deadlines.set_next: the first moment not yet dealt with that the clock was still running at.
_NEXT_LOOK = text(f"""
SELECT g.ref, k.id AS clock_id, k.stage, k.steps, k.next_at, s.should_be
FROM clock k JOIN matter g ON g.id = k.matter_id
CROSS JOIN LATERAL (SELECT (
  SELECT m.at FROM (VALUES (0, k.remind_at, k.ended_at IS NULL), (1, k.yellow_at, true), (2, k.red_at, true)) AS m(step, at, wanted)
  WHERE m.step >= k.steps AND m.step < k.certain_steps AND m.wanted AND m.at <= coalesce(least(k.ended_at, k.held_at), m.at)
  ORDER BY m.step LIMIT 1
) AS should_be) s
WHERE k.matter_id = {AMONG} AND k.next_at IS DISTINCT FROM s.should_be ORDER BY k.id LIMIT :most
""")  # noqa: S608 - nothing but the constant above
_NO_CARD_MISSING = text(f"""
SELECT g.ref, k.id AS clock_id, k.stage, k.unit_id, m.level, m.earned_at
FROM clock k JOIN matter g ON g.id = k.matter_id
CROSS JOIN LATERAL (VALUES ('yellow', k.yellow_at, 2), ('red', k.red_at, 3)) AS m(level, earned_at, step)
WHERE k.matter_id = {AMONG} AND k.stage NOT IN ({CARDLESS}) AND m.step <= k.certain_steps
  AND m.earned_at < :swept AND m.earned_at <= coalesce(least(k.ended_at, k.held_at), m.earned_at)
  AND NOT EXISTS (SELECT 1 FROM card c WHERE c.clock_id = k.id AND c.level = m.level)
ORDER BY k.id, m.earned_at LIMIT :most
""")  # noqa: S608 - nothing but the constants above
_CARD_EARNED = text(f"""
SELECT g.ref, c.id AS card_id, c.clock_id, c.level, c.effective_at, k.ended_at
FROM card c JOIN matter g ON g.id = c.matter_id LEFT JOIN clock k ON k.id = c.clock_id
WHERE c.matter_id = {AMONG} AND c.cause = 'overdue' AND (k.id IS NULL OR least(k.ended_at, k.held_at) < c.effective_at)
ORDER BY c.id LIMIT :most
""")  # noqa: S608 - nothing but the constant above
_CARD_OF_ITS_STAGE = text(f"""
SELECT g.ref, c.id AS card_id, c.clock_id, c.stage, c.unit_id, k.stage AS clock_stage, k.unit_id AS clock_unit_id
FROM card c JOIN matter g ON g.id = c.matter_id JOIN clock k ON k.id = c.clock_id
WHERE c.matter_id = {AMONG} AND c.cause = 'overdue' AND (
  c.stage IN ({CARDLESS}) OR (c.matter_id, c.stage) IS DISTINCT FROM (k.matter_id, k.stage)
  -- A unit that was merged keeps its cards; what still ran of its limits is the successor's.
  OR c.unit_id <> k.unit_id AND NOT EXISTS (
    SELECT 1 FROM record_entry e JOIN record_entry later ON later.matter_id = e.matter_id AND later.seq > e.seq
    WHERE {_ITS_ENTRY} AND later.action = 'reassign'))
ORDER BY c.id LIMIT :most
""")  # noqa: S608 - nothing but the constants above
_CARD_OF_ITS_MOMENT = text(f"""
SELECT g.ref, c.id AS card_id, c.clock_id, c.level, c.due_at, c.effective_at, k.due_at AS clock_due_at,
  CASE c.level WHEN 'yellow' THEN k.yellow_at ELSE k.red_at END AS should_be
FROM card c JOIN matter g ON g.id = c.matter_id JOIN clock k ON k.id = c.clock_id
WHERE c.matter_id = {AMONG} AND c.cause = 'overdue'
  AND (c.due_at, c.effective_at) IS DISTINCT FROM (k.due_at, CASE c.level WHEN 'yellow' THEN k.yellow_at ELSE k.red_at END)
  AND NOT {_MOVED_SINCE}
ORDER BY c.id LIMIT :most
""")  # noqa: S608 - nothing but the constants above
_NO_CARD_EARLY = text("""
SELECT g.ref, c.id AS card_id, c.clock_id, c.level, c.effective_at, c.issued_at FROM card c JOIN matter g ON g.id = c.matter_id
WHERE c.effective_at > :now OR c.effective_at > c.issued_at ORDER BY c.id LIMIT :most
""")
_CARD_ON_RECORD = text(f"""
SELECT g.ref, c.id AS card_id, c.clock_id, c.level, c.issued_at FROM card c JOIN matter g ON g.id = c.matter_id
WHERE c.matter_id = {AMONG} AND NOT EXISTS (SELECT 1 FROM record_entry e WHERE {_ITS_ENTRY})
ORDER BY c.id LIMIT :most
""")  # noqa: S608 - nothing but the constants above
_RECORDED_CARD_STANDS = text(f"""
SELECT g.ref, e.seq, e.at FROM record_entry e JOIN matter g ON g.id = e.matter_id
WHERE e.matter_id = {AMONG} AND e.action = 'card' AND NOT EXISTS (SELECT 1 FROM card c WHERE {_ITS_ENTRY})
ORDER BY e.matter_id, e.seq LIMIT :most
""")  # noqa: S608 - nothing but the constants above
_NO_CARD_DOUBLED = text("""
SELECT clock_id, level, count(*) AS cards FROM card WHERE clock_id IS NOT NULL
GROUP BY clock_id, level HAVING count(*) > 1 ORDER BY clock_id, level LIMIT :most
""")

CARDS: Final = (
    Invariant(
        2,
        "open_case_has_its_clocks",
        "办理中的事有全程和当前环节两个期限",
        "the open case `ref` should have one clock for the whole and one for its stage; it has `whole` and `stage`",
        Reach.CASES,
        _OPEN_CASE_HAS_ITS_CLOCKS,
    ),
    Invariant(
        2,
        "what_is_asked_is_owed",
        "待审批的延期和挂起申请都有审批期限",
        "on the case `ref` there are `asked` requests undecided, and `clocks` limits for deciding them: nobody owes one",
        Reach.CASES,
        _ASKED_IS_OWED,
    ),
    Invariant(
        2,
        "clocks_are_looked_at",
        "到点的期限都已处理",
        "the clock `clock_id` should have been looked at by `next_at`: does the deadlines worker run?",
        Reach.WHOLE,
        _CLOCK_LOOKED_AT,
    ),
    Invariant(
        2,
        "clocks_come_up_when_due",
        "每个期限都排在该处理的时刻",
        "the sweep will look at the clock `clock_id` at `next_at`, and should at `should_be`",
        Reach.CASES,
        _NEXT_LOOK,
    ),
    Invariant(
        2,
        "no_card_missing",
        "该发的牌都已发",
        "the clock `clock_id` ran past `earned_at`, and `unit_id` has no card of that `level` for it",
        Reach.CASES,
        _NO_CARD_MISSING,
    ),
    Invariant(
        2,
        "card_is_earned",
        "按时办完的不发牌",
        "the card `card_id` took effect at `effective_at`; its stage had ended before, or there is no such stage",
        Reach.CASES,
        _CARD_EARNED,
    ),
    Invariant(
        2,
        "card_is_of_its_stage",
        "牌发给超期环节的承办单位",
        "the card `card_id` is for another stage or unit than its clock, or for a stage that gives none",
        Reach.CASES,
        _CARD_OF_ITS_STAGE,
    ),
    Invariant(
        2,
        "card_is_of_its_moment",
        "牌的时间与期限一致",
        "the card `card_id` took effect at `effective_at`, by its clock it should have at `should_be`",
        Reach.CASES,
        _CARD_OF_ITS_MOMENT,
    ),
    Invariant(
        2,
        "no_card_early",
        "牌不早发",
        "the card `card_id` takes effect only after it was issued, or after now",
        Reach.WHOLE,
        _NO_CARD_EARLY,
    ),
    Invariant(
        2,
        "no_card_doubled",
        "同一环节同一级别只发一张牌",
        "the stage measured by `clock_id` got `cards` cards of one `level`",
        Reach.WHOLE,
        _NO_CARD_DOUBLED,
    ),
    Invariant(
        2,
        "card_is_on_record",
        "每张牌都记录在案",
        "the card `card_id` stands on no entry of the record of `ref`",
        Reach.CASES,
        _CARD_ON_RECORD,
    ),
    Invariant(
        2,
        "recorded_card_stands",
        "记录里发过的牌都在",
        "the entry `seq` of the case `ref` issued a card, and there is none: it was removed, or never written",
        Reach.CASES,
        _RECORDED_CARD_STANDS,
    ),
)
