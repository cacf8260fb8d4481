"""Letter pairs of cases, cached in the process for repeated comparison. Holds no text."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection
from typing import Final, Protocol, TypeVar
from uuid import UUID

from msgspec import Struct

from app.cases.shared_words import Pairs, pairs_of
from app.db import Transaction
from app.db.query import Query

# The beginning of a long text tells what it is about.
_COMPARED: Final = 120
_REMEMBERED: Final = 5000
# Between so many others are served: a text takes about a tenth of a millisecond.
_AT_ONCE: Final = 20


class Titled(Protocol):
    """A case that the asker may see. Erasing the case changes the title."""

    @property
    def id(self) -> UUID: ...
    @property
    def title(self) -> str: ...


Case = TypeVar("Case", bound=Titled)


class _Told(Struct, frozen=True):
    """The beginning of a case's text, and its place; None once erased."""

    id: UUID
    told: str | None


# Only for cases that another statement has found for the same person.
_TOLD: Final = Query(
    _Told,
    f"""
SELECT x.matter_id AS id, string_agg(left(x.text, {_COMPARED}), ' ' ORDER BY x.field) AS told FROM record_text x
WHERE x.matter_id = ANY(CAST(:ids AS uuid[])) AND x.seq = 1 AND x.field IN ('body', 'place') GROUP BY x.matter_id
""",  # noqa: S608 - constants of ours
)
# The key holds the title: erasing a case changes it, so the cached pairs are no longer found.
_known: Final[OrderedDict[tuple[UUID, str], Pairs]] = OrderedDict()


async def text_of(tx: Transaction, case: Titled) -> str:
    """The part of a case that is compared: its title, and the beginning of its text."""
    told = await _TOLD.all(tx, ids=[case.id])
    return f"{case.title} {(told[0].told if told else None) or ''}"


async def pairs_of_cases(tx: Transaction, cases: Collection[Case]) -> dict[Case, Pairs]:
    """The pairs of each case. One statement reads all cases that are not in the cache."""
    missing = [one for one in cases if (one.id, one.title) not in _known]
    if missing:
        ids = [one.id for one in missing]
        told = {one.id: one.told for one in await _TOLD.all(tx, ids=ids)}
        for number, one in enumerate(missing):
            _known[one.id, one.title] = pairs_of(f"{one.title} {told.get(one.id) or ''}")
            if number % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
    found = {one: _known[one.id, one.title] for one in cases}
    while len(_known) > _REMEMBERED:
        _known.popitem(last=False)
    return found
