"""Harms to the record of a case. What `[ref]` and its like stand for says tests/harms."""

from typing import Final

from tests.harms.harm import Harm

HARMS: Final[tuple[Harm, ...]] = (
    (
        "events_without_gap",
        ("DELETE FROM record_entry WHERE matter_id = [id] AND seq = 3",),
        {"ref": "[ref]", "entries": 8, "head_seq": 9},
    ),
    (
        "events_without_gap",
        ("DELETE FROM record_entry WHERE matter_id = [id] AND seq = 9",),
        {"ref": "[ref]", "highest": 8},
    ),
    (
        "events_without_gap",
        ("DELETE FROM record_entry WHERE matter_id = [id]",),
        {"ref": "[ref]", "entries": 0},
    ),
    (
        "events_without_gap",
        ("UPDATE matter SET head_hash = 'another' WHERE id = [id]",),
        {"ref": "[ref]", "head_fits": False},
    ),
    ("record_has_its_matter", ("DELETE FROM matter WHERE id = [id]",), {"matter_id": "[id]"}),
    (
        "matter_is_its_kinds",
        ("DELETE FROM grievance WHERE id = [id]",),
        {"ref": "[ref]", "kind": "grievance", "there": False},
    ),
    (
        "matter_is_its_kinds",
        ("UPDATE matter SET sealed = true WHERE id = [id]",),
        {"ref": "[ref]", "there": True},
    ),
    (
        "records_verify",
        (
            "UPDATE record_entry SET body = replace(body, 'escalate', 'decline') WHERE matter_id = [id] AND seq = 2",
        ),
        {"ref": "[ref]", "seq": 2},
    ),
    (
        "sealed_rows_hold",
        (
            "UPDATE citizen SET phone_key = 'another' WHERE id = (SELECT citizen_id FROM grievance WHERE id = [id])",
        ),
        {"table": "citizen"},
    ),
    (
        "evaluations_hold",
        (
            "UPDATE surveys.answer SET value = 'dissatisfied' WHERE survey_id IN (SELECT id FROM surveys.survey WHERE matter_id = [id])",
        ),
        {"table": "answer", "what": "与写入时不符"},
    ),
    (
        "attachments_hold",
        (
            """INSERT INTO attachment (id, staff_id, matter_id, media, width, height, size, created_at, digest, seal)
            SELECT gen_random_uuid(), id, [id], 'image/jpeg', 1, 1, 1, now(), '', '' FROM staff LIMIT 1""",
        ),
        {"table": "attachment", "what": "照片文件缺失"},
    ),
    (
        "records_verify",
        ("UPDATE grievance SET returns = 9 WHERE id = [id]",),
        {"ref": "[ref]", "what": "当前状态“returns”与记录推算不符"},
    ),
)
