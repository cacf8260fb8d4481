"""Harms to phrases and to what cases are found by. What `[ref]` and its like stand for says tests/harms."""

from typing import Final

from tests.harms.harm import Harm

HARMS: Final[tuple[Harm, ...]] = (
    (
        "phrases_are_bounded",
        (
            """INSERT INTO phrase (id, unit_id, words, created_at)
            SELECT gen_random_uuid(), g.holder_unit_id, '常用语', now() FROM grievance g, generate_series(1, 51) WHERE g.id = [id]""",
        ),
        {"phrases": 51},
    ),
    (
        "cases_are_found_by_their_words",
        ("DELETE FROM searched_words WHERE matter_id = [id]",),
        {"ref": "[ref]", "searched": False, "to_be": True},
    ),
    (
        "cases_are_found_by_their_words",
        ("UPDATE grievance SET title = '（已删除）' WHERE id = [id]",),
        {"ref": "[ref]", "searched": True, "to_be": False},
    ),
)
