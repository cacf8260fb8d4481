"""Invariants of stored phrases: at most the allowed number for each person and unit."""

from typing import Final

from sqlalchemy import text

from app.doctor.invariant import Invariant, Reach
from app.phrases import MOST

_BOUNDED: Final = text(f"""
SELECT unit_id, staff_id, count(*) AS phrases FROM phrase GROUP BY unit_id, staff_id HAVING count(*) > {MOST}
ORDER BY unit_id, staff_id LIMIT :most
""")  # noqa: S608 - a constant of ours

PHRASES: Final = Invariant(
    1,
    "phrases_are_bounded",
    "每个单位、每个人的常用语不超过规定的条数",
    "the unit `unit_id` or the person `staff_id` has `phrases` phrases",
    Reach.WHOLE,
    _BOUNDED,
)
