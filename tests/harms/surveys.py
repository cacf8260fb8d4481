"""Harms to surveys, answers, return calls, and looks at them. What `[ref]` and its like stand for says tests/harms."""

from typing import Final

from tests.harms.harm import Harm

HARMS: Final[tuple[Harm, ...]] = (
    (
        "one_survey_a_round",
        (
            "DELETE FROM surveys.answer",
            "DELETE FROM surveys.survey WHERE matter_id = [id]",
        ),
        {"ref": "[ref]", "round": 1, "asked": 0, "should_be": 1},
    ),
    (
        "one_survey_a_round",
        ("DELETE FROM outbox_message WHERE matter_id = [joined_id] AND kind = 'survey_owed'",),
        {"ref": "[joined_ref]", "round": 1, "asked": 0, "should_be": 1},
    ),
    (
        "one_survey_a_round",
        (
            "UPDATE outbox_message SET state = 'queued' WHERE matter_id = [id] AND kind = 'survey_owed'",
        ),
        {"ref": "[ref]", "round": 1, "asked": 2, "should_be": 1},
    ),
    (
        "one_survey_a_round",
        ("UPDATE surveys.survey SET round = 2 WHERE matter_id = [id]",),
        {"ref": "[ref]", "round": 2, "asked": 1, "should_be": 0},
    ),
    (
        "one_survey_a_round",
        ("DELETE FROM record_entry WHERE matter_id = [id] AND action = 'answer'",),
        {"ref": "[joined_ref]", "round": 1, "asked": 1, "should_be": 0},
    ),
    (
        "one_survey_a_round",
        ("UPDATE outbox_message SET citizen_id = [id] WHERE kind = 'survey_owed'",),
        {"ref": "[joined_ref]", "asked": 1, "should_be": 0},
    ),
    (
        "one_answer_a_survey",
        (
            "DROP INDEX surveys.one_answer_counts",
            "INSERT INTO surveys.answer (survey_id, channel, value, answered_at) SELECT a.survey_id, a.channel, a.value, a.answered_at FROM surveys.answer a JOIN surveys.survey s ON s.id = a.survey_id WHERE s.matter_id = [id]",
        ),
        {"answers": 2, "replies": 1},
    ),
    (
        "correction_has_its_answer",
        (
            "UPDATE surveys.answer SET discounted = 'corrected' WHERE survey_id IN (SELECT id FROM surveys.survey WHERE matter_id = [id])",
        ),
        {"corrected": 1},
    ),
    (
        "turn_comes",
        (
            "UPDATE surveys.survey SET next_at = now() - interval '16 minutes' WHERE matter_id = [id]",
        ),
        {},
    ),
    (
        "nobody_waits_for_nothing",
        (
            "UPDATE surveys.survey SET asked_at = NULL, window_ends_at = NULL, short_number = NULL, next_at = now() + interval '9 days' WHERE matter_id = [id]",
        ),
        {"ref": "[ref]"},
    ),
    (
        "text_has_its_survey",
        (
            "UPDATE outbox_message SET once = 'survey-text/' || gen_random_uuid() WHERE kind = 'survey' AND matter_id = [id]",
        ),
        {"kind": "survey"},
    ),
    (
        "text_has_its_survey",
        (
            "UPDATE outbox_message SET expires_at = now() + interval '30 days' WHERE kind = 'survey' AND matter_id = [id]",
        ),
        {"kind": "survey"},
    ),
    (
        "call_is_owed",
        (
            "UPDATE surveys.answer SET value = 'dissatisfied' WHERE survey_id IN (SELECT id FROM surveys.survey WHERE matter_id = [id])",
        ),
        {"ref": "[ref]", "round": 1},
    ),
    (
        "opted_out_is_called",
        (
            "DELETE FROM surveys.answer WHERE survey_id IN (SELECT id FROM surveys.survey WHERE matter_id = [id])",
            "INSERT INTO surveys.opt_out (phone_key, out_at) SELECT p.phone_key, s.asked_at + interval '1 second' FROM surveys.survey s JOIN citizen p ON p.id = s.citizen_id WHERE s.matter_id = [id]",
        ),
        {"ref": "[ref]", "round": 1},
    ),
    (
        "tries_are_kept",
        (
            "INSERT INTO surveys.return_call (id, survey_id, cause, state, result, consent, tries, created_at) SELECT gen_random_uuid(), id, 'no_number', 'done', 'not_reached', false, 3, now() FROM surveys.survey WHERE matter_id = [id]",
        ),
        {"tries": 3, "kept": 0},
    ),
    (
        "one_answer_a_survey",
        (
            "DELETE FROM surveys.answer WHERE survey_id IN (SELECT id FROM surveys.survey WHERE matter_id = [id])",
        ),
        {"answers": 0, "replies": 1},
    ),
    (
        "nobody_judges_their_own_work",
        (
            """INSERT INTO surveys.return_call (id, survey_id, cause, state, result, consent, tries, created_at, called_by_staff_id)
      SELECT gen_random_uuid(), s.id, 'dissatisfied', 'done', 'unreasonable', false, 1, now(), e.staff_id FROM surveys.survey s
      JOIN record_entry e ON e.matter_id = s.matter_id AND e.action = 'answer' WHERE s.matter_id = [id]""",
        ),
        {"what": "return_call"},
    ),
    (
        "official_numbers_on_record",
        (
            """INSERT INTO official_number (id, phone_sealed, phone_key, unit_id, entered_at)
      SELECT gen_random_uuid(), '', 'k', holder_unit_id, now() FROM grievance WHERE id = [id]""",
        ),
        {"entered": True, "removed": False, "logged": []},
    ),
    (
        "official_numbers_on_record",
        (
            """INSERT INTO official_number_change (id, number_id, change, last_four, unit_name, at)
      SELECT gen_random_uuid(), [id], 'entered', '1122', '村', now()""",
        ),
        {"entered": False, "logged": ["entered"]},
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
)
