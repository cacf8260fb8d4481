"""Harms that can be done to the data of an answered case, by hand and past every guard, and what then is to be found.

Knows nothing of who looks for them. `[ref]` and `[id]` are the case, `[joined_ref]` and `[joined_id]` one joined to it.
"""

from typing import Any, Final

# The stage of handling has run out, and the unit that holds it got its yellow card.
OVERDUE: Final = (
    """UPDATE clock SET due_at = now() - interval '3 days', yellow_at = now() - interval '3 days' + interval '1 second',
      red_at = now() + interval '3 days', next_at = now() + interval '3 days', steps = 2, ended_at = NULL
    WHERE case_id = [id] AND stage = 'handle'""",
    """INSERT INTO card (id, case_id, clock_id, county_id, level, cause, stage, unit_id, unit_name, due_at, effective_at, issued_at)
    SELECT gen_random_uuid(), case_id, id, county_id, 'yellow', 'overdue', stage, unit_id, '荣隆镇', due_at, yellow_at, now()
    FROM clock WHERE case_id = [id] AND stage = 'handle'""",
    """UPDATE case_event e SET action = 'card', body = body || '"card":"' || c.id || '"' FROM card c
    WHERE e.case_id = [id] AND e.seq = 7 AND c.case_id = [id]""",
)

# The invariant it breaks, the statements that do it, and a part of the row that names it.
HARMS: Final[tuple[tuple[str, tuple[str, ...], dict[str, Any]], ...]] = (
    (
        "events_without_gap",
        ("DELETE FROM case_event WHERE case_id = [id] AND seq = 3",),
        {"ref": "[ref]", "entries": 8, "event_seq": 9},
    ),
    (
        "events_without_gap",
        ("DELETE FROM case_event WHERE case_id = [id] AND seq = 9",),
        {"ref": "[ref]", "highest": 8},
    ),
    (
        "events_without_gap",
        ("DELETE FROM case_event WHERE case_id = [id]",),
        {"ref": "[ref]", "entries": 0},
    ),
    (
        "events_without_gap",
        ("UPDATE grievance SET event_hash = 'another' WHERE id = [id]",),
        {"ref": "[ref]", "head_fits": False},
    ),
    ("record_has_its_case", ("DELETE FROM grievance WHERE id = [id]",), {"case_id": "[id]"}),
    (
        "open_case_has_its_clocks",
        ("UPDATE grievance SET phase = 'handling' WHERE id = [id]",),
        {"ref": "[ref]", "whole": 0, "stage": 0},
    ),
    (
        "open_case_has_its_clocks",
        (
            "UPDATE grievance SET phase = 'handling' WHERE id = [id]",
            "UPDATE clock SET ended_at = NULL WHERE case_id = [id] AND stage IN ('whole', 'judge')",
        ),
        {"ref": "[ref]", "whole": 1, "stage": 3},
    ),
    (
        "what_is_asked_is_owed",
        ("UPDATE grievance SET wait_asked_at = now() WHERE id = [id]",),
        {"ref": "[ref]", "asked": 1, "clocks": 0},
    ),
    (
        "clocks_are_looked_at",
        (
            *OVERDUE,
            "UPDATE clock SET next_at = now() - interval '5 minutes' WHERE case_id = [id] AND stage = 'handle'",
        ),
        {"ref": "[ref]", "stage": "handle"},
    ),
    (
        "clocks_come_up_when_due",
        (
            *OVERDUE,
            "UPDATE clock SET next_at = NULL WHERE case_id = [id] AND stage = 'handle'",
        ),
        {"ref": "[ref]", "stage": "handle", "next_at": None},
    ),
    (
        "clocks_come_up_when_due",
        (
            *OVERDUE,
            "UPDATE clock SET ended_at = now() WHERE case_id = [id] AND stage = 'handle'",
        ),
        {"ref": "[ref]", "stage": "handle", "should_be": None},
    ),
    (
        "no_card_missing",
        (*OVERDUE, "DELETE FROM card WHERE case_id = [id]"),
        {"ref": "[ref]", "stage": "handle", "level": "yellow"},
    ),
    (
        "no_card_missing",
        (
            *OVERDUE,
            "UPDATE clock SET red_at = now() - interval '2 minutes', ended_at = now() WHERE case_id = [id] AND stage = 'handle'",
        ),
        {"ref": "[ref]", "stage": "handle", "level": "red"},
    ),
    (
        "card_is_earned",
        (
            *OVERDUE,
            "UPDATE clock SET ended_at = due_at WHERE case_id = [id] AND stage = 'handle'",
        ),
        {"ref": "[ref]", "level": "yellow"},
    ),
    (
        "card_is_earned",
        (*OVERDUE, "UPDATE card SET clock_id = case_id WHERE case_id = [id]"),
        {"ref": "[ref]", "clock_id": "[id]"},
    ),
    (
        "card_is_of_its_stage",
        (*OVERDUE, "UPDATE card SET unit_id = county_id WHERE case_id = [id]"),
        {"ref": "[ref]", "clock_stage": "handle"},
    ),
    (
        "card_is_of_its_stage",
        (
            *OVERDUE,
            "UPDATE clock SET stage = 'waiting' WHERE case_id = [id] AND stage = 'handle'",
            "UPDATE card SET stage = 'waiting' WHERE case_id = [id]",
        ),
        {"ref": "[ref]", "stage": "waiting"},
    ),
    (
        # Handed over, but only before the card was issued.
        "card_is_of_its_stage",
        (
            *OVERDUE,
            "UPDATE case_event SET action = 'reassign' WHERE case_id = [id] AND seq = 6",
            "UPDATE clock SET unit_id = county_id WHERE case_id = [id] AND stage = 'handle'",
        ),
        {"ref": "[ref]", "clock_stage": "handle"},
    ),
    (
        "card_is_of_its_moment",
        (*OVERDUE, "UPDATE card SET level = 'red' WHERE case_id = [id]"),
        {"ref": "[ref]", "level": "red"},
    ),
    (
        "card_is_of_its_moment",
        (
            *OVERDUE,
            "UPDATE card SET effective_at = effective_at + interval '1 second' WHERE case_id = [id]",
        ),
        {"ref": "[ref]", "level": "yellow"},
    ),
    (
        "no_card_early",
        (
            *OVERDUE,
            "UPDATE card SET effective_at = now() + interval '1 hour', issued_at = now() + interval '2 hours' WHERE case_id = [id]",
        ),
        {"ref": "[ref]", "level": "yellow"},
    ),
    (
        "no_card_doubled",
        ("ALTER TABLE card DROP CONSTRAINT one_card_a_level", *OVERDUE, OVERDUE[1]),
        {"level": "yellow", "cards": 2},
    ),
    (
        "card_is_on_record",
        (*OVERDUE, "UPDATE case_event SET action = 'press' WHERE case_id = [id] AND seq = 7"),
        {"ref": "[ref]", "level": "yellow"},
    ),
    (
        "card_is_on_record",
        (*OVERDUE, "UPDATE card SET id = [joined_id] WHERE case_id = [id]"),
        {"ref": "[ref]", "card_id": "[joined_id]"},
    ),
    (
        "recorded_card_stands",
        (*OVERDUE, "DELETE FROM card WHERE case_id = [id]"),
        {"ref": "[ref]", "seq": 7},
    ),
    (
        "nothing_left_waiting",
        (
            "UPDATE outbox_message SET due_at = now() - interval '16 minutes' WHERE case_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "state": "queued"},
    ),
    (
        "nothing_left_waiting",
        (
            "UPDATE outbox_message SET expires_at = now() - interval '16 minutes', due_at = now() + interval '1 day' WHERE case_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "state": "queued"},
    ),
    (
        "nothing_left_waiting",
        (
            "UPDATE outbox_message SET due_at = now() - interval '16 minutes' WHERE case_id = [joined_id] AND kind = 'survey_owed'",
        ),
        {"kind": "survey_owed"},
    ),
    (
        "nothing_left_under_way",
        (
            "UPDATE outbox_message SET state = 'sending', lease_until = now() - interval '16 minutes' WHERE case_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "state": "sending"},
    ),
    (
        "nothing_left_under_way",
        (
            "UPDATE outbox_message SET state = 'unknown', lease_until = NULL WHERE case_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "state": "unknown"},
    ),
    (
        "nothing_left_under_way",
        (
            "UPDATE outbox_message SET state = 'accepted', lease_until = NULL WHERE case_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "state": "accepted"},
    ),
    (
        "nothing_left_under_way",
        (
            "UPDATE outbox_message SET state = 'accepted', lease_until = now() - interval '16 minutes' WHERE case_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "state": "accepted"},
    ),
    (
        "ended_with_its_moment",
        (
            "UPDATE outbox_message SET state = 'accepted', lease_until = now(), settled_at = now() WHERE case_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "state": "accepted"},
    ),
    (
        "owed_once",
        (
            "ALTER TABLE outbox_message DROP CONSTRAINT outbox_message_once_key",
            "UPDATE outbox_message SET once = 'answered/twice' WHERE case_id IN ([id], [joined_id]) AND kind = 'answered'",
        ),
        {"once": "answered/twice", "messages": 2},
    ),
    (
        "ended_with_its_moment",
        (
            "UPDATE outbox_message SET state = 'delivered', settled_at = NULL WHERE case_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "state": "delivered", "settled_at": None},
    ),
    (
        "ended_with_its_moment",
        ("UPDATE outbox_message SET settled_at = now() WHERE case_id = [id] AND kind = 'receipt'",),
        {"kind": "receipt", "state": "queued"},
    ),
    (
        "turns_are_on_record",
        ("UPDATE outbox_message SET turn = 2 WHERE case_id = [id] AND kind = 'receipt'",),
        {"kind": "receipt", "turn": 2, "ended": 0},
    ),
    (
        "turns_are_on_record",
        (
            """INSERT INTO ended_turn (message_id, turn, state, attempts, followed_by, at)
            SELECT id, 1, 'undelivered', 1, 'retried', now() FROM outbox_message WHERE case_id = [id] AND kind = 'receipt'""",
        ),
        {"kind": "receipt", "turn": 1, "ended": 1},
    ),
    (
        "nothing_resent_that_must_not_be",
        (
            """INSERT INTO ended_turn (message_id, turn, state, attempts, followed_by, at)
            SELECT id, 1, 'delivered', 1, 'retried', now() FROM outbox_message WHERE case_id = [id] AND kind = 'receipt'""",
        ),
        {"kind": "receipt", "turn": 1},
    ),
    (
        "nothing_resent_that_must_not_be",
        (
            """INSERT INTO ended_turn (message_id, turn, state, attempts, followed_by, at)
            SELECT id, 2, 'undelivered', 1, 'retried', now() FROM outbox_message WHERE case_id = [id] AND kind = 'receipt'""",
        ),
        {"kind": "receipt", "turn": 2},
    ),
    (
        "nothing_resent_that_must_not_be",
        (
            """INSERT INTO ended_turn (message_id, turn, state, attempts, followed_by, at)
            SELECT id, 1, 'undelivered', 1, 'retried', now() FROM outbox_message WHERE case_id = [id] AND kind = 'receipt'""",
            "UPDATE outbox_message SET kind = 'one_time_code' WHERE case_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "one_time_code", "turn": 1},
    ),
    (
        "paused_channel_is_probed",
        (
            "UPDATE outbox_message SET due_at = now() - interval '16 minutes' WHERE case_id = [id] AND kind = 'receipt'",
            """INSERT INTO sms_channel (provider, paced_until, paused_since, paused_until, paused_why, pauses)
            VALUES ('provider/' || [ref], now(), now() - interval '1 hour', now() - interval '16 minutes', 'account', 3)""",
        ),
        {"paused_why": "account"},
    ),
    (
        "one_survey_a_round",
        (
            "DELETE FROM surveys.answer",
            "DELETE FROM surveys.survey WHERE case_id = [id]",
        ),
        {"ref": "[ref]", "round": 1, "asked": 0, "should_be": 1},
    ),
    (
        "one_survey_a_round",
        ("DELETE FROM outbox_message WHERE case_id = [joined_id] AND kind = 'survey_owed'",),
        {"ref": "[joined_ref]", "round": 1, "asked": 0, "should_be": 1},
    ),
    (
        "one_survey_a_round",
        (
            "UPDATE outbox_message SET state = 'queued' WHERE case_id = [id] AND kind = 'survey_owed'",
        ),
        {"ref": "[ref]", "round": 1, "asked": 2, "should_be": 1},
    ),
    (
        "one_survey_a_round",
        ("UPDATE surveys.survey SET round = 2 WHERE case_id = [id]",),
        {"ref": "[ref]", "round": 2, "asked": 1, "should_be": 0},
    ),
    (
        "one_survey_a_round",
        ("DELETE FROM case_event WHERE case_id = [id] AND action = 'answer'",),
        {"ref": "[joined_ref]", "round": 1, "asked": 1, "should_be": 0},
    ),
    (
        "one_survey_a_round",
        ("UPDATE outbox_message SET citizen_id = [id] WHERE kind = 'survey_owed'",),
        {"ref": "[joined_ref]", "asked": 1, "should_be": 0},
    ),
    (
        "reply_taken_once",
        (
            "ALTER TABLE surveys.reply DROP CONSTRAINT reply_pkey",
            "INSERT INTO surveys.reply SELECT * FROM surveys.reply WHERE provider_message_id = 'SM' || [ref]",
        ),
        {"replies": 2},
    ),
    (
        "one_answer_a_survey",
        (
            "DROP INDEX surveys.one_answer_counts",
            "INSERT INTO surveys.answer (survey_id, channel, value, answered_at) SELECT a.survey_id, a.channel, a.value, a.answered_at FROM surveys.answer a JOIN surveys.survey s ON s.id = a.survey_id WHERE s.case_id = [id]",
        ),
        {"answers": 2, "replies": 1},
    ),
    (
        "correction_has_its_answer",
        (
            "UPDATE surveys.answer SET discounted = 'corrected' WHERE survey_id IN (SELECT id FROM surveys.survey WHERE case_id = [id])",
        ),
        {"corrected": 1},
    ),
    (
        "turn_comes",
        ("UPDATE surveys.survey SET next_at = now() - interval '16 minutes' WHERE case_id = [id]",),
        {},
    ),
    (
        "nobody_waits_for_nothing",
        (
            "UPDATE surveys.survey SET asked_at = NULL, window_ends_at = NULL, short_number = NULL, next_at = now() + interval '9 days' WHERE case_id = [id]",
        ),
        {"ref": "[ref]"},
    ),
    (
        "text_has_its_survey",
        (
            "UPDATE outbox_message SET once = 'survey-text/' || gen_random_uuid() WHERE kind = 'survey' AND case_id = [id]",
        ),
        {"kind": "survey"},
    ),
    (
        "text_has_its_survey",
        (
            "UPDATE outbox_message SET expires_at = now() + interval '30 days' WHERE kind = 'survey' AND case_id = [id]",
        ),
        {"kind": "survey"},
    ),
    (
        "call_is_owed",
        (
            "UPDATE surveys.answer SET value = 'dissatisfied' WHERE survey_id IN (SELECT id FROM surveys.survey WHERE case_id = [id])",
        ),
        {"ref": "[ref]", "round": 1},
    ),
    (
        "tries_are_kept",
        (
            "INSERT INTO surveys.return_call (id, survey_id, cause, state, result, consent, tries, created_at) SELECT gen_random_uuid(), id, 'no_number', 'done', 'not_reached', false, 3, now() FROM surveys.survey WHERE case_id = [id]",
        ),
        {"tries": 3, "kept": 0},
    ),
    (
        "one_answer_a_survey",
        (
            "DELETE FROM surveys.answer WHERE survey_id IN (SELECT id FROM surveys.survey WHERE case_id = [id])",
        ),
        {"answers": 0, "replies": 1},
    ),
    (
        "report_has_one_message",
        (
            "DROP INDEX outbox_by_provider_id",
            "UPDATE outbox_message SET provider_id = 'SM-the-same' WHERE case_id = [id] AND kind IN ('receipt', 'moved')",
        ),
        {"provider_id": "SM-the-same", "messages": 4},
    ),
    (
        "report_has_one_message",
        (
            "UPDATE outbox_message SET provider_id = 'SM-again' WHERE case_id = [id] AND kind = 'receipt'",
            """INSERT INTO ended_turn (message_id, turn, state, provider_id, attempts, followed_by, at)
            SELECT id, 1, 'undelivered', 'SM-again', 1, 'retried', now() FROM outbox_message WHERE case_id = [id] AND kind = 'moved'
            LIMIT 1""",
        ),
        {"provider_id": "SM-again", "messages": 2},
    ),
    (
        "report_is_not_undone",
        (
            "UPDATE outbox_message SET reported = 'delivered', state = 'accepted' WHERE case_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "reported": "delivered", "state": "accepted"},
    ),
    (
        "report_is_not_undone",
        (
            "UPDATE outbox_message SET reported = 'accepted' WHERE case_id = [id] AND kind = 'receipt'",
        ),
        {"kind": "receipt", "reported": "accepted", "state": "queued"},
    ),
    (
        "records_verify",
        (
            "UPDATE case_event SET body = replace(body, 'escalate', 'decline') WHERE case_id = [id] AND seq = 2",
        ),
        {"ref": "[ref]", "seq": 2},
    ),
    (
        "records_verify",
        ("UPDATE grievance SET returns = 9 WHERE id = [id]",),
        {"ref": "[ref]", "what": "当前状态“returns”与记录推算不符"},
    ),
    (
        "one_lead_a_round",
        ("UPDATE assignment SET state = 'released' WHERE case_id = [id] AND role = 'lead'",),
        {"ref": "[ref]", "round": 1, "leads": 0},
    ),
    (
        "one_lead_a_round",
        (
            "DROP INDEX one_lead_a_round",
            "UPDATE assignment SET role = 'lead' WHERE case_id = [id]",
        ),
        {"ref": "[ref]", "round": 1, "leads": 2},
    ),
    (
        "one_lead_a_round",
        ("UPDATE grievance SET round = 2 WHERE id = [joined_id]",),
        {"ref": "[joined_ref]", "round": 1, "leads": 0},
    ),
    (
        "no_open_assistant_after_answer",
        ("UPDATE assignment SET state = 'signed' WHERE case_id = [id] AND role = 'assist'",),
        {"ref": "[ref]", "phase": "answered"},
    ),
    (
        "nobody_works_on_what_ended",
        (
            "UPDATE assignment SET state = 'offered' WHERE case_id = [id] AND role = 'lead'",
            "UPDATE grievance SET phase = 'declined' WHERE id = [id]",
        ),
        {"ref": "[ref]", "phase": "declined", "state": "offered"},
    ),
    (
        "ended_units_have_nothing_open",
        (
            """UPDATE unit SET valid_to = CURRENT_DATE - 2, handed_over_at = now() - interval '1 day'
            WHERE id = (SELECT holder_unit_id FROM grievance WHERE id = [id])""",
            "UPDATE grievance SET phase = 'handling' WHERE id = [id]",
        ),
        {"ref": "[ref]", "phase": "handling"},
    ),
    (
        "what_ended_has_no_stage",
        ("UPDATE grievance SET stage = 'handle' WHERE id = [id]",),
        {"ref": "[ref]", "stage": "handle"},
    ),
    (
        "what_ended_has_no_stage",
        ("UPDATE grievance SET waiting = 'supplement' WHERE id = [joined_id]",),
        {"ref": "[joined_ref]", "waiting": "supplement"},
    ),
    (
        "what_ended_has_no_stage",
        ("UPDATE clock SET ended_at = NULL WHERE case_id = [id] AND stage = 'whole'",),
        {"ref": "[ref]", "clocks": 1},
    ),
    (
        "merged_into_one_that_stands",
        ("UPDATE grievance SET phase = 'merged', primary_id = [joined_id] WHERE id = [id]",),
        {"ref": "[joined_ref]", "primary_case": "cycle"},
    ),
    (
        "looks_are_complete",
        ("DELETE FROM surveys.look WHERE number = (SELECT max(number) - 1 FROM surveys.look)",),
        {"what": "missing"},
    ),
    (
        "looks_are_complete",
        (
            "UPDATE surveys.look SET reason = '例行检查' WHERE number = (SELECT max(number) FROM surveys.look)",
        ),
        {"what": "altered"},
    ),
    (
        "looks_are_complete",
        (
            "UPDATE surveys.look SET at = at - interval '1 day' WHERE number = (SELECT max(number) FROM surveys.look)",
        ),
        {"what": "altered"},
    ),
    (
        "merged_into_one_that_stands",
        ("DELETE FROM grievance WHERE id = [id]",),
        {"ref": "[joined_ref]", "primary_case": "missing"},
    ),
)

# The same of a month that is locked; `now` is a few days later. Played in tests/reports.
MONTH_HARMS: Final[tuple[tuple[str, tuple[str, ...], dict[str, Any]], ...]] = (
    (
        "locked_months_verify",
        ("UPDATE month_figure SET answered = answered + 1 WHERE staff_id IS NULL",),
        {"correction": None, "what": "数字与锁定时的校验值不符"},
    ),
    (
        "locked_months_verify",
        ("UPDATE surveys.month_satisfaction SET satisfied = 0",),
        {"correction": None, "what": "数字与锁定时的校验值不符"},
    ),
    (
        "locked_months_add_up",
        ("DELETE FROM surveys.answer WHERE value = 'dissatisfied'",),
        {"measure": "evaluated", "locked": 5, "counted": 4},
    ),
    (
        "locked_months_add_up",
        (
            "UPDATE card SET due_at = '2025-06-30', effective_at = '2025-07-01', issued_at = '2025-07-01'",
        ),
        {"measure": "yellow", "locked": 1, "counted": 0},
    ),
    (
        "released_tells_of_nobody",
        ("UPDATE released_satisfaction SET bound = 'exact', favourable = 4",),
        {"unit_id": "[unit_id]"},
    ),
    (
        "released_tells_of_nobody",
        ("DELETE FROM released_satisfaction",),
        {"unit_id": "[unit_id]"},
    ),
    (
        "late_cards_are_followed",
        ("UPDATE card SET revoked_at = '2025-07-12'",),
        {"cause": "card_revoked", "level": "yellow"},
    ),
    (
        "months_are_kept_up",
        ("UPDATE month_end SET month = '2025-03-01'",),
        {"last_month": "2025-03-01"},
    ),
)
