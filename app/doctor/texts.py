"""Invariants of text messages: each ends, none goes out twice without need, each report has one effect."""

from typing import Final

from sqlalchemy import text

from app.doctor.invariant import Invariant, Reach

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
UNION ALL
SELECT id, kind, state, attempts, lease_until FROM outbox_message
WHERE state = 'accepted' AND settled_at IS NULL AND (lease_until IS NULL OR lease_until < :since)
ORDER BY lease_until NULLS FIRST, id LIMIT :most
""")
_NOTICES_SETTLED = text("""
SELECT unit_id, kind, day, due_at FROM notice_owed WHERE settled_at IS NULL AND due_at < :since ORDER BY due_at, unit_id LIMIT :most
""")
_OWED_ONCE = text("""
SELECT once, count(*) AS messages FROM outbox_message WHERE once IS NOT NULL
GROUP BY once HAVING count(*) > 1 ORDER BY once LIMIT :most
""")
# Who is asked to see to a text sees that it has ended, and a moment from when it counts. What was accepted may have ended
# too: when no report ever came.
_ENDED_WITH_ITS_MOMENT = text("""
SELECT id, kind, state, settled_at FROM outbox_message
WHERE state <> 'accepted' AND (state IN ('queued', 'sending', 'unknown')) <> (settled_at IS NULL)
  OR state = 'accepted' AND settled_at IS NOT NULL AND lease_until IS NOT NULL
ORDER BY id LIMIT :most
""")
# A turn after the first is there because one before it ended, and its end is kept with who decided so.
_TURNS_ON_RECORD = text("""
SELECT m.id, m.kind, m.turn, count(e.turn) AS ended FROM outbox_message m
LEFT JOIN ended_turn e ON e.message_id = m.id AND e.followed_by <> 'settled'
WHERE m.turn > 1 OR e.turn IS NOT NULL
GROUP BY m.id HAVING m.turn <> 1 + count(e.turn) OR max(e.turn) >= m.turn
ORDER BY m.id LIMIT :most
""")
_NEVER_RESENT = text("""
SELECT m.id, m.kind, e.turn, e.followed_by FROM ended_turn e JOIN outbox_message m ON m.id = e.message_id
WHERE e.followed_by <> 'settled'
  AND (m.kind IN ('one_time_code', 'survey_owed') OR e.followed_by = 'retried' AND e.turn <> 1 OR e.state = 'delivered')
ORDER BY m.id, e.turn LIMIT :most
""")
_PAUSE_IS_PROBED = text("""
SELECT provider, paused_why, error, paused_until FROM sms_channel
WHERE paused_until < :since AND (probe_until IS NULL OR probe_until < :since)
  AND EXISTS (SELECT 1 FROM outbox_message WHERE state = 'queued' AND kind <> 'survey_owed' AND due_at < :since)
ORDER BY provider LIMIT :most
""")

_REPORT_HAS_ONE_MESSAGE = text("""
SELECT provider_id, count(*) AS messages FROM (
  SELECT provider_id FROM outbox_message WHERE provider_id IS NOT NULL
  UNION ALL SELECT provider_id FROM ended_turn WHERE provider_id IS NOT NULL AND followed_by <> 'settled'
) known GROUP BY provider_id HAVING count(*) > 1 ORDER BY provider_id LIMIT :most
""")
_REPORT_IS_NOT_UNDONE = text("""
SELECT id, kind, state, reported FROM outbox_message
WHERE reported = 'delivered' AND state <> 'delivered'
   OR reported = 'accepted' AND state IN ('queued', 'sending', 'unknown', 'expired', 'failed', 'needs_human')
   OR reported IN ('undelivered', 'failed') AND state IN ('queued', 'sending', 'unknown', 'accepted')
ORDER BY id LIMIT :most
""")

DELIVERY: Final[tuple[Invariant, ...]] = (
    Invariant(
        3,
        "nothing_left_waiting",
        "到期的短信和评价都已处理",
        "the message `id` was due at `due_at` and nobody has taken it since: do the workers run, is the channel paused (`qungong sms status`)?",
        Reach.WHOLE,
        _NOTHING_LEFT_WAITING,
    ),
    Invariant(
        3,
        "nothing_left_under_way",
        "发送中和没有回执的短信都有着落",
        "the message `id` is with a worker that did not come back, or with the provider unreported, and nobody has inquired about it since `lease_until`: do the workers run, is the channel paused (`qungong sms status`)?",
        Reach.WHOLE,
        _NOTHING_LEFT_UNDER_WAY,
    ),
    Invariant(
        3,
        "notices_are_settled",
        "该提醒工作人员的都已提醒",
        "the unit `unit_id` was to be texted at `due_at` about `kind`, and nobody has seen to it since: do the workers run?",
        Reach.WHOLE,
        _NOTICES_SETTLED,
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
        3,
        "ended_with_its_moment",
        "了结的短信都记有时间，没了结的没有",
        "the message `id` is in `state`, and `settled_at` says otherwise: it counts as ended where it is not, or the reverse",
        Reach.WHOLE,
        _ENDED_WITH_ITS_MOMENT,
    ),
    Invariant(
        3,
        "turns_are_on_record",
        "每次再发都有上一次的结果和决定",
        "the message `id` is in its `turn`, with `ended` turns on record: it was sent again and nobody knows why",
        Reach.WHOLE,
        _TURNS_ON_RECORD,
    ),
    Invariant(
        3,
        "nothing_resent_that_must_not_be",
        "验证码和已送达的不再发，系统只重试一次",
        "the message `id` was sent again after its `turn`, which must not be",
        Reach.WHOLE,
        _NEVER_RESENT,
    ),
    Invariant(
        3,
        "paused_channel_is_probed",
        "暂停的短信通道按时试发",
        "nothing is sent through `provider` since it was paused, and nobody has tried again since `paused_until`",
        Reach.WHOLE,
        _PAUSE_IS_PROBED,
    ),
)
REPORTS: Final[tuple[Invariant, ...]] = (
    Invariant(
        5,
        "report_has_one_message",
        "服务商的一个编号只对应一条短信",
        "the provider's id `provider_id` stands on several messages or turns, so a report moves the wrong one",
        Reach.WHOLE,
        _REPORT_HAS_ONE_MESSAGE,
    ),
    Invariant(
        5,
        "report_is_not_undone",
        "服务商报过的状态没有被改回",
        "the provider told that the message `id` was `reported`, and it stands as `state`",
        Reach.WHOLE,
        _REPORT_IS_NOT_UNDONE,
    ),
)
