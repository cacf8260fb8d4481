"""What a case is found by when people search: each letter of what was reported and each pair of neighbours, as numbers.

Traditional letters, width, case, spaces and punctuation do not count. The row holds no text, goes when the case is erased, and
is never there for a sealed case: of it no search tells anything, by no result, count or time.
"""

import zlib
from functools import lru_cache
from typing import ClassVar, Final
from uuid import UUID

from sqlalchemy import ARRAY, Index, Integer
from sqlmodel import Field

from app.cases.similar_reports import fold, pairs
from app.db.row_base import Stored

# Of a longer text the beginning is searched.
SEARCHED: Final = 2000
_HALF, _WHOLE = 2**31, 2**32


class SearchedWords(Stored, table=True):
    """Of a case that is not sealed."""

    __tablename__ = "searched_words"
    __table_args__ = (
        Index("searched_words_by_letters", "letters", postgresql_using="gin"),
        Index("searched_words_by_county", "county_id", "matter_id"),
    )
    KEY: ClassVar[tuple[str, ...]] = ("matter_id",)

    matter_id: UUID = Field(primary_key=True, foreign_key="matter.id")
    county_id: int = Field(foreign_key="unit.id")
    letters: list[int] = Field(sa_type=ARRAY(Integer))


def letters_of(text: str) -> list[int]:
    """The numbers of what the text consists of, each once, in order. Two pairs may share a number: whoever finds compares."""
    plain = fold(text[:SEARCHED])
    found = set(map(ord, plain))
    if len(plain) > 1:
        found.update(map(_number, pairs(plain)))
    return sorted(found)


def told_text(title: str, body: str | None, place: str | None) -> str:
    """What of a report is searched."""
    return " ".join(filter(None, (title, body, place)))


def letters_of_word(word: str) -> list[int]:
    """What a text that contains the folded word has at least. `word` has one letter or more."""
    return [ord(word)] if len(word) == 1 else sorted(map(_number, pairs(word)))


@lru_cache(maxsize=50_000)
def _number(pair: str) -> int:
    """As PostgreSQL's integer."""
    return (zlib.crc32(pair.encode()) + _HALF) % _WHOLE - _HALF
