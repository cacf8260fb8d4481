"""Open cases that tell something like a text that is being typed: for staff those nearby, for citizens their own. Writes nothing.

The words are compared here and not by an index: what is open in one village or township is little, and an index of words would
cost each new case more than the look-up saves (docs/adr/0054).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from app.auth.actor import CitizenActor, StaffActor
from app.cases.shared_words import Alike, most_alike
from app.db import Transaction
from app.db.query import Query
from app.directory.queries import carried_on_by
from app.matters.visibility import VISIBLE_TO_STAFF, viewer

MOST: Final = 5
# So many of the village, and so many of the rest of the township, the newest first.
_OF_VILLAGE, _OF_TOWNSHIP = 100, 150
# The beginning of a long text tells what it is about.
_COMPARED: Final = 200
_OPEN: Final = "c.phase IN ('pending', 'handling') AND NOT c.sealed"


@dataclass(frozen=True, slots=True)
class _Words:
    """What a case tells; `told`, the beginning of its text and its place, is None once erased."""

    id: UUID
    title: str
    told: str | None


@dataclass(frozen=True, slots=True)
class _Shown:
    id: UUID
    ref: str
    title: str
    received_at: datetime
    holder: str
    reporters: int


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """A case, how many have reported it, and the words that it shares with what was typed."""

    ref: str
    title: str
    received_at: datetime
    holder: str
    reporters: int
    why: tuple[str, ...]


def _nearby(where: str, most: int) -> str:
    return f"""(SELECT c.id, c.title FROM grievance c
   WHERE {where} AND {_OPEN} AND {VISIBLE_TO_STAFF} ORDER BY c.id DESC LIMIT {most})"""  # noqa: S608 - constants of ours


def _told(case: str) -> str:
    return f"""(SELECT string_agg(left(x.text, {_COMPARED}), ' ' ORDER BY x.field) FROM record_text x
    WHERE x.matter_id = {case}.id AND x.seq = 1 AND x.field IN ('body', 'place'))"""  # noqa: S608 - constants of ours


# The area is a village, with the others of its township, or a township. A case that a township took in itself has no village;
# it is found while the township holds it.
_NEARBY: Final = Query(
    _Words,
    f"""
WITH area AS (
  SELECT u.id, CASE WHEN u.kind = 'village' THEN u.parent_id ELSE u.id END AS township_id
  FROM unit u WHERE u.id = {carried_on_by("code = :code")} AND u.kind IN ('village', 'township')
), beside AS (
  SELECT v.id FROM area JOIN unit v ON v.parent_id = area.township_id AND v.kind = 'village' AND v.id <> area.id
), found AS (
  {_nearby("c.village_id = (SELECT id FROM area)", _OF_VILLAGE)}
  UNION ALL
  {_nearby("c.village_id = ANY(ARRAY(SELECT id FROM beside))", _OF_TOWNSHIP)}
  UNION ALL
  {_nearby("c.holder_unit_id = (SELECT township_id FROM area) AND c.village_id IS NULL", _OF_VILLAGE)}
)
SELECT f.id, f.title, {_told("f")} AS told FROM found f
""",  # noqa: S608 - constants of ours
)
_OWN: Final = Query(
    _Words,
    f"""
SELECT c.id, c.title, {_told("c")} AS told FROM grievance c
WHERE c.citizen_id = :citizen_id AND c.county_id = (SELECT county_id FROM unit WHERE code = :code) AND {_OPEN} ORDER BY c.id DESC LIMIT {_OF_VILLAGE}
""",  # noqa: S608 - constants of ours
)
# Of cases that one of the two above has found for the same person.
_SHOWN: Final = Query(
    _Shown,
    """
SELECT c.id, c.ref, c.title, c.received_at, h.name AS holder, CAST(1 + (
  WITH RECURSIVE below AS (
    SELECT g.id FROM grievance g WHERE g.primary_id = c.id
    UNION
    SELECT g.id FROM below b JOIN grievance g ON g.primary_id = b.id
  ) SELECT count(*) FROM below) AS int) AS reporters
FROM grievance c JOIN unit h ON h.id = c.holder_unit_id WHERE c.id = ANY(CAST(:ids AS uuid[]))
""",
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


async def _alike(tx: Transaction, text: str, found: list[_Words]) -> list[SimilarCase]:
    told = {one.id: f"{one.title} {one.told or ''}" for one in found}
    alike = most_alike(text, told, most=MOST)
    if not alike:
        return []
    shown = {one.id: one for one in await _SHOWN.all(tx, ids=[one.key for one in alike])}
    return [_similar(one, shown[one.key]) for one in alike if one.key in shown]


def _similar(alike: Alike[UUID], shown: _Shown) -> SimilarCase:
    return SimilarCase(
        shown.ref, shown.title, shown.received_at, shown.holder, shown.reporters, alike.words
    )
