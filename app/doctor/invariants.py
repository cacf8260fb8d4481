"""What must always be true, each as one query that finds what is not. Names no person, shows no number and no text.

The same queries judge tests, load runs and production. Numbers are those of the design's list of invariants.
"""

from sqlalchemy import text

from app.doctor.cards import CARDS
from app.doctor.invariant import AMONG, Invariant, Reach
from app.doctor.months import MONTHS
from app.doctor.phrases import PHRASES
from app.doctor.pins import PINS
from app.doctor.searched_words import SEARCHED_WORDS
from app.doctor.surveys import SURVEYS
from app.doctor.texts import DELIVERY, REPORTS
from app.matters.sealed_matters import UNSEEN

_EVENTS_WITHOUT_GAP = text(f"""
SELECT g.ref, g.head_seq, e.entries, e.lowest, e.highest, head.hash IS NOT DISTINCT FROM g.head_hash AS head_fits
FROM matter g
CROSS JOIN LATERAL (
  SELECT count(*) AS entries, min(seq) AS lowest, max(seq) AS highest FROM record_entry WHERE matter_id = g.id
) e
LEFT JOIN record_entry head ON head.matter_id = g.id AND head.seq = g.head_seq
WHERE g.id = {AMONG} AND (
  (e.lowest, e.highest, e.entries) IS DISTINCT FROM (1, g.head_seq, CAST(g.head_seq AS bigint))
  OR head.hash IS DISTINCT FROM g.head_hash)
ORDER BY g.id LIMIT :most
""")  # noqa: S608 - nothing but the constant above
_RECORD_HAS_MATTER = text("""
SELECT e.matter_id, count(*) AS entries FROM record_entry e LEFT JOIN matter g ON g.id = e.matter_id
WHERE g.id IS NULL GROUP BY e.matter_id ORDER BY e.matter_id LIMIT :most
""")

_MATTER_IS_ITS_KINDS = text(f"""
SELECT m.ref, m.kind, f.id IS NOT NULL AS there FROM matter m LEFT JOIN matter_facts f ON f.id = m.id
WHERE m.id = {AMONG} AND (f.kind, f.ref, f.county_id, f.sealed) IS DISTINCT FROM (m.kind, CAST(m.ref AS text), m.county_id, m.sealed)
ORDER BY m.id LIMIT :most
""")  # noqa: S608 - nothing but the constant above
_ONE_LEAD = text(f"""
SELECT g.ref, g.phase, r.round, count(a.id) AS leads
FROM grievance g CROSS JOIN LATERAL generate_series(1, g.round) AS r(round)
LEFT JOIN assignment a ON a.matter_id = g.id AND a.round = r.round AND a.role = 'lead'
  AND a.state NOT IN ('handed_back', 'released')
WHERE g.id = {AMONG} AND (r.round < g.round OR g.phase IN ('handling', 'answered', 'closed'))
GROUP BY g.id, r.round HAVING count(a.id) <> 1 ORDER BY g.id, r.round LIMIT :most
""")  # noqa: S608 - nothing but the constant above
# Goes by the index of what units have open, not by all cases.
_NO_OPEN_ASSISTANT = text("""
SELECT g.ref, g.phase, a.id AS assignment_id, a.unit_id, a.state FROM assignment a JOIN grievance g ON g.id = a.matter_id
WHERE a.state IN ('offered', 'signed') AND a.role = 'assist' AND g.phase IN ('answered', 'closed')
ORDER BY a.id LIMIT :most
""")
_NOBODY_WORKS_ON_WHAT_ENDED = text("""
SELECT g.ref, g.phase, a.id AS assignment_id, a.unit_id, a.state FROM assignment a JOIN grievance g ON g.id = a.matter_id
WHERE a.state IN ('offered', 'signed') AND g.phase IN ('declined', 'withdrawn', 'merged', 'closed')
ORDER BY a.id LIMIT :most
""")
# Looked at once more within the hour (app/cases/actions/reorganising.py).
_ENDED_UNITS_HAVE_NOTHING_OPEN = text("""
SELECT g.ref, u.code AS unit_code, g.phase FROM unit u JOIN grievance g ON g.holder_unit_id = u.id
WHERE u.handed_over_at < CAST(:since AS timestamptz) - interval '1 hour' AND g.phase IN ('pending', 'handling')
UNION ALL
SELECT g.ref, u.code, g.phase FROM unit u JOIN assignment a ON a.unit_id = u.id JOIN grievance g ON g.id = a.matter_id
WHERE u.handed_over_at < CAST(:since AS timestamptz) - interval '1 hour' AND a.state IN ('offered', 'signed')
ORDER BY ref LIMIT :most
""")
_WHAT_ENDED_HAS_NO_STAGE = text(f"""
SELECT g.ref, g.phase, g.stage, g.waiting, running.clocks
FROM grievance g
CROSS JOIN LATERAL (
  SELECT count(*) AS clocks FROM clock k WHERE k.matter_id = g.id AND k.ended_at IS NULL
    -- What was answered may be under review, once at a time.
    AND NOT (g.phase IN ('answered', 'closed') AND k.stage IN ('review', 'reexamination') AND k.round = g.round AND NOT EXISTS (
      SELECT FROM clock o WHERE o.matter_id = g.id AND o.ended_at IS NULL AND o.id <> k.id))
) running
WHERE g.id = {AMONG} AND g.phase NOT IN ('pending', 'handling')
  AND (g.stage IS NOT NULL OR g.waiting IS NOT NULL OR running.clocks > 0)
ORDER BY g.id LIMIT :most
""")  # noqa: S608 - nothing but the constant above
_MERGED_INTO_ONE = text("""
WITH RECURSIVE upward AS (
  SELECT id AS matter_id, primary_id AS above_id FROM grievance WHERE primary_id IS NOT NULL
  UNION
  SELECT u.matter_id, g.primary_id FROM upward u JOIN grievance g ON g.id = u.above_id WHERE g.primary_id IS NOT NULL
)
SELECT g.ref, CASE WHEN above.id IS NULL THEN 'missing' ELSE 'cycle' END AS primary_case
FROM upward u JOIN grievance g ON g.id = u.matter_id LEFT JOIN grievance above ON above.id = u.above_id
WHERE above.id IS NULL OR u.above_id = u.matter_id
ORDER BY g.id LIMIT :most
""")

# Goes by the index of what is sealed.
_SEALED_IS_SEEN = text(f"""
SELECT c.ref, u.code AS unit_code, c.phase FROM grievance c JOIN unit u ON u.id = c.holder_unit_id
WHERE c.sealed AND {UNSEEN} ORDER BY c.id LIMIT :most
""")  # noqa: S608 - a constant of ours

KEPT_ANSWERS = Invariant(
    1,
    "kept_answers_hold",
    "对外答复过成功的，事件和它的那一版记录都在",
    "someone was answered that the case `ref` stands at `version`, and the database does not have it",
    Reach.CODE,
)
CHAINS = Invariant(
    6,
    "records_verify",
    "每件事的记录链完整，当前状态与记录推算一致",
    "at entry `seq` of the case `ref`: the record was altered, or a row of `table` says something else than it",
    Reach.CODE,
)

SEALED_ROWS = Invariant(
    6,
    "sealed_rows_hold",
    "号码、姓名和加密内容没有被改动或移动",
    "the row `key` of `table` was changed, or holds a ciphertext of another place",
    Reach.CODE,
)
EVALUATIONS = Invariant(
    6,
    "evaluations_hold",
    "群众评价和回访与其日志一致，没有缺号",
    "the row `key` of `table` was changed, removed or added by hand, or the log of evaluations itself was",
    Reach.CODE,
)
ATTACHMENTS = Invariant(
    6,
    "attachments_hold",
    "照片和语音文件与上传时一致",
    "the file of the photo or voice message `key` is missing or another one",
    Reach.CODE,
)

LOOKS = Invariant(
    8,
    "looks_are_complete",
    "查看评价的记录没有缺号，也没有改动",
    "the look `number` at what somebody answered is missing or was altered",
    Reach.CODE,
)

_HEAD_APPROVAL_ON_RECORD = text("""
SELECT u.code AS unit_code, u.head_approves, h.required FROM unit u JOIN LATERAL (
  SELECT required FROM head_approval a WHERE a.unit_id = u.id ORDER BY a.id DESC LIMIT 1) h ON true
WHERE h.required <> u.head_approves ORDER BY u.code LIMIT :most
""")

_POSTER_CONTACT_ON_RECORD = text("""
SELECT u.code AS unit_code, u.public_phone, u.contact_name, p.public_phone AS set_phone, p.contact_name AS set_name
FROM unit u JOIN LATERAL (SELECT * FROM poster_contact a WHERE a.unit_id = u.id ORDER BY a.id DESC LIMIT 1) p ON true
WHERE (p.public_phone, p.contact_name) IS DISTINCT FROM (u.public_phone, u.contact_name) ORDER BY u.code LIMIT :most
""")

INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        1,
        "events_without_gap",
        "每件事的记录从第1条起连续，末条即当前版本",
        "the matter `ref` should have the entries 1 to `head_seq`; it has `entries`, or the last is another one",
        Reach.CASES,
        _EVENTS_WITHOUT_GAP,
    ),
    Invariant(
        1,
        "record_has_its_matter",
        "有记录的事件都在",
        "the matter `matter_id` has entries on record and is itself gone",
        Reach.WHOLE,
        _RECORD_HAS_MATTER,
    ),
    Invariant(
        1,
        "matter_is_its_kinds",
        "每件事在总表和分类表中一致",
        "the matter `ref` of the kind `kind` has no row (`there`) in its kind's table, or one of another reference, county or secrecy",
        Reach.CASES,
        _MATTER_IS_ITS_KINDS,
    ),
    KEPT_ANSWERS,
    *CARDS,
    *DELIVERY,
    *SURVEYS,
    *REPORTS,
    CHAINS,
    SEALED_ROWS,
    EVALUATIONS,
    ATTACHMENTS,
    *PINS,
    PHRASES,
    SEARCHED_WORDS,
    Invariant(
        7,
        "one_lead_a_round",
        "每轮恰好一个主办单位",
        "in `round` the case `ref` has `leads` units that lead it",
        Reach.CASES,
        _ONE_LEAD,
    ),
    Invariant(
        7,
        "no_open_assistant_after_answer",
        "办结的事没有未答复的协办",
        "the case `ref` is answered, and the assistant `unit_id` is still at it",
        Reach.WHOLE,
        _NO_OPEN_ASSISTANT,
    ),
    Invariant(
        7,
        "nobody_works_on_what_ended",
        "已经了结的事没有未了的任务",
        "the case `ref` has ended as `phase`, and the unit `unit_id` still has it on its desk",
        Reach.WHOLE,
        _NOBODY_WORKS_ON_WHAT_ENDED,
    ),
    Invariant(
        7,
        "ended_units_have_nothing_open",
        "已撤销并交接的单位没有未了的事",
        "the unit `unit_code` has ended and handed over, and the case `ref` is still with it: nobody acts for it any more",
        Reach.WHOLE,
        _ENDED_UNITS_HAVE_NOTHING_OPEN,
    ),
    Invariant(
        7,
        "head_approval_on_record",
        "单位答复由谁作出，与最后一次设定一致",
        "of the unit `unit_code` only the head answers: `head_approves`; what was decided last is `required`",
        Reach.WHOLE,
        _HEAD_APPROVAL_ON_RECORD,
    ),
    Invariant(
        7,
        "poster_contact_on_record",
        "海报上公布的电话和联系人，与最后一次设定一致",
        "the poster of the unit `unit_code` shows `public_phone` and `contact_name`; what was set last is `set_phone` and `set_name`",
        Reach.WHOLE,
        _POSTER_CONTACT_ON_RECORD,
    ),
    Invariant(
        7,
        "what_ended_has_no_stage",
        "已经了结的事没有仍在计时的环节",
        "the case `ref` has ended as `phase`, and still stands in `stage`, or `clocks` of its clocks still run",
        Reach.CASES,
        _WHAT_ENDED_HAS_NO_STAGE,
    ),
    Invariant(
        7,
        "merged_into_one_that_stands",
        "并入的事，最终并入一件未被并走的事",
        "the case `ref` was joined to one that is not there, or in a circle to itself: nobody answers its reporter",
        Reach.WHOLE,
        _MERGED_INTO_ONE,
    ),
    Invariant(
        8,
        "sealed_is_seen",
        "每件保密的事都有人可以查看",
        "nobody in the unit `unit_code` may see the sealed case `ref` that it holds: appoint a supervisor there",
        Reach.WHOLE,
        _SEALED_IS_SEEN,
    ),
    *MONTHS,
    LOOKS,
)
