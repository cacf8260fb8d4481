"""Making the roles: on a server of many databases, by whoever may and for whoever may not, and what a bare login is left with."""

import asyncio
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import make_url, text
from typer.testing import CliRunner

from app.db import ORDINARY, OWNER, Database, NotPrepared, transaction, transactions
from app.errors import Unavailable
from app.evaluation import privacy_role
from app.settings import settings
from qungong import service_pages
from qungong.cli import app as command
from qungong.dev.serving import ROOT
from tests.services import Addresses

MIGRATION: Any = ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_revision("0016")


async def on_server(addresses: Addresses, *statements: str, database: str | None = None) -> None:
    connection = await asyncpg.connect(_plain(addresses, database))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _plain(addresses: Addresses, database: str | None = None, user: str | None = None) -> str:
    url = make_url(addresses.server).set(drivername="postgresql")
    url = url.set(database=database or url.database)
    if user:
        url = url.set(username=user, password=user)
    return url.render_as_string(hide_password=False)


@pytest.fixture
def names(addresses: Addresses) -> Iterator[tuple[str, str, str]]:
    """Of two roles and a login that the server does not know yet; they are gone afterwards."""
    drawn = secrets.token_hex(4)
    made = (f"qt_app_{drawn}", f"qt_surveys_{drawn}", f"qt_login_{drawn}")
    yield made
    gone = [f"DROP ROLE IF EXISTS {name}" for name in reversed(made)]
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, on_server(addresses, *gone)).result()


async def test_databases_of_one_server_that_are_migrated_at_once_make_roles_once(
    addresses: Addresses, names: tuple[str, str, str]
) -> None:
    making = MIGRATION.module.ROLES.format(app=names[0], confidential=names[1])
    both = (addresses.template, "postgres")
    await asyncio.gather(
        *(on_server(addresses, making, database=both[n % 2]) for n in range(8)),
    )
    await on_server(addresses, making)


async def test_who_may_not_make_roles_is_told_what_the_administrator_has_to_do(
    addresses: Addresses, names: tuple[str, str, str]
) -> None:
    first, second, login = names
    making = MIGRATION.module.ROLES.format(app=first, confidential=second)
    await on_server(addresses, f"CREATE ROLE {login} LOGIN PASSWORD '{login}'")

    async def migrate() -> None:
        connection = await asyncpg.connect(_plain(addresses, user=login))
        try:
            await connection.execute(making)
        finally:
            await connection.close()

    with pytest.raises(asyncpg.InsufficientPrivilegeError) as refused:
        await migrate()
    told = str(refused.value)
    assert "请数据库管理员先执行" in told
    assert "Have the DBA run these first" in told
    # It does as it says.
    said = [line.strip() for line in told.splitlines() if line.startswith("  CREATE ROLE")]
    assert len(said) == 2
    await on_server(addresses, *said)
    await migrate()


async def test_server_that_owns_nothing_can_work_and_cannot_undo_a_guard(
    addresses: Addresses, names: tuple[str, str, str], fresh_database_url: str
) -> None:
    """Migrated by one login, served by another that only belongs to the two roles."""
    login = names[2]
    member = f"IN ROLE {ORDINARY}, {privacy_role.ROLE}"
    await on_server(addresses, f"CREATE ROLE {login} LOGIN NOINHERIT PASSWORD '{login}' {member}")
    url = make_url(fresh_database_url).set(username=login, password=login)
    own = Database(url.render_as_string(hide_password=False), pool_size=1)
    async with transaction(own) as tx:
        await tx.execute(text("INSERT INTO sweep_pulse (id, swept_at) VALUES (1, now())"))
        await privacy_role.enter(tx)
        assert await tx.scalar(text("SELECT count(*) FROM surveys.answer")) == 0
    for guard in (
        "ALTER TABLE record_entry DISABLE TRIGGER ALL",
        "SELECT count(*) FROM surveys.answer",
    ):
        async with transaction(own) as tx:
            await tx.act_as(OWNER)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await tx.execute(text(guard))
            await tx.roll_back()
    await own.close()


async def test_command_says_so_too_and_migrates_once_that_is_done(
    addresses: Addresses, names: tuple[str, str, str], redis_url: str
) -> None:
    login = names[2]
    name = f"{addresses.prefix}{login}"
    await on_server(
        addresses,
        f"CREATE ROLE {login} LOGIN PASSWORD '{login}'",
        f'CREATE DATABASE "{name}" OWNER {login} TEMPLATE template0',
    )
    environment = {"DATABASE_URL": _plain(addresses, name, login), "REDIS_URL": redis_url}
    try:
        refused = await asyncio.to_thread(CliRunner().invoke, command, ["migrate"], env=environment)
        assert refused.exit_code == 1
        assert f"GRANT {ORDINARY}, {privacy_role.ROLE} TO {login}" in refused.stderr
        await on_server(addresses, f"GRANT {ORDINARY}, {privacy_role.ROLE} TO {login}")
        done = await asyncio.to_thread(CliRunner().invoke, command, ["migrate"], env=environment)
        assert done.exit_code == 0, done.output
    finally:
        await on_server(addresses, f'DROP DATABASE "{name}" WITH (FORCE)')


async def test_without_roles_nothing_is_answered_and_server_says_it_is_not_migrated(
    monkeypatch: pytest.MonkeyPatch, county: None
) -> None:
    assert county is None
    lacking = Database(settings().database_url, pool_size=1, role="qungong_unknown")
    monkeypatch.setattr(transactions, "database", lambda: lacking)
    with pytest.raises(NotPrepared, match="qungong migrate"):
        async with transaction() as tx:
            await tx.now()
    with pytest.raises(Unavailable) as told:
        await service_pages.ready()
    assert told.value.facts["database"] == "not migrated"
    await lacking.close()
