"""Statements that also run on a distributed database (Citus): constructs that it refuses stand in none of them.

Read by PostgreSQL's own grammar. What still stands is listed with the reason, and a listed statement that is gone fails.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

import pglast
import pytest
from pglast import ast
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlmodel import SQLModel

from app.db import Transaction
from app.db.row_base import Stored, write_statement
from tests.architecture.test_case_statements import statements

_DIALECT: Final = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
_STABLE: Final = frozenset(
    {"age", "date_part", "date_trunc", "extract", "make_interval", "now", "statement_timestamp", "to_char", "to_timestamp",
     "transaction_timestamp", "timezone"}
)  # fmt: skip
_STABLE_CASTS: Final = frozenset({"date", "interval", "time", "timestamptz"})
_NUMBER: Final = "A phone number, an address or an account that nobody registered has no row that could be locked."
# Statements that still have the construct, and why.
ADVISORY: Final = {
    "app.auth.limits._LOCK": _NUMBER,
    "app.directory.official_numbers._ALONE": "The ordinary role may not lock the table; two nodes meet in the unique index.",
    "app.evaluation.locking._ONE_AT_A_TIME": _NUMBER,
    "app.evaluation.locking._EACH": _NUMBER,
}
# Columns whose numbers a sequence of int gives, and why.
INT_IDENTITIES: Final = dict.fromkeys(
    ("category.id", "post.id", "staff.id", "unit.id"),
    "Other tables refer to it in 80 columns of int; only imports and administrators add rows, on one node.",
) | dict.fromkeys(
    ("limit_rule.id", "text_template.id"),
    "Only administrators add rows, on one node.",
)
_APPEND_ONLY: Final = (
    "Also refuses UPDATE and DELETE once per statement; made before the table could be distributed."
)
STATEMENT_GUARDS: Final = dict.fromkeys(
    ("ended_turn", "head_approval", "official_number_change"), _APPEND_ONLY
)
# The schema whose privileges keep evaluations from the ordinary role (docs/adr/0019).
_CONFIDENTIAL: Final = "surveys"


def _inside(node: object, *, but: tuple[str, ...] = ()) -> Iterator[Any]:
    """The node and all below it, without the slots `but` of the node itself."""
    if isinstance(node, tuple):
        for one in node:
            yield from _inside(one)
    elif isinstance(node, ast.Node):
        yield node
        for slot in node:
            if slot not in but:
                yield from _inside(getattr(node, slot))


def _last(names: Any) -> str:
    return str(names[-1].sval)


def _is_stable(node: Any) -> bool:
    if isinstance(node, ast.SQLValueFunction):
        return True
    if isinstance(node, ast.FuncCall):
        return _last(node.funcname) in _STABLE
    if isinstance(node, ast.TypeCast) and node.typeName is not None:
        kind = _last(node.typeName.names)
        # A bind or a constant by itself is computed before the statement is sent to a node.
        alone = isinstance(node.arg, ast.ParamRef | ast.A_Const) and kind != "interval"
        return kind in _STABLE_CASTS and not alone
    return False


def _written(node: Any) -> Iterator[Any]:
    """What a statement that writes computes itself: in SET, DO UPDATE, and CASE or coalesce of its conditions."""
    if isinstance(node, ast.UpdateStmt | ast.OnConflictClause | ast.MergeWhenClause):
        yield from node.targetList or ()
    if isinstance(node, ast.UpdateStmt | ast.DeleteStmt | ast.OnConflictClause):
        for one in _inside(node.whereClause):
            if isinstance(one, ast.CaseExpr | ast.CoalesceExpr):
                yield one


def stable_in_written(tree: Any) -> bool:
    return any(
        _is_stable(below)
        for node in _inside(tree)
        for computed in _written(node)
        for below in _inside(computed)
    )


def current_date(tree: Any) -> bool:
    return any(isinstance(node, ast.SQLValueFunction) for node in _inside(tree))


def subquery_in_returning(tree: Any) -> bool:
    return any(
        isinstance(below, ast.SubLink)
        for node in _inside(tree)
        if isinstance(node, ast.InsertStmt)
        for below in _inside(node.returningClause)
    )


def columns_of_cte(tree: Any) -> bool:
    return any(
        isinstance(node, ast.CommonTableExpr) and bool(node.aliascolnames) for node in _inside(tree)
    )


def temporary_table(tree: Any) -> bool:
    return any(
        isinstance(node, ast.RangeVar) and node.relpersistence == "t" for node in _inside(tree)
    )


def advisory_lock(tree: Any) -> bool:
    return any(
        isinstance(node, ast.FuncCall) and "advisory" in _last(node.funcname)
        for node in _inside(tree)
    )


def other_schema(tree: Any) -> bool:
    """Tables of another schema than the one that the connection works in."""
    return any(
        isinstance(node, ast.RangeVar) and node.schemaname not in (None, _CONFIDENTIAL)
        for node in _inside(tree)
    )


RULES: Final[dict[Callable[[Any], bool], dict[str, str]]] = {
    stable_in_written: {},
    current_date: {},
    subquery_in_returning: {},
    columns_of_cte: {},
    temporary_table: {},
    advisory_lock: ADVISORY,
    other_schema: {},
}
BAD: Final = (
    (stable_in_written, "UPDATE card SET revoked_at = now() WHERE id = :id"),
    (stable_in_written, "UPDATE post SET valid_to = CURRENT_DATE WHERE id = :id"),
    (stable_in_written, "UPDATE outbox_message SET due_at = due_at + interval '1 day' WHERE id = :id"),
    (stable_in_written, "UPDATE outbox_message SET due_at = due_at + make_interval(secs => 1) WHERE id = :id"),
    (stable_in_written, "UPDATE outbox_message SET due_at = due_at + CAST(:pause AS interval) WHERE id = :id"),
    (stable_in_written, "UPDATE unit SET name = to_char(valid_from, 'YYYY') WHERE id = :id"),
    (stable_in_written, "UPDATE post SET valid_to = CAST(moved_at AS date) WHERE id = :id"),
    (stable_in_written, "UPDATE card SET reason = CASE WHEN issued_at < now() THEN 'late' END WHERE id = :id"),
    (stable_in_written, "UPDATE card SET reason = 'late' WHERE CASE WHEN issued_at < now() THEN true END"),
    (stable_in_written, "DELETE FROM texted WHERE coalesce(at, now()) < :before"),
    (stable_in_written, "INSERT INTO sweep_pulse (id, swept_at) VALUES (1, now()) ON CONFLICT (id) DO UPDATE SET swept_at = now()"),
    (stable_in_written, "WITH done AS (UPDATE card SET revoked_at = now() RETURNING id) SELECT id FROM done"),
    (current_date, "SELECT id FROM post WHERE valid_from <= CURRENT_DATE"),
    (current_date, "SELECT CURRENT_TIMESTAMP"),
    (subquery_in_returning, "INSERT INTO unit (code) VALUES (:code) RETURNING (SELECT max(id) FROM unit)"),
    (columns_of_cte, "WITH fact(unit_id) AS (SELECT id FROM unit) SELECT unit_id FROM fact"),
    (temporary_table, "CREATE TEMPORARY TABLE listed (line int)"),
    (temporary_table, "CREATE TEMP TABLE fresh AS SELECT 1 AS one"),
    (advisory_lock, "SELECT pg_try_advisory_xact_lock(:key)"),
    (other_schema, "SELECT id FROM public.unit"),
)  # fmt: skip
GOOD: Final = (
    "WITH at AS (SELECT now() AS moment) UPDATE card SET revoked_at = at.moment FROM at WHERE id = :id",
    "INSERT INTO sweep_pulse (id, swept_at) VALUES (1, now()) ON CONFLICT (id) DO UPDATE SET swept_at = EXCLUDED.swept_at",
    "UPDATE post SET valid_to = greatest(valid_from, CAST(:last_day AS date)) WHERE id = :id",
    "SELECT CASE WHEN due_at < now() THEN 1 END FROM outbox_message",
    "SELECT id FROM surveys.survey",
)


@cache
def _parsed(sql: str) -> Any:
    return pglast.parse_sql(text(sql).compile(dialect=_DIALECT).string)


EVERY: Final = dict(statements())


@pytest.mark.parametrize(("rule", "sql"), BAD)
def test_rule_finds_its_construct(rule: Callable[[Any], bool], sql: str) -> None:
    assert rule(_parsed(sql))


@pytest.mark.parametrize("sql", GOOD)
def test_rules_find_nothing_in_a_portable_statement(sql: str) -> None:
    assert [rule.__name__ for rule in RULES if rule(_parsed(sql))] == []


@pytest.mark.parametrize("rule", RULES)
def test_no_statement_has_a_construct_that_a_distributed_database_refuses(
    rule: Callable[[Any], bool],
) -> None:
    assert {name for name, sql in EVERY.items() if rule(_parsed(sql))} == set(RULES[rule])


def test_statement_that_binds_the_moment_asks_the_clock_for_no_other() -> None:
    """One moment decides: the one that the transaction binds as `:now`, or its day as `:today`."""
    assert [
        name
        for name, sql in EVERY.items()
        if re.search(r":(now|today)\b", sql) and re.search(r"\bnow\(\)|clock_timestamp\(\)|:shift\b", sql)
    ] == []  # fmt: skip


def test_one_statement_writes_in_the_order_of_foreign_keys() -> None:
    """A distributed database sends its parts one after the other: a row that others refer to goes first."""
    order = [table.fullname for table in SQLModel.metadata.sorted_tables]
    known = [one for one in _tables(Stored) if one.CHANGING and one.metadata is SQLModel.metadata]
    kinds = sorted(known, key=lambda kind: kind.__name__)
    assert len(kinds) > 10
    for parts in (tuple(kinds), tuple(reversed(kinds))):
        written = re.findall(r"INSERT INTO ([\w.]+)", write_statement(parts, ()).text)
        assert written == sorted(written, key=order.index)
        changed = re.findall(r"UPDATE ([\w.]+)", write_statement((), parts).text)
        assert changed == sorted(changed, key=order.index)


def _tables(kind: type[Stored]) -> Iterator[type[Stored]]:
    for below in kind.__subclasses__():
        if hasattr(below, "__table__"):
            yield below
        yield from _tables(below)


async def test_numbers_given_by_the_database_are_bigint(tx: Transaction) -> None:
    found = await tx.all(
        text("""
SELECT table_name || '.' || column_name AS name FROM information_schema.columns
WHERE (is_identity = 'YES' OR column_default LIKE 'nextval%') AND data_type <> 'bigint' AND table_schema IN ('public', 'surveys')""")
    )
    assert {row.name for row in found} == set(INT_IDENTITIES)


async def test_guards_are_asked_for_each_row(tx: Transaction) -> None:
    """TRUNCATE has no rows: its guard is asked once, and does nothing else."""
    found = await tx.all(
        text("""
SELECT CAST(t.tgrelid AS regclass) AS name FROM pg_trigger t
WHERE NOT t.tgisinternal AND CAST(t.tgtype AS int) & 1 = 0 AND CAST(t.tgtype AS int) & (4 | 8 | 16) <> 0""")
    )
    assert {str(row.name) for row in found} == set(STATEMENT_GUARDS)
