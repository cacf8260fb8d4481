"""A county of its own for each test, without a calendar, gone with the test's transaction."""

import itertools

import pytest_asyncio
from sqlalchemy import text

from app.db import ORDINARY, OWNER, Transaction

_NEW = text("""
WITH made AS (
  INSERT INTO unit (code, name, short_name, kind, valid_from, head_approves)
  VALUES (:code, '新县', '新县', 'county', DATE '2016-01-01', false) RETURNING id
) SELECT id FROM made
""")
_OWN = text("UPDATE unit SET county_id = id WHERE id = :id")
_numbers = itertools.count(900001)


@pytest_asyncio.fixture
async def county_id(tx: Transaction) -> int:
    made: int = await tx.scalar(_NEW, code=str(next(_numbers)))
    await tx.act_as(OWNER)
    await tx.execute(_OWN, id=made)
    await tx.act_as(ORDINARY)
    return made
