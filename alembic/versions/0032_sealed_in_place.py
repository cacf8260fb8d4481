"""A ciphertext can be opened only where it is stored: table, column and row become part of what is authenticated.

Encrypts everything anew, in batches that are committed one by one: a migration that was interrupted goes on where it
stopped. What cannot be opened stays as it is and is reported; `qungong verify` names it. Stop all processes before.
"""

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from rich.console import Console
from rich.progress import Progress

from alembic import op
from app.settings import settings

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

# Table, primary key, encrypted columns.
SEALED = (
    ("citizen", ("id",), ("phone_sealed",)),
    ("official_number", ("id",), ("phone_sealed",)),
    ("person_as_given", ("case_id",), ("name_sealed",)),
    ("outbox_message", ("id",), ("phone_sealed", "params_sealed")),
    ("ended_turn", ("message_id", "turn"), ("reason_sealed",)),
    ("given_answer", ("owner", "key"), ("body_sealed",)),
    ("surveys.answer", ("id",), ("remark_sealed",)),
    ("surveys.reply", ("provider_message_id",), ("phone_sealed", "text_sealed")),
    ("surveys.return_call", ("id",), ("note_sealed",)),
    ("surveys.call_try", ("id",), ("note_sealed",)),
    ("surveys.exclusion", ("survey_id",), ("reason_sealed",)),
)
BATCH = 2000
NONCE = 12
FORMAT = b"\x02"


def cipher() -> AESGCM:
    secret = settings().secret_key.get_secret_value().encode()
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"qungong/personal-data")
    return AESGCM(derived.derive(secret))


def place(table: str, column: str, key: Iterable[object]) -> bytes:
    return msgspec.json.encode([f"{table.rpartition('.')[2]}.{column}", *map(str, key)])


def seal(aes: AESGCM, plain: bytes, where: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE)
    return FORMAT + nonce + aes.encrypt(nonce, plain, FORMAT + where)


def seal_without_place(aes: AESGCM, plain: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE)
    return nonce + aes.encrypt(nonce, plain, None)


def opened(aes: AESGCM, sealed: bytes, where: bytes) -> bytes | None:
    try:
        return aes.decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE :], FORMAT + where)
    except (InvalidTag, ValueError):
        return None


def opened_without_place(aes: AESGCM, sealed: bytes) -> bytes | None:
    try:
        return aes.decrypt(sealed[:NONCE], sealed[NONCE:], None)
    except (InvalidTag, ValueError):
        return None


def anew(aes: AESGCM, sealed: bytes, where: bytes, *, up: bool) -> bytes | None:
    """The value in the other format, the same one where it is there already, None where it cannot be opened."""
    plain, old = opened(aes, sealed, where), opened_without_place(aes, sealed)
    if up:
        return sealed if plain is not None else None if old is None else seal(aes, old, where)
    return sealed if old is not None else None if plain is None else seal_without_place(aes, plain)


def batch_of(table: str, key: Sequence[str], columns: Sequence[str], after: Any) -> str:
    listed, ordered = ", ".join((*key, *columns)), ", ".join(key)
    some = " OR ".join(f"{column} IS NOT NULL" for column in columns)
    beyond = (
        ""
        if after is None
        else f" AND ({ordered}) > ({', '.join(f':k{n}' for n in range(len(key)))})"
    )
    return f"SELECT {listed} FROM {table} WHERE ({some}){beyond} ORDER BY {ordered} LIMIT {BATCH}"  # noqa: S608 - names of our own


def every_row(*, up: bool) -> int:
    """How many values cannot be opened."""
    connection, aes, lost = op.get_bind(), cipher(), 0
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for table, key, columns in SEALED:
            total = connection.scalar(sa.text(f"SELECT count(*) FROM {table}"))  # noqa: S608
            task, after = progress.add_task(f"重新加密 · encrypting {table}", total=total), None
            while rows := connection.execute(
                sa.text(batch_of(table, key, columns, after)),
                {} if after is None else {f"k{n}": part for n, part in enumerate(after)},
            ).all():
                lost += one_batch(connection, aes, table, key, columns, rows, up=up)
                after = tuple(rows[-1][: len(key)])
                progress.advance(task, len(rows))
    return lost


def one_batch(
    connection: Any, aes: AESGCM, table: str, key: Sequence[str], columns: Sequence[str], rows: Sequence[Any], *, up: bool
) -> int:  # fmt: skip
    lost, changed = 0, []
    for row in rows:
        told = dict(row._mapping)
        for column in columns:
            if told[column] is not None:
                where = place(table, column, (told[name] for name in key))
                other = anew(aes, told[column], where, up=up)
                lost += other is None
                told[column] = told[column] if other is None else other
        if told != dict(row._mapping):
            changed.append(told)
    if changed:
        sets = ", ".join(f"{column} = :{column}" for column in columns)
        found = " AND ".join(f"{name} = :{name}" for name in key)
        # In one transaction: nothing else ever finds the trigger switched off.
        connection.execute(sa.text("BEGIN"))
        connection.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        connection.execute(sa.text(f"UPDATE {table} SET {sets} WHERE {found}"), changed)  # noqa: S608
        connection.execute(sa.text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
        connection.execute(sa.text("COMMIT"))
    return lost


def run(*, up: bool) -> None:
    with op.get_context().autocommit_block():
        lost = every_row(up=up)
    if lost:
        Console(stderr=True, highlight=False).print(
            f"[yellow]有 {lost} 个加密内容无法解开，保持原样：执行 qungong verify 逐条列出。"
            f" {lost} encrypted values cannot be opened and stay as they are.[/]"
        )


def upgrade() -> None:
    run(up=True)


def downgrade() -> None:
    run(up=False)
