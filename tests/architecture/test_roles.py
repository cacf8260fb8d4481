"""What the database itself lets whom do: the roles that the migrations make, and the one door to what citizens answered."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlmodel import SQLModel

import app.tables  # noqa: F401 - so that every table is known
from app.db import (
    ORDINARY,
    OWNER,
    ConnectionLost,
    Database,
    Transaction,
    reading,
    transaction,
    transactions,
)
from app.db.row_base import Stored
from app.evaluation import privacy_role
from app.settings import settings
from tests.statements import changed_columns, deleted_from

_TABLES = text("""
SELECT c.relname AS name, n.nspname AS schema,
  EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'no_change') AS kept,
  has_schema_privilege(:role, n.oid, 'USAGE') AND has_table_privilege(:role, c.oid, 'SELECT') AS reads,
  has_table_privilege(:role, c.oid, 'INSERT') AS adds, has_table_privilege(:role, c.oid, 'UPDATE') AS changes,
  has_table_privilege(:role, c.oid, 'DELETE') AS deletes, has_table_privilege(:role, c.oid, 'TRUNCATE') AS truncates,
  has_any_column_privilege(:role, c.oid, 'SELECT, INSERT, UPDATE') AS something,
  ARRAY(SELECT CAST(a.attname AS text) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    AND has_column_privilege(:role, c.oid, a.attnum, 'UPDATE')) AS changing
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'surveys')
""")
_NUMBERED = text("""
SELECT sequencename AS name FROM pg_sequences
WHERE schemaname = 'public' AND NOT has_sequence_privilege(:role, format('%I.%I', schemaname, sequencename), 'USAGE')
""")
_WHO = text("SELECT CAST(current_user AS text)")
_ALEMBICS_OWN = "alembic_version"


async def tables(role: str, schema: str) -> dict[str, Any]:
    async with reading() as tx:
        found = await tx.all(_TABLES, role=role)
    return {one.name: one for one in found if one.schema == schema}


def models(schema: str | None) -> dict[str, type[Stored]]:
    kinds = _subclasses(Stored)
    declared = {table.name for table in SQLModel.metadata.tables.values() if table.schema == schema}
    return {one.__tablename__: one for one in kinds if one.__tablename__ in declared}


def _subclasses(kind: type[Stored]) -> list[type[Stored]]:
    below = kind.__subclasses__()
    return [one for one in below if hasattr(one, "__table__")] + [
        deeper for one in below for deeper in _subclasses(one)
    ]


@pytest.mark.usefixtures("county")
@pytest.mark.parametrize("role", [ORDINARY, privacy_role.ROLE])
async def test_roles_may_change_and_delete_what_the_code_does_and_nothing_else(role: str) -> None:
    found, declared = await tables(role, "public"), models(None)
    assert set(found) == {*declared, _ALEMBICS_OWN}
    own = found.pop(_ALEMBICS_OWN)
    assert (own.reads, own.adds, own.changes, own.deletes) == (True, False, False, False)
    changed, deleted = changed_columns(), deleted_from()
    for name, one in found.items():
        assert (one.reads, one.adds, one.truncates) == (True, True, False), name
        # Per column, never per table.
        assert not one.changes, name
        assert set(one.changing) == {*declared[name].CHANGING, *changed[name]}, name
        assert one.deletes == (name in deleted), name
        # What a trigger keeps as it is cannot be deleted by privilege either.
        assert not (one.kept and one.deletes), name
    assert {name for name, one in found.items() if one.kept} >= {"record_entry", "card", "paper"}
    async with reading() as tx:
        assert await tx.all(_NUMBERED, role=role) == []


@pytest.mark.usefixtures("county")
async def test_no_table_of_surveys_can_be_read_written_or_even_named() -> None:
    found = await tables(ORDINARY, "surveys")
    assert set(found) == set(models("surveys"))
    assert [name for name, one in found.items() if one.something or one.deletes] == []


@pytest.mark.usefixtures("county")
async def test_who_has_said_so_may_read_and_add_to_surveys_and_deletes_nothing() -> None:
    for name, one in (await tables(privacy_role.ROLE, "surveys")).items():
        # Its only row is there from the migration on.
        adds = name != "evaluation_log_head"
        assert (one.reads, one.adds, one.deletes, one.truncates) == (True, adds, False, False), name
        assert not one.changes, name
        declared = models("surveys")[name].CHANGING
        assert set(one.changing) == {*declared, *changed_columns()[f"surveys.{name}"]}, name


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM surveys.answer",
        "SELECT 1 FROM grievance g JOIN surveys.survey s ON s.matter_id = g.id",
        "UPDATE surveys.answer SET value = 'satisfied'",
        "DELETE FROM surveys.answer",
        "INSERT INTO surveys.look SELECT * FROM surveys.look",
        "UPDATE record_entry SET public = true",
        "DELETE FROM record_entry",
        "TRUNCATE record_entry",
        "ALTER TABLE record_entry DISABLE TRIGGER no_change",
        "SET LOCAL session_replication_role = replica",
        "UPDATE card SET level = 'yellow'",
    ],
)
async def test_ordinary_transaction_is_refused_by_the_database(
    tx: Transaction, statement: str
) -> None:
    with pytest.raises(
        asyncpg.InsufficientPrivilegeError, match=r"permission denied|must be owner"
    ):
        await tx.execute(text(statement))


@pytest.mark.usefixtures("county")
async def test_what_was_prepared_by_who_may_is_refused_to_who_may_not() -> None:
    asked = text("SELECT count(*) FROM surveys.answer")
    own = Database(settings().database_url, pool_size=1)
    async with transaction(own) as tx:
        await privacy_role.enter(tx)
        assert await tx.scalar(asked) >= 0
    async with transaction(own) as tx:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tx.scalar(asked)
    await own.close()


async def test_tables_that_come_later_are_reached_by_the_same_roles(
    fresh_database_url: str,
) -> None:
    own = Database(fresh_database_url, pool_size=1)
    async with transaction(own) as tx:
        await tx.act_as(OWNER)
        await tx.execute(
            text("CREATE TABLE later (id int GENERATED ALWAYS AS IDENTITY, word text)")
        )
        await tx.execute(text("CREATE TABLE surveys.later (word text)"))
    async with transaction(own) as tx:
        await tx.execute(text("INSERT INTO later (word) VALUES ('有水了')"))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tx.execute(text("SELECT FROM surveys.later"))
        await tx.roll_back()
        await privacy_role.enter(tx)
        await tx.execute(text("INSERT INTO surveys.later (word) VALUES ('没有')"))
    # What more they need, the migration that makes them grants.
    for statement in ("UPDATE later SET word = ''", "DELETE FROM later"):
        async with transaction(own) as tx:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await tx.execute(text(statement))
            await tx.roll_back()
    await own.close()


async def end_well(tx: Transaction) -> None:
    await tx.execute(text("UPDATE surveys.reply SET reading = reading"))


async def raise_something(_tx: Transaction) -> None:
    raise KeyError


async def fail_in_the_database(tx: Transaction) -> None:
    await tx.execute(text("SELECT 1 / 0"))


async def be_cancelled(tx: Transaction) -> None:
    asyncio.get_running_loop().call_later(0.05, _this_task().cancel)
    await tx.execute(text("SELECT pg_sleep(5)"))


async def be_cancelled_between_statements(_tx: Transaction) -> None:
    asyncio.get_running_loop().call_later(0.01, _this_task().cancel)
    await asyncio.sleep(5)


async def fail_to_commit(tx: Transaction) -> None:
    # What fails only at the end.
    with suppress(asyncpg.DivisionByZeroError):
        await tx.execute(text("SELECT 1 / 0"))


async def lose_the_connection(tx: Transaction) -> None:
    (await tx.driver()).terminate()


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


@pytest_asyncio.fixture
async def one_connection(county: None) -> AsyncIterator[Database]:
    """Whoever comes next has to take the connection that was used before."""
    assert county is None
    own = Database(settings().database_url, pool_size=1)
    yield own
    await own.close()


@pytest.mark.parametrize(
    ("goes", "ends"),
    [
        (end_well, None),
        (raise_something, KeyError),
        (fail_in_the_database, asyncpg.DivisionByZeroError),
        (fail_to_commit, RuntimeError),
        (be_cancelled, asyncio.CancelledError),
        (be_cancelled_between_statements, asyncio.CancelledError),
        (lose_the_connection, ConnectionLost),
    ],
)
async def test_next_on_same_connection_is_ordinary_one_however_this_one_ends(
    one_connection: Database,
    goes: Callable[[Transaction], Awaitable[None]],
    ends: type[BaseException] | None,
) -> None:
    async def enter() -> None:
        async with transaction(one_connection) as tx:
            await privacy_role.enter(tx)
            assert await tx.scalar(_WHO) == privacy_role.ROLE
            await goes(tx)

    # A task of its own, which may be cancelled.
    [ended] = await asyncio.gather(asyncio.create_task(enter()), return_exceptions=True)
    assert ended is None if ends is None else isinstance(ended, ends)
    async with transaction(one_connection) as tx:
        assert await tx.scalar(_WHO) == ORDINARY


async def test_who_only_reads_enters_for_as_long_as_the_reading_lasts(
    one_connection: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "database", lambda: one_connection)
    async with reading() as tx:
        assert await tx.scalar(_WHO) == ORDINARY
        await privacy_role.enter(tx)
        assert await tx.scalar(_WHO) == privacy_role.ROLE
    async with reading() as tx:
        assert await tx.scalar(_WHO) == ORDINARY
    with suppress(KeyError):
        async with reading() as tx:
            await privacy_role.enter(tx)
            raise KeyError
    async with reading() as tx:
        assert await tx.scalar(_WHO) == ORDINARY


async def test_entering_costs_no_round_trip_of_its_own_before_anything_is_written(
    one_connection: Database,
) -> None:
    async with transaction(one_connection) as tx:
        told: list[str] = []
        sent = tx._sent

        async def noted(how: Any, query: str, *given: Any) -> Any:
            told.append(query)
            return await sent(how, query, *given)

        tx._sent = noted  # type: ignore[method-assign]  # the wire itself is what is watched
        await privacy_role.enter(tx)
        await privacy_role.enter(tx)
        await tx.execute(text("UPDATE surveys.reply SET reading = reading"))
    assert told[0] == f"BEGIN; SET LOCAL ROLE {privacy_role.ROLE}"
    assert [query.partition(" ")[0] for query in told[1:]] == ["UPDATE", "COMMIT"]
