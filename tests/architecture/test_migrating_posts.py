"""What migration 0039 does for people of units that ended before: they get their post where their unit's work went."""

from datetime import date

import pytest_asyncio
from sqlalchemy import text

from app.db import OWNER, Database, transaction
from tests.migrations import emptied, migrate

_UNIT = text("""
INSERT INTO unit (code, name, short_name, kind, valid_from, valid_to, head_approves)
VALUES (:code, :code, :code, 'village', DATE '2020-01-01', :valid_to, false)
""")
_SUCCEEDS = text("""
UPDATE unit SET successor_id = (SELECT id FROM unit WHERE code = :successor) WHERE code = :code
""")
_PERSON = text("""
INSERT INTO staff (account, name, password_hash, active, created_at) VALUES (:account, :account, '', true, now())
""")
_POST = text("""
INSERT INTO post (staff_id, unit_id, role, title, valid_from, valid_to)
SELECT s.id, u.id, :role, '主任', DATE '2021-01-01', :valid_to FROM staff s, unit u WHERE s.account = :account AND u.code = :unit
""")
_NEW = text("""
SELECT s.account, u.code, o.role, o.title, o.valid_from, o.valid_to, former.code AS former
FROM post o JOIN staff s ON s.id = o.staff_id JOIN unit u ON u.id = o.unit_id
JOIN post m ON m.id = o.moved_from_post_id JOIN unit former ON former.id = m.unit_id ORDER BY s.account, o.role
""")
_POSTS = text("SELECT count(*) FROM post")
MERGED, AGAIN = date(2024, 6, 30), date(2025, 3, 31)
CADRE, HEAD = "village_cadre", "unit_head"


@pytest_asyncio.fixture
async def before(fresh_database_url: str) -> Database:
    """First merged into second, second into today's; the last of another line has ended too, and one has no successor."""
    own = Database(fresh_database_url, pool_size=1, role=OWNER)
    await emptied(own, "0038")
    units = {"first": MERGED, "second": AGAIN, "today": None, "old": MERGED, "gone": AGAIN, "alone": MERGED}  # fmt: skip
    async with transaction(own) as tx:
        for code, valid_to in units.items():
            await tx.execute(_UNIT, code=code, valid_to=valid_to)
        for code, successor in (("first", "second"), ("second", "today"), ("old", "gone")):
            await tx.execute(_SUCCEEDS, code=code, successor=successor)
    return own


async def hold(own: Database, account: str, *posts: tuple[str, str, date | None]) -> None:
    async with transaction(own) as tx:
        await tx.execute(_PERSON, account=account)
        for unit, role, valid_to in posts:
            await tx.execute(_POST, account=account, unit=unit, role=role, valid_to=valid_to)


async def moved(own: Database) -> list[tuple[object, ...]]:
    migrate(own.url, "upgrade", "0039")
    async with transaction(own) as tx:
        return [tuple(row) for row in await tx.all(_NEW)]


async def test_migration_gives_people_of_ended_units_their_post_at_last_successor(
    before: Database,
) -> None:
    await hold(before, "a", ("first", CADRE, MERGED))
    await hold(before, "b", ("second", HEAD, AGAIN))
    await hold(before, "c", ("first", CADRE, MERGED), ("first", HEAD, MERGED))
    assert await moved(before) == [
        ("a", "today", CADRE, "主任", date(2024, 7, 1), None, "first"),
        ("b", "today", HEAD, "主任", date(2025, 4, 1), None, "second"),
        ("c", "today", HEAD, "主任", date(2024, 7, 1), None, "first"),
        ("c", "today", CADRE, "主任", date(2024, 7, 1), None, "first"),
    ]
    migrate(before.url, "downgrade", "0038")
    async with transaction(before) as tx:
        assert await tx.scalar(_POSTS) == 8, "the posts stay where they are"
    await before.close()


async def test_migration_moves_only_posts_that_ended_with_their_unit_and_each_once(
    before: Database,
) -> None:
    await hold(before, "left earlier", ("first", CADRE, date(2023, 1, 1)))
    await hold(before, "there already", ("first", CADRE, MERGED), ("today", CADRE, None))
    await hold(before, "no successor", ("alone", CADRE, MERGED))
    await hold(before, "successor ended", ("old", CADRE, MERGED))
    await hold(before, "in both", ("first", CADRE, MERGED), ("second", CADRE, AGAIN))
    assert await moved(before) == [
        ("in both", "today", CADRE, "主任", date(2024, 7, 1), None, "first")
    ]
    await before.close()
