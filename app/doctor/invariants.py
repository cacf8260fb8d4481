"""What must always be true, each as one query that finds what is not. Names no person, shows no number and no text.

The same queries judge tests, load runs and production. Numbers are those of the design's list of invariants.
"""

from sqlalchemy import text

from app.doctor.cards import CARDS
from app.doctor.invariant import AMONG, Invariant, Reach

_EVENTS_WITHOUT_GAP = text(f"""
SELECT g.ref, g.event_seq, e.entries, e.lowest, e.highest, head.hash IS NOT DISTINCT FROM g.event_hash AS head_fits
FROM grievance g
CROSS JOIN LATERAL (
  SELECT count(*) AS entries, min(seq) AS lowest, max(seq) AS highest FROM case_event WHERE case_id = g.id
) e
LEFT JOIN case_event head ON head.case_id = g.id AND head.seq = g.event_seq
WHERE g.id = {AMONG} AND (
  (e.lowest, e.highest, e.entries) IS DISTINCT FROM (1, g.event_seq, CAST(g.event_seq AS bigint))
  OR head.hash IS DISTINCT FROM g.event_hash)
ORDER BY g.id LIMIT :most
""")  # noqa: S608 - nothing but the constant above
_RECORD_HAS_CASE = text("""
SELECT e.case_id, count(*) AS entries FROM case_event e LEFT JOIN grievance g ON g.id = e.case_id
WHERE g.id IS NULL GROUP BY e.case_id ORDER BY e.case_id LIMIT :most
""")

# A text is claimed when it is due, or expires then; a survey that is owed never expires.
_NOTHING_LEFT_WAITING = text("""
SELECT id, kind, state, due_at, expires_at FROM outbox_message
WHERE state = 'queued' AND kind <> 'survey_owed' AND (due_at < :since OR expires_at < :since)
UNION ALL
SELECT id, kind, state, due_at, expires_at FROM outbox_message
WHERE state = 'queued' AND kind = 'survey_owed' AND due_at < :since
ORDER BY due_at, id LIMIT :most
""")
_NOTHING_LEFT_UNDER_WAY = text("""
SELECT id, kind, state, attempts, lease_until FROM outbox_message
WHERE state IN ('sending', 'unknown') AND (lease_until IS NULL OR lease_until < :since)
ORDER BY lease_until NULLS FIRST, id LIMIT :most
""")
_OWED_ONCE = text("""
SELECT once, count(*) AS messages FROM outbox_message WHERE once IS NOT NULL
GROUP BY once HAVING count(*) > 1 ORDER BY once LIMIT :most
""")

# Asked for each answer: the reporter of the case, and of each case that had been joined to it by then. The round is
# counted from the record. `joined` stands in the body as the one record of when; a forged body may not even be JSON.
_ONE_SURVEY = text(f"""
WITH RECURSIVE batch AS MATERIALIZED (
  SELECT id, ref, citizen_id FROM grievance WHERE id = {AMONG}
), upward AS (
  SELECT id AS case_id, citizen_id, id AS answered_id, CAST(NULL AS text) AS joined_ref FROM batch
  UNION
  SELECT u.case_id, u.citizen_id, g.primary_id, g.ref FROM upward u
  -- OFFSET 0: one by one through the index, whatever the planner thinks of how many there are.
  CROSS JOIN LATERAL (SELECT primary_id, ref FROM grievance WHERE id = u.answered_id OFFSET 0) g
  WHERE g.primary_id IS NOT NULL
), owed AS (
  SELECT DISTINCT u.case_id, u.citizen_id, 1 + (
    SELECT count(*) FROM case_event r WHERE r.case_id = e.case_id AND r.action = 'rework' AND r.seq < e.seq) AS round
  FROM upward u
  CROSS JOIN LATERAL (
    SELECT case_id, seq FROM case_event WHERE case_id = u.answered_id AND action = 'answer' OFFSET 0) e
  WHERE u.citizen_id IS NOT NULL AND (u.joined_ref IS NULL OR EXISTS (
    SELECT 1 FROM case_event m WHERE m.case_id = e.case_id AND m.action = 'merge' AND m.seq < e.seq
      AND strpos(m.body, '"joined":"' || u.joined_ref || '"') > 0))
), asked AS (
  SELECT case_id, citizen_id, round, count(*) AS times FROM (
    SELECT case_id, citizen_id, round FROM surveys.survey WHERE case_id = {AMONG}
    UNION ALL
    SELECT case_id, citizen_id, round FROM outbox_message
    WHERE case_id = {AMONG} AND kind = 'survey_owed' AND state = 'queued'
  ) a GROUP BY case_id, citizen_id, round
)
SELECT b.ref, d.round, d.asked, d.should_be FROM (
  SELECT case_id, round, coalesce(a.times, 0) AS asked, CASE WHEN o.case_id IS NULL THEN 0 ELSE 1 END AS should_be
  FROM owed o FULL JOIN asked a USING (case_id, citizen_id, round)
) d JOIN batch b ON b.id = d.case_id
WHERE d.asked <> d.should_be ORDER BY b.id, d.round LIMIT :most
""")  # noqa: S608 - nothing but the constant above

_REPLY_ONCE = text("""
SELECT provider_message_id, count(*) AS replies FROM surveys.reply
GROUP BY provider_message_id HAVING count(*) > 1 ORDER BY provider_message_id LIMIT :most
""")
_ONE_ANSWER = text("""
SELECT survey_id, sum(answers) AS answers, sum(replies) AS replies FROM (
  SELECT survey_id, count(*) AS answers, 0 AS replies FROM surveys.answer GROUP BY survey_id
  UNION ALL
  SELECT survey_id, 0, count(*) FROM surveys.reply WHERE effect = 'answered' GROUP BY survey_id
) counted GROUP BY survey_id HAVING sum(answers) <> 1 OR sum(replies) > 1 ORDER BY survey_id LIMIT :most
""")
_REPORT_HAS_ONE_MESSAGE = text("""
SELECT provider_id, count(*) AS messages FROM outbox_message WHERE provider_id IS NOT NULL
GROUP BY provider_id HAVING count(*) > 1 ORDER BY provider_id LIMIT :most
""")

_ONE_LEAD = text(f"""
SELECT g.ref, g.phase, r.round, count(a.id) AS leads
FROM grievance g CROSS JOIN LATERAL generate_series(1, g.round) AS r(round)
LEFT JOIN assignment a ON a.case_id = g.id AND a.round = r.round AND a.role = 'lead'
  AND a.state NOT IN ('handed_back', 'released')
WHERE g.id = {AMONG} AND (r.round < g.round OR g.phase IN ('handling', 'answered', 'closed'))
GROUP BY g.id, r.round HAVING count(a.id) <> 1 ORDER BY g.id, r.round LIMIT :most
""")  # noqa: S608 - nothing but the constant above
# Goes by the index of what units have open, not by all cases.
_NO_OPEN_ASSISTANT = text("""
SELECT g.ref, g.phase, a.id AS assignment_id, a.unit_id, a.state FROM assignment a JOIN grievance g ON g.id = a.case_id
WHERE a.state IN ('offered', 'signed') AND a.role = 'assist' AND g.phase IN ('answered', 'closed')
ORDER BY a.id LIMIT :most
""")
_NOBODY_WORKS_ON_WHAT_ENDED = text("""
SELECT g.ref, g.phase, a.id AS assignment_id, a.unit_id, a.state FROM assignment a JOIN grievance g ON g.id = a.case_id
WHERE a.state IN ('offered', 'signed') AND g.phase IN ('declined', 'withdrawn', 'merged', 'closed')
ORDER BY a.id LIMIT :most
""")
_WHAT_ENDED_HAS_NO_STAGE = text(f"""
SELECT g.ref, g.phase, g.stage, g.waiting, running.clocks
FROM grievance g
CROSS JOIN LATERAL (SELECT count(*) AS clocks FROM clock k WHERE k.case_id = g.id AND k.ended_at IS NULL) running
WHERE g.id = {AMONG} AND g.phase NOT IN ('pending', 'handling')
  AND (g.stage IS NOT NULL OR g.waiting IS NOT NULL OR running.clocks > 0)
ORDER BY g.id LIMIT :most
""")  # noqa: S608 - nothing but the constant above
_MERGED_INTO_ONE = text("""
WITH RECURSIVE upward AS (
  SELECT id AS case_id, primary_id AS above_id FROM grievance WHERE primary_id IS NOT NULL
  UNION
  SELECT u.case_id, g.primary_id FROM upward u JOIN grievance g ON g.id = u.above_id WHERE g.primary_id IS NOT NULL
)
SELECT g.ref, CASE WHEN above.id IS NULL THEN 'missing' ELSE 'cycle' END AS primary_case
FROM upward u JOIN grievance g ON g.id = u.case_id LEFT JOIN grievance above ON above.id = u.above_id
WHERE above.id IS NULL OR u.above_id = u.case_id
ORDER BY g.id LIMIT :most
""")

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
    "entry `seq` of the case `ref` was altered, or the case's row says something else than its record",
    Reach.CODE,
)

LOOKS = Invariant(
    8,
    "looks_are_complete",
    "查看评价的记录没有缺号，也没有改动",
    "the look `number` at what somebody answered is missing or was altered",
    Reach.CODE,
)

INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        1,
        "events_without_gap",
        "每件事的记录从第1条起连续，末条即当前版本",
        "the case `ref` should have the entries 1 to `event_seq`; it has `entries`, or the last is another one",
        Reach.CASES,
        _EVENTS_WITHOUT_GAP,
    ),
    Invariant(
        1,
        "record_has_its_case",
        "有记录的事件都在",
        "the case `case_id` has entries on record and is itself gone",
        Reach.WHOLE,
        _RECORD_HAS_CASE,
    ),
    KEPT_ANSWERS,
    *CARDS,
    Invariant(
        3,
        "nothing_left_waiting",
        "到期的短信和评价都已处理",
        "the message `id` was due at `due_at` and nobody has taken it since: do the workers run?",
        Reach.WHOLE,
        _NOTHING_LEFT_WAITING,
    ),
    Invariant(
        3,
        "nothing_left_under_way",
        "发送中的短信都有着落",
        "a worker took the message `id`, did not come back, and nobody has inquired about it since `lease_until`",
        Reach.WHOLE,
        _NOTHING_LEFT_UNDER_WAY,
    ),
    Invariant(
        3,
        "owed_once",
        "同一件事只欠一条消息",
        "the same thing, `once`, is owed by several messages, so somebody is told or asked twice",
        Reach.WHOLE,
        _OWED_ONCE,
    ),
    Invariant(
        4,
        "one_survey_a_round",
        "每轮办结，每个可以评价的人恰好问一次，没办结的不问",
        "the person of the case `ref` should be asked about `round` `should_be` times and is, or is to be, `asked` times",
        Reach.CASES,
        _ONE_SURVEY,
    ),
    Invariant(
        5,
        "reply_taken_once",
        "同一条来信只收一次",
        "the provider's message `provider_message_id` was taken more than once",
        Reach.WHOLE,
        _REPLY_ONCE,
    ),
    Invariant(
        5,
        "one_answer_a_survey",
        "一次评价只算一个答复，回复了的都算上",
        "the survey `survey_id` counts `answers` answers, of `replies` texts that were taken as one",
        Reach.WHOLE,
        _ONE_ANSWER,
    ),
    Invariant(
        5,
        "report_has_one_message",
        "服务商的一个编号只对应一条短信",
        "the provider's id `provider_id` stands on several messages, so a report moves the wrong one",
        Reach.WHOLE,
        _REPORT_HAS_ONE_MESSAGE,
    ),
    CHAINS,
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
    LOOKS,
)
