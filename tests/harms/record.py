"""Harms to the record of a case. What `[ref]` and its like stand for says tests/harms."""

from typing import Final

from tests.harms.harm import Harm

HARMS: Final[tuple[Harm, ...]] = (
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
)
