"""A ciphertext opens where it was written and nowhere else: not in another column, row or table, and not in the old format."""

import ast
import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import LargeBinary, text
from sqlmodel import SQLModel

import app.tables  # noqa: F401 - so that every table is known
from app import keys
from app.db import OWNER, Database, Transaction, transaction
from app.directory.models import Citizen
from app.identifiers import uuid7
from app.texts.outbox import MessageKind, OutboxMessage, seal_params, seal_phone
from app.texts.terms import FollowedBy
from app.texts.turns import end
from tests.migrations import migration

_ROOT = Path(__file__).parents[2]
_MIGRATION = "0032_sealed_in_place"
_PHONE = "+8613896005678"
_CITIZENS = text("SELECT id, phone_sealed FROM citizen ORDER BY id")
_TURNS = text("SELECT message_id, turn, reason_sealed FROM ended_turn")
_MESSAGES = text("SELECT id, phone_sealed, params_sealed FROM outbox_message")
_BREAK = text("UPDATE citizen SET phone_sealed = '\\x00112233445566778899aabbccddeeff00' WHERE id = :id")  # fmt: skip


def sealed_columns() -> set[str]:
    return {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary) and column.name.endswith("_sealed")
    }


def test_ciphertext_opens_only_at_its_place() -> None:
    there = keys.at("citizen.phone_sealed", UUID(int=1))
    sealed = keys.encrypt(_PHONE, there)
    assert keys.decrypt(sealed, there) == _PHONE
    elsewhere = (
        keys.at("citizen.name_sealed", UUID(int=1)),
        keys.at("citizen.phone_sealed", UUID(int=2)),
        keys.at("official_number.phone_sealed", UUID(int=1)),
        keys.at("citizen.phone_sealed", UUID(int=1), 1),
    )
    for place in elsewhere:
        with pytest.raises(keys.Unreadable):
            keys.decrypt(sealed, place)
        assert keys.shown(sealed, place) == "（无法读取）"
    for broken in (sealed[:-1], sealed[1:], b"\x01" + sealed[1:], b"", sealed + b"\0"):
        with pytest.raises(keys.Unreadable):
            keys.decrypt(broken, there)
    moved = keys.moved(sealed, there, elsewhere[0])
    assert moved is not None
    assert keys.decrypt(moved, elsewhere[0]) == _PHONE


def test_every_sealed_column_is_opened_under_its_own_name() -> None:
    """All names given to keys.at() are columns, and no column is left without."""
    named = {
        node.args[0].value
        for folder in ("app", "workers", "sms", "mobile_api", "qungong")
        for path in (_ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "at"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "keys"
        and isinstance(node.args[0], ast.Constant)
    }
    assert named == sealed_columns()


def _alembic(url: str, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "alembic", *command],
        cwd=_ROOT,
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


async def _fill(on: Database) -> list[UUID]:
    """Two people, a text that was sent again for a reason, and a third person whose number is broken."""
    now = datetime.now(UTC)
    ids = [uuid7(now) for _ in range(3)]
    async with transaction(on) as tx:
        for number, one in enumerate(ids):
            phone = f"{_PHONE[:-1]}{number}"
            tx.add(
                Citizen(
                    id=one,
                    phone_sealed=keys.encrypt(phone, keys.at("citizen.phone_sealed", one)),
                    phone_key=keys.lookup("phone", phone),
                    created_at=now,
                )
            )
        message_id = uuid7(now)
        message = OutboxMessage(
            id=message_id,
            kind=MessageKind.PROGRESS,
            phone_sealed=seal_phone(message_id, _PHONE),
            params_sealed=seal_params(message_id, {"title": "没有水"}),
            due_at=now,
            expires_at=now,
            created_at=now,
        )
        tx.add(message)
        end(tx, message, FollowedBy.RETRIED, now=now)
        await tx.flush()
        await tx.act_as(OWNER)
        await tx.execute(_BREAK, id=ids[2])
    return ids


async def _numbers(tx: Transaction) -> dict[UUID, bytes]:
    return {row.id: row.phone_sealed for row in await tx.all(_CITIZENS)}


async def test_migration_seals_in_place_what_was_sealed_before(
    fresh_database_url: str,
) -> None:
    frozen = migration(_MIGRATION)
    own = Database(fresh_database_url, pool_size=1)
    first, second, broken = await _fill(own)
    await own.close()
    await asyncio.to_thread(_alembic, fresh_database_url, "downgrade", "0031")
    async with transaction(own) as tx:
        before = await _numbers(tx)
        [message] = await tx.all(_MESSAGES)
    assert frozen.opened_without_place(frozen.cipher(), before[first]) == b"+8613896005670"
    assert frozen.opened_without_place(frozen.cipher(), message.phone_sealed)
    with pytest.raises(keys.Unreadable):
        keys.decrypt(before[second], keys.at("citizen.phone_sealed", second))
    await own.close()
    told = await asyncio.to_thread(_alembic, fresh_database_url, "upgrade", "0032")
    assert "有 1 个加密内容无法解开" in told
    # Interrupted and begun again, it finds what is done.
    await asyncio.to_thread(_alembic, fresh_database_url, "stamp", "0031")
    await asyncio.to_thread(_alembic, fresh_database_url, "upgrade", "0032")
    async with transaction(own) as tx:
        after = await _numbers(tx)
        [message] = await tx.all(_MESSAGES)
    await own.close()
    for number, one in enumerate((first, second)):
        place = keys.at("citizen.phone_sealed", one)
        assert keys.decrypt(after[one], place) == f"{_PHONE[:-1]}{number}"
    assert after[broken] == before[broken]
    assert keys.decrypt(
        message.phone_sealed, keys.at("outbox_message.phone_sealed", message.id)
    ) == _PHONE  # fmt: skip


def test_migration_knows_every_sealed_column_there_was() -> None:
    listed = {
        f"{table.rpartition('.')[2]}.{column}"
        for table, _, columns in migration(_MIGRATION).SEALED
        for column in columns
    }
    # Columns that came later were never sealed otherwise.
    assert listed <= sealed_columns()
    assert len(listed) == 13
