"""Harms to texts, to what is reported of them, and to replies. What `[ref]` and its like stand for says tests/harms."""

from typing import Final

from tests.harms.harm import Harm

HARMS: Final[tuple[Harm, ...]] = (
    (
        "nothing_left_waiting",
        (
            "UPDATE outbox_message SET due_at = now() - interval '16 minutes' WHERE matter_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "state": "queued"},
    ),
    (
        "nothing_left_waiting",
        (
            "UPDATE outbox_message SET expires_at = now() - interval '16 minutes', due_at = now() + interval '1 day' WHERE matter_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "state": "queued"},
    ),
    (
        "nothing_left_waiting",
        (
            "UPDATE outbox_message SET due_at = now() - interval '16 minutes' WHERE matter_id = [joined_id] AND kind = 'survey_owed'",
        ),
        {"kind": "survey_owed"},
    ),
    (
        "notices_are_settled",
        (
            "UPDATE notice_owed SET due_at = now() - interval '16 minutes', settled_at = NULL WHERE unit_id = (SELECT holder_unit_id FROM grievance WHERE id = [id])",
        ),
        {"kind": "work"},
    ),
    (
        "nothing_left_under_way",
        (
            "UPDATE outbox_message SET state = 'sending', lease_until = now() - interval '16 minutes' WHERE matter_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "state": "sending"},
    ),
    (
        "nothing_left_under_way",
        (
            "UPDATE outbox_message SET state = 'unknown', lease_until = NULL WHERE matter_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "state": "unknown"},
    ),
    (
        "nothing_left_under_way",
        (
            "UPDATE outbox_message SET state = 'accepted', lease_until = NULL WHERE matter_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "state": "accepted"},
    ),
    (
        "nothing_left_under_way",
        (
            "UPDATE outbox_message SET state = 'accepted', lease_until = now() - interval '16 minutes' WHERE matter_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "state": "accepted"},
    ),
    (
        "ended_with_its_moment",
        (
            "UPDATE outbox_message SET state = 'accepted', lease_until = now(), settled_at = now() WHERE matter_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "state": "accepted"},
    ),
    (
        "owed_once",
        (
            "ALTER TABLE outbox_message DROP CONSTRAINT outbox_message_once_key",
            "UPDATE outbox_message SET once = 'answered/twice' WHERE matter_id IN ([id], [joined_id]) AND kind = 'answered'",
        ),
        {"once": "answered/twice", "messages": 2},
    ),
    (
        "ended_with_its_moment",
        (
            "UPDATE outbox_message SET state = 'delivered', settled_at = NULL WHERE matter_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "state": "delivered", "settled_at": None},
    ),
    (
        "ended_with_its_moment",
        (
            "UPDATE outbox_message SET settled_at = now() WHERE matter_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "state": "queued"},
    ),
    (
        "turns_are_on_record",
        ("UPDATE outbox_message SET turn = 2 WHERE matter_id = [id] AND kind = 'receipt'",),
        {"kind": "receipt", "turn": 2, "ended": 0},
    ),
    (
        "turns_are_on_record",
        (
            """INSERT INTO ended_turn (message_id, turn, state, attempts, followed_by, at)
            SELECT id, 1, 'undelivered', 1, 'retried', now() FROM outbox_message WHERE matter_id = [id] AND kind = 'receipt'""",
        ),
        {"kind": "receipt", "turn": 1, "ended": 1},
    ),
    (
        "nothing_resent_that_must_not_be",
        (
            """INSERT INTO ended_turn (message_id, turn, state, attempts, followed_by, at)
            SELECT id, 1, 'delivered', 1, 'retried', now() FROM outbox_message WHERE matter_id = [id] AND kind = 'receipt'""",
        ),
        {"kind": "receipt", "turn": 1},
    ),
    (
        "nothing_resent_that_must_not_be",
        (
            """INSERT INTO ended_turn (message_id, turn, state, attempts, followed_by, at)
            SELECT id, 2, 'undelivered', 1, 'retried', now() FROM outbox_message WHERE matter_id = [id] AND kind = 'receipt'""",
        ),
        {"kind": "receipt", "turn": 2},
    ),
    (
        "nothing_resent_that_must_not_be",
        (
            """INSERT INTO ended_turn (message_id, turn, state, attempts, followed_by, at)
            SELECT id, 1, 'undelivered', 1, 'retried', now() FROM outbox_message WHERE matter_id = [id] AND kind = 'receipt'""",
            "UPDATE outbox_message SET kind = 'one_time_code' WHERE matter_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "one_time_code", "turn": 1},
    ),
    (
        "paused_channel_is_probed",
        (
            "UPDATE outbox_message SET due_at = now() - interval '16 minutes' WHERE matter_id = [id] AND kind = 'receipt'",
            """INSERT INTO sms_channel (provider, paced_until, paused_since, paused_until, paused_why, pauses)
            VALUES ('provider/' || [ref], now(), now() - interval '1 hour', now() - interval '16 minutes', 'account', 3)""",
        ),
        {"paused_why": "account"},
    ),
    (
        "reply_taken_once",
        (
            "ALTER TABLE surveys.reply DROP CONSTRAINT reply_pkey CASCADE",
            "INSERT INTO surveys.reply SELECT * FROM surveys.reply WHERE provider_message_id = 'SM' || [ref]",
        ),
        {"replies": 2},
    ),
    (
        "report_has_one_message",
        (
            "DROP INDEX outbox_by_provider_id",
            "UPDATE outbox_message SET provider_id = 'SM-the-same' WHERE matter_id = [id] AND kind IN ('receipt', 'moved')",
        ),
        {"provider_id": "SM-the-same", "messages": 4},
    ),
    (
        "report_has_one_message",
        (
            "UPDATE outbox_message SET provider_id = 'SM-again' WHERE matter_id = [id] AND kind = 'receipt'",
            """INSERT INTO ended_turn (message_id, turn, state, provider_id, attempts, followed_by, at)
            SELECT id, 1, 'undelivered', 'SM-again', 1, 'retried', now() FROM outbox_message WHERE matter_id = [id] AND kind = 'moved'
            LIMIT 1""",
        ),
        {"provider_id": "SM-again", "messages": 2},
    ),
    (
        "report_is_not_undone",
        (
            "UPDATE outbox_message SET reported = 'delivered', state = 'accepted' WHERE matter_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "reported": "delivered", "state": "accepted"},
    ),
    (
        "report_is_not_undone",
        (
            "UPDATE outbox_message SET reported = 'accepted' WHERE matter_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "reported": "accepted", "state": "queued"},
    ),
)
