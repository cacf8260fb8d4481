"""Photos become attachments, which voice messages are too. Each row that is as it was sent in gets a new keyed digest."""

import hmac
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from alembic import op
from app.settings import settings

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

APP = "qungong_app"
FORMER = ("id", "citizen_id", "staff_id", "width", "height", "size", "digest", "created_at")
NOW = ("id", "citizen_id", "staff_id", "media", "width", "height", "milliseconds", "size", "digest", "created_at")  # fmt: skip
RENAMED = ("photo_by_matter", "photo_unattached")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BATCH = 2000
_PAGE = sa.text("SELECT * FROM attachment WHERE id > CAST(:after AS uuid) ORDER BY id LIMIT :batch")
_SEAL = sa.text("""
UPDATE attachment a SET seal = r.seal
FROM unnest(CAST(:ids AS uuid[]), CAST(:seals AS bytea[])) AS r(id, seal) WHERE a.id = r.id""")
_NAMES = sa.text("""
SELECT conname FROM pg_constraint WHERE conrelid = CAST(:table AS regclass) AND conname LIKE :former""")
MEASURED = (
    "CASE WHEN media = 'image/jpeg' THEN num_nulls(width, height) = 0 AND milliseconds IS NULL "
    "ELSE num_nonnulls(width, height) = 0 AND milliseconds > 0 END"
)


def row_key() -> bytes:
    secret = settings().secret_key.get_secret_value().encode()
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"qungong/digest/row")
    return derived.derive(secret)


def seal(key: bytes, table: str, row: Any, columns: Iterable[str]) -> bytes:
    values: Sequence[Any] = [row[name] for name in columns]
    told = [(one - EPOCH) // timedelta(microseconds=1) if isinstance(one, datetime) else one for one in values]  # fmt: skip
    return hmac.digest(key, msgspec.json.encode([table, *told]), "sha256")


def seal_anew(before: tuple[str, tuple[str, ...]], after: tuple[str, tuple[str, ...]]) -> None:
    """A row whose digest does not hold keeps it, so that `qungong verify` goes on naming it."""
    key, last = row_key(), "00000000-0000-0000-0000-000000000000"
    connection = op.get_bind()
    while rows := connection.execute(_PAGE, {"after": last, "batch": BATCH}).mappings().all():
        good = [row for row in rows if hmac.compare_digest(row["seal"], seal(key, before[0], row, before[1]))]  # fmt: skip
        connection.execute(
            _SEAL,
            {
                "ids": [row["id"] for row in good],
                "seals": [seal(key, after[0], row, after[1]) for row in good],
            },
        )
        last = str(rows[-1]["id"])


def rename(table: str, former: str, now: str) -> None:
    for name in op.get_bind().execute(_NAMES, {"table": table, "former": f"{former}%"}).scalars().all():  # fmt: skip
        op.execute(
            f'ALTER TABLE {table} RENAME CONSTRAINT "{name}" TO "{name.replace(former, now)}"'
        )


def upgrade() -> None:
    op.execute("ALTER TABLE photo RENAME TO attachment")
    rename("attachment", "photo", "attachment")
    for name in RENAMED:
        op.execute(f"ALTER INDEX {name} RENAME TO {name.replace('photo', 'attachment')}")
    op.execute("""
ALTER TABLE attachment ADD COLUMN media text NOT NULL DEFAULT 'image/jpeg', ADD COLUMN milliseconds integer,
  ALTER COLUMN width DROP NOT NULL, ALTER COLUMN height DROP NOT NULL""")
    op.execute("ALTER TABLE attachment ALTER COLUMN media DROP DEFAULT")
    op.create_check_constraint("media_known", "attachment", "media IN ('image/jpeg', 'audio/webm', 'audio/ogg', 'audio/mp4')")  # fmt: skip
    op.create_check_constraint("attachment_measured", "attachment", MEASURED)
    seal_anew(("photo", FORMER), ("attachment", NOW))


def downgrade() -> None:
    """Only where there are no voice messages: a photo has sides."""
    seal_anew(("attachment", NOW), ("photo", FORMER))
    op.execute("""
ALTER TABLE attachment DROP COLUMN media, DROP COLUMN milliseconds,
  ALTER COLUMN width SET NOT NULL, ALTER COLUMN height SET NOT NULL""")
    for name in RENAMED:
        op.execute(f"ALTER INDEX {name.replace('photo', 'attachment')} RENAME TO {name}")
    op.execute("ALTER TABLE attachment RENAME TO photo")
    rename("photo", "attachment", "photo")
