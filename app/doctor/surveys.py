"""Invariants 4 and 5: who is asked, once and in turn, and that each answer has one effect."""

from typing import Final

from sqlalchemy import text

from app.doctor.invariant import AMONG, Invariant, Reach
from app.matters.conflict_of_interest import had_a_part
from app.matters.record import begins_round

# Asked for each answer: the reporter of the case, and of each case that had been joined to it by then; once, about the
# answered case or else the first told, whoever told it more than once; where a number was given under several names each
# is a person (telling.each_person_once). The round is counted from the record. `joined`
# stands in the body as the one record of when; a forged body may not even be JSON.
_ONE_SURVEY = text(f"""
WITH RECURSIVE batch AS MATERIALIZED (
  SELECT id, ref, citizen_id FROM matter_facts WHERE id = {AMONG}
), upward AS (
  SELECT id AS matter_id, citizen_id, id AS answered_id, CAST(NULL AS text) AS joined_ref FROM batch
  UNION
  SELECT u.matter_id, u.citizen_id, g.primary_id, g.ref FROM upward u
  -- OFFSET 0: one by one through the index, whatever the planner thinks of how many there are.
  CROSS JOIN LATERAL (SELECT primary_id, ref FROM matter_facts WHERE id = u.answered_id OFFSET 0) g
  WHERE g.primary_id IS NOT NULL
), owed AS (
  SELECT DISTINCT u.matter_id, u.citizen_id, 1 + (
    SELECT count(*) FROM record_entry r WHERE r.matter_id = e.matter_id AND {begins_round("r")} AND r.seq < e.seq) AS round
  FROM upward u
  CROSS JOIN LATERAL (
    SELECT matter_id, seq FROM record_entry WHERE matter_id = u.answered_id AND action = 'answer' OFFSET 0) e
  WHERE u.citizen_id IS NOT NULL AND (u.joined_ref IS NULL OR EXISTS (
    SELECT 1 FROM record_entry m WHERE m.matter_id = e.matter_id AND m.action = 'merge' AND m.seq < e.seq
      AND strpos(m.body, '"joined":"' || u.joined_ref || '"') > 0)
    AND NOT EXISTS (
      WITH RECURSIVE below AS (
        SELECT id, citizen_id, CAST(NULL AS text) AS joined_ref FROM matter_facts WHERE id = e.matter_id
        UNION
        SELECT g.id, g.citizen_id, coalesce(b.joined_ref, g.ref) FROM below b
        CROSS JOIN LATERAL (SELECT id, citizen_id, ref FROM matter_facts WHERE primary_id = b.id OFFSET 0) g
      ), together AS (
        SELECT b.id, n.name_key, b.joined_ref IS NOT NULL AS joined FROM below b
        LEFT JOIN person_as_given n ON n.matter_id = b.id
        WHERE b.citizen_id = u.citizen_id AND (b.joined_ref IS NULL OR EXISTS (
          SELECT 1 FROM record_entry m WHERE m.matter_id = e.matter_id AND m.action = 'merge' AND m.seq < e.seq
            AND strpos(m.body, '"joined":"' || b.joined_ref || '"') > 0))
      )
      SELECT 1 FROM together own JOIN together b ON (b.joined, b.id) < (own.joined, own.id)
      WHERE own.id = u.matter_id AND (b.name_key IS NOT DISTINCT FROM own.name_key
        OR (SELECT count(DISTINCT name_key) FROM together) <= 1)))
), asked AS (
  SELECT matter_id, citizen_id, round, count(*) AS times FROM (
    SELECT matter_id, citizen_id, round FROM surveys.survey WHERE matter_id = {AMONG}
    UNION ALL
    SELECT matter_id, citizen_id, round FROM outbox_message
    WHERE matter_id = {AMONG} AND kind = 'survey_owed' AND state = 'queued'
  ) a GROUP BY matter_id, citizen_id, round
)
SELECT b.ref, d.round, d.asked, d.should_be FROM (
  SELECT matter_id, round, coalesce(a.times, 0) AS asked, CASE WHEN o.matter_id IS NULL THEN 0 ELSE 1 END AS should_be
  FROM owed o FULL JOIN asked a USING (matter_id, citizen_id, round)
) d JOIN batch b ON b.id = d.matter_id
WHERE d.asked <> d.should_be ORDER BY b.id, d.round LIMIT :most
""")  # noqa: S608 - nothing but the constant above

_REPLY_ONCE = text("""
SELECT provider_message_id, count(*) AS replies FROM surveys.reply
GROUP BY provider_message_id HAVING count(*) > 1 ORDER BY provider_message_id LIMIT :most
""")
# Each text that was taken as an answer left one, whether it counts or was put right since; so did what people read.
_ONE_ANSWER = text("""
SELECT survey_id, sum(counting) AS answers, sum(by_text) AS by_text, sum(replies) AS replies FROM (
  SELECT survey_id, count(*) FILTER (WHERE discounted IS NULL) AS counting, count(*) FILTER (WHERE channel = 'text') AS by_text,
    0 AS replies FROM surveys.answer GROUP BY survey_id
  UNION ALL
  SELECT survey_id, 0, 0, count(*) FROM surveys.reply WHERE effect IN ('answered', 'corrected', 'discounted') GROUP BY survey_id
) counted GROUP BY survey_id
HAVING sum(counting) > 1 OR sum(by_text) < sum(replies) ORDER BY survey_id LIMIT :most
""")
_CORRECTION_HAS_ITS_ANSWER = text("""
SELECT c.survey_id, count(*) AS corrected FROM surveys.answer c
WHERE c.discounted = 'corrected'
  AND NOT EXISTS (SELECT 1 FROM surveys.answer a WHERE a.survey_id = c.survey_id AND a.discounted IS NULL)
GROUP BY c.survey_id ORDER BY c.survey_id LIMIT :most
""")
# What follows from a survey: who was dissatisfied, at first or in the end, or cannot be texted, is called.
_CALL_IS_OWED = text("""
SELECT s.id AS survey_id, g.ref, s.round FROM surveys.survey s JOIN matter_facts g ON g.id = s.matter_id
WHERE EXISTS (
  SELECT 1 FROM surveys.answer a WHERE a.survey_id = s.id AND a.value = 'dissatisfied' AND a.channel <> 'return_call'
    AND (a.discounted IS NULL OR a.discounted = 'corrected'))
  AND NOT EXISTS (SELECT 1 FROM surveys.return_call r WHERE r.survey_id = s.id)
ORDER BY s.id LIMIT :most
""")
# A number of a unit's or of staff has rules of its own: staff are not called about a case of their own unit's.
_OPTED_OUT_IS_CALLED = text("""
SELECT s.id AS survey_id, g.ref, s.round, o.out_at FROM surveys.opt_out o JOIN citizen p ON p.phone_key = o.phone_key
JOIN surveys.survey s ON s.citizen_id = p.id JOIN matter_facts g ON g.id = s.matter_id
WHERE o.back_at IS NULL AND s.asked_at <= o.out_at AND s.window_ends_at >= o.out_at
  AND NOT EXISTS (SELECT 1 FROM surveys.answer a WHERE a.survey_id = s.id AND a.discounted IS NULL)
  AND NOT EXISTS (SELECT 1 FROM surveys.return_call r WHERE r.survey_id = s.id)
  AND NOT EXISTS (SELECT 1 FROM official_number n WHERE n.phone_key = o.phone_key AND n.removed_at IS NULL)
ORDER BY s.id LIMIT :most
""")
_TURN_COMES = text("""
SELECT s.id AS survey_id, s.next_at, s.asked_at FROM surveys.survey s WHERE s.next_at < :since ORDER BY s.next_at, s.id LIMIT :most
""")
# The turn comes when the window before has ended, and not long after. Only what is open, or waits itself, holds it up.
_NOBODY_WAITS_FOR_NOTHING = text("""
SELECT w.id AS survey_id, g.ref, w.next_at, before.ends_at
FROM surveys.survey w JOIN matter_facts g ON g.id = w.matter_id
CROSS JOIN LATERAL (
  SELECT max(s.window_ends_at) AS ends_at FROM surveys.survey s WHERE s.citizen_id = w.citizen_id AND s.asked_at IS NOT NULL
) before
WHERE w.asked_at IS NULL AND w.next_at > greatest(before.ends_at, CAST(:now AS timestamptz)) + INTERVAL '1 hour'
ORDER BY w.id LIMIT :most
""")
_TEXT_HAS_ITS_SURVEY = text("""
SELECT m.id, m.kind, m.once, m.expires_at FROM outbox_message m
WHERE m.kind IN ('survey', 'survey_reminder') AND NOT EXISTS (
  SELECT 1 FROM surveys.survey s WHERE CAST(s.id AS text) = split_part(m.once, '/', 2)
    AND split_part(m.once, '/', 1) = CASE m.kind WHEN 'survey' THEN 'survey-text' ELSE 'survey-reminder' END
    AND m.expires_at <= s.window_ends_at)
ORDER BY m.id LIMIT :most
""")
_TRIES_ARE_KEPT = text("""
SELECT r.id AS call_id, r.tries, count(t.id) AS kept FROM surveys.return_call r LEFT JOIN surveys.call_try t ON t.call_id = r.id
WHERE r.state = 'done' AND r.result = 'not_reached' GROUP BY r.id
HAVING count(t.id) <> r.tries ORDER BY r.id LIMIT :most
""")
# By whatever post they did it.
_NOBODY_JUDGES_THEIR_OWN_WORK = text(f"""
SELECT d.survey_id, d.staff_id, d.what FROM (
  SELECT r.survey_id, t.by_staff_id AS staff_id, 'return_call' AS what
  FROM surveys.call_try t JOIN surveys.return_call r ON r.id = t.call_id
  UNION
  SELECT survey_id, called_by_staff_id, 'return_call' FROM surveys.return_call WHERE called_by_staff_id IS NOT NULL
  UNION
  SELECT survey_id, handled_by_staff_id, 'reading' FROM surveys.reply WHERE survey_id IS NOT NULL AND handled_by_staff_id IS NOT NULL
  UNION
  SELECT survey_id, staff_id, 'look' FROM surveys.look
  UNION
  SELECT survey_id, decided_by_staff_id, 'exclusion' FROM surveys.exclusion
) d JOIN surveys.survey s ON s.id = d.survey_id
WHERE {had_a_part("d.staff_id")} ORDER BY d.survey_id, d.staff_id, d.what LIMIT :most
""")  # noqa: S608 - constants of our own
# Official numbers decide whose answer counts: each entry and removal stands in the log, and no other.
_NUMBERS_ON_RECORD = text("""
SELECT coalesce(n.id, l.number_id) AS number_id, n.id IS NOT NULL AS entered, n.removed_at IS NOT NULL AS removed,
  coalesce(l.changes, '{}') AS logged
FROM official_number n FULL JOIN (
  SELECT number_id, array_agg(change ORDER BY change) AS changes, max(at) FILTER (WHERE change = 'entered') AS entered_at,
    max(at) FILTER (WHERE change = 'removed') AS removed_at FROM official_number_change GROUP BY number_id
) l ON l.number_id = n.id
WHERE (n.entered_at, n.removed_at) IS DISTINCT FROM (l.entered_at, l.removed_at) ORDER BY 1 LIMIT :most
""")
SURVEYS: Final = (
    Invariant(
        4,
        "one_survey_a_round",
        "每轮办结，每个可以评价的人恰好问一次，没办结的不问",
        "the person of the case `ref` should be asked about `round` `should_be` times and is, or is to be, `asked` times",
        Reach.CASES,
        _ONE_SURVEY,
    ),
    Invariant(
        4,
        "turn_comes",
        "轮到的评价和提醒都已处理",
        "the survey `survey_id` was to be asked, or reminded of, at `next_at`: does the deadlines worker run?",
        Reach.WHOLE,
        _TURN_COMES,
    ),
    Invariant(
        4,
        "nobody_waits_for_nothing",
        "排队的评价，前一件一结束就轮到",
        "the survey `survey_id` about `ref` waits until `next_at`, though nothing of the person's is open after `ends_at`",
        Reach.WHOLE,
        _NOBODY_WAITS_FOR_NOTHING,
    ),
    Invariant(
        4,
        "text_has_its_survey",
        "每条评价短信和提醒都有所问的评价，不晚于评价截止",
        "the text `id` asks about no survey, or goes out after its window: `once` names it",
        Reach.WHOLE,
        _TEXT_HAS_ITS_SURVEY,
    ),
    Invariant(
        4,
        "call_is_owed",
        "说过不满意的人都有回访",
        "the person of survey `survey_id` about `ref` said to be dissatisfied, and nobody is to call them",
        Reach.WHOLE,
        _CALL_IS_OWED,
    ),
    Invariant(
        4,
        "opted_out_is_called",
        "退订时还没答复的评价都有回访",
        "the person of survey `survey_id` about `ref` opted out at `out_at` without having answered, and nobody is to call them",
        Reach.WHOLE,
        _OPTED_OUT_IS_CALLED,
    ),
    Invariant(
        4,
        "tries_are_kept",
        "因未联系上而结束的回访，每次都有记录",
        "the call `call_id` was given up after `tries` tries, of which `kept` are on record",
        Reach.WHOLE,
        _TRIES_ARE_KEPT,
    ),
    Invariant(
        4,
        "official_numbers_on_record",
        "单位和工作人员号码的登记、撤下都有记录",
        "the official number `number_id` is there (`entered`), taken out (`removed`), and its log says otherwise: `logged`",
        Reach.WHOLE,
        _NUMBERS_ON_RECORD,
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
        "一次评价只算一个答复，回复了的都留着",
        "the survey `survey_id` counts `answers` answers, and keeps `by_text` of the `replies` texts that were taken as one",
        Reach.WHOLE,
        _ONE_ANSWER,
    ),
    Invariant(
        5,
        "correction_has_its_answer",
        "更改过的评价，都有更改后的",
        "the survey `survey_id` keeps `corrected` answers that were put right, and not what they were put right to",
        Reach.WHOLE,
        _CORRECTION_HAS_ITS_ANSWER,
    ),
    Invariant(
        8,
        "nobody_judges_their_own_work",
        "参与办理的人没有回访、判读、查看或剔除对自己的评价",
        "the person `staff_id` had a part in what the survey `survey_id` is about, and called, read, looked or excluded: `what`",
        Reach.WHOLE,
        _NOBODY_JUDGES_THEIR_OWN_WORK,
    ),
)
