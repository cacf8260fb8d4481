"""Open cases that tell something like a text that is being typed: for staff those nearby, for citizens their own. Writes nothing.

The words are compared here and not by an index: what is open in one village or township is little, and an index of words would
cost each new case more than the look-up saves (docs/adr/0054).
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from app.auth.actor import CitizenActor, StaffActor
from app.cases import known_words
from app.cases.shared_words import Alike, most_alike
from app.db import Transaction
from app.db.query import Query
from app.directory.queries import carried_on_by
from app.matters.visibility import VISIBLE_TO_STAFF, viewer

MOST: Final = 5
# So many of the village, of each other village of the township, and of what the township took in itself; the newest.
_OF_VILLAGE, _OF_EACH_BESIDE, _OF_TOWNSHIP = 60, 10, 30
_OPEN: Final = "c.phase IN ('pending', 'handling') AND NOT c.sealed"


class _Open(Struct, frozen=True):
    """An open case. Its title changes when it is erased."""

    id: UUID
    title: str
    ref: str
    received_at: datetime
    holder: str
    reporters: int


class SimilarCase(Struct, frozen=True):
    """A case, the number of its reporters, and the words that it shares with the typed text."""

    ref: str
    title: str
    received_at: datetime
    holder: str
    reporters: int
    why: tuple[str, ...]


_COLUMNS: Final = "c.id, c.title, c.ref, c.received_at, c.holder_unit_id"
# Of `c`, found by one of the statements below: who holds it, and how many cases are joined to it.
_SHOWN: Final = """c.id, c.title, c.ref, c.received_at, h.name AS holder, CAST(1 + (
  WITH RECURSIVE below AS (
    SELECT g.id FROM grievance g WHERE g.primary_id = c.id
    UNION
    SELECT g.id FROM below b JOIN grievance g ON g.primary_id = b.id
  ) SELECT count(*) FROM below) AS int) AS reporters"""


def _newest(where: str, most: int) -> str:
    return f"""(SELECT {_COLUMNS} FROM grievance c
   WHERE {where} AND {_OPEN} AND {VISIBLE_TO_STAFF} ORDER BY c.id DESC LIMIT {most})"""  # noqa: S608 - constants of ours


# The area is a village, with the others of its township, or a township. A case that a township took in itself has no village;
# it is found while the township judges it.
_NEARBY: Final = Query(
    _Open,
    f"""
WITH area AS (
  SELECT u.id, CASE WHEN u.kind = 'village' THEN u.parent_id ELSE u.id END AS township_id
  FROM unit u WHERE u.id = {carried_on_by("code = :code")} AND u.kind IN ('village', 'township')
), found AS (
  SELECT n.* FROM area CROSS JOIN LATERAL {_newest("c.village_id = area.id", _OF_VILLAGE)} n
  UNION ALL
  SELECT n.* FROM area JOIN unit v ON v.parent_id = area.township_id AND v.kind = 'village' AND v.id <> area.id
  CROSS JOIN LATERAL {_newest("c.village_id = v.id", _OF_EACH_BESIDE)} n
  UNION ALL
  SELECT n.* FROM area CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM grievance c
    WHERE c.holder_unit_id = area.township_id AND c.phase = 'pending' AND NOT c.sealed AND c.village_id IS NULL AND {VISIBLE_TO_STAFF}
    ORDER BY c.stage_due_at DESC, c.id DESC LIMIT {_OF_TOWNSHIP}) n
)
SELECT {_SHOWN} FROM found c JOIN unit h ON h.id = c.holder_unit_id
""",  # noqa: S608 - constants of ours
)
_OWN: Final = Query(
    _Open,
    f"""
SELECT {_SHOWN} FROM grievance c JOIN unit h ON h.id = c.holder_unit_id
WHERE c.citizen_id = :citizen_id AND c.county_id = (SELECT county_id FROM unit WHERE code = :code) AND {_OPEN}
ORDER BY c.id DESC LIMIT {_OF_VILLAGE}
""",  # noqa: S608 - constants of ours
)


async def nearby(
    tx: Transaction, text: str, *, code: str | None, by: StaffActor
) -> list[SimilarCase]:
    """Of the village or township with this code, or of the asker's own, those that the asker may see; the most alike first."""
    found = await _NEARBY.all(tx, code=code or by.unit_code, **viewer(by))
    return await _alike(tx, text, found)


async def own(tx: Transaction, text: str, *, code: str, by: CitizenActor) -> list[SimilarCase]:
    """Those that the citizen has reported in the county of the unit with this code."""
    return await _alike(tx, text, await _OWN.all(tx, citizen_id=by.citizen_id, code=code))


async def _alike(tx: Transaction, text: str, found: list[_Open]) -> list[SimilarCase]:
    return [
        _similar(one)
        for one in most_alike(text, await known_words.pairs_of_cases(tx, found), most=MOST)
    ]


def _similar(alike: Alike[_Open]) -> SimilarCase:
    case = alike.key
    return SimilarCase(
        case.ref, case.title, case.received_at, case.holder, case.reporters, alike.words
    )
