"""Rows that entries do not tell in full carry a keyed digest of their own; erasing texts is an action on the record.

What is there is believed as it is now (docs/adr/0032). Photos are read once for the digest of their bytes: the media store
that MEDIA_URL names must be reachable.
"""

import hmac
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
import obstore
import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from obstore.store import LocalStore, from_url
from rich.console import Console
from rich.progress import Progress

from alembic import op
from app.settings import settings

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

# Table, key, and the columns that the digest covers, in their order.
SEALED = (
    ("citizen", "id", ("id", "phone_key")),
    ("grievance", "id", ("id", "tracking_key")),
    ("person_as_given", "case_id", ("case_id", "phone_key", "name_sealed", "given_at")),
    ("card", "id", (
        "id", "case_id", "clock_id", "county_id", "level", "cause", "stage", "unit_id", "unit_name", "staff_id",
        "person_name", "post_title", "due_at", "effective_at", "issued_at", "issued_by_staff_id", "reason",
    )),
    ("paper", "id", ("id", "county_id", "kind", "year", "number", "prefix", "case_id", "seq", "issued_at")),
    ("photo", "id", ("id", "citizen_id", "staff_id", "width", "height", "size", "digest", "created_at")),
    ("staff", "id", ("account", "name")),
)  # fmt: skip
# Staff are entered by hand: theirs may be missing until `qungong staff confirm`.
MAY_BE_MISSING = {"staff"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BATCH = 2000


def row_key() -> bytes:
    secret = settings().secret_key.get_secret_value().encode()
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"qungong/digest/row")
    return derived.derive(secret)


def seal(key: bytes, table: str, values: Sequence[Any]) -> bytes:
    told = [(one - EPOCH) // timedelta(microseconds=1) if isinstance(one, datetime) else one for one in values]  # fmt: skip
    return hmac.digest(key, msgspec.json.encode([table, *told]), "sha256")


def batches(table: str, key: str, columns: Sequence[str]) -> Iterator[Sequence[Any]]:
    listed, after = ", ".join(dict.fromkeys((key, *columns))), None
    while True:
        beyond = "" if after is None else f" WHERE {key} > :after"
        query = sa.text(f"SELECT {listed} FROM {table}{beyond} ORDER BY {key} LIMIT {BATCH}")  # noqa: S608 - names of our own
        rows = op.get_bind().execute(query, {} if after is None else {"after": after}).all()
        if not rows:
            return
        yield rows
        after = getattr(rows[-1], key)


def seal_all(table: str, key: str, columns: Sequence[str], progress: Progress) -> None:
    secret, connection = row_key(), op.get_bind()
    task = progress.add_task(f"校验值 · sealing {table}", total=connection.scalar(sa.text(f"SELECT count(*) FROM {table}")))  # noqa: S608  # fmt: skip
    op.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for rows in batches(table, key, columns):
        changed = [
            {"key": getattr(row, key), "seal": seal(secret, table, [getattr(row, name) for name in columns])}
            for row in rows
        ]  # fmt: skip
        connection.execute(sa.text(f"UPDATE {table} SET seal = :seal WHERE {key} = :key"), changed)  # noqa: S608
        progress.advance(task, len(rows))
    op.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def digest_photos(progress: Progress) -> int:
    """How many photos have no bytes: theirs is the digest of nothing, which `qungong verify` names."""
    connection, lost = op.get_bind(), 0
    url = settings().media_store_url
    store: Any = LocalStore.from_url(url, mkdir=True) if url.startswith("file:") else from_url(url)
    task = progress.add_task(
        "照片 · photos", total=connection.scalar(sa.text("SELECT count(*) FROM photo"))
    )
    for rows in batches("photo", "id", ("id",)):
        for row in rows:
            try:
                path = f"photos/{row.id.hex[-2:]}/{row.id.hex}.jpg"
                stored = bytes(obstore.get(store, path).bytes())
            except FileNotFoundError:
                stored, lost = b"", lost + 1
            connection.execute(
                sa.text("UPDATE photo SET digest = :digest WHERE id = :id"),
                {"id": row.id, "digest": sha256(stored).digest()},
            )
            progress.advance(task)
    return lost


def known() -> list[str]:
    """The actions that the table takes now."""
    found = op.get_bind().exec_driver_sql(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conname = 'action_known' AND conrelid = CAST('case_event' AS regclass)"
    )
    return re.findall(r"'(\w+)'", found.scalar_one())


def take(actions: list[str]) -> None:
    listed = ", ".join(f"'{action}'" for action in actions)
    op.drop_constraint("action_known", "case_event", type_="check")
    op.create_check_constraint("action_known", "case_event", f"action IN ({listed})")


def upgrade() -> None:
    take([*known(), "erase"])
    console = Console(stderr=True, highlight=False)
    with Progress(console=console, transient=True) as progress:
        op.add_column("photo", sa.Column("digest", sa.LargeBinary(), nullable=True))
        lost = digest_photos(progress)
        op.alter_column("photo", "digest", nullable=False)
        for table, key, columns in SEALED:
            op.add_column(table, sa.Column("seal", sa.LargeBinary(), nullable=True))
            seal_all(table, key, columns, progress)
            if table not in MAY_BE_MISSING:
                op.alter_column(table, "seal", nullable=False)
    if lost:
        console.print(f"[yellow]有 {lost} 张照片的文件缺失 · {lost} photos have no file[/]")


def downgrade() -> None:
    for table, _, _ in SEALED:
        op.drop_column(table, "seal")
    op.drop_column("photo", "digest")
    # Refused where something was erased: the record is never rewritten.
    take([action for action in known() if action != "erase"])
