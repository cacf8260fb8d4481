"""The view matter_facts costs what the tables of the kinds cost, and finds rows by their indexes."""

from uuid import UUID

import pytest
from sqlalchemy import text

from app.db import Transaction
from tests.matters.note import migration

_VALUE = UUID(int=1)
_EXPLAIN = "EXPLAIN SELECT title FROM {} c WHERE {} = CAST(:value AS uuid)"


async def _plan(tx: Transaction, table: str, column: str) -> list[str]:
    rows = await tx.all(text(_EXPLAIN.format(table, column)), value=_VALUE)
    # Inside the view the table has no alias.
    return [row[0].replace("grievance c ", "grievance ") for row in rows]


@pytest.mark.parametrize("column", ["id", "citizen_id", "primary_id"])
async def test_view_with_one_kind_has_the_plan_of_its_table(tx: Transaction, column: str) -> None:
    through_view = await _plan(tx, "matter_facts", column)
    assert through_view == await _plan(tx, "grievance", column)
    assert f"Index Cond: ({column} = " in "\n".join(through_view)


async def test_view_with_two_kinds_uses_the_index_of_each(tx: Transaction) -> None:
    await migration.upgrade(tx)
    plan = "\n".join(await _plan(tx, "matter_facts", "id"))
    # The statistics decide which index, and which kind of scan; but each branch looks up the condition.
    assert plan.count("Index Cond: (id = ") == 2
    assert "Seq Scan" not in plan
