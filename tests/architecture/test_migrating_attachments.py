"""What the migration makes of photos that were stored before: attachments whose keyed digest holds, unless it did not hold."""

from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import text

from app.db import OWNER, Database, transaction
from app.db.row_base import seal_holds
from app.matters.attachments import Attachment
from tests.migrations import emptied, migrate, migration

ATTACHMENTS = migration("0055_attachments")
_STAFF = text(
    "INSERT INTO staff (account, name, password_hash, active, created_at) VALUES ('a', '某人', '', true, now())"
)
_PHOTO = text("""
INSERT INTO photo (id, staff_id, width, height, size, created_at, digest, seal)
SELECT :id, id, 4, 3, 5, :created_at, 'digest', :seal FROM staff RETURNING *""")
_SEAL = text("UPDATE photo SET seal = :seal WHERE id = :id")
_PHOTOS = text("SELECT * FROM photo ORDER BY id")
_ATTACHMENTS = text("SELECT * FROM attachment ORDER BY id")


async def test_migration_gives_photos_a_new_seal_where_the_former_one_holds(
    fresh_database_url: str,
) -> None:
    own = Database(fresh_database_url, pool_size=1, role=OWNER)
    await emptied(own, ATTACHMENTS.down_revision)
    good, tampered = sorted(uuid4() for _ in range(2))
    key = ATTACHMENTS.row_key()
    async with transaction(own) as tx:
        await tx.execute(_STAFF)
        for photo_id in (good, tampered):
            created_at = datetime(2026, 11, 20, 9, 30, 0, 123, tzinfo=UTC)
            [row] = await tx.all(_PHOTO, id=photo_id, created_at=created_at, seal=b"made up")
            if photo_id == good:
                seal = ATTACHMENTS.seal(key, "photo", row, ATTACHMENTS.FORMER)
                await tx.execute(_SEAL, id=photo_id, seal=seal)
        before = {row.id: row.seal for row in await tx.all(_PHOTOS)}
    migrate(fresh_database_url, "upgrade", ATTACHMENTS.revision)
    async with transaction(own) as tx:
        rows = await tx.all(_ATTACHMENTS)
    assert {row.id: seal_holds(Attachment, row) for row in rows} == {good: True, tampered: False}
    assert {row.media for row in rows} == {"image/jpeg"}
    migrate(fresh_database_url, "downgrade", ATTACHMENTS.down_revision)
    async with transaction(own) as tx:
        assert {row.id: row.seal for row in await tx.all(_PHOTOS)} == before
    await own.close()
