"""Evaluations have a log of their own, numbered and chained, in their schema. What is there is believed as it is now."""

import hmac
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from rich.console import Console
from rich.progress import Progress

from alembic import op
from app.settings import settings

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

CONFIDENTIAL = "qungong_surveys"
# Each with its key.
LOGGED = (
    ("answer", "id"), ("call_try", "id"), ("exclusion", "survey_id"), ("look", "number"), ("opt_out", "phone_key"),
    ("reply", "provider_message_id"), ("return_call", "id"), ("satisfaction_correction", "id"), ("survey", "id"),
)  # fmt: skip
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BATCH = 2000
KEEP = """
CREATE FUNCTION surveys.keep_evaluation_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'evaluation_log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""
GUARDS = (
    "CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON surveys.evaluation_log FOR EACH ROW EXECUTE FUNCTION surveys.keep_evaluation_log()",
    "CREATE TRIGGER no_truncation BEFORE TRUNCATE ON surveys.evaluation_log FOR EACH STATEMENT EXECUTE FUNCTION surveys.keep_evaluation_log()",
    f"REVOKE UPDATE ON surveys.evaluation_log FROM {CONFIDENTIAL}",
)
INSERT = sa.text("""
INSERT INTO surveys.evaluation_log (number, table_name, row_key, at, body, seal)
VALUES (:number, :table_name, :row_key, :at, :body, :seal)""")
encoder = msgspec.json.Encoder(order="sorted")


def log_key() -> bytes:
    secret = settings().secret_key.get_secret_value().encode()
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"qungong/digest/evaluation-log")
    return derived.derive(secret)


def plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(microseconds=1)
    if isinstance(value, bytes):
        return sha256(value).hexdigest()
    return str(value) if isinstance(value, UUID | date) else value


def fill(progress: Progress) -> None:
    connection, secret = op.get_bind(), log_key()
    now, number, before = connection.scalar(sa.text("SELECT now()")), 0, b""
    for table, key in LOGGED:
        total = connection.scalar(sa.text(f"SELECT count(*) FROM surveys.{table}"))  # noqa: S608 - names of our own
        task, after = progress.add_task(f"评价日志 · logging {table}", total=total), None
        while True:
            beyond = "" if after is None else f" WHERE {key} > :after"
            page = sa.text(f"SELECT * FROM surveys.{table}{beyond} ORDER BY {key} LIMIT {BATCH}")  # noqa: S608
            rows = connection.execute(page, {} if after is None else {"after": after}).all()
            if not rows:
                break
            entries = []
            for row in rows:
                told = dict(row._mapping)
                row_key = told[key].hex() if isinstance(told[key], bytes) else str(told[key])
                body = encoder.encode({name: plain(value) for name, value in told.items()}).decode()
                number += 1
                digested = msgspec.json.encode([number, table, row_key, plain(now), body])
                before = hmac.digest(secret, before + digested, "sha256")
                entries.append(
                    {"number": number, "table_name": table, "row_key": row_key, "at": now, "body": body, "seal": before}
                )  # fmt: skip
            connection.execute(INSERT, entries)
            after = getattr(rows[-1], key)
            progress.advance(task, len(rows))


def upgrade() -> None:
    op.create_table(
        "evaluation_log",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        schema="surveys",
    )
    op.create_index(
        "evaluation_log_of_row", "evaluation_log", ["table_name", "row_key", "number"], schema="surveys"
    )  # fmt: skip
    with Progress(console=Console(stderr=True), transient=True) as progress:
        fill(progress)
    op.execute(KEEP)
    for guard in GUARDS:
        op.execute(guard)


def downgrade() -> None:
    op.drop_table("evaluation_log", schema="surveys")
    op.execute("DROP FUNCTION surveys.keep_evaluation_log()")
