"""What the migrations make of names that were stored before: each goes to the case it was given for."""

from pathlib import Path
from typing import Any
from uuid import uuid4

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from app import keys
from app.db import OWNER, Database, transaction
from tests.migrations import emptied, migrate, migration

ROOT = Path(__file__).resolve().parents[2]
COMPARED: Any = next(
    one
    for one in ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).walk_revisions()
    if one.path.endswith("_names_compared.py")
)
_UNIT = text("""
INSERT INTO unit (code, name, short_name, kind, valid_from, head_approves)
VALUES ('1', '村', '村', 'village', DATE '2020-01-01', false)
""")
_CITIZEN = text(
    "INSERT INTO citizen (id, phone_key, name_sealed, created_at) VALUES (:id, :phone_key, :name_sealed, now())"
)
_CASE = text("""
INSERT INTO grievance (id, ref, tracking_key, county_id, first_unit_id, entered_by_unit_id, citizen_id, textable, channel, kind, urgent,
  sealed, title, received_at, phase, holder_unit_id, due_at, statutory_due_at, extended, round, returns, refusals_objected, presses,
  event_seq, event_hash)
SELECT CAST(:id AS uuid), left(CAST(CAST(:id AS uuid) AS text), 30), '', id, id, CASE WHEN :typed THEN id END, :citizen_id, true, 'cadre', 'help', false,
  false, '路灯不亮', now(), 'pending', id, now(), now(), false, 1, 0, 0, 0, 1, '' FROM unit
""")
_GIVEN = text("""
INSERT INTO person_as_given (case_id, name_key, name_sealed, given_at) VALUES (:case_id, 'former', :name_sealed, now())
""")
_JOIN = text("UPDATE grievance SET phase = 'merged', primary_id = :primary_id WHERE id = :id")
_NAMES = text("SELECT case_id, phone_key, name_key, name_sealed FROM person_as_given")
_CITIZENS = text("SELECT name_sealed FROM citizen")


async def test_migration_leaves_a_name_with_the_first_case_that_staff_entered(
    fresh_database_url: str,
) -> None:
    own = Database(fresh_database_url, pool_size=1, role=OWNER)
    await emptied(own, "0030")
    citizen, reported, first, second = sorted(uuid4() for _ in range(4))
    async with transaction(own) as tx:
        await tx.execute(_UNIT)
        before = migration("0032_sealed_in_place")
        sealed = before.seal_without_place(before.cipher(), "赵 秘密".encode())
        await tx.execute(_CITIZEN, id=citizen, phone_key=b"1", name_sealed=sealed)
        await tx.execute(_CITIZEN, id=uuid4(), phone_key=b"2", name_sealed=None)
        for case_id in (reported, first, second):
            await tx.execute(_CASE, id=case_id, citizen_id=citizen, typed=case_id != reported)
    migrate(fresh_database_url, "upgrade", "0031")
    async with transaction(own) as tx:
        [given] = await tx.all(_NAMES)
    assert (given.case_id, given.phone_key) == (first, None)
    assert (given.name_sealed, given.name_key) == (sealed, keys.lookup("name", "赵秘密"))
    migrate(fresh_database_url, "downgrade", "0030")
    async with transaction(own) as tx:
        assert {row.name_sealed for row in await tx.all(_CITIZENS)} == {sealed, None}
    await own.close()


async def test_migration_compares_names_that_can_be_read_in_their_normal_form(
    fresh_database_url: str,
) -> None:
    own = Database(fresh_database_url, pool_size=1, role=OWNER)
    await emptied(own, COMPARED.down_revision)
    alone, unreadable, primary, joined = sorted(uuid4() for _ in range(4))
    async with transaction(own) as tx:
        await tx.execute(_UNIT)
        for case_id in (alone, unreadable, primary, joined):
            await tx.execute(_CASE, id=case_id, citizen_id=None, typed=True)
            place = keys.at(
                "person_as_given.name_sealed", alone if case_id == unreadable else case_id
            )
            sealed = keys.encrypt("張 三（男）", place)
            await tx.execute(_GIVEN, case_id=case_id, name_sealed=sealed)
        await tx.execute(_JOIN, id=joined, primary_id=primary)
    migrate(fresh_database_url, "upgrade", COMPARED.revision)
    async with transaction(own) as tx:
        found = {row.case_id: row.name_key for row in await tx.all(_NAMES)}
    await own.close()
    former = dict.fromkeys((unreadable, primary, joined), b"former")
    assert found == {alone: keys.lookup("name", "张三"), **former}
