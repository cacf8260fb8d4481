"""How migrations reach the database. The folder must not become a package: `import alembic` would find it."""

import asyncio
from typing import Any

from sqlalchemy import Connection, NullPool
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import app.tables  # noqa: F401 - so that every table is known
from alembic import context
from app.db import OWNER, Database
from app.settings import settings

OWN_SCHEMAS = {None, "public", "surveys"}


def _ours(name: str | None, kind: str, _parents: Any) -> bool:
    return kind != "schema" or name in OWN_SCHEMAS


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        include_schemas=True,
        include_name=_ours,
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _migrate() -> None:
    # A migration may take longer than any request may, and may do more.
    database = Database(
        settings().database_url,
        pool_size=1,
        statement_timeout="0",
        lock_timeout="10000",
        role=OWNER,
    )
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=database.connect, poolclass=NullPool
    )
    async with engine.connect() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


asyncio.run(_migrate())
