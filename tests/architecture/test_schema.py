"""What the migrations build is what the models say, also where `alembic check` does not look."""

# It reads neither what a CHECK lists, nor which rows a partial index holds, nor what a column gets by itself.
import re
from pathlib import Path

import pytest
from sqlalchemy import TextClause, create_mock_engine, text
from sqlalchemy.engine.mock import MockConnection
from sqlmodel import SQLModel

import app.tables  # noqa: F401 - so that every table is known
from app.db import OWNER, Database, Transaction, transaction

# As PostgreSQL itself writes them: only a difference in meaning is one. NOT NULL is told of the columns.
_CONSTRAINTS = text("""
SELECT t.oid::regclass || ' ' || c.conname AS name, pg_get_constraintdef(c.oid) AS definition
FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
WHERE t.relnamespace IN (CAST('public' AS regnamespace), CAST('surveys' AS regnamespace)) AND c.contype <> 'n'
""")
_INDEXES = text("""
SELECT tablename || ' ' || indexname AS name, indexdef AS definition FROM pg_indexes
WHERE schemaname IN ('public', 'surveys')
""")
_COLUMNS = text("""
SELECT t.oid::regclass || ' ' || a.attname AS name,
  concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid))
    AS definition
FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
WHERE t.relnamespace IN (CAST('public' AS regnamespace), CAST('surveys' AS regnamespace)) AND t.relkind IN ('r', 'p')
  AND a.attnum > 0 AND NOT a.attisdropped
""")
_FUNCTIONS = text("""
SELECT CAST(p.oid AS regprocedure) || '' AS name, pg_get_functiondef(p.oid) AS definition FROM pg_proc p
WHERE p.pronamespace IN (CAST('public' AS regnamespace), CAST('surveys' AS regnamespace))
""")
_TRIGGERS = text("""
SELECT CAST(tgrelid AS regclass) || ' ' || tgname AS name, pg_get_triggerdef(oid) AS definition FROM pg_trigger WHERE NOT tgisinternal
""")
_GRANTS = text("""
SELECT CAST(c.oid AS regclass) || '' AS name, array_to_string(c.relacl, ' ') AS definition FROM pg_class c
WHERE c.relnamespace IN (CAST('public' AS regnamespace), CAST('surveys' AS regnamespace)) AND c.relkind IN ('r', 'p', 'v', 'S')
UNION ALL
SELECT CAST(c.oid AS regclass) || ' ' || a.attname, array_to_string(a.attacl, ' ')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
WHERE c.relnamespace IN (CAST('public' AS regnamespace), CAST('surveys' AS regnamespace))
""")
_ALL = (_CONSTRAINTS, _INDEXES, _COLUMNS, _FUNCTIONS, _TRIGGERS, _GRANTS)
_ALEMBICS_OWN = "alembic_version "
_EMPTY = ("DROP SCHEMA public, surveys CASCADE", "CREATE SCHEMA public", "CREATE SCHEMA surveys")


async def found(tx: Transaction, what: TextClause) -> dict[str, str]:
    rows = await tx.all(what)
    return {row.name: row.definition for row in rows if not row.name.startswith(_ALEMBICS_OWN)}


def declarations() -> list[str]:
    """What would build an empty database by the models alone."""
    told: list[str] = []
    nowhere: MockConnection = create_mock_engine(
        "postgresql://",
        lambda sql, *_, **__: told.append(str(sql.compile(dialect=nowhere.dialect))),
    )
    SQLModel.metadata.create_all(nowhere, checkfirst=False)
    return told


@pytest.mark.parametrize(
    ("what", "some"),
    [
        (_CONSTRAINTS, "grievance phase_known"),
        (_INDEXES, "outbox_message outbox_due"),
        (_COLUMNS, "unit id"),
    ],
    ids=["constraints", "indexes", "columns"],
)
async def test_migrations_build_what_the_models_say(
    fresh_database_url: str, what: TextClause, some: str
) -> None:
    own = Database(fresh_database_url, pool_size=1, role=OWNER)
    async with transaction(own) as tx:
        migrated = await found(tx, what)
        driver = await tx.driver()
        for statement in (*_EMPTY, *declarations()):
            await driver.execute(statement)
        declared = await found(tx, what)
    await own.close()
    assert some in declared
    assert migrated == declared


async def test_migrations_from_nothing_build_what_test_runs_keep(
    fresh_database_url: str, migrated_from_nothing_url: str
) -> None:
    """Test runs keep the migrated database; here all migrations run."""
    schemas = []
    for url in (fresh_database_url, migrated_from_nothing_url):
        own = Database(url, pool_size=1, role=OWNER)
        async with transaction(own) as tx:
            schemas.append([await found(tx, what) for what in _ALL])
        await own.close()
    kept, made = schemas
    assert kept == made
    assert "grievance phase_known" in made[0]


_LOADTESTS = Path(__file__).parents[2] / "loadtests"
_INSERT = re.compile(r"INSERT INTO (\w+) \(([^)]*)\)")


def written_by_hand() -> list[tuple[str, str, set[str]]]:
    """Where the benchmarks write rows by SQL of their own, into which table, and the columns they give."""
    return [
        (path.name, table, {column.strip(' "\n') for column in columns.split(",")})
        for path in sorted((*_LOADTESTS.rglob("*.py"), *_LOADTESTS.rglob("*.sql")))
        for table, columns in _INSERT.findall(path.read_text())
    ]


@pytest.mark.parametrize(("file", "table", "given"), written_by_hand())
def test_what_the_benchmarks_write_by_hand_fits_the_tables(
    file: str, table: str, given: set[str]
) -> None:
    columns = SQLModel.metadata.tables[table].columns
    assert given <= set(columns.keys()), file
    needed = {one.name for one in columns if not one.nullable and one.identity is None}
    assert needed <= given, file
