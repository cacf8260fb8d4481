"""Numbers of open cases by township, and within a township by village, for leaders, dispatchers and supervisors.

A number is the length of the county's list of that place. Sealed cases are in no number.
"""

from typing import Final

from msgspec import Struct

from app.auth.actor import StaffActor
from app.cases import access
from app.db import Transaction
from app.db.query import Query
from app.directory.terms import UnitKind
from app.errors import InvalidInput
from app.matters.visibility import VISIBLE_TO_STAFF, viewer


class Area(Struct, frozen=True):
    """A township or a village. Among its own villages, a township stands for the cases that name no village."""

    code: str
    name: str
    kind: UnitKind
    open: int
    overdue: int
    urgent: int
    listed: int


# The place of a case is its village; without one, the unit that took it in.
_OPEN: Final = f"""open AS (
  SELECT coalesce(c.village_id, c.first_unit_id) AS place_id, count(*) AS open,
    count(*) FILTER (WHERE c.waiting IS NULL AND c.stage_due_at < :now) AS overdue,
    count(*) FILTER (WHERE c.urgent) AS urgent, count(*) FILTER (WHERE c.listed_at IS NOT NULL) AS listed
  FROM grievance c
  WHERE c.county_id = :county_id AND c.phase IN ('pending', 'handling') AND NOT c.sealed AND {VISIBLE_TO_STAFF}
  GROUP BY coalesce(c.village_id, c.first_unit_id)
)"""  # noqa: S608 - constants of ours
_SUMS: Final = ", ".join(
    f"CAST(coalesce(sum(o.{name}), 0) AS int) AS {name}"
    for name in ("open", "overdue", "urgent", "listed")
)
# A unit that ended stays in the list until its last case is closed.
_STILL_THERE: Final = "a.valid_to IS NULL OR a.valid_to >= CAST(:today AS date)"
_TOWNSHIPS: Final = Query(
    Area,
    f"""
WITH {_OPEN}
SELECT a.code, a.name, a.kind, {_SUMS}
FROM unit a JOIN unit p ON p.id = a.id OR (p.parent_id = a.id AND p.kind = 'village') LEFT JOIN open o ON o.place_id = p.id
WHERE a.county_id = :county_id AND a.kind = 'township'
GROUP BY a.id HAVING {_STILL_THERE} OR sum(o.open) > 0 ORDER BY a.code
""",  # noqa: S608 - constants of ours
)
_VILLAGES: Final = Query(
    Area,
    f"""
WITH {_OPEN}
SELECT a.code, a.name, a.kind, {_SUMS}
FROM unit w JOIN unit a ON a.id = w.id OR (a.parent_id = w.id AND a.kind = 'village') LEFT JOIN open o ON o.place_id = a.id
WHERE w.code = :within AND w.county_id = :county_id AND w.kind = 'township'
GROUP BY a.id HAVING {_STILL_THERE} OR sum(o.open) > 0 ORDER BY a.kind, a.code
""",  # noqa: S608 - constants of ours
)


async def count_by_area(tx: Transaction, *, within: str | None, by: StaffActor) -> list[Area]:
    """Counts for each township; with `within`, for that township and its villages. One statement, which reads the open cases.

    Raises NotPermitted for posts without the county's view, InvalidInput where `within` is no township of the county.
    """
    access.require_county_view(by)
    if within is None:
        return await _TOWNSHIPS.all(tx, **viewer(by))
    found = await _VILLAGES.all(tx, within=within, **viewer(by))
    if not found:
        raise InvalidInput(mistakes=[{"where": "query.within", "what": "没有这个镇街，请重新选择"}])
    return found
