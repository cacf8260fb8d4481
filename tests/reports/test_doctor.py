"""Each invariant of month ends: the harm done past every guard is named; without it nothing is."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.cases.actions import judging
from app.db import OWNER
from app.doctor.examining import examine
from tests.harms import MONTH_HARMS
from tests.reports.conftest import CLOSING_DAY, JUNE, Books, june

_UNGUARDED = text("SET LOCAL session_replication_role = replica")
_EVERY = 10_000


async def found(books: Books, invariant: str) -> list[dict[str, Any]]:
    """As of a few days after the month was locked."""
    books.tx.began(JUNE.cutoff(CLOSING_DAY) + timedelta(days=5))
    findings = await examine(books.tx, quick=True, most=_EVERY)
    (own,) = [one for one in findings if one.invariant.name == invariant]
    return own.offenders


@pytest.fixture
async def month(books: Books) -> Books:
    """Eleven evaluations, which are released, and a card."""
    for number, says in enumerate(("满意", "基本满意", "不满意", *["满意"] * 8)):
        await books.solved(june(2 + number), june(3 + number, 16), says=says)
    late = await books.told(june(2))
    await books.does(judging.handle, late, june(2, 12), "gongnong")
    await books.locked()
    await books.tx.act_as(OWNER)
    await books.tx.execute(_UNGUARDED)
    return books


@pytest.mark.parametrize(("invariant", "harm", "expected"), MONTH_HARMS)
async def test_each_harm_to_a_locked_month_is_named(
    month: Books, invariant: str, harm: tuple[str, ...], expected: dict[str, Any]
) -> None:
    village = (await month.who("gongnong")).unit_id
    wanted = {name: village if value == "[unit_id]" else value for name, value in expected.items()}
    assert await found(month, invariant) == []
    await month.tx.act_as(OWNER)
    for statement in harm:
        assert await month.tx.execute(text(statement)) > 0
    offenders = await found(month, invariant)
    assert any(
        wanted.items() <= {name: _plain(value) for name, value in one.items()}.items()
        for one in offenders
    ), offenders


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, date) else value
