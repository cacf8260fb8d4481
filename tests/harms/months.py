"""Harms to a month that is locked; `now` is a few days later. Played in tests/reports."""

from typing import Final

from tests.harms.harm import Harm

MONTH_HARMS: Final[tuple[Harm, ...]] = (
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
        {"measure": "evaluated", "locked": 11, "counted": 10},
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
        "late_readings_are_followed",
        (
            "UPDATE surveys.answer SET answered_at = '2025-07-12' WHERE value = 'dissatisfied'",
            "UPDATE surveys.reply r SET handled_at = a.answered_at, reading = a.value, handled_by_staff_id = (SELECT min(id) FROM staff) FROM surveys.answer a WHERE a.survey_id = r.survey_id AND a.value = 'dissatisfied'",
        ),
        {"month": "2025-06-01"},
    ),
    (
        "months_are_kept_up",
        ("UPDATE month_end SET month = '2025-03-01'",),
        {"last_month": "2025-03-01"},
    ),
)
