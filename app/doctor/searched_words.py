"""Invariant of search: each case that may be found is, and nothing of a sealed or erased case is kept for it."""

from typing import Final

from sqlalchemy import text

from app.cases.models import ERASED
from app.doctor.invariant import AMONG, Invariant, Reach

_FOUND: Final = text(f"""
SELECT g.ref, w.matter_id IS NOT NULL AS searched, NOT g.sealed AND g.title <> '{ERASED}' AS to_be
FROM grievance g LEFT JOIN searched_words w ON w.matter_id = g.id
WHERE g.id = {AMONG}
  AND ((w.matter_id IS NOT NULL) <> (NOT g.sealed AND g.title <> '{ERASED}') OR w.county_id <> g.county_id)
ORDER BY g.id LIMIT :most
""")  # noqa: S608 - constants of ours

SEARCHED_WORDS: Final = Invariant(
    1,
    "cases_are_found_by_their_words",
    "未密封、未删除的事件都能按字词找到，密封和已删除的没有留下供查找的字",
    "the case `ref` is kept for the search where `to_be` is false, or not kept where it is true, or kept for another county",
    Reach.CASES,
    _FOUND,
)
