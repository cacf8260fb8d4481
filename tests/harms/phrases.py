"""Harms to phrases. What `[ref]` and its like stand for says tests/harms."""

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
)
