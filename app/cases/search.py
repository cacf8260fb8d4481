"""Finds cases by words, by number, or by the reporter's telephone number, among those that the asker may see. Newest first.

Words are looked for in what was reported: title, text and place. What is sealed is found by nothing here.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from uuid import UUID

from msgspec import Struct

from app.auth.actor import StaffActor
from app.cases.county_lists import ASKED, Filter, binds_of
from app.cases.queries import NEWEST, listing_of
from app.cases.searched_words import SEARCHED, letters_of_word, told_text
from app.cases.similar_reports import fold
from app.db import Transaction
from app.db.query import Json, Query
from app.errors import InvalidInput
from app.matters.cursors import read_cursor
from app.matters.visibility import VISIBLE_TO_STAFF

MOST: Final = 50
OF_REPORTER: Final = 10
# So many of the newest cases are read one after the other; of the rest, the index finds what is rare.
NEWEST_READ = 1000
# Of them, so many with the words are looked at; filters may drop some.
LOOKED_AT = 200
_WORDS: Final = 8
_EXCERPT: Final = 60
_LAST: Final = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for: one of a case's number, a telephone number (its keyed digest), or words; and the filters.

    `finished` None: open and finished ones.
    """

    words: Sequence[str] = ()
    ref: str | None = None
    phone_key: bytes | None = None
    filter: Filter = field(default_factory=Filter)
    finished: bool | None = None

    @classmethod
    def split(cls, typed: str) -> tuple[str, ...]:
        """The words of a line, each once, in the form in which spellings are equal."""
        return tuple(dict.fromkeys(filter(None, map(fold, typed.split()))))[:_WORDS]


class Found(Struct, frozen=True):
    """A case with what was found in it: `marked` are the words as they stand in the title or in the excerpt."""

    item: dict[str, object]
    excerpt: str
    marked: list[str]


class FoundPage(Struct, frozen=True):
    """`next`: the cursor of the next page, or None."""

    items: list[Found]
    next: str | None


class _Id(Struct, frozen=True):
    id: UUID


# What two sources share: of `w`, rows of searched_words, and `c`, its case.
_HOLDS: Final = "w.letters @> CAST(:letters AS int[])"
_BEFORE: Final = "w.matter_id < CAST(:before_id AS uuid)"
_PAGE: Final = "ORDER BY c.id DESC LIMIT :size + 1"


def _by_words(newest: str) -> str:
    """`newest`: SQL that reads the newest rows of searched_words among which the asker's cases are.

    Frequent words fill the page from the newest cases. Then nothing else is read: the index of letters is asked only for what is
    rare there, below the `edge` down to which all were looked at. By itself the planner, which does not know the words, would go
    through all cases in their order.
    """
    return f"""
WITH newest AS MATERIALIZED (
  SELECT w.matter_id, {_HOLDS} AS holds FROM ({newest} LIMIT :newest) w
), candidates AS MATERIALIZED (
  SELECT matter_id FROM newest WHERE holds ORDER BY matter_id DESC LIMIT :looked
), near AS MATERIALIZED (
  SELECT c.id FROM (SELECT matter_id FROM candidates ORDER BY matter_id DESC) w
  JOIN grievance c ON c.id = w.matter_id WHERE {ASKED} ORDER BY w.matter_id DESC LIMIT :size + 1
), edge AS MATERIALIZED (
  SELECT CASE WHEN (SELECT count(*) FROM near) > :size THEN NULL
    WHEN (SELECT count(*) FROM candidates) = :looked THEN (SELECT matter_id FROM candidates ORDER BY matter_id LIMIT 1)
    WHEN (SELECT count(*) FROM newest) = :newest THEN (SELECT matter_id FROM newest ORDER BY matter_id LIMIT 1) END AS matter_id
), rare AS MATERIALIZED (
  SELECT w.matter_id, w.county_id FROM searched_words w WHERE (SELECT matter_id FROM edge) IS NOT NULL AND {_HOLDS}
), far AS (
  SELECT c.id FROM (
    SELECT matter_id FROM rare WHERE county_id = :county_id AND matter_id < (SELECT matter_id FROM edge) ORDER BY matter_id DESC) w
  JOIN grievance c ON c.id = w.matter_id WHERE {ASKED} ORDER BY w.matter_id DESC LIMIT :size + 1
)
SELECT c.id FROM (SELECT id FROM near UNION ALL SELECT id FROM far) c {_PAGE}
"""  # noqa: S608 - constants of ours


_COUNTY: Final = Query(
    _Id,
    _by_words(
        f"""SELECT w.matter_id, w.letters FROM searched_words w
  WHERE w.county_id = :county_id AND {_BEFORE} ORDER BY w.matter_id DESC"""  # noqa: S608 - constants of ours
    ),
)
_OF_UNIT: Final = Query(
    _Id,
    _by_words(
        """SELECT w.matter_id, w.letters FROM matter_party own JOIN searched_words w ON w.matter_id = own.matter_id
  WHERE own.unit_id = :unit_id AND own.matter_id < CAST(:before_id AS uuid) ORDER BY own.matter_id DESC"""
    ),
)
_BY_REF: Final = Query(
    _Id,
    f"SELECT c.id FROM grievance c WHERE c.ref = :ref AND NOT c.sealed AND c.id < CAST(:before_id AS uuid) AND {ASKED} {_PAGE}",  # noqa: S608
)
# Whoever may learn whose a confidential case is may find any case by its reporter: the command center, the unit that was asked
# first, and the one that entered it.
_BY_PHONE: Final = Query(
    _Id,
    f"""
SELECT c.id FROM grievance c
WHERE c.citizen_id = (SELECT id FROM citizen WHERE phone_key = :phone_key) AND NOT c.sealed AND c.id < CAST(:before_id AS uuid)
  AND (CAST(:dispatches AS boolean) OR :unit_id IN (c.first_unit_id, c.entered_by_unit_id)) AND {ASKED} {_PAGE}
""",  # noqa: S608 - constants of ours
)


# By the number of another case's reporter; of that case too the asker must be one who may learn whose it is.
_OF_REPORTER: Final = Query(
    _Id,
    f"""
SELECT c.id FROM grievance c
WHERE c.citizen_id = (
  SELECT c.citizen_id FROM grievance c WHERE c.ref = :ref AND NOT c.sealed
    AND (CAST(:dispatches AS boolean) OR :unit_id IN (c.first_unit_id, c.entered_by_unit_id)) AND {VISIBLE_TO_STAFF})
  AND c.ref <> :ref AND NOT c.sealed AND c.id < CAST(:before_id AS uuid)
  AND (CAST(:dispatches AS boolean) OR :unit_id IN (c.first_unit_id, c.entered_by_unit_id)) AND {ASKED} {_PAGE}
""",  # noqa: S608 - constants of ours
)


class _Shown(Struct, frozen=True):
    """A page as a list has it, and what each of its cases told."""

    page: Json[dict[str, list[dict[str, object]] | None]]
    told: Json[list[tuple[str, str, str | None, str | None]]]


_SHOWN: Final = Query(
    _Shown,
    f"""
SELECT CAST(({
        listing_of(
            f"SELECT c.* FROM grievance c WHERE c.id = ANY(CAST(:ids AS uuid[])) AND {VISIBLE_TO_STAFF}",
            **NEWEST,
        ).text
    }) AS json) AS page, (
  SELECT coalesce(json_agg(json_build_array(g.ref, g.title, b.text, p.text)), '[]') FROM grievance g
  LEFT JOIN record_text b ON (b.matter_id, b.seq, b.field) = (g.id, 1, 'body')
  LEFT JOIN record_text p ON (p.matter_id, p.seq, p.field) = (g.id, 1, 'place')
  WHERE g.id = ANY(CAST(:ids AS uuid[]))) AS told
""",  # noqa: S608 - constants of ours
)


async def of_same_reporter(tx: Transaction, ref: str, *, by: StaffActor) -> FoundPage:
    """The newest other cases reported with the same telephone number; none for those who may not learn whose the case is."""
    if not by.acts:
        return FoundPage([], None)
    binds = await binds_of(tx, Filter(), finished=None, by=by)
    rows = await _OF_REPORTER.all(
        tx, ref=ref, dispatches=by.dispatches, before_id=_LAST, size=OF_REPORTER, **binds
    )
    return await _page(tx, [row.id for row in rows], (), binds, size=OF_REPORTER)


async def search(
    tx: Transaction, asked: Asked, *, by: StaffActor, cursor: str | None, size: int = MOST
) -> FoundPage:
    """A page of what is found. Two statements, three where a filter names a unit, place or category.

    A page may have fewer than `size` cases though there is a next one. Raises InvalidInput for filters that name nothing, and
    where nothing is asked for.
    """
    _, before = read_cursor(cursor)
    binds = await binds_of(tx, asked.filter, finished=asked.finished, by=by)
    ids = await _ids(tx, asked, before or _LAST, binds, by=by, size=size)
    return await _page(tx, ids, asked.words, binds, size=size)


async def _page(
    tx: Transaction, ids: list[UUID], words: Sequence[str], binds: dict[str, object], *, size: int
) -> FoundPage:
    if not ids:
        return FoundPage([], None)
    shown = await _SHOWN.one(tx, ids=ids[:size], size=size, **binds)
    told = {ref: (title, told_text(title, body, place)) for ref, title, body, place in shown.told}
    items = [_found(item, *told[str(item["ref"])], words) for item in shown.page["items"] or ()]
    more = f"-~{ids[size - 1]}" if len(ids) > size else None
    return FoundPage([one for one in items if one is not None], more)


async def _ids(
    tx: Transaction,
    asked: Asked,
    before: UUID,
    binds: dict[str, object],
    *,
    by: StaffActor,
    size: int,
) -> list[UUID]:
    binds = {**binds, "before_id": before, "size": size}
    if asked.ref is not None:
        rows = await _BY_REF.all(tx, ref=asked.ref, **binds)
    elif asked.phone_key is not None:
        if not by.acts:
            return []
        rows = await _BY_PHONE.all(tx, phone_key=asked.phone_key, dispatches=by.dispatches, **binds)
    elif asked.words:
        letters = sorted({one for word in asked.words for one in letters_of_word(word)})
        query = _COUNTY if by.sees_county else _OF_UNIT
        rows = await query.all(tx, letters=letters, newest=NEWEST_READ, looked=LOOKED_AT, **binds)
    else:
        raise InvalidInput(
            mistakes=[{"where": "body.words", "what": "请写要找的字、编号或电话号码"}]
        )
    return [row.id for row in rows]


def _found(item: dict[str, object], title: str, told: str, words: Sequence[str]) -> Found | None:
    """None where the letters are there, and the word is not."""
    # Letters are folded one by one below: an accent must not stand apart from its letter.
    told = unicodedata.normalize("NFC", told)
    marked: dict[str, None] = {}
    begins: list[int] = []
    text = _Folded.of(told[:SEARCHED]) if words else None
    for word in words:
        places = text.places(word) if text is not None else []
        if not places:
            return None
        marked |= dict.fromkeys(told[begin:end] for begin, end in places)
        begins += [begin for begin, _ in places]
    return Found(item, _excerpt(title, told, begins), list(marked))


def _excerpt(title: str, told: str, begins: Sequence[int]) -> str:
    """The text around the first word after the title. A title that was taken from the text is not said twice."""
    after = len(title) + 1
    if told.startswith(title, after):
        after += len(title)
    first = min((one for one in begins if one >= after), default=0)
    begin = max(after, first - _EXCERPT // 4)
    words = " ".join(told[begin : begin + _EXCERPT].split()).lstrip("，。；、！？ ")
    if not words:
        return ""
    return f"{'…' if begin > after else ''}{words}{'…' if begin + _EXCERPT < len(told) else ''}"


@dataclass(frozen=True, slots=True)
class _Folded:
    """A text as it is compared, and for each of its letters where it stands in the text as it was written."""

    plain: str
    origins: list[int]

    @classmethod
    def of(cls, text: str) -> "_Folded":
        each = [_folded(letter) for letter in text]
        return cls("".join(each), [at for at, letters in enumerate(each) for _ in letters])

    def places(self, word: str) -> list[tuple[int, int]]:
        """Where the folded word stands in the text as it was written: from, to. At most a few."""
        found: list[tuple[int, int]] = []
        at = self.plain.find(word)
        while at >= 0 and len(found) < _WORDS:
            found.append((self.origins[at], self.origins[at + len(word) - 1] + 1))
            at = self.plain.find(word, at + len(word))
        return found


@lru_cache(maxsize=20_000)
def _folded(letter: str) -> str:
    return fold(letter)
