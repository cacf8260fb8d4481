"""The sample county: complete, loaded once, and everyone in it can sign in."""

import asyncio
from typing import Any

import asyncpg
import pytest

from app.auth import passwords
from qungong.dev import sample


@pytest.fixture
async def loaded(database: str) -> str:
    """The address of a database with the sample county."""
    await sample.load()
    return database


async def _ask(database: str, sql: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(database)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def test_county_is_complete(loaded: str) -> None:
    kinds = dict(await _ask(loaded, "SELECT kind, count(*) FROM unit GROUP BY kind"))
    levels = dict(await _ask(loaded, "SELECT level, count(*) FROM category GROUP BY level"))
    lost = await _ask(
        loaded,
        "SELECT code FROM unit WHERE county_id IS NULL OR (parent_id IS NULL) <> (kind = 'county')",
    )

    assert kinds == {
        "county": 1,
        "township": 21,
        "village": 156,
        "department": 36,
        "command_center": 1,
        "discipline": 1,
    }
    assert levels == {1: 15, 2: 118, 3: 517}
    assert lost == []


async def test_loading_again_and_at_once_changes_nothing(loaded: str) -> None:
    counts = """SELECT (SELECT count(*) FROM unit), (SELECT count(*) FROM staff),
                (SELECT count(*) FROM post), (SELECT count(*) FROM category)"""
    before = await _ask(loaded, counts)

    await asyncio.gather(sample.load(), sample.load())

    assert await _ask(loaded, counts) == before


async def test_two_first_loads_at_once_load_once(database: str) -> None:
    await asyncio.gather(sample.load(), sample.load())

    assert await _ask(database, "SELECT count(*) FROM post") == [(len(sample.accounts()),)]


async def test_every_account_told_has_its_post_and_its_password(loaded: str) -> None:
    found = await _ask(
        loaded,
        """SELECT s.account, s.name, s.password_hash, u.name, u.short_name FROM staff s
        JOIN post p ON p.staff_id = s.id JOIN unit u ON u.id = p.unit_id ORDER BY p.id""",
    )
    told = sample.accounts()

    assert [(one.account, one.name) for one in told] == [row[:2] for row in found]
    for one, (*_, name, short) in zip(told, found, strict=True):
        assert one.unit in (name, short)
    hashes = {row[2] for row in found}
    assert len(hashes) == 1
    assert await passwords.verify(told[0].password, hashes.pop())


async def test_account_that_was_there_keeps_what_it_had(loaded: str) -> None:
    await _ask(loaded, "DELETE FROM post WHERE title = '局长'")
    await _ask(
        loaded,
        "DELETE FROM post USING staff s WHERE s.id = staff_id AND s.account = 'jiwei'",
    )
    await _ask(loaded, "DELETE FROM staff WHERE account = 'jiwei'")

    await sample.load()

    posts = dict(
        await _ask(
            loaded,
            "SELECT account, count(p.id) FROM staff s LEFT JOIN post p ON p.staff_id = s.id GROUP BY 1",
        )
    )
    assert posts["shuiwu_head"] == 0
    assert posts["jiwei"] == 1
