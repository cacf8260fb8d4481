"""Cards for tests: a case that was registered at some moment and whose first stage has run out. Knows no rule of the cards."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from app import clock
from app.cards import sweep
from app.db import reading, transaction
from tests.people import Person

_CLOCK = text("""
SELECT k.id, k.remind_at, k.due_at, k.yellow_at, k.red_at FROM clock k JOIN grievance c ON c.id = k.matter_id
WHERE c.ref = :ref AND k.stage = :stage ORDER BY k.started_at DESC LIMIT 1
""")
_CARDS = text("""
SELECT k.id FROM card k JOIN grievance c ON c.id = k.matter_id WHERE c.ref = :ref ORDER BY k.effective_at, k.id
""")


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """As if it were that moment, for this process."""
    with clock.moved(moment - datetime.now(UTC) - clock.shift()):
        yield


async def swept(ref: str, *, stage: str = "judge", level: str = "yellow") -> datetime:
    """The case's stage is looked at an hour after it has earned the card; returns that moment."""
    async with reading() as tx:
        found: Any = await tx.one_or_none(_CLOCK, ref=ref, stage=stage)
    moment: datetime = found[f"{level}_at"] + timedelta(hours=1)
    with at(moment):
        async with transaction() as tx:
            await sweep.issue(tx, await sweep.claim_one(tx, found.id))
    return moment


async def cards_of(ref: str) -> list[str]:
    """The ids of the case's cards, by when they took effect."""
    async with reading() as tx:
        return [str(row.id) for row in await tx.all(_CARDS, ref=ref)]


async def overdue(by: Person, registered: datetime, **different: Any) -> tuple[str, str, datetime]:
    """A case that nobody judged in time: its reference, its yellow card, and the moment at which that was issued."""
    with at(registered):
        ref = await by.registers(**different)
    issued = await swept(ref)
    (card,) = await cards_of(ref)
    return ref, card, issued


async def reminded(ref: str, *, stage: str = "judge") -> tuple[datetime, datetime]:
    """When one is reminded of the stage, and when it is due."""
    async with reading() as tx:
        found: Any = await tx.one_or_none(_CLOCK, ref=ref, stage=stage)
    return found.remind_at, found.due_at
