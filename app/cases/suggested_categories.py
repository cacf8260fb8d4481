"""Suggested categories for a report, from the county's own cases and from what is shipped. A hint: it decides and writes nothing."""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from app.auth.actor import StaffActor
from app.cases.category_words import CategoryWords, Ranking
from app.cases.similar_reports import fold, pairs
from app.db import Transaction
from app.db.query import Query
from app.matters.visibility import VISIBLE_TO_STAFF, viewer

MOST: Final = 3
SHIPPED: Final = Path(__file__).parent / "data" / "category_words.json"
# The newest cases with a category that the asker may see.
_LEARNED: Final = 600
_COMPARED: Final = 400


class _Listed(Struct, frozen=True):
    """A category that may be chosen, with the first-level one that it is or belongs to."""

    id: int
    name: str
    path: str
    first: str


class _Categorised(Struct, frozen=True):
    """A case of a first-level category; no text once erased."""

    first: str
    title: str
    told: str | None


class SuggestedCategory(Struct, frozen=True):
    """A category, and the letters of the report that speak for it."""

    id: int
    path: str
    why: tuple[str, ...]


class _Shipped(Struct, frozen=True):
    reports: dict[str, int]
    pairs: dict[str, dict[str, int]]


_LISTED_ONES: Final = Query(
    _Listed,
    "SELECT id, name, path, split_part(path, '/', 1) AS first FROM category WHERE active ORDER BY path",
)
_CATEGORISED: Final = Query(
    _Categorised,
    f"""
SELECT split_part(k.path, '/', 1) AS first, c.title, left(x.text, {_COMPARED}) AS told FROM (
  SELECT c.id, c.title, c.category_id FROM grievance c
  WHERE c.county_id = :county_id AND c.category_id IS NOT NULL AND NOT c.sealed AND {VISIBLE_TO_STAFF}
  ORDER BY c.id DESC LIMIT {_LEARNED}
) c JOIN category k ON k.id = c.category_id
LEFT JOIN record_text x ON (x.matter_id, x.seq, x.field) = (c.id, 1, 'body')
""",  # noqa: S608 - constants of ours
)


@cache
def read_words() -> CategoryWords:
    """What is shipped, learned from messages to another government."""
    told = msgspec.json.decode(SHIPPED.read_bytes(), type=_Shipped)
    return CategoryWords(
        {name: Counter(counts) for name, counts in told.pairs.items()}, Counter(told.reports)
    )


@dataclass(frozen=True, slots=True)
class _Learned:
    """What the cases that some people may see, and what is shipped, say of the categories; `at` by the process's clock."""

    at: float
    ranking: Ranking
    names: dict[str, list[_Listed]]


# Seconds. A case is soon enough heard of when the next hour's reports come.
KEPT_FOR = 600.0
_MOST_KEPT: Final = 64
# For those who look over a county by the county; for all others by their unit, which sees less. Holds no text.
_kept: Final[OrderedDict[tuple[int | None, int | None, bool], _Learned]] = OrderedDict()


async def suggest_categories(
    tx: Transaction, title: str, body: str, *, by: StaffActor
) -> list[SuggestedCategory]:
    """At most three, of different first-level categories, the likeliest first. Within each the name that the report has most of.

    Empty where the report has nothing in common with any.
    """
    known = await _learned(tx, by)
    told = pairs(fold(f"{title} {body}"))
    found = [
        (_nearest(known.names[name], told), why) for name, why in known.ranking.rank(title, body)
    ]
    return [SuggestedCategory(one.id, one.path, why) for one, why in found[:MOST] if why]


async def _learned(tx: Transaction, by: StaffActor) -> _Learned:
    key = (by.county_id, None if by.sees_county else by.unit_id, by.acts)
    known = _kept.get(key)
    if known is not None and time.monotonic() - known.at < KEPT_FOR:
        return known
    names: dict[str, list[_Listed]] = {}
    for each in await _LISTED_ONES.all(tx):
        names.setdefault(each.first, []).append(each)
    cases = await _CATEGORISED.all(tx, **viewer(by))
    ranking = await asyncio.to_thread(_learn, cases, names)
    known = _kept[key] = _Learned(time.monotonic(), ranking, names)
    _kept.move_to_end(key)
    while len(_kept) > _MOST_KEPT:
        _kept.popitem(last=False)
    return known


def _learn(cases: Sequence[_Categorised], names: dict[str, list[_Listed]]) -> Ranking:
    """Up to a tenth of a second."""
    words = CategoryWords()
    words.add(read_words())
    for one in cases:
        words.learn(one.first, one.title, one.told or "")
    return words.prepared({name: [one.name for one in below] for name, below in names.items()})


def _nearest(below: Sequence[_Listed], told: set[str]) -> _Listed:
    """The category whose name the report has most of; the first-level one where it has none. `below` has one or more."""

    def shared(one: _Listed) -> float:
        own = pairs(fold(one.name))
        return len(own & told) / len(own)

    found = max(below, key=shared)
    return found if shared(found) else min(below, key=_by_length)


def _by_length(one: _Listed) -> int:
    return len(one.path)
