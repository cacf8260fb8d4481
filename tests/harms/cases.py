"""Harms to who leads, who assists, and what has ended. What `[ref]` and its like stand for says tests/harms."""

from typing import Final

from tests.harms.harm import Harm

HARMS: Final[tuple[Harm, ...]] = (
    (
        "one_lead_a_round",
        ("UPDATE assignment SET state = 'released' WHERE matter_id = [id] AND role = 'lead'",),
        {"ref": "[ref]", "round": 1, "leads": 0},
    ),
    (
        "one_lead_a_round",
        (
            "DROP INDEX one_lead_a_round",
            "UPDATE assignment SET role = 'lead' WHERE matter_id = [id]",
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
        ("UPDATE assignment SET state = 'signed' WHERE matter_id = [id] AND role = 'assist'",),
        {"ref": "[ref]", "phase": "answered"},
    ),
    (
        "nobody_works_on_what_ended",
        (
            "UPDATE assignment SET state = 'offered' WHERE matter_id = [id] AND role = 'lead'",
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
        "head_approval_on_record",
        (
            """INSERT INTO head_approval (id, unit_id, required, reason, decided_at, decided_by_staff_id)
            SELECT gen_random_uuid(), g.holder_unit_id, NOT u.head_approves, 'x', now(), (SELECT min(id) FROM staff)
            FROM grievance g JOIN unit u ON u.id = g.holder_unit_id WHERE g.id = [id]""",
        ),
        {},
    ),
    (
        "poster_contact_on_record",
        (
            """INSERT INTO poster_contact (id, unit_id, public_phone, decided_at, decided_by_staff_id)
            SELECT gen_random_uuid(), holder_unit_id, '110', now(), (SELECT min(id) FROM staff) FROM grievance WHERE id = [id]""",
        ),
        {},
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
        ("UPDATE clock SET ended_at = NULL WHERE matter_id = [id] AND stage = 'whole'",),
        {"ref": "[ref]", "clocks": 1},
    ),
    (
        "merged_into_one_that_stands",
        ("UPDATE grievance SET phase = 'merged', primary_id = [joined_id] WHERE id = [id]",),
        {"ref": "[joined_ref]", "primary_case": "cycle"},
    ),
    (
        "merged_into_one_that_stands",
        ("DELETE FROM grievance WHERE id = [id]",),
        {"ref": "[joined_ref]", "primary_case": "missing"},
    ),
    (
        "sealed_is_seen",
        ("UPDATE grievance SET sealed = true WHERE id = [joined_id]",),
        {"ref": "[joined_ref]"},
    ),
)
