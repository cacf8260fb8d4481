"""Harms to limits and cards. What `[ref]` and its like stand for says tests/harms."""

from typing import Final

from tests.harms.harm import OVERDUE, Harm

HARMS: Final[tuple[Harm, ...]] = (
    (
        "open_case_has_its_clocks",
        ("UPDATE grievance SET phase = 'handling' WHERE id = [id]",),
        {"ref": "[ref]", "whole": 0, "stage": 0},
    ),
    (
        "open_case_has_its_clocks",
        (
            "UPDATE grievance SET phase = 'handling' WHERE id = [id]",
            "UPDATE clock SET ended_at = NULL WHERE matter_id = [id] AND stage IN ('whole', 'judge')",
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
            "UPDATE clock SET next_at = now() - interval '5 minutes' WHERE matter_id = [id] AND stage = 'handle'",
        ),
        {"ref": "[ref]", "stage": "handle"},
    ),
    (
        "clocks_come_up_when_due",
        (
            *OVERDUE,
            "UPDATE clock SET next_at = NULL WHERE matter_id = [id] AND stage = 'handle'",
        ),
        {"ref": "[ref]", "stage": "handle", "next_at": None},
    ),
    (
        "clocks_come_up_when_due",
        (
            *OVERDUE,
            "UPDATE clock SET ended_at = now() WHERE matter_id = [id] AND stage = 'handle'",
        ),
        {"ref": "[ref]", "stage": "handle", "should_be": None},
    ),
    (
        "no_card_missing",
        (*OVERDUE, "DELETE FROM card WHERE matter_id = [id]"),
        {"ref": "[ref]", "stage": "handle", "level": "yellow"},
    ),
    (
        "no_card_missing",
        (
            *OVERDUE,
            "UPDATE clock SET red_at = now() - interval '2 minutes', ended_at = now() WHERE matter_id = [id] AND stage = 'handle'",
        ),
        {"ref": "[ref]", "stage": "handle", "level": "red"},
    ),
    (
        "card_is_earned",
        (
            *OVERDUE,
            "UPDATE clock SET ended_at = due_at WHERE matter_id = [id] AND stage = 'handle'",
        ),
        {"ref": "[ref]", "level": "yellow"},
    ),
    (
        "card_is_earned",
        (*OVERDUE, "UPDATE card SET clock_id = matter_id WHERE matter_id = [id]"),
        {"ref": "[ref]", "clock_id": "[id]"},
    ),
    (
        "card_is_of_its_stage",
        (*OVERDUE, "UPDATE card SET unit_id = county_id WHERE matter_id = [id]"),
        {"ref": "[ref]", "clock_stage": "handle"},
    ),
    (
        "card_is_of_its_stage",
        (
            *OVERDUE,
            "UPDATE clock SET stage = 'waiting' WHERE matter_id = [id] AND stage = 'handle'",
            "UPDATE card SET stage = 'waiting' WHERE matter_id = [id]",
        ),
        {"ref": "[ref]", "stage": "waiting"},
    ),
    (
        # Handed over, but only before the card was issued.
        "card_is_of_its_stage",
        (
            *OVERDUE,
            "UPDATE record_entry SET action = 'reassign' WHERE matter_id = [id] AND seq = 6",
            "UPDATE clock SET unit_id = county_id WHERE matter_id = [id] AND stage = 'handle'",
        ),
        {"ref": "[ref]", "clock_stage": "handle"},
    ),
    (
        "card_is_of_its_moment",
        (*OVERDUE, "UPDATE card SET level = 'red' WHERE matter_id = [id]"),
        {"ref": "[ref]", "level": "red"},
    ),
    (
        "card_is_of_its_moment",
        (
            *OVERDUE,
            "UPDATE card SET effective_at = effective_at + interval '1 second' WHERE matter_id = [id]",
        ),
        {"ref": "[ref]", "level": "yellow"},
    ),
    (
        "no_card_early",
        (
            *OVERDUE,
            "UPDATE card SET effective_at = now() + interval '1 hour', issued_at = now() + interval '2 hours' WHERE matter_id = [id]",
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
        (*OVERDUE, "UPDATE record_entry SET action = 'press' WHERE matter_id = [id] AND seq = 7"),
        {"ref": "[ref]", "level": "yellow"},
    ),
    (
        "card_is_on_record",
        (*OVERDUE, "UPDATE card SET id = [joined_id] WHERE matter_id = [id]"),
        {"ref": "[ref]", "card_id": "[joined_id]"},
    ),
    (
        "recorded_card_stands",
        (*OVERDUE, "DELETE FROM card WHERE matter_id = [id]"),
        {"ref": "[ref]", "seq": 7},
    ),
)
